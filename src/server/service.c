/* SPDX-License-Identifier: MIT */
#include "server/service.h"

#include "api/api.h"
#include "blob/blob_dir.h"
#include "cli/command.h"
#include "engine/engine_flags.h"
#include "server/data_dir.h"
#include "server/metrics.h"
#include "store/store_sqlite.h"
#include "worker/deliver.h"
#include "worker/renderer.h"
#include "worker/sweep.h"
#include "worker/worker.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    LEASE_MS = 60 * 1000,     // a worker that says nothing for this long has hung
    HEARTBEAT_MS = 15 * 1000, // four of them in a lease
    CANCEL_GRACE_MS = 700,    // a cancelled render stops within a second, killing included
    HTTP_GRACE_MS = 2000,     // for answers under way at the end
    HTTP_THREADS_MAX = 4      // they never block: more only cost memory
};

// What no other service may work on.
enum { LOCK_DATA, LOCK_DATABASE, LOCK_BLOBS, LOCKS };

struct service {
    struct settings *s;
    struct arena arena;
    struct log log;
    int lock[LOCKS];
    int listen_fd;
    const char *url;
    char *renderer[9]; // NULL at the end

    struct store *store;
    struct blob_store *blobs;
    struct board *board;
    struct fetcher *fetcher;
    struct decoder *decoder;
    struct engine *engine;
    struct render_pool *renderers;
    struct api *api;
    struct http_server *http;
    struct metrics *metrics;
    struct admin *admin;
    struct sweep *sweep;

    pthread_mutex_t wake_lock; // guards the two against a wake while they are stopped
    struct worker *worker;
    struct deliver *deliver;

    struct addr_policy policy;
    atomic_bool draining, disk_low;
};

// ---- what the parts ask of each other ----

static void wake_worker(void *ctx)
{
    struct service *v = ctx;

    pthread_mutex_lock(&v->wake_lock);
    if (v->worker)
        worker_wake(v->worker);
    pthread_mutex_unlock(&v->wake_lock);
}

static void wake_deliver(void *ctx)
{
    struct service *v = ctx;

    pthread_mutex_lock(&v->wake_lock);
    if (v->deliver)
        deliver_wake(v->deliver);
    pthread_mutex_unlock(&v->wake_lock);
}

static bool is_draining(void *ctx)
{
    return atomic_load(&((struct service *)ctx)->draining);
}

static bool is_disk_low(void *ctx)
{
    return atomic_load(&((struct service *)ctx)->disk_low);
}

static bool workers_ready(void *ctx, const char **why)
{
    struct service *v = ctx;

    *why = "no renderer starts";
    return !v->renderers || render_pool_ready(v->renderers);
}

// ---- opening, in order ----

static enum err open_store(struct service *v, struct err_note *note)
{
    struct store_options o = {
        .clock = &clock_system,
        .log = &v->log,
        .concurrency = (int)v->s->concurrency,
        .queue_limit = (int)v->s->queue_limit,
        .retention_ms = v->s->retention_hours * 3600 * 1000,
        .lease_ms = LEASE_MS,
    };
    int reaped;

    enum err e = data_dir_lock_database(v->s->database_path, &v->lock[LOCK_DATABASE], note);
    if (!e)
        e = store_sqlite_open(v->s->database_path, &o, &v->store, note);
    if (!e)
        e = blob_dir_open(v->s->blobs_path, &v->blobs, note);
    if (!e)
        e = data_dir_lock_blobs(v->s->blobs_path, &v->lock[LOCK_BLOBS], note);
    // Whoever held leases on this folder is gone.
    if (!e && store_reap(v->store, &reaped))
        e = err_set(note, ERR_IO, "the jobs of the last run cannot be put back");
    return e;
}

static bool find_one(void *found, const char *key, int64_t bytes)
{
    (void)bytes;
    *(bool *)found |= key != NULL;
    return !key;
}

// An empty store knows no picture, so sweeps would delete those that are there: more likely the
// database was lost, or another one is named by mistake.
static enum err refuse_pictures(struct service *v, struct err_note *note)
{
    bool found = false;
    enum err e = blob_each(v->blobs, INT64_MAX, find_one, &found, note);

    if (e || !found)
        return e;
    return err_set(note, ERR_INVALID,
                   "the database %s is new, but %s holds pictures, which it would delete; restore "
                   "the database that they belong to, or move them away",
                   v->s->database_path, v->s->blobs_path);
}

// The key of an empty store is written down before the account is made: a power cut between the two
// leaves a key that the next start uses.
static enum err open_account(struct service *v, struct err_note *note)
{
    struct account account;
    const char *key = v->s->api_key;
    bool empty = store_first_account(v->store, NULL, 0, &account) == ERR_NOT_FOUND;
    enum err e = empty ? refuse_pictures(v, note) : ERR_OK;

    if (!e && empty && !key)
        e = data_dir_key(v->s->data, &v->arena, &key, note);
    if (e)
        return e;
    e = store_first_account(v->store, key, v->s->first_points, &account);
    return e >= 0 ? ERR_OK : err_set(note, e, "the first account cannot be made (%s)", err_name(e));
}

static enum err open_net(struct service *v, struct err_note *note)
{
    struct fetch_options o = {.ca_file = v->s->fetch_ca};
    int port;

    enum err e = addr_policy_parse(&v->policy, v->s->fetch_allow, v->s->fetch_http, note);
    if (e) {
        err_note_prefix(note, "--fetch-allow");
        return e;
    }
    o.policy = v->policy;
    e = fetcher_open(&o, &v->fetcher, note);
    if (e && v->s->fetch_ca)
        err_note_prefix(note, "--fetch-ca");
    if (!e)
        e = http_listen(v->s->listen, &v->listen_fd, &port, note);
    if (e)
        return e;
    v->s->port = port;
    v->url = settings_default_url(&v->arena, v->s->host, port);
    if (!v->s->public_url)
        v->s->public_url = v->url;
    return v->url ? ERR_OK : err_set(note, ERR_NOMEM, "out of memory");
}

static int render_threads(const struct settings *s)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return s->workers && cores > s->workers ? (int)(cores / s->workers) : 1;
}

// Half of a worker's share: the other half is for sources, results and their files.
static int64_t render_bytes(const struct settings *s)
{
    return (s->memory_mb << 20) / (s->workers > 1 ? s->workers : 1) / 2;
}

// "--name=value", or nothing when there is no value.
static void add_flag(struct service *v, int *n, const char *name, const char *value)
{
    if (value)
        v->renderer[(*n)++] = arena_printf(&v->arena, "--%s=%s", name, value);
}

static enum err open_engine(struct service *v, struct err_note *note)
{
    // As the renderers open it, so that it says what they will take.
    struct engine_options o = {.threads = render_threads(v->s),
                               .looks_dir = v->s->looks,
                               .model_path = v->s->model,
                               .isa = v->s->isa,
                               .memory_bytes = render_bytes(v->s)};
    const struct engine_ops *ops = engine_find(v->s->engine, &o);
    struct decoder_options decoding = DECODER_DEFAULTS;

    if (!ops)
        return err_set(note, ERR_INVALID, "there is no engine \"%s\"", v->s->engine);
    enum err e = ops->open(&o, &v->engine, note);
    if (!e)
        e = decoder_open(&decoding, &v->decoder, note);
    if (e)
        return e;
    int n = 0;
    v->renderer[n++] = arena_strdup(&v->arena, "/proc/self/exe");
    v->renderer[n++] = arena_strdup(&v->arena, "--renderer");
    add_flag(v, &n, "engine", ops->name);
    add_flag(v, &n, "threads", arena_printf(&v->arena, "%d", o.threads));
    add_flag(v, &n, "memory-bytes", arena_printf(&v->arena, "%" PRId64, o.memory_bytes));
    add_flag(v, &n, "looks", o.looks_dir);
    add_flag(v, &n, "model", o.model_path);
    add_flag(v, &n, "isa", o.isa);
    struct render_pool_options pool = {
        .processes = (int)v->s->workers,
        .argv = v->renderer,
        .cancel_grace_ms = CANCEL_GRACE_MS,
        .log = &v->log,
    };
    return render_pool_open(&pool, &v->renderers, note);
}

static enum err open_api(struct service *v, struct err_note *note)
{
    struct api_deps deps = {
        .store = v->store,
        .blobs = v->blobs,
        .board = v->board,
        .clock = &clock_system,
        .log = &v->log,
        .policy = v->policy,
        .public_url = v->s->public_url,
        .cors_origin = v->s->cors_origin,
        .deny = v->s->deny,
        .cost_points = v->s->cost_points,
        .rate_limit = (int)v->s->rate_limit,
        .concurrency = (int)v->s->concurrency,
        .ctx = v,
        .draining = is_draining,
        .disk_low = is_disk_low,
        .ready = workers_ready,
    };

    return api_open(&deps, &v->api, note);
}

static enum err open_workers(struct service *v, struct err_note *note)
{
    struct worker_options o = {
        .store = v->store,
        .blobs = v->blobs,
        .fetcher = v->fetcher,
        .decoder = v->decoder,
        .renderers = v->renderers,
        .engine = v->engine,
        .board = v->board,
        .clock = &clock_system,
        .log = &v->log,
        .public_url = v->s->public_url,
        .pixels = v->s->pixels,
        .workers = (int)v->s->workers,
        .render_threads = render_threads(v->s),
        .memory_bytes = v->s->memory_mb << 20,
        .job_timeout_ms = v->s->job_timeout_s * 1000,
        .heartbeat_ms = HEARTBEAT_MS,
        .paused = atomic_load(&v->disk_low),
    };
    struct deliver_options d = {
        .store = v->store,
        .fetcher = v->fetcher,
        .view = api_view(v->api),
        .clock = &clock_system,
        .log = &v->log,
    };
    struct sweep_options sweep = {v->store, v->blobs, &clock_system, &v->log};
    enum err e = v->s->workers ? worker_start(&o, &v->worker, note) : ERR_OK;

    if (!e)
        e = deliver_start(&d, &v->deliver, note);
    if (!e && sweep_start(&sweep, &v->sweep))
        e = err_set(note, ERR_NOMEM, "out of memory for housekeeping");
    store_set_wake(v->store, wake_worker, wake_deliver, v);
    return e;
}

static enum err open_http(struct service *v, struct err_note *note)
{
    struct http_options o = {.address = v->s->listen, .listen_fd = v->listen_fd};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    o.threads = cores < 1 ? 1 : cores > HTTP_THREADS_MAX ? HTTP_THREADS_MAX : (int)cores;
    api_http(v->api, &o);
    enum err e = http_server_start(&o, &v->http, note);
    if (e)
        return e;
    v->listen_fd = 0;
    return ERR_OK;
}

// The usual place may belong to somebody else (Prometheus itself likes port 9090): only an address
// that was asked for has to be free.
static enum err open_admin(struct service *v, struct err_note *note)
{
    static const char usual[] = "127.0.0.1:9090";
    const char *address = v->s->admin_listen;
    struct admin_options o = {.metrics = v->metrics,
                              .store = v->store,
                              .http = v->http,
                              .engine = v->engine ? v->engine->ops->name : v->s->engine,
                              .data_dir = v->s->data,
                              .clock = &clock_system,
                              .address = address ? address : usual};
    char bound[300];

    if (address && strcmp(address, "off") == 0)
        return ERR_OK;
    enum err e = admin_start(&o, &v->admin, note);
    if (e && !address) {
        log_event(&v->log, LOG_WARN, "admin.off", LOG_S("why", note->text));
        return ERR_OK;
    }
    if (e) {
        err_note_prefix(note, "--admin-listen");
        return e;
    }
    snprintf(bound, sizeof bound, "%.*s:%d", (int)(strrchr(o.address, ':') - o.address), o.address,
             admin_port(v->admin));
    return data_dir_listen(v->s->data, "admin-listen", bound, note);
}

// As many descriptors as we may: 1,024 connections, and files and pipes beside them.
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)!setrlimit(RLIMIT_NOFILE, &limit);
    }
}

enum err service_open(struct settings *s, struct service **out, struct err_note *note)
{
    struct service *v = calloc(1, sizeof *v);

    if (!v)
        return err_set(note, ERR_NOMEM, "out of memory");
    v->s = s;
    for (int i = 0; i < LOCKS; i++)
        v->lock[i] = -1;
    v->log = (struct log){.fd = STDERR_FILENO, .format = s->log_format, .least = LOG_INFO};
    pthread_mutex_init(&v->wake_lock, NULL);
    raise_file_limit();
    enum err e = data_dir_lock(s->data, &v->lock[LOCK_DATA], note);
    if (!e && metrics_new(server_metrics, server_metric_count, &v->metrics))
        e = err_set(note, ERR_NOMEM, "out of memory");
    v->log.observe = v->metrics ? metrics_observe : NULL;
    v->log.observe_ctx = v->metrics;
    if (!e)
        e = open_store(v, note);
    if (!e)
        e = open_account(v, note);
    if (!e)
        e = open_net(v, note);
    if (!e && board_new(&v->board))
        e = err_set(note, ERR_NOMEM, "out of memory");
    if (!e && s->workers)
        e = open_engine(v, note);
    if (!e)
        e = open_api(v, note);
    if (!e) {
        service_tick(v); // whether they may start jobs
        e = open_workers(v, note);
    }
    if (!e)
        e = open_http(v, note);
    if (!e)
        e = open_admin(v, note);
    // Last: who waits for this file finds everything open.
    if (!e)
        e = data_dir_listen(s->data, "listen", strstr(v->url, "://") + 3, note);
    if (e)
        service_close(v);
    else
        *out = v;
    return e;
}

const char *service_url(const struct service *v)
{
    return v->url;
}

void service_tick(struct service *v)
{
    struct statvfs fs;
    int64_t reserve = v->s->disk_reserve_mb << 20, least = INT64_MAX;

    if (blob_free_bytes(v->blobs, &least))
        least = INT64_MAX; // no answer is not a full disk; readyz asks for itself
    if (statvfs(v->s->data, &fs) == 0 && (int64_t)fs.f_bavail * (int64_t)fs.f_frsize < least)
        least = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
    bool low = least < reserve;
    if (low == atomic_exchange(&v->disk_low, low))
        return;
    log_event(&v->log, low ? LOG_ERROR : LOG_INFO, low ? "disk.low" : "disk.well",
              LOG_N("free_mb", least >> 20), LOG_N("reserve_mb", v->s->disk_reserve_mb));
    if (v->worker)
        worker_pause(v->worker, low);
}

bool service_drain(struct service *v, int64_t ms)
{
    atomic_store(&v->draining, true);
    return !v->worker || worker_drain(v->worker, ms);
}

void service_close(struct service *v)
{
    pthread_mutex_lock(&v->wake_lock);
    struct worker *worker = v->worker;
    struct deliver *deliver = v->deliver;
    v->worker = NULL;
    v->deliver = NULL;
    pthread_mutex_unlock(&v->wake_lock);

    atomic_store(&v->draining, true);
    worker_stop(worker);
    admin_stop(v->admin);
    if (v->http)
        http_server_stop(v->http, HTTP_GRACE_MS);
    sweep_stop(v->sweep);
    deliver_stop(deliver);
    render_pool_close(v->renderers);
    if (v->api)
        api_close(v->api);
    if (v->decoder)
        decoder_close(v->decoder);
    if (v->engine)
        v->engine->ops->close(v->engine);
    if (v->fetcher)
        fetcher_close(v->fetcher);
    if (v->store)
        store_close(v->store);
    if (v->blobs)
        blob_close(v->blobs);
    board_free(v->board);
    metrics_free(v->metrics);
    if (v->listen_fd > 0)
        close(v->listen_fd);
    for (int i = 0; i < LOCKS; i++)
        if (v->lock[i] >= 0)
            close(v->lock[i]);
    pthread_mutex_destroy(&v->wake_lock);
    arena_release(&v->arena);
    free(v);
}

// ---- the render process ----

struct renderer_flags {
    const char *engine, *looks, *model, *isa;
    int64_t threads, memory_bytes;
};

int renderer_command(int argc, char **argv)
{
    static const struct config_option rows[] = {
        ENGINE_FLAG_ENGINE(struct renderer_flags),
        ENGINE_FLAG_LOOKS(struct renderer_flags),
        ENGINE_FLAG_MODEL(struct renderer_flags),
        ENGINE_FLAG_ISA(struct renderer_flags),
        {.name = "memory-bytes",
         .type = CONFIG_NUMBER,
         .offset = offsetof(struct renderer_flags, memory_bytes),
         .min = 0,
         .max = INT64_MAX,
         .fallback = "0",
         .value = "N",
         .help = "memory of a render"},
        {.name = "threads",
         .type = CONFIG_NUMBER,
         .offset = offsetof(struct renderer_flags, threads),
         .min = 1,
         .max = 1024,
         .fallback = "1",
         .value = "N",
         .help = "threads"},
    };
    struct command_line line = {
        .usage = "patina serve",
        .about = "Started by patina serve alone.",
        .config = {rows, sizeof rows / sizeof *rows, NULL},
    };
    struct renderer_flags f;
    int words, code = command_read(&line, &f, argc, argv, NULL, &words);

    if (code >= 0)
        return code;
    struct engine_options o = {.threads = (int)f.threads,
                               .looks_dir = f.looks,
                               .model_path = f.model,
                               .isa = f.isa,
                               .memory_bytes = f.memory_bytes};
    const struct engine_ops *ops = engine_find(f.engine, &o);
    return ops ? renderer_main(ops, &o) : EXIT_USAGE;
}
