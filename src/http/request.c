/* SPDX-License-Identifier: MIT */
#include "http/http_internal.h"
#include "http/strict.h"
#include "http/target.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static enum http_method read_method(const char *s)
{
    static const struct {
        const char *name;
        enum http_method method;
    } row[] = {
        {"GET", HTTP_GET}, {"HEAD", HTTP_HEAD}, {"POST", HTTP_POST}, {"OPTIONS", HTTP_OPTIONS}};

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        if (!strcmp(s, row[i].name))
            return row[i].method;
    return HTTP_OTHER;
}

void request_begin(struct http_request *r, const char *target)
{
    r->phase = PHASE_LINE;
    r->start_ns = clock_mono_ns(r->server->o.clock);
    r->method = HTTP_OTHER;
    r->path = "-"; // until it has been read
    r->query = "";
    r->target = target;
    r->target_len = strlen(target);
    // The library cuts up the query where it lies, before anybody has looked at it.
    if (r->target_len <= HTTP_TARGET_MAX)
        r->target_copy = arena_memdup(&r->arena, target, r->target_len);
    atomic_store_explicit(&r->state, REQUEST_OPEN, memory_order_relaxed);
    atomic_fetch_add(&r->server->under_way, 1);
}

void request_unbudget(struct http_request *r)
{
    if (r->budgeted)
        atomic_fetch_sub(&r->server->body_bytes, r->budgeted);
    r->budgeted = 0;
}

void request_release(struct http_request *r)
{
    http_response_release(&r->response);
    buf_release(&r->body);
    arena_release(&r->arena);
    *r = (struct http_request){.server = r->server, .response = HTTP_RESPONSE(0)};
}

// ---- headers ----

struct fields {
    struct strict_field row[STRICT_FIELDS_MAX];
    int count;
};

static enum MHD_Result add_field(void *ctx, enum MHD_ValueKind kind, const char *name,
                                 size_t name_len, const char *value, size_t value_len)
{
    struct fields *f = ctx;

    (void)kind;
    if (f->count < STRICT_FIELDS_MAX)
        f->row[f->count] = (struct strict_field){name, name_len, value ? value : "", value_len};
    f->count++;
    return MHD_YES;
}

static int check_head(struct http_request *r, const char *method, const char *version,
                      struct strict_body *body, const char **why)
{
    struct fields f;
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    f.count = 0;
    MHD_get_connection_values_n(r->mhd, MHD_HEADER_KIND, add_field, &f);
    struct strict_head head = {.method = method,
                               .target = r->target,
                               .target_len = r->target_len,
                               .version = version,
                               .field = f.row,
                               .field_count = f.count,
                               .bytes = size ? size->header_size : 0};
    return strict_check(&head, body, why);
}

// What a client may choose as the id of its request: enough for any scheme, harmless in any log.
static bool sane_id(const char *s)
{
    size_t n = s ? strspn(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.:")
                 : 0;

    return n > 0 && n < sizeof(((struct http_request *)0)->id) && !s[n];
}

void request_choose_id(struct http_request *r)
{
    const char *theirs = http_header(r, "X-Request-Id");
    uint64_t n = atomic_fetch_add_explicit(&r->server->next_id, 1, memory_order_relaxed);

    if (sane_id(theirs)) {
        memcpy(r->id, theirs, strlen(theirs) + 1);
        return;
    }
    // Prefix of this start, '-', counter: unique, readable in order, and costs no system call.
    static const char digits[] = "0123456789abcdef";
    memcpy(r->id, r->server->id_prefix, 8);
    r->id[8] = '-';
    for (int i = 0; i < 10; i++)
        r->id[9 + i] = digits[n >> (36 - 4 * i) & 15];
    r->id[19] = '\0';
}

static bool route(struct http_request *r)
{
    const struct http_options *o = &r->server->o;
    char allow[ROUTER_ALLOW_TEXT];

    if (o->alias_from) {
        const char *path = router_alias(r->path, o->alias_from, o->alias_to, &r->arena);
        r->path = path ? path : r->path;
    }
    enum router_result found =
        router_find(o->routes, o->route_count, r->path, r->method, &r->arena, &r->match);
    if (found == ROUTER_FOUND)
        return true;
    if (found == ROUTER_NOMEM) {
        request_refuse(r, 503, "out of memory");
    } else if (found == ROUTER_NO_PATH) {
        request_refuse(r, 404, "there is nothing at this path");
    } else {
        router_allow(r->match.allow, allow);
        http_set_header(r, "Allow", allow);
        if (r->method == HTTP_OPTIONS) {
            if (o->cors_origin) {
                http_set_header(r, "Access-Control-Allow-Methods", allow);
                http_set_header(r, "Access-Control-Allow-Headers",
                                "Content-Type, X-Api-Key, Authorization, Idempotency-Key, "
                                "X-Request-Id");
                http_set_header(r, "Access-Control-Max-Age", "600");
            }
            http_answer(r, &(struct http_response)HTTP_RESPONSE(204));
        } else {
            request_refuse(r, 405, "this path does not know the method; see Allow");
        }
    }
    return false;
}

// Takes n more bytes from what all bodies together may hold.
static bool budget(struct http_request *r, size_t n)
{
    size_t before = atomic_fetch_add(&r->server->body_bytes, n);

    r->budgeted += n;
    return before + n <= HTTP_BODIES_MAX;
}

static void admit_body(struct http_request *r, const struct strict_body *body)
{
    const struct http_route *row = r->match.route;

    if (row->body && !body->any) {
        request_refuse(r, 411, "send Content-Length, or Transfer-Encoding: chunked");
    } else if (body->length > (int64_t)row->body_max) {
        request_refuse(r, 413, "the body is over this path's limit");
    } else if (body->length > 0 && !budget(r, (size_t)body->length)) {
        http_set_header(r, "Retry-After", "5");
        request_refuse(r, 503, "too many bodies are being received; retry");
    } else if (body->length > 0 && !buf_reserve(&r->body, (size_t)body->length)) {
        request_refuse(r, 503, "out of memory");
    }
}

// Path and query; false when it has refused them.
static bool read_target(struct http_request *r)
{
    struct target target;
    struct err_note note;
    enum err e = ERR_NOMEM;

    if (r->target_copy)
        e = target_parse(&target, &r->arena, r->target_copy, r->target_len, &note);
    if (e == ERR_NOMEM) {
        request_refuse(r, 503, "out of memory");
    } else if (e) {
        r->close = true;
        request_refuse(r, 400, note.text);
    } else {
        r->path = target.path;
        r->query = target.query;
    }
    return !e;
}

static bool enter(struct http_request *r)
{
    struct http_server *s = r->server;

    if (atomic_load(&s->stopping)) {
        request_refuse(r, 503, "the server is stopping");
        return false;
    }
    return route(r) && (!s->o.gate || s->o.gate(s->o.ctx, r, r->match.route));
}

void request_headers(struct http_request *r, const char *method, const char *version)
{
    struct strict_body body;
    const char *why = NULL;

    r->phase = PHASE_BODY;
    request_choose_id(r);
    int bad = check_head(r, method, version, &body, &why);
    // What announces a body that cannot be delimited safely ends the connection.
    r->has_body = body.length != 0 || bad;
    r->close = bad != 0;
    r->method = read_method(method);
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (r->target_len > HTTP_TARGET_MAX)
        request_refuse(r, 414, "path and query are too long");
    else if (size && size->header_size > HTTP_HEADERS_MAX)
        request_refuse(r, 431, "the header section is too long");
    else if (bad)
        request_refuse(r, bad, why);
    else if (read_target(r) && enter(r))
        admit_body(r, &body);
}

int request_body(struct http_request *r, const char *data, size_t len)
{
    size_t want = r->body.len + len;

    if (want > r->match.route->body_max)
        return 413;
    if (want > r->budgeted && !budget(r, len))
        return 503;
    buf_add(&r->body, data, len);
    return r->body.failed ? 503 : 0;
}

// ---- answering ----

void request_refuse(struct http_request *r, int status, const char *why)
{
    const struct http_options *o = &r->server->o;
    struct http_response out = HTTP_RESPONSE(status);

    if (o->refuse)
        o->refuse(o->ctx, r, why, &out);
    http_answer(r, &out);
}

void http_response_release(struct http_response *out)
{
    buf_release(&out->body);
    if (out->fd >= 0)
        close(out->fd);
    out->fd = -1;
}

void http_answer(struct http_request *r, struct http_response *out)
{

    r->response = *out;
    *out = (struct http_response)HTTP_RESPONSE(0);
    int was = atomic_exchange(&r->state, REQUEST_ANSWERED);
    if (was == REQUEST_PARKED) {
        MHD_resume_connection(r->mhd);
    } else if (was == REQUEST_ORPHANED) {
        request_release(r);
        free(conn_of(r));
    }
}

void http_set_header(struct http_request *r, const char *name, const char *value)
{
    char *copy = arena_strdup(&r->arena, value);

    for (const unsigned char *p = (const unsigned char *)value; *p; p++)
        if (*p < 0x20 || *p == 0x7F)
            return;
    if (copy && r->header_count < HTTP_ANSWER_HEADERS)
        r->header[r->header_count++] = (struct header){name, copy};
}

// ---- accessors ----

struct arena *http_arena(struct http_request *r)
{
    return &r->arena;
}

enum http_method http_method(const struct http_request *r)
{
    return r->method;
}

const char *http_path(const struct http_request *r)
{
    return r->path;
}

const char *http_param(const struct http_request *r, int i)
{
    return i >= 0 && i < HTTP_PARAMS_MAX && r->match.route ? r->match.param[i] : "";
}

const struct http_route *http_request_route(const struct http_request *r)
{
    return r->match.route;
}

const char *http_query(struct http_request *r, const char *name)
{
    return target_query(r->query, name, &r->arena);
}

const char *http_header(const struct http_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, name);
}

struct counting {
    const char *name;
    size_t len;
    int count;
};

static enum MHD_Result count_field(void *ctx, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    struct counting *c = ctx;

    (void)kind, (void)value, (void)value_len;
    c->count += name_len == c->len && !strncasecmp(name, c->name, c->len);
    return MHD_YES;
}

int http_header_count(const struct http_request *r, const char *name)
{
    struct counting c = {name, strlen(name), 0};

    MHD_get_connection_values_n(r->mhd, MHD_HEADER_KIND, count_field, &c);
    return c.count;
}

const char *http_body(const struct http_request *r, size_t *len)
{
    *len = r->body.len;
    return r->body.data ? r->body.data : "";
}

const char *http_request_id(const struct http_request *r)
{
    return r->id;
}

void http_set_account(struct http_request *r, int64_t account, void *user)
{
    r->account = account;
    r->user = user;
}

void *http_user(const struct http_request *r)
{
    return r->user;
}
