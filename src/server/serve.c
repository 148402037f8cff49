/* SPDX-License-Identifier: MIT */
#include "server/serve.h"

#include "base/clock.h"
#include "cli/command.h"
#include "server/service.h"

#include <malloc.h>
#include <signal.h>
#include <unistd.h>

enum {
    TICK_S = 1,
    DRAIN_LOOK_MS = 100,
    OWN_MAPPING_BYTES = 1 << 20 // smaller than any buffer of a picture, larger than all others
};

// Each job's buffers go back to the system when it ends. Left alone, glibc takes the first that is
// freed as a reason to keep all others of its size in the arena of whichever thread it was.
static void give_memory_back(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, OWN_MAPPING_BYTES);
}

static const char after[] =
    "SIGTERM and Ctrl-C drain: running jobs get --drain-s, the rest wait for the next start.\n"
    "A second signal stops at once. No job is lost either way.";

// Blocked before the first thread starts, so that none of them is interrupted and main alone
// takes them.
static void block_signals(sigset_t *stop)
{
    sigemptyset(stop);
    sigaddset(stop, SIGINT);
    sigaddset(stop, SIGTERM);
    sigaddset(stop, SIGHUP);
    pthread_sigmask(SIG_BLOCK, stop, NULL);
}

static void announce(const struct settings *s, const struct service *v, const struct log *log)
{
    struct buf unknown = BUF_INIT;

    config_env_unknown(&settings_config, &unknown);
    if (unknown.len)
        log_event(log, LOG_WARN, "settings", LOG_S("why", unknown.data));
    if (geteuid() == 0)
        log_event(log, LOG_WARN, "serve.root",
                  LOG_S("why", "running as root; a user of its own is safer"));
    if (s->log_format == LOG_TEXT)
        fprintf(stderr, "listening on %s\n", service_url(v));
    else
        log_event(log, LOG_INFO, "serve.listening", LOG_S("url", service_url(v)));
    buf_release(&unknown);
}

static void serve(const struct settings *s, struct service *v, const sigset_t *stop,
                  const struct log *log)
{
    const struct timespec tick = {TICK_S, 0}, at_once = {0, 0};

    while (sigtimedwait(stop, NULL, &tick) < 0)
        service_tick(v);
    log_event(log, LOG_INFO, "serve.drain", LOG_N("seconds", s->drain_s));
    int64_t until_ns = clock_mono_ns(&clock_system) + s->drain_s * 1000000000;
    while (!service_drain(v, DRAIN_LOOK_MS) && clock_mono_ns(&clock_system) < until_ns &&
           sigtimedwait(stop, NULL, &at_once) < 0)
        ;
}

int serve_command(int argc, char **argv)
{
    struct command_line line = {
        .usage = "patina serve [flags]",
        .about = "Runs the service: takes jobs over HTTP, makes the pictures, calls back.\n"
                 "Every setting is a flag or an environment variable; the flag wins.",
        .after = after,
        .config = settings_config,
    };
    struct settings s = {0};
    struct service *v = NULL;
    struct arena arena = ARENA_INIT;
    struct err_note note = {0};
    enum err e;
    sigset_t stop;
    int words, code = command_read(&line, &s, argc, argv, NULL, &words);

    if (code >= 0)
        return code;
    block_signals(&stop);
    give_memory_back();
    if (settings_resolve(&s, &arena, &note)) {
        command_complain("serve", note.text);
        code = EXIT_USAGE;
    } else if ((e = service_open(&s, &v, &note))) {
        command_complain("serve", note.text);
        code = e == ERR_INVALID ? EXIT_USAGE : EXIT_FAILED; // a setting's fault: no restart helps
    } else {
        struct log log = {.fd = STDERR_FILENO, .format = s.log_format, .least = LOG_INFO};
        announce(&s, v, &log);
        serve(&s, v, &stop, &log);
        service_close(v);
        log_event(&log, LOG_INFO, "serve.end", LOG_N("status", 0));
        code = EXIT_DONE;
    }
    arena_release(&arena);
    return code;
}
