/* SPDX-License-Identifier: MIT */
#ifndef PATINA_LOOK_RECIPE_H
#define PATINA_LOOK_RECIPE_H

#include "base/err.h"
#include "look/op.h"

/*
 * A recipe: which operators make a look, in which order, with which parameters, and how these
 * answer to what a prompt says besides.
 *
 *     # What it looks like, in a line or two.
 *     name = oil painting
 *     also = oils, oil on canvas
 *     family = oil
 *
 *     [strokes]
 *     radius = 16    # comment
 *
 *     [strokes]
 *     radius = 5
 *
 *     [relief]
 *
 *     [when bold, loose]
 *     strokes.radius *= 1.5
 *     strokes.2.threshold = 0.1
 *
 *     [when --s 1000]
 *     relief.height = 4
 *
 * SETTINGS come first: `name`, once; `also`, other names, and `family`, at most once each. The
 * comment before the name tells people what the look is.
 *
 * STEPS: then a section per step; an operator may come several times; nothing may follow one that
 * finishes the picture. Parameters left out have their defaults.
 *
 * RESPONSES: last the sections [when ...], with modifiers of prompts as they are called in a
 * reading (`patina explain`), materials that lie on the look's own ("verdigris"), or an end of a
 * parameter's range: --s 0, --s 1000, --iw 0, --iw 3, --q 0.25, --q 4, --style raw. A line in it
 * says where a parameter of a step goes when one of them holds: `operator.parameter` is that of
 * each step of this operator, `operator.2.parameter` that of its second; `= value` is the place,
 * `*= factor` is so many times the step's own value, as far as its range goes. Numbers between the
 * ends of a parameter (usual: --s 100, --iw 1, --q 1) go a part of the way. What several sections
 * ask of a parameter adds up, and stays inside its range. What a prompt says and a look has no
 * response to is a warning there.
 *
 * A file is text in UTF-8, with or without the mark that some editors begin it with.
 *
 * Everything is checked against the operator's table and the words of prompts, and an error names
 * file, line and column.
 *
 * The format is ours because it needs no more than this: a list of flat sections of numbers. YAML
 * would bring a library and a schema for fifteen lines.
 */
enum {
    RECIPE_STEPS_MAX = 24,
    RECIPE_NAMES_MAX = 16,
    RECIPE_NAME_BYTES = 64,
    RECIPE_ABOUT_BYTES = 512,    /* more of it is cut off */
    RECIPE_WHENS_MAX = 48,       /* sections [when]; ours have up to 20 */
    RECIPE_WORDS_MAX = 6,        /* in one of them */
    RECIPE_WORD_BYTES = 24,      /* the longest modifier has 13 */
    RECIPE_MOVES_MAX = 512,      /* a line counts once for each step that it is about */
    RECIPE_BYTES_MAX = 64 * 1024 /* of a file; ours are under 5 kB */
};

struct recipe_step {
    const struct look_op *op;
    float value[LOOK_PARAMS_MAX];
};

/* Where a parameter of a step goes. */
struct recipe_move {
    short step, param;
    float to; /* inside the parameter's range */
};

struct recipe_when {
    char word[RECIPE_WORDS_MAX][RECIPE_WORD_BYTES]; /* as in a cue */
    int words;
    int first, moves; /* in recipe.move */
};

struct recipe {
    char name[RECIPE_NAMES_MAX][RECIPE_NAME_BYTES]; /* the first is its own */
    int names;
    char family[RECIPE_NAME_BYTES]; /* looks of one family are listed together; may be "" */
    char about[RECIPE_ABOUT_BYTES]; /* the comment before the name, in one line; may be "" */
    const char *file; /* its own file of a folder, until its set is closed; NULL: built in */
    struct recipe_step step[RECIPE_STEPS_MAX];
    int steps;
    struct recipe_when when[RECIPE_WHENS_MAX];
    int whens;
    struct recipe_move move[RECIPE_MOVES_MAX];
    int moves;
};

/* `file` is for the note alone. ERR_INVALID. */
MUST_USE enum err recipe_parse(const char *file, const char *text, size_t len, struct recipe *out,
                               struct err_note *note);

/* Maps that its steps need. */
uint32_t recipe_needs(const struct recipe *r);

/* What can be taken away from it, enum look_without: canvas also where a step's parameter of that
 * name is above 0. */
uint32_t recipe_without(const struct recipe *r);

/* Something that a prompt says: a modifier ("polished"), or the end of a parameter's range
 * ("--s 1000"). */
struct recipe_cue {
    const char *word;
    float amount; /* 0..1: how far to go; 1 for a modifier */
};

/* Whether some section of the recipe is about this word. */
bool recipe_responds(const struct recipe *r, const char *word);

/* Moves the recipe's parameters as its sections say. A section holds as much as the largest amount
 * of its words. */
void recipe_respond(struct recipe *r, const struct recipe_cue *cue, int cues);

/* Leaves out its frames, plate marks and bare borders: a picture that is blended of several has
 * none, or parts of one would stand about. */
void recipe_unframe(struct recipe *r);

/* All looks: those built in, then the `*.look` files of `dir` (NULL: none), of which one with the
 * name of another replaces it. */
struct recipe_set;

MUST_USE enum err recipe_set_open(const char *dir, struct recipe_set **out, struct err_note *note);
void recipe_set_close(struct recipe_set *s); /* NULL is fine */

/* By any of its names; NULL: unknown. */
const struct recipe *recipe_find(const struct recipe_set *s, const char *name);

/* The look of the folder whose name stands in the text as whole words, letter case aside; of
 * several the longest name, which *name is set to. NULL: none. */
const struct recipe *recipe_named_in(const struct recipe_set *s, const char *text,
                                     const char **name);

/* The i-th, or NULL past the last. */
const struct recipe *recipe_at(const struct recipe_set *s, int i);

/* Built in: looks/ *.look, NULL-terminated; written by tools/embed_looks.py. */
struct recipe_source {
    const char *file;
    const char *text;
};

extern const struct recipe_source recipe_builtin[];

#endif
