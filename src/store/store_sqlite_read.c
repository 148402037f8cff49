/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_internal.h"

#include <assert.h>

enum err job_from_row(struct query *q, struct arena *a, struct job *out)
{
    bool ok = true;
    struct job j = {
        .id = column_i64(q, 0),
        .account = column_i64(q, 2),
        .state = (enum job_state)column_int(q, 3),
        .is_private = column_int(q, 4),
        .cost = column_i64(q, 5),
        .claims = column_int(q, 6),
        .strikes = column_int(q, 7),
        .created_ms = column_i64(q, 8),
        .started_ms = column_i64(q, 9),
        .ended_ms = column_i64(q, 10),
        .expires_ms = column_i64(q, 11),
        .has_seed = sqlite3_column_type(q->st, 12) != SQLITE_NULL,
        .seed = (uint32_t)column_i64(q, 12),
        .width = column_int(q, 13),
        .height = column_int(q, 14),
        .error_code = column_int(q, 15),
        .cancelled = column_int(q, 16),
        .source_blob = column_text(q, 17, a, &ok),
        .engine = column_text(q, 18, a, &ok),
        .img_url = column_text(q, 19, a, &ok),
        .prompt = column_text(q, 20, a, &ok),
        .callback = column_text(q, 21, a, &ok),
        .interpretation = column_text_or_null(q, 22, a, &ok),
        .warnings = column_text_or_null(q, 23, a, &ok),
        .timings = column_text_or_null(q, 24, a, &ok),
        .error_message = column_text(q, 25, a, &ok),
        .error_detail = column_text_or_null(q, 26, a, &ok),
    };

    column_uuid(q, 1, j.uuid);
    if (ok)
        *out = j;
    return ok ? ERR_OK : ERR_NOMEM;
}

enum err job_from_query(struct query *q, struct arena *a, struct job *out)
{
    enum err e = query_next(q);

    if (e == ERR_OK)
        e = job_from_row(q, a, out);
    query_end(q);
    return e == ERR_NONE ? ERR_NOT_FOUND : e;
}

static enum err get_by_uuid(struct db *db, const uint8_t uuid[16], struct arena *a, struct job *out)
{
    struct query q;

    query_begin(&q, db, "SELECT " JOB_COLUMNS " FROM job WHERE uuid = ?");
    query_uuid(&q, uuid);
    return job_from_query(&q, a, out);
}

// ERR_NOT_FOUND also when the row is another job's.
static enum err get_by_row(struct db *db, const uint8_t uuid[16], int64_t row, struct arena *a,
                           struct job *out)
{
    struct query q;

    query_begin(&q, db, "SELECT " JOB_COLUMNS " FROM job WHERE id = ? AND uuid = ?");
    query_i64(&q, row);
    query_uuid(&q, uuid);
    return job_from_query(&q, a, out);
}

enum err sqlite_job_get(struct store *store, int64_t account, const char *uuid, struct arena *a,
                        struct job *out)
{
    struct store_sqlite *s = self(store);
    enum err e = ERR_NOT_FOUND;
    uint8_t key[16];
    struct job j;

    if (!uuid_parse(uuid, key))
        return ERR_NOT_FOUND;
    int64_t row = job_ids_row(&s->job_ids, key);
    struct db *db = reader_take(s);
    if (row)
        e = get_by_row(db, key, row, a, &j);
    if (e == ERR_NOT_FOUND)
        e = get_by_uuid(db, key, a, &j);
    reader_give(s, db);
    if (!e && account >= 0 && j.account != account)
        e = ERR_NOT_FOUND;
    if (!e)
        *out = j;
    return e;
}

/* One list of each state is in order of id by the index; the newest of all of them are a merge. The
 * failed ones have an index of their own, for which their state has to stand in the query. */
#define OF_STATE(n) \
    "SELECT " JOB_COLUMNS " FROM job WHERE account = ?1 AND state = " #n " AND id < ?2"

static const char *list_sql(const struct store_list *q)
{
    if (q->active)
        return OF_STATE(0) " UNION ALL " OF_STATE(1) " UNION ALL " OF_STATE(
            2) " ORDER BY id DESC LIMIT ?3";
    if (q->state < 0)
        return OF_STATE(0) " UNION ALL " OF_STATE(1) " UNION ALL " OF_STATE(
            2) " UNION ALL " OF_STATE(3) " UNION ALL " OF_STATE(4) " ORDER BY id DESC LIMIT ?3";
    if (q->state == JOB_FAILED)
        return OF_STATE(4) " ORDER BY id DESC LIMIT ?3";
    return "SELECT " JOB_COLUMNS " FROM job WHERE account = ?1 AND id < ?2 AND state = ?4 "
           "ORDER BY id DESC LIMIT ?3";
}

enum err sqlite_jobs_list(struct store *store, const struct store_list *in, struct arena *a,
                          struct job **out, int *count)
{
    struct store_sqlite *s = self(store);
    struct job *list = arena_alloc(a, (size_t)in->limit * sizeof(*list));
    struct query q;
    enum err e;
    int n = 0;

    if (!list)
        return ERR_NOMEM;
    query_begin(&q, reader_take(s), list_sql(in));
    query_i64(&q, in->account);
    query_i64(&q, in->before ? in->before : INT64_MAX);
    query_i64(&q, in->limit);
    if (in->state >= 0 && in->state != JOB_FAILED && !in->active)
        query_i64(&q, in->state);
    while ((e = query_next(&q)) == ERR_OK && (e = job_from_row(&q, a, &list[n])) == ERR_OK)
        n++;
    reader_end(s, &q);
    if (e != ERR_NONE)
        return e;
    *out = list;
    *count = n;
    return ERR_OK;
}

enum err sqlite_waiting_ids(struct store *store, int64_t account, int64_t *ids, int max, int *count)
{
    struct store_sqlite *s = self(store);
    struct query q;
    enum err e;
    int n = 0;

    query_begin(&q, reader_take(s),
                "SELECT id FROM job WHERE account = ? AND state = 0 AND lease = 0 "
                "ORDER BY id LIMIT ?");
    query_i64(&q, account);
    query_i64(&q, max);
    while ((e = query_next(&q)) == ERR_OK)
        ids[n++] = column_i64(&q, 0);
    reader_end(s, &q);
    if (e != ERR_NONE)
        return e;
    *count = n;
    return ERR_OK;
}
