/* SPDX-License-Identifier: MIT */
#include "image/codec_internal.h"
#include "image/profile.h"

// jpeglib.h wants stdio.h in front of it.
#include <stdio.h>

#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>
#include <stdlib.h>

/*
 * JPEG by libjpeg-turbo, whose errors longjmp: this file is the box they stay in. All state lives
 * in struct reader, outside the function that calls setjmp, so nothing is lost by a jump.
 *
 * libjpeg only warns about most damage and then invents grey pixels. Here every warning that means
 * "pixels are missing or wrong" ends the decode; what does not touch pixels is tolerated.
 */

enum {
    /* A progressive file may repeat tiny scans over the whole picture for as long as it likes, each
     * costing a pass over all coefficients. Encoders write about 10, the format's finest script
     * for three components has fewer than 100. */
    SCANS_MAX = 100
};

struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf bail;
    struct decode *decode;
    struct profile *profile;
    uint8_t *icc;
    uint8_t *band;
    enum err result;
};

static _Noreturn void fail(struct reader *r, enum err e, const char *text)
{
    r->result = err_set(r->decode->note, e, "%s", text);
    longjmp(r->bail, 1);
}

static enum err err_of(int code)
{
    switch (code) {
    case JERR_OUT_OF_MEMORY:
        return ERR_NOMEM;
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_ARITH_NOTIMPL:
    case JERR_NOT_COMPILED:
        return ERR_UNSUPPORTED;
    default:
        return ERR_CORRUPT;
    }
}

static void on_error(j_common_ptr c)
{
    struct reader *r = c->client_data;
    char text[JMSG_LENGTH_MAX];

    c->err->format_message(c, text);
    fail(r, err_of(c->err->msg_code), text);
}

static void on_message(j_common_ptr c, int level)
{
    struct reader *r = c->client_data;

    if (level >= 0)
        return;
    switch (c->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA: // stray bytes between markers
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
    case JWRN_BOGUS_ICC:
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_BOGUS_PROGRESSION: // odd, but every coefficient arrives
        return;
    case JWRN_JPEG_EOF:
        fail(r, ERR_CORRUPT, "premature end of the JPEG data");
    case JWRN_HIT_MARKER:
        fail(r, ERR_CORRUPT, "premature end of a JPEG scan");
    default:
        on_error(c);
    }
}

static void on_output(j_common_ptr c)
{
    (void)c; // never prints
}

static void on_progress(j_common_ptr c)
{
    struct reader *r = c->client_data;

    if (r->jpeg.input_scan_number > SCANS_MAX)
        fail(r, ERR_CORRUPT, "the JPEG has more than 100 scans");
}

// The smallest of libjpeg's scales, in eighths, whose area still reaches `want`.
static unsigned scale_for(int64_t width, int64_t height, int64_t want)
{
    if (want > 0)
        for (unsigned n = 1; n < 8; n++)
            if ((width * n + 7) / 8 * ((height * n + 7) / 8) >= want)
                return n;
    return 8;
}

// Without a profile, ink is taken as a filter in front of white: channel = (1 - ink)(1 - black).
static void cmyk_row(uint8_t *px, size_t n, bool inverted)
{
    for (size_t i = 0; i < n; i++, px += 4) {
        unsigned flip = inverted ? 0 : 255;
        unsigned k = px[3] ^ flip;
        for (int c = 0; c < 3; c++)
            px[c] = (uint8_t)(((px[c] ^ flip) * k + 127) / 255);
        px[3] = 255;
    }
}

static void load_profile(struct reader *r, enum profile_pixel pixel)
{
    unsigned len;

    if (jpeg_read_icc_profile(&r->jpeg, &r->icc, &len))
        r->profile = profile_from_icc(r->icc, len, pixel, 1);
}

static void read_rows(struct reader *r, bool cmyk)
{
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    size_t width = jpeg->output_width;

    while (jpeg->output_scanline < jpeg->output_height) {
        int y = (int)jpeg->output_scanline, n = 0;
        for (; n < DECODE_BAND_ROWS && jpeg->output_scanline < jpeg->output_height; n++) {
            JSAMPROW row = r->band + 4 * width * (size_t)n;
            if (jpeg_read_scanlines(jpeg, &row, 1) != 1)
                fail(r, ERR_CORRUPT, "premature end of the JPEG data");
        }
        size_t pixels = width * (size_t)n;
        if (r->profile)
            profile_row(r->profile, r->band, r->band, pixels);
        else if (cmyk)
            cmyk_row(r->band, pixels, jpeg->saw_Adobe_marker);
        decode_put_rows(r->decode, y, n, r->band);
    }
}

static void read_picture(struct reader *r)
{
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    struct decode *d = r->decode;

    jpeg_create_decompress(jpeg);
    jpeg_mem_src(jpeg, d->data, d->len);
    jpeg_save_markers(jpeg, JPEG_APP0 + 2, 0xFFFF);
    jpeg_read_header(jpeg, TRUE);
    if ((int)jpeg->image_width != d->info.width || (int)jpeg->image_height != d->info.height)
        fail(r, ERR_CORRUPT, "the JPEG has contradictory headers");

    bool cmyk = jpeg->num_components == 4;
    enum profile_pixel pixel = cmyk ? jpeg->saw_Adobe_marker ? PROFILE_CMYK_INVERTED : PROFILE_CMYK
                               : jpeg->num_components == 1 ? PROFILE_GREY
                                                           : PROFILE_RGB;
    load_profile(r, pixel);
    jpeg->out_color_space = cmyk ? JCS_CMYK : JCS_EXT_RGBA;
    jpeg->dct_method = JDCT_ISLOW; // the only one that is exact on every machine
    jpeg->scale_num = scale_for(d->info.width, d->info.height, d->want_pixels);
    jpeg->scale_denom = 8;
    r->progress.progress_monitor = on_progress;
    jpeg->progress = &r->progress;
    jpeg_calc_output_dimensions(jpeg);

    r->result = decode_begin(d, (int)jpeg->output_width, (int)jpeg->output_height);
    if (r->result)
        return;
    r->band = malloc(4 * (size_t)jpeg->output_width * DECODE_BAND_ROWS);
    if (!r->band) {
        r->result = ERR_NOMEM;
        return;
    }
    jpeg_start_decompress(jpeg);
    read_rows(r, cmyk);
    jpeg_finish_decompress(jpeg);
}

static void read_guarded(struct reader *r)
{
    if (setjmp(r->bail) == 0)
        read_picture(r);
}

enum err decode_jpeg(struct decode *d)
{
    struct reader r = {.decode = d};

    r.jpeg.err = jpeg_std_error(&r.errors);
    r.errors.error_exit = on_error;
    r.errors.emit_message = on_message;
    r.errors.output_message = on_output;
    r.jpeg.client_data = &r;
    read_guarded(&r);
    jpeg_destroy_decompress(&r.jpeg);
    profile_free(r.profile);
    free(r.icc);
    free(r.band);
    return r.result;
}
