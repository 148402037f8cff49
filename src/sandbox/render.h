/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SANDBOX_RENDER_H
#define PATINA_SANDBOX_RENDER_H

#include "base/buf.h"
#include "base/log.h"
#include "image/image.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Rendering in long-lived sandboxed processes (`patina` started again as a renderer: engine opened,
 * then seccomp; lower priority than the API; exits at EOF of its control socket). A pool keeps
 * `processes` of them, starts one anew when it died, overran or ignored a cancel. Any number of
 * threads may call render_run(), which waits for a free one.
 *
 * This layer moves bytes: what a renderer does with a request is a callback given to render_main(),
 * so that sandbox/ does not know engines.
 */
struct render_pool;

struct render_pool_options {
    int processes;       /* 1..256 */
    char *const *argv;   /* how to start a renderer: argv[0] is its path; borrowed until close. Its
                            environment is empty but for OMP_WAIT_POLICY, its standard error ours,
                            its control socket descriptor 3, which render_main() knows. */
    int cancel_grace_ms; /* a cancelled or late renderer that has not answered after this is killed
                            (1000) */
    const struct log *log;
};

/* Waits for the first renderer to have opened its engine. ERR_CRASHED with a note when it ended
 * instead, ERR_INVALID, ERR_NOMEM, ERR_IO. */

MUST_USE enum err render_pool_open(const struct render_pool_options *o, struct render_pool **out,
                                   struct err_note *note);

/* Kills what runs and waits for it; render_run() in other threads returns ERR_UNAVAILABLE, but must
 * not be called any more. NULL is allowed. */
void render_pool_close(struct render_pool *p);

/* Whether a renderer runs, or one is on its way that has not failed to get so far since it last
 * answered: one that was killed is soon replaced. */
bool render_pool_ready(struct render_pool *p);

typedef void render_progress_fn(void *ctx, float done);

struct render_call {
    const struct image *source;   /* pixels of: */
    int source_fd;                /* a sealed memfd (decoded.fd), stride 4*width */
    const struct image *style;    /* a second picture, or NULL */
    int style_fd;                 /* likewise */
    const char *request_json;     /* what the renderer's callback gets: prompt, seed, pixels, ... */
    int64_t limit_ms;             /* of the whole call: told to stop past this: ERR_TIMEOUT */
    render_progress_fn *progress; /* from the calling thread; may be NULL */
    void *progress_ctx;
    const atomic_bool *cancel; /* noticed within 50 ms; may be NULL */
};

/* Of request_json and of a report. */
enum { RENDER_JSON_BYTES_MAX = 128 * 1024 };

enum { RENDER_PICTURES_MAX = 5 }; /* four and the grid */

struct render_answer {
    struct image picture[RENDER_PICTURES_MAX]; /* mappings of a sealed memfd */
    int count;
    char *report_json; /* what the callback reported (free() by release) */
    void *mapping;     /* private */
    size_t mapping_len;
};

void render_answer_release(struct render_answer *a);

/* ERR_CANCELLED, ERR_TIMEOUT, ERR_UNAVAILABLE (the pool closes), ERR_CRASHED (the process died or
 * broke the protocol: a strike), ERR_TOO_LARGE (request_json), ERR_NOMEM, ERR_IO, or what the
 * callback returned, with its note: ERR_INVALID, ERR_TOO_LARGE, ERR_UNSUPPORTED, ERR_CORRUPT,
 * ERR_UNAVAILABLE, ERR_NOMEM, ERR_IO, ERR_FULL; anything else becomes ERR_BUG. `out` is set on
 * success alone; its report is UTF-8, its pictures within the limits of a result (the fifth: of a
 * grid), but otherwise what a renderer claims. */
MUST_USE enum err render_run(struct render_pool *p, const struct render_call *call,
                             struct render_answer *out, struct err_note *note);

/* In the renderer, on its main thread: `style` is NULL when there is none. The callback fills up to
 * RENDER_PICTURES_MAX pictures of its own memory (released after they were copied out, with every
 * return) and appends its report. It must look at *cancel, which turns true at any time. */
typedef enum err render_fn(void *ctx, const struct image *source, const struct image *style,
                           const char *request_json, render_progress_fn *progress,
                           void *progress_ctx, const atomic_bool *cancel,
                           struct image picture[RENDER_PICTURES_MAX], int *count,
                           struct buf *report_json, struct err_note *note);

/* Serves requests from descriptor 3 until EOF, which ends the process at once; enters the sandbox
 * first: whatever needs files is opened before, in `ctx`. Returns, a failing exit status, only when
 * it cannot begin. `allow_jit` admits PROT_EXEC for engines that generate code. Asks for AMX; an
 * engine that looks for it while it is opened has to ask by itself. */
int render_main(render_fn *fn, void *ctx, bool allow_jit);

#endif
