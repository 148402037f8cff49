/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include <assert.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

void sha256(const void *data, size_t len, uint8_t out[SHA256_BYTES])
{
    SHA256(data, len, out);
}

void sha256_init(struct sha256 *h)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);

    assert(ok == 1);
    h->ctx = ctx;
}

void sha256_add(struct sha256 *h, const void *data, size_t len)
{
    int ok = EVP_DigestUpdate(h->ctx, data, len);

    assert(ok == 1);
}

void sha256_finish(struct sha256 *h, uint8_t out[SHA256_BYTES])
{
    int ok = EVP_DigestFinal_ex(h->ctx, out, NULL);

    assert(ok == 1);
    EVP_MD_CTX_free(h->ctx);
    h->ctx = NULL;
}

// RFC 2104 over SHA256(): libcrypto 3's HMAC() fetches its algorithm on every call, which costs
// more than the digest itself.
void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                 uint8_t out[SHA256_BYTES])
{
    uint8_t block[64] = {0}, inner[64], outer[64 + SHA256_BYTES];
    struct sha256 h;

    if (key_len > sizeof(block))
        sha256(key, key_len, block);
    else if (key_len)
        memcpy(block, key, key_len);
    for (size_t i = 0; i < sizeof(block); i++) {
        inner[i] = block[i] ^ 0x36;
        outer[i] = block[i] ^ 0x5c;
    }
    sha256_init(&h);
    sha256_add(&h, inner, sizeof(inner));
    sha256_add(&h, data, len);
    sha256_finish(&h, outer + 64);
    sha256(outer, sizeof(outer), out);
    OPENSSL_cleanse(block, sizeof(block));
}

static uint64_t rotate_left(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

// Up to 8 bytes, the first one lowest.
static uint64_t word(const uint8_t *p, size_t len)
{
    uint64_t w = 0;

    for (size_t i = 0; i < len; i++)
        w |= (uint64_t)p[i] << 8 * i;
    return w;
}

static void sip_rounds(uint64_t v[4], int rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate_left(v[1], 13) ^ v[0];
        v[3] = rotate_left(v[3], 16) ^ v[2];
        v[0] = rotate_left(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate_left(v[1], 17) ^ v[2];
        v[3] = rotate_left(v[3], 21) ^ v[0];
        v[2] = rotate_left(v[2], 32);
    }
}

static void sip_word(uint64_t v[4], uint64_t w)
{
    v[3] ^= w;
    sip_rounds(v, 2);
    v[0] ^= w;
}

uint64_t siphash(const uint8_t key[SIPHASH_KEY_BYTES], const void *data, size_t len)
{
    const uint8_t *p = data;
    size_t whole = len / 8 * 8;
    uint64_t k0 = word(key, 8), k1 = word(key + 8, 8);
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                     k1 ^ 0x7465646279746573}; // "somepseudorandomlygeneratedbytes"

    for (size_t at = 0; at < whole; at += 8)
        sip_word(v, word(p + at, 8));
    sip_word(v, (uint64_t)len << 56 | word(p + whole, len - whole));
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint32_t fnv1a(const void *data, size_t len)
{
    const uint8_t *p = data;
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 16777619u;
    return h;
}

void hex_encode(const void *data, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * len] = '\0';
}

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *out, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        uint32_t v = (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                     (n > 2 ? (uint32_t)p[i + 2] : 0);
        char quad[4] = {base64_alphabet[v >> 18], base64_alphabet[v >> 12 & 63],
                        n > 1 ? base64_alphabet[v >> 6 & 63] : '=',
                        n > 2 ? base64_alphabet[v & 63] : '='};
        buf_add(out, quad, 4);
    }
}

static int base64_value(char c)
{
    const char *at = c ? strchr(base64_alphabet, c) : NULL;

    return at ? (int)(at - base64_alphabet) : -1;
}

// Decodes four characters into up to three bytes: how many, or -1.
static int decode_quad(const char s[4], bool last, uint8_t bytes[3])
{
    int pad = last ? (s[3] == '=') + (s[3] == '=' && s[2] == '=') : 0;
    uint32_t v = 0;

    for (int k = 0; k < 4; k++) {
        int digit = k >= 4 - pad ? 0 : base64_value(s[k]);
        if (digit < 0)
            return -1;
        v = v << 6 | (uint32_t)digit;
    }
    if (v & ((1u << 8 * pad) - 1)) // bits behind the data: not canonical
        return -1;
    bytes[0] = (uint8_t)(v >> 16);
    bytes[1] = (uint8_t)(v >> 8);
    bytes[2] = (uint8_t)v;
    return 3 - pad;
}

bool base64_decode(struct buf *out, const char *s, size_t len)
{
    size_t before = out->len;
    int n = len % 4 ? -1 : 0;

    for (size_t i = 0; n >= 0 && i < len; i += 4) {
        uint8_t bytes[3];
        n = decode_quad(s + i, i + 4 == len, bytes);
        if (n > 0)
            buf_add(out, bytes, (size_t)n);
    }
    if (n < 0) {
        out->len = before;
        if (out->data)
            out->data[before] = '\0';
    }
    return n >= 0 && !out->failed;
}

bool secret_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}
