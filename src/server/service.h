/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SERVER_SERVICE_H
#define PATINA_SERVER_SERVICE_H

#include "server/settings.h"

/* Everything that `patina serve` runs, opened in order and closed in the opposite one. Here alone
 * back ends are named. Functions are called from one thread. */
struct service;

/* Opens and starts all of it; requests are answered when this returns. `s` and what it points to
 * outlive the service. On failure nothing is left. */
MUST_USE enum err service_open(struct settings *s, struct service **out, struct err_note *note);

/* "http://127.0.0.1:8080", where it really listens. */
const char *service_url(const struct service *v);

/* To be called about once a second: looks at the free disk. */
void service_tick(struct service *v);

/* New jobs are refused and none is started; running ones are waited for, up to `ms`. True when none
 * runs any more. May be called again. */
bool service_drain(struct service *v, int64_t ms);

/* Hands back what still runs and closes everything. */
void service_close(struct service *v);

/* The render process: `patina --renderer`, started by the service itself. */
int renderer_command(int argc, char **argv);

#endif
