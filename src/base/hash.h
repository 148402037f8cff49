/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BASE_HASH_H
#define PATINA_BASE_HASH_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SHA-256 (FIPS 180-4), HMAC-SHA256 (RFC 2104), hex and base64 (RFC 4648). Digests come from
 * libcrypto; SipHash (Aumasson and Bernstein 2012) is ours. All functions are safe from any thread.
 */

enum { SHA256_BYTES = 32 };

struct sha256 {
    void *ctx; /* private */
};

void sha256(const void *data, size_t len, uint8_t out[SHA256_BYTES]);

/* Streaming: init, add..., then exactly one finish, which also frees. */
void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *data, size_t len);
void sha256_finish(struct sha256 *h, uint8_t out[SHA256_BYTES]);

void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                 uint8_t out[SHA256_BYTES]);

/* SipHash-2-4: 64 bits that nobody can tell from random ones without the key; in twenty
 * nanoseconds, for few bytes. No digest: for what has to be unforgeable take HMAC. */
enum { SIPHASH_KEY_BYTES = 16 };
uint64_t siphash(const uint8_t key[SIPHASH_KEY_BYTES], const void *data, size_t len);

/* FNV-1a: for tables in memory. Nothing keeps somebody from choosing what collides. */
uint32_t fnv1a(const void *data, size_t len);

/* Lower-case hex; out has room for 2*len+1. */
void hex_encode(const void *data, size_t len, char *out);

/* The value of a hexadecimal digit in either case; -1 for any other character. */
int hex_digit(char c);

/* Standard alphabet with padding. */
void base64_encode(struct buf *out, const void *data, size_t len);

/* Appends the decoded bytes; false for anything but canonical padded base64 (then out is
 * unchanged). */
bool base64_decode(struct buf *out, const char *s, size_t len);

/* Compares in time that depends on len alone. */
bool secret_equal(const void *a, const void *b, size_t len);

#endif
