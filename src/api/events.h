/* SPDX-License-Identifier: MIT */
#ifndef PATINA_API_EVENTS_H
#define PATINA_API_EVENTS_H

#include "base/err.h"

#include <stdint.h>

/*
 * Server-Sent Events of one job each (HTML Living Standard, "Server-sent events"): the task object
 * at each change of status or progress, a comment every so often, the end behind the terminal
 * event.
 *
 * One thread looks several times a second at what each stream's job is doing and wakes the streams
 * that have news, each EVENTS_TICK_MS after its last event at the earliest. A running job is looked
 * up on the board, in memory; a waiting one in the store, once a second; what is sent is read when
 * it is sent.
 */
enum {
    EVENTS_TICK_MS = 200,         /* between two events: at most five a second */
    EVENTS_AGAIN_MS = 20,         /* until the next look, when for some it was too early */
    EVENTS_WAITING_MS = 1000,     /* how often waiting jobs are looked up */
    EVENTS_COMMENT_MS = 15 * 1000 /* of silence, then a comment keeps proxies from cutting */
};

struct api;
struct events;

MUST_USE enum err events_new(struct api *a, struct events **out, struct err_note *note);

/* Every stream must have been closed: after http_server_stop(). NULL is fine. */
void events_free(struct events *e);

#endif
