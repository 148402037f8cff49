/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SAMPLE_VEC_H
#define PATINA_SAMPLE_VEC_H

#include <math.h>

/* Three floats: a point, a direction or a colour in linear light. */
struct vec {
    float x, y, z;
};

#define PI 3.14159265f

static inline struct vec v3(float x, float y, float z)
{
    return (struct vec){x, y, z};
}

static inline struct vec add(struct vec a, struct vec b)
{
    return v3(a.x + b.x, a.y + b.y, a.z + b.z);
}

static inline struct vec sub(struct vec a, struct vec b)
{
    return v3(a.x - b.x, a.y - b.y, a.z - b.z);
}

static inline struct vec mul(struct vec a, struct vec b)
{
    return v3(a.x * b.x, a.y * b.y, a.z * b.z);
}

static inline struct vec scale(struct vec a, float s)
{
    return v3(a.x * s, a.y * s, a.z * s);
}

static inline float dot(struct vec a, struct vec b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static inline struct vec cross(struct vec a, struct vec b)
{
    return v3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}

static inline float length(struct vec a)
{
    return sqrtf(dot(a, a));
}

static inline struct vec normalize(struct vec a)
{
    float l = length(a);

    return l > 0 ? scale(a, 1 / l) : v3(0, 1, 0);
}

static inline struct vec mix(struct vec a, struct vec b, float t)
{
    return add(scale(a, 1 - t), scale(b, t));
}

static inline float clampf(float x, float lo, float hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

/* 0 below a, 1 above b, smooth between (also with a > b, mirrored). */
static inline float smooth(float a, float b, float x)
{
    float t = clampf((x - a) / (b - a), 0, 1);

    return t * t * (3 - 2 * t);
}

/* Two directions at right angles to the unit vector n and to each other. */
static inline void frame(struct vec n, struct vec *s, struct vec *t)
{
    *s = normalize(fabsf(n.x) > .8f ? cross(n, v3(0, 1, 0)) : cross(n, v3(1, 0, 0)));
    *t = cross(n, *s);
}

#endif
