/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_RECIPE_H
#define PATINA_LOOK_RECIPE_H

#include "base/err.h"
#include "look/op.h"

/*
 * A recipe: which operators make a look, in which order, with which parameters.
 *
 *     # What it looks like, in a line or two.
 *     name = oil painting
 *     also = oils, oil on canvas
 *     family = oil
 *
 *     [strokes]
 *     radius = 16    # comment
 *
 * Settings first (`name`, once; `also`, other names, and `family`, at most once each), then a
 * section per step; the comment before the name tells people what the look is; an
 * operator may come several times; nothing may follow one that finishes the picture. Parameters
 * left out have their defaults. Everything is checked against the operator's table, and an error
 * names file, line and column.
 *
 * The format is ours because it needs no more than this: a list of flat sections of numbers. YAML
 * would bring a library and a schema for fifteen lines.
 */
enum {
    RECIPE_STEPS_MAX = 24,
    RECIPE_NAMES_MAX = 16,
    RECIPE_NAME_BYTES = 64,
    RECIPE_ABOUT_BYTES = 512,    /* more of it is cut off */
    RECIPE_BYTES_MAX = 64 * 1024 /* of a file; ours are under 3 kB */
};

struct recipe_step {
    const struct look_op *op;
    float value[LOOK_PARAMS_MAX];
};

struct recipe {
    char name[RECIPE_NAMES_MAX][RECIPE_NAME_BYTES]; /* the first is its own */
    int names;
    char family[RECIPE_NAME_BYTES]; /* looks of one family are listed together; may be "" */
    char about[RECIPE_ABOUT_BYTES]; /* the comment before the name, in one line; may be "" */
    const char *file; /* its own file of a folder, until its set is closed; NULL: built in */
    struct recipe_step step[RECIPE_STEPS_MAX];
    int steps;
};

/* `file` is for the note alone. ERR_INVALID. */
MUST_USE enum err recipe_parse(const char *file, const char *text, size_t len, struct recipe *out,
                               struct err_note *note);

/* Maps that its steps need. */
uint32_t recipe_needs(const struct recipe *r);

/* All looks: those built in, then the `*.look` files of `dir` (NULL: none), of which one with the
 * name of another replaces it. */
struct recipe_set;

MUST_USE enum err recipe_set_open(const char *dir, struct recipe_set **out, struct err_note *note);
void recipe_set_close(struct recipe_set *s); /* NULL is fine */

/* By any of its names; NULL: unknown. */
const struct recipe *recipe_find(const struct recipe_set *s, const char *name);

/* The i-th, or NULL past the last. */
const struct recipe *recipe_at(const struct recipe_set *s, int i);

/* Built in: looks/ *.look, NULL-terminated; written by tools/embed_looks.py. */
struct recipe_source {
    const char *file;
    const char *text;
};

extern const struct recipe_source recipe_builtin[];

#endif
