/* SPDX-License-Identifier: MIT */
/*
 * A head on a neck, modelled as a sculptor would: large masses first, softly joined, then what
 * stands out and what is cut in. Numbers are decimetres of a grown woman's head, 2.3 high.
 */
#include "bust_shape.h"

#include "noise.h"

#define TURN .30f  /* of the head on the neck, radians */
#define LID  .054f /* how far the upper lid is open */

static const struct vec neck_axis = {0, 0, -.25f};
static const struct vec eye = {EYE_X, 0, .665f};

static struct vec turn(struct vec p, float angle)
{
    float c = cosf(angle), s = sinf(angle);

    p = sub(p, neck_axis);
    return add(v3(c * p.x + s * p.z, p.y, -s * p.x + c * p.z), neck_axis);
}

struct vec bust_in_head(struct vec p)
{
    return turn(p, TURN);
}

struct vec bust_from_head(struct vec p)
{
    return turn(p, -TURN);
}

static struct vec mirrored(struct vec p)
{
    return v3(fabsf(p.x), p.y, p.z);
}

/* y of a lid's edge over the eye's middle, at t = -1..1 along it. */
static float lid(float t, float height)
{
    float open = fmaxf(1 - t * t, 0);

    return height * open * (1 - .25f * t);
}

float bust_lid_gap(struct vec head, float *along)
{
    struct vec l = sub(mirrored(head), eye);
    float t = (l.x - .004f) / .152f, y = l.y - .10f * l.x;

    *along = t;
    if (fabsf(t) > 1)
        return -sqrtf(.023f * (fabsf(t) - 1) * (fabsf(t) - 1) + y * y);
    return fminf(lid(t, LID) - y, y - lid(-t, -.040f)) * .9f;
}

static float nose(struct vec q)
{
    float d = sd_limb(q, v3(0, .10f, .83f), v3(0, -.32f, 1.03f), .055f, .070f);

    d = soft_min(d, sd_ellipsoid(q, v3(0, -.365f, 1.035f), v3(.085f, .080f, .088f)), .10f);
    d = soft_min(d, sd_ellipsoid(q, v3(.098f, -.41f, .945f), v3(.060f, .060f, .090f)), .07f);
    d = soft_min(d, sd_limb(q, v3(0, -.425f, 1.035f), v3(0, -.475f, .93f), .038f, .045f), .05f);
    // Its sides slope into the cheeks.
    d = soft_min(d, sd_limb(q, v3(.075f, .0f, .79f), v3(.12f, -.36f, .86f), .06f, .075f), .09f);
    return soft_max(d, -sd_ellipsoid(q, v3(.054f, -.462f, .985f), v3(.030f, .026f, .048f)), .03f);
}

static float upper_lip(struct vec q)
{
    float d = sd_limb(q, v3(0, -.668f, .955f), v3(.05f, -.664f, .955f), .036f, .038f);

    d = soft_min(d, sd_limb(q, v3(.05f, -.664f, .954f), v3(.15f, -.678f, .925f), .038f, .032f),
                 .03f);
    return soft_min(d, sd_limb(q, v3(.15f, -.678f, .925f), v3(.25f, -.700f, .855f), .032f, .012f),
                    .03f);
}

static float lower_lip(struct vec q)
{
    float d = sd_limb(q, v3(0, -.765f, .952f), v3(.07f, -.762f, .945f), .056f, .055f);

    d = soft_min(d, sd_limb(q, v3(.07f, -.762f, .945f), v3(.16f, -.745f, .905f), .055f, .040f),
                 .03f);
    return soft_min(d, sd_limb(q, v3(.16f, -.745f, .905f), v3(.24f, -.708f, .855f), .040f, .012f),
                    .03f);
}

float bust_lips(struct vec head)
{
    struct vec q = mirrored(head);

    return fminf(upper_lip(q), lower_lip(q));
}

static float mouth(struct vec q, float d)
{
    // The line between the lips: a flat lens, its corners a little higher.
    struct vec line = v3(q.x, q.y - .25f * q.x * q.x + .012f * smooth(.0f, .1f, q.x), q.z);

    d = soft_min(d, soft_min(upper_lip(q), lower_lip(q), .012f), .045f);
    d = soft_max(d, -sd_ellipsoid(line, v3(0, -.716f, .97f), v3(.255f, .006f, .105f)), .018f);
    // Dimples at the corners, the hollow under the lower lip, the one under the nose.
    d = soft_max(d, -sd_sphere(q, v3(.285f, -.695f, .905f), .035f), .09f);
    d = soft_max(d, -sd_ellipsoid(q, v3(0, -.862f, 1.0f), v3(.17f, .035f, .10f)), .10f);
    return soft_max(d, -sd_limb(q, v3(0, -.53f, 1.01f), v3(0, -.615f, 1.035f), .022f, .026f), .05f);
}

static float masses(struct vec q)
{
    float d = sd_ellipsoid(q, v3(0, .30f, -.06f), v3(.735f, .84f, .97f));

    d = soft_min(d, sd_ellipsoid(q, v3(0, -.20f, .28f), v3(.585f, .86f, .585f)), .25f);
    d = soft_min(d, sd_limb(q, v3(.47f, -.52f, .10f), v3(.10f, -.95f, .66f), .15f, .15f), .25f);
    d = soft_min(d, sd_ellipsoid(q, v3(0, -.955f, .735f), v3(.17f, .15f, .17f)), .18f);
    d = soft_min(d, sd_ellipsoid(q, v3(.45f, -.19f, .545f), v3(.18f, .13f, .20f)), .20f);
    d = soft_min(d, sd_ellipsoid(q, v3(.32f, -.46f, .55f), v3(.24f, .30f, .27f)), .20f);
    d = soft_min(d, sd_ellipsoid(q, v3(0, -.68f, .72f), v3(.29f, .25f, .235f)), .18f);
    return soft_min(d, sd_limb(q, v3(.10f, .165f, .835f), v3(.49f, .19f, .60f), .07f, .055f), .16f);
}

static float eyes(struct vec head, float d)
{
    struct vec q = mirrored(head), l = sub(q, eye);
    float along, gap = bust_lid_gap(head, &along), r = length(l);
    float above = l.y - .10f * l.x - lid(along, LID);

    d = soft_max(d, -sd_ellipsoid(q, v3(.295f, .005f, .94f), v3(.20f, .115f, .19f)), .13f);
    d = soft_min(d, r - .146f, .045f);
    // The fold over the upper lid.
    if (fabsf(along) < 1.3f && l.z > 0)
        d = soft_max(
            d, .016f - sqrtf((above - .040f) * (above - .040f) + (r - .158f) * (r - .158f)), .02f);
    d = soft_max(d, fminf(.22f - r, gap), .012f);
    return fmaxf(d, EYE_RADIUS - .003f - r);
}

static float head_shape(struct vec p)
{
    struct vec q = mirrored(p);
    float d = masses(q);

    d = eyes(p, d);
    d = soft_min(d, nose(q), .10f);
    return mouth(q, d);
}

static float body(struct vec p)
{
    struct vec q = mirrored(p);
    float d = sd_limb(p, v3(0, -.6f, -.18f), v3(0, -2.0f, -.32f), .44f, .47f);

    d = soft_min(d, sd_limb(q, v3(.22f, -1.2f, -.45f), v3(1.45f, -2.12f, -.42f), .27f, .30f), .5f);
    d = soft_min(d, sd_limb(q, v3(.4f, -2.45f, -.30f), v3(1.5f, -2.38f, -.38f), .45f, .40f), .45f);
    d = soft_min(d, sd_ellipsoid(p, v3(0, -2.95f, -.18f), v3(1.35f, 1.1f, .66f)), .5f);
    d = soft_min(d, sd_limb(q, v3(.13f, -2.0f, .16f), v3(1.15f, -1.95f, -.05f), .055f, .06f), .16f);
    return soft_max(d, -sd_sphere(p, v3(0, -1.96f, .32f), .05f), .14f);
}

/* The muscle from behind the ear to the breastbone turns with the head. */
static float neck_muscle(struct vec p, float side)
{
    struct vec from = bust_from_head(v3(.48f * side, -.5f, -.12f));

    return sd_limb(p, from, v3(.09f * side, -1.98f, .15f), .09f, .06f);
}

float bust_skin(struct vec p)
{
    float d = soft_min(head_shape(bust_in_head(p)), body(p), .22f);

    d = soft_min(d, neck_muscle(p, 1), .16f);
    return soft_min(d, neck_muscle(p, -1), .16f);
}

/* Locks run from the parting over the forehead to the knot in the neck, like meridians. */
static float locks(struct vec q)
{
    struct vec front = v3(.06f, .95f, .55f), back = v3(0, -.25f, -1.0f);
    struct vec axis = normalize(sub(back, front)), d = sub(q, front), s, t;
    float along = dot(d, axis);

    d = sub(d, scale(axis, along));
    frame(axis, &s, &t);
    float angle = atan2f(dot(d, s), dot(d, t));
    float wave = .10f * sinf(5 * along + 3 * angle) + .05f * noise(v3(4 * along, 6 * angle, 1));
    float lock = fractal(v3(9 * (angle + wave), .8f * along, 3), 3);

    float thin = smooth(.15f, .7f, length(d)); // near the parting locks are too fine to see

    return (.045f * lock + .007f * sinf(42 * (angle + wave) + 6 * lock)) * thin;
}

float bust_hair(struct vec p)
{
    struct vec head = bust_in_head(p), q = mirrored(head);
    float d = sd_ellipsoid(q, v3(0, .34f, -.12f), v3(.83f, .93f, 1.02f));

    d = soft_min(d, sd_ellipsoid(q, v3(.57f, -.08f, -.05f), v3(.26f, .46f, .42f)), .2f);
    d = soft_min(d, sd_ellipsoid(q, v3(0, -.35f, -.62f), v3(.55f, .45f, .40f)), .2f);
    d += .035f * expf(-head.x * head.x / .0012f) * smooth(.6f, .9f, q.y);
    // It leaves the face free, in an arch, and is gathered behind.
    struct vec arch = v3(q.x * (1 + .30f * smooth(.1f, .75f, q.y)), q.y, q.z);
    float face = sd_ellipsoid(arch, v3(0, -.30f, .95f), v3(.67f, 1.06f, .70f));
    d -= locks(q) * smooth(-.02f, .22f, face);
    d = soft_max(d, -face + .012f * noise(scale(q, 8)), .09f);
    float knot = sd_ellipsoid(head, v3(0, -.22f, -1.20f), v3(.40f, .38f, .30f));
    return soft_min(d, knot - .6f * locks(q), .06f);
}

/* A fold: a crest that is steeper on one side. */
static float crest(float phase)
{
    float t = phase - floorf(phase);

    t = t < .35f ? t / .35f : (1 - t) / .65f;
    return t * t * (3 - 2 * t);
}

/* Folds hang in bows from the shoulders. */
static float folds(struct vec p)
{
    struct vec q = v3(fabsf(p.x + .12f), p.y, p.z);
    float from = sqrtf(.75f * (q.x - 1.55f) * (q.x - 1.55f) + (q.y + 1.45f) * (q.y + 1.45f));
    float wander = .30f * noise(v3(1.3f * p.x, 1.3f * p.y, 2)) + .07f * noise(scale(p, 4));
    float strength = .55f + .75f * noise(scale(p, 1.3f));

    return .13f * crest(2.3f * (from + wander)) * strength * smooth(.15f, .7f, from) +
           .035f * crest(5.1f * (from + .6f * wander) + .6f * p.x) * smooth(.3f, .8f, from) +
           .012f * fractal(scale(p, 4), 2);
}

float bust_cloth(struct vec p)
{
    struct vec q = mirrored(p);
    float d = sd_limb(q, v3(.4f, -2.45f, -.30f), v3(1.5f, -2.38f, -.38f), .45f, .42f);

    d = soft_min(d, sd_limb(q, v3(.22f, -1.2f, -.45f), v3(1.45f, -2.12f, -.42f), .27f, .30f), .5f);
    d = soft_min(d, sd_ellipsoid(p, v3(0, -2.95f, -.18f), v3(1.35f, 1.1f, .66f)), .3f);
    d -= .07f + folds(p);
    // The neckline.
    float neckline = sd_ellipsoid(v3(p.x + .05f, p.y, p.z), v3(0, -1.66f, .15f),
                                  v3(.86f + .02f * noise(scale(p, 3)), .70f, 1.15f));
    return soft_max(d, -neckline, .05f);
}
