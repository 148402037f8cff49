/* SPDX-License-Identifier: MIT */
#include "cli/doctor_internal.h"

#include "base/hash.h"
#include "base/rand.h"
#include "blob/blob_dir.h"
#include "net/addr_policy.h"
#include "net/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    SAMPLE = 16,        // blobs of each kind that are looked at
    RESERVE_FACTOR = 4, // less than so many times the reserve left is worth a warning
    CLOCK_SLACK_MS = 300 * 1000
};

// What `patina serve` would refuse at its start, and commands have no use for.
static enum err read_all_settings(struct doctor *d, struct err_note *note)
{
    struct settings s;
    struct fetch_options o = {0};
    struct fetcher *f = NULL;

    config_defaults(&settings_config, &s);
    enum err e = config_env(&settings_config, &s, note);
    if (!e)
        e = settings_resolve(&s, &d->a->arena, note);
    if (e)
        return e;
    e = addr_policy_parse(&o.policy, s.fetch_allow, s.fetch_http, note);
    if (e) {
        err_note_prefix(note, "PATINA_FETCH_ALLOW");
        return e;
    }
    o.ca_file = s.fetch_ca;
    e = fetcher_open(&o, &f, note);
    if (e && s.fetch_ca)
        err_note_prefix(note, "PATINA_FETCH_CA");
    fetcher_close(f);
    return e;
}

void doctor_settings(struct doctor *d)
{
    struct buf unknown = BUF_INIT;
    struct err_note note = {0};

    config_env_unknown(&settings_config, &unknown);
    if (read_all_settings(d, &note))
        doctor_say(d, "settings", FINDING_FAILS, "docs/settings.md says what each one takes", "%s",
                   note.text);
    else if (unknown.len)
        doctor_say(d, "settings", FINDING_WARNING, "patina serve --help lists the settings", "%s",
                   unknown.data);
    else
        doctor_say(d, "settings", FINDING_OK, NULL, "the environment holds good ones alone");
    buf_release(&unknown);
}

// ---- the folder ----

static bool is_served(const char *dir)
{
    struct buf path = BUF_INIT;

    buf_addf(&path, "%s/lock", dir);
    int fd = path.failed ? -1 : open(path.data, O_RDWR | O_CLOEXEC);
    bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
    if (fd >= 0)
        close(fd);
    buf_release(&path);
    return held;
}

void doctor_data(struct doctor *d)
{
    const char *dir = d->a->s.data;
    struct stat st;

    if (stat(dir, &st))
        doctor_say(d, "data", FINDING_WARNING,
                   "patina serve makes it when it first starts; is --data or PATINA_DATA right?",
                   "%s: %s", dir, strerror(errno));
    else if (access(dir, R_OK | W_OK | X_OK))
        doctor_say(d, "data", FINDING_FAILS,
                   errno == EROFS ? "mount it writable; where the kernel took that away from a "
                                    "failing disk, its log says so"
                                  : "run this as the user that the service runs as",
                   "%s: %s", dir, strerror(errno));
    else if (st.st_mode & 0077)
        doctor_say(d, "data", FINDING_WARNING, "chmod 700: keys and pictures lie in it",
                   "%s can be entered by others (mode %03o)", dir, st.st_mode & 0777);
    else
        doctor_say(d, "data", FINDING_OK, NULL, "%s, %s", dir,
                   is_served(dir) ? "a service runs on it" : "no service runs on it");
}

void doctor_space(struct doctor *d)
{
    int64_t reserve_mb = d->a->s.disk_reserve_mb, free_mb;
    struct statvfs fs;

    if (statvfs(d->a->s.data, &fs))
        return; // doctor_data() has told
    free_mb = (int64_t)((uint64_t)fs.f_bavail * fs.f_frsize >> 20);
    if (free_mb < reserve_mb)
        doctor_say(
            d, "space", FINDING_FAILS,
            "free some, or shorten PATINA_RETENTION_HOURS; no job is taken below the reserve",
            "%" PRId64 " MB are free, the reserve is %" PRId64 " MB", free_mb, reserve_mb);
    else if (free_mb < RESERVE_FACTOR * reserve_mb)
        doctor_say(d, "space", FINDING_WARNING, "free some, or shorten PATINA_RETENTION_HOURS",
                   "%" PRId64 " MB are free, close to the reserve of %" PRId64 " MB", free_mb,
                   reserve_mb);
    else
        doctor_say(d, "space", FINDING_OK, NULL, "%" PRId64 " MB are free", free_mb);
}

// ---- pictures ----

static enum err hash_file(int fd, int64_t size, uint8_t out[SHA256_BYTES])
{
    char chunk[64 * 1024];
    struct sha256 h;
    int64_t at = 0;

    sha256_init(&h);
    while (at < size) {
        ssize_t n = pread(fd, chunk, sizeof chunk, at);
        if (n <= 0)
            break;
        sha256_add(&h, chunk, (size_t)n);
        at += n;
    }
    sha256_finish(&h, out);
    return at == size ? ERR_OK : ERR_IO;
}

// ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO.
static enum err check_blob(struct blob_store *blobs, const struct stored_blob *b)
{
    uint8_t sha[SHA256_BYTES];
    int fd = -1;
    int64_t size = 0;
    enum err e = blob_open(blobs, b->key, &fd, &size, NULL);

    if (e)
        return e;
    if (size != b->bytes)
        e = ERR_CORRUPT;
    if (!e && b->has_sha256)
        e = hash_file(fd, size, sha);
    if (!e && b->has_sha256 && memcmp(sha, b->sha256, sizeof sha) != 0)
        e = ERR_CORRUPT;
    close(fd);
    return e;
}

// One kind, from a random place on. *bad is the first that is not as it should be, or NULL.
static enum err sample(struct doctor *d, struct blob_store *blobs, const char *kind, int *looked,
                       const char **bad)
{
    struct stored_blob *list = NULL;
    struct arena *arena = &d->a->arena;
    int count = 0;
    uint8_t random;
    enum err e = ERR_OK;

    rand_bytes(&random, sizeof random);
    const char *from = arena_printf(arena, "%s/%02x", kind, random);
    const char *first = arena_printf(arena, "%s/", kind);
    if (!from || !first)
        return ERR_NOMEM;
    e = store_blobs_from(d->a->store, from, SAMPLE, arena, &list, &count);
    if (!e && (count == 0 || strncmp(list[0].key, first, strlen(first)) != 0))
        e = store_blobs_from(d->a->store, first, SAMPLE, arena, &list, &count);
    for (int i = 0; !e && i < count && strncmp(list[i].key, first, strlen(first)) == 0; i++) {
        bool known = true;
        enum err found = check_blob(blobs, &list[i]);
        // What went while it was looked for has no row either.
        if (found == ERR_NOT_FOUND)
            e = store_blob_known(d->a->store, list[i].key, &known);
        if (found && known && !*bad)
            *bad = list[i].key;
        (*looked)++;
    }
    return e;
}

static void check_blobs(struct doctor *d)
{
    static const char *const kinds[] = {"job", "upload", "source", "style"};
    struct blob_store *blobs = NULL;
    struct err_note note = {0};
    const char *bad = NULL;
    int looked = 0;
    enum err e = blob_dir_open(d->a->s.blobs_path, &blobs, &note);

    if (!e)
        e = blob_ping(blobs, &note);
    for (size_t i = 0; !e && i < sizeof kinds / sizeof *kinds; i++)
        e = sample(d, blobs, kinds[i], &looked, &bad);
    if (e)
        doctor_say(d, "pictures", FINDING_FAILS, "is PATINA_BLOBS right, and its disk well?",
                   "%s: %s", d->a->s.blobs_path, note.text[0] ? note.text : err_name(e));
    else if (bad)
        doctor_say(
            d, "pictures", FINDING_FAILS,
            "the disk lost or changed it: restore the folder from a backup of the database's "
            "time",
            "%s is missing or not what was stored (of %d that were looked at)", bad, looked);
    else
        doctor_say(d, "pictures", FINDING_OK, NULL, "%s can be written; %d of them are as stored",
                   d->a->s.blobs_path, looked);
    if (blobs)
        blob_close(blobs);
}

// ---- the database ----

static void check_ledger(struct doctor *d)
{
    struct err_note note = {0};
    enum err e = store_check_ledger(d->a->store, &note);

    if (e)
        doctor_say(
            d, "ledger", FINDING_FAILS,
            "keep a copy of the database and report this; points of that account may be wrong",
            "%s", note.text[0] ? note.text : err_name(e));
    else
        doctor_say(d, "ledger", FINDING_OK, NULL,
                   "granted = available + frozen + consumed, by the ledger, for every account");
}

static void check_queue(struct doctor *d)
{
    struct store_counts c;
    int64_t now_ms = clock_unix_ms(&clock_system);
    enum err e = store_counts(d->a->store, &c);

    if (e)
        doctor_say(d, "queue", FINDING_FAILS, "see what the check of the database says", "%s",
                   err_name(e));
    else if (c.oldest_waiting_ms > now_ms + CLOCK_SLACK_MS)
        doctor_say(d, "queue", FINDING_WARNING, "set the clock: it was set back since",
                   "the oldest waiting job is from the future");
    else
        doctor_say(d, "queue", FINDING_OK, NULL,
                   "%" PRId64 " jobs wait, the oldest for %" PRId64 " s; %" PRId64 " run; %" PRId64
                   " webhooks wait",
                   c.waiting,
                   c.oldest_waiting_ms < 0 || c.oldest_waiting_ms > now_ms
                       ? 0
                       : (now_ms - c.oldest_waiting_ms) / 1000,
                   c.leased, c.deliveries_waiting);
}

void doctor_store(struct doctor *d, bool ledger)
{
    struct err_note note = {0};
    enum err e = admin_open(d->a, &note);

    if (e == ERR_NOT_FOUND) {
        doctor_say(d, "database", FINDING_WARNING, "patina serve makes it when it first starts",
                   "there is none yet: %s", d->a->s.database_path);
        return;
    }
    if (!e)
        e = store_verify(d->a->store, &note);
    if (e) {
        doctor_say(d, "database", FINDING_FAILS,
                   e == ERR_CORRUPT ? "restore a backup, on another disk if this one is failing"
                                    : "docs/operations.md says what may be wrong",
                   "%s", note.text[0] ? note.text : err_name(e));
        return;
    }
    doctor_say(d, "database", FINDING_OK, NULL, "%s, sound, of this version's schema",
               d->a->s.database_path);
    check_queue(d);
    check_blobs(d);
    if (ledger)
        check_ledger(d);
}
