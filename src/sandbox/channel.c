/* SPDX-License-Identifier: MIT */
#include "sandbox/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

// Room for exactly one descriptor: the kernel closes what does not fit.
union one_fd {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

enum err channel_pair(int pair[2], struct err_note *note)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return err_errno(note, "socketpair");
    if (fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0) {
        enum err e = err_errno(note, "socketpair");
        close(pair[0]);
        close(pair[1]);
        return e;
    }
    // Best effort, for machines whose default is smaller than Linux's own.
    for (int i = 0; i < 2; i++) {
        int bytes = CHANNEL_MESSAGE_MAX + 4096;
        (void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    }
    return ERR_OK;
}

enum err channel_send(int sock, const void *head, size_t head_len, const void *tail,
                      size_t tail_len, int pass_fd)
{
    union one_fd control;
    struct iovec part[2] = {{(void *)head, head_len}, {(void *)tail, tail_len}};
    struct msghdr m = {.msg_iov = part, .msg_iovlen = tail_len ? 2 : 1};
    ssize_t n;

    if (pass_fd >= 0) {
        memset(&control, 0, sizeof(control));
        m.msg_control = &control;
        m.msg_controllen = CMSG_LEN(sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &pass_fd, sizeof(int));
    }
    do
        n = sendmsg(sock, &m, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return ERR_OK;
    return errno == EPIPE || errno == ECONNRESET ? ERR_CRASHED : ERR_IO;
}

static int take_fd(struct msghdr *m)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    int fd = -1;

    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&fd, CMSG_DATA(c), sizeof(int));
    return fd;
}

enum err channel_recv(int sock, void *data, size_t cap, size_t *len, int *fd)
{
    union one_fd control;
    struct iovec part = {data, cap};
    struct msghdr m;
    ssize_t n;

    if (fd)
        *fd = -1;
    do {
        m = (struct msghdr){.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = CMSG_LEN(sizeof(int))};
        n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
        // A peer that closed with our message unread resets, once; what it had sent is behind that.
    } while (n < 0 && (errno == EINTR || errno == ECONNRESET));
    if (n < 0)
        return errno == EAGAIN ? ERR_NONE : ERR_IO;
    int got = take_fd(&m);
    if (got >= 0 && (!fd || n == 0 || (m.msg_flags & MSG_TRUNC))) {
        close(got);
        got = -1;
    }
    if (n == 0)
        return ERR_NONE;
    if (m.msg_flags & MSG_TRUNC)
        return ERR_CORRUPT;
    if (fd)
        *fd = got;
    *len = (size_t)n;
    return ERR_OK;
}
