/* SPDX-License-Identifier: MIT */
#ifndef PATINA_API_API_INTERNAL_H
#define PATINA_API_API_INTERNAL_H

/* For the files of this folder only. */

#include "api/api.h"
#include "api/err_to_http.h"
#include "api/events.h"
#include "api/fields.h"
#include "api/places.h"
#include "api/rate.h"
#include "api/side.h"

#include <pthread.h>

/* Limits of bodies. A multipart upload may have this much around its
 * picture. */
enum {
    BODY_JSON_MAX = 128 * 1024,
    MULTIPART_AROUND_MAX = 64 * 1024,
    UPLOAD_KEPT_MS = 24 * 60 * 60 * 1000
};

/* What is wrong with each part, or NULL; static texts. */
struct readiness {
    int64_t at_ns; /* 0: never asked */
    const char *store, *blobs, *workers, *service;
};

struct api {
    struct api_deps d;
    char *public_url, *cors_origin, *deny; /* copies that `d` points to */
    struct view view;
    struct rate *rate; /* NULL: off */
    struct places *places;
    struct side *side;
    struct events *events;
    pthread_mutex_t ready_lock;
    struct readiness readiness;
    pthread_mutex_t derive_lock;
    struct derive *deriving; /* files being made, see derive.c */
};

/* The table. */
extern const struct http_route api_routes[];
extern const int api_route_count;

/* auth.c: the listener's gate: who asks, may they, how often. */
bool api_gate(void *ctx, struct http_request *r, const struct http_route *route);

/* Who asks, behind the gate of a route with `auth`. */
const struct account *caller(const struct http_request *r);

/* answer.c */
void answer_json(struct http_request *r, int status, struct buf *body); /* takes the body */
void answer_error(struct api *a, struct http_request *r, int status, const char *why,
                  const char *detail);
/* By the table of err_to_http.c; `note` may be NULL. 5xx are logged with the note and keep it from
 * the client. */
void answer_err(struct api *a, struct http_request *r, enum err e, const struct err_note *note);
void answer_problems(struct api *a, struct http_request *r, const struct problems *p);
/* The end of reading a list's query: `cursor` is how looking its cursor up ended, *p has what else
 * is wrong. False: it has answered. */
bool query_good(struct api *a, struct http_request *r, enum err cursor, struct problems *p);

void answer_refusal(void *ctx, struct http_request *r, const char *why, struct http_response *out);
/* 503 with what to say when the service takes no new work now; true when it answered. */
bool answer_closed(struct api *a, struct http_request *r);
/* Calls `run` on a thread beside the listener, where it may wait for a disk, or answers 503. `ctx`
 * lives until then: in the request's arena, or NULL. */
typedef void beside_fn(struct api *a, struct http_request *r, void *ctx);
void answer_beside(struct api *a, struct http_request *r, beside_fn *run, void *ctx);

/* jobs.c: there is none, or it is another account's: nobody can tell which. */
void answer_no_job(struct api *a, struct http_request *r);

/* jobs.c: a job as it is now. Of a row that was just read task_look() makes that. */
struct task {
    struct job job;
    bool on_board;
    struct board_entry doing; /* when it is on the board */
};
void task_look(struct api *a, struct arena *arena, struct task *t);
void write_task(struct json_writer *w, struct api *a, const struct task *t, bool fresh);

/* derive.c: makes the .webp or .jpg of a stored PNG, once for all who ask meanwhile, and answers.
 */
void answer_derived(struct api *a, struct http_request *r, const struct job *j,
                    const struct own_file *f);

/* files.c: answers with a blob of the job; ERR_NOT_FOUND when it is not there (then nothing was
 * answered). */
MUST_USE enum err answer_blob(struct api *a, struct http_request *r, const struct job *j,
                              const struct own_file *f);

/* files.c: whether a picture of the job is there and `who` may read it: whoever asks (-1) those of
 * public jobs and what was signed for this path, its account all of its own. */
bool file_readable(struct api *a, const struct job *j, int64_t who, const char *path,
                   const struct own_file *f);

/* uploads.c: for the gate. The route's limit leaves room for a form around the picture; a bare body
 * has none, and one that is too long is refused by its announcement. True when it answered. */
bool upload_refused(struct api *a, struct http_request *r);

http_handler_fn post_retexture, get_job, post_cancel, get_jobs; /* jobs.c, submit.c */
http_handler_fn get_events;                                     /* events.c */
http_handler_fn post_upload, get_upload;                        /* uploads.c */
http_handler_fn get_balance, get_info, get_active_tasks;        /* account.c */
http_handler_fn get_deliveries, post_redeliver;                 /* deliveries.c */
http_handler_fn get_file;                                       /* files.c */
http_handler_fn get_healthz, get_readyz;                        /* health.c */
http_handler_fn get_description, get_page;                      /* description.c */

/* Made from docs/openapi.yaml by tools/api_page.py. */
extern const char api_description[], api_page[];
extern const size_t api_description_len, api_page_len;

#endif
