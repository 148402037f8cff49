/* SPDX-License-Identifier: MIT */
#ifndef PATINA_PROMPT_PROMPT_H
#define PATINA_PROMPT_PROMPT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A prompt, read: `text [--parameter value]...` with `::` weights. One parser for every engine.
 * Nothing in a prompt is an error: what is not understood becomes a warning with its place.
 */

enum {
    PROMPT_CHARS_MAX = 8192,  /* Unicode scalar values; checked by callers before parsing */
    PROMPT_PARTS_MAX = 16,    /* weighted parts; the rest are joined to the last, with a warning */
    PROMPT_WARNINGS_MAX = 64, /* more are dropped, the last says so */
    PROMPT_TERMS_MAX = 64     /* entries per list of a reading */
};

/* Which parameters were given (bit mask `prompt.given`): an engine warns about those it cannot
 * honour. */
enum prompt_param {
    PROMPT_SEED = 1 << 0,
    PROMPT_AR = 1 << 1,
    PROMPT_S = 1 << 2,
    PROMPT_IW = 1 << 3,
    PROMPT_CHAOS = 1 << 4,
    PROMPT_Q = 1 << 5,
    PROMPT_NO = 1 << 6,
    PROMPT_SREF = 1 << 7,
    PROMPT_SW = 1 << 8,
    PROMPT_TILE = 1 << 9,
    PROMPT_STYLE_RAW = 1 << 10,
    PROMPT_WEIGHTS = 1 << 11
};

struct prompt_warning {
    const char *code;    /* "clamped", "ignored_parameter", "unknown_parameter", "bad_value",
                            "duplicate",    "no_effect", "unknown_words", ... */
    const char *message; /* for humans, UTF-8 */
    uint32_t start,
        end; /* where, in Unicode scalars of the whole prompt; 0, 0: not about one place */
};

struct prompt_part {
    const char *text; /* trimmed, never NULL */
    uint32_t start;   /* offset of its first scalar in the whole prompt */
    float weight;     /* 1 without `::`; may be negative */

    /* The first of each that its own words name, as in the lexicon, or NULL: what a blend of the
     * parts is made from. Nothing in a part whose weight is not above 0. */
    const char *medium;   /* also one that is only implied: "a painting" */
    const char *manner;   /* a modifier that is a way of painting: "impressionist" */
    const char *material; /* "bronze" */
};

/* What the words of the text mean (names as in the lexicon: lower case, spaces kept). */
struct prompt_terms {
    const char *name[PROMPT_TERMS_MAX];
    struct prompt_place {
        const char *said;    /* the words that say so first ("relief" of "carved"), or the name */
        uint32_t start, end; /* as of a warning; 0, 0: only implied */
    } place[PROMPT_TERMS_MAX];
    int count;
};

struct prompt {
    const char *text; /* the prompt without its parameters, trimmed */
    struct prompt_part part[PROMPT_PARTS_MAX];
    int part_count; /* at least 1 */

    uint32_t given;   /* enum prompt_param */
    uint32_t seed;    /* valid when given & PROMPT_SEED */
    int ar_w, ar_h;   /* valid when given & PROMPT_AR */
    int s;            /* 0..1000, 100 */
    float iw;         /* 0..3, 1 */
    int chaos;        /* 0..100, 0 */
    float q;          /* .25 .5 1 2 4, 1 */
    const char *no;   /* the list as it was written, or NULL; see `excluded` */
    const char *sref; /* URL or NULL */
    int sw;           /* 0..1000, 100 */
    bool tile;
    bool style_raw;

    const char *medium; /* "oil painting" or NULL; of several parts, the heaviest one's */
    struct prompt_terms materials, palette, light, modifiers, excluded, unknown;

    struct prompt_warning warning[PROMPT_WARNINGS_MAX];
    int warning_count;
};

/* Reads `len` bytes of well-formed UTF-8. Everything that *out points to lives in `a`. Only
 * ERR_NOMEM. */
MUST_USE enum err prompt_read(struct prompt *out, struct arena *a, const char *text, size_t len);

/* Whether readings call a modifier ("polished") or a material ("verdigris") so. Any thread. */
bool prompt_is_quality(const char *name);

/* The medium, material or manner whose look is nearest to that of one for which there is none yet:
 * "ink wash" comes nearest to "watercolour"; of a manner that no look knows, the modifier that says
 * most of it: "impressionist" is "loose". Asking on with the answer ends in NULL. Any thread. */
const char *prompt_nearest(const char *name);

/* Adds a warning about the whole prompt (start = end = 0); strings are copied into `a`. */
void prompt_warn(struct prompt *p, struct arena *a, const char *code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* The same about a term of a list: its place. */
void prompt_warn_term(struct prompt *p, struct arena *a, const struct prompt_place *at,
                      const char *code, const char *fmt, ...) PRINTF_LIKE(5, 6);

/* The prompt says `words` and means a medium that its reader did not know: a look of the
 * operator's. It is the medium now, copied into `a`; the words are no longer unknown, nor told so.
 */
void prompt_understand(struct prompt *p, struct arena *a, const char *words, const char *medium);

/* Writes the object of `detail.interpretation` and `patina explain`: medium, materials, palette,
 * light, modifiers, excluded, unknown, parameters, warnings, in this order. */
void prompt_write_json(const struct prompt *p, struct buf *out);

/* Appends `[{"code","message"}...]`, the form of `detail.warnings`. */
void prompt_write_warnings(const struct prompt *p, struct buf *out);

#endif
