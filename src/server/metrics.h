/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SERVER_METRICS_H
#define PATINA_SERVER_METRICS_H

#include "base/metrics.h"
#include "http/http.h"
#include "store/store.h"

/*
 * What /metrics shows, and the listener that shows it (PATINA_ADMIN_LISTEN): counters of the table
 * in metrics.c, which are made from the log's events, and values that are asked for when somebody
 * looks.
 */
struct admin;

struct admin_options {
    /* Borrowed; all of them outlive it. */
    struct metrics *metrics;
    struct store *store;
    const struct http_server *http; /* the API's */
    const char *engine;             /* "look" */
    const char *data_dir;
    const struct clock *clock;
    const char *address; /* "127.0.0.1:9090" */
};

/* The table, for metrics_new(). */
extern const struct metric server_metrics[];
extern const int server_metric_count;

/* Appends docs/metrics.md: the table and the values, each with its help. */
void metrics_describe(struct buf *out);

/* As http_server_start(). */
MUST_USE enum err admin_start(const struct admin_options *o, struct admin **out,
                              struct err_note *note);
int admin_port(const struct admin *a);
void admin_stop(struct admin *a); /* NULL is fine */

#endif
