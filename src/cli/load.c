/* SPDX-License-Identifier: MIT */
#include "cli/load.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    THREADS_MAX = 16,
    ANSWER_MAX = 16 * 1024, /* head and body; a task has 700 bytes */
    SUB_BITS = 5,           /* 32 steps for each doubling: 3 % */
    BUCKETS = 64 << SUB_BITS
};

struct link {
    int fd;
    int64_t sent_ns;
    int next; /* request */
    size_t have;
    bool sampled;
    char answer[ANSWER_MAX + 1];
};

struct worker {
    const struct load *load;
    pthread_t thread;
    struct link *link;
    int links;
    int64_t until_ns;
    int64_t answers, failures;
    uint32_t bucket[BUCKETS];
    struct buf sample;
    enum err result;
    struct err_note note;
};

static int bucket_of(int64_t ns)
{
    uint64_t v = ns > 0 ? (uint64_t)ns : 1;
    int top = 63 - __builtin_clzll(v);

    if (top < SUB_BITS)
        return (int)v;
    return (top - SUB_BITS + 1) << SUB_BITS | (int)(v >> (top - SUB_BITS) & ((1 << SUB_BITS) - 1));
}

static int64_t bucket_ns(int bucket)
{
    int step = (bucket >> SUB_BITS) - 1;
    int64_t low = bucket & ((1 << SUB_BITS) - 1);

    return step < 0 ? low : (low + (1 << SUB_BITS)) << step;
}

static enum err dial(const struct load *l, int *out, struct err_note *note)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)l->port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a))) {
        enum err e = err_errno(note, "connecting to port %d", l->port);
        if (fd >= 0)
            close(fd);
        return e;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    *out = fd;
    return ERR_OK;
}

static enum err send_next(struct worker *w, struct link *k)
{
    const struct buf *r = &w->load->request[k->next++ % w->load->request_count];

    k->have = 0;
    k->sent_ns = clock_mono_ns(&clock_system);
    // Requests are far smaller than a socket's buffer, which is empty here.
    if (send(k->fd, r->data, r->len, MSG_NOSIGNAL) != (ssize_t)r->len)
        return err_errno(&w->note, "sending a request");
    return ERR_OK;
}

// Length of the whole answer at k->answer, 0 while its head is not complete.
static size_t answer_length(struct link *k, size_t *body_at)
{
    static const char field[] = "Content-Length: ";

    k->answer[k->have] = '\0';
    const char *end = strstr(k->answer, "\r\n\r\n");
    if (!end)
        return 0;
    const char *length = strstr(k->answer, field);
    *body_at = (size_t)(end - k->answer) + 4;
    if (!length || length > end)
        return *body_at;
    return *body_at + strtoul(length + sizeof(field) - 1, NULL, 10);
}

static void count(struct worker *w, struct link *k, size_t body_at)
{
    int64_t ns = clock_mono_ns(&clock_system) - k->sent_ns;

    if (memcmp(k->answer + 9, "200", 3) != 0) {
        w->failures++;
        return;
    }
    w->answers++;
    w->bucket[bucket_of(ns)]++;
    if (!k->sampled && w->load->sample) {
        buf_add(&w->sample, k->answer + body_at, k->have - body_at);
        buf_addc(&w->sample, '\0');
        k->sampled = true;
    }
}

static enum err on_readable(struct worker *w, struct link *k)
{
    size_t body_at = 0;
    ssize_t n = recv(k->fd, k->answer + k->have, ANSWER_MAX - k->have, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return ERR_OK;
    if (n <= 0)
        return err_set(&w->note, ERR_IO, "the server closed a connection");
    k->have += (size_t)n;
    size_t want = answer_length(k, &body_at);
    if (want > ANSWER_MAX)
        return err_set(&w->note, ERR_IO, "an answer is too long");
    if (!want || k->have < want)
        return ERR_OK;
    count(w, k, body_at);
    return send_next(w, k);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct epoll_event ready[256];
    int poller = epoll_create1(EPOLL_CLOEXEC);

    for (int i = 0; i < w->links && !w->result; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = &w->link[i]};
        epoll_ctl(poller, EPOLL_CTL_ADD, w->link[i].fd, &e);
        w->result = send_next(w, &w->link[i]);
    }
    while (!w->result && clock_mono_ns(&clock_system) < w->until_ns) {
        int n = epoll_wait(poller, ready, sizeof(ready) / sizeof(ready[0]), 100);
        for (int i = 0; i < n && !w->result; i++)
            w->result = on_readable(w, ready[i].data.ptr);
    }
    close(poller);
    return NULL;
}

static double quantile_us(const struct worker *w, int threads, int64_t total, double q)
{
    int64_t want = (int64_t)((double)total * q), seen = 0;

    for (int b = 0; b < BUCKETS; b++) {
        for (int t = 0; t < threads; t++)
            seen += w[t].bucket[b];
        if (seen > want)
            return (double)bucket_ns(b) / 1000;
    }
    return 0;
}

static enum err collect(const struct load *l, struct worker *w, int threads, int64_t start_ns,
                        struct load_result *out, struct err_note *note)
{
    struct load_result r = {0};
    double seconds = (double)(clock_mono_ns(&clock_system) - start_ns) / 1e9;

    for (int i = 0; i < threads; i++) {
        if (w[i].result) {
            if (note)
                *note = w[i].note;
            return w[i].result;
        }
        r.answers += w[i].answers;
        r.failures += w[i].failures;
        if (l->sample)
            buf_add(l->sample, w[i].sample.data, w[i].sample.len);
    }
    r.per_s = (double)r.answers / seconds;
    r.p50_us = quantile_us(w, threads, r.answers, .50);
    r.p99_us = quantile_us(w, threads, r.answers, .99);
    *out = r;
    return ERR_OK;
}

enum err load_run(const struct load *l, struct load_result *out, struct err_note *note)
{
    int threads = l->threads < THREADS_MAX ? l->threads : THREADS_MAX, dialled = 0;
    struct worker *w = calloc((size_t)threads, sizeof(*w));
    struct link *links = calloc((size_t)l->connections, sizeof(*links));
    enum err e = ERR_OK;

    if (!w || !links) {
        free(w);
        free(links);
        return err_set(note, ERR_NOMEM, "out of memory");
    }
    for (; !e && dialled < l->connections; dialled++) {
        links[dialled].next = dialled;
        e = dial(l, &links[dialled].fd, note);
        if (e)
            break;
    }
    int64_t start = clock_mono_ns(&clock_system);
    int started = 0;
    for (int at = 0; !e && started < threads; started++) {
        struct worker *t = &w[started];
        int share = (l->connections - at) / (threads - started);
        t->load = l;
        t->link = links + at;
        t->links = share;
        t->until_ns = start + l->duration_ms * (int64_t)1000000;
        at += share;
        errno = pthread_create(&t->thread, NULL, work, t);
        if (errno) {
            e = err_errno(note, "starting a thread");
            break;
        }
    }
    for (int i = 0; i < started; i++)
        pthread_join(w[i].thread, NULL);
    if (!e)
        e = collect(l, w, threads, start, out, note);
    for (int i = 0; i < dialled; i++)
        close(links[i].fd);
    for (int i = 0; i < threads; i++)
        buf_release(&w[i].sample);
    free(links);
    free(w);
    return e;
}
