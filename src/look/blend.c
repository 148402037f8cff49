/* SPDX-License-Identifier: MIT */
/*
 * One picture from several of the same photo, by bands (Burt & Adelson 1983). Averaged, marks of
 * two media would lie over each other like a double exposure. So only the slow band, colour and
 * light, is mixed everywhere; the finer a band, the more it is that of one picture alone: of the
 * one that the weights, slow noise and the photo's tone favour at that place. Where the photo is
 * important (faces, lettering) the heaviest is favoured, or a face would be two.
 */
#include "look/look_internal.h"

#include "base/rand.h"
#include "look/noise.h"

enum { BANDS = 3, CHANNELS = 3 };

// The blurs that part the bands, units.
static const float BAND_SIGMA[BANDS - 1] = {4.0f, 24.0f};
// How decidedly a band is the winner's.
static const float BAND_CHOICE[BANDS] = {16.0f, 6.0f, 1.5f};

struct blend {
    const struct look_request *r;
    const struct look_maps *maps;
    const struct image *picture;
    int parts, heaviest;
    float weight[LOOK_PARTS_MAX]; /* they add up to 1 */
    uint32_t seed;
    struct plane tone; /* the photo's L without detail; half size */
    float mean_tone;
    struct plane share[BANDS][LOOK_PARTS_MAX]; /* of each part in a band; half size */

    int part, band, channel;        /* at work */
    struct plane from, below, made; /* one channel, sRGB: with this band, without it, the result */
    struct image *out;
};

static float favour(const struct blend *b, int part, int x, int y)
{
    static const float PERIOD = 150.0f; /* of the noise, units */
    float step = 1.0f / (PERIOD * b->maps->half_per_unit);
    float u = (float)x * step, v = (float)y * step;
    uint32_t seed = hash_u32(b->seed, (uint32_t)part, 0xB1E4Du);
    float noise = noise_at(u, v, seed) + 0.5f * noise_at(2.3f * u, 2.3f * v, seed + 1) - 0.75f;
    float tone = plane_row(&b->tone, y)[x] - b->mean_tone;
    float face = part == b->heaviest ? plane_row(&b->maps->importance, y)[x] : 0.0f;

    return 0.8f * noise + (part & 1 ? -tone : tone) + 0.5f * face + 1.6f * b->weight[part];
}

static void share_row(void *ctx, int y, int worker)
{
    struct blend *b = ctx;

    (void)worker;
    for (int x = 0; x < b->tone.width; x++) {
        float score[LOOK_PARTS_MAX] = {0}, best = -1e9f;
        for (int i = 0; i < b->parts; i++) {
            score[i] = favour(b, i, x, y);
            best = score[i] > best ? score[i] : best;
        }
        for (int k = 0; k < BANDS; k++) {
            float each[LOOK_PARTS_MAX], sum = 0.0f;
            for (int i = 0; i < b->parts; i++) {
                each[i] = b->weight[i] * exp_approx(BAND_CHOICE[k] * (score[i] - best));
                sum += each[i];
            }
            for (int i = 0; i < b->parts; i++)
                plane_row(&b->share[k][i], y)[x] = each[i] / sum;
        }
    }
}

// In order, so that threads cannot change it.
static float mean_of(const struct plane *p)
{
    double sum = 0.0;

    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            sum += (double)plane_row(p, y)[x];
    return (float)(sum / ((double)p->width * p->height));
}

static enum err make_shares(struct blend *b)
{
    const struct plane *L = &b->maps->half[0];
    struct blur_scratch scratch = {0};
    enum err e = plane_new(&b->tone, L->width, L->height);

    for (int i = 0; i < b->parts; i++)
        for (int k = 0; k < BANDS && e == ERR_OK; k++)
            e = plane_new(&b->share[k][i], L->width, L->height);
    if (e == ERR_OK)
        e = blur_scratch_new(&scratch, L->width, L->height, b->r->pool, b->r->cancel);
    if (e == ERR_OK && !plane_blur(L, &b->tone, 10.0f * b->maps->half_per_unit, &scratch))
        e = ERR_CANCELLED;
    if (e == ERR_OK) {
        b->mean_tone = mean_of(&b->tone);
        if (!pool_run(b->r->pool, L->height, share_row, b, b->r->cancel))
            e = ERR_CANCELLED;
    }
    blur_scratch_release(&scratch);
    return e;
}

static void load_row(void *ctx, int y, int worker)
{
    struct blend *b = ctx;
    const struct image *im = &b->picture[b->part];
    const uint8_t *px = im->px + (size_t)y * im->stride + b->channel;
    float *to = plane_row(&b->from, y);

    (void)worker;
    for (int x = 0; x < im->width; x++)
        to[x] = px[4 * (size_t)x];
}

static void add_row(void *ctx, int y, int worker)
{
    struct blend *b = ctx;
    const float *from = plane_row(&b->from, y), *below = plane_row(&b->below, y);
    float *to = plane_row(&b->made, y), rest = b->band == BANDS - 1 ? 0.0f : 1.0f;
    const struct plane *share = &b->share[b->band][b->part];
    float step = b->maps->half_per_unit / b->maps->px_per_unit;

    (void)worker;
    for (int x = 0; x < b->made.width; x++)
        to[x] += (from[x] - rest * below[x]) *
                 plane_at(share, ((float)x + 0.5f) * step, ((float)y + 0.5f) * step);
}

// The first part begins the channel, the last one ends it.
static void store_row(void *ctx, int y, int worker)
{
    struct blend *b = ctx;
    uint8_t *px = b->out->px + (size_t)y * b->out->stride;
    const uint8_t *alpha = b->picture[0].px + (size_t)y * b->picture[0].stride + 3;
    float *made = plane_row(&b->made, y);

    (void)worker;
    for (int x = 0; x < b->made.width; x++) {
        px[4 * (size_t)x + (size_t)b->channel] = (uint8_t)(clampf(made[x], 0.0f, 255.0f) + 0.5f);
        px[4 * (size_t)x + 3] = alpha[4 * (size_t)x];
        made[x] = 0.0f;
    }
}

static bool add_part(struct blend *b, struct blur_scratch *scratch)
{
    struct pool *pool = b->r->pool;
    const atomic_bool *cancel = b->r->cancel;
    float done = 0.0f;

    if (!pool_run(pool, b->made.height, load_row, b, cancel))
        return false;
    for (b->band = 0; b->band < BANDS - 1; b->band++) {
        float sigma = BAND_SIGMA[b->band] * b->maps->px_per_unit;
        if (!plane_blur(&b->from, &b->below, sqrtf(sigma * sigma - done * done), scratch) ||
            !pool_run(pool, b->made.height, add_row, b, cancel))
            return false;
        struct plane spare = b->from;
        b->from = b->below;
        b->below = spare;
        done = sigma;
    }
    return pool_run(pool, b->made.height, add_row, b, cancel); // what is left: the slowest
}

static enum err mix_bands(struct blend *b)
{
    struct blur_scratch scratch = {0};
    int w = b->out->width, h = b->out->height;
    enum err e = blur_scratch_new(&scratch, w, h, b->r->pool, b->r->cancel);

    if (e == ERR_OK)
        e = plane_new(&b->from, w, h);
    if (e == ERR_OK)
        e = plane_new(&b->below, w, h);
    if (e == ERR_OK)
        e = plane_new(&b->made, w, h);
    for (b->channel = 0; b->channel < CHANNELS && e == ERR_OK; b->channel++) {
        for (b->part = 0; b->part < b->parts && e == ERR_OK; b->part++)
            if (!add_part(b, &scratch))
                e = ERR_CANCELLED;
        if (e == ERR_OK && !pool_run(b->r->pool, h, store_row, b, b->r->cancel))
            e = ERR_CANCELLED;
    }
    blur_scratch_release(&scratch);
    return e;
}

enum err look_blend(const struct look_request *r, const struct look_maps *maps,
                    const struct look_part *part, const struct image *picture, int parts,
                    uint32_t seed, struct image *out)
{
    struct blend b = {
        .r = r, .maps = maps, .picture = picture, .parts = parts, .seed = seed, .out = out};
    float sum = 0.0f;

    for (int i = 0; i < parts; i++) {
        sum += part[i].weight;
        b.heaviest = part[i].weight > part[b.heaviest].weight ? i : b.heaviest;
    }
    for (int i = 0; i < parts; i++)
        b.weight[i] = part[i].weight / sum;
    enum err e = make_shares(&b);
    if (e == ERR_OK)
        e = image_new(out, picture[0].width, picture[0].height);
    if (e == ERR_OK) {
        out->has_alpha = picture[0].has_alpha;
        e = mix_bands(&b);
        if (e != ERR_OK)
            image_release(out);
    }
    plane_release(&b.from);
    plane_release(&b.below);
    plane_release(&b.made);
    plane_release(&b.tone);
    for (int k = 0; k < BANDS; k++)
        for (int i = 0; i < parts; i++)
            plane_release(&b.share[k][i]);
    return e;
}
