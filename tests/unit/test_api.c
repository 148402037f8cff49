/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "api/deny.h"
#include "api/err_to_http.h"
#include "api/fields.h"
#include "api/multipart.h"
#include "api/rate.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ID       "0b5f7a54-6f0e-4c9e-9d5e-2f0a8f6b1c3d"
#define HEX32    "0123456789abcdef0123456789abcdef"
#define SITE     "http://127.0.0.1:8080"

static struct addr_policy policy; // nothing exempt

static const struct field_rules rules = {.policy = &policy, .public_url = SITE};

struct outcome {
    enum err e;
    struct problems problems;
    struct retexture_body body;
    struct arena arena;
};

static struct outcome read_body(const char *json)
{
    struct outcome o = {.arena = ARENA_INIT};
    struct err_note note;

    o.e = retexture_read(json, strlen(json), &rules, &o.arena, &o.body, &o.problems, &note);
    return o;
}

static void bodies_are_checked(void **state)
{
    static const struct {
        const char *json;
        const char *fields; // the bad ones, in order; "" for good, NULL for malformed
    } row[] = {
        {"{\"imgUrl\":\"https://a.example/x\",\"remixPrompt\":\"p\"}", ""},
        {"{\"imgUrl\":\"https://a.example/x\",\"remixPrompt\":\"p\",\"callback\":null}", ""},
        {"{\"imgUrl\":\"https://a.example/x\",\"remixPrompt\":\"p\",\"callback\":\"\"}", ""},
        {"{\"imgUrl\":\"https://a.example/x\",\"remixPrompt\":\"p\","
         "\"callback\":\"https://b.example:8443/h\",\"aspectRatio\":{\"a\":[1]}}",
         ""},
        {"{}", "imgUrl remixPrompt "},
        {"{\"imgUrl\":null,\"remixPrompt\":null}", "imgUrl remixPrompt "},
        {"{\"imgUrl\":1,\"remixPrompt\":[],\"callback\":{}}", "imgUrl remixPrompt callback "},
        {"{\"imgUrl\":\"\",\"remixPrompt\":\"\"}", "imgUrl remixPrompt "},
        {"{\"imgUrl\":\"http://a.example/x\",\"remixPrompt\":\" \\u00a0\\n\","
         "\"callback\":\"http://b.example\"}",
         "imgUrl remixPrompt callback "},
        {"{\"imgUrl\":\"https://user@a.example/x\",\"remixPrompt\":\"p\"}", "imgUrl "},
        {"{\"imgUrl\":\"https://a.example:99/x\",\"remixPrompt\":\"p\"}", "imgUrl "},
        {"{\"imgUrl\":\"https://127.0.0.1/x\",\"remixPrompt\":\"p\"}", "imgUrl "},
        {"{\"imgUrl\":\"https://[::1]/x\",\"remixPrompt\":\"p\"}", "imgUrl "},
        {"{\"imgUrl\":\"https://localhost/x\",\"remixPrompt\":\"p\"}", "imgUrl "},
        {"{\"imgUrl\":\"nonsense\",\"remixPrompt\":\"p\"}", "imgUrl "},
        {"{\"imgUrl\":\"" SITE "/uploads/" HEX32 "\",\"remixPrompt\":\"p\"}", ""},
        {"{\"imgUrl\":\"" SITE "/files/" ID "/0.png\",\"remixPrompt\":\"p\"}", ""},
        {"{\"imgUrl\":\"" SITE "/etc/passwd\",\"remixPrompt\":\"p\"}", "imgUrl "},
        // Only sources may be this server's own.
        {"{\"imgUrl\":\"https://a.example/x\",\"remixPrompt\":\"p\",\"callback\":\"" SITE
         "/uploads/" HEX32 "\"}",
         "callback "},
        {"[]", NULL},
        {"\"x\"", NULL},
        {"", NULL},
        {"{\"imgUrl\":\"a\",\"imgUrl\":\"b\"}", NULL},
        {"{\"imgUrl\":\"\\u0000\"}", NULL},
        {"{}x", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(row); i++) {
        struct outcome o = read_body(row[i].json);
        char fields[100] = "";
        for (int k = 0; k < o.problems.count; k++)
            snprintf(fields + strlen(fields), sizeof(fields) - strlen(fields), "%s ",
                     o.problems.row[k].field);
        bool good = row[i].fields && !*row[i].fields;
        if (o.e != (good ? ERR_OK : ERR_INVALID) ||
            strcmp(fields, row[i].fields ? row[i].fields : "") != 0)
            fail_msg("%s: %s, fields %s", row[i].json, err_name(o.e), fields);
        arena_release(&o.arena);
    }
}

// A body whose prompt is `count` times `unit`, and whose URL is `url_len` characters long.
static struct outcome read_long(const char *unit, int count, int url_len)
{
    struct buf b = BUF_INIT;

    buf_adds(&b, "{\"imgUrl\":\"https://a.example/");
    for (int i = (int)strlen("https://a.example/"); i < url_len; i++)
        buf_addc(&b, 'x');
    buf_adds(&b, "\",\"remixPrompt\":\"");
    for (int i = 0; i < count; i++)
        buf_adds(&b, unit);
    buf_adds(&b, "\"}");
    struct outcome o = read_body(b.data);
    buf_release(&b);
    arena_release(&o.arena);
    return o;
}

static void lengths_are_counted_in_characters(void **state)
{
    (void)state;
    assert_int_equal(read_long("a", FIELD_PROMPT_MAX, 100).e, ERR_OK);
    assert_int_equal(read_long("a", FIELD_PROMPT_MAX + 1, 100).e, ERR_INVALID);
    assert_int_equal(read_long("\xF0\x9F\x8E\xA8", FIELD_PROMPT_MAX, 100).e, ERR_OK);
    assert_int_equal(read_long("\xF0\x9F\x8E\xA8", FIELD_PROMPT_MAX + 1, 100).e, ERR_INVALID);
    assert_int_equal(read_long("\\ud83c\\udfa8", FIELD_PROMPT_MAX, 100).e, ERR_OK);
    assert_int_equal(read_long("a", 1, FIELD_IMG_URL_MAX).e, ERR_OK);
    assert_int_equal(read_long("a", 1, FIELD_IMG_URL_MAX + 1).e, ERR_INVALID);
}

static void equal_bodies_hash_alike(void **state)
{
    struct outcome a = read_body("{\"imgUrl\":\"https://a.example/x\",\"remixPrompt\":\"p\"}");
    struct outcome b = read_body("{ \"remixPrompt\":\"\\u0070\",\"callback\":null,"
                                 "\"imgUrl\":\"https:\\/\\/a.example/x\",\"more\":1}");
    struct outcome c = read_body("{\"imgUrl\":\"https://a.example/xp\",\"remixPrompt\":\"p\"}");
    struct outcome d = read_body("{\"imgUrl\":\"https://a.example/x\",\"remixPrompt\":\"pp\"}");

    (void)state;
    assert_memory_equal(a.body.hash, b.body.hash, SHA256_BYTES);
    assert_memory_not_equal(a.body.hash, c.body.hash, SHA256_BYTES);
    assert_memory_not_equal(a.body.hash, d.body.hash, SHA256_BYTES);
    arena_release(&a.arena);
    arena_release(&b.arena);
    arena_release(&c.arena);
    arena_release(&d.arena);
}

static void own_urls_are_recognised(void **state)
{
    static const struct {
        const char *url;
        enum own_url own;
    } row[] = {
        {"https://a.example/uploads/" HEX32, OWN_URL_NONE},
        {SITE "0/uploads/" HEX32, OWN_URL_NONE},
        {SITE ".evil.example/uploads/" HEX32, OWN_URL_NONE},
        {"HTTP://127.0.0.1:8080/uploads/" HEX32, OWN_URL_UPLOAD},
        {SITE "/uploads/" HEX32, OWN_URL_UPLOAD},
        {SITE "/uploads/" HEX32 "0", OWN_URL_OTHER},
        {SITE "/uploads/0123456789ABCDEF0123456789abcdef", OWN_URL_OTHER},
        {SITE "/uploads/" HEX32 "?a=b", OWN_URL_OTHER},
        {SITE "/uploads/../uploads/" HEX32, OWN_URL_OTHER},
        {SITE "/files/" ID "/0.png", OWN_URL_FILE},
        {SITE "/files/" ID "/grid.webp", OWN_URL_FILE},
        {SITE "/files/" ID "/3.jpg?expires=1769866499&signature=" HEX32 HEX32, OWN_URL_FILE},
        {SITE "/files/" ID "/4.png", OWN_URL_OTHER},
        {SITE "/files/" ID "/0.gif", OWN_URL_OTHER},
        {SITE "/files/" ID "/0.png/", OWN_URL_OTHER},
        {SITE "/files/" ID "/0.png?x=1", OWN_URL_OTHER},
        {SITE "/files/" ID "/0.png?expires=1&signature=", OWN_URL_OTHER},
        {SITE "/files/" ID, OWN_URL_OTHER},
        {SITE "/files//0.png", OWN_URL_OTHER},
        {SITE, OWN_URL_OTHER},
        {SITE "/", OWN_URL_OTHER},
        {SITE "?x", OWN_URL_OTHER},
        {SITE "/api/v1/jobs", OWN_URL_OTHER},
    };
    struct own_file f;
    char upload[OWN_UPLOAD_ID];

    (void)state;
    for (size_t i = 0; i < COUNT(row); i++)
        if (own_url_read(SITE, row[i].url, &f, upload) != row[i].own)
            fail_msg("%s", row[i].url);
    own_url_read(SITE, SITE "/files/" ID "/3.jpg?expires=1769866499&signature=" HEX32 HEX32, &f,
                 upload);
    assert_string_equal(f.job, ID);
    assert_string_equal(f.stem, "3");
    assert_string_equal(f.ext, "jpg");
    assert_int_equal(f.expires, 1769866499);
    assert_string_equal(f.signature, HEX32 HEX32);
}

static void idempotency_keys_are_read(void **state)
{
    char longest[STORE_IDEMPOTENCY_KEY_MAX + 4];
    struct arena a = ARENA_INIT;

    (void)state;
    assert_string_equal(idempotency_key_read("abc", &a), "abc");
    assert_string_equal(idempotency_key_read("\"abc\"", &a), "abc");
    assert_null(idempotency_key_read("", &a));
    assert_null(idempotency_key_read("\"\"", &a));
    assert_null(idempotency_key_read("a b", &a));
    assert_null(idempotency_key_read("\"abc", &a));
    assert_null(idempotency_key_read("a\"bc", &a));
    assert_null(idempotency_key_read("\xC3\xA9", &a));
    memset(longest, 'k', sizeof(longest));
    longest[STORE_IDEMPOTENCY_KEY_MAX] = '\0';
    assert_string_equal(idempotency_key_read(longest, &a), longest);
    longest[STORE_IDEMPOTENCY_KEY_MAX] = 'k';
    longest[STORE_IDEMPOTENCY_KEY_MAX + 1] = '\0';
    assert_null(idempotency_key_read(longest, &a));
    arena_release(&a);
}

static void denied_words_are_whole_words(void **state)
{
    (void)state;
    assert_true(deny_matches("foo, bar baz ,qux", "a Foo."));
    assert_true(deny_matches("foo, bar baz ,qux", "bar \n BAZ"));
    assert_true(deny_matches("foo,qux", "--no qux"));
    assert_true(deny_matches("foo", "foo"));
    assert_false(deny_matches("foo, bar baz", "food afoo bar, baz"));
    assert_false(deny_matches("foo", "foo\xC3\xA9"));
    assert_false(deny_matches(" , ,", "anything"));
    assert_false(deny_matches("", "anything"));
    assert_false(deny_matches(NULL, "anything"));
    assert_false(deny_matches("foo", ""));
}

static void rates_are_limited_per_key(void **state)
{
    const int64_t s = 1000000000;
    uint8_t one[SHA256_BYTES] = {1}, two[SHA256_BYTES] = {2};
    struct rate *r;
    int64_t now = 5 * s;

    (void)state;
    assert_int_equal(rate_new(60, &r), ERR_OK);
    for (int i = 1; i <= 60; i++) {
        struct rate_state got = rate_take(r, one, now);
        assert_true(got.allowed);
        assert_int_equal(got.remaining, 60 - i);
        assert_int_equal(got.reset_s, i);
    }
    struct rate_state none = rate_take(r, one, now);
    assert_false(none.allowed);
    assert_int_equal(none.remaining, 0);
    assert_int_equal(none.retry_after_s, 1);
    assert_true(rate_take(r, two, now).allowed);
    // Refusals cost nothing; one request a second comes back.
    assert_false(rate_take(r, one, now + s - 1).allowed);
    assert_true(rate_take(r, one, now + s).allowed);
    assert_false(rate_take(r, one, now + s).allowed);
    // Never more than a minute's worth.
    assert_int_equal(rate_take(r, one, now + 3600 * s).remaining, 59);
    rate_free(r);
}

static void forms_are_read(void **state)
{
#define B(text) text, sizeof(text) - 1
    static const char form[] = "multipart/form-data; boundary=xyz";
    static const struct {
        const char *type, *body;
        size_t len;
        enum err e;
        const char *data;
        size_t data_len;
    } row[] = {
        {form,
         B("--xyz\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a;b.png\"\r\n"
           "Content-Type: image/png\r\n\r\nda\0ta\r\n--xyz--\r\n"),
         ERR_OK, "da\0ta", 5},
        {form,
         B("preamble\r\n--xyz\r\ncontent-disposition: form-data; name=other\r\n\r\nno\r\n"
           "--xyz  \r\nContent-Disposition:form-data;name=image\r\n\r\nyes\r\n--xyz--"),
         ERR_OK, "yes", 3},
        {"Multipart/Form-Data;charset=x; boundary=\"x y\"",
         B("--x y\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n\r\n--x y--\r\n"),
         ERR_OK, "", 0},
        {form,
         B("--xyz\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n"
           "a\r\n--xy\r\n--xyz--\r\n"),
         ERR_OK, "a\r\n--xy", 7},
        // A preamble as long as the boundary's line is none.
        {form,
         B("abcde\r\n--xyz\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nyes\r\n"
           "--xyz--"),
         ERR_OK, "yes", 3},
        {"image/png", B("x"), ERR_UNSUPPORTED, NULL, 0},
        {"multipart/mixed; boundary=xyz", B("x"), ERR_UNSUPPORTED, NULL, 0},
        {"multipart/form-datax; boundary=xyz", B("x"), ERR_UNSUPPORTED, NULL, 0},
        {"multipart/form-data", B("x"), ERR_INVALID, NULL, 0},
        {"multipart/form-data; boundary=", B("x"), ERR_INVALID, NULL, 0},
        {"multipart/form-data; boundary=\"x", B("x"), ERR_INVALID, NULL, 0},
        {form, B(""), ERR_INVALID, NULL, 0},
        {form, B("--xyz--\r\n"), ERR_NOT_FOUND, NULL, 0},
        {form, B("--xyz\r\nContent-Disposition: form-data; name=\"img\"\r\n\r\nx\r\n--xyz--"),
         ERR_NOT_FOUND, NULL, 0},
        {form, B("--xyz\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nx"), ERR_INVALID,
         NULL, 0},
        {form, B("--xyz\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nx\r\n--xyz"),
         ERR_INVALID, NULL, 0},
        {form, B("--xyz\r\nContent-Disposition: attachment; name=\"image\"\r\n\r\nx\r\n--xyz--"),
         ERR_INVALID, NULL, 0},
        {form, B("--xyz\r\nContent-Type: image/png\r\n\r\nx\r\n--xyz--"), ERR_INVALID, NULL, 0},
        {form, B("--xyz\r\n\r\n--xyz--"), ERR_INVALID, NULL, 0},
        {form, B("--xyz\r\n--xyz--"), ERR_INVALID, NULL, 0},
        {form,
         B("--xyz\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n1\r\n"
           "--xyz\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n2\r\n--xyz--"),
         ERR_INVALID, NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(row); i++) {
        // In memory of exactly this size, so that a sanitizer sees a read past the end.
        char *body = malloc(row[i].len ? row[i].len : 1);
        struct multipart_field f = {NULL, 0};
        memcpy(body, row[i].body, row[i].len);
        enum err e = multipart_find(row[i].type, body, row[i].len, "image", &f, NULL);
        if (e != row[i].e)
            fail_msg("row %zu: %s", i, err_name(e));
        if (!e) {
            assert_int_equal(f.len, row[i].data_len);
            assert_memory_equal(f.data, row[i].data, f.len);
        }
        free(body);
    }
    // Cut anywhere, it is an error and never a read past the end.
    for (size_t cut = 0; cut < row[0].len - 4; cut++) {
        char *body = malloc(cut ? cut : 1);
        struct multipart_field f;
        memcpy(body, row[0].body, cut);
        assert_int_equal(multipart_find(form, body, cut, "image", &f, NULL), ERR_INVALID);
        free(body);
    }
}

static void errors_have_both_shapes(void **state)
{
    struct buf b = BUF_INIT;

    (void)state;
    write_error_body(&b, 400, "x is \"bad\"", "{\"a\":1}");
    assert_string_equal(
        b.data,
        "{\"code\":400,\"message\":\"Invalid request parameters: x is \\\"bad\\\"\","
        "\"raw_message\":\"Invalid request parameters\",\"detail\":{\"a\":1},"
        "\"error\":{\"code\":400,\"raw_message\":\"Invalid request parameters\","
        "\"message\":\"Invalid request parameters: x is \\\"bad\\\"\",\"detail\":{\"a\":1}}}");
    buf_release(&b);
    assert_int_equal(err_to_http(ERR_NO_POINTS), 402);
    assert_int_equal(err_to_http(ERR_BUG), 500);
    assert_int_equal(http_retry_after(503), 5);
    assert_int_equal(http_retry_after(400), 0);
    assert_non_null(http_phrase(418));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_checked),
        cmocka_unit_test(lengths_are_counted_in_characters),
        cmocka_unit_test(equal_bodies_hash_alike),
        cmocka_unit_test(own_urls_are_recognised),
        cmocka_unit_test(idempotency_keys_are_read),
        cmocka_unit_test(denied_words_are_whole_words),
        cmocka_unit_test(rates_are_limited_per_key),
        cmocka_unit_test(forms_are_read),
        cmocka_unit_test(errors_have_both_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
