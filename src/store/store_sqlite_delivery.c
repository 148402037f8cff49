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

#define DELIVERY_COLUMNS                                                            \
    "d.id, d.msg_uuid, d.job, j.uuid, d.account, j.callback, d.state, d.attempts, " \
    "d.last_status, d.next_ms, d.created_ms, d.ended_ms "
#define DELIVERY_FROM \
    "SELECT " DELIVERY_COLUMNS "FROM delivery AS d CROSS JOIN job AS j ON j.id = d.job "

/* From one receiver to the next by the index, whatever lies between, and of each the longest due.
 */
#define DELIVERIES_DUE                                                                            \
    "WITH RECURSIVE of (receiver) AS (SELECT min(receiver) FROM delivery WHERE state = 0 "        \
    "UNION ALL SELECT (SELECT min(receiver) FROM delivery WHERE state = 0 AND "                   \
    "receiver > of.receiver) FROM of WHERE of.receiver IS NOT NULL) "                             \
    "SELECT " DELIVERY_COLUMNS "FROM of CROSS JOIN delivery AS d ON d.id IN (SELECT id FROM "     \
    "delivery WHERE state = 0 AND receiver = of.receiver AND next_ms <= ?1 ORDER BY next_ms, id " \
    "LIMIT ?3) CROSS JOIN job AS j ON j.id = d.job ORDER BY d.next_ms, d.id LIMIT ?2"

static const char msg_prefix[] = "msg_";

static enum err delivery_from_row(struct query *q, struct arena *a, struct delivery *out)
{
    bool ok = true;
    struct delivery d = {
        .id = column_i64(q, 0),
        .msg_id = "",
        .job = column_i64(q, 2),
        .account = column_i64(q, 4),
        .endpoint = column_text(q, 5, a, &ok),
        .state = (enum delivery_state)column_int(q, 6),
        .attempts = column_int(q, 7),
        .last_status = column_int(q, 8),
        .next_ms = column_i64(q, 9),
        .created_ms = column_i64(q, 10),
        .ended_ms = column_i64(q, 11),
    };

    memcpy(d.msg_id, msg_prefix, sizeof(msg_prefix));
    column_uuid(q, 1, d.msg_id + strlen(msg_prefix));
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
    query_begin(&q, reader_take(s), DELIVERIES_DUE);
    query_i64(&q, now_ms);
    query_i64(&q, (int64_t)max + busy_count);
    query_i64(&q, STORE_DUE_PER_RECEIVER);
    while (n < max && (e = query_next(&q)) == ERR_OK) {
        if (is_busy(column_i64(&q, 0), busy, busy_count))
            continue;
        e = delivery_from_row(&q, a, &list[n]);
        if (e)
            break;
        n++;
    }
    reader_end(s, &q);
    if (e < 0)
        return e;
    *out = list;
    *count = n;
    return ERR_OK;
}

// ---- listing ----

static const char *list_sql(const struct store_delivery_list *in)
{
    if (in->job_uuid)
        return DELIVERY_FROM "WHERE d.job = (SELECT id FROM job WHERE uuid = ?5) AND d.id < ?1 "
                             "AND (?2 < 0 OR d.state = ?2) AND (?4 < 0 OR d.account = ?4) "
                             "ORDER BY d.id DESC LIMIT ?3";
    if (in->account >= 0)
        return DELIVERY_FROM "WHERE d.account = ?4 AND d.id < ?1 AND (?2 < 0 OR d.state = ?2) "
                             "ORDER BY d.id DESC LIMIT ?3";
    return DELIVERY_FROM "WHERE d.id < ?1 AND (?2 < 0 OR d.state = ?2) "
                         "ORDER BY d.id DESC LIMIT ?3";
}

enum err sqlite_delivery_list(struct store *store, const struct store_delivery_list *in,
                              struct arena *a, struct delivery **out, int *count)
{
    struct store_sqlite *s = self(store);
    struct delivery *list = arena_alloc(a, (size_t)in->limit * sizeof(*list));
    uint8_t uuid[16];
    struct query q;
    enum err e;
    int n = 0;

    if (!list)
        return ERR_NOMEM;
    *count = 0;
    if (in->job_uuid && !uuid_parse(in->job_uuid, uuid))
        return ERR_OK;
    query_begin(&q, reader_take(s), list_sql(in));
    query_i64(&q, in->before ? in->before : INT64_MAX);
    query_i64(&q, in->state);
    query_i64(&q, in->limit);
    if (in->job_uuid || in->account >= 0)
        query_i64(&q, in->account);
    if (in->job_uuid)
        query_uuid(&q, uuid);
    while ((e = query_next(&q)) == ERR_OK && (e = delivery_from_row(&q, a, &list[n])) == ERR_OK)
        n++;
    reader_end(s, &q);
    if (e != ERR_NONE)
        return e;
    *out = list;
    *count = n;
    return ERR_OK;
}

// One row by its public name, on any connection. ERR_NOT_FOUND.
static enum err find_delivery(struct db *db, int64_t account, const char *msg_id, struct arena *a,
                              struct delivery *out)
{
    size_t prefix = strlen(msg_prefix);
    uint8_t uuid[16];
    struct query q;

    if (strncmp(msg_id, msg_prefix, prefix) != 0 || !uuid_parse(msg_id + prefix, uuid))
        return ERR_NOT_FOUND;
    query_begin(&q, db,
                DELIVERY_FROM "WHERE d.msg_uuid = ?1 AND (?2 < 0 OR d.account = ?2) LIMIT 1");
    query_uuid(&q, uuid);
    query_i64(&q, account);
    enum err e = query_next(&q);
    if (e == ERR_OK)
        e = delivery_from_row(&q, a, out);
    query_end(&q);
    return e == ERR_NONE ? ERR_NOT_FOUND : e;
}

enum err sqlite_delivery_get(struct store *store, int64_t account, const char *msg_id,
                             struct arena *a, struct delivery *out)
{
    struct store_sqlite *s = self(store);
    struct db *db = reader_take(s);
    enum err e = find_delivery(db, account, msg_id, a, out);

    reader_give(s, db);
    return e;
}

// ---- delivering again ----

struct redeliver_args {
    int64_t account;
    const char *msg_id;
    struct arena *arena;
    struct delivery *out;
};

static enum err run_redeliver(struct writer *w, void *args)
{
    const struct redeliver_args *in = args;
    struct delivery d;
    struct query q;
    enum err e = find_delivery(&w->db, in->account, in->msg_id, in->arena, &d);

    if (e)
        return e;
    d.state = DELIVERY_WAITING;
    d.attempts = d.last_status = 0;
    d.next_ms = writer_now_ms(w);
    d.ended_ms = -1;
    query_begin(&q, &w->db,
                "UPDATE delivery SET state = 0, attempts = 0, last_status = 0, next_ms = ?, "
                "ended_ms = -1 WHERE id = ?");
    query_i64(&q, d.next_ms);
    query_i64(&q, d.id);
    e = query_run(&q);
    w->batch.deliveries_wake = true;
    if (!e)
        *in->out = d;
    return e;
}

enum err sqlite_delivery_redeliver(struct store *s, int64_t account, const char *msg_id,
                                   struct arena *a, struct delivery *out)
{
    struct delivery found;
    struct redeliver_args args = {account, msg_id, a, &found};
    enum err e = writer_do(&self(s)->writer, URGENT, run_redeliver, &args);

    if (!e)
        *out = found;
    return e;
}

// ---- attempts ----

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
