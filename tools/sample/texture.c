/* SPDX-License-Identifier: MIT */
#include "texture.h"

#include "noise.h"

void bump(struct surface *s, const struct hit *hit, float frequency, float strength, int octaves)
{
    const float e = .02f;
    struct vec p = scale(hit->pos, frequency);
    float here = fractal(p, octaves);
    struct vec slope = v3(fractal(add(p, v3(e, 0, 0)), octaves) - here,
                          fractal(add(p, v3(0, e, 0)), octaves) - here,
                          fractal(add(p, v3(0, 0, e)), octaves) - here);

    slope = scale(slope, strength / e);
    slope = sub(slope, scale(s->normal, dot(slope, s->normal)));
    s->normal = normalize(sub(s->normal, slope));
}

void coat(struct surface *s, float mirror, float rough)
{
    s->mirror = v3(mirror, mirror, mirror);
    s->rough = rough;
}
