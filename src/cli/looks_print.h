/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_LOOKS_PRINT_H
#define PATINA_CLI_LOOKS_PRINT_H

#include "base/buf.h"
#include "look/recipe.h"

/* What `patina looks` writes. */
enum { LOOKS_MAX = 256 };

/* Families in order of their first look, the looks of each together. */
struct looks_list {
    const struct recipe *look[LOOKS_MAX];
    int n;
};

/* For people: families and columns. */
void looks_add_table(const struct looks_list *l, struct buf *out);

/* For programs: a line each of name, family and other names with tabs between. */
void looks_add_lines(const struct looks_list *l, struct buf *out);

/* An array of everything there is to say. */
void looks_add_json(const struct looks_list *l, struct buf *out);

/* A recipe as it would be written with every parameter set, each explained: it reads as the same
 * look again. */
void looks_add_recipe(const struct recipe *r, struct buf *out);

#endif
