/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/clock.h"
#include "sandbox/channel.h"
#include "sandbox/child.h"
#include "sandbox/confine.h"
#include "sandbox/memfd.h"
#include "sandbox/render.h"
#include "sandbox/render_wire.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

// TEST_CHILD: a renderer that does what it is told (sandbox_render_child.c).

enum { GRACE_MS = 300, LONG_MS = 60000 };

static struct render_pool *open_pool(int processes, bool jit)
{
    static char *const plain[] = {(char *)TEST_CHILD, NULL};
    static char *const with_jit[] = {(char *)TEST_CHILD, (char *)"jit", NULL};
    const struct render_pool_options o = {
        .processes = processes, .argv = jit ? with_jit : plain, .cancel_grace_ms = GRACE_MS};
    struct render_pool *p = NULL;
    struct err_note note = {0};

    if (render_pool_open(&o, &p, &note) != ERR_OK)
        fail_msg("%s", note.text);
    return p;
}

struct source {
    struct image image;
    int fd;
};

static void open_source(struct source *s, int w, int h)
{
    assert_int_equal(image_new(&s->image, w, h), ERR_OK);
    for (size_t i = 0; i < (size_t)w * (size_t)h * 4; i++)
        s->image.px[i] = (uint8_t)(i * 7);
    assert_int_equal(memfd_copy(s->image.px, (size_t)w * (size_t)h * 4, &s->fd, NULL), ERR_OK);
}

static void close_source(struct source *s)
{
    image_release(&s->image);
    close(s->fd);
}

static enum err run(struct render_pool *p, const char *request, struct render_answer *out,
                    struct err_note *note)
{
    struct source s;

    open_source(&s, 8, 8);
    const struct render_call call = {
        .source = &s.image, .source_fd = s.fd, .request_json = request, .limit_ms = LONG_MS};
    memset(note, 0, sizeof(*note));
    enum err e = render_run(p, &call, out, note);
    close_source(&s);
    return e;
}

static int64_t now_ms(void)
{
    return clock_mono_ns(&clock_system) / 1000000;
}

static void count_progress(void *ctx, float done)
{
    float *last = ctx;

    assert_true(done >= 0 && done <= 1);
    *last = done;
}

// Into a renderer that has had a request with one before, and in front of one without.
static void a_second_picture_goes_along(void **state)
{
    static const struct {
        bool style;
        const char *report;
    } row[] = {{true, "5x3 1 0-157"}, {false, "none"}, {true, "5x3 1 0-157"}};
    struct render_pool *p = open_pool(1, false);
    struct err_note note = {0};
    struct source s, style;

    (void)state;
    open_source(&s, 8, 8);
    open_source(&style, 5, 3);
    style.image.has_alpha = true;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct render_answer out = {.count = 0};
        const struct render_call call = {.source = &s.image,
                                         .source_fd = s.fd,
                                         .style = row[i].style ? &style.image : NULL,
                                         .style_fd = style.fd,
                                         .request_json = "style",
                                         .limit_ms = LONG_MS};
        assert_int_equal(render_run(p, &call, &out, &note), ERR_OK);
        assert_string_equal(out.report_json, row[i].report);
        render_answer_release(&out);
    }
    close_source(&s);
    close_source(&style);
    render_pool_close(p);
}

static void pictures_and_report_come_back(void **state)
{
    struct render_pool *p = open_pool(1, false);
    struct render_answer out = {.count = 0};
    struct err_note note = {0};
    struct source s;
    float last = -1;

    (void)state;
    open_source(&s, 129, 65);
    const struct render_call call = {.source = &s.image,
                                     .source_fd = s.fd,
                                     .request_json = "echo",
                                     .limit_ms = LONG_MS,
                                     .progress = count_progress,
                                     .progress_ctx = &last};
    assert_int_equal(render_run(p, &call, &out, &note), ERR_OK);
    assert_int_equal(out.count, 5);
    assert_memory_equal(out.report_json, "{\"pid\":", 7);
    assert_true(last > 0);
    for (int i = 0; i < 5; i++) {
        const struct image *im = &out.picture[i];
        assert_int_equal(im->width, 129 * (i == 4 ? 2 : 1));
        assert_int_equal(im->height, 65 * (i == 4 ? 2 : 1));
        assert_int_equal(im->has_alpha, i == 1);
        assert_int_equal(im->px[0], i);
        for (int y = 0; y < 65; y++)
            assert_memory_equal(im->px + (size_t)y * im->stride + 4,
                                s.image.px + (size_t)y * s.image.stride + 4, 128 * 4);
    }
    render_answer_release(&out);
    render_answer_release(&out);
    close_source(&s);
    render_pool_close(p);
}

static void a_renderer_starts_with_little(void **state)
{
    struct render_pool *p = open_pool(1, false);
    struct render_answer out = {.count = 0};
    struct err_note note;
    char want[64];

    (void)state;
    setenv("PATINA_API_KEY", "secret", 1);
    assert_int_equal(run(p, "about", &out, &note), ERR_OK);
    assert_int_equal(out.count, 0);
    snprintf(want, sizeof(want), "nice 10, policy %d, 1 variables", SCHED_BATCH);
    assert_string_equal(out.report_json, want);
    render_answer_release(&out);
    render_pool_close(p);
}

static void what_an_engine_needs_works(void **state)
{
    struct render_pool *p = open_pool(1, false), *jit = open_pool(1, true);
    struct render_answer out = {.count = 0};
    struct err_note note;

    (void)state;
    assert_int_equal(run(p, "threads", &out, &note), ERR_OK);
    assert_string_equal(out.report_json, "8");
    render_answer_release(&out);
    if (!SANDBOX_SANITIZED) {
        assert_int_equal(run(jit, "map_exec", &out, &note), ERR_UNSUPPORTED);
        assert_memory_equal(note.text, "returned 0,", 11);
        assert_int_equal(run(p, "map_exec", &out, &note), ERR_CRASHED);
    }
    render_pool_close(jit);
    render_pool_close(p);
}

static void errors_and_notes_come_back(void **state)
{
    struct render_pool *p = open_pool(1, false);
    struct render_answer out = {.count = 0};
    struct err_note note;

    (void)state;
    assert_int_equal(run(p, "refuse", &out, &note), ERR_UNSUPPORTED);
    assert_string_equal(note.text, "no way");
    assert_string_equal(note.reason, "odd");
    assert_string_equal(note.field, "imgUrl");
    assert_int_equal(note.status, 7);
    assert_int_equal(run(p, "bad_error", &out, &note), ERR_BUG);
    assert_int_equal(run(p, "long_report 1", &out, &note), ERR_BUG);
    assert_int_equal(run(p, "long_report 0", &out, &note), ERR_OK);
    assert_int_equal(strlen(out.report_json), RENDER_JSON_BYTES_MAX);
    render_answer_release(&out);
    render_pool_close(p);
}

static void requests_have_a_limit(void **state)
{
    struct render_pool *p = open_pool(1, false);
    struct render_answer out = {.count = 0};
    struct err_note note;
    char *request = malloc(RENDER_JSON_BYTES_MAX + 2);

    (void)state;
    assert_non_null(request);
    memset(request, ' ', RENDER_JSON_BYTES_MAX + 1);
    memcpy(request, "about", 5);
    request[RENDER_JSON_BYTES_MAX + 1] = '\0';
    assert_int_equal(run(p, request, &out, &note), ERR_TOO_LARGE);
    request[RENDER_JSON_BYTES_MAX] = '\0';
    assert_int_equal(run(p, request, &out, &note), ERR_OK);
    render_answer_release(&out);
    free(request);
    render_pool_close(p);
}

static long pid_of(struct render_pool *p)
{
    struct render_answer out = {.count = 0};
    struct err_note note;

    if (run(p, "echo", &out, &note) != ERR_OK)
        fail_msg("%s", note.text);
    long pid = strtol(out.report_json + 7, NULL, 10);
    render_answer_release(&out);
    return pid;
}

static void a_dead_renderer_is_replaced(void **state)
{
    static const char *const row[] = {"crash", "leave"};
    struct render_pool *p = open_pool(1, false);
    struct render_answer out = {.count = 0};
    struct err_note note;

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        long before = pid_of(p);
        assert_int_equal(pid_of(p), before);
        assert_int_equal(run(p, row[i], &out, &note), ERR_CRASHED);
        assert_true(note.text[0]);
        assert_true(pid_of(p) != before);
    }
    // Killed between two calls: nobody's strike.
    long before = pid_of(p);
    struct pollfd end = {.fd = pidfd_open((pid_t)before, 0), .events = POLLIN};
    assert_true(end.fd >= 0);
    kill((pid_t)before, SIGKILL);
    assert_int_equal(poll(&end, 1, 20000), 1);
    close(end.fd);
    assert_true(pid_of(p) != before);
    render_pool_close(p);
}

static void await_ready(struct render_pool *p, bool ready)
{
    while (render_pool_ready(p) != ready)
        poll(NULL, 0, 1);
}

static void a_pool_is_ready_as_long_as_renderers_start(void **state)
{
    char dir[] = "/tmp/patina-pool-XXXXXX", path[sizeof dir + 16];
    char *const argv[] = {path, NULL};
    const struct render_pool_options o = {
        .processes = 1, .argv = argv, .cancel_grace_ms = GRACE_MS};
    struct render_answer out = {.count = 0};
    struct render_pool *p;
    struct err_note note;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/renderer", dir);
    assert_int_equal(symlink(TEST_CHILD, path), 0);
    assert_int_equal(render_pool_open(&o, &p, &note), ERR_OK);
    assert_true(render_pool_ready(p));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(run(p, "leave", &out, &note), ERR_CRASHED);
    await_ready(p, false);
    assert_int_equal(symlink(TEST_CHILD, path), 0);
    await_ready(p, true);
    assert_true(pid_of(p) > 0);
    render_pool_close(p);
    unlink(path);
    rmdir(dir);
}

static void a_lying_renderer_is_found_out(void **state)
{
    enum { LIES = 17 };
    struct render_answer out = {.count = 0};
    struct err_note note;

    (void)state;
    for (int i = 0; i < LIES; i++) {
        char request[32];
        struct render_pool *p =
            open_pool(1, false); // so that the child knows the number of its call
        snprintf(request, sizeof(request), "lie %d", i);
        if (run(p, request, &out, &note) != ERR_CRASHED)
            fail_msg("%s: %s", request, note.text);
        assert_int_equal(out.count, 0);
        render_pool_close(p);
    }
}

static void forbidden_calls_kill(void **state)
{
    static const char *const row[] = {
        "socket", "fork",        "exec",  "kill",  "io_uring", "unlink",
        "clone",  "setpriority", "write", "memfd", "tgkill",   "map_exec",
    };
    const size_t also_sanitized = 6; // the filter there refuses the first rows
    struct render_answer out = {.count = 0};
    struct err_note note;

    (void)state;
    struct render_pool *p = open_pool(1, false);
    for (size_t i = 0; i < (SANDBOX_SANITIZED ? also_sanitized : sizeof(row) / sizeof(row[0]));
         i++) {
        enum err e = run(p, row[i], &out, &note);
        if (e != ERR_CRASHED || !strstr(note.text, "signal 31"))
            fail_msg("%s: %s %s", row[i], err_name(e), note.text);
        pid_of(p); // an answer between: no pause before the next start
    }
    if (!SANDBOX_SANITIZED) { // files are refused, not fatal
        assert_int_equal(run(p, "files", &out, &note), ERR_OK);
        assert_string_equal(out.report_json, "refused");
        render_answer_release(&out);
    }
    render_pool_close(p);
}

static void set_cancel(void *ctx, float done)
{
    (void)done;
    atomic_store((atomic_bool *)ctx, true);
}

// Cancels at the first progress, so that the engine is in the middle of its work.
static enum err run_cancelled(struct render_pool *p, const char *request, int64_t *took_ms)
{
    struct render_answer out = {.count = 0};
    struct err_note note = {0};
    atomic_bool cancel = false;
    struct source s;

    open_source(&s, 8, 8);
    const struct render_call call = {.source = &s.image,
                                     .source_fd = s.fd,
                                     .request_json = request,
                                     .limit_ms = LONG_MS,
                                     .progress = set_cancel,
                                     .progress_ctx = &cancel,
                                     .cancel = &cancel};
    int64_t start = now_ms();
    enum err e = render_run(p, &call, &out, &note);
    *took_ms = now_ms() - start;
    close_source(&s);
    return e;
}

static void a_cancel_is_passed_on(void **state)
{
    struct render_pool *p = open_pool(1, false);
    int64_t took_ms, best_ms = INT64_MAX;

    (void)state;
    long pid = pid_of(p);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(run_cancelled(p, "wait_cancel", &took_ms), ERR_CANCELLED);
        best_ms = took_ms < best_ms ? took_ms : best_ms;
    }
    print_message("a render ends %d ms after it was cancelled\n", (int)best_ms);
    assert_true(best_ms < GRACE_MS);
    assert_int_equal(pid_of(p), pid); // which lives on
    render_pool_close(p);
}

static void a_cancel_that_is_ignored_kills(void **state)
{
    struct render_pool *p = open_pool(1, false);
    int64_t took_ms;

    (void)state;
    long pid = pid_of(p);
    assert_int_equal(run_cancelled(p, "spin", &took_ms), ERR_CANCELLED); // it would never end
    assert_true(took_ms >= GRACE_MS);
    assert_true(pid_of(p) != pid);
    render_pool_close(p);
    p = open_pool(1, false); // so that the child knows the number of its call
    assert_int_equal(run_cancelled(p, "flood", &took_ms), ERR_CANCELLED);
    assert_true(took_ms >= GRACE_MS);
    render_pool_close(p);
}

static void the_limit_ends_it(void **state)
{
    static const char *const row[] = {"spin", "wait_cancel"};
    struct render_pool *p = open_pool(1, false);
    struct render_answer out = {.count = 0};
    struct source s;

    (void)state;
    open_source(&s, 8, 8);
    for (size_t i = 0; i < 2; i++) {
        struct err_note note = {0};
        const struct render_call call = {
            .source = &s.image, .source_fd = s.fd, .request_json = row[i], .limit_ms = 200};
        int64_t start = now_ms();
        assert_int_equal(render_run(p, &call, &out, &note), ERR_TIMEOUT);
        assert_true(now_ms() - start >= 200); // and would never end
        assert_non_null(strstr(note.text, "200 ms"));
        pid_of(p);
    }
    close_source(&s);
    render_pool_close(p);
}

static void *echo_often(void *arg)
{
    for (int i = 0; i < 10; i++)
        pid_of(arg);
    return NULL;
}

static void more_callers_than_renderers_take_turns(void **state)
{
    struct render_pool *p = open_pool(2, false);
    pthread_t t[6];

    (void)state;
    for (int i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&t[i], NULL, echo_often, p), 0);
    for (int i = 0; i < 6; i++)
        pthread_join(t[i], NULL);
    render_pool_close(p);
}

struct stopped {
    struct render_pool *pool;
    atomic_bool busy;
    enum err e;
};

static void mark_busy(void *ctx, float done)
{
    (void)done;
    atomic_store(&((struct stopped *)ctx)->busy, true);
}

static void *run_until_closed(void *arg)
{
    struct stopped *st = arg;
    struct render_answer out = {.count = 0};
    struct source s;

    open_source(&s, 8, 8);
    const struct render_call call = {.source = &s.image,
                                     .source_fd = s.fd,
                                     .request_json = "spin",
                                     .limit_ms = LONG_MS,
                                     .progress = mark_busy,
                                     .progress_ctx = st};
    st->e = render_run(st->pool, &call, &out, NULL);
    close_source(&s);
    return NULL;
}

static void closing_stops_what_runs(void **state)
{
    struct stopped st = {.pool = open_pool(2, false)};
    pthread_t t;

    (void)state;
    assert_int_equal(pthread_create(&t, NULL, run_until_closed, &st), 0);
    while (!atomic_load(&st.busy))
        sched_yield();
    render_pool_close(st.pool);
    pthread_join(t, NULL);
    assert_int_equal(st.e, ERR_UNAVAILABLE);
}

// A renderer whose server is gone ends, idle or busy.
static void the_end_of_the_channel_ends_it(void **state)
{
    char *const argv[] = {(char *)TEST_CHILD, NULL};
    char *const env[] = {SANDBOX_SANITIZED ? (char *)"ASAN_OPTIONS=" SANITIZER_OPTIONS : NULL,
                         NULL};
    const struct child_options o = {.path = TEST_CHILD, .argv = argv, .env = env, .source_fd = -1};
    const struct render_command c = {.type = RENDER_REQUEST, .width = 8, .height = 8, .call = 1};
    struct source s;

    (void)state;
    open_source(&s, 8, 8);
    for (int busy = 0; busy < 2; busy++) {
        struct child child = CHILD_NONE;
        struct render_reply r;
        size_t len;
        assert_int_equal(child_spawn(&o, &child, NULL), ERR_OK);
        int64_t deadline_ns = clock_mono_ns(&clock_system) + INT64_C(20000000000);
        assert_int_equal(child_wait(&child, deadline_ns, NULL), ERR_OK);
        assert_int_equal(channel_recv(child.control, &r, sizeof(r), &len, NULL), ERR_OK);
        assert_int_equal(r.type, RENDER_READY);
        if (busy) {
            assert_int_equal(channel_send(child.control, &c, sizeof(c), "spin", 4, s.fd), ERR_OK);
            assert_int_equal(child_wait(&child, deadline_ns, NULL), ERR_OK);
            assert_int_equal(channel_recv(child.control, &r, sizeof(r), &len, NULL), ERR_OK);
            assert_int_equal(r.type, RENDER_PROGRESS);
        }
        close(child.control);
        child.control = -1;
        struct pollfd on = {.fd = child.pidfd, .events = POLLIN};
        assert_int_equal(poll(&on, 1, 20000), 1);
        child_end(&child, NULL);
    }
    close_source(&s);
}

static void a_renderer_that_cannot_start_shows_at_once(void **state)
{
    static const struct {
        const char *path, *how;
        int processes;
        enum err want;
        const char *text;
    } row[] = {
        {TEST_CHILD, "fail", 1, ERR_CRASHED, "exit status 3"},
        {"/nonexistent/patina", NULL, 1, ERR_CRASHED, "No such file"},
        {TEST_CHILD, NULL, 0, ERR_INVALID, "1 to"},
        {TEST_CHILD, NULL, 257, ERR_INVALID, "1 to"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        char *const argv[] = {(char *)row[i].path, (char *)row[i].how, NULL};
        const struct render_pool_options o = {.processes = row[i].processes, .argv = argv};
        struct render_pool *p = NULL;
        struct err_note note = {0};
        assert_int_equal(render_pool_open(&o, &p, &note), row[i].want);
        assert_null(p);
        if (!strstr(note.text, row[i].text))
            fail_msg("%s", note.text);
    }
}

static int open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void nothing_leaks(void **state)
{
    static const char *const request[] = {"echo", "refuse", "about"};
    struct render_answer out = {.count = 0};
    struct err_note note;
    int64_t took_ms;

    (void)state;
    int before = open_fds();
    struct render_pool *p = open_pool(2, false);
    for (int i = 0; i < 60; i++)
        if (run(p, request[i % 3], &out, &note) == ERR_OK)
            render_answer_release(&out);
    assert_int_equal(run(p, "crash", &out, &note), ERR_CRASHED);
    assert_int_equal(run_cancelled(p, "wait_cancel", &took_ms), ERR_CANCELLED);
    render_pool_close(p);
    assert_int_equal(open_fds(), before);
}

static long resident_kb(long pid)
{
    char path[64];
    long size, resident;

    snprintf(path, sizeof(path), "/proc/%ld/statm", pid);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld %ld", &size, &resident), 2);
    fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void waiting_costs_little_memory(void **state)
{
    struct render_answer out = {.count = 0};
    struct err_note note = {0};
    struct source s;

    (void)state;
    if (SANDBOX_SANITIZED)
        SKIP("sanitizers need memory of their own");
    struct render_pool *p = open_pool(1, false);
    long pid = pid_of(p), before = resident_kb(pid);
    open_source(&s, 1024, 1024);
    const struct render_call call = {
        .source = &s.image, .source_fd = s.fd, .request_json = "echo", .limit_ms = LONG_MS};
    assert_int_equal(render_run(p, &call, &out, &note), ERR_OK);
    render_answer_release(&out);
    close_source(&s);
    assert_int_equal(pid_of(p), pid); // so the render before it is tidied up
    print_message("renderer: %ld kB before, %ld kB after 32 MB of pictures\n", before,
                  resident_kb(pid));
    assert_true(resident_kb(pid) < before + 4096);
    render_pool_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_and_report_come_back),
        cmocka_unit_test(a_second_picture_goes_along),
        cmocka_unit_test(a_renderer_starts_with_little),
        cmocka_unit_test(what_an_engine_needs_works),
        cmocka_unit_test(errors_and_notes_come_back),
        cmocka_unit_test(requests_have_a_limit),
        cmocka_unit_test(a_dead_renderer_is_replaced),
        cmocka_unit_test(a_pool_is_ready_as_long_as_renderers_start),
        cmocka_unit_test(a_lying_renderer_is_found_out),
        cmocka_unit_test(forbidden_calls_kill),
        cmocka_unit_test(a_cancel_is_passed_on),
        cmocka_unit_test(a_cancel_that_is_ignored_kills),
        cmocka_unit_test(the_limit_ends_it),
        cmocka_unit_test(more_callers_than_renderers_take_turns),
        cmocka_unit_test(closing_stops_what_runs),
        cmocka_unit_test(the_end_of_the_channel_ends_it),
        cmocka_unit_test(a_renderer_that_cannot_start_shows_at_once),
        cmocka_unit_test(nothing_leaks),
        cmocka_unit_test(waiting_costs_little_memory),
    };

    return cmocka_run_group_tests_name("sandbox_render", tests, NULL, NULL);
}
