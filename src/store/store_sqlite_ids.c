/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_internal.h"

#include <string.h>

/*
 * DESIGN. The index of UUIDs is large and read all over, so that with a million jobs finding one by
 * it costs more than reading the job. So a UUID says which row it is: its first 40 bits are the
 * number of the row, reserved when the UUID is made, exclusive-or a keyed hash of its other bits.
 * Without the key it looks like any other random UUID, and 82 of its bits are random.
 *
 * INVARIANT. Nothing but speed depends on the number. Who reads by it compares the whole UUID, and
 * looks in the index when it is not that row's: UUIDs that were made elsewhere give some number
 * too.
 */

enum { ROW_BYTES = 5 }; // 2^40: a thousand jobs a second for 34 years

static uint64_t hidden_under(const struct job_ids *ids, const uint8_t uuid[16])
{
    return siphash(ids->key, uuid + ROW_BYTES, 16 - ROW_BYTES);
}

enum err job_ids_init(struct job_ids *ids, struct db *db)
{
    static const char purpose[] = "rows of jobs";
    uint8_t key[SHA256_BYTES];
    struct query q;

    query_begin(&q, db, "SELECT site_secret, coalesce((SELECT max(id) FROM job), 0) FROM meta");
    enum err e = query_next(&q);
    if (e == ERR_OK) {
        hmac_sha256(sqlite3_column_blob(q.st, 0), (size_t)sqlite3_column_bytes(q.st, 0), purpose,
                    sizeof(purpose) - 1, key);
        memcpy(ids->key, key, sizeof(ids->key));
        atomic_init(&ids->next, column_i64(&q, 1) + 1);
    }
    query_end(&q);
    return e;
}

void job_ids_make(struct job_ids *ids, uint8_t uuid[16])
{
    uint64_t row = (uint64_t)atomic_fetch_add(&ids->next, 1);

    uuid_v4_bytes(uuid);
    row ^= hidden_under(ids, uuid);
    for (int i = 0; i < ROW_BYTES; i++)
        uuid[i] = (uint8_t)(row >> 8 * i);
}

int64_t job_ids_row(struct job_ids *ids, const uint8_t uuid[16])
{
    uint64_t row = 0;

    for (int i = 0; i < ROW_BYTES; i++)
        row |= (uint64_t)uuid[i] << 8 * i;
    row ^= hidden_under(ids, uuid) & ((UINT64_C(1) << 8 * ROW_BYTES) - 1);
    return (int64_t)row < atomic_load(&ids->next) ? (int64_t)row : 0;
}

void job_ids_taken(struct job_ids *ids, int64_t row)
{
    int64_t next = atomic_load(&ids->next);

    while (next <= row && !atomic_compare_exchange_weak(&ids->next, &next, row + 1))
        ;
}
