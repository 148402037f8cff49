/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BASE_METRICS_H
#define PATINA_BASE_METRICS_H

#include "base/buf.h"
#include "base/log.h"

/*
 * Counters and histograms made from the log: a row of a table says which event it counts, which
 * field of it, and which fields are labels. So whatever is in the metrics is in the log as well
 * (at its debug level, if need be), no layer knows that it is measured, and all there is stands in
 * one table. Written in Prometheus' text format, version 0.0.4.
 */
enum {
    METRIC_LABELS_MAX = 2,
    METRIC_BUCKETS_MAX = 12,
    METRIC_KNOWN_MAX = 4,
    METRIC_SERIES_MAX = 512, /* combinations of labels per row; what comes after is counted in
                                the row's series with the labels "other" */
    METRIC_LABEL_BYTES = 48  /* longer values are cut */
};

enum metric_type { METRIC_COUNTER, METRIC_HISTOGRAM };

struct metric {
    const char *name; /* "patina_http_requests_total" */
    enum metric_type type;
    const char *event;                    /* "http.request" */
    const char *field;                    /* the number that is added or observed; NULL: 1 */
    double scale;                         /* the number is multiplied with this; 0: 1 */
    const char *label[METRIC_LABELS_MAX]; /* fields of the event, and names of the labels */
    const char *known[METRIC_KNOWN_MAX];  /* of a row with one label: values that are written from
                                             the start, at 0 */
    double bucket[METRIC_BUCKETS_MAX];    /* upper bounds, rising, up to the first 0 */
    const char *help;                     /* one sentence */
};

struct metrics;

/* `rows` outlives the result. */
MUST_USE enum err metrics_new(const struct metric *rows, int count, struct metrics **out);
void metrics_free(struct metrics *m); /* NULL is fine */

/* Counts an event; a row whose field it does not have, or has below 0 (not known), is left alone.
 * Fits log.observe with the metrics as context. Any thread. */
void metrics_observe(void *metrics, const char *event, const struct log_field *fields, int count);

/* Appends every row without labels, and of the others each series that has counted anything or is
 * known: Prometheus sees no rise in a series that begins at 1. Any thread. */
void metrics_write(struct metrics *m, struct buf *out);

/* Appends one value that is known now: "# HELP", "# TYPE" and the line. `labels` is "" or
 * `{name="value"}`. */
void metrics_write_value(struct buf *out, const char *name, const char *type, const char *help,
                         const char *labels, double value);

#endif
