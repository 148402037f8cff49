/* SPDX-License-Identifier: MIT */
#include "label.h"

#include "text.h"
#include "vec.h"

/* The label on the bottle: half its angle, its middle and half its height. */
#define LABEL_ANGLE  1.25f
#define LABEL_MIDDLE .098f
#define LABEL_HALF   .040f
#define RADIUS       .0385f

float label_at(float angle, float height, float *ink)
{
    float x = angle * RADIUS, y = height - LABEL_MIDDLE, wide = LABEL_ANGLE * RADIUS;
    float edge = fmaxf(fabsf(x) - wide, fabsf(y) - LABEL_HALF);
    float frame_mm = fabsf(edge + .004f) * 1000;

    *ink = 0;
    if (edge > 0)
        return 0;
    *ink = fmaxf(smooth(.55f, .25f, frame_mm), .9f * smooth(.3f, .1f, fabsf(frame_mm - 1.1f)));
    *ink = fmaxf(*ink, text_ink("PATINA", .0115f, x, y - .008f));
    *ink = fmaxf(*ink, text_ink("STILL LIFE", .0052f, x, y + .0075f));
    *ink = fmaxf(*ink, text_ink("1976", .0052f, x, y + .026f));
    // A rule with a lozenge between the two lower lines.
    if (fabsf(x) < .022f)
        *ink = fmaxf(*ink, smooth(.5f, .25f, fabsf(y + .0135f) * 1000));
    *ink = fmaxf(*ink, smooth(2.6f, 2.2f, (fabsf(x) + fabsf(y + .0135f)) * 1000));
    return 1;
}
