/* SPDX-License-Identifier: MIT */
#include "store/store_fault.h"

#include "store/store_internal.h"

#include <pthread.h>
#include <stdlib.h>

struct store_fault {
    struct store store;
    struct store *inner;
    pthread_mutex_t lock; // guards what follows
    enum err e;           // ERR_OK: disarmed
    int left, failed;
    bool lasting;
};

static struct store_fault *fault(struct store *s)
{
    return (struct store_fault *)s;
}

static const struct store_ops *below(struct store *s)
{
    return fault(s)->inner->ops;
}

// Counts a call: what it is to return instead of being made, or ERR_OK.
static enum err trip(struct store *s)
{
    struct store_fault *f = fault(s);
    enum err e = ERR_OK;

    pthread_mutex_lock(&f->lock);
    if (f->e) {
        f->left--;
        if (f->left == 0 || (f->left < 0 && f->lasting)) {
            f->failed++;
            e = f->e;
        }
    }
    pthread_mutex_unlock(&f->lock);
    return e;
}

// A function of struct store_ops that trips or passes its arguments on.
#define PASS(op, params, ...)                                      \
    static enum err fault_##op params                              \
    {                                                              \
        enum err e = trip(s);                                      \
        return e ? e : below(s)->op(fault(s)->inner, __VA_ARGS__); \
    }

PASS(account_create, (struct store * s, struct account *a), a)
PASS(first_account, (struct store * s, const struct store_key *key, struct account *a), key, a)
PASS(account_list,
     (struct store * s, int64_t after, bool deleted, int max, struct arena *a, struct account **out,
      int *count),
     after, deleted, max, a, out, count)
PASS(account_find, (struct store * s, const char *uuid, const char *name, struct account *out),
     uuid, name, out)
PASS(account_delete, (struct store * s, int64_t account), account)
PASS(secret_rotate,
     (struct store * s, int64_t account, const char *secret, int64_t keep_ms, struct account *out),
     account, secret, keep_ms, out)
PASS(key_add, (struct store * s, int64_t account, const struct store_key *key, struct api_key *out),
     account, key, out)
PASS(key_list,
     (struct store * s, int64_t account, int64_t after, int max, struct arena *a,
      struct api_key **out, int *count),
     account, after, max, a, out, count)
PASS(key_revoke, (struct store * s, int64_t id, struct api_key *out), id, out)
PASS(account_by_key, (struct store * s, const uint8_t sha[SHA256_BYTES], struct account *out), sha,
     out)
PASS(account_get, (struct store * s, int64_t account, struct account *out), account, out)
PASS(account_set_disabled, (struct store * s, int64_t account, bool disabled), account, disabled)
PASS(points_add, (struct store * s, int64_t account, int64_t amount), account, amount)
PASS(site_secret, (struct store * s, uint8_t out[32]), out)
PASS(job_get,
     (struct store * s, int64_t account, const char *uuid, struct arena *a, struct job *out),
     account, uuid, a, out)
PASS(jobs_list,
     (struct store * s, const struct store_list *q, struct arena *a, struct job **out, int *count),
     q, a, out, count)
PASS(waiting_ids, (struct store * s, int64_t account, int64_t *ids, int max, int *count), account,
     ids, max, count)
PASS(claim, (struct store * s, struct arena *a, struct job *out, struct lease *lease), a, out,
     lease)
PASS(heartbeat, (struct store * s, const struct lease *lease), lease)
PASS(set_source, (struct store * s, const struct lease *lease, const char *key, int64_t bytes),
     lease, key, bytes)
PASS(set_style, (struct store * s, const struct lease *lease, const char *key, int64_t bytes),
     lease, key, bytes)
PASS(advance, (struct store * s, const struct lease *lease, enum job_state to), lease, to)
PASS(finish, (struct store * s, const struct lease *lease, const struct job_end *end), lease, end)
PASS(hand_back, (struct store * s, const struct lease *lease, bool strike, const char *reason),
     lease, strike, reason)
PASS(reap, (struct store * s, int *count), count)
PASS(cancel,
     (struct store * s, int64_t account, const char *uuid, struct arena *a, struct job *out,
      bool *was_leased),
     account, uuid, a, out, was_leased)
PASS(deliveries_due,
     (struct store * s, int64_t now_ms, const int64_t *busy, int busy_count, int max,
      struct arena *a, struct delivery **out, int *count),
     now_ms, busy, busy_count, max, a, out, count)
PASS(delivery_list,
     (struct store * s, const struct store_delivery_list *q, struct arena *a, struct delivery **out,
      int *count),
     q, a, out, count)
PASS(delivery_get,
     (struct store * s, int64_t account, const char *msg_id, struct arena *a, struct delivery *out),
     account, msg_id, a, out)
PASS(delivery_redeliver,
     (struct store * s, int64_t account, const char *msg_id, struct arena *a, struct delivery *out),
     account, msg_id, a, out)
PASS(delivery_record,
     (struct store * s, int64_t id, enum delivery_state state, int last_status, int64_t next_ms),
     id, state, last_status, next_ms)
PASS(upload_add,
     (struct store * s, const struct upload *in, struct arena *a, struct upload *out,
      struct err_note *note),
     in, a, out, note)
PASS(upload_get,
     (struct store * s, int64_t account, const char *id, struct arena *a, struct upload *out),
     account, id, a, out)
PASS(blob_add, (struct store * s, int64_t job, const char *key, int64_t bytes), job, key, bytes)
PASS(blobs_expired,
     (struct store * s, int64_t now_ms, int max, struct arena *a, const char ***keys, int *count),
     now_ms, max, a, keys, count)
PASS(blobs_forget, (struct store * s, const char *const *keys, int count), keys, count)
PASS(blobs_from,
     (struct store * s, const char *from, int max, struct arena *a, struct stored_blob **out,
      int *count),
     from, max, a, out, count)
PASS(blob_known, (struct store * s, const char *key, bool *known), key, known)
PASS(sweep, (struct store * s, int64_t now_ms), now_ms)
PASS(counts, (struct store * s, struct store_counts *out), out)
PASS(check_ledger, (struct store * s, struct err_note *note), note)
PASS(verify, (struct store * s, struct err_note *note), note)

static enum err fault_ping(struct store *s)
{
    enum err e = trip(s);

    return e ? e : below(s)->ping(fault(s)->inner);
}

static void fault_job_uuid(struct store *s, char out[UUID_TEXT])
{
    below(s)->job_uuid(fault(s)->inner, out);
}

static void fault_submit(struct store *s, const struct store_submit *in, store_submit_fn *done,
                         void *ctx)
{
    enum err e = trip(s);

    if (e)
        done(ctx, e, NULL, 0);
    else
        below(s)->submit(fault(s)->inner, in, done, ctx);
}

static void fault_close(struct store *s)
{
    struct store_fault *f = fault(s);

    store_close(f->inner);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

static void fault_set_wake(struct store *s, store_wake_fn *jobs, store_wake_fn *deliveries,
                           void *ctx)
{
    store_set_wake(fault(s)->inner, jobs, deliveries, ctx);
}

#define OP(op) .op = fault_##op

static const struct store_ops ops = {
    OP(account_create),
    OP(first_account),
    OP(account_list),
    OP(account_find),
    OP(account_delete),
    OP(secret_rotate),
    OP(key_list),
    OP(key_revoke),
    OP(delivery_list),
    OP(delivery_get),
    OP(delivery_redeliver),
    OP(key_add),
    OP(account_by_key),
    OP(account_get),
    OP(account_set_disabled),
    OP(points_add),
    OP(site_secret),
    OP(job_uuid),
    OP(submit),
    OP(job_get),
    OP(jobs_list),
    OP(waiting_ids),
    OP(claim),
    OP(heartbeat),
    OP(set_source),
    OP(set_style),
    OP(advance),
    OP(finish),
    OP(hand_back),
    OP(reap),
    OP(cancel),
    OP(deliveries_due),
    OP(delivery_record),
    OP(upload_add),
    OP(upload_get),
    OP(blob_add),
    OP(blobs_expired),
    OP(blobs_forget),
    OP(blob_known),
    OP(sweep),
    OP(counts),
    OP(blobs_from),
    OP(verify),
    OP(check_ledger),
    OP(ping),
    OP(close),
    OP(set_wake),
};

struct store *store_fault_new(struct store *inner)
{
    struct store_fault *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->store.ops = &ops;
    f->inner = inner;
    pthread_mutex_init(&f->lock, NULL);
    return &f->store;
}

void store_fault_arm(struct store *s, int nth, enum err e, bool lasting)
{
    struct store_fault *f = fault(s);

    pthread_mutex_lock(&f->lock);
    f->e = e;
    f->left = nth;
    f->lasting = lasting;
    f->failed = 0;
    pthread_mutex_unlock(&f->lock);
}

int store_fault_disarm(struct store *s)
{
    struct store_fault *f = fault(s);

    pthread_mutex_lock(&f->lock);
    f->e = ERR_OK;
    int failed = f->failed;
    pthread_mutex_unlock(&f->lock);
    return failed;
}
