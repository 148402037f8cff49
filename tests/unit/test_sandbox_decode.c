/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/clock.h"
#include "sandbox/confine.h"
#include "sandbox/decode.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// TEST_CHILD: a decoder that does what it is told (sandbox_decode_child.c).

static struct decoder *open_child(int64_t memory_mb, int cpu_s, int wall_ms)
{
    const struct decoder_options o = {
        .helper = TEST_CHILD, .memory_bytes = memory_mb << 20, .cpu_s = cpu_s, .wall_ms = wall_ms};
    struct decoder *d = NULL;
    struct err_note note = {0};

    if (decoder_open(&o, &d, &note) != ERR_OK)
        fail_msg("%s", note.text);
    return d;
}

static enum err decode(struct decoder *d, const char *text, struct decoded *out,
                       struct err_note *note)
{
    const struct codec_decode_options o = {0};

    memset(note, 0, sizeof(*note));
    return decoder_decode(d, text, strlen(text), &o, NULL, out, note);
}

static int64_t now_ms(void)
{
    return clock_mono_ns(&clock_system) / 1000000;
}

static void assert_drawn(const struct decoded *out, int w, int h)
{
    assert_int_equal(out->image.width, w);
    assert_int_equal(out->image.height, h);
    assert_int_equal(out->image.stride, (size_t)w * 4);
    for (size_t i = 0; i < (size_t)w * (size_t)h * 4; i++)
        if (out->image.px[i] != (uint8_t)(i * 31 + (size_t)w))
            fail_msg("byte %zu differs", i);
}

static void a_picture_arrives_whole_and_frozen(void **state)
{
    struct decoder *d = open_child(512, 10, 10000);
    struct decoded out = {.fd = -1};
    struct err_note note;

    (void)state;
    assert_int_equal(decode(d, "draw 641 479", &out, &note), ERR_OK);
    assert_drawn(&out, 641, 479);
    assert_true(out.header.info.has_alpha && out.image.has_alpha);
    assert_int_equal(out.header.info.format, IMAGE_PNG);
    assert_false(out.image.owned);
    assert_int_equal(fcntl(out.fd, F_GETFD), FD_CLOEXEC);
    assert_true(pwrite(out.fd, "x", 1, 0) < 0);
    assert_true(ftruncate(out.fd, 1) != 0);
    assert_true(mmap(NULL, 4, PROT_WRITE, MAP_SHARED, out.fd, 0) == MAP_FAILED);
    // The mapping is private: who has the descriptor does not see what happens in it.
    uint8_t byte;
    out.image.px[0] ^= 0xFF;
    assert_int_equal(pread(out.fd, &byte, 1, 0), 1);
    assert_int_equal(byte, out.image.px[0] ^ 0xFF);
    decoded_release(&out);
    decoded_release(&out);
    decoder_close(d);
}

static void the_child_inherits_nothing(void **state)
{
    struct decoder *d = open_child(512, 10, 10000);
    struct decoded out = {.fd = -1};
    struct err_note note;
    int leak[8];

    (void)state;
    setenv("PATINA_API_KEY", "secret", 1);
    for (int i = 0; i < 8; i++)
        leak[i] = open("/dev/null", O_RDONLY); // not close-on-exec
    assert_int_equal(decode(d, "inherit", &out, &note), ERR_UNSUPPORTED);
    assert_string_equal(note.text, "5 descriptors, 0 variables");
    for (int i = 0; i < 8; i++)
        close(leak[i]);
    unsetenv("PATINA_API_KEY");
    const struct codec_decode_options o = {.want_pixels = 1234567890123};
    assert_int_equal(decoder_decode(d, "wanted", 6, &o, NULL, &out, &note), ERR_UNSUPPORTED);
    assert_string_equal(note.text, "1234567890123");
    decoder_close(d);
}

static void sizes_are_checked_before_memory_is_given(void **state)
{
    static const struct {
        const char *picture, *reason;
    } row[] = {
        {"draw 8001 8000", "pixels"}, {"draw 16385 600", "side"}, {"draw 600 16385", "side"},
        {"draw 311 10", "ratio"},     {"draw 10 311", "ratio"},   {"draw 8000 8000", "memory"},
    };
    struct decoder *d = open_child(256, 10, 10000);
    struct decoded out = {.fd = -1};
    struct err_note note;

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        assert_int_equal(decode(d, row[i].picture, &out, &note), ERR_TOO_LARGE);
        assert_string_equal(note.reason, row[i].reason);
        assert_true(note.text[0]);
    }
    assert_int_equal(decode(d, "draw 300 10", &out, &note), ERR_OK);
    decoded_release(&out);
    // 256 MB less the 48 of overhead: 208 MiB of pixels are the most.
    assert_int_equal(decode(d, "draw 7424 7344", &out, &note), ERR_OK);
    decoded_release(&out);
    assert_int_equal(decode(d, "draw 7425 7344", &out, &note), ERR_TOO_LARGE);
    assert_string_equal(note.reason, "memory");
    decoder_close(d);
}

static void a_lying_child_is_found_out(void **state)
{
    static const char *const row[] = {
        "lie 0",         "lie 1",          "lie 2",         "lie 3",        "lie 4",
        "lie 5",         "lie 6",          "lie 7",         "lie 8",        "lie 9",
        "end_early 8 8", "other_size 8 8", "short_message", "long_message", "flood",
        "pass_channel",  "bad_error",      "leave",         "segfault",
    };
    struct decoder *d = open_child(512, 10, 10000);
    struct decoded out = {.fd = -1};
    struct err_note note;

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        if (decode(d, row[i], &out, &note) != ERR_CORRUPT)
            fail_msg("%s: %s", row[i], note.text);
        assert_string_equal(note.reason, "decoder_died");
    }
    decoder_close(d);
}

static void texts_of_the_child_are_made_harmless(void **state)
{
    struct decoder *d = open_child(512, 10, 10000);
    struct decoded out = {.fd = -1};
    struct err_note note;

    (void)state;
    assert_int_equal(decode(d, "corrupt", &out, &note), ERR_CORRUPT);
    assert_string_equal(note.text, "cut   here");
    assert_string_equal(note.reason, "");
    assert_int_equal(decode(d, "bad_text", &out, &note), ERR_CORRUPT);
    assert_string_equal(note.text, "the picture cannot be decoded");
    assert_string_equal(note.reason, "");
    assert_int_equal(decode(d, "", &out, &note), ERR_CORRUPT);
    decoder_close(d);
}

static void forbidden_calls_kill(void **state)
{
    static const char *const row[] = {
        "socket", "fork",   "exec",  "io_uring", "kill_raw",     "open",      "clone",
        "thread", "clone3", "kill",  "write",    "fcntl",        "dup",       "ioctl",
        "prctl",  "ptrace", "memfd", "map_exec", "protect_exec", "recvmsg_0", "setsockopt",
    };
    const size_t also_sanitized = 5; // the filter there refuses the first rows
    struct decoder *d = open_child(512, 10, 10000);
    struct decoded out = {.fd = -1};
    struct err_note note;

    (void)state;
    for (size_t i = 0; i < (SANDBOX_SANITIZED ? also_sanitized : sizeof(row) / sizeof(row[0]));
         i++) {
        enum err e = decode(d, row[i], &out, &note);
        if (e != ERR_CORRUPT || !strstr(note.text, "signal 31"))
            fail_msg("%s: %s %s", row[i], err_name(e), note.text);
        assert_string_equal(note.reason, "decoder_died");
    }
    decoder_close(d);
}

static void memory_and_processor_time_end(void **state)
{
    struct decoded out = {.fd = -1};
    struct err_note note;

    (void)state;
    if (SANDBOX_SANITIZED)
        SKIP("address sanitizers do not start under memory limits");
    struct decoder *d = open_child(128, 1, 20000);
    assert_int_equal(decode(d, "bomb", &out, &note), ERR_TOO_LARGE);
    assert_string_equal(note.reason, "memory");
    assert_int_equal(decode(d, "spin", &out, &note), ERR_TOO_LARGE);
    assert_string_equal(note.reason, "cpu");
    decoder_close(d);
}

// Kills the one child of this process once it has used some processor time, so is well under way.
static void *kill_busy_child(void *arg)
{
    (void)arg;
    for (;;) {
        DIR *proc = opendir("/proc");
        for (struct dirent *entry; proc && (entry = readdir(proc));) {
            char path[300], stat[512];
            unsigned long ticks = 0;
            int parent = 0;

            snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
            FILE *f = fopen(path, "re");
            size_t n = f ? fread(stat, 1, sizeof(stat) - 1, f) : 0;
            if (f)
                fclose(f);
            stat[n] = 0;
            const char *after_name = strrchr(stat, ')');
            if (!after_name ||
                sscanf(after_name + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu", &parent,
                       &ticks) != 2 ||
                parent != getpid() || ticks < 2)
                continue;
            kill(atoi(entry->d_name), SIGKILL);
            closedir(proc);
            return NULL;
        }
        if (proc)
            closedir(proc);
    }
}

static void one_that_is_killed_from_outside_may_be_tried_again(void **state)
{
    struct decoder *d = open_child(512, 60, 60000);
    struct decoded out = {.fd = -1};
    struct err_note note;
    pthread_t t;

    (void)state;
    assert_int_equal(pthread_create(&t, NULL, kill_busy_child, NULL), 0);
    assert_int_equal(decode(d, "spin", &out, &note), ERR_CRASHED);
    pthread_join(t, NULL);
    decoder_close(d);
}

static void a_deadline_ends_it(void **state)
{
    struct decoder *d = open_child(512, 60, 1000);
    struct decoded out = {.fd = -1};
    struct err_note note;

    (void)state;
    int64_t start = now_ms();
    assert_int_equal(decode(d, "spin", &out, &note), ERR_TIMEOUT);
    assert_true(now_ms() - start >= 1000); // and would never end
    decoder_close(d);
}

static void *set_later(void *arg)
{
    const struct timespec t = {0, 60 * 1000000};

    nanosleep(&t, NULL); // into the decode; earlier would be right as well
    atomic_store((atomic_bool *)arg, true);
    return (void *)(intptr_t)now_ms();
}

static void a_cancel_ends_it_soon(void **state)
{
    struct decoder *d = open_child(512, 60, 60000);
    const struct codec_decode_options o = {0};
    struct decoded out = {.fd = -1};
    struct err_note note = {0};
    int64_t best_ms = INT64_MAX;

    (void)state;
    for (int i = 0; i < 5; i++) {
        atomic_bool cancel = false;
        pthread_t t;
        void *set_ms;
        pthread_create(&t, NULL, set_later, &cancel);
        assert_int_equal(decoder_decode(d, "spin", 4, &o, &cancel, &out, &note), ERR_CANCELLED);
        int64_t end = now_ms();
        pthread_join(t, &set_ms);
        if (end - (int64_t)(intptr_t)set_ms < best_ms)
            best_ms = end - (int64_t)(intptr_t)set_ms;
    }
    print_message("cancel noticed after %d ms\n", (int)best_ms);
    assert_in_range(best_ms + 1, 0, 201);
    decoder_close(d);
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
    static const char *const picture[] = {"draw 40 30", "segfault",     "lie 2",
                                          "leave",      "pass_channel", "draw 16385 1"};
    struct decoder *d = open_child(512, 10, 10000);
    struct decoded out = {.fd = -1};
    struct err_note note;

    (void)state;
    int before = open_fds();
    for (int i = 0; i < 200; i++)
        if (decode(d, picture[i % 6], &out, &note) == ERR_OK)
            decoded_release(&out);
    assert_int_equal(open_fds(), before);
    decoder_close(d);
}

static void *decode_eight(void *arg)
{
    struct decoder *d = arg;
    intptr_t failed = 0;

    for (int i = 1; i <= 8; i++) {
        struct decoded out = {.fd = -1};
        struct err_note note;
        char text[32];
        snprintf(text, sizeof(text), "draw %d %d", 100 + i, 90);
        if (decode(d, text, &out, &note) != ERR_OK || out.image.width != 100 + i ||
            out.image.px[5] != (uint8_t)(5 * 31 + 100 + i))
            failed++;
        decoded_release(&out);
    }
    return (void *)failed;
}

static void threads_do_not_meet(void **state)
{
    struct decoder *d = open_child(512, 10, 60000);
    pthread_t t[8];

    (void)state;
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&t[i], NULL, decode_eight, d), 0);
    for (int i = 0; i < 8; i++) {
        void *failed;
        pthread_join(t[i], &failed);
        assert_null(failed);
    }
    decoder_close(d);
}

static void a_helper_that_cannot_work_is_found_at_once(void **state)
{
    static const struct {
        const char *helper;
        int64_t memory_bytes;
        int cpu_s, wall_ms;
        enum err want;
    } row[] = {
        {"/nonexistent/patina-decode", 512 << 20, 10, 10000, ERR_NOT_FOUND},
        {"/bin/true", 512 << 20, 10, 10000, ERR_IO},
        {TEST_CHILD, 48 << 20, 10, 10000, ERR_INVALID},
        {TEST_CHILD, 512 << 20, 0, 10000, ERR_INVALID},
        {TEST_CHILD, 512 << 20, 10, 0, ERR_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        const struct decoder_options o = {.helper = row[i].helper,
                                          .memory_bytes = row[i].memory_bytes,
                                          .cpu_s = row[i].cpu_s,
                                          .wall_ms = row[i].wall_ms};
        struct decoder *d = NULL;
        struct err_note note = {0};
        assert_int_equal(decoder_open(&o, &d, &note), row[i].want);
        assert_null(d);
        assert_true(note.text[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_arrives_whole_and_frozen),
        cmocka_unit_test(the_child_inherits_nothing),
        cmocka_unit_test(sizes_are_checked_before_memory_is_given),
        cmocka_unit_test(a_lying_child_is_found_out),
        cmocka_unit_test(texts_of_the_child_are_made_harmless),
        cmocka_unit_test(forbidden_calls_kill),
        cmocka_unit_test(memory_and_processor_time_end),
        cmocka_unit_test(a_deadline_ends_it),
        cmocka_unit_test(one_that_is_killed_from_outside_may_be_tried_again),
        cmocka_unit_test(a_cancel_ends_it_soon),
        cmocka_unit_test(nothing_leaks),
        cmocka_unit_test(threads_do_not_meet),
        cmocka_unit_test(a_helper_that_cannot_work_is_found_at_once),
    };

    return cmocka_run_group_tests_name("sandbox_decode", tests, NULL, NULL);
}
