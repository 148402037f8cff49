/* SPDX-License-Identifier: MIT */
#include "store/store_internal.h"

#include "base/utf8.h"
#include "job/job_error.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
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

static bool text_good(const char *s)
{
    size_t len = strlen(s), at = 0, n;
    uint32_t c;

    if (len >= sizeof(((struct account *)0)->name))
        return false;
    for (; at < len; at += n) {
        n = utf8_decode(s + at, len - at, &c);
        if (n == 0 || c < 0x20 || (c >= 0x7F && c < 0xA0))
            return false;
    }
    return true;
}

bool store_label_good(const char *label)
{
    return text_good(label);
}

bool store_key_good(const char *key)
{
    return visible_ascii(key, STORE_KEY_MIN, STORE_KEY_MAX);
}

static bool is_number(const char *s)
{
    return *s && s[strspn(s, "0123456789")] == '\0';
}

// By its shape; whether it is anybody's is another question.
static bool is_uuid(const char *s)
{
    return strlen(s) == UUID_TEXT - 1 && s[strspn(s, "0123456789abcdef-")] == '\0';
}

bool store_name_good(const char *name)
{
    return text_good(name) && !utf8_blank(name, strlen(name)) && !is_number(name) && !is_uuid(name);
}

static enum err new_secret(char out[STORE_SECRET_MAX])
{
    uint8_t secret[32];
    struct buf text = BUF_INIT;

    rand_bytes(secret, sizeof(secret));
    buf_adds(&text, "whsec_");
    base64_encode(&text, secret, sizeof(secret));
    if (text.failed)
        return ERR_NOMEM;
    assert(text.len < STORE_SECRET_MAX);
    memcpy(out, text.data, text.len + 1);
    buf_release(&text);
    return ERR_OK;
}

static enum err new_account(struct account *a, const char *name, bool is_private, int64_t points)
{
    if (!store_name_good(name) || points < 0 || points > POINTS_MAX)
        return ERR_INVALID;
    *a = (struct account){.is_private = is_private,
                          .granted = points,
                          .available = points,
                          .webhook_secret_old_until_ms = -1,
                          .deleted_ms = -1};
    uuid_v4(a->uuid);
    memcpy(a->name, name, strlen(name) + 1);
    return new_secret(a->webhook_secret);
}

static enum err hash_key(const char *key, const char *label, struct store_key *out)
{
    if (!store_key_good(key) || !store_label_good(label))
        return ERR_INVALID;
    *out = (struct store_key){.label = label};
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

enum err store_key_create(struct store *s, int64_t account, const char *key, const char *label,
                          struct api_key *out)
{
    struct store_key k;
    struct api_key row;
    enum err e = hash_key(key, label, &k);

    if (!e)
        e = s->ops->key_add(s, account, &k, &row);
    if (!e)
        *out = row;
    return e;
}

enum err store_keys_list(struct store *s, int64_t account, int64_t after, int max, struct arena *a,
                         struct api_key **out, int *count)
{
    assert(max > 0);
    return s->ops->key_list(s, account, after, max, a, out, count);
}

enum err store_key_revoke(struct store *s, int64_t id, struct api_key *out)
{
    return s->ops->key_revoke(s, id, out);
}

enum err store_account_find(struct store *s, const char *who, struct account *out)
{
    const size_t digits_max = 18; // what always fits an int64_t

    if (is_number(who))
        return strlen(who) > digits_max ? ERR_NOT_FOUND
                                        : s->ops->account_get(s, strtoll(who, NULL, 10), out);
    return is_uuid(who) ? s->ops->account_find(s, who, NULL, out)
                        : s->ops->account_find(s, NULL, who, out);
}

enum err store_accounts_list(struct store *s, int64_t after, bool deleted, int max, struct arena *a,
                             struct account **out, int *count)
{
    assert(max > 0);
    return s->ops->account_list(s, after, deleted, max, a, out, count);
}

enum err store_account_delete(struct store *s, int64_t account)
{
    return s->ops->account_delete(s, account);
}

enum err store_webhook_secret_rotate(struct store *s, int64_t account, int64_t keep_ms,
                                     struct account *out)
{
    const int64_t most = INT64_C(366) * 24 * 3600 * 1000;
    char secret[STORE_SECRET_MAX];

    if (keep_ms < 0 || keep_ms > most)
        return ERR_INVALID;
    enum err e = new_secret(secret);
    return e ? e : s->ops->secret_rotate(s, account, secret, keep_ms, out);
}

enum err store_first_account(struct store *s, const char *key, int64_t points, struct account *out)
{
    struct store_key k;
    struct account a;
    enum err e = new_account(&a, "default", false, points);

    if (!e && key)
        e = hash_key(key, "", &k);
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

void store_job_uuid(struct store *s, char out[UUID_TEXT])
{
    s->ops->job_uuid(s, out);
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

enum err store_set_style(struct store *s, const struct lease *lease, const char *blob_key,
                         int64_t bytes)
{
    assert(lease->token && blob_key[0] && bytes >= 0);
    return s->ops->set_style(s, lease, blob_key, bytes);
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

const char *delivery_state_name(enum delivery_state s)
{
    static const char *const name[] = {"waiting", "delivered", "given_up"};

    return name[s];
}

enum err store_deliveries_list(struct store *s, const struct store_delivery_list *q,
                               struct arena *a, struct delivery **out, int *count)
{
    if (q->limit < 1 || q->limit > 100 || q->before < 0 || q->state < -1 ||
        q->state > DELIVERY_GIVEN_UP)
        return ERR_INVALID;
    return s->ops->delivery_list(s, q, a, out, count);
}

enum err store_delivery_get(struct store *s, int64_t account, const char *msg_id, struct arena *a,
                            struct delivery *out)
{
    return s->ops->delivery_get(s, account, msg_id, a, out);
}

enum err store_delivery_redeliver(struct store *s, int64_t account, const char *msg_id,
                                  struct arena *a, struct delivery *out)
{
    return s->ops->delivery_redeliver(s, account, msg_id, a, out);
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

enum err store_blobs_from(struct store *s, const char *from, int max, struct arena *a,
                          struct stored_blob **out, int *count)
{
    assert(max > 0);
    return s->ops->blobs_from(s, from, max, a, out, count);
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

enum err store_verify(struct store *s, struct err_note *note)
{
    return s->ops->verify(s, note);
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
