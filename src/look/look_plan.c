/* SPDX-License-Identifier: MIT */
/*
 * Pictures that are made of one look or of several: chains, whose second recipe finds its structure
 * in what the first one made, and blends of such parts.
 */
#include "look/look_internal.h"
#include "look/mood_scene.h"

// Share of a four-picture render that the photo's maps take.
static const float MAPS_SHARE = 0.12f;

void look_tell(const struct look_span *s, float share)
{
    if (s->r->progress)
        s->r->progress(s->r->progress_ctx, s->from + (s->to - s->from) * share);
}

struct look_span look_span_part(const struct look_span *s, int i, int n)
{
    float each = (s->to - s->from) / (float)n, from = s->from + each * (float)i;

    return (struct look_span){.r = s->r, .from = from, .to = from + each};
}

// The first recipe of a chain makes the thing, the second paints it: light, palette, the colours by
// which the four differ and what must not be in the picture are the second's.
static struct look_options options_of_first(const struct look_options *o)
{
    return (struct look_options){
        .chaos = o->chaos, .style = o->style, .plain = true, .raw = o->raw};
}

static enum err light(const struct look_request *r, struct look_maps *maps)
{
    const struct look_mood *mood = &r->options->mood;

    return mood->words > 0 ? mood_light_maps(mood, maps, r->pool, r->cancel) : ERR_OK;
}

static enum err render_part(const struct look_request *r, const struct look_part *part,
                            const struct look_maps *photo, uint32_t seed,
                            const struct look_span *span, struct image *out)
{
    struct look_options first = options_of_first(r->options);
    struct look_maps *maps = NULL;
    struct image made = {0};
    struct look_span s = look_span_part(span, 0, part->recipes);

    if (part->recipes == 1)
        return look_render_one(r, part->recipe[0], r->options, photo, seed, &s, out);
    enum err e = look_render_one(r, part->recipe[0], &first, photo, seed, &s, &made);
    if (e == ERR_OK)
        e = look_maps_new(&made, recipe_needs(part->recipe[1]), r->pool, r->cancel, &maps);
    if (e == ERR_OK)
        e = light(r, maps);
    s = look_span_part(span, 1, part->recipes);
    if (e == ERR_OK)
        e = look_render_one(r, part->recipe[1], r->options, maps, seed, &s, out);
    look_maps_free(maps);
    image_release(&made);
    return e;
}

static enum err render_picture(const struct look_request *r, const struct look_plan *plan,
                               const struct look_maps *photo, uint32_t seed,
                               const struct look_span *span, struct image *out)
{
    struct image picture[LOOK_PARTS_MAX] = {0};
    enum err e = ERR_OK;

    if (plan->parts == 1)
        return render_part(r, &plan->part[0], photo, seed, span, out);
    for (int i = 0; e == ERR_OK && i < plan->parts; i++) {
        struct look_span s = look_span_part(span, i, plan->parts);
        e = render_part(r, &plan->part[i], photo, seed, &s, &picture[i]);
    }
    if (e == ERR_OK)
        e = look_blend(r, photo, plan->part, picture, plan->parts, seed, out);
    for (int i = 0; i < plan->parts; i++)
        image_release(&picture[i]);
    return e;
}

// In a chain only the second recipe's maps are lit: light on light would be twice as strong.
static bool paints_photo(const struct look_plan *p)
{
    for (int i = 0; i < p->parts; i++)
        if (p->part[i].recipes == 1)
            return true;
    return false;
}

uint32_t look_plan_needs(const struct look_plan *p)
{
    uint32_t needs = p->parts > 1 ? NEED_IMPORTANCE : 0;

    for (int i = 0; i < p->parts; i++)
        needs |= recipe_needs(p->part[i].recipe[0]);
    return needs;
}

enum err look_paint(const struct look_request *r, struct image *out, struct err_note *note)
{
    struct look_plan alone = look_plan_of(r->recipe);
    const struct look_plan *plan = r->plan ? r->plan : &alone;
    struct look_span pictures = {.r = r, .from = MAPS_SHARE, .to = 1.0f};
    struct look_maps *maps = NULL;
    int made = 0;
    enum err e = look_maps_detailed(r->source, look_plan_needs(plan), plan->detail, r->pool,
                                    r->cancel, &maps);

    if (e == ERR_OK && paints_photo(plan))
        e = light(r, maps);
    for (; e == ERR_OK && made < r->count; made++) {
        struct look_span s = look_span_part(&pictures, made, r->count);
        look_tell(&s, 0.0f);
        e = render_picture(r, plan, maps, r->seed + (uint32_t)(r->first + made), &s, &out[made]);
        if (e != ERR_OK)
            break;
    }
    look_maps_free(maps);
    if (e != ERR_OK) {
        while (made > 0)
            image_release(&out[--made]);
        err_set(note, e,
                e == ERR_CANCELLED ? "the render was cancelled"
                                   : "not enough memory for the picture");
    }
    return e;
}
