/* SPDX-License-Identifier: MIT */
#ifndef PATINA_STORE_STORE_H
#define PATINA_STORE_STORE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "job/job.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * THE STORE CONTRACT: everything that must survive a power cut except picture bytes (blob.h). A
 * back end (store_sqlite), and a wrapper for tests (store_fault), implement struct store_ops;
 * everybody else calls the functions below, which also check what every back end would have to
 * check.
 *
 * INVARIANTS, at every commit
 *   1. granted = available + frozen + consumed for every account, and each equals the sum of its
 *      ledger rows.
 *   2. A job's state moves only by job_state_move(), inside the transaction that read it. What a
 *      worker does to a job also matches the lease token, or returns ERR_LOST and changes nothing.
 *   3. The move to a final state, the consume or release row, the counters and the delivery row are
 *      one transaction. It happens exactly once per job.
 *   4. When submit reports success, job, freeze and idempotency record are on disk. No answer
 *      leaves before the COMMIT of the batch whose rows it was read from.
 *   5. account.waiting and account.running equal the number of its unleased pending jobs and of its
 *      leased jobs.
 *
 * Threads: every function may be called from any thread. Functions that write block until their
 * transaction is on disk, except store_submit(). Errors that any function may return:
 * ERR_UNAVAILABLE (the commit failed, another process holds the store, or it is closing), ERR_FULL,
 * ERR_IO, ERR_NOMEM: nothing happened, retry later. A failed fsync ends the process: nothing that
 * was promised after it could be trusted.
 *
 * Strings and rows that come out live in the arena that was passed in.
 */

struct store_options {
    const struct clock *clock;
    const struct log *log; /* may be NULL */
    int concurrency;       /* leased jobs per account (PATINA_CONCURRENCY) */
    int queue_limit;       /* waiting jobs per account (PATINA_QUEUE_LIMIT) */
    int64_t retention_ms;  /* of results, from the job's end */
    int64_t lease_ms;      /* a claim without a heartbeat for this long is handed back */
    bool existing; /* admin commands: neither make the store nor bring its schema up to date,
                      which a service that runs on it may not expect */
};

struct store;

/* ---- accounts and keys ---- */

enum { STORE_SECRET_MAX = 64, STORE_KEY_MIN = 16, STORE_KEY_MAX = 256, STORE_KEY_PREFIX = 8 };

struct account {
    int64_t id;
    char uuid[UUID_TEXT];
    char name[64];
    bool disabled;
    bool is_private;                              /* service_mode of its jobs */
    int64_t granted, available, frozen, consumed; /* points */
    int waiting, running;                         /* jobs */
    int64_t created_ms, updated_ms;
    char webhook_secret[STORE_SECRET_MAX];     /* "whsec_..." , newest */
    char webhook_secret_old[STORE_SECRET_MAX]; /* "" or the one before, valid until: */
    int64_t webhook_secret_old_until_ms;
    int64_t deleted_ms; /* -1: it is not */
};

struct account_new {
    const char *name; /* at most 63 bytes of UTF-8 */
    bool is_private;
    int64_t points; /* granted at once; 0 or more */
};

/* Creates an account with a webhook secret of its own (32 random bytes). ERR_INVALID for a name
 * that store_name_good() refuses, and for points below 0 or beyond 2^53. Names need not differ. */
MUST_USE enum err store_account_create(struct store *s, const struct account_new *in,
                                       struct account *out);

/* Names of accounts and labels of keys: at most 63 bytes of UTF-8 that are not blank and hold no
 * control characters. Names, besides, are not a number or a UUID, which would mean an account's id
 * wherever an account is named. Pure. */
bool store_name_good(const char *name);
bool store_label_good(const char *label); /* may be empty */

/* Keys: STORE_KEY_MIN..STORE_KEY_MAX visible ASCII characters. Pure. */
bool store_key_good(const char *key);

/* What `who` names: an account's id in digits, its UUID, or its name. ERR_NOT_FOUND, ERR_CONFLICT
 * when several have this name. Deleted ones are found by id and UUID alone. */
MUST_USE enum err store_account_find(struct store *s, const char *who, struct account *out);

/* By id, only ids > `after`, at most `max`; deleted ones only if wanted. */
MUST_USE enum err store_accounts_list(struct store *s, int64_t after, bool deleted, int max,
                                      struct arena *a, struct account **out, int *count);

struct api_key {
    int64_t id, account;
    char prefix[STORE_KEY_PREFIX + 1];
    char label[64];
    int64_t created_ms;
    int64_t used_ms; /* last, a few minutes late; -1: never, or not known */
};

/* Adds a key: only its SHA-256 and its first STORE_KEY_PREFIX characters are kept; `out` is its
 * row. ERR_REPLAY when this very key exists already or was revoked (whosever it is; nothing
 * changes). ERR_INVALID when store_key_good() refuses it or store_label_good() the label.
 * ERR_NOT_FOUND for an unknown or deleted account. */
MUST_USE enum err store_key_create(struct store *s, int64_t account, const char *key,
                                   const char *label, struct api_key *out);

/* By id, only ids > `after`, at most `max`; account -1: everybody's. */
MUST_USE enum err store_keys_list(struct store *s, int64_t account, int64_t after, int max,
                                  struct arena *a, struct api_key **out, int *count);

/* The key opens nothing any more, for other processes within a second, and can never be added
 * again. `out` is what it was. ERR_NOT_FOUND. */
MUST_USE enum err store_key_revoke(struct store *s, int64_t id, struct api_key *out);

/* The first account: made on an empty store with `points` and `key` in one transaction (ERR_OK); on
 * a store that has accounts an unknown key is added to the oldest one, which is returned with
 * ERR_REPLAY and no points are granted. Key NULL: only returns the oldest account
 * (ERR_REPLAY), or ERR_NOT_FOUND on an empty store. ERR_INVALID as for store_key_create(). */
MUST_USE enum err store_first_account(struct store *s, const char *key, int64_t points,
                                      struct account *out);

/* Whose key has this SHA-256; the account may be disabled, or deleted but not erased yet.
 * ERR_NOT_FOUND for unknown and revoked ones. Fast: the back end may keep keys in memory as long as
 * it notices other processes' commits within a second. */
MUST_USE enum err store_account_by_key(struct store *s, const uint8_t key_sha256[SHA256_BYTES],
                                       struct account *out);
MUST_USE enum err store_account_get(struct store *s, int64_t account, struct account *out);

/* Disables or enables. Disabling fails the waiting jobs with 403 and releases their points; a
 * running one that is handed back later ends the same way. ERR_NOT_FOUND, also for a deleted one.
 */
MUST_USE enum err store_account_set_disabled(struct store *s, int64_t account, bool disabled);

/* Deletes: it is disabled for ever, its waiting jobs fail as above, running ones may end. After
 * that, store_sweep() erases what its owner sent and got: prompts, addresses, interpretations,
 * messages, answers kept for replay, uploads, deliveries; its pictures come up in
 * store_blobs_expired(); and last its keys are revoked, which until then find the deleted account.
 * Deliveries that wait get STORE_LAST_WEBHOOKS_MS first. Id, name, jobs' states and times, and the
 * ledger stay. ERR_NOT_FOUND, also when it was deleted before. */
#define STORE_LAST_WEBHOOKS_MS (INT64_C(45) * 60 * 1000)
MUST_USE enum err store_account_delete(struct store *s, int64_t account);

/* A new webhook secret; the old one goes on signing beside it for `keep_ms` (0: not at all,
 * ERR_INVALID beyond a year), in place of any older one. `out` is the account as it is then.
 * ERR_NOT_FOUND, also for a deleted one. */
MUST_USE enum err store_webhook_secret_rotate(struct store *s, int64_t account, int64_t keep_ms,
                                              struct account *out);

/* Grants points: 1..2^53, else ERR_INVALID. ERR_NOT_FOUND, also for a deleted account. */
MUST_USE enum err store_points_add(struct store *s, int64_t account, int64_t amount);

/* 32 secret bytes of this installation, made at its creation (signs file URLs). */
MUST_USE enum err store_site_secret(struct store *s, uint8_t out[32]);

/* ---- accepting ---- */

enum { STORE_IDEMPOTENCY_KEY_MAX = 255 };

/* The UUID of a job to be submitted: random, version 4, unless one knows the site secret. Jobs may
 * have any other UUID; those with one from here are found faster. Never fails. */
void store_job_uuid(struct store *s, char out[UUID_TEXT]);

struct store_submit {
    const char *uuid; /* of the new job: store_job_uuid() */
    int64_t account;
    const char *img_url, *prompt, *callback; /* callback "" for none */
    const char *upload_id;                   /* img_url is this upload of the account's, or NULL */
    const char *style_upload_id; /* the same of the prompt's style picture; one that is not there
                                    is no error: the job's worker says so */
    int64_t cost;
    int64_t created_ms;
    const char *idem_key;            /* NULL for none */
    const char *idem_path;           /* the canonical path it was used on */
    uint8_t idem_hash[SHA256_BYTES]; /* of the parsed body */
    const void *answer;              /* bytes kept for replay; used only with idem_key */
    size_t answer_len;
};

/*
 * How a submit ended: ERR_OK (created), ERR_REPLAY (`answer` holds the first answer's bytes),
 * ERR_CONFLICT (key reused with another body), ERR_NO_POINTS, ERR_QUEUE_FULL, ERR_DISABLED,
 * ERR_NOT_FOUND (the account, or the upload: unknown, another account's or expired), ERR_INVALID
 * (an idem_key that is not 1..255 visible ASCII characters, a cost below 0), or one of the general
 * errors. Called once, from the store's thread, after COMMIT: must not block and must not call the
 * store. What needs no commit (ERR_INVALID, a closing store, no memory) is reported from within
 * store_submit(). `answer` is NULL but for ERR_REPLAY and lives until the callback returns.
 */
typedef void store_submit_fn(void *ctx, enum err e, const void *answer, size_t answer_len);

/* Queues an accept; `in` and all it points to must stay valid until `done` is called. */
void store_submit(struct store *s, const struct store_submit *in, store_submit_fn *done, void *ctx);

/* ---- reading jobs ---- */

/* ERR_NOT_FOUND for unknown, malformed and (account >= 0) other accounts' ids alike. account -1:
 * anybody's. */
MUST_USE enum err store_job_get(struct store *s, int64_t account, const char *uuid, struct arena *a,
                                struct job *out);

struct store_list {
    int64_t account;
    int state;      /* enum job_state, or -1 for all */
    bool active;    /* only jobs that have not ended (then state is ignored) */
    int64_t before; /* only jobs with id < before; 0: from the newest */
    int limit;      /* 1..100 */
};

/* Newest first. *count 0 when there are none. ERR_INVALID for a limit or state out of range. */
MUST_USE enum err store_jobs_list(struct store *s, const struct store_list *q, struct arena *a,
                                  struct job **out, int *count);

/* Ids of the account's waiting jobs, oldest first, at most `max`. */
MUST_USE enum err store_waiting_ids(struct store *s, int64_t account, int64_t *ids, int max,
                                    int *count);

/* ---- working on jobs ---- */

struct lease {
    int64_t job;    /* job.id */
    uint64_t token; /* never 0 */
};

/* Takes the next job: of the account with the fewest leased jobs, then the one served longest ago,
 * then its oldest; skips disabled accounts and those at their concurrency. Counts the claim.
 * ERR_NONE when there is none. A job whose claims or strikes are used up is ended as 500 instead of
 * being handed out. */
MUST_USE enum err store_claim(struct store *s, struct arena *a, struct job *out,
                              struct lease *lease);

/* Says that the worker is alive. ERR_LOST when the lease is no longer its own. */
MUST_USE enum err store_heartbeat(struct store *s, const struct lease *lease);

/* Notes the blob of the fetched source bytes (its row is added in the same transaction; it may go
 * as soon as the job has ended). The same key again is fine. ERR_INVALID for a key that belongs to
 * an upload or to another job: those are not the job's to give up. ERR_LOST. */
MUST_USE enum err store_set_source(struct store *s, const struct lease *lease, const char *blob_key,
                                   int64_t bytes);

/* The same of its style picture's bytes, whose key is the caller's to know again. */
MUST_USE enum err store_set_style(struct store *s, const struct lease *lease, const char *blob_key,
                                  int64_t bytes);

/* JOB_STAGED or JOB_PROCESSING. ERR_LOST, ERR_WRONG_STATE. */
MUST_USE enum err store_advance(struct store *s, const struct lease *lease, enum job_state to);

/* What a job ended with. */
struct job_end {
    bool completed;
    /* completed */
    uint32_t seed;
    int width, height;
    const char *engine;
    const char *interpretation, *warnings, *timings; /* JSON */
    const char *const *blob_keys; /* of the stored pictures: rows are added with the job's end */
    const int64_t *blob_bytes;
    int blob_count;
    /* failed */
    int error_code;
    const char *error_message;
    const char *error_detail; /* JSON object or NULL */
    bool cancelled;
};

/* Ends the job: see invariant 3. The delivery row is added when the job has a callback. ERR_LOST
 * when it has ended or changed hands meanwhile. ERR_WRONG_STATE when it completes without having
 * been JOB_PROCESSING. */
MUST_USE enum err store_finish(struct store *s, const struct lease *lease,
                               const struct job_end *end);

/* Gives a job back: pending again, at its old place in the queue, with its source blob. `strike`:
 * this claim counts as an attempt. With no tries left the job ends as 500 (message: why it was
 * given up, with `reason`, "the renderer died (signal 11)"). ERR_LOST. */
MUST_USE enum err store_hand_back(struct store *s, const struct lease *lease, bool strike,
                                  const char *reason);

/* Hands back every lease that ran out (no strike). The first call of a process, with a back end
 * whose workers live in that process, also hands back every lease that it does not know itself:
 * what an earlier process was working on. So whoever runs workers calls it before claiming, and
 * admin commands, which open the same store, never do. *count of jobs that moved. */
MUST_USE enum err store_reap(struct store *s, int *count);

/* Cancels: a job that has not ended fails with 499 at once (*was_leased tells whether a worker has
 * to be stopped), ERR_OK; one that ended by cancel before: ERR_REPLAY; any other ended one:
 * ERR_WRONG_STATE. `out` is the job as it is afterwards in these three cases. ERR_NOT_FOUND. */
MUST_USE enum err store_cancel(struct store *s, int64_t account, const char *uuid, struct arena *a,
                               struct job *out, bool *was_leased);

/* ---- webhook outbox ---- */

enum delivery_state { DELIVERY_WAITING = 0, DELIVERY_DONE = 1, DELIVERY_GIVEN_UP = 2 };

/* "waiting", "delivered", "given_up": the words of the API. Static. */
const char *delivery_state_name(enum delivery_state s);

struct delivery {
    int64_t id;
    char msg_id[UUID_TEXT + 4]; /* "msg_" + UUID: the same on every attempt */
    int64_t job;
    char job_uuid[UUID_TEXT];
    int64_t account;
    const char *endpoint;
    enum delivery_state state;
    int attempts;
    int last_status; /* HTTP status of the last attempt; 0: no answer */
    int64_t next_ms, created_ms;
    int64_t ended_ms; /* -1 while it waits */
};

/* Deliveries that are due at `now_ms`, the longest due first, at most `max`, none of them among the
 * `busy_count` ids in `busy` (attempts under way). A receiver is a host and port: of each only the
 * STORE_DUE_PER_RECEIVER that are longest due are looked at, busy ones too, so that however many
 * one has, those of others are among them. */
enum { STORE_DUE_PER_RECEIVER = 8 };
MUST_USE enum err store_deliveries_due(struct store *s, int64_t now_ms, const int64_t *busy,
                                       int busy_count, int max, struct arena *a,
                                       struct delivery **out, int *count);

struct store_delivery_list {
    int64_t account;      /* -1: everybody's */
    const char *job_uuid; /* only this job's, or NULL */
    int state;            /* enum delivery_state, or -1 for all */
    int64_t before;       /* only deliveries with id < before; 0: from the newest */
    int limit;            /* 1..100 */
};

/* Newest first. *count 0 when there are none, or no such job. ERR_INVALID for a limit or state out
 * of range. Ended ones are there for as long as results are kept. */
MUST_USE enum err store_deliveries_list(struct store *s, const struct store_delivery_list *q,
                                        struct arena *a, struct delivery **out, int *count);

/* By msg_id. ERR_NOT_FOUND for unknown, malformed and (account >= 0) other accounts'. */
MUST_USE enum err store_delivery_get(struct store *s, int64_t account, const char *msg_id,
                                     struct arena *a, struct delivery *out);

/* Makes it due at once, whatever became of it, as if it had not been attempted yet. `out` is the
 * delivery as it is then. ERR_NOT_FOUND as above. */
MUST_USE enum err store_delivery_redeliver(struct store *s, int64_t account, const char *msg_id,
                                           struct arena *a, struct delivery *out);

/* Records an attempt. ERR_NOT_FOUND. */
MUST_USE enum err store_delivery_record(struct store *s, int64_t id, enum delivery_state state,
                                        int last_status, int64_t next_ms);

/* ---- uploads ---- */

enum { STORE_UPLOADS_MAX = 200 };
#define STORE_UPLOAD_BYTES_MAX ((int64_t)1 << 30) /* live, per account */

struct upload {
    char id[33]; /* 128 bits in hex */
    int64_t account;
    const char *blob_key;
    int64_t bytes;
    int width, height, format; /* enum image_format as a number */
    uint8_t sha256[SHA256_BYTES];
    int64_t created_ms, expires_ms;
};

/* Adds a row, or finds the account's live upload with the same bytes: ERR_REPLAY, and *out is that
 * one with its life extended. An upload is live until it expires or the last job that uses it has
 * ended, whichever is later. ERR_TOO_LARGE past the account's limits (note.reason "uploads" or
 * "upload_bytes"). */
MUST_USE enum err store_upload_add(struct store *s, const struct upload *in, struct arena *a,
                                   struct upload *out, struct err_note *note);

/* ERR_NOT_FOUND for unknown, expired and (account >= 0) other accounts'. */
MUST_USE enum err store_upload_get(struct store *s, int64_t account, const char *id,
                                   struct arena *a, struct upload *out);

/* ---- keeping house ---- */

/* A derived picture (.webp, .jpg) was stored for this ended job: adds its row; it expires with the
 * job. ERR_NOT_FOUND, ERR_WRONG_STATE (not ended). */
MUST_USE enum err store_blob_add(struct store *s, int64_t job, const char *key, int64_t bytes);

/* Keys of blobs that may go at `now_ms`: results past their expiry, sources of ended jobs, expired
 * uploads that no unfinished job uses. At most `max`. */
MUST_USE enum err store_blobs_expired(struct store *s, int64_t now_ms, int max, struct arena *a,
                                      const char ***keys, int *count);

/* The blobs are gone: drops their rows (and those of their uploads). Unknown keys are ignored. */
MUST_USE enum err store_blobs_forget(struct store *s, const char *const *keys, int count);

/* A blob that has to be there. */
struct stored_blob {
    const char *key;
    int64_t bytes;
    bool has_sha256; /* of an upload */
    uint8_t sha256[SHA256_BYTES];
};

/* In order of their keys, from `from` on, at most `max` of those that may not go yet. */
MUST_USE enum err store_blobs_from(struct store *s, const char *from, int max, struct arena *a,
                                   struct stored_blob **out, int *count);

/* Whether a row names this blob (for the sweep of orphans). */
MUST_USE enum err store_blob_known(struct store *s, const char *key, bool *known);

/* Idempotency records older than 24 h, deliveries that ended over retention ago, and what deleted
 * accounts left; notes when keys were last used. */
MUST_USE enum err store_sweep(struct store *s, int64_t now_ms);

struct store_counts {
    int64_t waiting, leased;   /* jobs, all accounts */
    int64_t oldest_waiting_ms; /* when the oldest of them was created; -1 */
    int64_t deliveries_waiting;
};

MUST_USE enum err store_counts(struct store *s, struct store_counts *out);

/* Proves invariant 1 and 5 for every account by adding up ledger and jobs. ERR_BUG with a note that
 * names the account. */
MUST_USE enum err store_check_ledger(struct store *s, struct err_note *note);

/* Reads all of what is stored and checks that it hangs together, as far as the back end can tell;
 * seconds for a million jobs. ERR_CORRUPT with a note. */
MUST_USE enum err store_verify(struct store *s, struct err_note *note);

/* Answers a trivial query and can write: for readyz. */
MUST_USE enum err store_ping(struct store *s);

/* Stops accepting: pending submits are committed, later ones get ERR_UNAVAILABLE; frees it. No
 * other call may be under way. NULL is fine. */
void store_close(struct store *s);

/* Called after COMMIT whenever jobs or deliveries may have become claimable; from the store's
 * thread, must not block. One listener; set before the first submit. */
typedef void store_wake_fn(void *ctx);
void store_set_wake(struct store *s, store_wake_fn *jobs, store_wake_fn *deliveries, void *ctx);

#endif
