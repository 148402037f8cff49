/* SPDX-License-Identifier: MIT */
#include "engine/engine_flux2_plan.h"

#include <math.h>
#include <string.h>

// The start of --s 0: less noise than this changes nothing that anybody sees.
static const double START_MIN = 0.05;

// Of --chaos 0: what four variants of one picture have of their own.
static const float OWN_MIN = 0.3F;

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

static float bias_of(float weight)
{
    return weight > 0.0F ? logf(weight) : UNSEEN;
}

bool flux2_reading_make(const struct prompt *p, const struct flux2_given *given, struct arena *a,
                        struct flux2_reading *out)
{
    double wanted = floor((double)p->q * given->steps + 0.5);

    *out = (struct flux2_reading){.text = words(p, a),
                                  .negative = given->guided && p->no ? p->no : "",
                                  .steps = FLUX2_STEPS_MAX,
                                  .start = 1.0,
                                  .own = 1.0F,
                                  .style = given->style && p->sw > 0,
                                  .bias = {bias_of(p->iw), bias_of((float)p->sw / 100.0F)}};
    if (wanted < FLUX2_STEPS_MAX)
        out->steps = wanted < 1.0 ? 1 : (int)wanted;
    if (p->s < 100)
        out->start = START_MIN + (1.0 - START_MIN) * p->s / 100.0;
    if (p->given & PROMPT_CHAOS)
        out->own = OWN_MIN + (1.0F - OWN_MIN) * (float)p->chaos / 100.0F;
    // Beginning at the source needs it, also where it does not weigh; and a style picture is the
    // second reference, which needs a first.
    out->source = p->iw > 0.0F || out->start < 1.0 || out->style;
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

void flux2_reading_warn(struct prompt *p, const struct flux2_given *given, struct arena *a)
{
    const struct {
        enum prompt_param param;
        bool works;
        const char *message;
    } row[] = {
        {PROMPT_NO, given->guided,
         "--no has no effect: a distilled model is not guided, which is what would lead it away "
         "from words"},
        {PROMPT_SREF, given->style || p->sw == 0,
         "--sref has no effect: the service alone fetches its picture; patina render takes it as "
         "--sref FILE"},
        {PROMPT_SW, given->style || p->given & PROMPT_SREF,
         "--sw has no effect: there is no style picture (--sref)"},
        {PROMPT_TILE, false, "--tile has no effect: pictures are not made to repeat"},
        {PROMPT_STYLE_RAW, false, "--style raw has no effect: the model adds no style of its own"},
        {PROMPT_WEIGHTS, false,
         "the weights behind :: have no effect: the model reads the words alone"},
    };

    unwarn(p);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        if (p->given & (uint32_t)row[i].param && !row[i].works)
            prompt_warn(p, a, "no_effect", "%s", row[i].message);
    if (p->s > 100)
        prompt_warn(p, a, "no_effect",
                    "--s over 100 is 100: the picture begins as nothing but noise then");
}
