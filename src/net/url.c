/* SPDX-License-Identifier: MIT */
/*
 * One parser decides what host a URL means; everything behind it (policy, DNS, libcurl) is given
 * the result, never the text again. Where parsers are known to differ (backslashes, percent-encoded
 * or non-ASCII hosts, userinfo) the URL is refused instead of guessed at.
 */
#include "net/url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    HOST_BYTES_MAX = 253, // RFC 1035: 255 octets on the wire
    LABEL_BYTES_MAX = 63
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// The value of one part of an IPv4 address as the WHATWG URL standard reads it (decimal, 0x hex, 0
// octal); false when it is none.
static bool v4_part(const char *s, size_t len, uint64_t *out)
{
    unsigned base = 10;
    uint64_t v = 0;

    if (len == 0)
        return false;
    if (len >= 2 && s[0] == '0' && s[1] == 'x') {
        base = 16;
        s += 2;
        len -= 2;
    } else if (len >= 2 && s[0] == '0') {
        base = 8;
        s++;
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned digit = is_digit(s[i])                 ? (unsigned)(s[i] - '0')
                         : (s[i] >= 'a' && s[i] <= 'f') ? (unsigned)(s[i] - 'a') + 10
                                                        : 99;
        if (digit >= base)
            return false;
        if (v <= UINT32_MAX) // more cannot become valid again
            v = v * base + digit;
    }
    *out = v;
    return true;
}

// WHATWG's "ends in a number": then the host is an IPv4 address or nothing.
static bool ends_in_number(const char *host)
{
    const char *dot = strrchr(host, '.');
    const char *last = dot ? dot + 1 : host;
    uint64_t ignored;

    return (*last && strspn(last, "0123456789") == strlen(last)) ||
           (last[0] == '0' && last[1] == 'x' && v4_part(last, strlen(last), &ignored));
}

static bool parse_v4(const char *host, struct in_addr *out)
{
    uint64_t part[4], value = 0;
    int count = 0;

    for (const char *at = host;;) {
        size_t n = strcspn(at, ".");
        if (count == 4 || !v4_part(at, n, &part[count]))
            return false;
        count++;
        if (!at[n])
            break;
        at += n + 1;
    }
    for (int i = 0; i < count - 1; i++) {
        if (part[i] > 255)
            return false;
        value |= part[i] << (24 - 8 * i);
    }
    if (part[count - 1] >= (uint64_t)1 << (8 * (5 - count)))
        return false;
    out->s_addr = htonl((uint32_t)(value | part[count - 1]));
    return true;
}

static bool valid_name(const char *host)
{
    size_t label = 0;

    for (const char *c = host; *c; c++) {
        if (*c == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if ((*c >= 'a' && *c <= 'z') || is_digit(*c) || *c == '-' || *c == '_') {
            if (++label > LABEL_BYTES_MAX)
                return false;
        } else {
            return false;
        }
    }
    return label > 0;
}

static enum err set_literal(struct url *u, struct arena *a, int family, const void *addr,
                            struct err_note *note)
{
    char text[INET6_ADDRSTRLEN];

    u->has_literal = true;
    if (family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)&u->literal;
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)u->port);
        memcpy(&in->sin_addr, addr, sizeof(in->sin_addr));
    } else {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)&u->literal;
        in->sin6_family = AF_INET6;
        in->sin6_port = htons((uint16_t)u->port);
        memcpy(&in->sin6_addr, addr, sizeof(in->sin6_addr));
    }
    inet_ntop(family, addr, text, sizeof(text));
    u->host = arena_strdup(a, text);
    return u->host ? ERR_OK : err_set(note, ERR_NOMEM, "out of memory");
}

static enum err parse_host(struct url *u, struct arena *a, const char *s, size_t len,
                           struct err_note *note)
{
    char host[HOST_BYTES_MAX + 2];
    struct in6_addr v6;
    struct in_addr v4;

    if (len == 0)
        return err_set(note, ERR_INVALID, "the URL has no host");
    if (len > HOST_BYTES_MAX + 1)
        return err_set(note, ERR_INVALID, "the host in the URL is longer than %d characters",
                       HOST_BYTES_MAX);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)s[i] >= 0x80)
            return err_set(note, ERR_INVALID,
                           "write the host in its ASCII form (\"xn--...\"), not in Unicode");
        if (s[i] == '%')
            return err_set(note, ERR_INVALID, "write the host without percent signs");
        host[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] + 32) : s[i];
    }
    host[len] = '\0';
    if (host[0] == '[') {
        host[len - 1] = '\0'; // the caller saw the bracket
        if (inet_pton(AF_INET6, host + 1, &v6) != 1)
            return err_set(note, ERR_INVALID, "'%s]' is not an IPv6 address", host);
        return set_literal(u, a, AF_INET6, &v6, note);
    }
    // A trailing dot only says that the name is complete.
    if (host[len - 1] == '.')
        host[--len] = '\0';
    if (!valid_name(host) || len > HOST_BYTES_MAX)
        return err_set(note, ERR_INVALID, "'%s' is not a host name", host);
    if (ends_in_number(host)) {
        if (!parse_v4(host, &v4))
            return err_set(note, ERR_INVALID, "'%s' is not an IPv4 address", host);
        return set_literal(u, a, AF_INET, &v4, note);
    }
    u->host = arena_strdup(a, host);
    return u->host ? ERR_OK : err_set(note, ERR_NOMEM, "out of memory");
}

static enum err parse_port(struct url *u, const char *s, size_t len, struct err_note *note)
{
    long port = 0;

    u->port = u->https ? 443 : 80;
    if (len == 0)
        return ERR_OK;
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(s[i]))
            return err_set(note, ERR_INVALID, "the port in the URL is not a number");
        if (port <= 65535)
            port = port * 10 + (s[i] - '0');
    }
    if (port < 1 || port > 65535)
        return err_set(note, ERR_INVALID, "the port in the URL must be 1 to 65535");
    u->port = (int)port;
    return ERR_OK;
}

// Path and query without the fragment; bytes that no URL may contain are percent-encoded, as
// browsers do.
static enum err parse_path(struct url *u, struct arena *a, const char *s, struct err_note *note)
{
    size_t len = strcspn(s, "#"), n = 0;
    char *path = arena_alloc(a, 3 * len + 2);

    if (!path)
        return err_set(note, ERR_NOMEM, "out of memory");
    if (s[0] != '/')
        path[n++] = '/';
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x80 || strchr("\"<>`{}", c))
            n += (size_t)snprintf(path + n, 4, "%%%02X", c);
        else
            path[n++] = (char)c;
    }
    u->path = path;
    return ERR_OK;
}

static enum err check_characters(const char *s, struct err_note *note)
{
    size_t n = strlen(s);

    if (n > URL_BYTES_MAX)
        return err_set(note, ERR_INVALID, "the URL is longer than %d bytes", URL_BYTES_MAX);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c <= ' ' || c == 0x7f)
            return err_set(note, ERR_INVALID,
                           "the URL contains white space or control characters; write %%20 for a "
                           "space");
        if (c == '\\')
            return err_set(note, ERR_INVALID, "the URL contains a backslash; write / or %%5C");
    }
    return ERR_OK;
}

enum err url_parse(struct url *out, struct arena *a, const char *s, struct err_note *note)
{
    struct url u = {0};
    enum err e = check_characters(s, note);

    if (e != ERR_OK)
        return e;
    if (strncasecmp(s, "https://", 8) == 0)
        u.https = true;
    else if (strncasecmp(s, "http://", 7) != 0)
        return err_set_reason(note, ERR_INVALID, "not_https", "the URL must begin with https://");
    s += u.https ? 8 : 7;

    size_t authority = strcspn(s, "/?#");
    if (memchr(s, '@', authority))
        return err_set(note, ERR_INVALID, "the URL must not contain a user name or password");
    size_t host = strcspn(s, ":/?#");
    if (s[0] == '[') {
        const char *end = memchr(s, ']', authority);
        if (!end)
            return err_set(note, ERR_INVALID, "the IPv6 address in the URL lacks its bracket");
        host = (size_t)(end - s) + 1;
        if (host < authority && s[host] != ':')
            return err_set(note, ERR_INVALID, "only a port may follow the address in brackets");
    }
    const char *port = s + host + (host < authority);
    e = parse_port(&u, port, (size_t)(s + authority - port), note);
    if (e == ERR_OK)
        e = parse_host(&u, a, s, host, note);
    if (e == ERR_OK)
        e = parse_path(&u, a, s + authority, note);
    if (e == ERR_OK)
        *out = u;
    return e;
}

// RFC 6761: these never leave the machine, whatever DNS says; the long form is an old convention.
static bool is_localhost(const char *host)
{
    static const char *const names[] = {"localhost", "localhost.localdomain"};
    size_t n = strlen(host);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t k = strlen(names[i]);
        if (n >= k && strcmp(host + n - k, names[i]) == 0 && (n == k || host[n - k - 1] == '.'))
            return true;
    }
    return false;
}

enum err url_check(const struct url *u, const struct addr_policy *p, struct err_note *note)
{
    const struct sockaddr *sa = (const struct sockaddr *)&u->literal;

    if (!u->https && !p->allow_http)
        return err_set_reason(note, ERR_INVALID, "not_https", "the URL must begin with https://");
    if (u->has_literal && !addr_allowed(p, sa))
        return err_set_reason(note, ERR_INVALID, "blocked_address",
                              "the address %s is not on the public internet", u->host);
    if (!u->has_literal && p->allow_count == 0 && is_localhost(u->host))
        return err_set_reason(note, ERR_INVALID, "blocked_address",
                              "the host %s is not on the public internet", u->host);
    bool port_ok = u->has_literal ? addr_port_allowed(p, sa, u->port)
                                  : p->allow_count > 0 || addr_port_public(p, u->port);
    if (!port_ok)
        return err_set_reason(note, ERR_INVALID, "blocked_port", "port %d is not allowed: use %s",
                              u->port, p->allow_http ? "443, 8443, 80 or 8080" : "443 or 8443");
    return ERR_OK;
}
