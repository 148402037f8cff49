/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_internal.h"

#include <string.h>

static const int64_t CHECK_NS = 1000 * 1000 * 1000; // a revoked key dies within a second

void cache_init(struct cache *c)
{
    memset(c, 0, sizeof(*c));
    c->checked_ns = INT64_MIN / 2;
    pthread_mutex_init(&c->lock, NULL);
}

void cache_release(struct cache *c)
{
    pthread_mutex_destroy(&c->lock);
}

static size_t key_slot(const uint8_t sha256[SHA256_BYTES])
{
    uint32_t h;

    memcpy(&h, sha256, sizeof(h));
    return h % CACHE_KEYS;
}

static struct account *account_slot(struct cache *c, int64_t id)
{
    return &c->account[(uint64_t)id % CACHE_ACCOUNTS];
}

static bool copy_account(struct cache *c, int64_t id, struct account *out)
{
    const struct account *a = account_slot(c, id);

    if (id == 0 || a->id != id)
        return false;
    *out = *a;
    return true;
}

bool cache_by_key(struct cache *c, const uint8_t sha256[SHA256_BYTES], struct account *out,
                  uint64_t *generation)
{
    size_t at = key_slot(sha256);

    pthread_mutex_lock(&c->lock);
    bool found = secret_equal(c->key[at].sha256, sha256, SHA256_BYTES) &&
                 copy_account(c, c->key[at].account, out);
    c->key[at].used |= found;
    *generation = c->generation;
    pthread_mutex_unlock(&c->lock);
    return found;
}

bool cache_by_id(struct cache *c, int64_t account, struct account *out, uint64_t *generation)
{
    pthread_mutex_lock(&c->lock);
    bool found = copy_account(c, account, out);
    *generation = c->generation;
    pthread_mutex_unlock(&c->lock);
    return found;
}

void cache_learn(struct cache *c, uint64_t generation, const uint8_t *sha256_or_null,
                 const struct account *a)
{
    pthread_mutex_lock(&c->lock);
    if (c->generation == generation) {
        *account_slot(c, a->id) = *a;
        if (sha256_or_null) {
            size_t at = key_slot(sha256_or_null);
            memcpy(c->key[at].sha256, sha256_or_null, SHA256_BYTES);
            c->key[at].account = a->id;
            c->key[at].used = true;
        }
    }
    pthread_mutex_unlock(&c->lock);
}

void cache_publish(struct cache *c, const struct account *const *changed, int count)
{
    pthread_mutex_lock(&c->lock);
    c->generation++;
    for (int i = 0; i < count; i++) {
        struct account *slot = account_slot(c, changed[i]->id);
        if (slot->id == changed[i]->id)
            *slot = *changed[i];
    }
    pthread_mutex_unlock(&c->lock);
}

static void forget_all(struct cache *c)
{
    c->generation++;
    for (int i = 0; i < CACHE_KEYS; i++)
        c->key[i].account = 0; // whether it was used is still true
    memset(c->account, 0, sizeof(c->account));
}

void cache_drop(struct cache *c)
{
    pthread_mutex_lock(&c->lock);
    forget_all(c);
    pthread_mutex_unlock(&c->lock);
}

int cache_take_used(struct cache *c, uint8_t (*sha256)[SHA256_BYTES])
{
    int n = 0;

    pthread_mutex_lock(&c->lock);
    for (int i = 0; i < CACHE_KEYS; i++) {
        if (c->key[i].used)
            memcpy(sha256[n++], c->key[i].sha256, SHA256_BYTES);
        c->key[i].used = false;
    }
    pthread_mutex_unlock(&c->lock);
    return n;
}

bool cache_check_due(struct cache *c, int64_t now_ns)
{
    pthread_mutex_lock(&c->lock);
    bool due = now_ns - c->checked_ns >= CHECK_NS;
    pthread_mutex_unlock(&c->lock);
    return due;
}

void cache_checked(struct cache *c, int64_t now_ns, int64_t data_version)
{
    pthread_mutex_lock(&c->lock);
    c->checked_ns = now_ns;
    if (c->data_version != data_version)
        forget_all(c);
    c->data_version = data_version;
    pthread_mutex_unlock(&c->lock);
}
