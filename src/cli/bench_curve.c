/* SPDX-License-Identifier: MIT */
#include "cli/bench_curve.h"

#include "image/colour.h"
#include "look/colour.h"

#include <math.h>
#include <stdio.h>

void curve_judge(struct curve *c, int sense)
{
    const double range = sense * (c->at[CURVE_POINTS - 1] - c->at[0]);

    c->verdict = CURVE_WRONG;
    for (int i = 1; i < CURVE_POINTS; i++)
        if (sense * (c->at[i] - c->at[i - 1]) < -0.05 * fabs(range) - 1e-6)
            return;
    c->verdict = range < 0.02 * c->at[0] + 1e-6 ? CURVE_FLAT : CURVE_GOES;
}

void curve_plot(const struct curve *c)
{
    static const char *const BAR[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const MARK[] = {[CURVE_GOES] = " ", [CURVE_FLAT] = "-", [CURVE_WRONG] = "!"};
    double least = c->at[0], most = c->at[0];

    for (int i = 1; i < CURVE_POINTS; i++) {
        least = c->at[i] < least ? c->at[i] : least;
        most = c->at[i] > most ? c->at[i] : most;
    }
    printf(" %5.3f ", c->at[0]);
    for (int i = 0; i < CURVE_POINTS; i++)
        printf("%s", BAR[(int)(7.0 * (c->at[i] - least) / (most - least + 1e-9) + 0.5)]);
    printf(" %5.3f%s", c->at[CURVE_POINTS - 1], MARK[c->verdict]);
}

void curve_begin_json(const struct curve *c, struct json_writer *w)
{
    static const char *const SAYS[] = {
        [CURVE_GOES] = "goes", [CURVE_FLAT] = "flat", [CURVE_WRONG] = "wrong"};

    jw_open(w, '{');
    jw_kstr(w, "verdict", SAYS[c->verdict]);
    jw_key(w, "at");
    jw_open(w, '[');
    for (int i = 0; i < CURVE_POINTS; i++)
        jw_real(w, c->at[i], 5);
    jw_close(w, ']');
}

static void lab_of(const struct image *im, int x, int y, float lab[3])
{
    const uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;

    oklab_from_linear(srgb_linear[px[0]], srgb_linear[px[1]], srgb_linear[px[2]], lab);
}

double picture_distance(const struct image *a, const struct image *b, int step)
{
    double sum = 0.0;
    int n = 0;

    for (int y0 = 0; y0 + step <= a->height; y0 += step)
        for (int x0 = 0; x0 + step <= a->width; x0 += step, n++) {
            double d[3] = {0};
            for (int i = 0; i < step * step; i++) {
                float p[3], q[3];
                lab_of(a, x0 + i % step, y0 + i / step, p);
                lab_of(b, x0 + i % step, y0 + i / step, q);
                for (int k = 0; k < 3; k++)
                    d[k] += (double)(p[k] - q[k]) / (step * step);
            }
            sum += (double)sqrtf((float)(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]));
        }
    return n ? sum / n : 0.0;
}
