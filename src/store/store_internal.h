/* SPDX-License-Identifier: MIT */
#ifndef PATINA_STORE_STORE_INTERNAL_H
#define PATINA_STORE_STORE_INTERNAL_H

/* For back ends and wrappers of the store only: what they implement. Callers use store.h. */

#include "store/store.h"

/* How long the first answer to an idempotency key is kept. */
#define STORE_IDEMPOTENCY_MS (INT64_C(24) * 3600 * 1000)

/* A key as it is kept: never the key itself. */
struct store_key {
    uint8_t sha256[SHA256_BYTES];
    char prefix[STORE_KEY_PREFIX + 1];
    const char *label;
};

/* Why a job that has no tries left, was cancelled, or waited in an account that was disabled ends:
 * with the message that its owner reads. Its strings are static, or in `text`. */
struct job_end store_end_used_up(const struct job *j, const char *reason, struct err_note *text);
struct job_end store_end_cancelled(void);
struct job_end store_end_disabled(void);

/*
 * One function for each of store.h, with the same contract, except that arguments have been checked
 * and that:
 * - account_create and first_account get the new account with uuid, name, is_private, granted,
 *   available and webhook_secret filled in, and complete it (id, times) or replace it by the oldest
 *   one. Key NULL: none.
 * - account_find gets a UUID or a name, the other one NULL.
 * - secret_rotate gets the new secret.
 * - submit may call `done` on any thread, also before it returns.
 */
struct store_ops {
    enum err (*account_create)(struct store *s, struct account *a);
    enum err (*first_account)(struct store *s, const struct store_key *key, struct account *a);
    enum err (*account_list)(struct store *s, int64_t after, bool deleted, int max, struct arena *a,
                             struct account **out, int *count);
    enum err (*account_find)(struct store *s, const char *uuid, const char *name,
                             struct account *out);
    enum err (*account_delete)(struct store *s, int64_t account);
    enum err (*secret_rotate)(struct store *s, int64_t account, const char *secret, int64_t keep_ms,
                              struct account *out);
    enum err (*key_add)(struct store *s, int64_t account, const struct store_key *key,
                        struct api_key *out);
    enum err (*key_list)(struct store *s, int64_t account, int64_t after, int max, struct arena *a,
                         struct api_key **out, int *count);
    enum err (*key_revoke)(struct store *s, int64_t id, struct api_key *out);
    enum err (*account_by_key)(struct store *s, const uint8_t sha256[SHA256_BYTES],
                               struct account *out);
    enum err (*account_get)(struct store *s, int64_t account, struct account *out);
    enum err (*account_set_disabled)(struct store *s, int64_t account, bool disabled);
    enum err (*points_add)(struct store *s, int64_t account, int64_t amount);
    enum err (*site_secret)(struct store *s, uint8_t out[32]);

    void (*job_uuid)(struct store *s, char out[UUID_TEXT]);
    void (*submit)(struct store *s, const struct store_submit *in, store_submit_fn *done,
                   void *ctx);

    enum err (*job_get)(struct store *s, int64_t account, const char *uuid, struct arena *a,
                        struct job *out);
    enum err (*jobs_list)(struct store *s, const struct store_list *q, struct arena *a,
                          struct job **out, int *count);
    enum err (*waiting_ids)(struct store *s, int64_t account, int64_t *ids, int max, int *count);

    enum err (*claim)(struct store *s, struct arena *a, struct job *out, struct lease *lease);
    enum err (*heartbeat)(struct store *s, const struct lease *lease);
    enum err (*set_source)(struct store *s, const struct lease *lease, const char *blob_key,
                           int64_t bytes);
    enum err (*set_style)(struct store *s, const struct lease *lease, const char *blob_key,
                          int64_t bytes);
    enum err (*advance)(struct store *s, const struct lease *lease, enum job_state to);
    enum err (*finish)(struct store *s, const struct lease *lease, const struct job_end *end);
    enum err (*hand_back)(struct store *s, const struct lease *lease, bool strike,
                          const char *reason);
    enum err (*reap)(struct store *s, int *count);
    enum err (*cancel)(struct store *s, int64_t account, const char *uuid, struct arena *a,
                       struct job *out, bool *was_leased);

    enum err (*deliveries_due)(struct store *s, int64_t now_ms, const int64_t *busy, int busy_count,
                               int max, struct arena *a, struct delivery **out, int *count);
    enum err (*delivery_list)(struct store *s, const struct store_delivery_list *q, struct arena *a,
                              struct delivery **out, int *count);
    enum err (*delivery_get)(struct store *s, int64_t account, const char *msg_id, struct arena *a,
                             struct delivery *out);
    enum err (*delivery_redeliver)(struct store *s, int64_t account, const char *msg_id,
                                   struct arena *a, struct delivery *out);
    enum err (*delivery_record)(struct store *s, int64_t id, enum delivery_state state,
                                int last_status, int64_t next_ms);

    enum err (*upload_add)(struct store *s, const struct upload *in, struct arena *a,
                           struct upload *out, struct err_note *note);
    enum err (*upload_get)(struct store *s, int64_t account, const char *id, struct arena *a,
                           struct upload *out);

    enum err (*blob_add)(struct store *s, int64_t job, const char *key, int64_t bytes);
    enum err (*blobs_expired)(struct store *s, int64_t now_ms, int max, struct arena *a,
                              const char ***keys, int *count);
    enum err (*blobs_forget)(struct store *s, const char *const *keys, int count);
    enum err (*blobs_from)(struct store *s, const char *from, int max, struct arena *a,
                           struct stored_blob **out, int *count);
    enum err (*blob_known)(struct store *s, const char *key, bool *known);

    enum err (*sweep)(struct store *s, int64_t now_ms);
    enum err (*counts)(struct store *s, struct store_counts *out);
    enum err (*check_ledger)(struct store *s, struct err_note *note);
    enum err (*verify)(struct store *s, struct err_note *note);
    enum err (*ping)(struct store *s);
    void (*close)(struct store *s);
    void (*set_wake)(struct store *s, store_wake_fn *jobs, store_wake_fn *deliveries, void *ctx);
};

/* A back end's struct begins with this. */
struct store {
    const struct store_ops *ops;
};

#endif
