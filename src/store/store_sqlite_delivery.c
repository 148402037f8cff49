/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_internal.h"

#include <string.h>

static bool is_busy(int64_t id, const int64_t *busy, int busy_count)
{
    for (int i = 0; i < busy_count; i++) {
        if (busy[i] == id)
            return true;
    }
    return false;
}

static enum err delivery_from_row(struct query *q, struct arena *a, struct delivery *out)
{
    bool ok = true;
    struct delivery d = {
        .id = column_i64(q, 0),
        .msg_id = "msg_",
        .job = column_i64(q, 2),
        .account = column_i64(q, 4),
        .endpoint = column_text(q, 5, a, &ok),
        .state = (enum delivery_state)column_int(q, 6),
        .attempts = column_int(q, 7),
        .last_status = column_int(q, 8),
        .next_ms = column_i64(q, 9),
        .created_ms = column_i64(q, 10),
    };

    column_uuid(q, 1, d.msg_id + strlen("msg_"));
    column_uuid(q, 3, d.job_uuid);
    if (ok)
        *out = d;
    return ok ? ERR_OK : ERR_NOMEM;
}

enum err sqlite_deliveries_due(struct store *store, int64_t now_ms, const int64_t *busy,
                               int busy_count, int max, struct arena *a, struct delivery **out,
                               int *count)
{
    struct store_sqlite *s = self(store);
    struct delivery *list = arena_alloc(a, (size_t)max * sizeof(*list));
    struct query q;
    enum err e = ERR_NONE;
    int n = 0;

    if (!list)
        return ERR_NOMEM;
    query_begin(&q, reader_take(s),
                "SELECT d.id, d.msg_uuid, d.job, j.uuid, j.account, j.callback, d.state, "
                "d.attempts, d.last_status, d.next_ms, d.created_ms "
                "FROM delivery AS d CROSS JOIN job AS j ON j.id = d.job "
                "WHERE d.state = 0 AND d.next_ms <= ? ORDER BY d.next_ms LIMIT ?");
    query_i64(&q, now_ms);
    query_i64(&q, (int64_t)max + busy_count);
    while (n < max && (e = query_next(&q)) == ERR_OK) {
        if (is_busy(column_i64(&q, 0), busy, busy_count))
            continue;
        e = delivery_from_row(&q, a, &list[n]);
        if (e)
            break;
        n++;
    }
    query_end(&q);
    reader_give(s, q.db);
    if (e < 0)
        return e;
    *out = list;
    *count = n;
    return ERR_OK;
}

struct record_args {
    int64_t id;
    enum delivery_state state;
    int last_status;
    int64_t next_ms;
};

static enum err run_record(struct writer *w, void *args)
{
    const struct record_args *in = args;
    struct query q;

    query_begin(&q, &w->db,
                "UPDATE delivery SET state = ?, attempts = attempts + 1, last_status = ?, "
                "next_ms = ?, ended_ms = ? WHERE id = ?");
    query_i64(&q, in->state);
    query_i64(&q, in->last_status);
    query_i64(&q, in->next_ms);
    query_i64(&q, in->state == DELIVERY_WAITING ? -1 : writer_now_ms(w));
    query_i64(&q, in->id);
    enum err e = query_run(&q);
    return !e && db_changes(&w->db) == 0 ? ERR_NOT_FOUND : e;
}

enum err sqlite_delivery_record(struct store *s, int64_t id, enum delivery_state state,
                                int last_status, int64_t next_ms)
{
    struct record_args args = {id, state, last_status, next_ms};

    return writer_do(&self(s)->writer, URGENT, run_record, &args);
}
