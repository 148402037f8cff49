/* SPDX-License-Identifier: MIT */
#include "api/api_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const struct account *caller(const struct http_request *r)
{
    return http_user(r);
}

static const char *find_key(struct http_request *r)
{
    const char *key = http_header(r, "x-api-key");

    if (key)
        return key;
    key = http_header(r, "Authorization");
    if (!key || strncasecmp(key, "Bearer ", 7) != 0)
        return NULL;
    return key + 7 + strspn(key + 7, " ");
}

// draft-ietf-httpapi-ratelimit-headers-10: the policy, and what is left of it.
static bool within_rate(struct api *a, struct http_request *r, const uint8_t key[SHA256_BYTES])
{
    char text[64];

    if (!a->rate)
        return true;
    struct rate_state s = rate_take(a->rate, key, clock_mono_ns(a->d.clock));
    snprintf(text, sizeof(text), "\"default\";q=%d;w=60", a->d.rate_limit);
    http_set_header(r, "RateLimit-Policy", text);
    snprintf(text, sizeof(text), "\"default\";r=%d;t=%d", s.remaining, s.reset_s);
    http_set_header(r, "RateLimit", text);
    if (s.allowed)
        return true;
    struct buf body = BUF_INIT;
    snprintf(text, sizeof(text), "%d", s.retry_after_s);
    http_set_header(r, "Retry-After", text);
    snprintf(text, sizeof(text), "this key may ask %d times a minute", a->d.rate_limit);
    write_error_body(&body, 429, text, NULL);
    answer_json(r, 429, &body);
    return false;
}

static bool may_enter(struct api *a, struct http_request *r, const struct account *who,
                      const struct http_route *route)
{
    if (who->disabled) {
        answer_error(a, r, 403,
                     who->deleted_ms >= 0 ? "the account was deleted" : "the account is disabled",
                     NULL);
        return false;
    }
    if (route->body && answer_closed(a, r))
        return false;
    return route->handle != post_upload || !upload_refused(a, r);
}

bool api_gate(void *ctx, struct http_request *r, const struct http_route *route)
{
    struct api *a = ctx;
    uint8_t hash[SHA256_BYTES];

    if (!route->auth)
        return true;
    struct account *who = arena_alloc(http_arena(r), sizeof(*who));
    const char *key = find_key(r);
    enum err e = ERR_NOT_FOUND;
    if (!who) {
        e = ERR_NOMEM;
    } else if (key && store_key_good(key)) {
        sha256(key, strlen(key), hash);
        e = store_account_by_key(a->d.store, hash, who);
    }
    if (e == ERR_NOT_FOUND) {
        answer_error(a, r, 401,
                     key ? "no account has this key"
                         : "send the key as x-api-key, or as Authorization: Bearer",
                     NULL);
    } else if (e) {
        answer_err(a, r, e, NULL);
    } else {
        http_set_account(r, who->id, who);
        return within_rate(a, r, hash) && may_enter(a, r, who, route);
    }
    return false;
}
