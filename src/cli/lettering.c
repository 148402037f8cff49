/* SPDX-License-Identifier: MIT */
/*
 * A letter is a few strokes; a stroke is the quadratic B-spline of its points: it begins and ends
 * at the outer ones and touches the middle of each line between inner ones. A point given twice is
 * a corner, a stroke of two points is straight, and one that begins with "o" is closed.
 */
#include "cli/lettering.h"

#include <math.h>
#include <string.h>

/* Points are two characters, x and y, 0..9 then a..z, on a grid where the baseline is y = 3, small
 * letters reach 9, capitals c (12) and tails 0. */
enum { BASELINE = 3, CAPITAL = 9, TAIL = 3, SPACE = 3, BENDS = 8, SEGMENTS_MAX = 128 };

#define PEN    1.2f /* width of a stroke, steps of the grid */
#define GAP    2.6f /* between letters, from middle to middle of their strokes */
#define DARK   40   /* of the ink, sRGB */
#define MARGIN 1.5f /* steps around a letter that ink may reach */

static const struct glyph {
    char letter;
    char width; /* between the middles of its outermost strokes */
    const char *strokes;
} glyphs[] = {
    {'a', 5, "o03535909 5953"},
    {'b', 5, "o03535909 030c"},
    {'c', 5, "575909035355"},
    {'d', 5, "o03535909 535c"},
    {'e', 5, "0656565909035354"},
    {'f', 4, "4c1c1913 0939"},
    {'g', 5, "o03535909 5952500001"},
    {'h', 5, "030c 0709595653"},
    {'i', 0, "0309 0c0c"},
    {'j', 2, "29222000 2c2c"},
    {'k', 5, "030c 0549 2753"},
    {'l', 1, "0c050313"},
    {'m', 8, "0309 0709494643 4749898683"},
    {'n', 5, "0309 0709595653"},
    {'o', 5, "o03535909"},
    {'p', 5, "o03535909 0009"},
    {'q', 5, "o03535909 5059"},
    {'r', 3, "0309 070939"},
    {'s', 4, "4849090646430304"},
    {'t', 3, "1b151333 0939"},
    {'u', 5, "0906035355 5953"},
    {'v', 6, "09333369"},
    {'w', 8, "0923234949636389"},
    {'x', 5, "0953 0359"},
    {'y', 6, "0933 6933332000"},
    {'z', 5, "095959030353"},
    {'A', 6, "033c3c63 1656"},
    {'B', 5, "030c 0c2c4c482808 083858533303"},
    {'C', 6, "6a6c0c036365"},
    {'D', 6, "030c 0c3c6c633303"},
    {'E', 5, "5c0c0c030353 0848"},
    {'F', 5, "5c0c0c03 0848"},
    {'G', 6, "6a6c0c0363676737"},
    {'H', 6, "030c 636c 0868"},
    {'I', 0, "030c"},
    {'J', 4, "4c46430305"},
    {'K', 6, "030c 066c 2863"},
    {'L', 5, "0c030353"},
    {'M', 8, "030c0c45458c8c83"},
    {'N', 6, "030c0c63636c"},
    {'O', 6, "o03636c0c"},
    {'P', 5, "030c 0c2c5c572707"},
    {'Q', 6, "o03636c0c 3662"},
    {'R', 5, "030c 0c2c5c572707 2753"},
    {'S', 5, "5a5c0c0858530305"},
    {'T', 6, "0c6c 3c33"},
    {'U', 6, "0c070363676c"},
    {'V', 6, "0c33336c"},
    {'W', 8, "0c23234c4c63638c"},
    {'X', 6, "036c 0c63"},
    {'Y', 6, "0c37376c 3733"},
    {'Z', 6, "0c6c6c030363"},
    {'0', 5, "o03535c0c"},
    {'1', 2, "0a2c2c23"},
    {'2', 5, "0a0c5c58030353"},
    {'3', 5, "0b0c4c4828 2858530305"},
    {'4', 5, "434c4c060656"},
    {'5', 5, "4c0c0c080858530304"},
    {'6', 5, "o03535808 4c0c0705"},
    {'7', 5, "0c5c5c13"},
    {'8', 5, "o03535808 o08585c0c"},
    {'9', 5, "o07575c0c 5a585313"},
    {'&', 6, "63191c4c4906034367"},
    {'-', 3, "0636"},
    {'.', 0, "0303"},
    {',', 1, "131301"},
    {'\'', 0, "0c0a"},
    {'"', 2, "0c0a 2c2a"},
    {':', 0, "0303 0808"},
    {';', 1, "131301 1818"},
    {'!', 0, "0c06 0303"},
    {'?', 5, "0a0c5c58272726 2323"},
    {'(', 2, "2d0a0522"},
    {')', 2, "0d2a2502"},
    {'+', 5, "0656 2824"},
    {'_', 5, "0252"},
    {'/', 4, "024d"},
};

static const struct glyph unknown = {0, 5, "0353535c5c0c0c03"};

struct point {
    float x, y;
};

struct pen {
    struct point from[SEGMENTS_MAX], to[SEGMENTS_MAX];
    int n;
};

static float digit(char c)
{
    return (float)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static struct point point_of(const char *two)
{
    return (struct point){digit(two[0]), digit(two[1])};
}

static struct point middle(struct point a, struct point b)
{
    return (struct point){(a.x + b.x) / 2, (a.y + b.y) / 2};
}

static void draw_to(struct pen *p, struct point from, struct point to)
{
    if (p->n < SEGMENTS_MAX) {
        p->from[p->n] = from;
        p->to[p->n++] = to;
    }
}

static void bend(struct pen *p, struct point a, struct point by, struct point b)
{
    struct point last = a;

    for (int i = 1; i <= BENDS; i++) {
        float t = (float)i / BENDS, u = 1 - t;
        struct point at = {u * u * a.x + 2 * u * t * by.x + t * t * b.x,
                           u * u * a.y + 2 * u * t * by.y + t * t * b.y};
        draw_to(p, last, at);
        last = at;
    }
}

static void draw_stroke(struct pen *p, const char *points, size_t n, bool closed)
{
    struct point last = closed ? middle(point_of(points + 2 * n - 2), point_of(points))
                               : point_of(points);

    if (n == 2) {
        draw_to(p, last, point_of(points + 2));
        return;
    }
    for (size_t i = closed ? 0 : 1; i + !closed < n; i++) {
        struct point by = point_of(points + 2 * i), next = point_of(points + 2 * ((i + 1) % n));
        struct point end = !closed && i + 2 == n ? next : middle(by, next);
        bend(p, last, by, end);
        last = end;
    }
}

static void draw_glyph(const struct glyph *g, struct pen *p)
{
    p->n = 0;
    for (const char *s = g->strokes; *s; s += *s == ' ') {
        bool closed = *s == 'o';
        size_t len = strcspn(s + closed, " ");
        draw_stroke(p, s + closed, len / 2, closed);
        s += closed + len;
    }
}

static float distance(const struct pen *p, float x, float y)
{
    float best = 1e9f;

    for (int i = 0; i < p->n; i++) {
        float dx = p->to[i].x - p->from[i].x, dy = p->to[i].y - p->from[i].y;
        float px = x - p->from[i].x, py = y - p->from[i].y, l = dx * dx + dy * dy;
        float t = l > 0 ? fminf(fmaxf((px * dx + py * dy) / l, 0), 1) : 0;
        px -= t * dx;
        py -= t * dy;
        best = fminf(best, px * px + py * py);
    }
    return sqrtf(best);
}

static void ink(struct image *im, const struct pen *p, const struct glyph *g, float left,
                float line, float step)
{
    int x0 = (int)fmaxf(left - MARGIN * step, 0), y0 = (int)fmaxf(line - (CAPITAL + 2) * step, 0);
    int x1 = (int)(left + ((float)g->width + MARGIN) * step) + 1,
        y1 = (int)(line + (TAIL + 1) * step) + 1;

    for (int y = y0; y < y1 && y < im->height; y++) {
        for (int x = x0; x < x1 && x < im->width; x++) {
            float d = distance(p, ((float)x + .5f - left) / step,
                               BASELINE - ((float)y + .5f - line) / step);
            float cover = fminf(fmaxf((PEN / 2 - d) * step + .5f, 0), 1);
            uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            for (int c = 0; c < 3; c++)
                px[c] = (uint8_t)((float)px[c] + cover * (DARK - (float)px[c]) + .5f);
        }
    }
}

/* The glyph of the next character, or NULL for a space. */
static const struct glyph *next_glyph(const char **text)
{
    char c = **text;

    // A character of several bytes is one box.
    do
        (*text)++;
    while (((unsigned char)**text & 0xC0) == 0x80);
    if (c == ' ')
        return NULL;
    for (size_t i = 0; i < sizeof glyphs / sizeof *glyphs; i++)
        if (glyphs[i].letter == c)
            return &glyphs[i];
    return &unknown;
}

float lettering_width(const char *text, float capital)
{
    float width = -GAP;

    while (*text) {
        const struct glyph *g = next_glyph(&text);
        width += (g ? (float)g->width : SPACE) + GAP;
    }
    return fmaxf(width + PEN, 0) * capital / CAPITAL;
}

void lettering_draw(struct image *im, const char *text, float x, float y, float capital)
{
    float step = capital / CAPITAL;
    struct pen pen;

    x += PEN / 2 * step;
    while (*text) {
        const struct glyph *g = next_glyph(&text);
        if (g) {
            draw_glyph(g, &pen);
            ink(im, &pen, g, x, y, step);
        }
        x += ((g ? (float)g->width : SPACE) + GAP) * step;
    }
}
