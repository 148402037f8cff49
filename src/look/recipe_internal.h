/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_RECIPE_INTERNAL_H
#define PATINA_LOOK_RECIPE_INTERNAL_H

/* For recipe.c, which reads settings and steps, and recipe_when.c, which reads responses. */
#include "look/recipe.h"

#include <stddef.h>

struct reader {
    const char *file;
    int line;
    const char *start; /* of the line, for columns */
    struct recipe *out;
    uint32_t given; /* parameters of the step at hand that were set */
    struct err_note *note;
};

/* Some bytes of a line. */
struct piece {
    const char *s;
    size_t len;
};

/* ERR_INVALID with the place of `at` and, where it is not empty, what stands there in quotes. */
enum err recipe_fail(const struct reader *r, const char *at, const char *why, struct piece quote);

/* Without the spaces around. */
struct piece piece_trim(struct piece p);
bool piece_is(struct piece p, const char *word);

/* Takes what stands in front of the next `c`, or all of it, off the front of *rest; trimmed. The
 * rest is empty, with a NULL `s`, after the last. */
struct piece piece_next(struct piece *rest, char c);

bool piece_number(struct piece p, float *out);

/* Index of an operator's parameter, or -1. */
int param_find(const struct look_op *op, struct piece name);

enum err param_check(const struct reader *r, const char *at, const struct look_param *p, float v);

/* [when WORDS]; then the lines in it: `key` without the operator in front of `=`. */
enum err when_open(struct reader *r, struct piece words);
enum err when_read(struct reader *r, struct piece key, bool factor, struct piece value);

#endif
