/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NET_URL_H
#define PATINA_NET_URL_H

#include "base/arena.h"
#include "net/addr_policy.h"

enum { URL_BYTES_MAX = 8192 }; /* what common servers take; the API's own limits are lower */

/* A URL taken apart (RFC 3986 syntax, the host rules of the WHATWG URL standard where they decide
 * what an address is: 0x7f.1, 2130706433 and the like are IPv4 literals). */
struct url {
    bool https;                      /* else http */
    const char *host;                /* lower case ASCII without brackets and trailing dot, an
                                        address in its usual form; never empty */
    int port;                        /* 1..65535, explicit or the scheme's */
    const char *path;                /* begins with '/', includes the query, no fragment, ASCII */
    bool has_literal;                /* host is an address: */
    struct sockaddr_storage literal; /* with port */
};

/* Strings live in `a`. ERR_INVALID with what is wrong: no scheme or another one (reason not_https),
 * no host, userinfo, bad port, white space, control characters or a backslash, over URL_BYTES_MAX.
 * Hosts are ASCII: names in other scripts have to come in their "xn--" form. */
MUST_USE enum err url_parse(struct url *out, struct arena *a, const char *s, struct err_note *note);

/*
 * What the text of a URL alone shows to be refused, before any DNS: plain http (unless allowed),
 * ports, literal inside addresses, `localhost` names. ERR_INVALID with note.reason not_https,
 * blocked_port or blocked_address. Ports of names are judged as if they resolved outside `allow`,
 * unless `allow` is not empty: then only the connection decides.
 */
MUST_USE enum err url_check(const struct url *u, const struct addr_policy *p,
                            struct err_note *note);

#endif
