/* SPDX-License-Identifier: MIT */
#include "base/rand.h"

#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void rand_bytes(void *out, size_t len)
{
    char *p = out;

    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            abort();
        p += n;
        len -= (size_t)n;
    }
}

void uuid_v4_bytes(uint8_t out[16])
{
    rand_bytes(out, 16);
    out[6] = (out[6] & 0x0F) | 0x40;
    out[8] = (out[8] & 0x3F) | 0x80;
}

void uuid_text(const uint8_t uuid[16], char out[UUID_TEXT])
{
    static const char digit[] = "0123456789abcdef";

    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digit[uuid[i] >> 4];
        *out++ = digit[uuid[i] & 15];
    }
    *out = '\0';
}

bool uuid_parse(const char *text, uint8_t out[16])
{
    for (int i = 0; i < 16; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
            return false;
        int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    return *text == '\0';
}

void uuid_v4(char out[UUID_TEXT])
{
    uint8_t uuid[16];

    uuid_v4_bytes(uuid);
    uuid_text(uuid, out);
}

void pcg_seed(struct pcg *p, uint64_t seed, uint64_t stream)
{
    p->state = 0;
    p->inc = stream << 1 | 1;
    pcg_u32(p);
    p->state += seed;
    pcg_u32(p);
}

uint32_t pcg_u32(struct pcg *p)
{
    uint64_t old = p->state;

    p->state = old * 6364136223846793005u + p->inc;
    uint32_t x = (uint32_t)(((old >> 18) ^ old) >> 27);
    uint32_t rot = (uint32_t)(old >> 59);
    return x >> rot | x << (-rot & 31);
}

float pcg_float(struct pcg *p)
{
    return (float)(pcg_u32(p) >> 8) * (1.0f / 16777216.0f);
}

uint32_t pcg_below(struct pcg *p, uint32_t n)
{
    uint32_t least = -n % n; // values below would make small results likelier

    for (;;) {
        uint32_t r = pcg_u32(p);
        if (r >= least)
            return r % n;
    }
}

// The finaliser of MurmurHash3 over a mix of the three words: every input bit reaches every output
// bit.
uint32_t hash_u32(uint32_t x, uint32_t y, uint32_t seed)
{
    uint32_t h = seed * 0x9E3779B1u ^ x * 0x85EBCA77u ^ (y * 0xC2B2AE3Du + 0x27D4EB2Fu);

    h ^= h >> 16;
    h *= 0x85EBCA6Bu;
    h ^= h >> 13;
    h *= 0xC2B2AE35u;
    h ^= h >> 16;
    return h;
}
