/* SPDX-License-Identifier: MIT */
#include "api/side.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { THREADS_MAX = 16 };

struct side {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct side_task *first, **last;
    int waiting;
    bool stop;
    pthread_t thread[THREADS_MAX];
    int threads;
};

static void *run(void *arg)
{
    struct side *s = arg;

    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (!s->first && !s->stop)
            pthread_cond_wait(&s->work, &s->lock);
        struct side_task *t = s->first;
        if (!t)
            break;
        s->first = t->next;
        if (!s->first)
            s->last = &s->first;
        s->waiting--;
        pthread_mutex_unlock(&s->lock);
        t->run(t->ctx);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

enum err side_new(int threads, struct side **out, struct err_note *note)
{
    struct side *s = calloc(1, sizeof(*s));

    if (!s)
        return err_set(note, ERR_NOMEM, "out of memory");
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    s->last = &s->first;
    for (; s->threads < threads && s->threads < THREADS_MAX; s->threads++) {
        errno = pthread_create(&s->thread[s->threads], NULL, run, s);
        if (errno) {
            enum err e = err_errno(note, "cannot start a thread");
            side_free(s);
            return e;
        }
    }
    *out = s;
    return ERR_OK;
}

void side_free(struct side *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_broadcast(&s->work);
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < s->threads; i++)
        pthread_join(s->thread[i], NULL);
    pthread_cond_destroy(&s->work);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

bool side_run(struct side *s, struct side_task *task)
{
    pthread_mutex_lock(&s->lock);
    bool room = s->waiting < SIDE_WAITING_MAX && !s->stop;
    if (room) {
        task->next = NULL;
        *s->last = task;
        s->last = &task->next;
        s->waiting++;
        pthread_cond_signal(&s->work);
    }
    pthread_mutex_unlock(&s->lock);
    return room;
}
