/* SPDX-License-Identifier: MIT */
#include "http/router.h"

#include <stdio.h>
#include <string.h>

struct span {
    const char *s;
    size_t len;
};

// Whether the path fits; spans of the {name} segments go to `param`.
static bool fits(const char *pattern, const char *path, struct span param[HTTP_PARAMS_MAX])
{
    int n = 0;

    while (*pattern && *path) {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t len = strcspn(path, "/");
        if (len == 0 || n == HTTP_PARAMS_MAX)
            return false;
        param[n++] = (struct span){path, len};
        path += len;
        pattern += strcspn(pattern, "}") + 1;
    }
    return !*pattern && !*path;
}

enum router_result router_find(const struct http_route *routes, int count, const char *path,
                               enum http_method method, struct arena *a, struct router_match *out)
{
    enum http_method want = method == HTTP_HEAD ? HTTP_GET : method;
    unsigned allow = 0;

    for (int i = 0; i < count; i++) {
        struct span param[HTTP_PARAMS_MAX] = {{"", 0}, {"", 0}};
        if (!fits(routes[i].pattern, path, param))
            continue;
        allow |= 1u << routes[i].method | 1u << HTTP_OPTIONS;
        if (routes[i].method == HTTP_GET)
            allow |= 1u << HTTP_HEAD;
        if (routes[i].method != want)
            continue;
        out->route = &routes[i];
        for (int k = 0; k < HTTP_PARAMS_MAX; k++) {
            out->param[k] = param[k].len ? arena_memdup(a, param[k].s, param[k].len) : "";
            if (!out->param[k])
                return ROUTER_NOMEM;
        }
        out->allow = allow;
        return ROUTER_FOUND;
    }
    out->allow = allow;
    return allow ? ROUTER_NO_METHOD : ROUTER_NO_PATH;
}

void router_allow(unsigned allow, char out[ROUTER_ALLOW_TEXT])
{
    static const struct {
        enum http_method method;
        const char *name;
    } row[] = {
        {HTTP_GET, "GET"}, {HTTP_HEAD, "HEAD"}, {HTTP_POST, "POST"}, {HTTP_OPTIONS, "OPTIONS"}};
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        if (allow & 1u << row[i].method)
            at += (size_t)snprintf(out + at, ROUTER_ALLOW_TEXT - at, "%s%s", at ? ", " : "",
                                   row[i].name);
}

const char *router_alias(const char *path, const char *from, const char *to, struct arena *a)
{
    size_t len = strlen(from);

    if (strncmp(path, from, len) != 0 || (path[len] != '/' && path[len] != '\0'))
        return path;
    return arena_printf(a, "%s%s", to, path + len);
}
