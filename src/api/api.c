/* SPDX-License-Identifier: MIT */
#include "api/api_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

// Copies `*text`, if any, and lets it point to the copy.
static bool own(char **copy, const char **text)
{
    if (!*text)
        return true;
    *text = *copy = strdup(*text);
    return *copy != NULL;
}

static enum err check_public_url(char *url, struct err_note *note)
{
    size_t len = strlen(url);

    while (len > 0 && url[len - 1] == '/')
        url[--len] = '\0';
    bool web = !strncasecmp(url, "http://", 7) || !strncasecmp(url, "https://", 8);
    if (!web || strpbrk(url, "?# \"<>") || !strstr(url, "://")[3])
        return err_set(note, ERR_INVALID,
                       "\"%s\" cannot be the public URL; write http:// or https:// and a host",
                       url);
    return ERR_OK;
}

enum err api_open(const struct api_deps *deps, struct api **out, struct err_note *note)
{
    struct api *a = calloc(1, sizeof(*a));

    if (!a)
        return err_set(note, ERR_NOMEM, "out of memory");
    a->d = *deps;
    pthread_mutex_init(&a->derive_lock, NULL);
    pthread_mutex_init(&a->ready_lock, NULL);
    enum err e = ERR_OK;
    if (!own(&a->public_url, &a->d.public_url) || !own(&a->cors_origin, &a->d.cors_origin) ||
        !own(&a->deny, &a->d.deny))
        e = err_set(note, ERR_NOMEM, "out of memory");
    if (!e)
        e = check_public_url(a->public_url, note);
    a->view.public_url = a->public_url;
    if (!e && (e = store_site_secret(a->d.store, a->view.site_secret)))
        err_set(note, e, "cannot read the site's secret from the store");
    if (!e && a->d.rate_limit > 0 && (e = rate_new(a->d.rate_limit, &a->rate)))
        err_set(note, e, "out of memory");
    if (!e && (e = places_new(a->d.store, a->d.clock, &a->places)))
        err_set(note, e, "out of memory");
    if (!e)
        e = side_new(a->d.threads > 0 ? a->d.threads : 2, &a->side, note);
    if (!e)
        e = events_new(a, &a->events, note);
    if (e)
        api_close(a);
    else
        *out = a;
    return e;
}

void api_close(struct api *a)
{
    if (!a)
        return;
    events_free(a->events);
    side_free(a->side);
    places_free(a->places);
    rate_free(a->rate);
    free(a->public_url);
    free(a->cors_origin);
    free(a->deny);
    pthread_mutex_destroy(&a->derive_lock);
    pthread_mutex_destroy(&a->ready_lock);
    free(a);
}

void api_http(struct api *a, struct http_options *o)
{
    o->routes = api_routes;
    o->route_count = api_route_count;
    o->alias_from = "/v1";
    o->alias_to = "/api/v1";
    o->cors_origin = a->cors_origin;
    o->clock = a->d.clock;
    o->log = a->d.log;
    o->ctx = a;
    o->gate = api_gate;
    o->refuse = answer_refusal;
}

const struct view *api_view(const struct api *a)
{
    return &a->view;
}
