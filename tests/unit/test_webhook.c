/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "base/hash.h"
#include "net/webhook.h"

#include <string.h>

static const char *line(const struct buf *b, int n)
{
    const char *at = b->data;

    while (n-- > 0)
        at += strlen(at) + 1;
    return at;
}

// The example of the Standard Webhooks reference implementations; the second pair was computed with
// Python's hmac.
static void signatures_match_known_vectors(void **state)
{
    static const char body[] = "{\"test\": 2432232314}";
    struct webhook_sign in = {.msg_id = "msg_p5jXN8AQM9LWM0D4loKWxJek",
                              .timestamp = 1614265330,
                              .body = body,
                              .body_len = sizeof(body) - 1,
                              .secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                              .secret_old = ""};
    struct buf out = BUF_INIT;

    (void)state;
    assert_int_equal(webhook_headers(&in, &out), ERR_OK);
    assert_string_equal(line(&out, 0), "content-type: application/json");
    assert_string_equal(line(&out, 1), "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek");
    assert_string_equal(line(&out, 2), "webhook-timestamp: 1614265330");
    assert_string_equal(line(&out, 3),
                        "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_string_equal(line(&out, 4), "X-Legnext-Timestamp: 1614265330");
    assert_string_equal(
        line(&out, 5),
        "X-Legnext-Signature: 2e37df5d4a028c51a7f3133d64ae1e300d2c2c900f1b1d49d4369ad2530f8964");
    assert_ptr_equal(line(&out, WEBHOOK_HEADERS), out.data + out.len);

    buf_reset(&out);
    in.secret_old = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
    assert_int_equal(webhook_headers(&in, &out), ERR_OK);
    assert_string_equal(line(&out, 3),
                        "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= "
                        "v1,/485aUtxlie+TIScVpHggMfqOB4so2KWb7+Gf727B44=");
    assert_string_equal(
        line(&out, 5),
        "X-Legnext-Signature: 2e37df5d4a028c51a7f3133d64ae1e300d2c2c900f1b1d49d4369ad2530f8964");
    buf_release(&out);
}

static void what_is_no_secret_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "whsec_",
                                      "whsec_AAAA",
                                      "whsec_!!!",
                                      "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                      "whsec_AAECAwQFBgcICQoLDA0=" /* 14 bytes */};
    struct buf out = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct webhook_sign in = {.msg_id = "m", .body = "", .secret = bad[i], .secret_old = NULL};
        assert_int_equal(webhook_headers(&in, &out), ERR_INVALID);
        assert_int_equal(out.len, 0);
        if (i == 0) // no old secret at all is fine
            continue;
        in.secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        in.secret_old = bad[i];
        assert_int_equal(webhook_headers(&in, &out), ERR_INVALID);
        assert_int_equal(out.len, 0);
    }
    buf_release(&out);
}

static void attempts_are_planned(void **state)
{
    static const int64_t wait_s[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};

    (void)state;
    for (int n = 1; n < WEBHOOK_ATTEMPTS_MAX; n++) {
        int64_t ms = wait_s[n - 1] * 1000, least = INT64_MAX, most = 0;
        for (uint64_t random = 0; random <= UINT32_MAX; random += UINT32_MAX / 97) {
            int64_t got = webhook_next_ms(n, -1, (uint32_t)random);
            least = got < least ? got : least;
            most = got > most ? got : most;
        }
        assert_true(least >= ms - ms / 10 && least <= ms - ms / 10 + ms / 100);
        assert_true(most <= ms + ms / 10 + 1 && most >= ms + ms / 10 - ms / 100);
    }
    assert_int_equal(webhook_next_ms(WEBHOOK_ATTEMPTS_MAX, -1, 0), -1);
    assert_int_equal(webhook_next_ms(WEBHOOK_ATTEMPTS_MAX, 10, 0), -1);
}

static void retry_after_only_lengthens_the_wait(void **state)
{
    (void)state;
    assert_int_equal(webhook_next_ms(1, 0, INT32_MAX), 5000);
    assert_int_equal(webhook_next_ms(1, 3, INT32_MAX), 5000);
    assert_int_equal(webhook_next_ms(1, 60, INT32_MAX), 60000);
    assert_int_equal(webhook_next_ms(1, 86400, INT32_MAX), 86400000);
    assert_int_equal(webhook_next_ms(1, 86401, INT32_MAX), 86400000);
    assert_int_equal(webhook_next_ms(1, INT32_MAX, INT32_MAX), 86400000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_match_known_vectors),
        cmocka_unit_test(what_is_no_secret_is_refused),
        cmocka_unit_test(attempts_are_planned),
        cmocka_unit_test(retry_after_only_lengthens_the_wait),
    };

    return cmocka_run_group_tests_name("webhook", tests, NULL, NULL);
}
