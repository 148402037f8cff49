/* SPDX-License-Identifier: MIT */
#include "look/mood_scene.h"
#include "look/op.h"

#include "base/rand.h"
#include "look/stroke.h"

/* One layer of brush strokes; a painting has several, from the largest brush to the smallest. */
enum {
    RADIUS,
    SPACING,
    LENGTH,
    CURVATURE,
    THRESHOLD,
    CALM,
    EDGE,
    VARY_L,
    VARY_C,
    OPACITY,
    THICKNESS,
    BRISTLES,
    DRYNESS,
    STREAK,
    KEEP,
    STRAY,
    SWIRL,
    KNIFE
};

static const struct look_param PARAM[] = {
    {"radius", 1.0f, 64.0f, 8.0f, "half the width of the brush, units"},
    {"spacing", 0.5f, 4.0f, 1.4f, "distance between beginnings of strokes, radii"},
    {"length", 1.0f, 24.0f, 8.0f, "longest stroke, radii"},
    {"curvature", 0.0f, 1.0f, 0.6f, "0: straight, 1: bends with every form"},
    {"threshold", 0.0f, 0.5f, 0.03f, "difference of colour that asks for a stroke; 0: everywhere"},
    {"calm", 0.0f, 1.0f, 0.5f, "how much less is painted where nothing is important"},
    {"edge", 0.01f, 0.5f, 0.08f, "difference of colour at which a stroke ends"},
    {"vary_l", 0.0f, 0.3f, 0.02f, "largest random change of lightness of a stroke"},
    {"vary_c", 0.0f, 0.1f, 0.01f, "largest random change of hue and chroma of a stroke"},
    {"opacity", 0.05f, 1.0f, 0.95f, "cover of the paint"},
    {"thickness", 0.0f, 6.0f, 1.0f, "height of the paint, units"},
    {"bristles", 1.0f, 64.0f, 12.0f, "clumps of bristles across the brush"},
    {"dryness", 0.0f, 1.0f, 0.3f, "0: a loaded brush, 1: hardly any paint"},
    {"streak", 0.0f, 0.3f, 0.03f, "difference of lightness between bristles"},
    {"keep", 0.0f, 1.0f, 0.3f, "share of the relief below that shows"},
    {"stray", 0.0f, 0.5f, 0.0f, "largest turn of a stroke away from the forms, turns"},
    {"swirl", 0.0f, 1.0f, 0.0f, "1: strokes whirl where the photo has no direction"},
    {"knife", 0.0f, 1.0f, 0.0f, "0: a brush, 1: a palette knife, flat with sharp ridges"},
    {0}};

static enum err strokes_run(struct look_picture *p, const float *value)
{
    uint32_t seed = hash_u32(p->variation.seed, (uint32_t)(value[RADIUS] * 64.0f), 0x0B1u);
    float radius = value[RADIUS] * (value[RADIUS] > 5.0f ? p->variation.brush : 1.0f);
    struct stroke_layer layer = {.radius = radius,
                                 .spacing = value[SPACING],
                                 .length = value[LENGTH],
                                 .curvature = value[CURVATURE],
                                 .threshold = value[THRESHOLD],
                                 .calm = value[CALM],
                                 .edge = value[EDGE],
                                 .stray = value[STRAY],
                                 .swirl = value[SWIRL],
                                 .vary_l = value[VARY_L],
                                 .vary_c = value[VARY_C] * mood_chroma(p->mood),
                                 .height = value[THICKNESS],
                                 .seed = seed};
    struct brush_kind kind = {.bristles = value[BRISTLES],
                              .dryness = value[DRYNESS],
                              .knife = value[KNIFE],
                              .seed = seed};
    struct brush brush = {0};
    struct stroke_list list = {0};
    enum err e = stroke_plan(p, &layer, &list);

    if (e == ERR_OK)
        e = brush_new(&brush, &kind, 1.1f * radius * p->px_per_unit, p->pool, p->cancel);
    if (e == ERR_OK) {
        struct stroke_paint paint = {.brush = &brush,
                                     .opacity = value[OPACITY],
                                     .streak = value[STREAK],
                                     .keep = value[KEEP]};
        e = stroke_lay(p, &list, &paint);
    }
    brush_release(&brush);
    stroke_list_release(&list);
    return e;
}

const struct look_op look_op_strokes = {
    .name = "strokes",
    .help = "a layer of curved brush strokes where the paint so far differs from the photo",
    .param = PARAM,
    .needs = NEED_FINE | NEED_ABSTRACT | NEED_FLOW | NEED_IMPORTANCE,
    .cost_ms = 32,
    .scratch_bytes = 12,
    .run = strokes_run,
};
