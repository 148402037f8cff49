/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "api/api.h"
#include "blob/blob_dir.h"
#include "http/http.h"
#include "store/store_fault.h"
#include "store/store_sqlite.h"

#include <arpa/inet.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The whole API on a store that fails at its first call, its second... until a request is answered
 * without reaching the failure. A client whose request is good never hears that it is not: it is
 * told to come again.
 */

#define SITE "https://pictures.example"
#define KEY  "a-key-of-16-chars"

struct house {
    char dir[32];
    struct store *store; // with faults
    struct blob_store *blobs;
    struct board *board;
    struct api *api;
    struct http_server *http;
    char job[UUID_TEXT], message[UUID_TEXT + 4];
};

static void on_submitted(void *ctx, enum err e, const void *answer, size_t len)
{
    (void)answer, (void)len;
    assert_int_equal(e, ERR_OK);
    sem_post(ctx);
}

// A completed job with a picture and a webhook.
static void complete_a_job(struct house *h, int64_t account)
{
    struct arena arena = ARENA_INIT;
    struct store_submit in = {.uuid = h->job,
                              .account = account,
                              .img_url = "https://a.example/x.png",
                              .prompt = "oil painting",
                              .callback = "https://a.example/hook",
                              .cost = 1};
    struct store_delivery_list all = {.account = account, .state = -1, .limit = 1};
    struct delivery *delivery;
    struct job job;
    struct lease lease;
    char key[BLOB_KEY_MAX];
    const char *keys[] = {key};
    const int64_t bytes = 3;
    int count;
    sem_t done;

    sem_init(&done, 0, 0);
    store_job_uuid(h->store, h->job);
    store_submit(h->store, &in, on_submitted, &done);
    sem_wait(&done);
    sem_destroy(&done);
    snprintf(key, sizeof key, "job/%s/0.png", h->job);
    assert_int_equal(blob_put(h->blobs, key, "png", 3, NULL), ERR_OK);
    assert_int_equal(store_claim(h->store, &arena, &job, &lease), ERR_OK);
    assert_int_equal(store_advance(h->store, &lease, JOB_STAGED), ERR_OK);
    assert_int_equal(store_advance(h->store, &lease, JOB_PROCESSING), ERR_OK);
    assert_int_equal(store_finish(h->store, &lease,
                                  &(struct job_end){.completed = true,
                                                    .engine = "look",
                                                    .blob_keys = keys,
                                                    .blob_bytes = &bytes,
                                                    .blob_count = 1}),
                     ERR_OK);
    assert_int_equal(store_deliveries_list(h->store, &all, &arena, &delivery, &count), ERR_OK);
    assert_int_equal(count, 1);
    memcpy(h->message, delivery->msg_id, sizeof h->message);
    arena_release(&arena);
}

static int setup(void **state)
{
    const struct store_options o = {.clock = &clock_system,
                                    .concurrency = 6,
                                    .queue_limit = 1000,
                                    .retention_ms = 3600 * 1000,
                                    .lease_ms = 60000};
    struct house *h = calloc(1, sizeof *h);
    struct store *sqlite;
    struct account account;
    char path[64];

    snprintf(h->dir, sizeof h->dir, "/tmp/patina-api-XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    snprintf(path, sizeof path, "%s/db", h->dir);
    assert_int_equal(store_sqlite_open(path, &o, &sqlite, NULL), ERR_OK);
    h->store = store_fault_new(sqlite);
    snprintf(path, sizeof path, "%s/blobs", h->dir);
    assert_int_equal(blob_dir_open(path, &h->blobs, NULL), ERR_OK);
    assert_int_equal(store_first_account(h->store, KEY, 1000000, &account), ERR_OK);
    complete_a_job(h, account.id);
    assert_int_equal(board_new(&h->board), ERR_OK);
    struct api_deps deps = {.store = h->store,
                            .blobs = h->blobs,
                            .board = h->board,
                            .clock = &clock_system,
                            .public_url = SITE,
                            .cost_points = 1,
                            .concurrency = 6};
    assert_int_equal(api_open(&deps, &h->api, NULL), ERR_OK);
    struct http_options http = {.address = "127.0.0.1:0", .threads = 1};
    api_http(h->api, &http);
    assert_int_equal(http_server_start(&http, &h->http, NULL), ERR_OK);
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    struct house *h = *state;
    char command[64];

    http_server_stop(h->http, 0);
    api_close(h->api);
    board_free(h->board);
    store_close(h->store);
    blob_close(h->blobs);
    snprintf(command, sizeof command, "rm -r %s", h->dir);
    FILE *rm = popen(command, "r");
    assert_non_null(rm);
    pclose(rm);
    free(h);
    return 0;
}

// The status of the answer.
static int ask(struct house *h, const char *method, const char *target, const char *body)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)http_server_port(h->http)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0), status = 0;
    struct buf text = BUF_INIT;
    char head[64] = "", rest[4096];

    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    buf_addf(&text,
             "%s %s HTTP/1.1\r\nHost: a\r\nx-api-key: " KEY "\r\nConnection: close\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             method, target, strlen(body), body);
    assert_int_equal(send(fd, text.data, text.len, MSG_NOSIGNAL), text.len);
    assert_true(recv(fd, head, sizeof head - 1, MSG_WAITALL) > 0);
    while (recv(fd, rest, sizeof rest, 0) > 0)
        ;
    close(fd);
    buf_release(&text);
    assert_int_equal(sscanf(head, "HTTP/1.1 %d", &status), 1);
    return status;
}

// `pattern` with `id` for its '@'.
static void fill_in(const char *pattern, const char *id, char *out, size_t size)
{
    size_t at = strcspn(pattern, "@");

    snprintf(out, size, "%.*s%s%s", (int)at, pattern, pattern[at] ? id : "",
             pattern[at] ? pattern + at + 1 : "");
}

static void a_store_that_fails_is_never_the_clients_fault(void **state)
{
    struct house *h = *state;
    char target[256], body[256];
    const struct {
        const char *method, *target, *id, *body;
        int status; // of an answer that the failure does not reach
    } row[] = {
        {"GET", "/api/v1/job/@", h->job, "", 200},
        {"GET", "/api/v1/jobs", "", "", 200},
        {"GET", "/api/v1/jobs?cursor=@", h->job, "", 200},
        {"GET", "/api/v1/webhooks/deliveries?cursor=@", h->message, "", 200},
        {"POST", "/api/v1/webhooks/deliveries/@/redeliver", h->message, "", 200},
        {"POST", "/api/v1/job/@/cancel", h->job, "", 409},
        {"GET", "/api/account/balance", "", "", 200},
        {"GET", "/api/account/active_tasks", "", "", 200},
        {"GET", "/files/@/0.png", h->job, "", 200},
        {"GET", "/uploads/@", "00000000000000000000000000000000", "", 404},
        {"POST", "/api/v1/retexture", "",
         "{\"imgUrl\":\"" SITE "/files/@/0.png\",\"remixPrompt\":\"oil\"}", 200},
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        int failed = 1;
        fill_in(row[i].target, row[i].id, target, sizeof target);
        fill_in(row[i].body, h->job, body, sizeof body);
        for (int nth = 1; failed; nth++) {
            store_fault_arm(h->store, nth, ERR_UNAVAILABLE, false);
            int status = ask(h, row[i].method, target, body);
            failed = store_fault_disarm(h->store);
            if (status != row[i].status && (!failed || status != 503))
                fail_msg("%s %s: %d when call %d fails", row[i].method, target, status, nth);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_store_that_fails_is_never_the_clients_fault, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
