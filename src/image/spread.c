/* SPDX-License-Identifier: MIT */
#include "image/spread.h"

#include <assert.h>
#include <string.h>

/*
 * Pull and push (Gortler, Grzeszczuk, Szeliski and Cohen, "The Lumigraph", SIGGRAPH 1996, section
 * 3.4): each level of a pyramid averages what is known of 2 x 2 cells below it; on the way back
 * down, unknown cells are interpolated from the level above.
 */

enum { LEVELS_MAX = 32 };

// Alpha of a cell above level 0 says whether its colour is known.
static void pull(const struct image *fine, struct image *coarse)
{
    for (int y = 0; y < coarse->height; y++)
        for (int x = 0; x < coarse->width; x++) {
            unsigned sum[3] = {0}, n = 0;
            for (int i = 0; i < 4; i++) {
                int u = 2 * x + i % 2, v = 2 * y + i / 2;
                if (u >= fine->width || v >= fine->height)
                    continue;
                const uint8_t *px = fine->px + fine->stride * (size_t)v + 4 * (size_t)u;
                if (!px[3])
                    continue;
                n++;
                for (int c = 0; c < 3; c++)
                    sum[c] += px[c];
            }
            uint8_t *to = coarse->px + coarse->stride * (size_t)y + 4 * (size_t)x;
            for (int c = 0; c < 3 && n; c++)
                to[c] = (uint8_t)((sum[c] + n / 2) / n);
            to[3] = n ? 255 : 0;
        }
}

// The neighbour on the side of the parent cell where fine cell i lies.
static int beside(int i, int n)
{
    int j = i / 2 + (i % 2 ? 1 : -1);

    return j < 0 ? 0 : j >= n ? n - 1 : j;
}

static void push(const struct image *coarse, struct image *fine, bool mark_known)
{
    for (int y = 0; y < fine->height; y++) {
        const uint8_t *near = coarse->px + coarse->stride * (size_t)(y / 2);
        const uint8_t *far = coarse->px + coarse->stride * (size_t)beside(y, coarse->height);
        uint8_t *px = fine->px + fine->stride * (size_t)y;
        for (int x = 0; x < fine->width; x++, px += 4) {
            if (px[3])
                continue;
            size_t u = 4 * (size_t)(x / 2), v = 4 * (size_t)beside(x, coarse->width);
            for (size_t c = 0; c < 3; c++)
                px[c] = (uint8_t)((9 * near[u + c] + 3 * near[v + c] + 3 * far[u + c] + far[v + c] +
                                   8) /
                                  16);
            if (mark_known)
                px[3] = 255;
        }
    }
}

enum err spread_colour(struct image *im)
{
    struct image level[LEVELS_MAX] = {image_view(im, 0, 0, im->width, im->height)};
    struct image *top = level;
    enum err e = ERR_OK;

    while (top->width > 1 || top->height > 1) {
        e = image_new(top + 1, (top->width + 1) / 2, (top->height + 1) / 2);
        if (e)
            goto out;
        pull(top, top + 1);
        top++;
    }
    assert(top->px); // image_new() said so
    if (top->px[3])
        for (struct image *l = top; l > level; l--)
            push(l, l - 1, l - 1 > level);
out:
    for (; top > level; top--)
        image_release(top);
    return e;
}
