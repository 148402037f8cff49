/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_internal.h"

#include <string.h>

struct blob_args {
    int64_t job;
    const char *key;
    int64_t bytes;
    const char *const *keys;
    int count;
};

enum err writer_put_blob(struct writer *w, const char *key, int64_t job, int64_t bytes,
                         int64_t due_ms)
{
    struct query q;

    query_begin(&q, &w->db,
                "INSERT OR REPLACE INTO blob (key, job, bytes, due_ms) "
                "VALUES (?, ?, ?, nullif(?, -1))");
    query_text(&q, key);
    query_i64(&q, job);
    query_i64(&q, bytes);
    query_i64(&q, due_ms);
    return query_run(&q);
}

static enum err run_blob_add(struct writer *w, void *args)
{
    const struct blob_args *in = args;
    struct query q;
    int64_t expires_ms;

    query_begin(&q, &w->db, "SELECT expires_ms FROM job WHERE id = ?");
    query_i64(&q, in->job);
    enum err e = query_only_i64(&q, &expires_ms);
    if (e)
        return e == ERR_NONE ? ERR_NOT_FOUND : e;
    if (expires_ms < 0)
        return ERR_WRONG_STATE;
    return writer_put_blob(w, in->key, in->job, in->bytes, expires_ms);
}

enum err sqlite_blob_add(struct store *s, int64_t job, const char *key, int64_t bytes)
{
    struct blob_args args = {.job = job, .key = key, .bytes = bytes};

    return writer_do(&self(s)->writer, NORMAL, run_blob_add, &args);
}

enum err sqlite_blobs_expired(struct store *store, int64_t now_ms, int max, struct arena *a,
                              const char ***keys, int *count)
{
    struct store_sqlite *s = self(store);
    const char **list = arena_alloc(a, (size_t)max * sizeof(*list));
    struct query q;
    bool ok = true;
    enum err e;
    int n = 0;

    if (!list)
        return ERR_NOMEM;
    query_begin(&q, reader_take(s),
                "SELECT key FROM blob WHERE due_ms <= ? ORDER BY due_ms LIMIT ?");
    query_i64(&q, now_ms);
    query_i64(&q, max);
    while ((e = query_next(&q)) == ERR_OK)
        list[n++] = column_text(&q, 0, a, &ok);
    reader_end(s, &q);
    if (e != ERR_NONE || !ok)
        return ok ? e : ERR_NOMEM;
    *keys = list;
    *count = n;
    return ERR_OK;
}

static enum err forget(struct writer *w, const char *key)
{
    struct query q;

    query_begin(&q, &w->db, "DELETE FROM upload WHERE blob_key = ? AND jobs = 0");
    query_text(&q, key);
    enum err e = query_run(&q);
    if (e)
        return e;
    query_begin(&q, &w->db, "DELETE FROM blob WHERE key = ?");
    query_text(&q, key);
    return query_run(&q);
}

static enum err run_forget(struct writer *w, void *args)
{
    const struct blob_args *in = args;
    enum err e = ERR_OK;

    for (int i = 0; i < in->count && !e; i++)
        e = forget(w, in->keys[i]);
    return e;
}

enum err sqlite_blobs_forget(struct store *s, const char *const *keys, int count)
{
    struct blob_args args = {.keys = keys, .count = count};

    return writer_do(&self(s)->writer, NORMAL, run_forget, &args);
}

enum err sqlite_blob_known(struct store *store, const char *key, bool *known)
{
    struct store_sqlite *s = self(store);
    struct query q;
    int64_t one;

    query_begin(&q, reader_take(s), "SELECT 1 FROM blob WHERE key = ?");
    query_text(&q, key);
    enum err e = query_only_i64(&q, &one);
    reader_give(s, q.db);
    if (e >= 0)
        *known = e == ERR_OK;
    return e < 0 ? e : ERR_OK;
}

enum err sqlite_blobs_from(struct store *store, const char *from, int max, struct arena *a,
                           struct stored_blob **out, int *count)
{
    struct store_sqlite *s = self(store);
    struct stored_blob *list = arena_alloc(a, (size_t)max * sizeof(*list));
    struct query q;
    bool ok = true;
    enum err e;
    int n = 0;

    if (!list)
        return ERR_NOMEM;
    query_begin(&q, reader_take(s),
                "SELECT b.key, b.bytes, u.sha256 FROM blob AS b "
                "LEFT JOIN upload AS u ON u.blob_key = b.key "
                "WHERE b.key >= ? AND coalesce(b.due_ms > ?, 1) ORDER BY b.key LIMIT ?");
    query_text(&q, from);
    query_i64(&q, clock_unix_ms(s->options.clock));
    query_i64(&q, max);
    for (; (e = query_next(&q)) == ERR_OK; n++) {
        const void *sha = sqlite3_column_blob(q.st, 2);
        list[n] = (struct stored_blob){.key = column_text(&q, 0, a, &ok),
                                       .bytes = column_i64(&q, 1),
                                       .has_sha256 = sha != NULL};
        if (sha)
            memcpy(list[n].sha256, sha, SHA256_BYTES); // its length is checked by the schema
    }
    reader_end(s, &q);
    if (e != ERR_NONE || !ok)
        return ok ? e : ERR_NOMEM;
    *out = list;
    *count = n;
    return ERR_OK;
}
