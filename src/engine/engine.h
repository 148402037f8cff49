/* SPDX-License-Identifier: MIT */
#ifndef PATINA_ENGINE_ENGINE_H
#define PATINA_ENGINE_ENGINE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "image/image.h"
#include "prompt/prompt.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The engine contract: what retextures. An engine is opened once per process (weights or recipes
 * loaded), then renders any number of requests, one at a time per open engine. It knows nothing of
 * jobs, files or sockets.
 *
 * INVARIANTS
 * 1. Same source pixels, prompt, size, seed, engine and version: the same result bytes, whatever
 * the thread count (look: whatever compiler and vector width, too).
 * 2. Picture i of a request is made with seed (seed + i) mod 2^32 and does not depend on `first` or
 * `count`; what the four are to have in common (flux2's --chaos) comes of `seed` alone.
 * 3. cancel is looked at often enough to stop within a second (look) or a step (flux2).
 */

enum { ENGINE_PICTURES_MAX = 4 };

struct engine_options {
    int threads;            /* to render with; at least 1 */
    const char *looks_dir;  /* recipes of the operator's own, or NULL (look) */
    const char *model_path; /* weights (flux2), or NULL */
    const char *isa; /* force an instruction path ("avx512", "avx2", "plain"), or NULL: best; look
                        knows "plain" and takes the best otherwise: its bits are the same */
    int64_t memory_bytes; /* what a render should do with, where it can choose (flux2: how many
                             pictures it makes at once); 0: as much as it likes */
};

/* The two pictures that a render is made from: as they are decoded, or as they are rendered. */
struct engine_sizes {
    int width, height;             /* of the source, or the result */
    int style_width, style_height; /* of the style picture; 0, 0: there is none */
};

struct engine_estimate {
    int64_t bytes; /* peak memory of a render beyond the open engine, source included */
    int64_t ms;    /* time for four pictures on this machine's cores, uncorrected */
};

/* Called now and then from the rendering thread: share done 0..1 of this render. */
typedef void engine_progress_fn(void *ctx, float done);

struct engine_request {
    const struct image *source; /* already of the result's size, see engine_run.h */
    const struct image *style;  /* whose style is to be taken, of a size of its own; NULL: none, or
                                   this engine takes none */
    struct prompt *prompt;      /* read; the engine adds warnings ("no_effect") */
    struct arena *arena;        /* where those go */
    uint32_t seed;
    int first, count;             /* pictures first..first+count-1, 0 <= first, first+count <= 4 */
    engine_progress_fn *progress; /* may be NULL */
    void *progress_ctx;
    const atomic_bool *cancel; /* may be NULL */
};

struct engine;

struct engine_ops {
    const char *name; /* "look" */
    bool trained;     /* results are trainedAlgorithmicMedia */
    bool styled;      /* takes a style from a second picture (`--sref`) */
    int64_t pixels;   /* area of a result where nobody says (PATINA_PIXELS) */

    MUST_USE enum err (*open)(const struct engine_options *o, struct engine **out,
                              struct err_note *note);
    void (*close)(struct engine *e);

    /* For pictures as they are rendered. Any thread. */
    void (*estimate)(const struct engine *e, const struct engine_sizes *s, const struct prompt *p,
                     struct engine_estimate *out);

    /* Fills out[0..count-1] with new images of the source's size, owned by the caller; on error
     * none is left. ERR_CANCELLED, ERR_NOMEM, ERR_UNSUPPORTED, ERR_BUG. */
    MUST_USE enum err (*render)(struct engine *e, const struct engine_request *r, struct image *out,
                                struct err_note *note);
};

enum { ENGINE_LABEL = 32 };

/* An engine's struct begins with this. */
struct engine {
    const struct engine_ops *ops;
    char label[ENGINE_LABEL]; /* what results are made with, for `detail.engine`: the name, and
                                 behind slashes what else their pixels depend on */
};

/* The engines of this build, NULL-terminated, the default first. */
extern const struct engine_ops *const engine_table[];

/* By name, or "auto" (flux2 when o->model_path is set and it is built in, else look); NULL:
 * unknown. */
const struct engine_ops *engine_find(const char *name, const struct engine_options *o);

extern const struct engine_ops engine_look_ops, engine_flux2_ops;

/* Reads on as the look engine does when it renders, with its own looks and those of a folder (or
 * NULL): adds its warnings, the look that a name falls back to and what has no effect, and names
 * the folder's look that is asked for as the medium. ERR_NOMEM, and those of opening the engine for
 * a bad recipe. Any thread. */
MUST_USE enum err engine_look_explain(const char *looks_dir, struct prompt *p, struct arena *a,
                                      struct err_note *note);

#endif
