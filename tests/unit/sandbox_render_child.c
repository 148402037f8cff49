/* SPDX-License-Identifier: MIT */
/*
 * A renderer that does what its request says, "MODE [NUMBER]", behind the real walls: echoes
 * pictures, or breaks every rule of render_wire.h.
 */
#include "sandbox/memfd.h"
#include "sandbox/render.h"
#include "sandbox/render_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct asked {
    const struct image *source, *style;
    int number;
    render_progress_fn *progress;
    void *progress_ctx;
    const atomic_bool *cancel;
    struct image *picture;
    int *count;
    struct buf *report;
    struct err_note *note;
};

typedef enum err mode_fn(const struct asked *a);

extern char **environ;
static int priority, policy, variables;
static uint64_t calls; // the pool numbers them from 1; ours as long as this process serves alone
static volatile bool forever = true;

static enum err echo(const struct asked *a)
{
    const int w = a->source->width, h = a->source->height;

    for (int i = 0; i < 5; i++) {
        int times = i == 4 ? 2 : 1;
        if (image_new(&a->picture[i], w * times, h * times) != ERR_OK)
            return ERR_NOMEM;
        for (int y = 0; y < h; y++)
            memcpy(a->picture[i].px + (size_t)y * a->picture[i].stride,
                   a->source->px + (size_t)y * a->source->stride, (size_t)w * 4);
        a->picture[i].px[0] = (uint8_t)i;
        a->picture[i].has_alpha = i == 1;
        a->progress(a->progress_ctx, (float)(i + 1) / 5);
    }
    *a->count = 5;
    buf_addf(a->report, "{\"pid\":%d}", getpid());
    return ERR_OK;
}

// What the second picture is: its size, and its first and last samples.
static enum err style(const struct asked *a)
{
    const struct image *im = a->style;

    if (im)
        buf_addf(a->report, "%dx%d %d %d-%d", im->width, im->height, im->has_alpha, im->px[0],
                 im->px[(size_t)im->height * im->stride - 1]);
    else
        buf_addf(a->report, "none");
    return ERR_OK;
}

static enum err about(const struct asked *a)
{
    buf_addf(a->report, "nice %d, policy %d, %d variables", priority, policy, variables);
    return ERR_OK;
}

static enum err wait_cancel(const struct asked *a)
{
    a->progress(a->progress_ctx, 0.5F);
    while (!atomic_load(a->cancel))
        sched_yield();
    return err_set(a->note, ERR_CANCELLED, "seen");
}

static enum err spin(const struct asked *a)
{
    a->progress(a->progress_ctx, 0.5F);
    while (forever)
        ;
    return ERR_OK;
}

static enum err crash(const struct asked *a)
{
    (void)a;
    int *volatile nowhere = (int *)8;
    *nowhere = 1;
    return ERR_OK;
}

static enum err leave(const struct asked *a)
{
    (void)a;
    _exit(0);
}

static enum err refuse(const struct asked *a)
{
    a->note->status = 7;
    memcpy(a->note->field, "imgUrl", 7);
    memcpy(a->note->reason, "odd", 4);
    memcpy(a->note->text, "no\x02way", 7);
    return ERR_UNSUPPORTED;
}

static enum err bad_error(const struct asked *a)
{
    (void)a;
    return ERR_NO_POINTS;
}

static enum err long_report(const struct asked *a)
{
    for (int i = 0; i < RENDER_JSON_BYTES_MAX + a->number; i++)
        buf_addc(a->report, 'x');
    return ERR_OK;
}

static void *add_one(void *arg)
{
    ++*(int *)arg;
    return NULL;
}

static enum err threads(const struct asked *a)
{
    int n[8] = {0}, sum = 0;
    pthread_t t[8];

    for (int i = 0; i < 8; i++)
        if (pthread_create(&t[i], NULL, add_one, &n[i]) != 0)
            return ERR_BUG;
    for (int i = 0; i < 8; i++) {
        pthread_join(t[i], NULL);
        sum += n[i];
    }
    buf_addf(a->report, "%d", sum);
    return ERR_OK;
}

static enum err files(const struct asked *a)
{
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

    buf_addf(a->report, "%s", fd < 0 && errno == EACCES ? "refused" : "open");
    return ERR_OK;
}

// Wrong answers, sent past render_main().

static enum err say(struct render_reply r, const void *tail, size_t len, int fd)
{
    (void)!channel_send(CHANNEL_CHILD_FD, &r, sizeof(r), tail, len, fd);
    while (forever)
        ;
    return ERR_OK;
}

static struct render_reply one_picture(int w, int h)
{
    return (struct render_reply){
        .type = RENDER_ANSWER, .call = calls, .count = 1, .picture = {{w, h, 0}}};
}

static int memory(size_t len, bool frozen)
{
    int fd = -1;

    if (memfd_sized(len, &fd, NULL) != ERR_OK || (frozen && memfd_freeze(fd, NULL) != ERR_OK))
        _exit(9);
    return fd;
}

static enum err lie(const struct asked *a)
{
    struct render_reply r = one_picture(8, 8);
    static const char big[RENDER_JSON_BYTES_MAX + 1];

    switch (a->number) {
    case 0: // one byte short
        return say(r, NULL, 0, memory(8 * 8 * 4 - 1, true));
    case 1:
        return say(r, NULL, 0, memory(8 * 8 * 4 + 1, true));
    case 2:
        return say(r, NULL, 0, memory(8 * 8 * 4, false));
    case 3: // no memory at all
        return say(r, NULL, 0, -1);
    case 4: // not a memfd: the channel itself
        return say(r, NULL, 0, CHANNEL_CHILD_FD);
    case 5:
        r.count = RENDER_PICTURES_MAX + 1;
        return say(r, NULL, 0, memory(8 * 8 * 4, true));
    case 6:
        r.count = -1;
        return say(r, NULL, 0, memory(8 * 8 * 4, true));
    case 7:
        return say(one_picture(-8, -8), NULL, 0, memory(8 * 8 * 4, true));
    case 8: // over the limit of a result
        return say(one_picture(4096, 4097), NULL, 0, memory((size_t)4096 * 4097 * 4, true));
    case 9:
        return say(one_picture(1 << 30, 1 << 30), NULL, 0, memory(8 * 8 * 4, true));
    case 10: // memory without a picture
        r.count = 0;
        return say(r, NULL, 0, memory(8 * 8 * 4, true));
    case 11:
        return say(r, "\xC0\xAF", 2, memory(8 * 8 * 4, true));
    case 12:
        return say(r, "a\0b", 3, memory(8 * 8 * 4, true));
    case 13:
        return say(r, big, sizeof(big), memory(8 * 8 * 4, true));
    case 14:
        r.call++;
        return say(r, NULL, 0, memory(8 * 8 * 4, true));
    case 15:
        r.type = 77;
        return say(r, NULL, 0, -1);
    default: // too short
        (void)!channel_send(CHANNEL_CHILD_FD, "x", 1, NULL, 0, -1);
        return spin(a);
    }
}

static enum err flood(const struct asked *a)
{
    const struct render_reply r = {.type = RENDER_PROGRESS, .call = calls, .done = 0.0F / 0.0F};

    (void)a;
    while (forever)
        (void)!channel_send(CHANNEL_CHILD_FD, &r, sizeof(r), NULL, 0, -1);
    return ERR_OK;
}

// Forbidden calls: nothing may come back from these.

#define CALL_MODE(name, call)                                                         \
    static enum err name(const struct asked *a)                                       \
    {                                                                                 \
        long r = (long)(call);                                                        \
        return err_set(a->note, ERR_UNSUPPORTED, "returned %ld, errno %d", r, errno); \
    }

static char *const no_args[] = {(char *)"sh", NULL};

CALL_MODE(do_socket, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
CALL_MODE(do_fork, syscall(SYS_fork))
CALL_MODE(do_clone, syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL))
CALL_MODE(do_exec, execve("/bin/sh", no_args, environ))
CALL_MODE(do_kill, kill(getppid(), SIGTERM))
CALL_MODE(do_uring, syscall(SYS_io_uring_setup, 1, NULL))
CALL_MODE(do_unlink, unlink("/nonexistent"))
CALL_MODE(do_setpriority, setpriority(PRIO_PROCESS, 0, 0))
CALL_MODE(do_write, write(1, "x", 1))
CALL_MODE(do_memfd, memfd_create("x", MFD_HUGETLB))
CALL_MODE(do_tgkill, syscall(SYS_tgkill, 1, 1, 0))
CALL_MODE(do_map_exec,
          mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)

static const struct {
    const char *name;
    mode_fn *fn;
} mode[] = {
    {"echo", echo},
    {"style", style},
    {"about", about},
    {"wait_cancel", wait_cancel},
    {"spin", spin},
    {"crash", crash},
    {"leave", leave},
    {"refuse", refuse},
    {"bad_error", bad_error},
    {"long_report", long_report},
    {"threads", threads},
    {"files", files},
    {"lie", lie},
    {"flood", flood},
    {"socket", do_socket},
    {"fork", do_fork},
    {"clone", do_clone},
    {"exec", do_exec},
    {"kill", do_kill},
    {"io_uring", do_uring},
    {"unlink", do_unlink},
    {"setpriority", do_setpriority},
    {"write", do_write},
    {"memfd", do_memfd},
    {"tgkill", do_tgkill},
    {"map_exec", do_map_exec},
};

static enum err obey(void *ctx, const struct image *source, const struct image *style,
                     const char *request_json, render_progress_fn *progress, void *progress_ctx,
                     const atomic_bool *cancel, struct image picture[RENDER_PICTURES_MAX],
                     int *count, struct buf *report_json, struct err_note *note)
{
    struct asked a = {source, style,   0,     progress,    progress_ctx,
                      cancel, picture, count, report_json, note};
    char name[32] = "";

    (void)ctx;
    calls++;
    (void)!sscanf(request_json, "%31s %d", name, &a.number);
    for (size_t i = 0; i < sizeof(mode) / sizeof(mode[0]); i++)
        if (strcmp(mode[i].name, name) == 0)
            return mode[i].fn(&a);
    return err_set(note, ERR_INVALID, "no mode %s", name);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";

    if (strcmp(how, "fail") == 0)
        return 3;
    priority = getpriority(PRIO_PROCESS, 0);
    policy = sched_getscheduler(0);
    for (char **e = environ; *e; e++)
        variables += strncmp(*e + 1, "SAN_OPTIONS=", 12) != 0;
    return render_main(obey, NULL, strcmp(how, "jit") == 0);
}
