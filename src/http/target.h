/* SPDX-License-Identifier: MIT */
#ifndef PATINA_HTTP_TARGET_H
#define PATINA_HTTP_TARGET_H

#include "base/arena.h"

#include <stddef.h>

/* A request target (RFC 9112 section 3.2) taken apart. Pure functions; strings live in the arena.
 */
struct target {
    const char *path;  /* begins with '/', percent-decoded; no empty, "." or ".." segments and no
                          slash at its end ("/" alone excepted); valid UTF-8 without controls. An
                          encoded slash or control character stays encoded */
    const char *query; /* as sent, without '?'; "" when there is none */
};

/* ERR_INVALID (with what is wrong) for anything but the origin form and the absolute form with
 * http or https, bytes outside 0x21..0x7E, bad percent-encoding. ERR_NOMEM, without
 * a note. */
MUST_USE enum err target_parse(struct target *out, struct arena *a, const char *raw, size_t len,
                               struct err_note *note);

/* The first parameter of that name in a query that target_parse() let through, decoded, '+' as
 * space; NULL when absent or memory ran out. */
const char *target_query(const char *query, const char *name, struct arena *a);

#endif
