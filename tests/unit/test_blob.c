/* SPDX-License-Identifier: MIT */
/* The blob contract, run on blob_dir, and what is blob_dir's own: left-overs, a full disk, a
 * read-only folder. */
#include "unit/unit.h"

#include "base/buf.h"
#include "base/rand.h"
#include "blob/blob_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t far_future_ms = INT64_C(253402300799000);

struct place {
    char root[64]; // a folder of the test's own
    char path[80]; // the store, below it
    struct blob_store *store;
};

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof(*p));

    snprintf(p->root, sizeof(p->root), "/tmp/test_blob.XXXXXX");
    if (!mkdtemp(p->root))
        return -1;
    snprintf(p->path, sizeof(p->path), "%s/blobs", p->root);
    if (blob_dir_open(p->path, &p->store, NULL) != ERR_OK)
        return -1;
    *state = p;
    return 0;
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    char below[400];

    while (dir && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
        if (unlink(below) < 0)
            remove_tree(below);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

static int tear_down(void **state)
{
    struct place *p = *state;

    blob_close(p->store);
    remove_tree(p->root);
    free(p);
    return 0;
}

static void assert_blob(struct blob_store *b, const char *key, const void *data, size_t len)
{
    struct err_note note = {0};
    char got[4096];
    int64_t size = -1;
    int fd = -1;

    if (blob_open(b, key, &fd, &size, &note) != ERR_OK)
        fail_msg("%s: %s", key, note.text);
    assert_int_equal(size, len);
    assert_int_equal(pread(fd, got, sizeof(got), 0), len);
    assert_memory_equal(got, data, len);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(fd);
}

static void assert_missing(struct blob_store *b, const char *key)
{
    struct err_note note = {0};
    int64_t size = -7;
    int fd = -7;

    assert_int_equal(blob_open(b, key, &fd, &size, &note), ERR_NOT_FOUND);
    assert_int_equal(fd, -7);
    assert_int_equal(size, -7);
    assert_true(note.text[0] != '\0');
}

struct count {
    int blobs, left_overs, stop_after;
    int64_t bytes;
    char last_key[BLOB_KEY_MAX + 1];
};

static bool count_one(void *ctx, const char *key, int64_t bytes)
{
    struct count *c = ctx;

    if (key)
        snprintf(c->last_key, sizeof(c->last_key), "%s", key);
    c->blobs += key != NULL;
    c->left_overs += key == NULL;
    c->bytes += bytes;
    return c->stop_after == 0 || c->blobs < c->stop_after;
}

static struct count count_all(struct blob_store *b, int64_t before_unix_ms)
{
    struct count c = {0};

    assert_int_equal(blob_each(b, before_unix_ms, count_one, &c, NULL), ERR_OK);
    return c;
}

static void keys_are_checked(void **state)
{
    static const struct {
        const char *key;
        bool valid;
    } row[] = {
        {"a", true},       {"job/0f/0.png", true}, {"a-b_c.d/9", true},
        {"a..b", true},    {"a/b..", true},        {"", false},
        {"/", false},      {"/a", false},          {"a/", false},
        {"a//b", false},   {".", false},           {"..", false},
        {"a/../b", false}, {"a/./b", false},       {".a", false},
        {"a/.b", false},   {"A", false},           {"a b", false},
        {"a,b", false},    {"a\\b", false},        {"a\xC3\xA9", false},
        {"a\n", false},    {"a:b", false},
    };
    char key[BLOB_KEY_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        assert_int_equal(blob_key_valid(row[i].key), row[i].valid);
    memset(key, 'k', sizeof(key));
    key[BLOB_KEY_MAX] = '\0';
    assert_true(blob_key_valid(key));
    key[BLOB_KEY_MAX] = 'k';
    key[BLOB_KEY_MAX + 1] = '\0';
    assert_false(blob_key_valid(key));
}

static void what_is_put_can_be_read_replaced_and_deleted(void **state)
{
    struct blob_store *b = ((struct place *)*state)->store;
    char longest[BLOB_KEY_MAX + 1];

    assert_missing(b, "job/1/0.png");
    assert_int_equal(blob_put(b, "job/1/0.png", "first", 5, NULL), ERR_OK);
    assert_blob(b, "job/1/0.png", "first", 5);
    assert_missing(b, "job/1/1.png");
    assert_missing(b, "job/1");

    assert_int_equal(blob_put(b, "job/1/0.png", "", 0, NULL), ERR_OK);
    assert_blob(b, "job/1/0.png", "", 0);

    memset(longest, 'k', BLOB_KEY_MAX);
    longest[BLOB_KEY_MAX] = '\0';
    assert_int_equal(blob_put(b, longest, "x", 1, NULL), ERR_OK);
    assert_blob(b, longest, "x", 1);

    assert_int_equal(blob_delete(b, longest, NULL), ERR_OK);
    assert_missing(b, longest);
    assert_int_equal(blob_delete(b, longest, NULL), ERR_OK);
    assert_int_equal(blob_ping(b, NULL), ERR_OK);
    assert_int_equal(count_all(b, far_future_ms).blobs, 1);
}

static void a_deleted_blob_stays_readable_to_who_has_it_open(void **state)
{
    struct blob_store *b = ((struct place *)*state)->store;
    char got[8];
    int64_t size;
    int fd;

    assert_int_equal(blob_put(b, "a/b", "bytes", 5, NULL), ERR_OK);
    assert_int_equal(blob_open(b, "a/b", &fd, &size, NULL), ERR_OK);
    assert_int_equal(blob_put(b, "a/b", "other", 5, NULL), ERR_OK);
    assert_int_equal(blob_delete(b, "a/b", NULL), ERR_OK);
    assert_int_equal(pread(fd, got, sizeof(got), 0), 5);
    assert_memory_equal(got, "bytes", 5);
    close(fd);
}

static void blobs_survive_reopening(void **state)
{
    struct place *p = *state;

    assert_int_equal(blob_put(p->store, "a/b", "bytes", 5, NULL), ERR_OK);
    blob_close(p->store);
    p->store = NULL;
    assert_int_equal(blob_dir_open(p->path, &p->store, NULL), ERR_OK);
    assert_blob(p->store, "a/b", "bytes", 5);
}

static void each_visits_all_that_is_old_enough(void **state)
{
    struct blob_store *b = ((struct place *)*state)->store;
    struct count c;

    for (int i = 0; i < 300; i++) {
        char key[40];
        snprintf(key, sizeof(key), "job/%d/grid.png", i);
        assert_int_equal(blob_put(b, key, "1234", 4, NULL), ERR_OK);
    }
    c = count_all(b, far_future_ms);
    assert_int_equal(c.blobs, 300);
    assert_int_equal(c.left_overs, 0);
    assert_int_equal(c.bytes, 1200);
    assert_true(blob_key_valid(c.last_key));
    assert_blob(b, c.last_key, "1234", 4);
    assert_int_equal(count_all(b, 1).blobs, 0);

    struct count some = {.stop_after = 7};
    assert_int_equal(blob_each(b, far_future_ms, count_one, &some, NULL), ERR_OK);
    assert_int_equal(some.blobs, 7);
}

static bool delete_one(void *ctx, const char *key, int64_t bytes)
{
    (void)bytes;
    return blob_delete(ctx, key, NULL) == ERR_OK;
}

static void each_may_delete_what_it_visits(void **state)
{
    struct blob_store *b = ((struct place *)*state)->store;

    for (int i = 0; i < 100; i++) {
        char key[40];
        snprintf(key, sizeof(key), "source/%d", i);
        assert_int_equal(blob_put(b, key, "", 0, NULL), ERR_OK);
    }
    assert_int_equal(blob_each(b, far_future_ms, delete_one, b, NULL), ERR_OK);
    assert_int_equal(count_all(b, far_future_ms).blobs, 0);
}

struct writer {
    struct blob_store *store;
    char fill;
    enum err worst;
};

enum { RACE_BYTES = 3000, RACE_ROUNDS = 50 };

static void *write_again_and_again(void *arg)
{
    struct writer *w = arg;
    char data[RACE_BYTES];

    memset(data, w->fill, sizeof(data));
    for (int i = 0; i < RACE_ROUNDS && w->worst == ERR_OK; i++)
        w->worst = blob_put(w->store, "race", data, sizeof(data), NULL);
    return NULL;
}

// Readers of a key that several writers replace see one writer's bytes, whole.
static void concurrent_puts_of_one_key_never_mix(void **state)
{
    struct blob_store *b = ((struct place *)*state)->store;
    struct writer writer[3];
    pthread_t thread[3];
    char got[RACE_BYTES];

    assert_int_equal(blob_put(b, "race", memset(got, 'x', sizeof(got)), sizeof(got), NULL), ERR_OK);
    for (int i = 0; i < 3; i++) {
        writer[i] = (struct writer){b, (char)('a' + i), ERR_OK};
        assert_int_equal(pthread_create(&thread[i], NULL, write_again_and_again, &writer[i]), 0);
    }
    for (int i = 0; i < 500; i++) {
        int64_t size;
        int fd;
        assert_int_equal(blob_open(b, "race", &fd, &size, NULL), ERR_OK);
        assert_int_equal(size, sizeof(got));
        assert_int_equal(pread(fd, got, sizeof(got), 0), sizeof(got));
        for (size_t k = 1; k < sizeof(got); k++)
            assert_int_equal(got[k], got[0]);
        close(fd);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(writer[i].worst, ERR_OK);
    }
    struct count c = count_all(b, far_future_ms);
    assert_int_equal(c.blobs, 1);
    assert_int_equal(c.left_overs, 0);
}

static void left_overs_are_swept_and_strangers_left_alone(void **state)
{
    struct place *p = *state;
    char path[120];
    struct stat st;

    assert_int_equal(blob_put(p->store, "a/b", "bytes", 5, NULL), ERR_OK);
    static const char *const names[] = {"00/.new-0123456789abcdef", "00/README", "00/Upper",
                                        "77/x"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", p->path, names[i]);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "half", 4), 4);
        close(fd);
    }
    assert_int_equal(count_all(p->store, 1).left_overs, 0); // too young
    struct count c = count_all(p->store, far_future_ms);
    assert_int_equal(c.blobs, 1);
    assert_int_equal(c.left_overs, 1);
    assert_int_equal(c.bytes, 9);
    assert_int_equal(count_all(p->store, far_future_ms).left_overs, 0);
    snprintf(path, sizeof(path), "%s/00/README", p->path);
    assert_int_equal(stat(path, &st), 0);
}

static void folders_and_files_are_private(void **state)
{
    struct place *p = *state;
    struct stat st;
    int64_t size;
    int fd;

    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(blob_put(p->store, "a", "x", 1, NULL), ERR_OK);
    assert_int_equal(blob_open(p->store, "a", &fd, &size, NULL), ERR_OK);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(write(fd, "y", 1) < 0);
    close(fd);
}

static void free_bytes_are_told(void **state)
{
    int64_t bytes = -1;

    assert_int_equal(blob_free_bytes(((struct place *)*state)->store, &bytes), ERR_OK);
    assert_true(bytes > 0);
}

static void a_bad_place_is_refused_with_its_name(void **state)
{
    struct place *p = *state;
    struct blob_store *b = NULL;
    struct err_note note = {0};
    char path[120];

    snprintf(path, sizeof(path), "%s/missing/blobs", p->root);
    assert_int_equal(blob_dir_open(path, &b, &note), ERR_IO);
    assert_non_null(strstr(note.text, path));
    snprintf(path, sizeof(path), "%s/file", p->root);
    close(open(path, O_WRONLY | O_CREAT, 0600));
    assert_int_equal(blob_dir_open(path, &b, &note), ERR_IO);
    assert_non_null(strstr(note.text, path));
    assert_null(b);
}

/*
 * On a file system of the test's own: full, then read-only. Runs in a child, which has its own
 * mount namespace. Exit status 0, or the line that failed; 255: mounts are not permitted here.
 */
#define CHECK(condition)               \
    do {                               \
        if (!(condition))              \
            _exit(__LINE__ % 250 + 1); \
    } while (0)

static void on_a_small_disk(const char *root)
{
    static char big[300000];
    struct blob_store *b = NULL;
    struct err_note note = {0};
    char path[120];
    int64_t bytes = 0, size;
    int fd;

    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", root, "tmpfs", 0, "size=256k") < 0)
        _exit(255);
    snprintf(path, sizeof(path), "%s/blobs", root);
    CHECK(blob_dir_open(path, &b, &note) == ERR_OK);
    CHECK(blob_put(b, "keep", "bytes", 5, NULL) == ERR_OK);
    CHECK(blob_put(b, "big", big, sizeof(big), &note) == ERR_FULL);
    CHECK(note.text[0] != '\0');
    CHECK(blob_open(b, "big", &fd, &size, NULL) == ERR_NOT_FOUND);
    CHECK(blob_free_bytes(b, &bytes) == ERR_OK && bytes > 100000 && bytes < 256 * 1024);
    CHECK(blob_ping(b, NULL) == ERR_OK);
    struct count c = {0};
    CHECK(blob_each(b, far_future_ms, count_one, &c, NULL) == ERR_OK);
    CHECK(c.blobs == 1 && c.left_overs == 0);
    while (blob_put(b, "fill", big, (size_t)bytes, NULL) != ERR_OK)
        bytes -= 4096;
    CHECK(blob_free_bytes(b, &bytes) == ERR_OK && bytes < 4096);
    CHECK(blob_ping(b, &note) == ERR_FULL);
    CHECK(blob_delete(b, "fill", NULL) == ERR_OK);
    CHECK(blob_ping(b, NULL) == ERR_OK);

    CHECK(mount(NULL, root, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
    CHECK(blob_put(b, "new", "x", 1, &note) == ERR_IO);
    CHECK(blob_ping(b, &note) == ERR_IO);
    CHECK(blob_delete(b, "keep", &note) == ERR_IO);
    CHECK(blob_open(b, "keep", &fd, &size, NULL) == ERR_OK && size == 5);
    close(fd);
    blob_close(b);
    _exit(0);
}

static void full_and_read_only_disks_are_told_apart(void **state)
{
    struct place *p = *state;
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        on_a_small_disk(p->root);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 255) {
        SKIP("a file system cannot be mounted here");
    }
    if (WEXITSTATUS(status) != 0)
        fail_msg("the check at line %% 250 == %d failed", WEXITSTATUS(status) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_checked),
#define ON_A_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        ON_A_STORE(what_is_put_can_be_read_replaced_and_deleted),
        ON_A_STORE(a_deleted_blob_stays_readable_to_who_has_it_open),
        ON_A_STORE(blobs_survive_reopening),
        ON_A_STORE(each_visits_all_that_is_old_enough),
        ON_A_STORE(each_may_delete_what_it_visits),
        ON_A_STORE(concurrent_puts_of_one_key_never_mix),
        ON_A_STORE(left_overs_are_swept_and_strangers_left_alone),
        ON_A_STORE(folders_and_files_are_private),
        ON_A_STORE(free_bytes_are_told),
        ON_A_STORE(a_bad_place_is_refused_with_its_name),
        ON_A_STORE(full_and_read_only_disks_are_told_apart),
    };

    return cmocka_run_group_tests_name("blob", tests, NULL, NULL);
}
