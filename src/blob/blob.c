/* SPDX-License-Identifier: MIT */
#include "blob/blob.h"

#include <assert.h>
#include <string.h>

static bool key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool blob_key_valid(const char *key)
{
    bool component_begins = true;
    size_t n = 0;

    for (; key[n]; n++) {
        if (n == BLOB_KEY_MAX)
            return false;
        if (key[n] == '/') {
            if (component_begins)
                return false;
            component_begins = true;
        } else {
            // "." and ".." begin with a dot, too.
            if (!key_char(key[n]) || (component_begins && key[n] == '.'))
                return false;
            component_begins = false;
        }
    }
    return !component_begins;
}

enum err blob_put(struct blob_store *b, const char *key, const void *data, size_t len,
                  struct err_note *note)
{
    assert(blob_key_valid(key));
    return b->ops->put(b, key, data, len, note);
}

enum err blob_open(struct blob_store *b, const char *key, int *fd, int64_t *size,
                   struct err_note *note)
{
    assert(blob_key_valid(key));
    return b->ops->open(b, key, fd, size, note);
}

enum err blob_delete(struct blob_store *b, const char *key, struct err_note *note)
{
    assert(blob_key_valid(key));
    return b->ops->delete (b, key, note);
}

enum err blob_each(struct blob_store *b, int64_t before_unix_ms, blob_each_fn *each, void *ctx,
                   struct err_note *note)
{
    return b->ops->each(b, before_unix_ms, each, ctx, note);
}

enum err blob_free_bytes(struct blob_store *b, int64_t *out)
{
    return b->ops->free_bytes(b, out);
}

enum err blob_ping(struct blob_store *b, struct err_note *note)
{
    return b->ops->ping(b, note);
}

void blob_close(struct blob_store *b)
{
    if (b)
        b->ops->close(b);
}
