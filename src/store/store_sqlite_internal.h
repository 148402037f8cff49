/* SPDX-License-Identifier: MIT */
#ifndef PATINA_STORE_STORE_SQLITE_INTERNAL_H
#define PATINA_STORE_STORE_SQLITE_INTERNAL_H

/* For store_sqlite*.c only: what the parts of the back end share. */

#include "store/store_internal.h"
#include "store/store_sqlite_db.h"

#include <pthread.h>
#include <stdatomic.h>

struct store_sqlite;

/* ---- schema (store_sqlite_schema.c) ---- */

struct migration {
    const char *name; /* "0001_initial" */
    const char *sql;
};

/* Made from sql/ by sql/embed.py: number i + 1 stands at index i. */
extern const struct migration sqlite_migrations[];
extern const int sqlite_migration_count;

/* Makes the file (0600) when it is missing. */
MUST_USE enum err schema_create_file(const char *path, struct err_note *note);

/* Brings the schema up to date, in one transaction. ERR_TOO_NEW, ERR_CORRUPT (damaged, or another
 * program's), ERR_UNSUPPORTED (no local file system). */
MUST_USE enum err schema_migrate(struct db *db, struct err_note *note);

/* The schema must be up to date already: ERR_UNSUPPORTED when it is older; else as above. */
MUST_USE enum err schema_check(struct db *db, struct err_note *note);

/* ---- accounts and keys in memory (store_sqlite_cache.c) ---- */

/*
 * Fixed tables in which a newcomer takes the place of whatever was there. INVARIANT: an entry
 * equals the last commit of this process and is at most a second behind the commits of others.
 */
enum { CACHE_KEYS = 4096, CACHE_ACCOUNTS = 1024 };

struct cache {
    pthread_mutex_t lock;
    uint64_t generation; /* grows with every commit that touched accounts */
    int64_t checked_ns;  /* when other processes' commits were last looked for */
    int64_t data_version;
    struct {
        uint8_t sha256[SHA256_BYTES];
        int64_t account; /* 0: not known any more */
        bool used;       /* since cache_take_used() */
    } key[CACHE_KEYS];
    struct account account[CACHE_ACCOUNTS]; /* id 0: free */
};

void cache_init(struct cache *c);
void cache_release(struct cache *c);

/* Looks up; false when it is not there. *generation is what cache_learn() wants after reading the
 * database instead: what was read before a commit never hides what the commit changed. */
bool cache_by_key(struct cache *c, const uint8_t sha256[SHA256_BYTES], struct account *out,
                  uint64_t *generation);
bool cache_by_id(struct cache *c, int64_t account, struct account *out, uint64_t *generation);
void cache_learn(struct cache *c, uint64_t generation, const uint8_t *sha256_or_null,
                 const struct account *a);

/* After a commit: replaces those that are there. */
void cache_publish(struct cache *c, const struct account *const *changed, int count);
void cache_drop(struct cache *c);

/* The keys that were used since the last call, at most CACHE_KEYS. */
int cache_take_used(struct cache *c, uint8_t (*sha256)[SHA256_BYTES]);

/* Whether a second has passed since the last look; and that somebody looked, at that time or later,
 * and read this data_version. */
bool cache_check_due(struct cache *c, int64_t now_ns);
void cache_checked(struct cache *c, int64_t now_ns, int64_t data_version);

/* ---- UUIDs of jobs that say which row they are (store_sqlite_ids.c) ---- */

struct job_ids {
    uint8_t key[SIPHASH_KEY_BYTES];
    _Atomic int64_t next; /* row, of the next UUID */
};

/* Of a database whose schema is up to date. */
MUST_USE enum err job_ids_init(struct job_ids *ids, struct db *db);

/* A UUID for a job that may be inserted, and reserves its row. */
void job_ids_make(struct job_ids *ids, uint8_t uuid[16]);

/* The row that was reserved for this UUID. 0 for nearly any that was not made here; for the others
 * some row that may be another job's. */
int64_t job_ids_row(struct job_ids *ids, const uint8_t uuid[16]);

/* There is a job in this row: it is not reserved from now on. */
void job_ids_taken(struct job_ids *ids, int64_t row);

/* ---- leases in memory (store_sqlite_leases.c) ---- */

/* Token and deadline of every job that this process has leased out, on the monotonic clock. The
 * token also stands in job.lease; deadlines stand only here. */
struct lease_slot {
    struct lease lease;
    int64_t deadline_ns;
};

struct leases {
    pthread_mutex_t lock;
    struct lease_slot *slot;
    size_t count, cap;
    bool adopted; /* leases of an earlier process have been handed back */
};

void leases_init(struct leases *l);
void leases_release(struct leases *l);
bool leases_reserve(struct leases *l, size_t more); /* false: out of memory */
void leases_add(struct leases *l, const struct lease *lease, int64_t deadline_ns); /* reserved */
void leases_drop(struct leases *l, int64_t job);
bool leases_beat(struct leases *l, const struct lease *lease, int64_t deadline_ns);

/* The leases that have run out; *out is malloc()ed and NULL when there are none. */
MUST_USE enum err leases_expired(struct leases *l, int64_t now_ns, struct lease **out,
                                 size_t *count);

/* ---- the writer (store_sqlite_writer.c) ---- */

/*
 * DESIGN. One thread owns the one connection that writes. It takes requests from the queue, urgent
 * ones first, runs them in one transaction and answers them all after COMMIT.
 *
 * INVARIANTS
 * 1. A request decides before it writes: one that is refused has changed nothing. If one fails
 * although it had changed something - a full disk, no memory - the transaction is rolled back and
 * every request of the batch runs again in a transaction of its own, so that none undoes or spoils
 * another; the same when COMMIT finds the disk full. That costs nothing while all goes well; a
 * SAVEPOINT for each would copy every page it touches. Any other failure of COMMIT is the answer to
 * the whole batch.
 * 2. So a request may run twice: it changes nothing outside the transaction but its own results.
 * What follows from it in memory is noted in struct batch and comes true after COMMIT.
 * 3. Accounts are read once a batch, changed in memory, and written before anything that selects
 * by their columns and before COMMIT.
 */

struct writer;

struct request {
    struct request *next;
    enum err (*run)(struct writer *w, void *args); /* inside the transaction */
    void *args;
    void (*done)(struct request *r); /* after COMMIT, on the writer's thread */
    enum err result;
};

struct hot_account {
    struct account a;
    int64_t served;
    bool dirty, written; /* differs from its row; has been written in this transaction */
};

enum { HOT_ACCOUNTS = 64 };

struct batch {
    struct hot_account hot[HOT_ACCOUNTS];
    int hot_count;
    bool evicted;             /* some changed account is no longer among them */
    bool forget;              /* a key was revoked: what is in memory of keys may be wrong */
    int64_t touched, flushed; /* changes to accounts in memory; accounts written */
    struct lease *leased;     /* token 0: no longer */
    size_t leased_count, leased_cap;
    bool adopted, jobs_wake, deliveries_wake;
};

struct writer {
    struct store_sqlite *s;
    struct db db;
    struct batch batch;
    int64_t served; /* turns given so far */

    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t more;
    struct {
        struct request *first, **last;
    } queue[2]; /* urgent, normal */
    bool closing;
    store_wake_fn *jobs_wake, *deliveries_wake;
    void *wake_ctx;
};

enum urgency { URGENT, NORMAL };

MUST_USE enum err writer_start(struct writer *w, struct store_sqlite *s);
void writer_stop(struct writer *w); /* commits what is queued, then ends the thread */

/* Queues a request; false when the store is closing (then it is not queued). */
bool writer_post(struct writer *w, struct request *r, enum urgency u);

/* Queues a request and waits for its result: ERR_UNAVAILABLE when the store is closing. */
MUST_USE enum err writer_do(struct writer *w, enum urgency u,
                            enum err (*run)(struct writer *w, void *args), void *args);

/* For requests, on the writer's thread: */

/* The account, read in this transaction. ERR_NOT_FOUND. Valid until the next call. Who changes it
 * calls writer_account_changed(). */
MUST_USE enum err writer_account(struct writer *w, int64_t id, struct hot_account **out);
void writer_account_changed(struct writer *w, struct hot_account *h);

/* Writes the changed accounts, before a statement that selects by their columns. */
MUST_USE enum err writer_flush_accounts(struct writer *w);

/* Notes that the job is leased under this token, or under none (0), from COMMIT on. */
MUST_USE enum err writer_note_lease(struct writer *w, int64_t job, uint64_t token);

int64_t writer_now_ms(struct writer *w);

enum ledger_kind { LEDGER_GRANT = 1, LEDGER_FREEZE = 2, LEDGER_CONSUME = 3, LEDGER_RELEASE = 4 };
MUST_USE enum err writer_ledger(struct writer *w, int64_t account, enum ledger_kind kind,
                                int64_t points, int64_t job);

/* ---- ending jobs (store_sqlite_end.c): the only place where a job becomes final ---- */

/* What working on a job needs to know of it. */
struct work {
    int64_t id, account, cost;
    enum job_state state;
    uint64_t lease;
    int claims, strikes;
    bool cancelled, has_callback;
    int64_t upload[2]; /* of its source and its style; 0: none */
};

/* ERR_NOT_FOUND. */
MUST_USE enum err work_load(struct writer *w, int64_t job, struct work *out);

/* As work_load(); ERR_LOST when the job is not leased under this token. */
MUST_USE enum err work_load_leased(struct writer *w, const struct lease *lease, struct work *out);

/* Invariant 3 of store.h, whole. ERR_WRONG_STATE when the state table forbids it. */
MUST_USE enum err work_end(struct writer *w, struct work *j, const struct job_end *end);

/* Pending again, or ended when it has no tries left or its account is disabled meanwhile. */
MUST_USE enum err work_hand_back(struct writer *w, struct work *j, bool strike, const char *reason);

/* ---- reading (store_sqlite_read.c) ---- */

#define JOB_COLUMNS                                                                           \
    "id, uuid, account, state, is_private, cost, claims, strikes, created_ms, started_ms, "   \
    "ended_ms, expires_ms, seed, width, height, error_code, cancelled, source_blob, engine, " \
    "img_url, prompt, callback, interpretation, warnings, timings, error_message, error_detail"

/* Reads the row at hand, selected as JOB_COLUMNS. ERR_NOMEM. */
MUST_USE enum err job_from_row(struct query *q, struct arena *a, struct job *out);

/* Runs `q`, which selects JOB_COLUMNS of at most one job, and ends it. ERR_NOT_FOUND. */
MUST_USE enum err job_from_query(struct query *q, struct arena *a, struct job *out);

#define ACCOUNT_COLUMNS                                                                     \
    "id, uuid, name, disabled, is_private, granted, available, frozen, consumed, waiting, " \
    "running, created_ms, updated_ms, webhook_secret, webhook_secret_old, "                 \
    "webhook_secret_old_until_ms, served, deleted_ms"

void account_from_row(struct query *q, struct account *out);
enum { ACCOUNT_SERVED_COLUMN = 16 };

/* ---- accounts, for the files that change them (store_sqlite_account.c) ---- */

/* writer_account() of one that is not deleted. ERR_NOT_FOUND. */
MUST_USE enum err writer_live_account(struct writer *w, int64_t id, struct hot_account **out);

/* Ends what waits in an account that has just been disabled. */
MUST_USE enum err writer_fail_waiting(struct writer *w, int64_t account);

/* ---- keys (store_sqlite_key.c) ---- */

/* ERR_REPLAY when the key is there or was revoked. `out` may be NULL. */
MUST_USE enum err writer_add_key(struct writer *w, int64_t account, const struct store_key *key,
                                 struct api_key *out);

MUST_USE enum err writer_revoke_keys(struct writer *w, int64_t account);

/* Writes down which keys were used lately. */
MUST_USE enum err keys_note_used(struct store_sqlite *s, int64_t now_ms);

/* ---- blobs (store_sqlite_blob.c) ---- */

/* Adds or replaces the row of a job's blob. BLOB_HELD: it is needed until its job ends. */
enum { BLOB_HELD = -1 };
MUST_USE enum err writer_put_blob(struct writer *w, const char *key, int64_t job, int64_t bytes,
                                  int64_t due_ms);

/* ---- deleted accounts (store_sqlite_erase.c) ---- */

/* One step of erasing what a deleted account left: some hundred rows. *gone grows while there is
 * more to do. */
MUST_USE enum err writer_erase_step(struct writer *w, int64_t now_ms, int64_t *gone);

/* A connection for reading from the pool; waits for one. */
struct reader {
    struct reader *next;
    struct db db;
};

enum { READERS = 4 };

struct readers {
    pthread_mutex_t lock;
    pthread_cond_t back;
    struct reader *idle;
    struct reader all[READERS];
};

struct db *reader_take(struct store_sqlite *s);
void reader_give(struct store_sqlite *s, struct db *db);

/* Ends a query on such a connection and gives it back. */
void reader_end(struct store_sqlite *s, struct query *q);

/* ---- the store ---- */

struct store_sqlite {
    struct store store;
    struct store_options options;
    uint8_t site_secret[32];
    struct writer writer;
    struct readers readers;
    struct cache cache;
    struct job_ids job_ids;
    struct leases leases;
    pthread_mutex_t watch_lock;
    struct db watch; /* looks for other processes' commits */
};

static inline struct store_sqlite *self(struct store *s)
{
    return (struct store_sqlite *)s;
}

/* struct store_ops, by file: account, submit, read, work, delivery, upload, blob, check. */
enum err sqlite_account_create(struct store *s, struct account *a);
enum err sqlite_first_account(struct store *s, const struct store_key *key, struct account *a);
enum err sqlite_account_list(struct store *s, int64_t after, bool deleted, int max, struct arena *a,
                             struct account **out, int *count);
enum err sqlite_account_find(struct store *s, const char *uuid, const char *name,
                             struct account *out);
enum err sqlite_account_delete(struct store *s, int64_t account);
enum err sqlite_secret_rotate(struct store *s, int64_t account, const char *secret, int64_t keep_ms,
                              struct account *out);
enum err sqlite_key_add(struct store *s, int64_t account, const struct store_key *key,
                        struct api_key *out);
enum err sqlite_key_list(struct store *s, int64_t account, int64_t after, int max, struct arena *a,
                         struct api_key **out, int *count);
enum err sqlite_key_revoke(struct store *s, int64_t id, struct api_key *out);
enum err sqlite_account_by_key(struct store *s, const uint8_t sha256[SHA256_BYTES],
                               struct account *out);
enum err sqlite_account_get(struct store *s, int64_t account, struct account *out);
enum err sqlite_account_set_disabled(struct store *s, int64_t account, bool disabled);
enum err sqlite_points_add(struct store *s, int64_t account, int64_t amount);

void sqlite_job_uuid(struct store *s, char out[UUID_TEXT]);
void sqlite_submit(struct store *s, const struct store_submit *in, store_submit_fn *done,
                   void *ctx);

enum err sqlite_job_get(struct store *s, int64_t account, const char *uuid, struct arena *a,
                        struct job *out);
enum err sqlite_jobs_list(struct store *s, const struct store_list *q, struct arena *a,
                          struct job **out, int *count);
enum err sqlite_waiting_ids(struct store *s, int64_t account, int64_t *ids, int max, int *count);

enum err sqlite_claim(struct store *s, struct arena *a, struct job *out, struct lease *lease);
enum err sqlite_heartbeat(struct store *s, const struct lease *lease);
enum err sqlite_set_source(struct store *s, const struct lease *lease, const char *blob_key,
                           int64_t bytes);
enum err sqlite_set_style(struct store *s, const struct lease *lease, const char *blob_key,
                          int64_t bytes);
enum err sqlite_advance(struct store *s, const struct lease *lease, enum job_state to);
enum err sqlite_finish(struct store *s, const struct lease *lease, const struct job_end *end);
enum err sqlite_hand_back(struct store *s, const struct lease *lease, bool strike,
                          const char *reason);
enum err sqlite_reap(struct store *s, int *count);
enum err sqlite_cancel(struct store *s, int64_t account, const char *uuid, struct arena *a,
                       struct job *out, bool *was_leased);

enum err sqlite_deliveries_due(struct store *s, int64_t now_ms, const int64_t *busy, int busy_count,
                               int max, struct arena *a, struct delivery **out, int *count);
enum err sqlite_delivery_list(struct store *s, const struct store_delivery_list *q, struct arena *a,
                              struct delivery **out, int *count);
enum err sqlite_delivery_get(struct store *s, int64_t account, const char *msg_id, struct arena *a,
                             struct delivery *out);
enum err sqlite_delivery_redeliver(struct store *s, int64_t account, const char *msg_id,
                                   struct arena *a, struct delivery *out);
enum err sqlite_delivery_record(struct store *s, int64_t id, enum delivery_state state,
                                int last_status, int64_t next_ms);

enum err sqlite_upload_add(struct store *s, const struct upload *in, struct arena *a,
                           struct upload *out, struct err_note *note);
enum err sqlite_upload_get(struct store *s, int64_t account, const char *id, struct arena *a,
                           struct upload *out);

enum err sqlite_blob_add(struct store *s, int64_t job, const char *key, int64_t bytes);
enum err sqlite_blobs_expired(struct store *s, int64_t now_ms, int max, struct arena *a,
                              const char ***keys, int *count);
enum err sqlite_blobs_forget(struct store *s, const char *const *keys, int count);
enum err sqlite_blobs_from(struct store *s, const char *from, int max, struct arena *a,
                           struct stored_blob **out, int *count);
enum err sqlite_blob_known(struct store *s, const char *key, bool *known);

enum err sqlite_sweep(struct store *s, int64_t now_ms);
enum err sqlite_counts(struct store *s, struct store_counts *out);
enum err sqlite_check_ledger(struct store *s, struct err_note *note);
enum err sqlite_verify(struct store *s, struct err_note *note);
enum err sqlite_ping(struct store *s);

#endif
