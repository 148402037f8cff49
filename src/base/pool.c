/* SPDX-License-Identifier: MIT */
#include "base/pool.h"

#include <pthread.h>
#include <stdlib.h>

struct pool {
    int width;
    int started;
    pthread_t thread[POOL_THREADS_MAX];

    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    unsigned round; /* counts loops, so that a sleeper knows a new one */
    int busy;       /* threads still in this round */
    int next_worker;
    bool quit;

    pool_fn *fn;
    void *ctx;
    int count;
    const atomic_bool *cancel;
    atomic_int next;
};

static bool cancelled(const struct pool *p)
{
    return p->cancel && atomic_load_explicit(p->cancel, memory_order_relaxed);
}

static void take_turns(struct pool *p, int worker)
{
    while (!cancelled(p)) {
        int i = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
        if (i >= p->count)
            return;
        p->fn(p->ctx, i, worker);
    }
}

static void *thread_main(void *arg)
{
    struct pool *p = arg;
    unsigned seen = 0;

    pthread_mutex_lock(&p->lock);
    int worker = ++p->next_worker;
    for (;;) {
        while (p->round == seen && !p->quit)
            pthread_cond_wait(&p->work, &p->lock);
        if (p->quit)
            break;
        seen = p->round;
        pthread_mutex_unlock(&p->lock);
        take_turns(p, worker);
        pthread_mutex_lock(&p->lock);
        if (--p->busy == 0)
            pthread_cond_signal(&p->idle);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* With a stack of its own size, whatever `ulimit -s` says. */
static int start(struct pool *p, pthread_t *thread)
{
    pthread_attr_t how;

    int code = pthread_attr_init(&how);
    if (code != 0)
        return code;
    code = pthread_attr_setstacksize(&how, POOL_STACK_BYTES);
    if (code == 0)
        code = pthread_create(thread, &how, thread_main, p);
    pthread_attr_destroy(&how);
    return code;
}

enum err pool_open(int threads, struct pool **out, struct err_note *note)
{
    struct pool *p = calloc(1, sizeof(*p));

    if (!p)
        return err_set(note, ERR_NOMEM, "no memory for threads");
    p->width = threads < 1 ? 1 : threads > POOL_THREADS_MAX ? POOL_THREADS_MAX : threads;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->idle, NULL);
    for (; p->started < p->width - 1; p->started++) {
        int code = start(p, &p->thread[p->started]);
        if (code != 0) {
            pool_close(p);
            return err_set(note, ERR_UNAVAILABLE, "cannot start a thread: error %d", code);
        }
    }
    *out = p;
    return ERR_OK;
}

void pool_close(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->quit = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->started; i++)
        pthread_join(p->thread[i], NULL);
    pthread_cond_destroy(&p->work);
    pthread_cond_destroy(&p->idle);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

int pool_width(const struct pool *p)
{
    return p->width;
}

bool pool_run(struct pool *p, int count, pool_fn *fn, void *ctx, const atomic_bool *cancel)
{
    pthread_mutex_lock(&p->lock);
    p->fn = fn;
    p->ctx = ctx;
    p->count = count;
    p->cancel = cancel;
    atomic_store(&p->next, 0);
    p->busy = p->started;
    p->round++;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);

    take_turns(p, 0);

    pthread_mutex_lock(&p->lock);
    while (p->busy > 0)
        pthread_cond_wait(&p->idle, &p->lock);
    pthread_mutex_unlock(&p->lock);
    return !cancelled(p);
}
