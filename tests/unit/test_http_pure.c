/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "http/range.h"
#include "http/router.h"
#include "http/strict.h"
#include "http/target.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void paths_are_normalised(void **state)
{
    static const struct {
        const char *raw, *path, *query; // path NULL: refused
    } row[] = {
        {"/", "/", ""},
        {"/a/b", "/a/b", ""},
        {"/a/b/", "/a/b", ""},
        {"//a///b", "/a/b", ""},
        {"/a/./b/.", "/a/b", ""},
        {"/a/../b", "/b", ""},
        {"/a/b/..", "/a", ""},
        {"/..", "/", ""},
        {"/../../a", "/a", ""},
        {"/api/v1/../account/balance", "/api/account/balance", ""},
        {"/a/%2e%2E/b", "/b", ""},
        {"/a/.../b", "/a/.../b", ""},
        {"/a?b=/../c", "/a", "b=/../c"},
        {"/a?", "/a", ""},
        {"/%41%c3%a9", "/A\xC3\xA9", ""},
        {"/a%2Fb", "/a%2Fb", ""},
        {"/a%2f..%2fb", "/a%2f..%2fb", ""},
        {"http://host:1/a/b?c", "/a/b", "c"},
        {"HTTPS://host", "/", ""},
        {"http://host?x=1", "/", "x=1"},
        {"", "/", ""},
        {"*", NULL, NULL},
        {"a/b", NULL, NULL},
        {"/a b", NULL, NULL},
        {"/a#b", NULL, NULL},
        {"/a\x01", NULL, NULL},
        {"/\xC3\xA9", NULL, NULL},
        {"/%", NULL, NULL},
        {"/%4", NULL, NULL},
        {"/%zz", NULL, NULL},
        {"/%00", "/%00", ""},
        {"/%0a/b", "/%0a/b", ""},
        {"/%7F", "/%7F", ""},
        {"/a?b=%00", "/a", "b=%00"},
        {"/%c3", NULL, NULL},
        {"/%c0%af", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(row); i++) {
        struct arena a = ARENA_INIT;
        struct target t;
        struct err_note note;
        enum err e = target_parse(&t, &a, row[i].raw, strlen(row[i].raw), &note);
        if (!row[i].path) {
            assert_int_equal(e, ERR_INVALID);
            assert_true(note.text[0] != '\0');
        } else {
            assert_int_equal(e, ERR_OK);
            assert_string_equal(t.path, row[i].path);
            assert_string_equal(t.query, row[i].query);
        }
        arena_release(&a);
    }
}

static void queries_are_decoded(void **state)
{
    const char *q = "a=1&bb=x%20y+z&c&=v&a=2&d=";
    struct arena a = ARENA_INIT;

    (void)state;
    assert_string_equal(target_query(q, "a", &a), "1");
    assert_string_equal(target_query(q, "bb", &a), "x y z");
    assert_string_equal(target_query(q, "c", &a), "");
    assert_string_equal(target_query(q, "d", &a), "");
    assert_string_equal(target_query("x=%00%0A1", "x", &a), "%00%0A1");
    assert_null(target_query(q, "b", &a));
    assert_null(target_query("", "a", &a));
    arena_release(&a);
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .pattern = "/", .name = "root"},
    {.method = HTTP_POST, .pattern = "/api/v1/things", .name = "post"},
    {.method = HTTP_GET, .pattern = "/api/v1/things", .name = "list"},
    {.method = HTTP_GET, .pattern = "/api/v1/thing/{id}", .name = "get"},
    {.method = HTTP_POST, .pattern = "/api/v1/thing/{id}/stop", .name = "stop"},
    {.method = HTTP_GET, .pattern = "/files/{id}/{name}", .name = "file"},
};

static void routes_are_found(void **state)
{
    static const struct {
        enum http_method method;
        const char *path;
        const char *name; // NULL: not found
        const char *param0, *param1, *allow;
    } row[] = {
        {HTTP_GET, "/", "root", "", "", "GET, HEAD, OPTIONS"},
        {HTTP_HEAD, "/", "root", "", "", "GET, HEAD, OPTIONS"},
        {HTTP_POST, "/api/v1/things", "post", "", "", NULL},
        {HTTP_GET, "/api/v1/things", "list", "", "", NULL},
        {HTTP_OTHER, "/api/v1/things", NULL, "", "", "GET, HEAD, POST, OPTIONS"},
        {HTTP_OPTIONS, "/api/v1/things", NULL, "", "", "GET, HEAD, POST, OPTIONS"},
        {HTTP_GET, "/api/v1/thing/12", "get", "12", "", NULL},
        {HTTP_GET, "/api/v1/thing", NULL, "", "", ""},
        {HTTP_GET, "/api/v1/thing/", NULL, "", "", ""},
        {HTTP_GET, "/api/v1/thing/12/", NULL, "", "", ""},
        {HTTP_GET, "/api/v1/thing/12/stop", NULL, "", "", "POST, OPTIONS"},
        {HTTP_POST, "/api/v1/thing/12/stop", "stop", "12", "", "POST, OPTIONS"},
        {HTTP_POST, "/api/v1/thing/12/stopp", NULL, "", "", ""},
        {HTTP_GET, "/files/a/b.png", "file", "a", "b.png", NULL},
        {HTTP_GET, "/files/a", NULL, "", "", ""},
        {HTTP_GET, "/files/a/b/c", NULL, "", "", ""},
        {HTTP_GET, "/API/v1/things", NULL, "", "", ""},
    };
    char text[ROUTER_ALLOW_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(row); i++) {
        struct arena a = ARENA_INIT;
        struct router_match m;
        enum router_result r =
            router_find(routes, COUNT(routes), row[i].path, row[i].method, &a, &m);
        if (row[i].name) {
            assert_int_equal(r, ROUTER_FOUND);
            assert_string_equal(m.route->name, row[i].name);
            assert_string_equal(m.param[0], row[i].param0);
            assert_string_equal(m.param[1], row[i].param1);
        } else {
            assert_int_equal(r, *row[i].allow ? ROUTER_NO_METHOD : ROUTER_NO_PATH);
            router_allow(m.allow, text);
            assert_string_equal(text, row[i].allow);
        }
        arena_release(&a);
    }
}

static void the_alias_covers_whole_segments(void **state)
{
    struct arena a = ARENA_INIT;

    (void)state;
    assert_string_equal(router_alias("/v1/jobs", "/v1", "/api/v1", &a), "/api/v1/jobs");
    assert_string_equal(router_alias("/v1", "/v1", "/api/v1", &a), "/api/v1");
    assert_string_equal(router_alias("/v12/jobs", "/v1", "/api/v1", &a), "/v12/jobs");
    assert_string_equal(router_alias("/api/v1/jobs", "/v1", "/api/v1", &a), "/api/v1/jobs");
    arena_release(&a);
}

static void ranges_are_read(void **state)
{
    static const struct {
        const char *header;
        int64_t size;
        enum range_result result;
        int64_t first, last;
    } row[] = {
        {NULL, 10, RANGE_NONE, 0, 0},
        {"bytes=0-0", 10, RANGE_PART, 0, 0},
        {"bytes=0-9", 10, RANGE_PART, 0, 9},
        {"bytes=0-10", 10, RANGE_PART, 0, 9},
        {"bytes=3-", 10, RANGE_PART, 3, 9},
        {"bytes=9-", 10, RANGE_PART, 9, 9},
        {"bytes=10-", 10, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-1", 10, RANGE_PART, 9, 9},
        {"bytes=-99", 10, RANGE_PART, 0, 9},
        {"bytes=-0", 10, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-", 0, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-5", 0, RANGE_UNSATISFIABLE, 0, 0},
        {"Bytes=1-2", 10, RANGE_PART, 1, 2},
        {"bytes=2-1", 10, RANGE_NONE, 0, 0},
        {"bytes=0-1,3-4", 10, RANGE_NONE, 0, 0},
        {"bytes=-", 10, RANGE_NONE, 0, 0},
        {"bytes=", 10, RANGE_NONE, 0, 0},
        {"bytes=a-b", 10, RANGE_NONE, 0, 0},
        {"bytes=--1", 10, RANGE_NONE, 0, 0},
        {"lines=0-1", 10, RANGE_NONE, 0, 0},
        {"bytes=9999999999999999999-", 10, RANGE_NONE, 0, 0},
        {"bytes=0-9999999999999999999", 10, RANGE_NONE, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(row); i++) {
        int64_t first = 0, last = 0;
        assert_int_equal(range_parse(row[i].header, row[i].size, &first, &last), row[i].result);
        assert_int_equal(first, row[i].first);
        assert_int_equal(last, row[i].last);
    }
}

static void entity_tags_are_compared(void **state)
{
    (void)state;
    assert_true(etag_listed("\"abc\"", "\"abc\""));
    assert_true(etag_listed("W/\"abc\"", "\"abc\""));
    assert_true(etag_listed("\"x\", \"abc\" ,\"y\"", "\"abc\""));
    assert_true(etag_listed("*", "\"abc\""));
    assert_false(etag_listed(NULL, "\"abc\""));
    assert_false(etag_listed("", "\"abc\""));
    assert_false(etag_listed("\"ab\"", "\"abc\""));
    assert_false(etag_listed("abc", "\"abc\""));
}

/* Lays out a head as the library leaves it (each separator overwritten with NUL) and checks it.
 * In `head` '~' stands for an overwritten byte, '@' for a NUL that the client sent. */
static int check(const char *head, int target_at, int version_at, struct strict_body *body)
{
    static char mem[256];
    struct strict_field field[8];
    size_t len = strlen(head);
    int n = 0;
    const char *why = "";

    assert_true(len < sizeof(mem));
    for (size_t i = 0; i < len; i++)
        mem[i] = head[i] == '~' || head[i] == '@' ? '\0' : head[i];
    // What a parser that trusts NUL makes of it: lines end at "~~" or "~".
    for (size_t at = (size_t)version_at + 10; at < len && head[at] != '~';) {
        const char *name = mem + at, *value = name + strlen(name) + 1;
        while (*value == ' ' || *value == '\t')
            value++;
        field[n++] = (struct strict_field){name, strlen(name), value, strlen(value)};
        at = (size_t)(value - mem) + strlen(value) + 1;
        while (head[at - 1] == '@') // cut here: the rest of the line is lost to it
            at += strlen(mem + at) + 1;
        at += head[at] == '~';
    }
    struct strict_head h = {.method = mem,
                            .target = mem + target_at,
                            .target_len = strlen(mem + target_at),
                            .version = mem + version_at,
                            .field = field,
                            .field_count = n,
                            .bytes = len};
    int status = strict_check(&h, body, &why);
    assert_true(status == 0 || why[0] != '\0');
    return status;
}

static void heads_must_be_whole_and_unambiguous(void **state)
{
    static const struct {
        const char *head;
        int status;
        bool any;
        int64_t length;
    } row[] = {
        {"GET~/~HTTP/1.1~~Host~ a~~~~", 0, false, 0},
        {"GET~/~HTTP/1.1~~Host~a~~~~", 0, false, 0},
        {"GET~/~HTTP/1.1~~Host~ \t a~~X~ b c~~~~", 0, false, 0},
        {"GET~/~HTTP/1.1~~Host~~~~~", 0, false, 0},
        {"PUT~/~HTTP/1.1~~Host~ a~~Content-Length~ 12~~~~", 0, true, 12},
        {"PUT~/~HTTP/1.1~~Host~ a~~content-length~ 0~~~~", 0, true, 0},
        {"PUT~/~HTTP/1.1~~Host~ a~~Transfer-Encoding~ Chunked~~~~", 0, true, -1},
        {"GET~/~HTTP/1.0~~~~", 0, false, 0},
        {"GET~/~HTTP/1.0~~Host~ a~~~~", 0, false, 0},
        {"GET~/~HTTP/1.1~~~~", 400, false, 0},
        {"GET~/~HTTP/1.1~~Host~ a~~host~ a~~~~", 400, false, 0},
        {"GET~/~HTTP/1.0~~Host~ a~~Host~ b~~~~", 400, false, 0},
        {"PUT~/~HTTP/1.1~~Host~ a~~Content-Length~ 1~~Content-Length~ 1~~~~", 400, false, 0},
        {"PUT~/~HTTP/1.1~~Host~ a~~Content-Length~ 1~~Transfer-Encoding~ chunked~~~~", 400, false,
         0},
        {"PUT~/~HTTP/1.0~~Transfer-Encoding~ chunked~~~~", 400, false, 0},
        {"PUT~/~HTTP/1.1~~Host~ a~~Transfer-Encoding~ gzip~~~~", 501, false, 0},
        {"PUT~/~HTTP/1.1~~Host~ a~~Transfer-Encoding~ chunked, chunked~~~~", 501, false, 0},
        {"PUT~/~HTTP/1.1~~Host~ a~~Content-Length~ +1~~~~", 400, false, 0},
        {"PUT~/~HTTP/1.1~~Host~ a~~Content-Length~ 1 ~~~~", 400, false, 0},
        {"PUT~/~HTTP/1.1~~Host~ a~~Content-Length~ 1,1~~~~", 400, false, 0},
        {"PUT~/~HTTP/1.1~~Host~ a~~Content-Length~~~~~", 400, false, 0},
        {"PUT~/~HTTP/1.1~~Host~ a~~Content-Length~ 999999999999999~~~~", 0, true, 999999999999999},
        {"PUT~/~HTTP/1.1~~Host~ a~~Content-Length~ 9999999999999999~~~~", 400, false, 0},
        {"GET~/~HTTP/1.1~~Host~ a@b~~~~", 400, false, 0}, // NUL in a value
        {"GET~/~HTTP/1.1~~Host~ a@~~~~", 400, false, 0},  // at its end
        {"GET~/~HTTP/1.1~~Host~ a@~~X~ b~~~~", 400, false, 0},
        {"GET~/~HTTP/1.1~~Host~ @a~~~~", 400, false, 0},
        {"GET~/~HTTP/1.1~~Host~ a~X~ b~~~~", 400, false, 0}, // a lone LF
        {"GET~/~HTTP/1.1~~Host~ a~~X~ b~~~", 400, false, 0},
        {"GET~/~HTTP/1.1~~Host ~ a~~~~", 400, false, 0},
        {"GET~/~HTTP/1.1~~Ho st~ a~~~~", 400, false, 0},
        {"GET~/~HTTP/1.1~~Host~ a b~~~~", 400, false, 0},
        {"GET~/~HTTP/1.1~~Host~ a,b~~~~", 400, false, 0},
        {"GET~/~HTTP/1.1~~Host~ a/b~~~~", 400, false, 0},
        {"GET~/~HTTP/1.1~~Host~ u@b~~~~", 400, false, 0},
        {"GET~/~HTTP/1.1~~Host~ [::1]:80~~~~", 0, false, 0},
        {"GET~/~HTTP/1.1~~Host~ a-b.c_d:80~~~~", 0, false, 0},
        {"GET~/~HTTP/1.1~~Host~ a\x01~~~~", 400, false, 0},
        {"GET~/~HTTP/1.1~~Host~ a\x7F~~~~", 400, false, 0},
        {"G(T~/~HTTP/1.1~~Host~ a~~~~", 400, false, 0},
    };
    struct strict_body body;

    (void)state;
    for (size_t i = 0; i < COUNT(row); i++) {
        if (check(row[i].head, 4, 6, &body) != row[i].status)
            fail_msg("%s: not %d", row[i].head, row[i].status);
        if (row[i].status)
            continue;
        assert_int_equal(body.any, row[i].any);
        assert_int_equal(body.length, row[i].length);
    }
    // NUL in the method, in the target; two spaces behind either.
    assert_int_equal(check("G@T~/~HTTP/1.1~~Host~ a~~~~", 4, 6, &body), 400);
    assert_int_equal(check("GET~/a@b~HTTP/1.1~~Host~ a~~~~", 4, 9, &body), 400);
    assert_int_equal(check("GET~ /~HTTP/1.1~~Host~ a~~~~", 5, 7, &body), 400);
    assert_int_equal(check("GET~/ ~HTTP/1.1~~Host~ a~~~~", 4, 7, &body), 0); // target.c refuses it
}

static int check_with_fields(int count)
{
    struct strict_field field[STRICT_FIELDS_MAX + 1];
    char mem[16 + 4 * (STRICT_FIELDS_MAX + 1) + 2];
    struct strict_body body;
    const char *why;
    size_t at = 16;

    memset(mem, 0, sizeof(mem));
    memcpy(mem, "GET\0/\0HTTP/1.0\0", sizeof("GET\0/\0HTTP/1.0\0"));
    for (int i = 0; i < count; i++, at += 4) {
        mem[at] = 'a';
        field[i] = (struct strict_field){mem + at, 1, mem + at + 2, 0};
    }
    struct strict_head h = {.method = mem,
                            .target = mem + 4,
                            .target_len = 1,
                            .version = mem + 6,
                            .field = field,
                            .field_count = count,
                            .bytes = at + 2};
    return strict_check(&h, &body, &why);
}

static void too_many_fields_are_refused(void **state)
{
    (void)state;
    assert_int_equal(check_with_fields(STRICT_FIELDS_MAX), 0);
    assert_int_equal(check_with_fields(STRICT_FIELDS_MAX + 1), 431);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_normalised),
        cmocka_unit_test(queries_are_decoded),
        cmocka_unit_test(routes_are_found),
        cmocka_unit_test(the_alias_covers_whole_segments),
        cmocka_unit_test(ranges_are_read),
        cmocka_unit_test(entity_tags_are_compared),
        cmocka_unit_test(heads_must_be_whole_and_unambiguous),
        cmocka_unit_test(too_many_fields_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
