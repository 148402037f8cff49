/* SPDX-License-Identifier: MIT */
#include "server/settings.h"

#include "base/address.h"
#include "engine/engine.h"
#include "engine/engine_flags.h"
#include "image/image.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROW(name_, type_, field_, ...)                                                             \
    {                                                                                              \
        .name = (name_), .type = (type_), .offset = offsetof(struct settings, field_), __VA_ARGS__ \
    }

enum {
    WORKERS_MAX = 256,          // more renderers than any machine has use for
    MEMORY_MB_MIN = 64,         // one small picture
    MB_MAX = 1 << 24,           // 16 TiB
    RETENTION_HOURS_MAX = 87600 // ten years
};

static const struct config_option options[] = {
    ROW("listen", CONFIG_TEXT, listen, .fallback = "127.0.0.1:8080", .value = "ADDR:PORT",
        .group = "Addresses",
        .help = "where the API listens; port 0 takes a free one, written to DATA/listen"),
    ROW("admin-listen", CONFIG_TEXT, admin_listen, .value = "ADDR:PORT",
        .computed = "127.0.0.1:9090 when it is free",
        .help = "where /metrics is, for Prometheus; off: nowhere. Port 0 takes a free one, written "
                "to DATA/admin-listen"),
    ROW("public-url", CONFIG_TEXT, public_url, .value = "URL",
        .computed = "http:// and the listen address",
        .help = "what URLs in answers begin with; set it when a proxy stands in front"),
    ROW("data", CONFIG_TEXT, data, .fallback = "./patina-data", .value = "DIR", .group = "Places",
        .help = "folder of this installation: database, pictures, first key"),
    ROW("database", CONFIG_TEXT, database, .value = "sqlite:PATH",
        .computed = "sqlite:DATA/patina.db", .help = "where jobs, points and deliveries are kept"),
    ROW("blobs", CONFIG_TEXT, blobs, .value = "dir:PATH", .computed = "dir:DATA/blobs",
        .help = "where pictures are kept"),
    ROW("workers", CONFIG_NUMBER, workers, .min = 0, .max = WORKERS_MAX, .value = "N",
        .computed = "half of the cores, at least 1", .group = "Work",
        .help = "jobs rendered at once; 0 accepts jobs without rendering any"),
    ENGINE_FLAG_ENGINE(struct settings),
    ENGINE_FLAG_MODEL(struct settings),
    ENGINE_FLAG_ISA(struct settings),
    ENGINE_FLAG_LOOKS(struct settings),
    ENGINE_FLAG_PIXELS(struct settings),
    ROW("memory-mb", CONFIG_NUMBER, memory_mb, .min = MEMORY_MB_MIN, .max = MB_MAX,
        .computed = "half of the memory", .value = "MB",
        .help = "memory that jobs may take together; a job that needs more waits"),
    ROW("disk-reserve-mb", CONFIG_NUMBER, disk_reserve_mb, .min = 0, .max = MB_MAX,
        .fallback = "256", .value = "MB", .group = "Disk",
        .help = "below this much free disk new jobs are refused and none is started"),
    ROW("retention-hours", CONFIG_NUMBER, retention_hours, .min = 1, .max = RETENTION_HOURS_MAX,
        .fallback = "168", .value = "H", .help = "how long pictures are kept after a job's end"),
    ROW("job-timeout-s", CONFIG_NUMBER, job_timeout_s, .min = 1, .max = 86400, .value = "S",
        .computed = "5 times the engine's estimate, at least 300", .group = "Time",
        .help = "longest time one attempt at a job may take"),
    ROW("drain-s", CONFIG_NUMBER, drain_s, .min = 0, .max = 3600, .fallback = "10", .value = "S",
        .help = "how long running jobs may go on after SIGTERM before they are put back"),
    ROW("cost-points", CONFIG_NUMBER, cost_points, .min = 0, .max = 1000000, .fallback = "120",
        .value = "N", .group = "Accounts and their limits", .help = "price of a job"),
    ROW("concurrency", CONFIG_NUMBER, concurrency, .min = 1, .max = 10000, .fallback = "6",
        .value = "N", .help = "running jobs per account; more wait their turn"),
    ROW("queue-limit", CONFIG_NUMBER, queue_limit, .min = 1, .max = 1000000, .fallback = "1000",
        .value = "N", .help = "waiting jobs per account; more are answered 429"),
    ROW("rate-limit", CONFIG_NUMBER, rate_limit, .min = 0, .max = 1000000, .fallback = "600",
        .value = "N", .help = "requests a minute per key; 0 turns the limit off"),
    ROW("fetch-allow", CONFIG_TEXT, fetch_allow, .value = "CIDR,..",
        .group = "What may be asked for",
        .help = "networks that pictures and webhooks may reach although they are not public"),
    ROW("fetch-http", CONFIG_SWITCH, fetch_http,
        .help = "admit plain http and ports 80 and 8080 in picture and callback URLs"),
    ROW("fetch-ca", CONFIG_TEXT, fetch_ca, .value = "FILE",
        .help = "PEM file with a certificate authority to trust besides the system's"),
    ROW("deny", CONFIG_TEXT, deny, .value = "WORDS",
        .help = "words that no prompt may have: word,word,.. or, with a slash in it, the path of a "
                "file with one a line"),
    ROW("cors-origin", CONFIG_TEXT, cors_origin, .value = "ORIGIN", .group = "Browsers",
        .help = "origin whose pages may call the API from a browser, or *"),
    ROW("api-key", CONFIG_TEXT, api_key, .value = "KEY", .computed = "made once, in DATA/api-key",
        .group = "First account",
        .help = "key of the first account, 16 to 256 visible characters; other users see flags, so "
                "set the variable instead"),
    ROW("first-points", CONFIG_NUMBER, first_points, .min = 0, .max = 1000000000000,
        .fallback = "12000", .value = "N", .help = "points of the first account, granted once"),
    ROW("log", CONFIG_CHOICE, log, .choices = "text|json", .fallback = "text", .value = "FORMAT",
        .group = "Log", .help = "form of the log lines on standard error"),
};

const struct config settings_config = {options, sizeof options / sizeof *options, "PATINA_"};

void settings_describe(struct buf *out)
{
    buf_adds(
        out,
        "# Settings\n\n"
        "Every setting of `patina serve` is a flag and an environment variable; the flag wins. "
        "An empty variable\ncounts as not set. A value out of its range, or a flag that does "
        "not exist, ends the program with status 2\nand a sentence; a variable that begins "
        "with `PATINA_` and is none of these is a warning in the log. There is\nno "
        "configuration file: a unit's `EnvironmentFile=` or a container's environment is the "
        "place to keep them.\nThe commands that work beside the service take `PATINA_DATA` "
        "and `PATINA_DATABASE` too.\n\n"
        "This page is written by `patina --describe settings`.\n");
    config_markdown(&settings_config, out);
}

static enum err check_listen(struct settings *s, struct arena *a, struct err_note *note)
{
    static const char must[] = "it must be ADDRESS:PORT, like 127.0.0.1:8080 or [::1]:8080";
    char host[ADDRESS_HOST], other[ADDRESS_HOST];
    int port;

    if (!address_split(s->listen, host, &s->port))
        return err_set(note, ERR_INVALID, "--listen is \"%s\"; %s", s->listen, must);
    const char *admin = s->admin_listen ? s->admin_listen : "off";
    if (strcmp(admin, "off") != 0 && !address_split(admin, other, &port))
        return err_set(note, ERR_INVALID, "--admin-listen is \"%s\"; %s, or off", admin, must);
    s->host = arena_strdup(a, host);
    return s->host ? ERR_OK : err_set(note, ERR_NOMEM, "out of memory");
}

const char *settings_default_url(struct arena *a, const char *host, int port)
{
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
        host = "127.0.0.1";
    return arena_printf(a, strchr(host, ':') ? "http://[%s]:%d" : "http://%s:%d", host, port);
}

// Takes "kind:PATH" apart; `value` NULL means DATA/`name`.
static enum err location(struct arena *a, const struct settings *s, const char *flag,
                         const char *value, const char *kind, const char *name, const char **out,
                         struct err_note *note)
{
    size_t len = strlen(kind);

    if (!value) {
        *out = arena_printf(a, "%s/%s", s->data, name);
        return *out ? ERR_OK : err_set(note, ERR_NOMEM, "out of memory");
    }
    if (strncmp(value, kind, len) != 0 || value[len] != ':' || !value[len + 1])
        return err_set(note, ERR_INVALID, "%s is \"%s\"; this build knows %s:PATH alone", flag,
                       value, kind);
    *out = value + len + 1;
    return ERR_OK;
}

// What follows http:// or https://; NULL when that is nothing.
static const char *host_of(const char *url)
{
    size_t scheme = !strncmp(url, "http://", 7) ? 7 : !strncmp(url, "https://", 8) ? 8 : 0;

    return scheme && url[scheme] ? url + scheme : NULL;
}

static enum err check_url(struct settings *s, struct arena *a, struct err_note *note)
{
    if (!s->public_url)
        return ERR_OK;
    size_t len = strlen(s->public_url);
    while (len && s->public_url[len - 1] == '/')
        len--;
    s->public_url = arena_memdup(a, s->public_url, len);
    if (!s->public_url)
        return err_set(note, ERR_NOMEM, "out of memory");
    if (!host_of(s->public_url) || strpbrk(s->public_url, "?#@ \t\""))
        return err_set(note, ERR_INVALID,
                       "--public-url is \"%s\"; it must be like https://pictures.example.org",
                       s->public_url);
    return ERR_OK;
}

// Browsers compare it with what they send letter by letter.
static enum err check_origin(const char *origin, struct err_note *note)
{
    const char *host = origin ? host_of(origin) : NULL;

    if (origin && strcmp(origin, "*") != 0 && (!host || strpbrk(host, "/?#@ \t\",*")))
        return err_set(note, ERR_INVALID,
                       "--cors-origin is \"%s\"; it must be like https://pictures.example.org, "
                       "with nothing behind the host, or *",
                       origin);
    return ERR_OK;
}

static enum err check_key(const char *key, struct err_note *note)
{
    if (key && !store_key_good(key))
        return err_set(note, ERR_INVALID,
                       "PATINA_API_KEY must be %d to %d visible ASCII characters", STORE_KEY_MIN,
                       STORE_KEY_MAX);
    return ERR_OK;
}

// A path is replaced by the words of its file, with commas between them.
static enum err read_deny(struct settings *s, struct arena *a, struct err_note *note)
{
    struct buf words = BUF_INIT;
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    enum err e = ERR_OK;

    if (!s->deny || !strchr(s->deny, '/'))
        return ERR_OK;
    FILE *f = fopen(s->deny, "re");
    if (!f)
        return err_errno(note, "--deny: opening %s", s->deny);
    while ((len = getline(&line, &room, f)) >= 0)
        buf_addf(&words, "%s%.*s", words.len ? "," : "", (int)strcspn(line, "\r\n"), line);
    if (ferror(f))
        e = err_errno(note, "--deny: reading %s", s->deny);
    s->deny = arena_memdup(a, words.data ? words.data : "", words.len);
    if (!e && (words.failed || !s->deny))
        e = err_set(note, ERR_NOMEM, "out of memory");
    fclose(f);
    free(line);
    buf_release(&words);
    return e;
}

enum err settings_resolve(struct settings *s, struct arena *a, struct err_note *note)
{
    enum err e = check_listen(s, a, note);

    if (!e)
        e = check_url(s, a, note);
    if (!e)
        e = check_origin(s->cors_origin, note);
    if (!e)
        e = check_key(s->api_key, note);
    if (!e)
        e = read_deny(s, a, note);
    if (!e)
        e = location(a, s, "--database", s->database, "sqlite", "patina.db", &s->database_path,
                     note);
    if (!e)
        e = location(a, s, "--blobs", s->blobs, "dir", "blobs", &s->blobs_path, note);
    if (e)
        return e;
    if (s->workers == CONFIG_UNSET) {
        s->workers = sysconf(_SC_NPROCESSORS_ONLN) / 2;
        s->workers = s->workers < 1 ? 1 : s->workers > WORKERS_MAX ? WORKERS_MAX : s->workers;
    }
    if (s->memory_mb == CONFIG_UNSET) {
        s->memory_mb = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) / 2 / (1 << 20);
        s->memory_mb = s->memory_mb < MEMORY_MB_MIN ? MEMORY_MB_MIN : s->memory_mb;
    }
    if (s->pixels == CONFIG_UNSET) // the choices are names of engines
        s->pixels =
            engine_find(s->engine, &(struct engine_options){.model_path = s->model})->pixels;
    if (s->job_timeout_s == CONFIG_UNSET)
        s->job_timeout_s = 0;
    s->log_format = strcmp(s->log, "json") == 0 ? LOG_JSON : LOG_TEXT;
    return ERR_OK;
}
