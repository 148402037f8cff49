/* SPDX-License-Identifier: MIT */
/*
 * A patina-decode whose codec was taken over: decode_main.c linked with this codec_decode(), which
 * does what the "picture" tells it, "MODE [WIDTH HEIGHT]", behind the real walls.
 */
#include "image/codec.h"
#include "sandbox/channel.h"
#include "sandbox/decode_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

struct asked {
    const struct codec_decode_options *o;
    codec_alloc_fn *alloc;
    void *ctx;
    int w, h;
};

typedef enum err mode_fn(const struct asked *a, struct codec_header *h, struct err_note *note);

extern char **environ;
static int inherited_fds, inherited_variables;
static volatile bool forever = true;

// Before main(): what the parent let through.
__attribute__((constructor)) static void look_around(void)
{
    for (int fd = 0; fd < 1024; fd++)
        inherited_fds += fcntl(fd, F_GETFD) >= 0;
    for (char **e = environ; *e; e++)
        inherited_variables += strncmp(*e, "ASAN_OPTIONS=", 13) != 0;
}

static struct codec_header header_of(int w, int h)
{
    return (struct codec_header){
        .info = {.format = IMAGE_PNG, .width = w, .height = h, .orientation = 1},
        .width = w,
        .height = h};
}

static enum err draw(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    *h = header_of(a->w, a->h);
    uint8_t *px = a->alloc(a->ctx, h);
    if (!px)
        return err_set(note, ERR_TOO_LARGE, "refused");
    for (size_t i = 0; i < (size_t)a->w * (size_t)a->h * 4; i++)
        px[i] = (uint8_t)(i * 31 + (size_t)a->w);
    h->info.has_alpha = true;
    return ERR_OK;
}

static enum err inherit(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    (void)a, (void)h;
    return err_set(note, ERR_UNSUPPORTED, "%d descriptors, %d variables", inherited_fds,
                   inherited_variables);
}

static enum err wanted(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    (void)h;
    return err_set(note, ERR_UNSUPPORTED, "%lld", (long long)a->o->want_pixels);
}

// Resources.

static enum err bomb(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    (void)a, (void)h;
    for (size_t n = 0; n < 1 << 20; n++) {
        char *p = malloc(1 << 20);
        if (!p)
            return err_set(note, ERR_NOMEM, "out of memory");
        memset(p, 1, 1 << 20);
    }
    return ERR_BUG;
}

static enum err spin(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    (void)a, (void)h, (void)note;
    while (forever)
        ;
    return ERR_OK;
}

static enum err segfault(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    (void)a, (void)h, (void)note;
    int *volatile nowhere = (int *)8;
    *nowhere = 1;
    return ERR_OK;
}

static enum err leave(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    (void)a, (void)h, (void)note;
    _exit(0);
}

static enum err corrupt(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    (void)a, (void)h;
    return err_set_reason(note, ERR_CORRUPT, "surprise", "cut \x01 here");
}

static enum err bad_text(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    (void)a, (void)h;
    memset(note->text, 0xC3, sizeof(note->text));
    memset(note->reason, 'x', sizeof(note->reason));
    return ERR_CORRUPT;
}

static enum err bad_error(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    (void)a, (void)h, (void)note;
    return ERR_NO_POINTS;
}

// Lies on the channel.

static void say(const struct decode_reply *r, size_t len, int fd)
{
    (void)!channel_send(CHANNEL_CHILD_FD, r, len, NULL, 0, fd);
}

static void say_header(uint32_t type, struct decode_wire_header h)
{
    const struct decode_reply r = {.version = DECODE_WIRE_VERSION, .type = type, .header = h};
    say(&r, sizeof(r), -1);
}

static enum err lie(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    static const struct decode_wire_header lies[] = {
        {IMAGE_PNG, 0, 0, 1, 0, 0, 0, 0},         {IMAGE_PNG, -8, 8, 1, 0, 0, 8, 8},
        {IMAGE_PNG, 8, 8, 1, 0, 0, 9, 8},         {IMAGE_PNG, 8, 8, 0, 0, 0, 8, 8},
        {IMAGE_PNG, 8, 8, 9, 0, 0, 8, 8},         {77, 8, 8, 1, 0, 0, 8, 8},
        {IMAGE_UNKNOWN, 8, 8, 1, 0, 0, 8, 8},     {IMAGE_PNG, 8, 8, 1, 0, 0, -8, -8},
        {IMAGE_PNG, 8, 8, 1, 0, 0, 65536, 65536}, {IMAGE_PNG, 8, 8, 1, 0, 0, 8, 0},
    };
    (void)h, (void)note;
    if (a->w < (int)(sizeof(lies) / sizeof(lies[0])))
        say_header(DECODE_HEADER, lies[a->w]);
    return spin(a, h, note);
}

static enum err end_early(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    (void)note;
    *h = header_of(a->w, a->h);
    return ERR_OK;
}

static enum err other_size(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    enum err e = draw(a, h, note);
    h->width--;
    return e;
}

static enum err short_message(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    const struct decode_reply r = {.version = DECODE_WIRE_VERSION, .type = DECODE_HEADER};
    say(&r, 12, -1);
    return spin(a, h, note);
}

static enum err long_message(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    static struct decode_reply r[2];
    say(r, sizeof(r), -1);
    return spin(a, h, note);
}

static enum err flood(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    (void)a, (void)h, (void)note;
    while (forever)
        say_header(DECODE_READY, (struct decode_wire_header){0});
    return ERR_OK;
}

// Its end of the channel, left in the parent's queue, would keep the end of the stream from ever
// coming.
static enum err pass_channel(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    struct decode_reply r = {.version = DECODE_WIRE_VERSION, .type = DECODE_HEADER};

    (void)a, (void)h, (void)note;
    r.header = (struct decode_wire_header){IMAGE_PNG, 8, 8, 1, 0, 0, 8, 8};
    say(&r, sizeof(r), CHANNEL_CHILD_FD);
    _exit(0);
}

// Forbidden calls: nothing may come back from these.

static enum err do_open(const struct asked *a, struct codec_header *h, struct err_note *note)
{
    (void)a, (void)h, (void)note;
    return open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 ? ERR_OK : ERR_UNSUPPORTED;
}

#define CALL_MODE(name, call)                                                                  \
    static enum err name(const struct asked *a, struct codec_header *h, struct err_note *note) \
    {                                                                                          \
        (void)a, (void)h;                                                                      \
        long r = (long)(call);                                                                 \
        return err_set(note, ERR_UNSUPPORTED, "returned %ld, errno %d", r, errno);             \
    }

static char *const no_args[] = {(char *)"sh", NULL};
static int int_one = 1;

CALL_MODE(do_socket, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
CALL_MODE(do_fork, syscall(SYS_fork))
CALL_MODE(do_vfork_clone, syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL))
CALL_MODE(do_thread,
          syscall(SYS_clone, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, NULL, NULL, NULL, NULL))
CALL_MODE(do_clone3, syscall(SYS_clone3, NULL, 0))
CALL_MODE(do_exec, execve("/bin/sh", no_args, environ))
CALL_MODE(do_kill, kill(getppid(), SIGTERM))
CALL_MODE(do_kill_raw, syscall(SYS_kill, 1, 0))
CALL_MODE(do_write, write(2, "x", 1))
CALL_MODE(do_read_other, syscall(SYS_recvmsg, 0, NULL, 0))
CALL_MODE(do_fcntl, fcntl(CHANNEL_CHILD_FD, F_GETFL))
CALL_MODE(do_dup, dup(CHANNEL_CHILD_FD))
CALL_MODE(do_ioctl, syscall(SYS_ioctl, 0, 0, 0))
CALL_MODE(do_prctl, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
CALL_MODE(do_ptrace, ptrace(PTRACE_TRACEME, 0, NULL, NULL))
CALL_MODE(do_memfd, memfd_create("x", 0))
CALL_MODE(do_uring, syscall(SYS_io_uring_setup, 1, NULL))
CALL_MODE(do_setsockopt,
          setsockopt(CHANNEL_CHILD_FD, SOL_SOCKET, SO_SNDBUF, &int_one, sizeof(int_one)))
CALL_MODE(do_map_exec,
          mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
CALL_MODE(do_protect_exec,
          mprotect((void *)((uintptr_t)&int_one & ~(uintptr_t)4095), 4096, PROT_READ | PROT_EXEC))

static const struct {
    const char *name;
    mode_fn *fn;
} mode[] = {
    {"draw", draw},
    {"inherit", inherit},
    {"wanted", wanted},
    {"bomb", bomb},
    {"spin", spin},
    {"segfault", segfault},
    {"leave", leave},
    {"corrupt", corrupt},
    {"bad_text", bad_text},
    {"bad_error", bad_error},
    {"lie", lie},
    {"end_early", end_early},
    {"other_size", other_size},
    {"short_message", short_message},
    {"long_message", long_message},
    {"flood", flood},
    {"pass_channel", pass_channel},
    {"open", do_open},
    {"socket", do_socket},
    {"fork", do_fork},
    {"clone", do_vfork_clone},
    {"thread", do_thread},
    {"clone3", do_clone3},
    {"exec", do_exec},
    {"kill", do_kill},
    {"kill_raw", do_kill_raw},
    {"write", do_write},
    {"recvmsg_0", do_read_other},
    {"fcntl", do_fcntl},
    {"dup", do_dup},
    {"ioctl", do_ioctl},
    {"prctl", do_prctl},
    {"ptrace", do_ptrace},
    {"memfd", do_memfd},
    {"io_uring", do_uring},
    {"setsockopt", do_setsockopt},
    {"map_exec", do_map_exec},
    {"protect_exec", do_protect_exec},
};

enum err codec_decode(const void *data, size_t len, const struct codec_decode_options *o,
                      codec_alloc_fn *alloc, void *ctx, struct codec_header *header,
                      struct err_note *note)
{
    struct asked a = {o, alloc, ctx, 1, 1};
    char text[64] = "draw", name[32] = "draw";

    // decoder_open() sends a real PNG.
    if (len < sizeof(text) && memcmp(data, "\x89PNG", 4) != 0) {
        memcpy(text, data, len);
        text[len] = '\0';
    }
    (void)!sscanf(text, "%31s %d %d", name, &a.w, &a.h);
    for (size_t i = 0; i < sizeof(mode) / sizeof(mode[0]); i++)
        if (strcmp(mode[i].name, name) == 0)
            return mode[i].fn(&a, header, note);
    return err_set(note, ERR_BUG, "no mode %s", name);
}
