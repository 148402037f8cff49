/* SPDX-License-Identifier: MIT */
#include "base/metrics.h"

#include "base/hash.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Labels as one string: value, NUL, value, NUL. Also the key of the hash table.
struct labels {
    char text[METRIC_LABELS_MAX * (METRIC_LABEL_BYTES + 1)];
    size_t len;
};

struct series {
    struct labels labels;
    uint64_t count;
    double sum;
    uint64_t bucket[METRIC_BUCKETS_MAX]; // not cumulated
};

enum { SLOTS = 2 * METRIC_SERIES_MAX };

struct row {
    const struct metric *m;
    pthread_mutex_t lock;
    struct series *slot[SLOTS]; // open addressing; nothing is ever taken out
    int count;
};

struct metrics {
    int count;
    struct row row[];
};

// ---- counting ----

static const struct log_field *find(const char *key, const struct log_field *fields, int count)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(fields[i].key, key))
            return &fields[i];
    return NULL;
}

static void add_label(struct labels *l, const char *value)
{
    size_t len = strnlen(value, METRIC_LABEL_BYTES);

    memcpy(l->text + l->len, value, len);
    l->text[l->len + len] = '\0';
    l->len += len + 1;
}

static void read_labels(const struct metric *m, const struct log_field *fields, int count,
                        struct labels *out)
{
    out->len = 0;
    for (int i = 0; i < METRIC_LABELS_MAX && m->label[i]; i++) {
        const struct log_field *f = find(m->label[i], fields, count);
        char number[24] = "";
        if (f && !f->s)
            snprintf(number, sizeof(number), "%lld", (long long)f->n);
        add_label(out, f && f->s ? f->s : number);
    }
}

static struct series **slot_of(struct row *r, const struct labels *l)
{
    for (uint32_t at = fnv1a(l->text, l->len) % SLOTS;; at = (at + 1) % SLOTS) {
        struct series *s = r->slot[at];
        if (!s || (s->labels.len == l->len && !memcmp(s->labels.text, l->text, l->len)))
            return &r->slot[at];
    }
}

// The series of these labels, made when it is new; NULL when memory ran out.
static struct series *series_of(struct row *r, struct labels *l)
{
    struct series **at = slot_of(r, l);

    if (!*at && r->count >= METRIC_SERIES_MAX - 1) {
        l->len = 0;
        for (int i = 0; i < METRIC_LABELS_MAX && r->m->label[i]; i++)
            add_label(l, "other");
        at = slot_of(r, l);
    }
    if (!*at && (*at = calloc(1, sizeof(**at)))) {
        (*at)->labels = *l;
        r->count++;
    }
    return *at;
}

static void add(struct row *r, struct labels *l, double value)
{
    pthread_mutex_lock(&r->lock);
    struct series *s = series_of(r, l);
    if (s) {
        int i = 0;
        s->count++;
        s->sum += value;
        while (i < METRIC_BUCKETS_MAX && r->m->bucket[i] > 0 && value > r->m->bucket[i])
            i++;
        if (i < METRIC_BUCKETS_MAX && r->m->bucket[i] > 0)
            s->bucket[i]++;
    }
    pthread_mutex_unlock(&r->lock);
}

void metrics_observe(void *metrics, const char *event, const struct log_field *fields, int count)
{
    struct metrics *m = metrics;
    struct labels l;

    for (int i = 0; i < m->count; i++) {
        const struct metric *row = m->row[i].m;
        double value = 1;
        if (strcmp(row->event, event) != 0)
            continue;
        if (row->field) {
            const struct log_field *f = find(row->field, fields, count);
            if (!f || f->s || f->n < 0)
                continue;
            value = (double)f->n * (row->scale != 0 ? row->scale : 1);
        }
        read_labels(row, fields, count, &l);
        add(&m->row[i], &l, value);
    }
}

// ---- a table's start and end ----

// Makes the series that are there before anything is counted; false when memory ran out.
static bool begin(struct row *r)
{
    struct labels l = {.len = 0};
    bool whole = r->m->label[0] || series_of(r, &l);

    for (int i = 0; whole && i < METRIC_KNOWN_MAX && r->m->known[i]; i++) {
        l.len = 0;
        add_label(&l, r->m->known[i]);
        whole = series_of(r, &l);
    }
    return whole;
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    for (int i = 0; i < m->count; i++) {
        for (int k = 0; k < SLOTS; k++)
            free(m->row[i].slot[k]);
        pthread_mutex_destroy(&m->row[i].lock);
    }
    free(m);
}

enum err metrics_new(const struct metric *rows, int count, struct metrics **out)
{
    struct metrics *m = calloc(1, sizeof(*m) + (size_t)count * sizeof(m->row[0]));
    bool whole = true;

    if (!m)
        return ERR_NOMEM;
    m->count = count;
    for (int i = 0; i < count; i++) {
        m->row[i].m = &rows[i];
        pthread_mutex_init(&m->row[i].lock, NULL);
        whole = begin(&m->row[i]) && whole;
    }
    if (!whole) {
        metrics_free(m);
        return ERR_NOMEM;
    }
    *out = m;
    return ERR_OK;
}

// ---- writing ----

static void write_label_value(struct buf *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '\n')
            buf_adds(out, "\\n");
        else if (*s == '"' || *s == '\\')
            buf_addf(out, "\\%c", *s);
        else
            buf_addc(out, *s);
    }
}

// `more` is one further label, written as it is, or NULL.
static void write_labels(struct buf *out, const struct metric *m, const struct labels *l,
                         const char *more)
{
    const char *value = l->text;
    const char *between = "{";

    for (int i = 0; i < METRIC_LABELS_MAX && m->label[i]; i++) {
        buf_addf(out, "%s%s=\"", between, m->label[i]);
        write_label_value(out, value);
        buf_addc(out, '"');
        value += strlen(value) + 1;
        between = ",";
    }
    if (more)
        buf_addf(out, "%s%s", between, more);
    if (m->label[0] || more)
        buf_addc(out, '}');
}

static void write_histogram(struct buf *out, const struct metric *m, const struct series *s)
{
    uint64_t sum = 0;
    char le[32];

    for (int i = 0; i < METRIC_BUCKETS_MAX && m->bucket[i] > 0; i++) {
        sum += s->bucket[i];
        snprintf(le, sizeof(le), "le=\"%g\"", m->bucket[i]);
        buf_addf(out, "%s_bucket", m->name);
        write_labels(out, m, &s->labels, le);
        buf_addf(out, " %llu\n", (unsigned long long)sum);
    }
    buf_addf(out, "%s_bucket", m->name);
    write_labels(out, m, &s->labels, "le=\"+Inf\"");
    buf_addf(out, " %llu\n%s_sum", (unsigned long long)s->count, m->name);
    write_labels(out, m, &s->labels, NULL);
    buf_addf(out, " %.9g\n%s_count", s->sum, m->name);
    write_labels(out, m, &s->labels, NULL);
    buf_addf(out, " %llu\n", (unsigned long long)s->count);
}

static void write_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_write(struct metrics *m, struct buf *out)
{
    for (int i = 0; i < m->count; i++) {
        struct row *r = &m->row[i];
        bool histogram = r->m->type == METRIC_HISTOGRAM;
        pthread_mutex_lock(&r->lock);
        if (r->count > 0)
            write_head(out, r->m->name, histogram ? "histogram" : "counter", r->m->help);
        for (int k = 0; k < SLOTS; k++) {
            const struct series *s = r->slot[k];
            if (s && histogram) {
                write_histogram(out, r->m, s);
            } else if (s) {
                buf_adds(out, r->m->name);
                write_labels(out, r->m, &s->labels, NULL);
                buf_addf(out, " %.17g\n", s->sum);
            }
        }
        pthread_mutex_unlock(&r->lock);
    }
}

void metrics_write_value(struct buf *out, const char *name, const char *type, const char *help,
                         const char *labels, double value)
{
    write_head(out, name, type, help);
    buf_addf(out, "%s%s %.17g\n", name, labels, value);
}
