/* SPDX-License-Identifier: MIT */
#include "look/traits.h"

#include "image/colour.h"
#include "look/colour.h"
#include "look/plane.h"

// Structure weaker than this is none.
static const float FAINT = 0.002f;

static void read_pixels(const struct image *im, struct plane *L, float out[TRAITS])
{
    double n = (double)im->width * im->height, light = 0.0, light2 = 0.0, chroma = 0.0;

    for (int y = 0; y < im->height; y++) {
        const uint8_t *px = im->px + (size_t)y * im->stride;
        for (int x = 0; x < im->width; x++, px += 4) {
            float lab[3];
            oklab_from_linear(srgb_linear[px[0]], srgb_linear[px[1]], srgb_linear[px[2]], lab);
            plane_row(L, y)[x] = lab[0];
            light += (double)lab[0];
            light2 += (double)(lab[0] * lab[0]);
            chroma += (double)sqrtf(lab[1] * lab[1] + lab[2] * lab[2]);
        }
    }
    double variance = light2 / n - light / n * (light / n);
    out[TRAIT_LIGHTNESS] = (float)(2.0 * light / n);
    out[TRAIT_CHROMA] = (float)(4.0 * chroma / n);
    out[TRAIT_CONTRAST] = 2.0f * sqrtf(variance > 0.0 ? (float)variance : 0.0f);
}

static float strength(const struct plane *a, const struct plane *b)
{
    double sum = 0.0;

    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++) {
            float d = plane_row(a, y)[x] - plane_row(b, y)[x];
            sum += (double)(d * d);
        }
    return sqrtf((float)(sum / ((double)a->width * a->height)));
}

enum err traits_of(const struct image *im, struct pool *pool, float out[TRAITS])
{
    struct blur_scratch scratch = {0};
    struct plane fine = {0}, coarse = {0};
    enum err e = plane_new(&fine, im->width, im->height);

    if (e == ERR_OK)
        e = plane_new(&coarse, im->width, im->height);
    if (e == ERR_OK)
        e = blur_scratch_new(&scratch, im->width, im->height, pool, NULL);
    if (e != ERR_OK)
        goto out;
    read_pixels(im, &fine, out);
    float done = 0.0f, sigma = 1.0f;
    for (int i = TRAIT_DETAIL; i < TRAITS; i++, sigma *= 2.0f) {
        // Without `cancel` a blur ends well.
        (void)plane_blur(&fine, &coarse, sqrtf(sigma * sigma - done * done), &scratch);
        out[i] = 0.5f * log2f(strength(&fine, &coarse) + FAINT);
        struct plane spare = fine;
        fine = coarse;
        coarse = spare;
        done = sigma;
    }
out:
    blur_scratch_release(&scratch);
    plane_release(&fine);
    plane_release(&coarse);
    return e;
}

float traits_distance(const float a[TRAITS], const float b[TRAITS])
{
    float sum = 0.0f;

    for (int i = 0; i < TRAITS; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrtf(sum);
}

enum err traits_fineness(const struct image *im, double *out)
{
    float unused[TRAITS];
    double sum = 0.0;
    struct plane L;
    enum err e = plane_new(&L, im->width, im->height);

    if (e != ERR_OK)
        return e;
    read_pixels(im, &L, unused);
    for (int y = 0; y + 1 < L.height; y++)
        for (int x = 0; x + 1 < L.width; x++) {
            float here = plane_row(&L, y)[x];
            sum += (double)(fabsf(plane_row(&L, y)[x + 1] - here) +
                            fabsf(plane_row(&L, y + 1)[x] - here));
        }
    *out = sum / ((double)L.width * L.height);
    plane_release(&L);
    return ERR_OK;
}
