/* SPDX-License-Identifier: MIT */
/* What a URL means and where it may lead: the pure part of the network layer. */
#include "unit/unit.h"

#include "net/addr_policy.h"
#include "net/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage out = {0};

    if (inet_pton(AF_INET, text, &((struct sockaddr_in *)&out)->sin_addr) == 1)
        out.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&out)->sin6_addr) == 1)
        out.ss_family = AF_INET6;
    else
        fail_msg("not an address: %s", text);
    return out;
}

static bool allowed(const struct addr_policy *p, const char *text)
{
    struct sockaddr_storage a = address(text);

    return addr_allowed(p, (struct sockaddr *)&a);
}

static void only_public_addresses_are_allowed(void **state)
{
    // Each block's first and last address and both neighbours where they are public.
    static const struct {
        const char *addr;
        bool allowed;
    } row[] = {
        {"0.0.0.0", false},
        {"0.255.255.255", false},
        {"1.0.0.0", true},
        {"1.1.1.1", true},
        {"8.8.8.8", true},
        {"9.255.255.255", true},
        {"10.0.0.0", false},
        {"10.255.255.255", false},
        {"11.0.0.0", true},
        {"100.63.255.255", true},
        {"100.64.0.0", false},
        {"100.100.100.200", false},
        {"100.127.255.255", false},
        {"100.128.0.0", true},
        {"126.255.255.255", true},
        {"127.0.0.0", false},
        {"127.0.0.1", false},
        {"127.255.255.255", false},
        {"128.0.0.0", true},
        {"168.63.129.15", true},
        {"168.63.129.16", false},
        {"168.63.129.17", true},
        {"169.253.255.255", true},
        {"169.254.0.0", false},
        {"169.254.169.254", false},
        {"169.254.255.255", false},
        {"169.255.0.0", true},
        {"172.15.255.255", true},
        {"172.16.0.0", false},
        {"172.31.255.255", false},
        {"172.32.0.0", true},
        {"191.255.255.255", true},
        {"192.0.0.0", false},
        {"192.0.0.192", false},
        {"192.0.0.255", false},
        {"192.0.1.0", true},
        {"192.0.2.0", false},
        {"192.0.2.255", false},
        {"192.0.3.0", true},
        {"192.31.196.1", false},
        {"192.52.193.1", false},
        {"192.88.98.255", true},
        {"192.88.99.1", false},
        {"192.88.100.0", true},
        {"192.167.255.255", true},
        {"192.168.0.0", false},
        {"192.168.255.255", false},
        {"192.169.0.0", true},
        {"192.175.48.1", false},
        {"198.17.255.255", true},
        {"198.18.0.0", false},
        {"198.19.255.255", false},
        {"198.20.0.0", true},
        {"198.51.99.255", true},
        {"198.51.100.0", false},
        {"198.51.100.255", false},
        {"198.51.101.0", true},
        {"203.0.112.255", true},
        {"203.0.113.0", false},
        {"203.0.113.255", false},
        {"203.0.114.0", true},
        {"223.255.255.255", true},
        {"224.0.0.0", false},
        {"239.255.255.255", false},
        {"240.0.0.0", false},
        {"255.255.255.254", false},
        {"255.255.255.255", false},
        {"::", false},
        {"::1", false},
        {"::2", false},
        {"::127.0.0.1", false},
        {"::8.8.8.8", false},
        {"::ffff:127.0.0.1", false},
        {"::ffff:10.0.0.1", false},
        {"::ffff:8.8.8.8", false},
        {"::ffff:0:8.8.8.8", false},
        {"64:ff9b::8.8.8.8", true},
        {"64:ff9b::127.0.0.1", false},
        {"64:ff9b::10.0.0.1", false},
        {"64:ff9b::169.254.169.254", false},
        {"64:ff9b::192.0.2.1", false},
        {"64:ff9b:0:0:0:1:808:808", false},
        {"64:ff9b:1::8.8.8.8", false},
        {"100::1", false},
        {"100:0:0:1::1", false},
        {"1fff:ffff::", false},
        {"2000::1", true},
        {"2001::1", false},
        {"2001:0:4136:e378:8000:63bf:3fff:fdd2", false},
        {"2001:1::1", false},
        {"2001:2::1", false},
        {"2001:10::1", false},
        {"2001:20::1", false},
        {"2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"2001:200::1", true},
        {"2001:4860:4860::8888", true},
        {"2001:db7:ffff::1", true},
        {"2001:db8::1", false},
        {"2001:db8:ffff::1", false},
        {"2001:db9::1", true},
        {"2002:7f00:1::1", false},
        {"2002:808:808::1", false},
        {"2003::1", true},
        {"2606:4700::6810:84e5", true},
        {"2620:4f:7fff::1", true},
        {"2620:4f:8000::1", false},
        {"2a00:1450:4001::1", true},
        {"3ffe:ffff::1", true},
        {"3fff::1", false},
        {"3fff:fff:ffff::1", false},
        {"3fff:1000::1", true},
        {"4000::1", false},
        {"5f00::1", false},
        {"fbff::1", false},
        {"fc00::1", false},
        {"fd00:ec2::254", false},
        {"fe80::1", false},
        {"febf::1", false},
        {"fec0::1", false},
        {"ff02::1", false},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false},
    };
    struct addr_policy p;

    (void)state;
    assert_int_equal(addr_policy_parse(&p, NULL, false, NULL), ERR_OK);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        if (allowed(&p, row[i].addr) != row[i].allowed)
            fail_msg("%s must be %s", row[i].addr, row[i].allowed ? "allowed" : "refused");
    struct sockaddr_storage local = {.ss_family = AF_UNIX};
    assert_false(addr_allowed(&p, (struct sockaddr *)&local));
}

static void exempted_networks_are_exempt_and_no_others(void **state)
{
    static const struct {
        const char *allow, *addr;
        bool allowed;
    } row[] = {
        {"10.0.0.0/8", "10.1.2.3", true},
        {"10.0.0.0/8", "::ffff:10.1.2.3", true},
        {"10.0.0.0/8", "64:ff9b::10.1.2.3", false},
        {"10.0.0.0/8", "127.0.0.1", false},
        {"127.0.0.1", "127.0.0.1", true},
        {"127.0.0.1", "127.0.0.2", false},
        {"127.0.0.1/32, ::1", "::1", true},
        {" fd00::/8 ,10.0.0.0/9,", "fdff::1", true},
        {" fd00::/8 ,10.0.0.0/9,", "10.127.255.255", true},
        {" fd00::/8 ,10.0.0.0/9,", "10.128.0.0", false},
        {"fd00::/8", "fc00::1", false},
        {"0.0.0.0/0", "192.168.1.1", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "fe80::1", true},
        {"::/0", "127.0.0.1", false},
        {"", "8.8.8.8", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct addr_policy p;
        struct sockaddr_storage a = address(row[i].addr);
        assert_int_equal(addr_policy_parse(&p, row[i].allow, false, NULL), ERR_OK);
        if (addr_allowed(&p, (struct sockaddr *)&a) != row[i].allowed)
            fail_msg("%s with %s exempt", row[i].addr, row[i].allow);
    }
}

static void a_bad_list_of_networks_is_named(void **state)
{
    static const char *const bad[] = {
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/8x",
        "10.0.0.0/99999999999999999999",
        "10.0.0.1/8",
        "10.0.0/8",
        "fd00::/129",
        "fd00::1/8",
        "example.org",
        "10.0.0.0/8/8",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001",
    };
    struct addr_policy p = {.allow_count = 7};
    char many[ADDR_ALLOW_MAX * 12 + 16] = "";
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err_note note = {0};
        char list[200];
        snprintf(list, sizeof(list), "127.0.0.1,%s", bad[i]);
        if (addr_policy_parse(&p, list, false, &note) != ERR_INVALID)
            fail_msg("taken: %s", bad[i]);
        char head[20];
        snprintf(head, sizeof(head), "%.16s", bad[i]);
        assert_non_null(strstr(note.text, head));
        assert_int_equal(p.allow_count, 7);
    }
    for (int i = 0; i < ADDR_ALLOW_MAX; i++)
        n += (size_t)snprintf(many + n, sizeof(many) - n, "10.0.0.%d,", i);
    assert_int_equal(addr_policy_parse(&p, many, false, NULL), ERR_OK);
    assert_int_equal(p.allow_count, ADDR_ALLOW_MAX);
    snprintf(many + n, sizeof(many) - n, "10.0.1.0");
    assert_int_equal(addr_policy_parse(&p, many, false, NULL), ERR_INVALID);
}

static void ports_follow_the_policy(void **state)
{
    static const struct {
        const char *addr;
        int port;
        bool https_only, with_http;
    } row[] = {
        {"8.8.8.8", 443, true, true},     {"8.8.8.8", 8443, true, true},
        {"8.8.8.8", 80, false, true},     {"8.8.8.8", 8080, false, true},
        {"8.8.8.8", 22, false, false},    {"8.8.8.8", 444, false, false},
        {"8.8.8.8", 65535, false, false}, {"10.0.0.1", 22, true, true},
    };
    struct addr_policy strict, http;

    (void)state;
    assert_int_equal(addr_policy_parse(&strict, "10.0.0.0/8", false, NULL), ERR_OK);
    assert_int_equal(addr_policy_parse(&http, "10.0.0.0/8", true, NULL), ERR_OK);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct sockaddr_storage a = address(row[i].addr);
        assert_int_equal(addr_port_allowed(&strict, (struct sockaddr *)&a, row[i].port),
                         row[i].https_only);
        assert_int_equal(addr_port_allowed(&http, (struct sockaddr *)&a, row[i].port),
                         row[i].with_http);
    }
}

static void urls_are_taken_apart(void **state)
{
    static const struct {
        const char *url, *host;
        int port;
        const char *path;
        bool https, literal;
    } row[] = {
        {"https://example.org/a.jpg", "example.org", 443, "/a.jpg", true, false},
        {"HTTPS://EXAMPLE.Org", "example.org", 443, "/", true, false},
        {"http://example.org", "example.org", 80, "/", false, false},
        {"https://example.org?x=1#f", "example.org", 443, "/?x=1", true, false},
        {"https://example.org#f", "example.org", 443, "/", true, false},
        {"https://example.org/#a/@b", "example.org", 443, "/", true, false},
        {"https://example.org/a@b:c", "example.org", 443, "/a@b:c", true, false},
        {"https://example.org:8443/", "example.org", 8443, "/", true, false},
        {"https://example.org:/", "example.org", 443, "/", true, false},
        {"https://example.org:00443/", "example.org", 443, "/", true, false},
        {"https://example.org:65535/", "example.org", 65535, "/", true, false},
        {"https://example.org./", "example.org", 443, "/", true, false},
        {"https://a_b-c.example/", "a_b-c.example", 443, "/", true, false},
        {"https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/", true, false},
        {"https://e/\xC3\xA9t\xC3\xA9", "e", 443, "/%C3%A9t%C3%A9", true, false},
        {"https://e/a%20b%2f?q=[1]|{2}", "e", 443, "/a%20b%2f?q=[1]|%7B2%7D", true, false},
        {"https://127.0.0.1/", "127.0.0.1", 443, "/", true, true},
        {"https://0x7f.1/", "127.0.0.1", 443, "/", true, true},
        {"https://0X7F.0x0.0.01/", "127.0.0.1", 443, "/", true, true},
        {"https://0177.0.0.01/", "127.0.0.1", 443, "/", true, true},
        {"https://2130706433/", "127.0.0.1", 443, "/", true, true},
        {"https://017700000001/", "127.0.0.1", 443, "/", true, true},
        {"https://0x7f000001/", "127.0.0.1", 443, "/", true, true},
        {"https://127.1/", "127.0.0.1", 443, "/", true, true},
        {"https://127.0.1/", "127.0.0.1", 443, "/", true, true},
        {"https://127.0.0.1./", "127.0.0.1", 443, "/", true, true},
        {"https://0/", "0.0.0.0", 443, "/", true, true},
        {"https://0x/", "0.0.0.0", 443, "/", true, true},
        {"https://255.255.255.255/", "255.255.255.255", 443, "/", true, true},
        {"https://1.2.3.4.example/", "1.2.3.4.example", 443, "/", true, false},
        {"https://[::1]/", "::1", 443, "/", true, true},
        {"https://[2606:4700:0:0::1]:8443/x", "2606:4700::1", 8443, "/x", true, true},
        {"https://[::FFFF:127.0.0.1]", "::ffff:127.0.0.1", 443, "/", true, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct arena a = ARENA_INIT;
        struct err_note note = {0};
        struct url u;
        if (url_parse(&u, &a, row[i].url, &note) != ERR_OK)
            fail_msg("%s: %s", row[i].url, note.text);
        assert_string_equal(u.host, row[i].host);
        assert_int_equal(u.port, row[i].port);
        assert_string_equal(u.path, row[i].path);
        assert_int_equal(u.https, row[i].https);
        assert_int_equal(u.has_literal, row[i].literal);
        if (u.has_literal) {
            struct sockaddr_storage want = address(row[i].host);
            assert_int_equal(u.literal.ss_family, want.ss_family);
            assert_int_equal(ntohs(((struct sockaddr_in *)&u.literal)->sin_port), row[i].port);
        }
        arena_release(&a);
    }
}

static void what_is_not_a_url_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "example.org/a.jpg",
        "//example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "https:/example.org/",
        "https:example.org",
        "https://",
        "https:///a.jpg",
        "https://:443/",
        "https://?x",
        "https://user@example.org/",
        "https://user:secret@example.org/",
        "https://example.org@127.0.0.1/",
        "https://@example.org/",
        "https://example.org:80a/",
        "https://example.org:-1/",
        "https://example.org:0/",
        "https://example.org:65536/",
        "https://example.org:99999999999999999999/",
        "https://example.org:443:443/",
        "https://exa mple.org/",
        " https://example.org/",
        "https://example.org/ ",
        "https://example.org/a\nb",
        "https://example.org/a\tb",
        "https://example.org/a\x7f",
        "https://example.org\\@127.0.0.1/",
        "https:\\\\example.org/",
        "https://example.org/a\\b",
        "https://%31%32%37.0.0.1/",
        "https://ex%61mple.org/",
        "https://b\xC3\xBC"
        "cher.example/",
        "https://\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x97.0.0.1/",
        "https://127\xE3\x80\x82"
        "0.0.1/",
        "https://.example.org/",
        "https://example..org/",
        "https://example.org../",
        "https://./",
        "https://exam!ple.org/",
        "https://example.org,evil/",
        "https://1.2.3.4.5/",
        "https://256.0.0.1/",
        "https://1.2.3.256/",
        "https://1.2.65536/",
        "https://1.16777216/",
        "https://4294967296/",
        "https://99999999999999999999/",
        "https://08.0.0.1/",
        "https://1.2.3.09/",
        "https://a.b.0x1/",
        "https://a.1/",
        "https://[::1/",
        "https://[::1]x/",
        "https://[::1]443/",
        "https://[]/",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[127.0.0.1]/",
        "https://[v1.x]/",
        "https://::1/",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct arena a = ARENA_INIT;
        struct err_note note = {0};
        struct url u;
        if (url_parse(&u, &a, bad[i], &note) != ERR_INVALID)
            fail_msg("taken: %s", bad[i]);
        assert_true(note.text[0] != '\0');
        arena_release(&a);
    }
}

static void lengths_of_urls_and_hosts_are_limited(void **state)
{
    struct arena a = ARENA_INIT;
    struct url u;
    char url[URL_BYTES_MAX + 2], host[400];

    (void)state;
    memset(url, 'a', sizeof(url));
    memcpy(url, "https://e/", 10);
    url[URL_BYTES_MAX] = '\0';
    assert_int_equal(url_parse(&u, &a, url, NULL), ERR_OK);
    url[URL_BYTES_MAX] = 'a';
    url[URL_BYTES_MAX + 1] = '\0';
    assert_int_equal(url_parse(&u, &a, url, NULL), ERR_INVALID);

    // Labels of 63, then a name of 253 with and without its trailing dot.
    for (int label = 63; label <= 64; label++) {
        snprintf(host, sizeof(host), "https://%0*d.example/", label, 0);
        host[8] = 'x';
        assert_int_equal(url_parse(&u, &a, host, NULL), label == 63 ? ERR_OK : ERR_INVALID);
    }
    for (int tail = 60; tail <= 62; tail++) {
        for (int dot = 0; dot < 2; dot++) {
            char label[64];
            memset(label, 'x', 63);
            label[63] = '\0';
            snprintf(host, sizeof(host), "https://%s.%s.%s.%.*s%s/", label, label, label, tail,
                     label, dot ? "." : "");
            assert_int_equal(url_parse(&u, &a, host, NULL), tail <= 61 ? ERR_OK : ERR_INVALID);
        }
    }
    arena_release(&a);
}

static void the_text_of_a_url_shows_what_is_refused(void **state)
{
    static const struct {
        const char *url, *allow;
        bool http;
        const char *reason; // NULL: passes
    } row[] = {
        {"https://example.org/", "", false, NULL},
        {"https://example.org:8443/", "", false, NULL},
        {"https://93.184.216.34/", "", false, NULL},
        {"https://[2606:4700::1]/", "", false, NULL},
        {"http://example.org/", "", false, "not_https"},
        {"http://example.org/", "10.0.0.0/8", false, "not_https"},
        {"http://example.org/", "", true, NULL},
        {"http://example.org:8080/", "", true, NULL},
        {"https://example.org:8080/", "", false, "blocked_port"},
        {"https://example.org:22/", "", true, "blocked_port"},
        {"https://93.184.216.34:22/", "", false, "blocked_port"},
        {"https://127.0.0.1/", "", false, "blocked_address"},
        {"https://2130706433/", "", false, "blocked_address"},
        {"https://0x7f.1:22/", "", false, "blocked_address"},
        {"https://[::1]/", "", false, "blocked_address"},
        {"https://[::ffff:10.0.0.1]/", "", false, "blocked_address"},
        {"https://169.254.169.254/", "", false, "blocked_address"},
        {"https://localhost/", "", false, "blocked_address"},
        {"https://LOCALHOST./", "", false, "blocked_address"},
        {"https://a.localhost/", "", false, "blocked_address"},
        {"https://localhost.localdomain/", "", false, "blocked_address"},
        {"https://notlocalhost/", "", false, NULL},
        {"https://localhost.example/", "", false, NULL},
        {"https://localhost:1234/", "127.0.0.0/8", false, NULL},
        {"https://example.org:1234/", "127.0.0.0/8", false, NULL},
        {"https://127.0.0.1:1234/", "127.0.0.0/8", false, NULL},
        {"https://93.184.216.34:1234/", "127.0.0.0/8", false, "blocked_port"},
        {"https://10.0.0.1/", "127.0.0.0/8", false, "blocked_address"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct arena a = ARENA_INIT;
        struct addr_policy p;
        struct err_note note = {0};
        struct url u;
        assert_int_equal(addr_policy_parse(&p, row[i].allow, row[i].http, NULL), ERR_OK);
        assert_int_equal(url_parse(&u, &a, row[i].url, NULL), ERR_OK);
        enum err e = url_check(&u, &p, &note);
        if (e != (row[i].reason ? ERR_INVALID : ERR_OK))
            fail_msg("%s: %s %s", row[i].url, err_name(e), note.text);
        assert_string_equal(note.reason, row[i].reason ? row[i].reason : "");
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_public_addresses_are_allowed),
        cmocka_unit_test(exempted_networks_are_exempt_and_no_others),
        cmocka_unit_test(a_bad_list_of_networks_is_named),
        cmocka_unit_test(ports_follow_the_policy),
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(what_is_not_a_url_is_refused),
        cmocka_unit_test(lengths_of_urls_and_hosts_are_limited),
        cmocka_unit_test(the_text_of_a_url_shows_what_is_refused),
    };

    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
