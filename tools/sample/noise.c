/* SPDX-License-Identifier: MIT */
#include "noise.h"

#include "base/rand.h"

static float lattice(int x, int y, int z)
{
    return (float)hash_u32((uint32_t)x + 0x9E3779B9u * (uint32_t)z, (uint32_t)y, 7) * 0x1p-31f - 1;
}

static float fade(float t)
{
    return t * t * t * (t * (t * 6 - 15) + 10);
}

static float lerp(float a, float b, float t)
{
    return a + (b - a) * t;
}

float noise(struct vec p)
{
    float fx = floorf(p.x), fy = floorf(p.y), fz = floorf(p.z);
    float u = fade(p.x - fx), v = fade(p.y - fy), w = fade(p.z - fz);
    int x = (int)fx, y = (int)fy, z = (int)fz;
    float plane[2];

    for (int k = 0; k < 2; k++)
        plane[k] = lerp(lerp(lattice(x, y, z + k), lattice(x + 1, y, z + k), u),
                        lerp(lattice(x, y + 1, z + k), lattice(x + 1, y + 1, z + k), u), v);
    return lerp(plane[0], plane[1], w);
}

float fractal(struct vec p, int octaves)
{
    float sum = 0, strength = .5f;

    for (int i = 0; i < octaves; i++) {
        sum += strength * noise(p);
        // Shifted, so that the lattices of the octaves do not line up.
        p = add(scale(p, 2), v3(17.3f, 5.1f, 11.7f));
        strength /= 2;
    }
    return sum;
}

float cells(struct vec p)
{
    float fx = floorf(p.x), fy = floorf(p.y), fz = floorf(p.z), best = 4;

    for (int i = 0; i < 27; i++) {
        int x = (int)fx + i % 3 - 1, y = (int)fy + i / 3 % 3 - 1, z = (int)fz + i / 9 - 1;
        struct vec at = v3((float)x + .5f + .45f * lattice(x, y, z),
                           (float)y + .5f + .45f * lattice(y, z, x + 57),
                           (float)z + .5f + .45f * lattice(z, x + 113, y));
        struct vec d = sub(at, p);
        best = fminf(best, dot(d, d));
    }
    return sqrtf(best);
}
