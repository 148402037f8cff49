/* SPDX-License-Identifier: MIT */
#include "image/codec_internal.h"
#include "image/profile.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/*
 * PNG by libpng, whose errors longjmp: this file is the box they stay in. All state lives in struct
 * reader, outside the function that calls setjmp, so nothing is lost by a jump.
 *
 * An APNG's default image is what a decoder that knows nothing of animation shows: libpng does so
 * by itself.
 */

enum {
    /* Ancillary chunks expand when inflated (iCCP) or pile up: real profiles stay below 4 MB. */
    CHUNK_BYTES_MAX = 8 * 1024 * 1024,
    CHUNK_COUNT_MAX = 1000
};

struct reader {
    png_structp png;
    png_infop info;
    struct decode *decode;
    size_t at; /* bytes consumed */
    bool cut;  /* an error came from the end of the data */
    char message[128];
    int passes, sample_bytes;
    struct profile *profile;
    uint8_t *rows; /* a band, or the whole picture when it is interlaced */
    uint8_t *band; /* 8-bit rows, when `rows` has 16-bit ones */
    enum err result;
};

static void on_error(png_structp png, png_const_charp text)
{
    struct reader *r = png_get_error_ptr(png);

    snprintf(r->message, sizeof(r->message), "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png, (void)text; // never prints
}

static void on_read(png_structp png, png_bytep to, size_t n)
{
    struct reader *r = png_get_io_ptr(png);

    if (n > r->decode->len - r->at) {
        r->cut = true;
        png_error(png, "premature end of the PNG data");
    }
    memcpy(to, r->decode->data + r->at, n);
    r->at += n;
}

static void set_limits(png_structp png)
{
    // Text is not looked at, and never inflated.
    static const png_byte skipped[] = "tEXt\0zTXt\0iTXt\0sPLT\0hIST\0tIME\0pCAL\0sCAL\0oFFs\0eXIf";

    png_set_user_limits(png, IMAGE_SOURCE_SIDE_MAX, IMAGE_SOURCE_SIDE_MAX);
    png_set_chunk_malloc_max(png, CHUNK_BYTES_MAX);
    png_set_chunk_cache_max(png, CHUNK_COUNT_MAX);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, skipped, (int)(sizeof(skipped) / 5));
}

// iCCP wins over sRGB, sRGB over gAMA and cHRM (PNG, third edition, 4.3). cHRM alone says nothing.
static struct profile *find_profile(struct reader *r, bool grey)
{
    png_charp name;
    png_bytep icc;
    png_uint_32 len;
    int method, intent;
    double gamma;
    struct chromaticities c;

    if (png_get_iCCP(r->png, r->info, &name, &method, &icc, &len))
        return profile_from_icc(icc, len, grey ? PROFILE_GREY : PROFILE_RGB, r->sample_bytes);
    if (png_get_sRGB(r->png, r->info, &intent))
        return NULL;
    if (!png_get_gAMA(r->png, r->info, &gamma) || !(gamma > 0))
        return NULL;
    bool primaries = png_get_cHRM(r->png, r->info, &c.xy[0], &c.xy[1], &c.xy[2], &c.xy[3], &c.xy[4],
                                  &c.xy[5], &c.xy[6], &c.xy[7]);
    // 1/2.2 without primaries is how sRGB was written before the sRGB chunk.
    if (!primaries && gamma > 0.45 && gamma < 0.46)
        return NULL;
    return profile_from_gamma(1 / gamma, primaries ? &c : NULL, r->sample_bytes);
}

static bool is_16_bit(struct reader *r)
{
    return png_get_bit_depth(r->png, r->info) == 16;
}

static void set_transforms(struct reader *r)
{
    png_structp png = r->png;
    bool grey = !(png_get_color_type(png, r->info) & PNG_COLOR_MASK_COLOR);
    const uint16_t one = 1;

    r->sample_bytes = is_16_bit(r) ? 2 : 1;
    r->profile = find_profile(r, grey);
    png_set_expand(png); // palettes, 1..4 bit grey, tRNS
    if (grey)
        png_set_gray_to_rgb(png);
    png_set_add_alpha(png, 0xFFFF, PNG_FILLER_AFTER);
    if (r->sample_bytes == 2 && !r->profile) {
        png_set_scale_16(png);
        r->sample_bytes = 1;
    } else if (r->sample_bytes == 2 && *(const uint8_t *)&one == 1) {
        png_set_swap(png);
    }
    r->passes = png_set_interlace_handling(png);
    png_read_update_info(png, r->info);
}

static void put_rows(struct reader *r, int y, int n, uint8_t *rows)
{
    uint8_t *out = r->band ? r->band : rows;

    if (r->profile)
        profile_row(r->profile, rows, out, (size_t)n * (size_t)r->decode->stored_width);
    decode_put_rows(r->decode, y, n, out);
}

static void read_interlaced(struct reader *r, size_t row_bytes, int height)
{
    for (int pass = 0; pass < r->passes; pass++)
        for (int y = 0; y < height; y++)
            png_read_row(r->png, r->rows + row_bytes * (size_t)y, NULL);
    for (int y = 0; y < height; y += DECODE_BAND_ROWS) {
        int n = height - y < DECODE_BAND_ROWS ? height - y : DECODE_BAND_ROWS;
        put_rows(r, y, n, r->rows + row_bytes * (size_t)y);
    }
}

static void read_straight(struct reader *r, size_t row_bytes, int height)
{
    for (int y = 0; y < height; y += DECODE_BAND_ROWS) {
        int n = height - y < DECODE_BAND_ROWS ? height - y : DECODE_BAND_ROWS;
        for (int i = 0; i < n; i++)
            png_read_row(r->png, r->rows + row_bytes * (size_t)i, NULL);
        put_rows(r, y, n, r->rows);
    }
}

static void read_picture(struct reader *r)
{
    struct decode *d = r->decode;
    int width = d->info.width, height = d->info.height;

    png_set_read_fn(r->png, r, on_read);
    set_limits(r->png);
    png_read_info(r->png, r->info);
    set_transforms(r);

    r->result = decode_begin(d, width, height);
    if (r->result)
        return;
    size_t row_bytes = 4 * (size_t)width * (size_t)r->sample_bytes;
    if (png_get_rowbytes(r->png, r->info) != row_bytes)
        png_error(r->png, "the PNG has an impossible row length");
    size_t rows = r->passes > 1 ? (size_t)height : DECODE_BAND_ROWS;
    r->rows = calloc(rows, row_bytes);
    if (r->sample_bytes == 2)
        r->band = malloc(4 * (size_t)width * DECODE_BAND_ROWS);
    if (!r->rows || (r->sample_bytes == 2 && !r->band)) {
        r->result = ERR_NOMEM;
        return;
    }
    if (r->passes > 1)
        read_interlaced(r, row_bytes, height);
    else
        read_straight(r, row_bytes, height);
    png_read_end(r->png, NULL);
}

static void read_guarded(struct reader *r)
{
    if (setjmp(png_jmpbuf(r->png)) == 0)
        read_picture(r);
    else if (r->cut)
        r->result = err_set(r->decode->note, ERR_CORRUPT, "%s", r->message);
    else if (strstr(r->message, "emory"))
        r->result = ERR_NOMEM; // libpng has no codes: "Out of memory", "Insufficient memory..."
    else
        r->result = err_set(r->decode->note, ERR_CORRUPT, "corrupt PNG: %s", r->message);
}

enum err decode_png(struct decode *d)
{
    struct reader r = {.decode = d};

    r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
    if (r.png)
        r.info = png_create_info_struct(r.png);
    if (!r.info)
        r.result = ERR_NOMEM;
    else
        read_guarded(&r);
    png_destroy_read_struct(&r.png, &r.info, NULL);
    profile_free(r.profile);
    free(r.rows);
    free(r.band);
    return r.result;
}
