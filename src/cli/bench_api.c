/* SPDX-License-Identifier: MIT */
#include "cli/bench_api.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/rand.h"
#include "cli/bench_rows.h"
#include "cli/command.h"
#include "cli/load.h"
#include "store/store_bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    START_MS = 15000,  /* for the service to answer its first request */
    RAW_ROWS = 100000, /* inserts for comparison: two seconds or so */
    KEY_TEXT = 33
};

struct options {
    bool json;
    int64_t seconds, connections, threads, rows;
    const char *folder;
};

static const struct config_option flags[] = {
    {.name = "json",
     .type = CONFIG_SWITCH,
     .offset = offsetof(struct options, json),
     .help = "print the figures as one JSON object"},
    {.name = "seconds",
     .type = CONFIG_NUMBER,
     .offset = offsetof(struct options, seconds),
     .min = 1,
     .max = 600,
     .fallback = "5",
     .value = "N",
     .help = "how long each load lasts"},
    {.name = "connections",
     .type = CONFIG_NUMBER,
     .offset = offsetof(struct options, connections),
     .min = 1,
     .max = 1000,
     .fallback = "64",
     .value = "N",
     .help = "keep-alive connections, one request under way on each"},
    {.name = "threads",
     .type = CONFIG_NUMBER,
     .offset = offsetof(struct options, threads),
     .min = 1,
     .max = 16,
     .fallback = "1",
     .value = "N",
     .help = "threads of the load generator"},
    {.name = "rows",
     .type = CONFIG_NUMBER,
     .offset = offsetof(struct options, rows),
     .min = 1,
     .max = 10000000,
     .value = "N",
     .help = "instead of loads: how much slower the store is with N finished jobs in it"},
    {.name = "folder",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct options, folder),
     .fallback = "/tmp",
     .value = "DIR",
     .help = "where the temporary data lie: the disk that is measured"},
};

struct bench {
    struct options o;
    char folder[256];
    char key[KEY_TEXT];
    int port;
    pid_t server;
    struct load_result post, get;
    double raw_per_s;
    int64_t rss_bytes;
};

// ---- the service under test ----

static int free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;

    if (fd >= 0 && !bind(fd, (struct sockaddr *)&a, sizeof(a)) &&
        !getsockname(fd, (struct sockaddr *)&a, &len))
        port = ntohs(a.sin_port);
    if (fd >= 0)
        close(fd);
    return port;
}

static enum err start_server(struct bench *b, struct err_note *note)
{
    char listen[64], data[300], log[300];
    const char *argv[] = {"patina",
                          "serve",
                          "--listen",
                          listen,
                          "--data",
                          data,
                          "--workers",
                          "0",
                          "--admin-listen",
                          "off",
                          "--rate-limit",
                          "0",
                          "--queue-limit",
                          "1000000",
                          "--first-points",
                          "1000000000000",
                          "--api-key",
                          b->key,
                          NULL};
    posix_spawn_file_actions_t files;

    b->port = free_port();
    snprintf(listen, sizeof(listen), "127.0.0.1:%d", b->port);
    snprintf(data, sizeof(data), "%s/data", b->folder);
    snprintf(log, sizeof(log), "%s/log", b->folder);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    errno = posix_spawn(&b->server, "/proc/self/exe", &files, NULL, (char **)argv, environ);
    posix_spawn_file_actions_destroy(&files);
    if (errno) {
        b->server = 0;
        return err_errno(note, "starting the service");
    }
    return ERR_OK;
}

static enum err await_server(struct bench *b, struct err_note *note)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)b->port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int64_t until = clock_mono_ns(&clock_system) + START_MS * (int64_t)1000000;

    while (clock_mono_ns(&clock_system) < until) {
        int status, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool up = !connect(fd, (struct sockaddr *)&a, sizeof(a));
        close(fd);
        if (up)
            return ERR_OK;
        if (waitpid(b->server, &status, WNOHANG) == b->server) {
            b->server = 0;
            return err_set(note, ERR_CRASHED, "the service did not start; see %s/log", b->folder);
        }
        poll(NULL, 0, 20);
    }
    return err_set(note, ERR_TIMEOUT, "the service does not answer; see %s/log", b->folder);
}

static void stop_server(struct bench *b)
{
    if (b->server > 0) {
        kill(b->server, SIGTERM);
        waitpid(b->server, NULL, 0);
    }
    b->server = 0;
}

// The most memory it ever had.
static int64_t read_rss(pid_t pid)
{
    char path[64], line[128];
    long long kib = 0;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        if (!strncmp(line, "VmHWM:", 6))
            kib = atoll(line + 6);
    if (f)
        fclose(f);
    return kib * 1024;
}

static int remove_one(const char *path, const struct stat *st, int what, struct FTW *at)
{
    (void)st, (void)what, (void)at;
    return remove(path);
}

// ---- the loads ----

static void write_request(struct buf *out, const struct bench *b, const char *method,
                          const char *path, const char *body)
{
    buf_addf(out, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nx-api-key: %s\r\n", method, path,
             b->port, b->key);
    if (body)
        buf_addf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    buf_addf(out, "\r\n%s", body ? body : "");
}

static enum err run_load(const struct bench *b, const struct buf *request, int count,
                         struct buf *sample, struct load_result *out, struct err_note *note)
{
    struct load l = {.port = b->port,
                     .connections = (int)b->o.connections,
                     .threads = (int)b->o.threads,
                     .duration_ms = (int)b->o.seconds * 1000,
                     .request = request,
                     .request_count = count,
                     .sample = sample};

    return load_run(&l, out, note);
}

static enum err load_posts(struct bench *b, struct buf *sample, struct err_note *note)
{
    struct buf request = BUF_INIT;

    write_request(&request, b, "POST", "/api/v1/retexture",
                  "{\"imgUrl\":\"https://example.com/still-life.jpg\","
                  "\"remixPrompt\":\"Convert to oil painting style\"}");
    enum err e = request.failed ? ERR_NOMEM : run_load(b, &request, 1, sample, &b->post, note);
    buf_release(&request);
    return e;
}

// Asks for the jobs that the samples are about, in turn.
static enum err load_gets(struct bench *b, const struct buf *sample, struct err_note *note)
{
    struct buf *request = calloc((size_t)b->o.connections, sizeof(*request));
    enum err e = request ? ERR_OK : err_set(note, ERR_NOMEM, "out of memory");
    char path[80];
    int count = 0;

    for (const char *p = sample->data, *end = p + sample->len; !e && p < end; p += strlen(p) + 1) {
        const char *id = strstr(p, "\"job_id\":\"");
        if (!id || count == b->o.connections)
            continue;
        snprintf(path, sizeof(path), "/api/v1/job/%.36s", id + 10);
        write_request(&request[count++], b, "GET", path, NULL);
    }
    if (!e && count == 0)
        e = err_set(note, ERR_IO, "no POST was answered");
    if (!e)
        e = run_load(b, request, count, NULL, &b->get, note);
    for (int i = 0; i < count; i++)
        buf_release(&request[i]);
    free(request);
    return e;
}

static enum err measure_raw(struct bench *b, struct err_note *note)
{
    char path[300];
    int64_t ns = 0;

    snprintf(path, sizeof(path), "%s/raw.db", b->folder);
    enum err e = store_bench_raw(path, RAW_ROWS, (int)b->o.connections, &ns, note);
    if (!e)
        b->raw_per_s = RAW_ROWS / ((double)ns / 1e9);
    return e;
}

static enum err measure(struct bench *b, struct err_note *note)
{
    struct buf sample = BUF_INIT;
    enum err e = start_server(b, note);

    if (!e)
        e = await_server(b, note);
    if (!e)
        e = load_posts(b, &sample, note);
    if (!e)
        e = measure_raw(b, note);
    if (!e)
        e = load_gets(b, &sample, note);
    if (!e)
        b->rss_bytes = read_rss(b->server);
    stop_server(b);
    buf_release(&sample);
    return e;
}

// ---- figures ----

static void write_load(struct json_writer *w, const char *name, const struct load_result *r)
{
    jw_key(w, name);
    jw_open(w, '{');
    jw_key(w, "per_s");
    jw_real(w, r->per_s, 0);
    jw_key(w, "p50_us");
    jw_real(w, r->p50_us, 0);
    jw_key(w, "p99_us");
    jw_real(w, r->p99_us, 0);
    jw_kint(w, "failures", r->failures);
    jw_close(w, '}');
}

static void print_json(const struct bench *b)
{
    struct buf out = BUF_INIT;
    struct json_writer w = JSON_WRITER(&out);

    jw_open(&w, '{');
    jw_kint(&w, "connections", b->o.connections);
    jw_kint(&w, "seconds", b->o.seconds);
    jw_kint(&w, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
    write_load(&w, "post", &b->post);
    jw_key(&w, "raw_inserts_per_s");
    jw_real(&w, b->raw_per_s, 0);
    write_load(&w, "get", &b->get);
    jw_kint(&w, "rss_bytes", b->rss_bytes);
    jw_close(&w, '}');
    puts(out.data ? out.data : "{}");
    buf_release(&out);
}

static void print_load(const char *name, const struct load_result *r)
{
    printf("  %-28s %8.0f/s   p50 %6.2f ms   p99 %6.2f ms", name, r->per_s, r->p50_us / 1000,
           r->p99_us / 1000);
    if (r->failures)
        printf("   %" PRId64 " not answered 200", r->failures);
    putchar('\n');
}

static void print_text(const struct bench *b)
{
    printf("%d connections, %d s each, load generator on the same %ld CPUs\n",
           (int)b->o.connections, (int)b->o.seconds, sysconf(_SC_NPROCESSORS_ONLN));
    print_load("POST /api/v1/retexture", &b->post);
    printf("  %-28s %8.0f/s   %d in each commit, the same rows\n", "raw inserts", b->raw_per_s,
           (int)b->o.connections);
    print_load("GET /api/v1/job/{id}", &b->get);
    printf("  %-28s %8.1f MB\n", "memory of the service", (double)b->rss_bytes / 1e6);
}

int bench_api_command(int argc, char **argv)
{
    struct command_line line = {
        .usage = "patina bench api [flags]",
        .about = "Starts the service on a temporary folder and a free port, posts jobs and polls\n"
                 "them over loopback, and says how many a second it took.",
        .config = {.option = flags, .count = sizeof(flags) / sizeof(flags[0])},
    };
    struct bench b = {.server = 0};
    struct err_note note = {0};
    uint8_t key[(KEY_TEXT - 1) / 2];
    int words, code = command_read(&line, &b.o, argc, argv, NULL, &words);

    if (code >= 0)
        return code;
    rand_bytes(key, sizeof(key));
    hex_encode(key, sizeof(key), b.key);
    if (b.o.rows != CONFIG_UNSET)
        return bench_rows(b.o.folder, b.o.rows, b.o.json);
    snprintf(b.folder, sizeof(b.folder), "%.200s/patina-bench-XXXXXX", b.o.folder);
    enum err e = mkdtemp(b.folder) ? measure(&b, &note)
                                   : err_errno(&note, "making a folder in %s", b.o.folder);
    if (e) {
        command_complain("bench api", note.text);
        return EXIT_FAILED;
    }
    nftw(b.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (b.o.json)
        print_json(&b);
    else
        print_text(&b);
    return EXIT_DONE;
}
