/* SPDX-License-Identifier: MIT */
#include "sandbox/child.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "sandbox/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    // Descriptors are moved here first, so that no dup2 overwrites the next one's source.
    FD_ABOVE = 16
};

static int add_files(posix_spawn_file_actions_t *a, int control, int source, bool keep_stderr)
{
    int r = posix_spawn_file_actions_addopen(a, 0, "/dev/null", O_RDWR, 0);

    if (r == 0)
        r = posix_spawn_file_actions_adddup2(a, 0, 1);
    if (r == 0 && !keep_stderr)
        r = posix_spawn_file_actions_adddup2(a, 0, 2);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(a, control, CHANNEL_CHILD_FD);
    if (r == 0 && source >= 0)
        r = posix_spawn_file_actions_adddup2(a, source, CHILD_SOURCE_FD);
    if (r == 0)
        r = posix_spawn_file_actions_addclosefrom_np(a, source >= 0 ? CHILD_SOURCE_FD + 1
                                                                    : CHANNEL_CHILD_FD + 1);
    return r;
}

static int set_attributes(posix_spawnattr_t *attr)
{
    const short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    sigset_t all, empty;

    sigfillset(&all);
    sigemptyset(&empty);
    int r = posix_spawnattr_setpgroup(attr, 0);
    if (r == 0)
        r = posix_spawnattr_setsigmask(attr, &empty);
    if (r == 0)
        r = posix_spawnattr_setsigdefault(attr, &all);
    return r ? r : posix_spawnattr_setflags(attr, flags);
}

static int spawn(const struct child_options *o, int control, int source, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;

    int r = posix_spawn_file_actions_init(&files);
    if (r != 0)
        return r;
    r = posix_spawnattr_init(&attr);
    if (r != 0) {
        posix_spawn_file_actions_destroy(&files);
        return r;
    }
    r = add_files(&files, control, source, o->keep_stderr);
    if (r == 0)
        r = set_attributes(&attr);
    if (r == 0)
        r = posix_spawn(pid, o->path, &files, &attr, o->argv, o->env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return r;
}

enum err child_spawn(const struct child_options *o, struct child *out, struct err_note *note)
{
    struct child c = CHILD_NONE;
    int pair[2] = {-1, -1}, control = -1, source = -1;
    enum err e = channel_pair(pair, note);

    if (e != ERR_OK)
        return e;
    c.control = pair[0];
    control = fcntl(pair[1], F_DUPFD_CLOEXEC, FD_ABOVE);
    if (o->source_fd >= 0)
        source = fcntl(o->source_fd, F_DUPFD_CLOEXEC, FD_ABOVE);
    if (control < 0 || (o->source_fd >= 0 && source < 0)) {
        e = err_errno(note, "dup");
        goto out;
    }
    errno = spawn(o, control, source, &c.pid);
    if (errno != 0) {
        c.pid = 0;
        e = err_errno(note, "starting %s", o->path);
        goto out;
    }
    c.pidfd = pidfd_open(c.pid, 0);
    if (c.pidfd < 0)
        e = err_errno(note, "pidfd_open");

out:
    if (control >= 0)
        close(control);
    if (source >= 0)
        close(source);
    close(pair[1]);
    if (e != ERR_OK)
        child_end(&c, NULL);
    else
        *out = c;
    return e;
}

enum err child_wait(const struct child *c, int64_t deadline_ns, const atomic_bool *cancel)
{
    struct pollfd on[2] = {{.fd = c->control, .events = POLLIN},
                           {.fd = c->pidfd, .events = POLLIN}};

    for (;;) {
        int64_t left_ms = (deadline_ns - clock_mono_ns(&clock_system) + 999999) / 1000000;
        if (cancel && atomic_load(cancel))
            return ERR_CANCELLED;
        if (left_ms <= 0)
            return ERR_TIMEOUT;
        int64_t most = cancel ? CHILD_TICK_MS : 1000000;
        if (poll(on, 2, (int)(left_ms < most ? left_ms : most)) > 0)
            return ERR_OK;
    }
}

void child_end(struct child *c, struct child_end *end)
{
    struct rusage use = {0};
    int status = 0;

    if (c->pid > 0) {
        // By pid, for it may have no pidfd yet: it is ours and not waited for, so the number is
        // still its own.
        (void)kill(c->pid, SIGKILL);
        while (wait4(c->pid, &status, 0, &use) < 0 && errno == EINTR)
            ;
    }
    if (c->pidfd >= 0)
        close(c->pidfd);
    if (c->control >= 0)
        close(c->control);
    *c = (struct child)CHILD_NONE;
    if (!end)
        return;
    end->status = status;
    end->cpu_ms = (int64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000 +
                  (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1000;
}

const char *child_end_text(const struct child_end *end, char *out, size_t size)
{
    if (WIFSIGNALED(end->status)) {
        const char *what = sigdescr_np(WTERMSIG(end->status));
        snprintf(out, size, "signal %d (%s)", WTERMSIG(end->status), what ? what : "unknown");
    } else {
        snprintf(out, size, "exit status %d", WEXITSTATUS(end->status));
    }
    return out;
}

void child_text(char *to, size_t size, const char *from, size_t from_size)
{
    size_t n = strnlen(from, from_size < size ? from_size : size - 1);

    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)from[i] < ' ' ? ' ' : from[i];
    to[n] = '\0';
    if (!utf8_valid(to, n))
        to[0] = '\0';
}
