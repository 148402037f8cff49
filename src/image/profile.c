/* SPDX-License-Identifier: MIT */
#include "image/profile.h"

#include <lcms2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct profile {
    cmsContext cms;
    cmsHTRANSFORM transform;
    enum profile_pixel pixel;
    int sample_bytes;
    uint8_t (*grey)[4]; /* GREY: the colour of each level */
};

enum { LEVELS_8 = 256, LEVELS_16 = 65536 };

// The default handler does nothing too, but says so nowhere; strangers' profiles must not print.
static void ignore_message(cmsContext ctx, cmsUInt32Number code, const char *text)
{
    (void)ctx, (void)code, (void)text;
}

static cmsUInt32Number input_layout(enum profile_pixel pixel, int sample_bytes)
{
    cmsUInt32Number size = BYTES_SH((cmsUInt32Number)sample_bytes);

    switch (pixel) {
    case PROFILE_GREY:
        return size | COLORSPACE_SH(PT_GRAY) | CHANNELS_SH(1) | EXTRA_SH(3);
    case PROFILE_RGB:
        return size | COLORSPACE_SH(PT_RGB) | CHANNELS_SH(3) | EXTRA_SH(1);
    case PROFILE_CMYK:
        return size | COLORSPACE_SH(PT_CMYK) | CHANNELS_SH(4);
    default:
        return size | COLORSPACE_SH(PT_CMYK) | CHANNELS_SH(4) | FLAVOR_SH(1);
    }
}

static cmsColorSpaceSignature space_of(enum profile_pixel pixel)
{
    switch (pixel) {
    case PROFILE_GREY:
        return cmsSigGrayData;
    case PROFILE_RGB:
        return cmsSigRgbData;
    default:
        return cmsSigCmykData;
    }
}

// Whether the conversion moves no colour by more than one code: then it is not worth its time.
static bool changes_nothing(const struct profile *p)
{
    enum { STEPS = 6, STEP = 51, PROBES = STEPS * STEPS * STEPS + 256 };
    uint8_t probe[PROBES][4], out[PROBES][4];
    uint16_t wide[PROBES][4];
    int n = 0;

    if (p->pixel != PROFILE_RGB && p->pixel != PROFILE_GREY)
        return false;
    for (int i = 0; i < 256; i++, n++)
        memset(probe[n], i, 4);
    for (int i = 0; i < STEPS * STEPS * STEPS; i++, n++) {
        bool grey = p->pixel == PROFILE_GREY;
        probe[n][0] = (uint8_t)(i % STEPS * STEP);
        probe[n][1] = grey ? probe[n][0] : (uint8_t)(i / STEPS % STEPS * STEP);
        probe[n][2] = grey ? probe[n][0] : (uint8_t)(i / STEPS / STEPS * STEP);
        probe[n][3] = 255;
    }
    for (int i = 0; i < PROBES; i++)
        for (int c = 0; c < 4; c++)
            wide[i][c] = (uint16_t)(probe[i][c] * 257);
    profile_row(p, p->sample_bytes == 2 ? (const void *)wide : probe, out[0], PROBES);
    for (int i = 0; i < PROBES; i++)
        for (int c = 0; c < 3; c++)
            if (abs(out[i][c] - probe[i][c]) > 1)
                return false;
    return true;
}

/* Grey through a table of every level. lcms would interpolate between some of them, which misses
 * the darks of steep curves by ten codes; exactly, pixel by pixel, it is slow. */
static bool tabulate_grey(struct profile *p)
{
    size_t levels = p->sample_bytes == 2 ? LEVELS_16 : LEVELS_8;
    uint16_t(*level)[4] = calloc(levels, sizeof(*level));
    uint8_t(*grey)[4] = calloc(levels, sizeof(*grey));

    if (level && grey) {
        for (size_t i = 0; i < levels; i++)
            if (p->sample_bytes == 2)
                level[i][0] = (uint16_t)i;
            else
                ((uint8_t *)level)[4 * i] = (uint8_t)i;
        cmsDoTransform(p->transform, level, grey, (cmsUInt32Number)levels);
        p->grey = grey;
        grey = NULL;
    }
    free(level);
    free(grey);
    return p->grey;
}

static cmsContext quiet_context(void)
{
    cmsContext cms = cmsCreateContext(NULL, NULL);

    if (cms)
        cmsSetLogErrorHandlerTHR(cms, ignore_message);
    return cms;
}

// Takes the context and closes `from`.
static struct profile *profile_new(cmsContext cms, cmsHPROFILE from, enum profile_pixel pixel,
                                   int sample_bytes)
{
    enum { RGBA8 = COLORSPACE_SH(PT_RGB) | CHANNELS_SH(3) | EXTRA_SH(1) | BYTES_SH(1) };
    struct profile *p = NULL;
    cmsHTRANSFORM transform = NULL;
    cmsHPROFILE srgb = cmsCreate_sRGBProfileTHR(cms);

    if (srgb && from && cmsGetColorSpace(from) == space_of(pixel))
        transform = cmsCreateTransformTHR(cms, from, input_layout(pixel, sample_bytes), srgb, RGBA8,
                                          INTENT_PERCEPTUAL,
                                          pixel == PROFILE_GREY ? cmsFLAGS_NOOPTIMIZE : 0);
    if (transform)
        p = malloc(sizeof(*p));
    if (p)
        *p = (struct profile){cms, transform, pixel, sample_bytes, NULL};
    if (srgb)
        cmsCloseProfile(srgb);
    if (from)
        cmsCloseProfile(from);
    if (p && (pixel != PROFILE_GREY || tabulate_grey(p)) && !changes_nothing(p))
        return p;
    if (p)
        free(p->grey);
    if (transform)
        cmsDeleteTransform(transform);
    cmsDeleteContext(cms);
    free(p);
    return NULL;
}

struct profile *profile_from_icc(const void *icc, size_t len, enum profile_pixel pixel,
                                 int sample_bytes)
{
    cmsContext cms = quiet_context();

    if (!cms)
        return NULL;
    return profile_new(cms, cmsOpenProfileFromMemTHR(cms, icc, (cmsUInt32Number)len), pixel,
                       sample_bytes);
}

struct profile *profile_from_gamma(double gamma, const struct chromaticities *primaries,
                                   int sample_bytes)
{
    static const struct chromaticities srgb = {
        {0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06}};
    const double *xy = primaries ? primaries->xy : srgb.xy;
    cmsCIExyY white = {xy[0], xy[1], 1};
    cmsCIExyYTRIPLE rgb = {{xy[2], xy[3], 1}, {xy[4], xy[5], 1}, {xy[6], xy[7], 1}};
    cmsHPROFILE from = NULL;

    for (int i = 1; i < 8; i += 2)
        if (!(xy[i] > 0)) // y divides
            return NULL;
    cmsContext cms = quiet_context();
    if (!cms)
        return NULL;
    cmsToneCurve *curve = cmsBuildGamma(cms, gamma);
    if (curve)
        from = cmsCreateRGBProfileTHR(cms, &white, &rgb, (cmsToneCurve *[]){curve, curve, curve});
    cmsFreeToneCurve(curve);
    return profile_new(cms, from, PROFILE_RGB, sample_bytes);
}

void profile_free(struct profile *p)
{
    if (!p)
        return;
    cmsDeleteTransform(p->transform);
    cmsDeleteContext(p->cms);
    free(p->grey);
    free(p);
}

static void grey_row(const struct profile *p, const void *in, uint8_t *out, size_t n)
{
    const uint16_t *wide = in;
    const uint8_t *narrow = in;

    for (size_t i = 0; i < 4 * n; i += 4) {
        uint8_t alpha = out[i + 3];
        memcpy(out + i, p->grey[p->sample_bytes == 2 ? wide[i] : narrow[i]], 4);
        out[i + 3] = alpha;
    }
}

void profile_row(const struct profile *p, const void *in, uint8_t *out, size_t n)
{
    const uint16_t *wide = in;

    if (p->grey)
        grey_row(p, in, out, n);
    else
        cmsDoTransform(p->transform, in, out, (cmsUInt32Number)n);
    // The fourth byte of the output was passed over: in place, alpha stays by itself.
    if (p->pixel == PROFILE_CMYK || p->pixel == PROFILE_CMYK_INVERTED)
        for (size_t i = 0; i < n; i++)
            out[4 * i + 3] = 255;
    else if (p->sample_bytes == 2)
        for (size_t i = 0; i < n; i++)
            out[4 * i + 3] = (uint8_t)((wide[4 * i + 3] * 255u + 32895u) >> 16);
    else if (in != out)
        for (size_t i = 0; i < n; i++)
            out[4 * i + 3] = ((const uint8_t *)in)[4 * i + 3];
}
