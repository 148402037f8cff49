/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_internal.h"

#include <stdlib.h>

/* Keys: added, listed, revoked. Looking an account up by key is in store_sqlite_account.c. */

#define KEY_COLUMNS "id, account, prefix, label, created_ms, used_ms"

static void key_from_row(struct query *q, struct api_key *out)
{
    *out = (struct api_key){
        .id = column_i64(q, 0),
        .account = column_i64(q, 1),
        .created_ms = column_i64(q, 4),
        .used_ms = column_i64(q, 5),
    };
    column_chars(q, 2, out->prefix, sizeof(out->prefix));
    column_chars(q, 3, out->label, sizeof(out->label));
}

// ERR_REPLAY when the key is there or was revoked, ERR_OK when it is new.
static enum err find_key(struct writer *w, const struct store_key *key)
{
    struct query q;
    int64_t one;

    query_begin(&q, &w->db,
                "SELECT 1 FROM api_key WHERE sha256 = ?1 "
                "UNION ALL SELECT 1 FROM revoked_key WHERE sha256 = ?1");
    query_blob(&q, key->sha256, SHA256_BYTES);
    enum err e = query_only_i64(&q, &one);
    return e == ERR_NONE ? ERR_OK : e == ERR_OK ? ERR_REPLAY : e;
}

enum err writer_add_key(struct writer *w, int64_t account, const struct store_key *key,
                        struct api_key *out)
{
    struct api_key k = {.account = account, .created_ms = writer_now_ms(w), .used_ms = -1};
    struct query q;
    enum err e = find_key(w, key);

    if (e)
        return e;
    query_begin(&q, &w->db,
                "INSERT INTO api_key (sha256, account, prefix, label, created_ms) "
                "VALUES (?, ?, ?, ?, ?)");
    query_blob(&q, key->sha256, SHA256_BYTES);
    query_i64(&q, account);
    query_text(&q, key->prefix);
    query_text(&q, key->label);
    query_i64(&q, k.created_ms);
    e = query_run(&q);
    if (e || !out)
        return e;
    k.id = sqlite3_last_insert_rowid(w->db.handle);
    snprintf(k.prefix, sizeof(k.prefix), "%s", key->prefix);
    snprintf(k.label, sizeof(k.label), "%s", key->label);
    *out = k;
    return ERR_OK;
}

struct key_args {
    int64_t id; /* of the account, or of the key */
    const struct store_key *key;
    struct api_key *out;
};

static enum err run_add(struct writer *w, void *args)
{
    const struct key_args *in = args;
    struct hot_account *h;
    enum err e = writer_live_account(w, in->id, &h);

    return e ? e : writer_add_key(w, in->id, in->key, in->out);
}

enum err sqlite_key_add(struct store *s, int64_t account, const struct store_key *key,
                        struct api_key *out)
{
    struct key_args args = {account, key, out};

    return writer_do(&self(s)->writer, URGENT, run_add, &args);
}

// ---- revoking ----

enum err writer_revoke_keys(struct writer *w, int64_t account)
{
    struct query q;

    query_begin(&q, &w->db,
                "INSERT INTO revoked_key (sha256, revoked_ms) "
                "SELECT sha256, ? FROM api_key WHERE account = ?");
    query_i64(&q, writer_now_ms(w));
    query_i64(&q, account);
    enum err e = query_run(&q);
    if (e)
        return e;
    query_begin(&q, &w->db, "DELETE FROM api_key WHERE account = ?");
    query_i64(&q, account);
    w->batch.forget = true;
    return query_run(&q);
}

static enum err run_revoke(struct writer *w, void *args)
{
    const struct key_args *in = args;
    struct query q;

    query_begin(&q, &w->db, "SELECT " KEY_COLUMNS " FROM api_key WHERE id = ?");
    query_i64(&q, in->id);
    enum err e = query_next(&q);
    if (e == ERR_OK)
        key_from_row(&q, in->out);
    query_end(&q);
    if (e)
        return e == ERR_NONE ? ERR_NOT_FOUND : e;
    query_begin(&q, &w->db,
                "INSERT INTO revoked_key (sha256, revoked_ms) "
                "SELECT sha256, ? FROM api_key WHERE id = ?");
    query_i64(&q, writer_now_ms(w));
    query_i64(&q, in->id);
    e = query_run(&q);
    if (e)
        return e;
    query_begin(&q, &w->db, "DELETE FROM api_key WHERE id = ?");
    query_i64(&q, in->id);
    w->batch.forget = true;
    return query_run(&q);
}

enum err sqlite_key_revoke(struct store *s, int64_t id, struct api_key *out)
{
    struct api_key was;
    struct key_args args = {.id = id, .out = &was};
    enum err e = writer_do(&self(s)->writer, URGENT, run_revoke, &args);

    if (!e)
        *out = was;
    return e;
}

// ---- listing ----

enum err sqlite_key_list(struct store *store, int64_t account, int64_t after, int max,
                         struct arena *a, struct api_key **out, int *count)
{
    struct store_sqlite *s = self(store);
    struct api_key *list = arena_alloc(a, (size_t)max * sizeof(*list));
    struct query q;
    enum err e;
    int n = 0;

    if (!list)
        return ERR_NOMEM;
    query_begin(&q, reader_take(s),
                account < 0 ? "SELECT " KEY_COLUMNS " FROM api_key WHERE id > ? ORDER BY id LIMIT ?"
                            : "SELECT " KEY_COLUMNS " FROM api_key WHERE id > ?1 AND account = ?3 "
                              "ORDER BY id LIMIT ?2");
    query_i64(&q, after);
    query_i64(&q, max);
    if (account >= 0)
        query_i64(&q, account);
    while ((e = query_next(&q)) == ERR_OK)
        key_from_row(&q, &list[n++]);
    reader_end(s, &q);
    if (e != ERR_NONE)
        return e;
    *out = list;
    *count = n;
    return ERR_OK;
}

// ---- when they were used ----

struct used_args {
    uint8_t (*sha256)[SHA256_BYTES];
    int count;
    int64_t now_ms;
};

static enum err run_note_used(struct writer *w, void *args)
{
    const struct used_args *in = args;
    enum err e = ERR_OK;

    for (int i = 0; i < in->count && !e; i++) {
        struct query q;
        query_begin(&q, &w->db, "UPDATE api_key SET used_ms = ? WHERE sha256 = ?");
        query_i64(&q, in->now_ms);
        query_blob(&q, in->sha256[i], SHA256_BYTES);
        e = query_run(&q);
    }
    return e;
}

enum err keys_note_used(struct store_sqlite *s, int64_t now_ms)
{
    struct used_args args = {.sha256 = malloc((size_t)CACHE_KEYS * SHA256_BYTES), .now_ms = now_ms};
    enum err e = ERR_OK;

    if (!args.sha256)
        return ERR_NOMEM;
    args.count = cache_take_used(&s->cache, args.sha256);
    if (args.count)
        e = writer_do(&s->writer, NORMAL, run_note_used, &args);
    free(args.sha256);
    return e;
}
