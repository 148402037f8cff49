/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_BENCH_PEER_H
#define PATINA_CLI_BENCH_PEER_H

#include "base/err.h"
#include "image/image.h"
#include "look/recipe.h"

#include <stdbool.h>

/*
 * Other programs on the same photo: for each family of looks the nearest filter of G'MIC that
 * Debian's package has, and of OpenCV where it has one. Each is run once for all looks that it is
 * the nearest of, as its user would run it: one process that reads a PNG and writes one.
 */
struct peer_bench;

struct peer_time {
    const char *name; /* "gmic fx_painting" */
    bool nearest;     /* the nearest G'MIC filter: what looks are measured by */
    bool timed_out;   /* ms is the limit then */
    double ms;        /* whole process */
    double net_ms;    /* less what the same program takes to read and write the PNG alone */
};

enum {
    PEER_LIMIT_MS = 120 * 1000, /* one run; fx_brushify takes 15 s a megapixel on two idle cores */
    PEERS_PER_LOOK = 3
};

/* Writes the photo aside. ERR_IO, ERR_NOMEM. */
MUST_USE enum err peer_bench_open(const struct image *photo, struct peer_bench **out,
                                  struct err_note *note);
void peer_bench_close(struct peer_bench *b); /* NULL is fine */

/* The peers of a look that run here, timed as the best of `repeats` runs, long ones of one; returns
 * how many. The first that another program lacks or fails at is told on stderr, by name. */
int peer_bench_look(struct peer_bench *b, const struct recipe *look, int repeats,
                    struct peer_time out[PEERS_PER_LOOK]);

#endif
