/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SERVER_SETTINGS_H
#define PATINA_SERVER_SETTINGS_H

#include "base/arena.h"
#include "base/config.h"
#include "base/log.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The settings of the service. settings_config is the one table that flags, PATINA_ variables,
 * `--help` and the documentation are made from; a row is here when this build acts on it. Flags win
 * over variables.
 */
struct settings {
    const char *listen;       /* "127.0.0.1:8080" */
    const char *admin_listen; /* NULL: the usual place, when it is free */
    const char *public_url;   /* without a slash at its end */
    const char *data;
    const char *database; /* "sqlite:PATH" */
    const char *blobs;    /* "dir:PATH" */
    int64_t workers;
    const char *engine;
    const char *looks, *model, *isa; /* or NULL */
    int64_t pixels;
    int64_t memory_mb, disk_reserve_mb;
    int64_t retention_hours;
    int64_t job_timeout_s; /* 0: five times the engine's estimate, at least 300 */
    int64_t drain_s;
    int64_t cost_points;
    int64_t concurrency, queue_limit, rate_limit;
    const char *fetch_allow; /* or NULL */
    bool fetch_http;
    const char *fetch_ca;    /* or NULL */
    const char *deny;        /* or NULL */
    const char *cors_origin; /* or NULL */
    const char *api_key;     /* or NULL */
    int64_t first_points;
    const char *log;

    /* Worked out by settings_resolve(). */
    const char *host; /* of `listen`, without brackets */
    int port;         /* 0: any free one */
    const char *database_path, *blobs_path;
    enum log_format log_format;
};

extern const struct config settings_config;

/* Appends docs/settings.md. */
void settings_describe(struct buf *out);

/* Fills in the defaults that depend on others or on the machine, takes addresses and locations
 * apart and checks what no single row can. New strings live in `a`. ERR_INVALID with a note that
 * says what to do. */
MUST_USE enum err settings_resolve(struct settings *s, struct arena *a, struct err_note *note);

/* The default of public_url once the port is known: "http://" and the address, with 0.0.0.0 and ::
 * as 127.0.0.1. NULL when memory ran out. */
const char *settings_default_url(struct arena *a, const char *host, int port);

#endif
