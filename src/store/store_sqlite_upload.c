/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_internal.h"

#include <string.h>

#define UPLOAD_COLUMNS                                                                     \
    "id, public_id, account, blob_key, bytes, width, height, format, sha256, created_ms, " \
    "expires_ms"

static enum err upload_from_row(struct query *q, struct arena *a, struct upload *out)
{
    bool ok = true;
    struct upload u = {
        .account = column_i64(q, 2),
        .blob_key = column_text(q, 3, a, &ok),
        .bytes = column_i64(q, 4),
        .width = column_int(q, 5),
        .height = column_int(q, 6),
        .format = column_int(q, 7),
        .created_ms = column_i64(q, 9),
        .expires_ms = column_i64(q, 10),
    };
    const void *sha = sqlite3_column_blob(q->st, 8);

    column_chars(q, 1, u.id, sizeof(u.id));
    if (sha)
        memcpy(u.sha256, sha, SHA256_BYTES); // its length is checked by the schema
    if (ok)
        *out = u;
    return ok ? ERR_OK : ERR_NOMEM;
}

struct upload_args {
    const struct upload *in;
    struct arena *arena;
    struct upload *out;
    struct err_note *note;
};

// The account's live upload with the same bytes. ERR_NONE.
static enum err find_same(struct writer *w, const struct upload_args *args, int64_t *id)
{
    struct query q;

    query_begin(&q, &w->db,
                "SELECT " UPLOAD_COLUMNS " FROM upload WHERE account = ? AND sha256 = ? "
                "AND (expires_ms > ? OR jobs > 0) LIMIT 1");
    query_i64(&q, args->in->account);
    query_blob(&q, args->in->sha256, SHA256_BYTES);
    query_i64(&q, writer_now_ms(w));
    enum err e = query_next(&q);
    if (e == ERR_OK) {
        *id = column_i64(&q, 0);
        e = upload_from_row(&q, args->arena, args->out);
    }
    query_end(&q);
    return e;
}

static enum err extend(struct writer *w, int64_t id, const struct upload *in)
{
    struct query q;

    query_begin(&q, &w->db, "UPDATE upload SET expires_ms = ? WHERE id = ?");
    query_i64(&q, in->expires_ms);
    query_i64(&q, id);
    enum err e = query_run(&q);
    if (e)
        return e;
    query_begin(&q, &w->db,
                "UPDATE blob SET due_ms = ? WHERE due_ms IS NOT NULL "
                "AND key = (SELECT blob_key FROM upload WHERE id = ?)");
    query_i64(&q, in->expires_ms);
    query_i64(&q, id);
    return query_run(&q);
}

static enum err check_limits(struct writer *w, const struct upload_args *args)
{
    struct query q;
    int64_t live = 0, bytes = 0;

    // At most some hundred rows: the limit itself, and what expired since the last sweep.
    query_begin(&q, &w->db,
                "SELECT count(*), coalesce(sum(bytes), 0) FROM upload "
                "WHERE account = ? AND (expires_ms > ? OR jobs > 0)");
    query_i64(&q, args->in->account);
    query_i64(&q, writer_now_ms(w));
    enum err e = query_next(&q);
    if (e == ERR_OK) {
        live = column_i64(&q, 0);
        bytes = column_i64(&q, 1);
    }
    query_end(&q);
    if (e)
        return e == ERR_NONE ? ERR_BUG : e;
    if (live >= STORE_UPLOADS_MAX)
        return err_set_reason(args->note, ERR_TOO_LARGE, "uploads",
                              "the account has %d live uploads already; they are kept 24 hours, "
                              "try again when one of them has gone",
                              STORE_UPLOADS_MAX);
    if (args->in->bytes > STORE_UPLOAD_BYTES_MAX - bytes)
        return err_set_reason(args->note, ERR_TOO_LARGE, "upload_bytes",
                              "the account's live uploads may hold 1 GiB together and this one "
                              "would exceed that; they are kept 24 hours, try again when one of "
                              "them has gone");
    return ERR_OK;
}

static enum err insert_upload(struct writer *w, const struct upload *in)
{
    struct query q;

    query_begin(&q, &w->db,
                "INSERT INTO upload (public_id, account, blob_key, bytes, width, height, format, "
                "sha256, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_text(&q, in->id);
    query_i64(&q, in->account);
    query_text(&q, in->blob_key);
    query_i64(&q, in->bytes);
    query_i64(&q, in->width);
    query_i64(&q, in->height);
    query_i64(&q, in->format);
    query_blob(&q, in->sha256, SHA256_BYTES);
    query_i64(&q, in->created_ms);
    query_i64(&q, in->expires_ms);
    enum err e = query_run(&q);
    if (e)
        return e;
    query_begin(&q, &w->db, "INSERT INTO blob (key, job, bytes, due_ms) VALUES (?, NULL, ?, ?)");
    query_text(&q, in->blob_key);
    query_i64(&q, in->bytes);
    query_i64(&q, in->expires_ms);
    return query_run(&q);
}

static enum err run_upload_add(struct writer *w, void *p)
{
    const struct upload_args *args = p;
    const struct upload *in = args->in;
    struct hot_account *h;
    int64_t same;
    enum err e = writer_live_account(w, in->account, &h);

    if (!e)
        e = find_same(w, args, &same);
    if (e == ERR_OK) {
        if (args->out->expires_ms < in->expires_ms) {
            e = extend(w, same, in);
            args->out->expires_ms = in->expires_ms;
        }
        return e ? e : ERR_REPLAY;
    }
    if (e == ERR_NONE)
        e = check_limits(w, args);
    if (!e)
        e = insert_upload(w, in);
    if (e)
        return e;
    *args->out = *in;
    args->out->blob_key = arena_strdup(args->arena, in->blob_key);
    return args->out->blob_key ? ERR_OK : ERR_NOMEM;
}

enum err sqlite_upload_add(struct store *s, const struct upload *in, struct arena *a,
                           struct upload *out, struct err_note *note)
{
    struct upload found;
    struct upload_args args = {in, a, &found, note};
    enum err e = writer_do(&self(s)->writer, URGENT, run_upload_add, &args);

    if (e >= 0)
        *out = found;
    return e;
}

enum err sqlite_upload_get(struct store *store, int64_t account, const char *id, struct arena *a,
                           struct upload *out)
{
    struct store_sqlite *s = self(store);
    struct query q;

    query_begin(&q, reader_take(s),
                "SELECT " UPLOAD_COLUMNS " FROM upload WHERE public_id = ?1 "
                "AND (?2 < 0 OR account = ?2) AND (expires_ms > ?3 OR jobs > 0)");
    query_text(&q, id);
    query_i64(&q, account);
    query_i64(&q, clock_unix_ms(s->options.clock));
    enum err e = query_next(&q);
    if (e == ERR_OK)
        e = upload_from_row(&q, a, out);
    reader_end(s, &q);
    return e == ERR_NONE ? ERR_NOT_FOUND : e;
}
