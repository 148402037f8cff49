/* SPDX-License-Identifier: MIT */
#include "http/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

// Sockets that are being closed gently, and for how long each at most. More than these at once is
// an attack, and then the rest is closed at once.
enum { LINGER_MAX = 64, LINGER_MS = 2000 };

struct closing {
    int fd;
    int64_t until_ns; /* of the real clock: this is about the network, not about the service */
};

struct watch {
    const struct clock *clock;
    pthread_t thread;
    int wake; /* eventfd: something to drain, or the end */
    pthread_mutex_t lock;
    struct watched *first;
    int count;
    struct closing linger[LINGER_MAX];
    int lingering;
    bool stop;
};

static void wake(struct watch *w)
{
    uint64_t one = 1;

    while (write(w->wake, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

// The owner's event loop sees the end of the stream and closes; the descriptor is certainly still
// its own while the connection is in the list.
static void cut(struct watched *c)
{
    if (!atomic_exchange(&c->cut, true))
        shutdown(c->fd, SHUT_RDWR);
}

static void cut_late(struct watch *w)
{
    int64_t now = clock_mono_ns(w->clock);

    for (struct watched *c = w->first; c; c = c->next) {
        int64_t deadline = atomic_load_explicit(&c->deadline_ns, memory_order_relaxed);
        if (deadline && now >= deadline)
            cut(c);
    }
}

/*
 * libmicrohttpd takes a short read for the end of what there is, so an end of stream that came with
 * the request is never seen, and a client that sends one request and shuts its side down would wait
 * for the end of ours until the next deadline. Two ticks in a row, because a request that was read
 * already may be about to begin.
 */
static void cut_hung_up(struct watch *w)
{
    for (struct watched *c = w->first; c; c = c->next) {
        struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};
        bool gone = atomic_load(&c->idle) && poll(&p, 1, 0) == 1;
        if (gone && c->hung_up)
            cut(c);
        c->hung_up = gone;
    }
}

// True while more may come.
static bool drain(int fd)
{
    static const int reads_max = 64; // then the others get their turn
    char junk[16384];

    for (int i = 0; i < reads_max; i++) {
        ssize_t n = recv(fd, junk, sizeof(junk), MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        if (n < 0 && errno == EAGAIN)
            return true;
    }
    return true;
}

static void tend_lingering(struct watch *w)
{
    int64_t now = clock_mono_ns(&clock_system);

    for (int i = 0; i < w->lingering;) {
        struct closing *l = &w->linger[i];
        if (!w->stop && now < l->until_ns && drain(l->fd)) {
            i++;
            continue;
        }
        close(l->fd);
        *l = w->linger[--w->lingering];
    }
}

static void *run(void *arg)
{
    struct watch *w = arg;
    struct pollfd poller[1 + LINGER_MAX];
    bool stop = false;

    while (!stop) {
        int n = 0;
        poller[n++] = (struct pollfd){.fd = w->wake, .events = POLLIN};
        pthread_mutex_lock(&w->lock);
        for (int i = 0; i < w->lingering; i++)
            poller[n++] = (struct pollfd){.fd = w->linger[i].fd, .events = POLLIN};
        pthread_mutex_unlock(&w->lock);
        poll(poller, (nfds_t)n, WATCH_TICK_MS);
        if (poller[0].revents) {
            uint64_t junk;
            ssize_t got = read(w->wake, &junk, sizeof(junk));
            (void)got;
        }
        pthread_mutex_lock(&w->lock);
        cut_late(w);
        cut_hung_up(w);
        tend_lingering(w);
        stop = w->stop;
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

enum err watch_new(const struct clock *clock, struct watch **out, struct err_note *note)
{
    struct watch *w = calloc(1, sizeof(*w));

    if (!w)
        return err_set(note, ERR_NOMEM, "out of memory");
    w->clock = clock;
    w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->wake < 0) {
        free(w);
        return err_errno(note, "cannot make an event descriptor");
    }
    pthread_mutex_init(&w->lock, NULL);
    errno = pthread_create(&w->thread, NULL, run, w);
    if (errno) {
        enum err e = err_errno(note, "cannot start a thread");
        close(w->wake);
        free(w);
        return e;
    }
    *out = w;
    return ERR_OK;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_mutex_unlock(&w->lock);
    wake(w);
    pthread_join(w->thread, NULL);
    close(w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

// Fills the 16 bytes that connections are counted by; true for loopback.
static bool read_address(const struct sockaddr *peer, uint8_t out[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

    memset(out, 0, 16);
    if (peer && peer->sa_family == AF_INET) {
        memcpy(out, mapped, 12);
        memcpy(out + 12, &((const struct sockaddr_in *)(const void *)peer)->sin_addr, 4);
    } else if (peer && peer->sa_family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr, 16);
    }
    if (!memcmp(out, mapped, 12))
        return out[12] == 127;
    bool loopback = IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)(const void *)out);
    memset(out + 8, 0, 8);
    return loopback;
}

bool watch_add(struct watch *w, struct watched *c, int fd, const struct sockaddr *peer,
               int64_t deadline_ns, int per_address)
{
    bool loopback = read_address(peer, c->address);
    int same = 0;

    c->fd = fd;
    atomic_store(&c->deadline_ns, deadline_ns);
    pthread_mutex_lock(&w->lock);
    for (struct watched *p = w->first; p && !loopback; p = p->next)
        same += !memcmp(p->address, c->address, sizeof(c->address));
    c->prev = NULL;
    c->next = w->first;
    if (w->first)
        w->first->prev = c;
    w->first = c;
    w->count++;
    pthread_mutex_unlock(&w->lock);
    return same < per_address;
}

void watch_remove(struct watch *w, struct watched *c)
{
    int waiting = 0;
    bool keep = !atomic_load(&c->cut) &&
                (c->unread || (ioctl(c->fd, FIONREAD, &waiting) == 0 && waiting > 0));

    pthread_mutex_lock(&w->lock);
    if (c->prev)
        c->prev->next = c->next;
    else
        w->first = c->next;
    if (c->next)
        c->next->prev = c->prev;
    w->count--;
    keep = keep && w->lingering < LINGER_MAX && !w->stop;
    int fd = keep ? fcntl(c->fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (fd >= 0) {
        int64_t until = clock_mono_ns(&clock_system) + LINGER_MS * (int64_t)1000000;
        w->linger[w->lingering++] = (struct closing){fd, until};
    }
    pthread_mutex_unlock(&w->lock);
    if (fd >= 0)
        wake(w);
}

int watch_count(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    int n = w->count;
    pthread_mutex_unlock(&w->lock);
    return n;
}

void watch_each(struct watch *w, void (*each)(struct watched *c))
{
    pthread_mutex_lock(&w->lock);
    for (struct watched *c = w->first; c; c = c->next)
        each(c);
    pthread_mutex_unlock(&w->lock);
}
