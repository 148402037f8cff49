/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "base/address.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/rand.h"
#include "base/utf8.h"

#include <string.h>
#include <time.h>

static void err_note_is_never_cut_inside_a_character(void **state)
{
    struct err_note note;
    char text[600];

    (void)state;
    for (size_t pad = 470; pad < 480; pad++) {
        memset(text, 'a', pad);
        memcpy(text + pad, "\xF0\x9F\x8E\xA8\xF0\x9F\x8E\xA8\xF0\x9F\x8E\xA8", 13);
        assert_int_equal(err_set(&note, ERR_INVALID, "%s", text), ERR_INVALID);
        assert_true(utf8_valid(note.text, strlen(note.text)));
        err_note_prefix(&note, "reading");
        assert_true(utf8_valid(note.text, strlen(note.text)));
        assert_memory_equal(note.text, "reading: a", 10);
    }
}

static void addresses_to_listen_on_are_taken_apart(void **state)
{
    static const struct {
        const char *address, *host; // NULL: refused
        int port;
    } table[] = {
        {"127.0.0.1:8080", "127.0.0.1", 8080},
        {"localhost:0", "localhost", 0},
        {"[::1]:65535", "::1", 65535},
        {"a:00080", "a", 80},
        {"a:65536", NULL, 0},
        {"a:000080", NULL, 0},
        {"::1:80", NULL, 0},
        {"[]:80", NULL, 0},
        {":80", NULL, 0},
        {"80", NULL, 0},
        {"a:", NULL, 0},
        {"a:+80", NULL, 0},
        {"a:80 ", NULL, 0},
        {"", NULL, 0},
    };
    char host[ADDRESS_HOST], longest[ADDRESS_HOST + 8];
    int port;

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        bool good = address_split(table[i].address, host, &port);
        assert_int_equal(good, table[i].host != NULL);
        if (good) {
            assert_string_equal(host, table[i].host);
            assert_int_equal(port, table[i].port);
        }
    }
    for (int more = 0; more < 2; more++) {
        memset(longest, 'a', sizeof(longest));
        memcpy(longest + ADDRESS_HOST - 1 + more, ":80", 4);
        assert_int_equal(address_split(longest, host, &port), !more);
    }
}

static void utf8_knows_what_is_well_formed(void **state)
{
    static const struct {
        const char *s;
        bool valid;
    } row[] = {
        {"", true},
        {"plain", true},
        {"\xC3\xA9", true},
        {"\xF0\x9F\x8E\xA8", true},
        {"\xF4\x8F\xBF\xBF", true},  // U+10FFFF
        {"\xF4\x90\x80\x80", false}, // one past it
        {"\xED\x9F\xBF", true},      // U+D7FF
        {"\xED\xA0\x80", false},     // U+D800, a surrogate
        {"\xC0\xAF", false},         // overlong
        {"\xE0\x80\xAF", false},
        {"\xF0\x80\x80\xAF", false},
        {"\x80", false},
        {"\xC3", false},
        {"\xE2\x82", false},
        {"\xFF", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        assert_int_equal(utf8_valid(row[i].s, strlen(row[i].s)), row[i].valid);
    assert_int_equal(utf8_count("a\xC3\xA9\xF0\x9F\x8E\xA8", 7), 3);
    assert_true(utf8_blank(" \t\xC2\xA0\xE3\x80\x80", 7));
    assert_false(utf8_blank(" x", 2));
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        char s[4];
        uint32_t back;
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        size_t n = utf8_encode(c, s);
        assert_int_equal(utf8_decode(s, n, &back), n);
        assert_int_equal(back, c);
    }
}

static void json_refuses_what_is_malformed(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "{\"a\":1,\"a\":2}",
        "{\"a\":\"\xC0\xAF\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":1}x",
        "{\"a\":01}",
        "{\"a\":1e999}",
        "{'a':1}",
        "{\"a\":\"\\u0000\"}",
        "[1,]",
        "nul",
        "{\"a\":\"\n\"}",
        "{\"a\":99999999999999999999}",
        "{\"a\":\"\x80\"}",
    };
    char deep[2 * JSON_DEPTH_MAX + 4];
    json_t *root = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err_note note = {0};
        assert_int_equal(json_read(bad[i], strlen(bad[i]), &root, &note), ERR_INVALID);
        assert_true(note.text[0] != '\0');
    }
    assert_int_equal(json_read("{\"a\":1}\0", 8, &root, NULL), ERR_INVALID);
    for (int depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        memset(deep, '[', (size_t)depth);
        memset(deep + depth, ']', (size_t)depth);
        enum err e = json_read(deep, 2 * (size_t)depth, &root, NULL);
        assert_int_equal(e, depth > JSON_DEPTH_MAX ? ERR_INVALID : ERR_OK);
        if (e == ERR_OK)
            json_decref(root);
    }
}

static void json_writer_escapes_and_separates(void **state)
{
    struct buf b = BUF_INIT;
    struct json_writer w = JSON_WRITER(&b);

    (void)state;
    jw_open(&w, '{');
    jw_kstr(&w, "a", "q\" b\\ n\n \x01 \xC3\xA9");
    jw_key(&w, "l");
    jw_open(&w, '[');
    jw_int(&w, INT64_MIN);
    jw_bool(&w, true);
    jw_null(&w);
    jw_open(&w, '{');
    jw_close(&w, '}');
    jw_real(&w, 1.5, 2);
    jw_close(&w, ']');
    jw_kraw(&w, "r", "{\"x\":1}");
    jw_close(&w, '}');
    assert_string_equal(b.data,
                        "{\"a\":\"q\\\" b\\\\ n\\n \\u0001 \xC3\xA9\",\"l\":[-9223372036854775808,"
                        "true,null,{},1.50],\"r\":{\"x\":1}}");
    buf_release(&b);
}

static void digests_match_published_vectors(void **state)
{
    uint8_t d[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];

    (void)state;
    sha256("abc", 3, d); // FIPS 180-4 example
    hex_encode(d, sizeof(d), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, d); // RFC 4231, case 2
    hex_encode(d, sizeof(d), hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    char key[131]; // RFC 4231, case 6: a key longer than a block
    memset(key, 0xaa, sizeof(key));
    hmac_sha256(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54, d);
    hex_encode(d, sizeof(d), hex);
    assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void siphash_matches_published_vectors(void **state)
{
    // The paper's example and three of its authors' table: data 00 01 02..., key 00 01 ... 0f.
    static const struct {
        size_t len;
        uint64_t want;
    } cases[] = {{0, 0x726fdb47dd0e0e31},
                 {7, 0xab0200f58b01d137},
                 {8, 0x93f5f5799a932462},
                 {15, 0xa129ca6149be45e5}};
    uint8_t bytes[16];

    (void)state;
    for (int i = 0; i < 16; i++)
        bytes[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_true(siphash(bytes, bytes, cases[i].len) == cases[i].want);
}

static void base64_round_trips_and_refuses_the_rest(void **state)
{
    static const char *const bad[] = {
        "A", "AA", "AAA", "A===", "AB==", "AAB=", "AA=A", "A A=", "AAAA="};
    struct buf text = BUF_INIT, back = BUF_INIT;

    (void)state;
    for (size_t n = 0; n < 40; n++) {
        uint8_t bytes[40];
        rand_bytes(bytes, n);
        buf_reset(&text);
        buf_reset(&back);
        base64_encode(&text, bytes, n);
        assert_true(base64_decode(&back, n ? text.data : "", text.len));
        assert_int_equal(back.len, n);
        if (n)
            assert_memory_equal(back.data, bytes, n);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(base64_decode(&back, bad[i], strlen(bad[i])));
    buf_release(&text);
    buf_release(&back);
}

// However long it sleeps.
static void a_sleeping_process_is_not_busy(void **state)
{
    const struct timespec nap = {.tv_nsec = 20000000};
    int64_t busy = clock_busy_ns(), passed = clock_mono_ns(&clock_system);

    (void)state;
    assert_true(busy > 0);
    nanosleep(&nap, NULL);
    busy = clock_busy_ns() - busy;
    passed = clock_mono_ns(&clock_system) - passed;
    assert_true(busy >= 0 && busy < passed);
}

static void times_are_written_as_rfc3339(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } row[] = {
        {0, "1970-01-01T00:00:00Z"},
        {951827696000, "2000-02-29T12:34:56Z"},
        {1774958399999, "2026-03-31T11:59:59Z"},
        {253402300799000, "9999-12-31T23:59:59Z"},
        {-1, "0001-01-01T00:00:00Z"},
    };
    char out[RFC3339_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        rfc3339(row[i].ms, out);
        assert_string_equal(out, row[i].text);
    }
}

static void uuids_are_version_4(void **state)
{
    char a[UUID_TEXT], b[UUID_TEXT];

    (void)state;
    uuid_v4(a);
    uuid_v4(b);
    assert_int_equal(strlen(a), 36);
    assert_string_not_equal(a, b);
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
}

static void arena_gives_zeroed_aligned_memory(void **state)
{
    struct arena a = ARENA_INIT;

    (void)state;
    for (size_t n = 1; n < 20000; n = n * 3 + 1) {
        unsigned char *p = arena_alloc(&a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, n);
    }
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(err_note_is_never_cut_inside_a_character),
        cmocka_unit_test(addresses_to_listen_on_are_taken_apart),
        cmocka_unit_test(utf8_knows_what_is_well_formed),
        cmocka_unit_test(json_refuses_what_is_malformed),
        cmocka_unit_test(json_writer_escapes_and_separates),
        cmocka_unit_test(digests_match_published_vectors),
        cmocka_unit_test(siphash_matches_published_vectors),
        cmocka_unit_test(base64_round_trips_and_refuses_the_rest),
        cmocka_unit_test(a_sleeping_process_is_not_busy),
        cmocka_unit_test(times_are_written_as_rfc3339),
        cmocka_unit_test(uuids_are_version_4),
        cmocka_unit_test(arena_gives_zeroed_aligned_memory),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
