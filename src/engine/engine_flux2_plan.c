/* SPDX-License-Identifier: MIT */
#include "engine/engine_flux2_plan.h"

#include <math.h>
#include <string.h>

// The start of --s 0: less noise than this changes nothing that anybody sees.
static const double START_MIN = 0.05;

// Scores of keys that are not to be seen: e to this is nothing in a float.
static const float UNSEEN = -80.0F;

// Parts without their weights, which say nothing to a text encoder; what weighs nothing is left
// out.
static const char *words(const struct prompt *p, struct arena *a)
{
    const char *text = NULL;

    if (!(p->given & PROMPT_WEIGHTS))
        return p->text;
    for (int i = 0; i < p->part_count; i++)
        if (p->part[i].weight > 0.0F)
            text = text ? arena_printf(a, "%s, %s", text, p->part[i].text) : p->part[i].text;
    return text ? text : p->text;
}

bool flux2_reading_make(const struct prompt *p, int steps, struct arena *a,
                        struct flux2_reading *out)
{
    double wanted = floor((double)p->q * steps + 0.5);

    *out = (struct flux2_reading){.text = words(p, a), .steps = FLUX2_STEPS_MAX, .start = 1.0};
    if (wanted < FLUX2_STEPS_MAX)
        out->steps = wanted < 1.0 ? 1 : (int)wanted;
    if (p->s < 100)
        out->start = START_MIN + (1.0 - START_MIN) * p->s / 100.0;
    // Beginning at the source needs it, also where it does not weigh.
    out->source = p->iw > 0.0F || out->start < 1.0;
    out->bias = p->iw > 0.0F ? logf(p->iw) : UNSEEN;
    return out->text != NULL;
}

// What the reader said of words that the looks do not know.
static void unwarn(struct prompt *p)
{
    int n = 0;

    for (int i = 0; i < p->warning_count; i++)
        if (strcmp(p->warning[i].code, "unknown_words") != 0 &&
            strcmp(p->warning[i].code, "nothing_understood") != 0)
            p->warning[n++] = p->warning[i];
    p->warning_count = n;
}

void flux2_reading_warn(struct prompt *p, struct arena *a)
{
    static const struct {
        enum prompt_param param;
        const char *message;
    } without[] = {
        {PROMPT_CHAOS, "--chaos has no effect: the four differ by their noise alone"},
        {PROMPT_NO, "--no has no effect: this model takes no negative words"},
        {PROMPT_SREF, "--sref has no effect: this engine takes no style from a picture"},
        {PROMPT_SW, "--sw has no effect: this engine takes no style from a picture"},
        {PROMPT_TILE, "--tile has no effect: pictures are not made to repeat"},
        {PROMPT_STYLE_RAW, "--style raw has no effect: the model adds no style of its own"},
        {PROMPT_WEIGHTS, "the weights behind :: have no effect: the model reads the words alone"},
    };

    unwarn(p);
    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
        if (p->given & (uint32_t)without[i].param)
            prompt_warn(p, a, "no_effect", "%s", without[i].message);
    if (p->s > 100)
        prompt_warn(p, a, "no_effect",
                    "--s over 100 is 100: the picture begins as nothing but noise then");
}
