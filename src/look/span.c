/* SPDX-License-Identifier: MIT */
#include "look/span.h"

static inline int least(int a, int b)
{
    return a < b ? a : b;
}

void span_plane(const struct plane *p, float scale, const float *x, const float *y, int n,
                float *restrict out)
{
    const float *px = p->px;
    int w = p->width, last_x = w - 1, last_y = p->height - 1;

    for (int i = 0; i < n; i++) {
        float fx = clampf(x[i] * scale - 0.5f, 0.0f, (float)last_x);
        float fy = clampf(y[i] * scale - 0.5f, 0.0f, (float)last_y);
        int left = (int)fx, right = least(left + 1, last_x), row = (int)fy;
        int above = row * w, below = least(row + 1, last_y) * w;
        float tx = fx - (float)left, ty = fy - (float)row;
        out[i] = mixf(mixf(px[above + left], px[above + right], tx),
                      mixf(px[below + left], px[below + right], tx), ty);
    }
}

/* Where places lie between four pixels each, as struct plane_place has it. */
struct places {
    int above[SPAN], below[SPAN]; /* left ones */
    int right[SPAN];              /* steps to their neighbours */
    float tx[SPAN], ty[SPAN];
};

static void mix_places(const float *px, const struct places *at, int n, float *restrict out)
{
    for (int i = 0; i < n; i++) {
        int a = at->above[i], b = at->below[i], right = at->right[i];
        float tx = at->tx[i], above = mixf(px[a], px[a + right], tx);
        out[i] = mixf(above, mixf(px[b], px[b + right], tx), at->ty[i]);
    }
}

void span_lab(const struct plane lab[LAB], float scale, const float *x, const float *y, int n,
              float out[LAB][SPAN])
{
    int w = lab[0].width, last_x = w - 1, last_y = lab[0].height - 1;
    struct places at;

    for (int i = 0; i < n; i++) {
        float fx = clampf(x[i] * scale - 0.5f, 0.0f, (float)last_x);
        float fy = clampf(y[i] * scale - 0.5f, 0.0f, (float)last_y);
        int col = (int)fx, row = (int)fy;
        at.above[i] = row * w + col;
        at.below[i] = least(row + 1, last_y) * w + col;
        at.right[i] = least(col + 1, last_x) - col;
        at.tx[i] = fx - (float)col;
        at.ty[i] = fy - (float)row;
    }
    for (int k = 0; k < LAB; k++)
        mix_places(lab[k].px, &at, n, out[k]);
}

void span_plane_row(const struct plane *p, float scale, const float *x, float y, int n,
                    float *restrict out)
{
    int last = p->width - 1, last_y = p->height - 1;
    float fy = clampf(y * scale - 0.5f, 0.0f, (float)last_y);
    int row = (int)fy;
    float ty = fy - (float)row;
    const float *above = plane_row(p, row), *below = plane_row(p, least(row + 1, last_y));

    for (int i = 0; i < n; i++) {
        float fx = clampf(x[i] * scale - 0.5f, 0.0f, (float)last);
        int left = (int)fx, right = least(left + 1, last);
        float tx = fx - (float)left;
        out[i] = mixf(mixf(above[left], above[right], tx), mixf(below[left], below[right], tx), ty);
    }
}

// Lattice points of a row that are hashed at once; noise finer than pixels has more.
enum { COLUMNS = 2 * SPAN };

void span_noise_row(float scale, const float *x, float y, int n, uint32_t seed, float *restrict out)
{
    float fy = floorf(y * scale), ty = y * scale - fy, above[COLUMNS], below[COLUMNS], cell[SPAN];
    int j = (int)fy;

    cell[0] = floorf(x[0] * scale);
    for (int i = 1; i < n; i++)
        cell[i] = floorf(x[i] * scale);
    int first = (int)cell[0], columns = (int)floorf(x[n - 1] * scale) - first + 2;
    if (columns > COLUMNS) {
        for (int i = 0; i < n; i++)
            out[i] = noise_at(x[i] * scale, y * scale, seed);
        return;
    }
    for (int i = 0; i < columns; i++)
        above[i] = noise_point(first + i, j, seed);
    for (int i = 0; i < columns; i++)
        below[i] = noise_point(first + i, j + 1, seed);
    ty = ty * ty * (3.0f - 2.0f * ty);
    for (int i = 0; i < n; i++) {
        float tx = x[i] * scale - cell[i];
        int at = (int)(cell[i] - cell[0]);
        tx = tx * tx * (3.0f - 2.0f * tx);
        out[i] = mixf(mixf(above[at], above[at + 1], tx), mixf(below[at], below[at + 1], tx), ty);
    }
}
