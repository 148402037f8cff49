/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NET_ADDR_POLICY_H
#define PATINA_NET_ADDR_POLICY_H

#include "base/err.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * Where the service may connect to on a stranger's behalf. Pure functions of their arguments: no
 * DNS, no sockets. See docs/security.md.
 */
enum { ADDR_ALLOW_MAX = 64 };

struct addr_policy {
    struct {
        uint8_t addr[16];    /* IPv4 as ::ffff:a.b.c.d */
        int bits;            /* 0..128 */
    } allow[ADDR_ALLOW_MAX]; /* exempt from address and port rules (PATINA_FETCH_ALLOW) */
    int allow_count;
    bool allow_http; /* plain http and ports 80, 8080 (PATINA_FETCH_HTTP) */
};

/* Parses "10.0.0.0/8,fd00::/8,127.0.0.1"; ERR_INVALID names the bad entry (then *p is untouched).
 * NULL or "": none. */
MUST_USE enum err addr_policy_parse(struct addr_policy *p, const char *cidrs, bool allow_http,
                                    struct err_note *note);

/* Whether the address may be connected to. Refused: everything that is not global unicast by the
 * IANA special-purpose registries (RFC 6890 and successors), all of IPv4-mapped IPv6, 6to4 and
 * Teredo, and NAT64 forms of refused IPv4 addresses. */
bool addr_allowed(const struct addr_policy *p, const struct sockaddr *sa);

/* Whether the port may be used on public addresses: 443 and 8443; 80 and 8080 too with allow_http.
 */
bool addr_port_public(const struct addr_policy *p, int port);

/* Whether the port may be: 443 and 8443; 80 and 8080 too with allow_http; any on an address in
 * `allow`. */
bool addr_port_allowed(const struct addr_policy *p, const struct sockaddr *sa, int port);

#endif
