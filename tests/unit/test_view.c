/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "api/view.h"
#include "job/job_error.h"

#include <stdlib.h>
#include <string.h>

#define ID "0b5f7a54-6f0e-4c9e-9d5e-2f0a8f6b1c3d"

static const struct view site = {.public_url = "http://127.0.0.1:8080", .site_secret = {1, 2, 3}};

static struct job fresh_job(void)
{
    return (struct job){.id = 7,
                        .uuid = ID,
                        .account = 1,
                        .state = JOB_PENDING,
                        .img_url = "https://example.com/a.jpg",
                        .prompt = "oil \"painting\"",
                        .callback = "",
                        .cost = 120,
                        .created_ms = 1769862896789,
                        .started_ms = -1,
                        .ended_ms = -1,
                        .expires_ms = -1,
                        .source_blob = "",
                        .engine = "",
                        .error_message = ""};
}

static char *task(const struct job *j, const struct view_extra *x)
{
    struct buf b = BUF_INIT;
    struct json_writer w = JSON_WRITER(&b);

    view_task(&w, &site, j, x);
    return buf_take(&b, NULL);
}

static void expect(const struct job *j, const struct view_extra *x, const char *golden)
{
    char *got = task(j, x);

    assert_string_equal(got, golden);
    free(got);
}

#define HEAD                                                                       \
    "{\"job_id\":\"" ID "\",\"model\":\"midjourney\",\"task_type\":\"retexture\"," \
    "\"status\":"
#define PUBLIC                                                                       \
    "\"config\":{\"service_mode\":\"public\",\"webhook_config\":{\"endpoint\":\"\"," \
    "\"secret\":\"\"}},"
#define INPUT                                              \
    "\"input\":{\"imgUrl\":\"https://example.com/a.jpg\"," \
    "\"remixPrompt\":\"oil \\\"painting\\\"\",\"callback\":\"\"},"
#define NO_OUTPUT "\"output\":{\"image_url\":\"\",\"image_urls\":null,\"seed\":\"\"},"
#define NO_ERROR \
    "\"logs\":[],\"error\":{\"code\":0,\"raw_message\":\"\",\"message\":\"\",\"detail\":null}}"
#define WAITING                                                                                  \
    "\"meta\":{\"created_at\":\"2026-01-31T12:34:56Z\",\"started_at\":\"0001-01-01T00:00:00Z\"," \
    "\"ended_at\":\"0001-01-01T00:00:00Z\","                                                     \
    "\"usage\":{\"type\":\"point\",\"frozen\":120,\"consume\":0}},"

static void a_new_task_has_every_key_in_order(void **state)
{
    struct job j = fresh_job();
    struct view_extra x = {.now_ms = j.created_ms, .fresh = true};

    (void)state;
    expect(&j, &x,
           HEAD "\"pending\"," PUBLIC "\"input\":null," NO_OUTPUT WAITING
                "\"detail\":null," NO_ERROR);
}

static void a_waiting_task_tells_its_place(void **state)
{
    struct job j = fresh_job();
    struct view_extra x = {.now_ms = j.created_ms, .queue_position = 3};

    (void)state;
    expect(&j, &x,
           HEAD "\"pending\"," PUBLIC INPUT NO_OUTPUT WAITING
                "\"detail\":{\"progress\":0,\"stage\":\"queued\",\"queue_position\":3}," NO_ERROR);
}

static void a_running_task_tells_how_far_it_is(void **state)
{
    struct job j = fresh_job();
    struct board_entry b = {.stage = STAGE_RENDERING,
                            .progress = 42,
                            .eta_ms = 1001,
                            .engine = "look",
                            .width = 1024,
                            .height = 768};
    struct view_extra x = {.now_ms = j.created_ms, .board = &b};

    (void)state;
    j.state = JOB_PROCESSING;
    j.started_ms = j.created_ms + 1000;
    j.claims = 2;
    expect(&j, &x,
           HEAD "\"processing\"," PUBLIC INPUT NO_OUTPUT
                "\"meta\":{\"created_at\":\"2026-01-31T12:34:56Z\","
                "\"started_at\":\"2026-01-31T12:34:57Z\",\"ended_at\":\"0001-01-01T00:00:00Z\","
                "\"usage\":{\"type\":\"point\",\"frozen\":120,\"consume\":0}},"
                "\"detail\":{\"progress\":42,\"stage\":\"rendering\",\"eta_seconds\":2,"
                "\"attempt\":2,\"engine\":\"look\",\"width\":1024,\"height\":768}," NO_ERROR);
}

static struct job done_job(void)
{
    struct job j = fresh_job();

    j.state = JOB_COMPLETED;
    j.started_ms = j.created_ms + 1000;
    j.ended_ms = j.created_ms + 3000;
    j.expires_ms = j.ended_ms + 3600000;
    j.claims = 1;
    j.has_seed = true;
    j.seed = 4294967295u;
    j.width = 64;
    j.height = 80;
    j.engine = "look";
    j.interpretation = "{\"medium\":null}";
    j.warnings = "[]";
    j.timings = "{\"render\":5}";
    return j;
}

#define FILE_URL(name) "\"http://127.0.0.1:8080/files/" ID "/" name ".png\""
#define DONE_META                                                                    \
    "\"meta\":{\"created_at\":\"2026-01-31T12:34:56Z\","                             \
    "\"started_at\":\"2026-01-31T12:34:57Z\",\"ended_at\":\"2026-01-31T12:34:59Z\"," \
    "\"usage\":{\"type\":\"point\",\"frozen\":120,\"consume\":120}},"
#define DONE_DETAIL                                                                      \
    "\"detail\":{\"progress\":100,\"stage\":\"done\",\"attempt\":1,\"engine\":\"look\"," \
    "\"width\":64,\"height\":80,\"interpretation\":{\"medium\":null},\"warnings\":[],"   \
    "\"timings_ms\":{\"render\":5},\"expires_at\":\"2026-01-31T13:34:59Z\""

static void a_completed_task_has_its_pictures(void **state)
{
    struct job j = done_job();
    struct view_extra x = {.now_ms = j.expires_ms - 1};
    const char *output = "\"output\":{\"image_url\":" FILE_URL("grid") ",\"image_urls\":[" FILE_URL(
        "0") "," FILE_URL("1") "," FILE_URL("2") "," FILE_URL("3") "],\"seed\":\"4294967295\"},";
    char want[2000];

    (void)state;
    snprintf(want, sizeof(want), "%s%s%s", HEAD "\"completed\"," PUBLIC INPUT, output,
             DONE_META DONE_DETAIL "}," NO_ERROR);
    expect(&j, &x, want);

    // Past its expiry status and URLs stay.
    x.now_ms++;
    snprintf(want, sizeof(want), "%s%s%s", HEAD "\"completed\"," PUBLIC INPUT, output,
             DONE_META DONE_DETAIL ",\"expired\":true}," NO_ERROR);
    expect(&j, &x, want);
}

static void private_pictures_are_signed(void **state)
{
    struct job j = done_job();
    struct buf url = BUF_INIT;
    char signature[VIEW_SIGNATURE_TEXT], other[VIEW_SIGNATURE_TEXT], want[300];
    const char *path = "/files/" ID "/0.webp";
    struct view elsewhere = site;

    (void)state;
    j.is_private = true;
    view_file_url(&url, &site, &j, "0", "webp");
    view_file_signature(&site, path, j.expires_ms / 1000, signature);
    snprintf(want, sizeof(want), "http://127.0.0.1:8080%s?expires=1769866499&signature=%s", path,
             signature);
    assert_string_equal(url.data, want);
    buf_release(&url);

    view_file_signature(&site, path, j.expires_ms / 1000 + 1, other);
    assert_string_not_equal(signature, other);
    view_file_signature(&site, "/files/" ID "/1.webp", j.expires_ms / 1000, other);
    assert_string_not_equal(signature, other);
    elsewhere.site_secret[31] ^= 1;
    view_file_signature(&elsewhere, path, j.expires_ms / 1000, other);
    assert_string_not_equal(signature, other);
}

static void a_failed_task_says_why(void **state)
{
    struct job j = fresh_job();
    struct view_extra x = {.now_ms = j.created_ms};

    (void)state;
    j.state = JOB_FAILED;
    j.ended_ms = j.created_ms;
    j.callback = "https://example.com/hook";
    j.error_code = JOB_ERROR_FETCH;
    j.error_message = "Source image could not be fetched: HTTP 404";
    j.error_detail = "{\"reason\":\"http_status\",\"status\":404,\"field\":\"imgUrl\"}";
    j.claims = 1;
    expect(&j, &x,
           HEAD "\"failed\",\"config\":{\"service_mode\":\"public\","
                "\"webhook_config\":{\"endpoint\":\"https://example.com/hook\",\"secret\":\"\"}},"
                "\"input\":{\"imgUrl\":\"https://example.com/a.jpg\","
                "\"remixPrompt\":\"oil \\\"painting\\\"\","
                "\"callback\":\"https://example.com/hook\"}," NO_OUTPUT
                "\"meta\":{\"created_at\":\"2026-01-31T12:34:56Z\","
                "\"started_at\":\"0001-01-01T00:00:00Z\",\"ended_at\":\"2026-01-31T12:34:56Z\","
                "\"usage\":{\"type\":\"point\",\"frozen\":0,\"consume\":0}},"
                "\"detail\":{\"attempt\":1},\"logs\":[],"
                "\"error\":{\"code\":424,\"raw_message\":\"Source image could not be fetched\","
                "\"message\":\"Source image could not be fetched: HTTP 404\","
                "\"detail\":{\"reason\":\"http_status\",\"status\":404,\"field\":\"imgUrl\"}}}");
}

static void a_cancelled_task_says_so(void **state)
{
    struct job j = fresh_job();
    struct view_extra x = {.now_ms = j.created_ms};

    (void)state;
    j.state = JOB_FAILED;
    j.error_code = JOB_ERROR_CANCELLED;
    j.error_message = "Job was cancelled";
    j.cancelled = true;
    char *got = task(&j, &x);
    assert_non_null(strstr(got, "\"detail\":{\"cancelled\":true},"));
    assert_non_null(strstr(got, "\"error\":{\"code\":499,\"raw_message\":\"Job was cancelled\","));
    free(got);

    // Nothing to say beyond the error: null, never an empty object.
    j.cancelled = false;
    got = task(&j, &x);
    assert_non_null(strstr(got, "\"detail\":null,\"logs\":[]"));
    free(got);
}

static void a_webhook_carries_the_task_twice(void **state)
{
    struct job j = done_job();
    struct view_extra x = {.now_ms = j.ended_ms};
    struct buf b = BUF_INIT, want = BUF_INIT;

    (void)state;
    view_webhook(&b, &site, &j, &x, 1769862899);
    char *whole = task(&j, &x);
    buf_add(&want, whole, strlen(whole) - 1);
    buf_addf(&want, ",\"timestamp\":1769862899,\"data\":%s}", whole);
    assert_string_equal(b.data, want.data);
    free(whole);
    buf_release(&b);
    buf_release(&want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_task_has_every_key_in_order),
        cmocka_unit_test(a_waiting_task_tells_its_place),
        cmocka_unit_test(a_running_task_tells_how_far_it_is),
        cmocka_unit_test(a_completed_task_has_its_pictures),
        cmocka_unit_test(private_pictures_are_signed),
        cmocka_unit_test(a_failed_task_says_why),
        cmocka_unit_test(a_cancelled_task_says_so),
        cmocka_unit_test(a_webhook_carries_the_task_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
