/* SPDX-License-Identifier: MIT */
#ifndef PATINA_H
#define PATINA_H

#include <stddef.h>
#include <stdint.h>

/*
 * libpatina: a picture and a prompt in, up to four pictures and their grid out, without the
 * service. The same request gives the same pixels as the service gives for it.
 *
 *     struct patina *p;
 *     struct patina_result *result;
 *     char why[PATINA_WHY];
 *     if (patina_open(NULL, &p, why) == PATINA_OK) {
 *         struct patina_request r = {.width = w, .height = h, .rgba = pixels,
 *                                    .prompt = "Convert to oil painting style", .count = 4};
 *         if (patina_render(p, &r, &result, why) == PATINA_OK) {
 *             ... patina_result_picture(result, 0) ...
 *             patina_result_free(result);
 *         }
 *         patina_close(p);
 *     }
 *
 * Pictures are RGBA, 8 bits a sample, sRGB, alpha not premultiplied, rows from the top without
 * gaps. Decoding and encoding files is not part of this library: bytes of strangers want a process
 * of their own.
 *
 * Threads: one call at a time per open engine, except patina_cancel(), which may be called from any
 * thread or signal handler. Only names that begin with patina_ are exported.
 */
#ifdef __cplusplus
extern "C" {
#endif

#define PATINA_API __attribute__((visibility("default")))

enum patina_status {
    PATINA_OK = 0,
    PATINA_INVALID = 1,   /* the request is at fault; `why` says how */
    PATINA_CANCELLED = 2, /* patina_cancel() was called */
    PATINA_NO_MEMORY = 3,
    PATINA_FAILED = 4 /* the engine or the machine gave out */
};

enum {
    PATINA_WHY = 480,         /* bytes for a message, NUL included; every `why` may be NULL */
    PATINA_PICTURES_MAX = 4,  /* of a request */
    PATINA_GRID = -1,         /* the four in one picture of twice their sides */
    PATINA_PIXELS = 1048576,  /* area of a result of "look" unless the request says otherwise */
    PATINA_PROMPT_MAX = 8192, /* Unicode scalar values */
    PATINA_SIDE_MAX = 16384   /* of a source; also at most 64 million pixels and 30:1 */
};

struct patina; /* an open engine */

struct patina_options {
    const char *engine;    /* "look", "flux2"; NULL: flux2 when there is a model, else look */
    int threads;           /* to render with; 0: as many as there are cores */
    const char *looks_dir; /* folder of look recipes of your own, or NULL */
    const char *model;     /* weights of flux2, as `patina model pack` wrote them, or NULL */
    const char *isa;       /* instructions that flux2 computes with ("avx2"); NULL: the best */
};

/* `o` NULL: defaults everywhere. PATINA_INVALID for an unknown engine or a bad recipe. */
PATINA_API enum patina_status patina_open(const struct patina_options *o, struct patina **out,
                                          char why[PATINA_WHY]);

/* NULL is allowed. */
PATINA_API void patina_close(struct patina *p);

/* The name of the engine, and behind slashes what else its pixels depend on: "look",
 * "flux2/bf16/avx512bf16". Lives as long as the engine is open. */
PATINA_API const char *patina_engine(const struct patina *p);

/* The area of its results unless the request says otherwise. */
PATINA_API int64_t patina_pixels(const struct patina *p);

/* "0.1.0", static. */
PATINA_API const char *patina_version(void);

/* How a prompt is read, and in its warnings what the looks make of it, as a JSON object,
 * NUL-terminated; patina_free() it. Of the options only `looks_dir` matters; `o` may be NULL.
 * PATINA_INVALID for what is not UTF-8, blank or too long: nothing else in a prompt is an error;
 * and what patina_open() fails with for the folder. */
PATINA_API enum patina_status patina_read_prompt(const struct patina_options *o, const char *prompt,
                                                 char **json, char why[PATINA_WHY]);
PATINA_API void patina_free(char *json);

/* Called now and then from a rendering thread: share done, 0 to 1. */
typedef void patina_progress_fn(void *ctx, float done);

struct patina_request {
    int width, height;   /* of the source */
    size_t stride;       /* bytes from row to row; 0: 4 * width */
    const uint8_t *rgba; /* borrowed until the call returns */
    const char *prompt;  /* UTF-8, parameters included */
    uint32_t seed;       /* unless the prompt has --seed; picture i uses seed + i */
    int count;           /* 1..PATINA_PICTURES_MAX */
    int64_t pixels;      /* area of a result; 0: patina_pixels() */
    int out_width;       /* size of a result, both or neither: overrides `pixels` and --ar; */
    int out_height;      /* rounded to multiples of 16 */
    patina_progress_fn *progress; /* or NULL */
    void *progress_ctx;
    const uint8_t *style_rgba; /* a picture whose style is to be taken, borrowed likewise, or NULL;
                                  a warning tells when the engine takes none */
    int style_width, style_height;
    size_t style_stride;
};

struct patina_result;

/* Renders; *out is set on success alone. */
PATINA_API enum patina_status patina_render(struct patina *p, const struct patina_request *r,
                                            struct patina_result **out, char why[PATINA_WHY]);

/* Makes the running patina_render(), or the next one, end with PATINA_CANCELLED within a second. */
PATINA_API void patina_cancel(struct patina *p);

/* NULL is allowed. What the functions below return lives until then. */
PATINA_API void patina_result_free(struct patina_result *r);

struct patina_picture {
    int width, height;
    size_t stride;
    const uint8_t *rgba;
    int has_alpha; /* else alpha is 255 everywhere */
};

/* Picture i, or PATINA_GRID when there are four. Width 0 for one that is not there. */
PATINA_API struct patina_picture patina_result_picture(const struct patina_result *r, int i);

PATINA_API int patina_result_count(const struct patina_result *r);
PATINA_API uint32_t patina_result_seed(const struct patina_result *r); /* what was used */

/* How the prompt was read, and what there is to say about it: JSON object, JSON array of
 * {"code","message"}. */
PATINA_API const char *patina_result_interpretation(const struct patina_result *r);
PATINA_API const char *patina_result_warnings(const struct patina_result *r);

#ifdef __cplusplus
}
#endif

#endif
