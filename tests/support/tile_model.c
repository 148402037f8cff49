/* SPDX-License-Identifier: MIT */
#include "support/tile_model.h"

#include <float.h>
#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILES = 8 };

struct tile_register {
    int rows, row_bytes; /* 0: not configured */
    unsigned char data[TILE_ROWS][TILE_ROW_BYTES];
};

static _Thread_local struct {
    bool configured;
    struct tile_register tile[TILES];
} self;

static atomic_int holders;

int tile_model_holders(void)
{
    return atomic_load(&holders);
}

static void require(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "tiles: %s\n", what);
    abort();
}

static bool all_zero(const void *p, size_t len)
{
    const unsigned char *b = p;

    for (size_t i = 0; i < len; i++)
        if (b[i])
            return false;
    return true;
}

/* A tile that may be used. */
static struct tile_register *tile_of(int t)
{
    require(self.configured, "used without a configuration");
    require(t >= 0 && t < TILES, "there are eight");
    require(self.tile[t].rows > 0, "not one of the configuration's");
    return &self.tile[t];
}

void tile_model_configure(const struct tile_config *c)
{
    require(c->palette == 1, "palette 1 is the only one");
    require(c->start_row == 0, "nothing was interrupted");
    require(all_zero(c->zero, sizeof(c->zero)), "a reserved byte is set");
    require(all_zero(c->row_bytes + TILES, TILES * sizeof(*c->row_bytes)) &&
                all_zero(c->rows + TILES, TILES),
            "there are eight");
    for (int t = 0; t < TILES; t++) {
        require(c->rows[t] <= TILE_ROWS, "too many rows");
        require(c->row_bytes[t] <= TILE_ROW_BYTES, "too wide");
        require((c->rows[t] == 0) == (c->row_bytes[t] == 0),
                "rows without bytes, or bytes without");
    }
    if (!self.configured)
        atomic_fetch_add(&holders, 1);
    memset(&self, 0, sizeof(self));
    self.configured = true;
    for (int t = 0; t < TILES; t++) {
        self.tile[t].rows = c->rows[t];
        self.tile[t].row_bytes = c->row_bytes[t];
    }
}

void tile_model_release(void)
{
    if (self.configured)
        atomic_fetch_sub(&holders, 1);
    memset(&self, 0, sizeof(self));
}

void tile_model_zero(int t)
{
    struct tile_register *r = tile_of(t);

    memset(r->data, 0, sizeof(r->data));
}

void tile_model_load(int t, const void *from, ptrdiff_t stride)
{
    struct tile_register *r = tile_of(t);

    require(r->row_bytes % 4 == 0, "a row is no whole numbers");
    memset(r->data, 0, sizeof(r->data));
    for (int row = 0; row < r->rows; row++)
        memcpy(r->data[row], (const char *)from + row * stride, (size_t)r->row_bytes);
}

void tile_model_store(int t, void *to, ptrdiff_t stride)
{
    const struct tile_register *r = tile_of(t);

    require(r->row_bytes % 4 == 0, "a row is no whole numbers");
    for (int row = 0; row < r->rows; row++)
        memcpy((char *)to + row * stride, r->data[row], (size_t)r->row_bytes);
}

struct operands {
    struct tile_register *c;
    const struct tile_register *a, *b;
    int groups, outputs; /* of four bytes: in a row of A, in a row of C */
};

static struct operands operands_of(int c, int a, int b)
{
    struct operands o = {.c = tile_of(c), .a = tile_of(a), .b = tile_of(b)};

    require(c != a && a != b && c != b, "a product wants three tiles");
    require(o.a->rows == o.c->rows, "A and C differ in rows");
    require(o.b->row_bytes == o.c->row_bytes, "B and C differ in width");
    require(o.a->row_bytes == 4 * o.b->rows, "B has not a row for each group of A");
    require(o.c->row_bytes % 4 == 0, "a row of C is no sums");
    o.groups = o.a->row_bytes / 4;
    o.outputs = o.c->row_bytes / 4;
    return o;
}

/* Rows and bytes that are not the tile's become zero with every result. */
static void put_row(struct tile_register *c, int row, const void *sum)
{
    memset(c->data[row], 0, TILE_ROW_BYTES);
    memcpy(c->data[row], sum, (size_t)c->row_bytes);
}

static void zero_below(struct tile_register *c)
{
    memset(c->data[c->rows], 0, (size_t)(TILE_ROWS - c->rows) * TILE_ROW_BYTES);
}

static float flush(float v)
{
    return fabsf(v) < FLT_MIN ? copysignf(0.0f, v) : v;
}

static float float_of(const unsigned char *bf16)
{
    uint16_t half;
    uint32_t bits;
    float v;

    memcpy(&half, bf16, sizeof(half));
    bits = (uint32_t)half << 16;
    memcpy(&v, &bits, sizeof(v));
    return flush(v);
}

/* a * b + c rounded once: in double the product is exact, and rounding the sum twice does not show
 * (Figueroa 1995: 53 bits are more than twice 24). */
static float fused(float a, float b, float c)
{
    return flush((float)((double)a * (double)b + (double)c));
}

void tile_model_bf16(int c, int a, int b)
{
    const struct operands o = operands_of(c, a, b);
    float w[TILE_ROWS][2][TILE_ROWS]; /* of B: group, which of two, output */

    for (int g = 0; g < o.groups; g++)
        for (int n = 0; n < 2 * o.outputs; n++)
            w[g][n % 2][n / 2] = float_of(&o.b->data[g][2 * n]);
    for (int row = 0; row < o.c->rows; row++) {
        float part[2][TILE_ROWS] = {{0}}, sum[TILE_ROWS];
        for (int g = 0; g < o.groups; g++)
            for (int i = 0; i < 2; i++) {
                float x = float_of(&o.a->data[row][4 * g + 2 * i]);
                for (int n = 0; n < o.outputs; n++)
                    part[i][n] = fused(x, w[g][i][n], part[i][n]);
            }
        memcpy(sum, o.c->data[row], sizeof(sum));
        for (int n = 0; n < o.outputs; n++)
            sum[n] = flush(flush(sum[n]) + flush(part[0][n] + part[1][n]));
        put_row(o.c, row, sum);
    }
    zero_below(o.c);
}

void tile_model_i8(int c, int a, int b)
{
    const struct operands o = operands_of(c, a, b);

    for (int row = 0; row < o.c->rows; row++) {
        uint32_t sum[TILE_ROWS]; // which wraps around
        memcpy(sum, o.c->data[row], sizeof(sum));
        for (int g = 0; g < o.groups; g++)
            for (int n = 0; n < 4 * o.outputs; n++) {
                int8_t x = (int8_t)o.a->data[row][4 * g + n % 4];
                sum[n / 4] += (uint32_t)(x * (int8_t)o.b->data[g][n]);
            }
        put_row(o.c, row, sum);
    }
    zero_below(o.c);
}
