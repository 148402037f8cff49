/* SPDX-License-Identifier: MIT */
#include "image/bytes.h"
#include "image/codec.h"

#include <string.h>

enum { FIELDS = 4, NONE = -1 };

static const char *const keyword[FIELDS] = {"Description", "Software", "engine", "seed"};

/* The text of an uncompressed iTXt chunk with this keyword: keyword, 0, two bytes of compression,
 * language, 0, translated keyword, 0, text. NULL when it is something else. */
static const char *text_of(const char *body, size_t size, const char *key, size_t *len)
{
    size_t n = strlen(key) + 1;

    if (size < n + 2 || memcmp(body, key, n) != 0 || body[n] != 0)
        return NULL;
    const char *at = body + n + 2, *end = body + size;
    for (int i = 0; i < 2; i++) {
        at = memchr(at, 0, (size_t)(end - at));
        if (!at)
            return NULL;
        at++;
    }
    *len = (size_t)(end - at);
    return memchr(at, 0, *len) ? NULL : at;
}

enum err codec_png_meta(const void *png, size_t len, struct buf *store, struct codec_meta *meta)
{
    const char *p = png;
    const uint8_t *bytes = png;
    ptrdiff_t found[FIELDS] = {NONE, NONE, NONE, NONE};

    if (image_sniff(png, len, NULL) != IMAGE_PNG)
        return ERR_INVALID;
    for (size_t at = 8; len - at >= 12;) {
        size_t size = be32(bytes + at);
        if (size > len - at - 12)
            return ERR_INVALID;
        for (int i = 0; i < FIELDS && memcmp(p + at + 4, "iTXt", 4) == 0; i++) {
            size_t n;
            const char *text = text_of(p + at + 8, size, keyword[i], &n);
            if (!text)
                continue;
            found[i] = (ptrdiff_t)store->len;
            buf_add(store, text, n);
            buf_addc(store, '\0');
        }
        at += size + 12;
    }
    if (store->failed)
        return ERR_NOMEM;
    // Only now: the store moves while it grows.
    const char *value[FIELDS];
    for (int i = 0; i < FIELDS; i++)
        value[i] = found[i] == NONE ? NULL : store->data + found[i];
    *meta = (struct codec_meta){
        .prompt = value[0], .version = value[1], .engine = value[2], .seed = value[3]};
    return ERR_OK;
}
