/* SPDX-License-Identifier: MIT */
#include "look/colour.h"
#include "look/span.h"

/*
 * Lead between the panes, round and a little lit, and the light of the day that comes through them:
 * linear, so that bright glass shines over the lead. Reads the distance to the next pane from the
 * height.
 */
enum { WIDTH, FRAME, PUTTY, BLOOM, DAY };

static const struct look_param PARAM[] = {
    {"width", 0.5f, 8.0f, 2.1f, "half the width of the lead, units"},
    {"frame", 0.0f, 40.0f, 5.0f, "width of the lead around the picture, units"},
    {"putty", 0.0f, 1.0f, 0.5f, "how dark the dirt along the lead is"},
    {"bloom", 0.0f, 1.0f, 0.22f, "how much light spreads around bright glass"},
    {"day", 0.2f, 4.0f, 1.0f, "factor on the light"},
    {0}};

struct came {
    struct look_picture *p;
    const float *value;
    struct plane border;  /* units; of the picture's size */
    struct plane glow[3]; /* what spreads of the glass's light; linear */
    float glow_per_px;
};

// Units to the middle of the nearest lead; that of the frame is wider, so its distance runs slower.
static float lead_at(const struct came *c, int x, int y)
{
    const struct look_picture *p = c->p;
    int left = x < p->width - 1 - x ? x : p->width - 1 - x;
    int top = y < p->height - 1 - y ? y : p->height - 1 - y;
    float rim = ((float)(left < top ? left : top) + 0.5f) / p->px_per_unit;
    float half = 0.5f * c->value[FRAME] + 1e-6f, frame = c->value[WIDTH] * fabsf(rim - half) / half;
    float d = plane_row(&c->border, clampi(y, 0, p->height - 1))[clampi(x, 0, p->width - 1)];

    return d < frame ? d : frame;
}

static float profile(const struct came *c, float d)
{
    float t = d / c->value[WIDTH];

    return c->value[WIDTH] * sqrtf(clampf(1.0f - t * t, 0.0f, 1.0f));
}

static void copy_row(void *ctx, int y, int worker)
{
    const struct came *c = ctx;
    const lane4 *row = picture_row(c->p, y);
    float *out = plane_row(&c->border, y);

    (void)worker;
    for (int x = 0; x < c->p->width; x++)
        out[x] = row[x][3];
}

// The light of the glass, without the lead: what spreads.
static void glow_row(void *ctx, int y, int worker)
{
    const struct came *c = ctx;
    const struct look_picture *p = c->p;

    (void)worker;
    for (int x = 0; x < c->glow[0].width; x++) {
        int px = clampi((int)(((float)x + 0.5f) / c->glow_per_px), 0, p->width - 1);
        int py = clampi((int)(((float)y + 0.5f) / c->glow_per_px), 0, p->height - 1);
        lane4 at = picture_row(p, py)[px];
        float rgb[3];
        linear_from_oklab(at[0], at[1], at[2], rgb);
        for (int k = 0; k < 3; k++) {
            float v = clampf(rgb[k], 0.0f, 1.0f);
            plane_row(&c->glow[k], y)[x] = lead_at(c, px, py) > c->value[WIDTH] ? v * v : 0.0f;
        }
    }
}

// How light the lead is.
static float lead_light(const struct came *c, int x, int y)
{
    const struct look_variation *v = &c->p->variation;
    float px = c->p->px_per_unit, ux = (float)x / px, uy = (float)y / px;
    float gx = 0.5f * px * (profile(c, lead_at(c, x + 1, y)) - profile(c, lead_at(c, x - 1, y)));
    float gy = 0.5f * px * (profile(c, lead_at(c, x, y + 1)) - profile(c, lead_at(c, x, y - 1)));
    float n = 1.0f / sqrtf(1.0f + gx * gx + gy * gy);
    float lit = clampf((0.55f - (gx * v->light_x + gy * v->light_y) * 0.7f) * n, 0.0f, 1.0f);
    float rough = 0.75f + 0.5f * noise_at(ux / 2.2f, uy / 2.2f, v->seed + 3u);
    float shine = lit * lit;

    shine *= shine;
    return (0.003f + 0.014f * lit + 0.09f * shine * shine) * rough;
}

static void came_span(const struct came *c, int x0, int y, int n)
{
    // Dull, a blue grey, almost black before the light.
    static const float LEAD[3] = {1.0f, 1.03f, 1.12f};
    const struct look_picture *p = c->p;
    const float *value = c->value;
    // Half a pixel to each side of the lead's edge.
    float soft = 0.6f / p->px_per_unit, w = value[WIDTH], putty = value[PUTTY], day = value[DAY];
    float bloom = value[BLOOM], x[SPAN], cover[SPAN], clean[SPAN], glow[3][SPAN];
    float lead[SPAN] = {0};
    struct span_px px;

    for (int i = 0; i < n; i++) {
        float d = lead_at(c, x0 + i, y);
        x[i] = (float)(x0 + i) + 0.5f;
        cover[i] = 1.0f - smoothf(w - soft, w + soft, d);
        clean[i] = 1.0f - putty * (1.0f - smoothf(w, w + 3.0f, d));
    }
    for (int i = 0; i < n; i++)
        if (cover[i] > 0.0f)
            lead[i] = lead_light(c, x0 + i, y);
    for (int k = 0; k < 3; k++)
        span_plane_row(&c->glow[k], c->glow_per_px, x, (float)y + 0.5f, n, glow[k]);
    span_take(picture_row(p, y) + x0, n, &px);
    for (int i = 0; i < n; i++) {
        float rgb[3];
        linear_from_oklab(px.lane[0][i], px.lane[1][i], px.lane[2][i], rgb);
        for (int k = 0; k < 3; k++) {
            float light = day * clampf(rgb[k], 0.0f, 1.0f) * clean[i];
            float out = mixf(light, LEAD[k] * lead[i], cover[i]) + bloom * glow[k][i];
            // Above .75 bent to stay below 1.
            float bent = 0.75f + 0.25f * (out - 0.75f) / (out - 0.5f);
            px.lane[k][i] = out > 0.75f ? bent : out;
        }
        px.lane[3][i] = 0.0f;
    }
    span_put(picture_row(p, y) + x0, n, &px);
}

static void came_row(void *ctx, int y, int worker)
{
    const struct came *c = ctx;

    (void)worker;
    for (int x = 0; x < c->p->width; x += SPAN)
        came_span(c, x, y, span_of(x, c->p->width));
}

static enum err came_run(struct look_picture *p, const float *value)
{
    struct came c = {.p = p, .value = value};
    struct blur_scratch scratch = {0};
    // Glow is soft: a plane of half a pixel per unit holds it.
    float per_px = 0.5f / p->px_per_unit;
    enum err e = plane_new(&c.border, p->width, p->height);

    c.glow_per_px = per_px < 1.0f ? per_px : 1.0f;
    int w = (int)((float)p->width * c.glow_per_px + 0.999f);
    int h = (int)((float)p->height * c.glow_per_px + 0.999f);
    for (int k = 0; k < 3 && e == ERR_OK; k++)
        e = plane_new(&c.glow[k], w, h);
    if (e == ERR_OK)
        e = blur_scratch_new(&scratch, w, h, p->pool, p->cancel);
    if (e != ERR_OK)
        goto out;
    e = ERR_CANCELLED;
    if (!pool_run(p->pool, p->height, copy_row, &c, p->cancel) ||
        !pool_run(p->pool, h, glow_row, &c, p->cancel))
        goto out;
    for (int k = 0; k < 3; k++)
        if (!plane_blur(&c.glow[k], &c.glow[k], 7.0f * p->px_per_unit * c.glow_per_px, &scratch))
            goto out;
    if (pool_run(p->pool, p->height, came_row, &c, p->cancel)) {
        p->linear = true;
        e = ERR_OK;
    }
out:
    blur_scratch_release(&scratch);
    for (int k = 0; k < 3; k++)
        plane_release(&c.glow[k]);
    plane_release(&c.border);
    return e;
}

const struct look_op look_op_came = {
    .name = "came",
    .help = "lead between panes of glass, and the light that comes through them",
    .param = PARAM,
    .cost_ms = 25,
    .scratch_bytes = 6,
    .finishes = true,
    .run = came_run,
};
