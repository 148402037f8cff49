/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SANDBOX_RENDER_POOL_INTERNAL_H
#define PATINA_SANDBOX_RENDER_POOL_INTERNAL_H

#include "sandbox/child.h"
#include "sandbox/render.h"

#include <pthread.h>

/*
 * The server's side of render_wire.h, in two parts: the keeper, who starts renderers and buries
 * them (render_pool.c), and the callers, who talk with one each (render_call.c).
 *
 *     DEAD --keeper, after a pause--> STARTING --READY--> IDLE <--caller--> BUSY
 *       ^------------- ended, overran, or said what cannot be -----------------'
 *
 * Only the keeper acts on a renderer that is DEAD, STARTING or IDLE (under the lock), only the
 * caller that took it on one that is BUSY (without).
 */
enum renderer_state { RENDERER_DEAD, RENDERER_STARTING, RENDERER_IDLE, RENDERER_BUSY };

struct renderer {
    enum renderer_state state;
    struct child child;
    int failures;  // ends in a row without an answer between them
    int64_t at_ns; // DEAD: start not before; STARTING: give up after
};

struct render_pool {
    struct render_pool_options o;
    pthread_t keeper;
    int wake_fd; // an eventfd the keeper polls: a renderer died, or the pool closes

    pthread_mutex_t lock;
    pthread_cond_t changed; // a renderer became IDLE, a start failed, a caller left
    struct renderer *renderer;
    uint64_t calls;
    int callers; // threads inside render_run()
    int failed_starts;
    struct err_note failure; // of the last start that failed
    atomic_bool closing;
};

/* Waits for `changed` at most one tick, since flags of callers have no condition variable. Under
 * the lock. */
void render_pool_wait(struct render_pool *p);

/* Takes back a BUSY renderer from its caller, or what is left of it. Without the lock. */
void render_pool_give_back(struct render_pool *p, struct renderer *r, bool healthy);

#endif
