/* SPDX-License-Identifier: MIT */
#include "server/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MS .scale = 1e-3
#define US .scale = 1e-6
// Event streams last as long as what they follow.
#define SECONDS_HTTP .bucket = {.0005, .001, .0025, .005, .01, .05, .1, .5, 1, 5, 30, 300}
// From reading a small picture to painting with a neural engine, or waiting for that.
#define SECONDS_STAGE .bucket = {.01, .05, .25, .5, 1, 2.5, 5, 15, 60, 300, 900, 3600}

const struct metric server_metrics[] = {
    {.name = "patina_http_requests_total",
     .type = METRIC_COUNTER,
     .event = "http.request",
     .label = {"route", "status"},
     .help = "Requests answered, by route and status."},
    {.name = "patina_http_answers_total",
     .type = METRIC_COUNTER,
     .event = "http.request",
     .label = {"status"},
     .known = {"200", "500", "503"},
     .help = "The same by status alone."},
    {.name = "patina_http_request_seconds",
     .type = METRIC_HISTOGRAM,
     .event = "http.request",
     .field = "us",
     US,
     .label = {"route"},
     SECONDS_HTTP,
     .help = "From a request's first line to its answer's last byte; of event streams, to their "
             "end."},
    {.name = "patina_http_sent_bytes_total",
     .type = METRIC_COUNTER,
     .event = "http.request",
     .field = "bytes",
     .label = {"route"},
     .help = "Bytes of answers' bodies."},
    {.name = "patina_jobs_finished_total",
     .type = METRIC_COUNTER,
     .event = "job.finish",
     .label = {"state", "engine"},
     .help = "Jobs that a worker has brought to their end, by end and engine; jobs that are "
             "cancelled while they wait are not among them."},
    {.name = "patina_job_errors_total",
     .type = METRIC_COUNTER,
     .event = "job.finish",
     .label = {"code"},
     .known = {"0", "500", "504"},
     .help = "The same by error code; 0 is success."},
    {.name = "patina_jobs_handed_back_total",
     .type = METRIC_COUNTER,
     .event = "job.hand_back",
     .help = "Jobs put back into the queue: the service stopped, or a helper process died."},
    {.name = "patina_job_stage_seconds",
     .type = METRIC_HISTOGRAM,
     .event = "job.stage",
     .field = "ms",
     MS,
     .label = {"stage"},
     SECONDS_STAGE,
     .help = "Time that jobs spend in each stage; queue is from POST to claim, wait from decoding "
             "to rendering, total from claim to end."},
    {.name = "patina_stored_bytes_total",
     .type = METRIC_COUNTER,
     .event = "job.finish",
     .field = "bytes",
     .help = "Bytes of finished pictures and grids that were stored."},
    {.name = "patina_webhook_attempts_total",
     .type = METRIC_COUNTER,
     .event = "webhook.attempt",
     .label = {"outcome"},
     .known = {"delivered", "to be retried", "given up"},
     .help = "Webhooks sent, by what came of it: delivered, to be retried, given up."},
    {.name = "patina_webhook_seconds",
     .type = METRIC_HISTOGRAM,
     .event = "webhook.attempt",
     .field = "ms",
     MS,
     SECONDS_HTTP,
     .help = "Time that receivers take."},
    {.name = "patina_store_commit_seconds",
     .type = METRIC_HISTOGRAM,
     .event = "store.commit",
     .field = "us",
     US,
     .bucket = {.0001, .00025, .0005, .001, .0025, .005, .01, .05, .1, 1},
     .help = "Time of the store's commits: how long the disk takes to make a batch durable."},
    {.name = "patina_store_commit_requests",
     .type = METRIC_HISTOGRAM,
     .event = "store.commit",
     .field = "requests",
     .bucket = {1, 2, 4, 8, 16, 32, 64, 128, 255},
     .help = "Changes that share a commit."},
    {.name = "patina_decoder_ended_total",
     .type = METRIC_COUNTER,
     .event = "decode.ended",
     .label = {"how"},
     .help =
         "Decoders stopped at a limit (memory, cpu) or killed; pictures whose headers show them "
         "too large never reach one."},
    {.name = "patina_renderer_ended_total",
     .type = METRIC_COUNTER,
     .event = "render.ended",
     .label = {"state", "how"},
     .help = "Render processes that ended by themselves or were killed for not obeying."},
    {.name = "patina_renderers_lost_total",
     .type = METRIC_COUNTER,
     .event = "render.ended",
     .label = {"state"},
     .known = {"busy", "idle"},
     .help = "The same by whether they had a job."},
    {.name = "patina_disk_low_total",
     .type = METRIC_COUNTER,
     .event = "disk.low",
     .help = "Times that free disk fell below the reserve."},
};

const int server_metric_count = sizeof(server_metrics) / sizeof(server_metrics[0]);

// ---- values that are asked for ----

struct readings {
    struct store_counts counts;
    const struct admin_options *o;
};

static double waiting(const struct readings *r)
{
    return (double)r->counts.waiting;
}

static double leased(const struct readings *r)
{
    return (double)r->counts.leased;
}

static double oldest(const struct readings *r)
{
    int64_t since = r->counts.oldest_waiting_ms;

    return since < 0 ? 0 : (double)(clock_unix_ms(r->o->clock) - since) / 1000;
}

static double deliveries(const struct readings *r)
{
    return (double)r->counts.deliveries_waiting;
}

static double connections(const struct readings *r)
{
    return http_server_connections(r->o->http);
}

static double streams(const struct readings *r)
{
    return http_server_streams(r->o->http);
}

static double disk_free(const struct readings *r)
{
    struct statvfs fs;

    return statvfs(r->o->data_dir, &fs) ? 0 : (double)fs.f_bavail * (double)fs.f_frsize;
}

static double resident(const struct readings *r)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    (void)r;
    if (f && fscanf(f, "%*s %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double open_files(const struct readings *r)
{
    DIR *d = opendir("/proc/self/fd");
    int count = -3; // ".", ".." and the folder itself

    (void)r;
    while (d && readdir(d))
        count++;
    if (d)
        closedir(d);
    return count < 0 ? 0 : count;
}

static double cpu(const struct readings *r)
{
    struct rusage u;

    (void)r;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

static const struct {
    const char *name, *type;
    double (*read)(const struct readings *r);
    const char *help;
    bool of_store; // left out when the store does not tell
} values[] = {
    {"patina_jobs_waiting", "gauge", waiting, "Jobs in the queue, all accounts.", true},
    {"patina_jobs_running", "gauge", leased, "Jobs that workers have: staged and processing.",
     true},
    {"patina_queue_oldest_seconds", "gauge", oldest,
     "How long the oldest waiting job has waited; 0 with an empty queue.", true},
    {"patina_webhooks_waiting", "gauge", deliveries, "Webhooks to be sent, now or later.", true},
    {"patina_http_connections", "gauge", connections, "Open connections, streams included.", false},
    {"patina_http_streams", "gauge", streams, "Open event streams.", false},
    {"patina_disk_free_bytes", "gauge", disk_free, "Free disk where the data folder is.", false},
    {"process_resident_memory_bytes", "gauge", resident,
     "Memory of the service itself, renderers not included.", false},
    {"process_open_fds", "gauge", open_files, "Open file descriptors.", false},
    {"process_cpu_seconds_total", "counter", cpu,
     "Processor time of the service itself, renderers not included.", false},
};

static const char *const INFO = "Version and engine, as labels; always 1.";

static void write_values(const struct admin_options *o, struct buf *out)
{
    struct readings r = {.o = o};
    struct buf labels = BUF_INIT;

    buf_addf(&labels, "{version=\"%s\",engine=\"%s\"}", PATINA_VERSION, o->engine);
    if (!labels.failed)
        metrics_write_value(out, "patina_info", "gauge", INFO, labels.data, 1);
    buf_release(&labels);
    bool counted = store_counts(o->store, &r.counts) == ERR_OK;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        if (counted || !values[i].of_store)
            metrics_write_value(out, values[i].name, values[i].type, values[i].help, "",
                                values[i].read(&r));
}

// ---- the listener ----

struct admin {
    struct admin_options o;
    struct http_server *http;
};

static void get_metrics(void *ctx, struct http_request *r)
{
    struct admin *a = ctx;
    struct http_response out = HTTP_RESPONSE(200);

    out.type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_write(a->o.metrics, &out.body);
    write_values(&a->o, &out.body);
    http_answer(r, &out);
}

static void get_index(void *ctx, struct http_request *r)
{
    static const char text[] = "Patina, administration. /metrics is for Prometheus.\n";
    struct http_response out = HTTP_RESPONSE(200);

    (void)ctx;
    out.type = "text/plain";
    out.fixed = text;
    out.fixed_len = sizeof(text) - 1;
    http_answer(r, &out);
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .pattern = "/", .name = "index", .handle = get_index},
    {.method = HTTP_GET, .pattern = "/metrics", .name = "metrics", .handle = get_metrics},
};

enum err admin_start(const struct admin_options *o, struct admin **out, struct err_note *note)
{
    struct admin *a = calloc(1, sizeof(*a));

    if (!a)
        return err_set(note, ERR_NOMEM, "out of memory");
    a->o = *o;
    struct http_options http = {.address = o->address,
                                .threads = 1,
                                .routes = routes,
                                .route_count = sizeof(routes) / sizeof(routes[0]),
                                .clock = o->clock,
                                .ctx = a};
    enum err e = http_server_start(&http, &a->http, note);
    if (e)
        free(a);
    else
        *out = a;
    return e;
}

int admin_port(const struct admin *a)
{
    return http_server_port(a->http);
}

void admin_stop(struct admin *a)
{
    if (!a)
        return;
    http_server_stop(a->http, 0);
    free(a);
}

// ---- docs/metrics.md ----

static void describe_row(struct buf *out, const char *name, const char *type, const char *labels,
                         const char *help)
{
    buf_addf(out, "| `%s` | %s | %s | %s |\n", name, type, labels, help);
}

void metrics_describe(struct buf *out)
{
    static const char *const head = "| name | kind | labels | what it is |\n|---|---|---|---|\n";

    buf_adds(out,
             "# Metrics\n\n"
             "`http://127.0.0.1:9090/metrics` (`PATINA_ADMIN_LISTEN`) answers in Prometheus' "
             "text format. The\nlistener is meant for the inside: it asks for no key. "
             "`alerts.yml` and `dashboard.json` beside this\npage are an alert list and a "
             "Grafana dashboard to begin with.\n\n"
             "This page is written by `patina --describe metrics`.\n\n"
             "## Counted\n\n"
             "From the start of the service. A row with labels appears when it has counted "
             "something, but for\nthe outcomes and errors that `alerts.yml` watches: these, and "
             "rows without labels, begin at 0.\nEvery count is a line of the log as well "
             "(`store.commit` and `job.stage` at its debug level, which\nis not written).\n\n");
    buf_adds(out, head);
    for (int i = 0; i < server_metric_count; i++) {
        const struct metric *m = &server_metrics[i];
        char labels[80];
        snprintf(labels, sizeof(labels), "%s%s%s", m->label[0] ? m->label[0] : "",
                 m->label[1] ? ", " : "", m->label[1] ? m->label[1] : "");
        describe_row(out, m->name, m->type == METRIC_HISTOGRAM ? "histogram" : "counter", labels,
                     m->help);
    }
    buf_adds(out, "\n## Read when asked\n\n");
    buf_adds(out, head);
    describe_row(out, "patina_info", "gauge", "version, engine", INFO);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        describe_row(out, values[i].name, values[i].type, "", values[i].help);
}
