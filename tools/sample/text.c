/* SPDX-License-Identifier: MIT */
/*
 * Lettering drawn as strokes: each letter is a list of lines on a grid of 4 x 6, heavy ones and
 * hairlines, as a broad pen would make them. Only the letters that the pictures need.
 */
#include "text.h"

#include "vec.h"

#include <stddef.h>
#include <string.h>

/* "x0y0x1y1" per stroke in digits; capitals of weight follow: 'h' heavy, 't' thin. */
static const struct {
    char letter;
    const char *strokes;
} letters[] = {
    {'A', "0026t2640h1232t0010t3050h"},
    {'E', "1016h0040t0646t1333t4041t4645t"},
    {'F', "1016h0646t1333t0020t4645t"},
    {'I', "2026h1030t1636t"},
    {'L', "1016h0040t0626t4041t"},
    {'N', "0006t0640h4046t0010t3656t0616t"},
    {'O', "1003h0316h1636t3643h4330h3010t"},
    {'P', "1016h0626t2645t4544h4423t2313t0020t"},
    {'S', "0110t1030t3041t4132h3214h1405h0516t1636t3645t"},
    {'T', "2026h0646t0605t4645t1030t"},
    {'V', "0620h2046t0616t3656t"},
    {'B', "1016h0626t2645t4544h4423t1323t2342t4241h4120t0020t"},
    {'C', "1003h0316h1636t3645t1030t3041t"},
    {'D', "1016h0626t2644t4442h4220t0020t"},
    {'G', "1003h0316h1636t3645t1030t3042t4243h3353t"},
    {'H', "1016h4046h1343t0020t0626t3050t3656t"},
    {'K', "1016h1346t2440h0020t0626t3050t3656t"},
    {'M', "0006t0623h2346t4046h0010t3050t"},
    {'R', "1016h0626t2645t4544h4423t1323t2340h0020t4050t"},
    {'U', "1612h1220t2030t3042t4246t0626t3656t"},
    {'Y', "0623h4623t2320h1030t0616t3656t"},
    {'2', "0514t0516t1636t3645h4433h3301t0040h4041t"},
    {'&', "4014h1426t2635t3523t2301h0110t1030t3043t"},
    {'1', "2026h1526t1030t"},
    {'9', "4426t2615t1514h1423t2343t4446t4443h4320t2010t"},
    {'6', "3646t3615h1511h1110t1030t3041h4132t3212t"},
    {'7', "0646t4620h0605t"},
    {'.', "2020h"},
};

static float to_line(float x, float y, float x0, float y0, float x1, float y1)
{
    float dx = x1 - x0, dy = y1 - y0, l = dx * dx + dy * dy;
    float t = l > 0 ? clampf(((x - x0) * dx + (y - y0) * dy) / l, 0, 1) : 0;

    dx = x - x0 - t * dx;
    dy = y - y0 - t * dy;
    return sqrtf(dx * dx + dy * dy);
}

/* Ink of one letter at a point of its grid. */
static float letter_ink(char letter, float x, float y)
{
    float ink = 0;

    for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++) {
        const char *s = letters[i].strokes;
        if (letters[i].letter != letter)
            continue;
        for (; *s; s += 5) {
            float half = s[4] == 'h' ? .52f : .24f;
            float d = to_line(x, y, (float)(s[0] - '0'), (float)(s[1] - '0'), (float)(s[2] - '0'),
                              (float)(s[3] - '0'));
            ink = fmaxf(ink, smooth(half + .12f, half - .12f, d));
        }
    }
    return ink;
}

float text_ink(const char *text, float cap, float x, float y)
{
    const float advance = 6.4f;
    float unit = cap / 6, n = (float)strlen(text);
    float gx = x / unit + (n * advance - 2) / 2, gy = y / unit, cell = floorf((gx + 1) / advance);

    if (gy < -1 || gy > 7 || cell < 0 || cell >= n)
        return 0;
    return letter_ink(text[(int)cell], gx - cell * advance, gy);
}
