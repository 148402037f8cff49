/* SPDX-License-Identifier: MIT */
#ifndef PATINA_HTTP_ROUTER_H
#define PATINA_HTTP_ROUTER_H

#include "http/http.h"

/* Finds the row of a table of routes. Pure functions. */

enum router_result { ROUTER_FOUND, ROUTER_NO_PATH, ROUTER_NO_METHOD, ROUTER_NOMEM };

struct router_match {
    const struct http_route *route;     /* of ROUTER_FOUND */
    const char *param[HTTP_PARAMS_MAX]; /* in the arena; "" past the last */
    unsigned allow;                     /* bits 1 << enum http_method that the path knows,
                                           HEAD and OPTIONS included; unless ROUTER_NO_PATH */
};

enum { ROUTER_ALLOW_TEXT = 32 };

/* `path` as target_parse() gives it. The first row that fits wins. HEAD is answered by GET rows. */
enum router_result router_find(const struct http_route *routes, int count, const char *path,
                               enum http_method method, struct arena *a, struct router_match *out);

/* "GET, HEAD, OPTIONS" */
void router_allow(unsigned allow, char out[ROUTER_ALLOW_TEXT]);

/* `path` with its prefix `from` (whole segments) replaced by `to`; `path` itself when it does not
 * have it; NULL when memory ran out. */
const char *router_alias(const char *path, const char *from, const char *to, struct arena *a);

#endif
