/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_internal.h"

#include <assert.h>

void account_from_row(struct query *q, struct account *out)
{
    *out = (struct account){
        .id = column_i64(q, 0),
        .disabled = column_int(q, 3),
        .is_private = column_int(q, 4),
        .granted = column_i64(q, 5),
        .available = column_i64(q, 6),
        .frozen = column_i64(q, 7),
        .consumed = column_i64(q, 8),
        .waiting = column_int(q, 9),
        .running = column_int(q, 10),
        .created_ms = column_i64(q, 11),
        .updated_ms = column_i64(q, 12),
        .webhook_secret_old_until_ms = column_i64(q, 15),
        .deleted_ms = column_i64(q, 17),
    };
    column_uuid(q, 1, out->uuid);
    column_chars(q, 2, out->name, sizeof(out->name));
    column_chars(q, 13, out->webhook_secret, sizeof(out->webhook_secret));
    column_chars(q, 14, out->webhook_secret_old, sizeof(out->webhook_secret_old));
}

// ---- reading, through the cache ----

// Notices what other processes have committed, at most a second late. Our own commits count too
// (this connection is not the writer's), which costs one read per account a second.
static enum err notice_others(struct store_sqlite *s, struct db *db, int64_t now_ns)
{
    struct query q;
    int64_t version = 0;

    query_begin(&q, db, "PRAGMA data_version");
    enum err e = query_only_i64(&q, &version);
    if (!e)
        cache_checked(&s->cache, now_ns, version);
    return e;
}

static enum err refresh_if_due(struct store_sqlite *s)
{
    int64_t now_ns = clock_mono_ns(s->options.clock);
    enum err e = ERR_OK;

    if (!cache_check_due(&s->cache, now_ns))
        return ERR_OK;
    // Who comes while somebody looks waits for what he finds: the cache is too old for both.
    pthread_mutex_lock(&s->watch_lock);
    if (cache_check_due(&s->cache, now_ns))
        e = notice_others(s, &s->watch, now_ns);
    pthread_mutex_unlock(&s->watch_lock);
    return e;
}

// Runs a query for ACCOUNT_COLUMNS and gives the connection back.
static enum err read_account(struct store_sqlite *s, struct query *q, struct account *out)
{
    enum err e = query_next(q);

    if (e == ERR_OK)
        account_from_row(q, out);
    reader_end(s, q);
    return e == ERR_NONE ? ERR_NOT_FOUND : e;
}

enum err sqlite_account_by_key(struct store *store, const uint8_t sha[SHA256_BYTES],
                               struct account *out)
{
    struct store_sqlite *s = self(store);
    uint64_t generation;
    struct query q;
    enum err e = refresh_if_due(s);

    if (e || cache_by_key(&s->cache, sha, out, &generation))
        return e;
    query_begin(&q, reader_take(s),
                "SELECT " ACCOUNT_COLUMNS " FROM account "
                "WHERE id = (SELECT account FROM api_key WHERE sha256 = ?)");
    query_blob(&q, sha, SHA256_BYTES);
    e = read_account(s, &q, out);
    if (!e)
        cache_learn(&s->cache, generation, sha, out);
    return e;
}

enum err sqlite_account_get(struct store *store, int64_t account, struct account *out)
{
    struct store_sqlite *s = self(store);
    uint64_t generation;
    struct query q;
    enum err e = refresh_if_due(s);

    if (e || cache_by_id(&s->cache, account, out, &generation))
        return e;
    query_begin(&q, reader_take(s), "SELECT " ACCOUNT_COLUMNS " FROM account WHERE id = ?");
    query_i64(&q, account);
    e = read_account(s, &q, out);
    if (!e)
        cache_learn(&s->cache, generation, NULL, out);
    return e;
}

enum err sqlite_account_find(struct store *store, const char *uuid, const char *name,
                             struct account *out)
{
    struct store_sqlite *s = self(store);
    struct account found;
    uint8_t id[16];
    struct query q;

    if (uuid && !uuid_parse(uuid, id))
        return ERR_NOT_FOUND;
    query_begin(&q, reader_take(s),
                uuid ? "SELECT " ACCOUNT_COLUMNS " FROM account WHERE uuid = ?"
                     : "SELECT " ACCOUNT_COLUMNS " FROM account WHERE name = ? AND deleted_ms < 0 "
                       "LIMIT 2");
    if (uuid)
        query_uuid(&q, id);
    else
        query_text(&q, name);
    enum err e = query_next(&q), more = ERR_NONE;
    if (e == ERR_OK) {
        account_from_row(&q, &found);
        more = query_next(&q);
    }
    reader_end(s, &q);
    if (e)
        return e == ERR_NONE ? ERR_NOT_FOUND : e;
    if (more != ERR_NONE)
        return more == ERR_OK ? ERR_CONFLICT : more;
    *out = found;
    return ERR_OK;
}

enum err sqlite_account_list(struct store *store, int64_t after, bool deleted, int max,
                             struct arena *a, struct account **out, int *count)
{
    struct store_sqlite *s = self(store);
    struct account *list = arena_alloc(a, (size_t)max * sizeof(*list));
    struct query q;
    enum err e;
    int n = 0;

    if (!list)
        return ERR_NOMEM;
    query_begin(&q, reader_take(s),
                "SELECT " ACCOUNT_COLUMNS " FROM account WHERE id > ? AND (? OR deleted_ms < 0) "
                "ORDER BY id LIMIT ?");
    query_i64(&q, after);
    query_i64(&q, deleted);
    query_i64(&q, max);
    while ((e = query_next(&q)) == ERR_OK)
        account_from_row(&q, &list[n++]);
    reader_end(s, &q);
    if (e != ERR_NONE)
        return e;
    *out = list;
    *count = n;
    return ERR_OK;
}

// ---- writing ----

enum err writer_live_account(struct writer *w, int64_t id, struct hot_account **out)
{
    enum err e = writer_account(w, id, out);

    return !e && (*out)->a.deleted_ms >= 0 ? ERR_NOT_FOUND : e;
}

static enum err insert_account(struct writer *w, struct account *a)
{
    struct query q;
    uint8_t uuid[16];

    if (!uuid_parse(a->uuid, uuid))
        return ERR_BUG;
    a->created_ms = a->updated_ms = writer_now_ms(w);
    query_begin(&q, &w->db,
                "INSERT INTO account (uuid, name, is_private, granted, available, created_ms, "
                "updated_ms, webhook_secret) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    query_uuid(&q, uuid);
    query_text(&q, a->name);
    query_i64(&q, a->is_private);
    query_i64(&q, a->granted);
    query_i64(&q, a->available);
    query_i64(&q, a->created_ms);
    query_i64(&q, a->updated_ms);
    query_text(&q, a->webhook_secret);
    enum err e = query_run(&q);
    if (e)
        return e;
    a->id = sqlite3_last_insert_rowid(w->db.handle);
    return a->granted ? writer_ledger(w, a->id, LEDGER_GRANT, a->granted, 0) : ERR_OK;
}

static enum err run_create(struct writer *w, void *args)
{
    return insert_account(w, args);
}

enum err sqlite_account_create(struct store *s, struct account *a)
{
    return writer_do(&self(s)->writer, URGENT, run_create, a);
}

struct first_args {
    const struct store_key *key;
    struct account *a;
};

static enum err run_first_account(struct writer *w, void *args)
{
    const struct first_args *in = args;
    struct hot_account *h;
    struct query q;
    int64_t oldest;

    query_begin(&q, &w->db, "SELECT id FROM account ORDER BY id LIMIT 1");
    enum err e = query_only_i64(&q, &oldest);
    if (e == ERR_NONE && !in->key)
        return ERR_NOT_FOUND;
    if (e == ERR_NONE) {
        e = insert_account(w, in->a);
        return e ? e : writer_add_key(w, in->a->id, in->key, NULL);
    }
    if (!e)
        e = writer_account(w, oldest, &h);
    if (e)
        return e;
    *in->a = h->a;
    if (in->key && h->a.deleted_ms < 0)
        e = writer_add_key(w, oldest, in->key, NULL);
    return e ? e : ERR_REPLAY;
}

enum err sqlite_first_account(struct store *s, const struct store_key *key, struct account *a)
{
    struct first_args args = {key, a};

    return writer_do(&self(s)->writer, URGENT, run_first_account, &args);
}

struct account_args {
    int64_t account;
    bool disabled;
    int64_t amount;
};

// Ends the waiting jobs one by one: each is the oldest that is left.
enum err writer_fail_waiting(struct writer *w, int64_t account)
{
    struct job_end end = store_end_disabled();

    for (;;) {
        struct query q;
        struct work j;
        int64_t id;

        query_begin(&q, &w->db,
                    "SELECT id FROM job WHERE account = ? AND state = 0 AND lease = 0 "
                    "ORDER BY id LIMIT 1");
        query_i64(&q, account);
        enum err e = query_only_i64(&q, &id);
        if (e)
            return e == ERR_NONE ? ERR_OK : e;
        e = work_load(w, id, &j);
        if (!e)
            e = work_end(w, &j, &end);
        if (e)
            return e;
    }
}

static enum err run_set_disabled(struct writer *w, void *args)
{
    const struct account_args *in = args;
    struct hot_account *h;
    enum err e = writer_live_account(w, in->account, &h);

    if (e || h->a.disabled == in->disabled)
        return e;
    h->a.disabled = in->disabled;
    writer_account_changed(w, h);
    w->batch.jobs_wake = true;
    return in->disabled ? writer_fail_waiting(w, in->account) : ERR_OK;
}

enum err sqlite_account_set_disabled(struct store *s, int64_t account, bool disabled)
{
    struct account_args args = {.account = account, .disabled = disabled};

    return writer_do(&self(s)->writer, URGENT, run_set_disabled, &args);
}

static enum err run_points_add(struct writer *w, void *args)
{
    const int64_t most = INT64_C(1) << 60; // a sum of grants that no 64-bit total overflows
    const struct account_args *in = args;
    struct hot_account *h;
    enum err e = writer_live_account(w, in->account, &h);

    if (e)
        return e;
    if (h->a.granted > most - in->amount)
        return ERR_INVALID;
    h->a.granted += in->amount;
    h->a.available += in->amount;
    writer_account_changed(w, h);
    return writer_ledger(w, in->account, LEDGER_GRANT, in->amount, 0);
}

enum err sqlite_points_add(struct store *s, int64_t account, int64_t amount)
{
    struct account_args args = {.account = account, .amount = amount};

    return writer_do(&self(s)->writer, URGENT, run_points_add, &args);
}

// ---- webhook secrets ----

struct rotate_args {
    int64_t account;
    const char *secret;
    int64_t keep_ms;
    struct account *out;
};

static enum err run_rotate(struct writer *w, void *args)
{
    const struct rotate_args *in = args;
    struct hot_account *h;
    struct query q;
    enum err e = writer_live_account(w, in->account, &h);

    if (e)
        return e;
    struct account *a = &h->a;
    snprintf(a->webhook_secret_old, sizeof(a->webhook_secret_old), "%s",
             in->keep_ms ? a->webhook_secret : "");
    snprintf(a->webhook_secret, sizeof(a->webhook_secret), "%s", in->secret);
    a->webhook_secret_old_until_ms = in->keep_ms ? writer_now_ms(w) + in->keep_ms : -1;
    writer_account_changed(w, h);
    query_begin(&q, &w->db,
                "UPDATE account SET webhook_secret = ?, webhook_secret_old = ?, "
                "webhook_secret_old_until_ms = ? WHERE id = ?");
    query_text(&q, a->webhook_secret);
    query_text(&q, a->webhook_secret_old);
    query_i64(&q, a->webhook_secret_old_until_ms);
    query_i64(&q, a->id);
    e = query_run(&q);
    if (!e)
        *in->out = *a;
    return e;
}

enum err sqlite_secret_rotate(struct store *s, int64_t account, const char *secret, int64_t keep_ms,
                              struct account *out)
{
    struct account now;
    struct rotate_args args = {account, secret, keep_ms, &now};
    enum err e = writer_do(&self(s)->writer, URGENT, run_rotate, &args);

    if (!e)
        *out = now;
    return e;
}
