/* SPDX-License-Identifier: MIT */
#include "image/fit.h"

#include <math.h>

static double ratio_max(double a, double b)
{
    return a > b ? a / b : b / a;
}

/* How bad a size is: what it cuts away, and a tenth of how far its area misses the wish. An exact
 * 4:3 at 95 % of the pixels is better than 1 % cut off everybody's picture. */
static double badness(int w, int h, double ratio, double pixels)
{
    double cut = 1 - 1 / ratio_max((double)w / h, ratio);
    double miss = ratio_max((double)w * h, pixels) - 1;

    return cut + 0.1 * miss;
}

static bool size_allowed(int w, int h)
{
    int low = w < h ? w : h, high = w < h ? h : w;

    return low >= IMAGE_RESULT_SIDE_MIN && (int64_t)w * h <= IMAGE_RESULT_PIXELS_MAX &&
           high <= (int64_t)low * IMAGE_SOURCE_RATIO_MAX;
}

/* The best allowed size near the wish: a few short sides in steps of 16, each with the two long
 * sides that come nearest to the ratio. */
static bool choose_size(double ratio, double pixels, struct fit_plan *out)
{
    enum { STEP = IMAGE_RESULT_SIDE_STEP, REACH = 3 };
    double stretch = ratio > 1 ? ratio : 1 / ratio, wish = sqrt(pixels / stretch), best = 0;
    bool found = false;

    // A small wish of an extreme ratio grows until its short side is long enough.
    if (wish < IMAGE_RESULT_SIDE_MIN)
        wish = IMAGE_RESULT_SIDE_MIN;
    for (int i = -REACH; i <= REACH; i++)
        for (int j = 0; j <= 1; j++) {
            int low = ((int)(wish / STEP) + i) * STEP;
            int high = ((int)(low * stretch / STEP) + j) * STEP;
            int w = ratio > 1 ? high : low, h = ratio > 1 ? low : high;
            if (!size_allowed(w, h))
                continue;
            double bad = badness(w, h, ratio, wish * wish * stretch);
            if (found && bad >= best)
                continue;
            found = true;
            best = bad;
            out->width = w;
            out->height = h;
        }
    return found;
}

static int round_side(int wanted)
{
    return (wanted + IMAGE_RESULT_SIDE_STEP / 2) / IMAGE_RESULT_SIDE_STEP * IMAGE_RESULT_SIDE_STEP;
}

static enum err size_of_result(int src_w, int src_h, const struct fit_request *want,
                               struct fit_plan *out, struct err_note *note)
{
    if (want->width || want->height) {
        if (want->width < 1 || want->height < 1 || want->width > IMAGE_RESULT_PIXELS_MAX ||
            want->height > IMAGE_RESULT_PIXELS_MAX)
            return err_set(note, ERR_INVALID, "a size needs a width and a height");
        out->width = round_side(want->width);
        out->height = round_side(want->height);
        if (!size_allowed(out->width, out->height))
            return err_set(note, ERR_INVALID,
                           "%d x %d cannot be made: sides are at least %d, at most %d:1, together "
                           "at most %d pixels",
                           want->width, want->height, IMAGE_RESULT_SIDE_MIN, IMAGE_SOURCE_RATIO_MAX,
                           IMAGE_RESULT_PIXELS_MAX);
        return ERR_OK;
    }
    bool given = want->ar_w || want->ar_h;
    int ar_w = given ? want->ar_w : src_w, ar_h = given ? want->ar_h : src_h;
    if (ar_w < 1 || ar_h < 1 || ar_w > (int64_t)ar_h * IMAGE_SOURCE_RATIO_MAX ||
        ar_h > (int64_t)ar_w * IMAGE_SOURCE_RATIO_MAX)
        return err_set(note, ERR_INVALID, "the aspect ratio %d:%d is beyond %d:1", ar_w, ar_h,
                       IMAGE_SOURCE_RATIO_MAX);
    if (want->pixels < 1 || want->pixels > IMAGE_RESULT_PIXELS_MAX)
        return err_set(note, ERR_INVALID, "a result has between 1 and %d pixels",
                       IMAGE_RESULT_PIXELS_MAX);
    if (!choose_size((double)ar_w / ar_h, (double)want->pixels, out))
        return err_set(note, ERR_INVALID, "no size fits %d:%d with %lld pixels", ar_w, ar_h,
                       (long long)want->pixels);
    return ERR_OK;
}

enum err fit_plan(int src_w, int src_h, const struct fit_request *want, struct fit_plan *out,
                  struct err_note *note)
{
    struct fit_plan plan = {0};

    if (src_w < 1 || src_h < 1)
        return err_set(note, ERR_INVALID, "the source has no pixels");
    enum err e = size_of_result(src_w, src_h, want, &plan, note);
    if (e)
        return e;
    plan.crop_w = src_w;
    plan.crop_h = src_h;
    if ((int64_t)src_w * plan.height > (int64_t)src_h * plan.width)
        plan.crop_w = (double)src_h * plan.width / plan.height;
    else
        plan.crop_h = (double)src_w * plan.height / plan.width;
    plan.crop_x = (src_w - plan.crop_w) / 2;
    plan.crop_y = (src_h - plan.crop_h) / 2;
    plan.cut = 1 - plan.crop_w * plan.crop_h / ((double)src_w * src_h);
    plan.enlarged = plan.crop_w < plan.width;
    *out = plan;
    return ERR_OK;
}
