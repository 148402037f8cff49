/* SPDX-License-Identifier: MIT */
#include "store/store_internal.h"

#include "base/utf8.h"
#include "job/job_error.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/*
 * What every back end would have to check and make is checked and made here, once. What comes from
 * people (names, keys, amounts) is ERR_INVALID when it is wrong; what only a bug in the caller can
 * get wrong is asserted.
 */

// Far above any balance that makes sense, far below where sums of 64 bits overflow.
static const int64_t POINTS_MAX = (int64_t)1 << 53;

static bool visible_ascii(const char *s, size_t least, size_t most)
{
    size_t n = strnlen(s, most + 1);

    for (size_t i = 0; i < n; i++) {
        if (s[i] < '!' || s[i] > '~')
            return false;
    }
    return n >= least && n <= most;
}

static enum err new_account(struct account *a, const char *name, bool is_private, int64_t points)
{
    uint8_t secret[32];
    struct buf text = BUF_INIT;

    if (!name[0] || strlen(name) >= sizeof(a->name) || !utf8_valid(name, strlen(name)))
        return ERR_INVALID;
    if (points < 0 || points > POINTS_MAX)
        return ERR_INVALID;
    *a = (struct account){.is_private = is_private,
                          .granted = points,
                          .available = points,
                          .webhook_secret_old_until_ms = -1};
    uuid_v4(a->uuid);
    memcpy(a->name, name, strlen(name) + 1);
    rand_bytes(secret, sizeof(secret));
    buf_adds(&text, "whsec_");
    base64_encode(&text, secret, sizeof(secret));
    if (text.failed)
        return ERR_NOMEM;
    assert(text.len < sizeof(a->webhook_secret));
    memcpy(a->webhook_secret, text.data, text.len + 1);
    buf_release(&text);
    return ERR_OK;
}

static enum err hash_key(const char *key, struct store_key *out)
{
    const size_t least = 16, most = 256; // protocol.md section 1

    if (!visible_ascii(key, least, most))
        return ERR_INVALID;
    *out = (struct store_key){.prefix = ""};
    sha256(key, strlen(key), out->sha256);
    memcpy(out->prefix, key, STORE_KEY_PREFIX);
    return ERR_OK;
}

enum err store_account_create(struct store *s, const struct account_new *in, struct account *out)
{
    struct account a;
    enum err e = new_account(&a, in->name, in->is_private, in->points);

    if (!e)
        e = s->ops->account_create(s, &a);
    if (!e)
        *out = a;
    return e;
}

enum err store_key_add(struct store *s, int64_t account, const char *key)
{
    struct store_key k;
    enum err e = hash_key(key, &k);

    return e ? e : s->ops->key_add(s, account, &k);
}

enum err store_first_account(struct store *s, const char *key, int64_t points, struct account *out)
{
    struct store_key k;
    struct account a;
    enum err e = new_account(&a, "default", false, points);

    if (!e && key)
        e = hash_key(key, &k);
    if (!e)
        e = s->ops->first_account(s, key ? &k : NULL, &a);
    if (e >= 0)
        *out = a;
    return e;
}

enum err store_account_by_key(struct store *s, const uint8_t key_sha256[SHA256_BYTES],
                              struct account *out)
{
    return s->ops->account_by_key(s, key_sha256, out);
}

enum err store_account_get(struct store *s, int64_t account, struct account *out)
{
    return s->ops->account_get(s, account, out);
}

enum err store_account_set_disabled(struct store *s, int64_t account, bool disabled)
{
    return s->ops->account_set_disabled(s, account, disabled);
}

enum err store_points_add(struct store *s, int64_t account, int64_t amount)
{
    if (amount <= 0 || amount > POINTS_MAX)
        return ERR_INVALID;
    return s->ops->points_add(s, account, amount);
}

enum err store_site_secret(struct store *s, uint8_t out[32])
{
    return s->ops->site_secret(s, out);
}

void store_submit(struct store *s, const struct store_submit *in, store_submit_fn *done, void *ctx)
{
    assert(in->uuid && in->img_url && in->prompt && in->callback);
    assert(!in->idem_key || (in->idem_path && (in->answer || in->answer_len == 0)));
    if (in->cost < 0 || in->cost > POINTS_MAX ||
        (in->idem_key && !visible_ascii(in->idem_key, 1, STORE_IDEMPOTENCY_KEY_MAX)))
        done(ctx, ERR_INVALID, NULL, 0);
    else
        s->ops->submit(s, in, done, ctx);
}

enum err store_job_get(struct store *s, int64_t account, const char *uuid, struct arena *a,
                       struct job *out)
{
    return s->ops->job_get(s, account, uuid, a, out);
}

enum err store_jobs_list(struct store *s, const struct store_list *q, struct arena *a,
                         struct job **out, int *count)
{
    if (q->limit < 1 || q->limit > 100 || q->before < 0 || q->state < -1 || q->state >= JOB_STATES)
        return ERR_INVALID;
    return s->ops->jobs_list(s, q, a, out, count);
}

enum err store_waiting_ids(struct store *s, int64_t account, int64_t *ids, int max, int *count)
{
    assert(max >= 0);
    return s->ops->waiting_ids(s, account, ids, max, count);
}

enum err store_claim(struct store *s, struct arena *a, struct job *out, struct lease *lease)
{
    return s->ops->claim(s, a, out, lease);
}

enum err store_heartbeat(struct store *s, const struct lease *lease)
{
    assert(lease->token);
    return s->ops->heartbeat(s, lease);
}

enum err store_set_source(struct store *s, const struct lease *lease, const char *blob_key,
                          int64_t bytes)
{
    assert(lease->token && blob_key[0] && bytes >= 0);
    return s->ops->set_source(s, lease, blob_key, bytes);
}

enum err store_advance(struct store *s, const struct lease *lease, enum job_state to)
{
    assert(lease->token && (to == JOB_STAGED || to == JOB_PROCESSING));
    return s->ops->advance(s, lease, to);
}

enum err store_finish(struct store *s, const struct lease *lease, const struct job_end *end)
{
    assert(lease->token && end->blob_count >= 0);
    assert(end->completed ? end->engine != NULL
                          : end->error_code >= 400 && end->error_message && !end->blob_count);
    return s->ops->finish(s, lease, end);
}

enum err store_hand_back(struct store *s, const struct lease *lease, bool strike,
                         const char *reason)
{
    assert(lease->token && reason);
    return s->ops->hand_back(s, lease, strike, reason);
}

enum err store_reap(struct store *s, int *count)
{
    return s->ops->reap(s, count);
}

enum err store_cancel(struct store *s, int64_t account, const char *uuid, struct arena *a,
                      struct job *out, bool *was_leased)
{
    return s->ops->cancel(s, account, uuid, a, out, was_leased);
}

enum err store_deliveries_due(struct store *s, int64_t now_ms, const int64_t *busy, int busy_count,
                              int max, struct arena *a, struct delivery **out, int *count)
{
    assert(busy_count >= 0 && max >= 0 && max <= INT_MAX - busy_count);
    return s->ops->deliveries_due(s, now_ms, busy, busy_count, max, a, out, count);
}

enum err store_delivery_record(struct store *s, int64_t id, enum delivery_state state,
                               int last_status, int64_t next_ms)
{
    return s->ops->delivery_record(s, id, state, last_status, next_ms);
}

enum err store_upload_add(struct store *s, const struct upload *in, struct arena *a,
                          struct upload *out, struct err_note *note)
{
    assert(strlen(in->id) == 32 && in->blob_key[0] && in->bytes >= 0);
    return s->ops->upload_add(s, in, a, out, note);
}

enum err store_upload_get(struct store *s, int64_t account, const char *id, struct arena *a,
                          struct upload *out)
{
    return s->ops->upload_get(s, account, id, a, out);
}

enum err store_blob_add(struct store *s, int64_t job, const char *key, int64_t bytes)
{
    assert(key[0] && bytes >= 0);
    return s->ops->blob_add(s, job, key, bytes);
}

enum err store_blobs_expired(struct store *s, int64_t now_ms, int max, struct arena *a,
                             const char ***keys, int *count)
{
    assert(max >= 0);
    return s->ops->blobs_expired(s, now_ms, max, a, keys, count);
}

enum err store_blobs_forget(struct store *s, const char *const *keys, int count)
{
    return s->ops->blobs_forget(s, keys, count);
}

enum err store_blob_known(struct store *s, const char *key, bool *known)
{
    return s->ops->blob_known(s, key, known);
}

enum err store_sweep(struct store *s, int64_t now_ms)
{
    return s->ops->sweep(s, now_ms);
}

enum err store_counts(struct store *s, struct store_counts *out)
{
    return s->ops->counts(s, out);
}

enum err store_check_ledger(struct store *s, struct err_note *note)
{
    return s->ops->check_ledger(s, note);
}

enum err store_ping(struct store *s)
{
    return s->ops->ping(s);
}

void store_close(struct store *s)
{
    if (s)
        s->ops->close(s);
}

void store_set_wake(struct store *s, store_wake_fn *jobs, store_wake_fn *deliveries, void *ctx)
{
    s->ops->set_wake(s, jobs, deliveries, ctx);
}

struct job_end store_end_used_up(const struct job *j, const char *reason, struct err_note *text)
{
    const char *phrase = job_error_phrase(JOB_ERROR_ENGINE);

    if (j->strikes >= JOB_STRIKES_MAX)
        err_set(text, ERR_CRASHED,
                "%s: given up after %d attempts; the points are back in the account. If the same "
                "picture fails again, try another one. The last attempt: %s",
                phrase, j->strikes, reason);
    else
        err_set(text, ERR_CRASHED,
                "%s: the job was started %d times and interrupted each time (restarts, power "
                "cuts), so it was given up; the points are back in the account. Send it again",
                phrase, j->claims - 1);
    return (struct job_end){.error_code = JOB_ERROR_ENGINE, .error_message = text->text};
}

struct job_end store_end_cancelled(void)
{
    return (struct job_end){.error_code = JOB_ERROR_CANCELLED,
                            .error_message = "Job was cancelled on request; the points are back in "
                                             "the account",
                            .cancelled = true};
}

struct job_end store_end_disabled(void)
{
    return (struct job_end){.error_code = JOB_ERROR_DISABLED,
                            .error_message = "Account is disabled: the job was waiting and was "
                                             "given up; its points were released. Ask the operator "
                                             "of this service to enable the account"};
}
