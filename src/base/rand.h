/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BASE_RAND_H
#define PATINA_BASE_RAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Unpredictable bytes, for ids, keys, tokens and seeds. From the kernel; never fails (aborts when
 * the kernel has no random source). Any thread. */
void rand_bytes(void *out, size_t len);

enum { UUID_TEXT = 37 };

/* A random version 4 UUID (RFC 9562): as text in lower case, NUL-terminated, or as bytes. */
void uuid_v4(char out[UUID_TEXT]);
void uuid_v4_bytes(uint8_t out[16]);

void uuid_text(const uint8_t uuid[16], char out[UUID_TEXT]);

/* "xxxxxxxx-xxxx-..." in either case to 16 bytes; false when malformed. */
bool uuid_parse(const char *text, uint8_t out[16]);

/* Repeatable numbers for pictures: PCG-XSH-RR 64/32 (O'Neill 2014). The same seed and stream give
 * the same numbers everywhere. */
struct pcg {
    uint64_t state;
    uint64_t inc;
};

void pcg_seed(struct pcg *p, uint64_t seed, uint64_t stream);
uint32_t pcg_u32(struct pcg *p);
float pcg_float(struct pcg *p);                /* [0,1), 24 bits */
uint32_t pcg_below(struct pcg *p, uint32_t n); /* [0,n), n > 0, unbiased */

/* A hash of integer coordinates: noise that needs no state (for any order of work and thread
 * count). */
uint32_t hash_u32(uint32_t x, uint32_t y, uint32_t seed);

#endif
