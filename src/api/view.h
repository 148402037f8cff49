/* SPDX-License-Identifier: MIT */
#ifndef PATINA_API_VIEW_H
#define PATINA_API_VIEW_H

#include "base/json.h"
#include "job/board.h"
#include "job/job.h"

/*
 * The task object of the protocol, in ONE place: answers of POST, GET, lists and cancel, and the
 * webhook's body. Exactly the documented keys in the documented order; strict clients break on any
 * other. A library of its own that knows no HTTP and no store. Pure functions, any thread.
 */

enum { VIEW_SIGNATURE_TEXT = 65 };

/* What all task objects of a server share. Plain data, read only after start. */
struct view {
    const char *public_url;  /* without a slash at its end */
    uint8_t site_secret[32]; /* signs the file URLs of private accounts */
};

/* What a job's row does not say. */
struct view_extra {
    int64_t now_ms;
    bool fresh;                      /* the answer of POST: `input` and `detail` are null */
    const struct board_entry *board; /* NULL: no worker has it just now */
    int queue_position;              /* 1 for the next; 0: not known */
};

/* Writes the task as one JSON value. */
void view_task(struct json_writer *w, const struct view *v, const struct job *j,
               const struct view_extra *x);

/* As view_task(), but only the members, for an object that has more (the webhook's body: the
 * task's keys, then `timestamp` and `data`). */
void view_task_members(struct json_writer *w, const struct view *v, const struct job *j,
                       const struct view_extra *x);

/* The whole webhook body; at_unix_s: of the event. */
void view_webhook(struct buf *out, const struct view *v, const struct job *j,
                  const struct view_extra *x, int64_t at_unix_s);

/* Appends the URL of a job's picture: `name` "0".."3" or "grid", `ext` "png", "webp" or "jpg". */
void view_file_url(struct buf *out, const struct view *v, const struct job *j, const char *name,
                   const char *ext);

/* Signature of a private job's file: lower-case hex HMAC-SHA256 over `path?expires=N`. `path`
 * begins with "/files/". */
void view_file_signature(const struct view *v, const char *path, int64_t expires_unix_s,
                         char out[VIEW_SIGNATURE_TEXT]);

#endif
