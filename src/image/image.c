/* SPDX-License-Identifier: MIT */
#include "image/image.h"

#include "base/buf.h"
#include "image/colour.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum err image_new(struct image *out, int width, int height)
{
    size_t stride, bytes;

    if (width < 1 || height < 1)
        return ERR_INVALID;
    if (!size_mul((size_t)width, 4, &stride) || !size_mul(stride, (size_t)height, &bytes))
        return ERR_NOMEM;
    uint8_t *px = calloc(bytes, 1);
    if (!px)
        return ERR_NOMEM;
    *out = (struct image){width, height, stride, px, false, true};
    return ERR_OK;
}

void image_release(struct image *im)
{
    if (im->owned)
        free(im->px);
    *im = (struct image){0};
}

struct image image_view(const struct image *im, int x, int y, int w, int h)
{
    assert(x >= 0 && y >= 0 && w >= 1 && h >= 1);
    assert(w <= im->width - x && h <= im->height - y);
    struct image view = *im;
    view.px += (size_t)y * im->stride + 4 * (size_t)x;
    view.width = w;
    view.height = h;
    view.owned = false;
    return view;
}

enum err image_grid(struct image *out, const struct image four[4])
{
    int w = four[0].width, h = four[0].height;
    struct image grid;

    enum err e = image_new(&grid, 2 * w, 2 * h);
    if (e)
        return e;
    for (int i = 0; i < 4; i++) {
        assert(four[i].width == w && four[i].height == h);
        struct image cell = image_view(&grid, i % 2 * w, i / 2 * h, w, h);
        for (int y = 0; y < h; y++)
            memcpy(cell.px + (size_t)y * cell.stride, four[i].px + (size_t)y * four[i].stride,
                   4 * (size_t)w);
        grid.has_alpha |= four[i].has_alpha;
    }
    *out = grid;
    return ERR_OK;
}

bool image_any_alpha(const struct image *im)
{
    for (int y = 0; y < im->height; y++) {
        const uint8_t *row = im->px + (size_t)y * im->stride;
        uint8_t all = 255;
        for (int x = 0; x < im->width; x++)
            all &= row[4 * x + 3];
        if (all != 255)
            return true;
    }
    return false;
}

void image_over_white(struct image *im)
{
    for (int y = 0; y < im->height; y++) {
        uint8_t *px = im->px + (size_t)y * im->stride;
        for (int x = 0; x < im->width; x++, px += 4) {
            if (px[3] == 255)
                continue;
            float a = (float)px[3] / 255.0f;
            for (int c = 0; c < 3; c++)
                px[c] = srgb_from_linear(a * srgb_linear[px[c]] + (1.0f - a));
            px[3] = 255;
        }
    }
    im->has_alpha = false;
}
