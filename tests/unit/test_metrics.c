/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "base/metrics.h"

#include <string.h>

static const struct metric rows[] = {
    {.name = "seen_total",
     .type = METRIC_COUNTER,
     .event = "seen",
     .label = {"who", "code"},
     .help = "Who was seen."},
    {.name = "taken_seconds",
     .type = METRIC_HISTOGRAM,
     .event = "seen",
     .field = "ms",
     .scale = 1e-3,
     .bucket = {.1, 1},
     .help = "How long."},
    {.name = "never_total", .type = METRIC_COUNTER, .event = "never", .help = "Nothing."},
    {.name = "sent_total",
     .type = METRIC_COUNTER,
     .event = "sent",
     .label = {"code"},
     .known = {"0", "500"},
     .help = "What was sent."},
};

static struct metrics *fresh(void)
{
    struct metrics *m;

    assert_int_equal(metrics_new(rows, sizeof(rows) / sizeof(rows[0]), &m), ERR_OK);
    return m;
}

static size_t lines_of(struct metrics *m, const char *part)
{
    struct buf out = BUF_INIT;
    size_t count = 0;

    metrics_write(m, &out);
    for (const char *p = out.data; p && (p = strstr(p, part)); p++)
        count++;
    buf_release(&out);
    return count;
}

static void events_are_counted_by_their_labels(void **state)
{
    struct metrics *m = fresh();
    struct log log = {.fd = -1, .least = LOG_ERROR, .observe = metrics_observe, .observe_ctx = m};

    (void)state;
    assert_int_equal(lines_of(m, "seen_total"), 0);
    // Whatever its level, and with fields in any order.
    log_event(&log, LOG_DEBUG, "seen", LOG_S("who", "a\"b\\c\nd"), LOG_N("code", 7));
    log_event(&log, LOG_INFO, "seen", LOG_N("code", 7), LOG_S("who", "a\"b\\c\nd"));
    log_event(&log, LOG_INFO, "other", LOG_N("code", 7));
    assert_int_equal(lines_of(m, "# HELP seen_total Who was seen.\n# TYPE seen_total counter\n"
                                 "seen_total{who=\"a\\\"b\\\\c\\nd\",code=\"7\"} 2\n# "),
                     1);
    metrics_free(m);
}

// Prometheus sees no rise in a series that begins at 1.
static void what_is_known_begins_at_0(void **state)
{
    struct metrics *m = fresh();

    (void)state;
    assert_int_equal(lines_of(m, "\nnever_total 0\n"), 1);
    assert_int_equal(lines_of(m, "\ntaken_seconds_count 0\n"), 1);
    assert_int_equal(lines_of(m, "\nsent_total{code=\"0\"} 0\n"), 1);
    for (int code = 500; code < 502; code++)
        metrics_observe(m, "sent", (const struct log_field[]){LOG_N("code", code)}, 1);
    assert_int_equal(lines_of(m, "\nsent_total{code=\"0\"} 0\n"), 1);
    assert_int_equal(lines_of(m, "\nsent_total{code=\"500\"} 1\n"), 1);
    assert_int_equal(lines_of(m, "\nsent_total{"), 3);
    metrics_free(m);
}

static void histograms_count_up_to_each_bound(void **state)
{
    static const int64_t ms[] = {0, 100, 101, 1000, 1001, -1}; // -1: not known
    struct metrics *m = fresh();
    struct buf out = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof(ms) / sizeof(ms[0]); i++)
        metrics_observe(m, "seen", (const struct log_field[]){LOG_N("ms", ms[i])}, 1);
    metrics_observe(m, "seen", (const struct log_field[]){LOG_S("ms", "soon")}, 1);
    metrics_write(m, &out);
    assert_non_null(strstr(out.data, "taken_seconds_bucket{le=\"0.1\"} 2\n"
                                     "taken_seconds_bucket{le=\"1\"} 4\n"
                                     "taken_seconds_bucket{le=\"+Inf\"} 5\n"
                                     "taken_seconds_sum 2.202\ntaken_seconds_count 5\n"));
    buf_release(&out);
    metrics_free(m);
}

static void see(struct metrics *m, int who)
{
    char text[16];
    const char *name = text;

    snprintf(text, sizeof(text), "%d", who);
    metrics_observe(m, "seen", (const struct log_field[]){LOG_S("who", name), LOG_N("code", 0)}, 2);
}

static void strangers_cannot_make_series_without_end(void **state)
{
    struct metrics *m = fresh();

    (void)state;
    for (int i = 0; i < METRIC_SERIES_MAX - 1; i++)
        see(m, i);
    assert_int_equal(lines_of(m, "seen_total{"), METRIC_SERIES_MAX - 1);
    assert_int_equal(lines_of(m, "{who=\"other\",code=\"other\"}"), 0);
    for (int i = 0; i < 1000; i++)
        see(m, METRIC_SERIES_MAX + i);
    see(m, 3); // known: still counted by its name
    assert_int_equal(lines_of(m, "seen_total{"), METRIC_SERIES_MAX);
    assert_int_equal(lines_of(m, "{who=\"other\",code=\"other\"} 1000\n"), 1);
    assert_int_equal(lines_of(m, "{who=\"3\",code=\"0\"} 2\n"), 1);
    metrics_free(m);
}

static void long_labels_are_cut(void **state)
{
    struct metrics *m = fresh();
    char text[METRIC_LABEL_BYTES + 2];
    const char *name = text;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[METRIC_LABEL_BYTES] = '\0';
    metrics_observe(m, "seen", (const struct log_field[]){LOG_S("who", name)}, 1);
    text[METRIC_LABEL_BYTES] = 'y';
    text[METRIC_LABEL_BYTES + 1] = '\0';
    metrics_observe(m, "seen", (const struct log_field[]){LOG_S("who", name)}, 1);
    assert_int_equal(lines_of(m, "seen_total{"), 1);
    metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_counted_by_their_labels),
        cmocka_unit_test(what_is_known_begins_at_0),
        cmocka_unit_test(histograms_count_up_to_each_bound),
        cmocka_unit_test(strangers_cannot_make_series_without_end),
        cmocka_unit_test(long_labels_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
