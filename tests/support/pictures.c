/* SPDX-License-Identifier: MIT */
#include "support/pictures.h"

#include "base/rand.h"
#include "unit/unit.h"

#include <jpeglib.h>
#include <lcms2.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <webp/encode.h>
#include <webp/mux.h>

struct image picture_scene(int width, int height)
{
    struct image im;

    assert_int_equal(image_new(&im, width, height), ERR_OK);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t *px = im.px + im.stride * (size_t)y + 4 * (size_t)x;
            bool disc = (x - width / 3) * (x - width / 3) + (y - height / 4) * (y - height / 4) <
                        width * height / 36;
            px[0] = (uint8_t)(40 + 200 * x / width);
            px[1] = (uint8_t)(30 + 190 * y / height);
            px[2] = disc ? 220 : 60;
            px[3] = 255;
        }
    return im;
}

struct image picture_noise(int width, int height, uint32_t seed, bool alpha)
{
    struct image im;

    assert_int_equal(image_new(&im, width, height), ERR_OK);
    im.has_alpha = alpha;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint32_t v = hash_u32((uint32_t)x, (uint32_t)y, seed);
            uint8_t *px = im.px + im.stride * (size_t)y + 4 * (size_t)x;
            memcpy(px, &v, 4);
            if (!alpha)
                px[3] = 255;
        }
    return im;
}

struct buf picture_exif(int orientation, bool little_endian)
{
    static const uint8_t big[] = {'M', 'M', 0, 42, 0, 0,   0, 8, 0, 2, 1,    0x0F, 0,
                                  2,   0,   0, 0,  2, 'x', 0, 0, 0, 1, 0x12, 0,    3,
                                  0,   0,   0, 1,  0, 0,   0, 0, 0, 0, 0,    0};
    static const uint8_t little[] = {'I', 'I', 42, 0, 8, 0,   0, 0, 2, 0,    0x0F, 1, 2,
                                     0,   2,   0,  0, 0, 'x', 0, 0, 0, 0x12, 1,    3, 0,
                                     1,   0,   0,  0, 0, 0,   0, 0, 0, 0,    0,    0};
    struct buf b = BUF_INIT;

    buf_add(&b, little_endian ? little : big, sizeof(big));
    b.data[little_endian ? 30 : 31] = (char)orientation;
    return b;
}

static struct buf save_profile(cmsHPROFILE p)
{
    struct buf b = BUF_INIT;
    cmsUInt32Number n = 0;

    assert_non_null(p);
    assert_true(cmsSaveProfileToMem(p, NULL, &n));
    assert_true(buf_reserve(&b, n));
    assert_true(cmsSaveProfileToMem(p, b.data, &n));
    b.len = n;
    cmsCloseProfile(p);
    return b;
}

struct buf picture_swapped_profile(void)
{
    const cmsCIExyY white = {0.3127, 0.3290, 1};
    const cmsCIExyYTRIPLE swapped = {{0.15, 0.06, 1}, {0.30, 0.60, 1}, {0.64, 0.33, 1}};
    cmsToneCurve *c = cmsBuildParametricToneCurve(
        NULL, 4, (double[]){2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045});
    cmsHPROFILE p = cmsCreateRGBProfile(&white, &swapped, (cmsToneCurve *[]){c, c, c});

    cmsFreeToneCurve(c);
    return save_profile(p);
}

struct buf picture_linear_grey_profile(void)
{
    const cmsCIExyY white = {0.3127, 0.3290, 1};
    cmsToneCurve *c = cmsBuildGamma(NULL, 1);
    cmsHPROFILE p = cmsCreateGrayProfile(&white, c);

    cmsFreeToneCurve(c);
    return save_profile(p);
}

static void set_bomb_scans(struct jpeg_compress_struct *c, int scans)
{
    // One scan for all DC, then first passes over AC that only differ in their band.
    jpeg_scan_info *s =
        c->mem->alloc_small((j_common_ptr)c, JPOOL_PERMANENT, sizeof(*s) * (size_t)(scans + 1));

    memset(s, 0, sizeof(*s) * (size_t)(scans + 1));
    s[0].comps_in_scan = 3;
    for (int i = 0; i < 3; i++)
        s[0].component_index[i] = i;
    for (int i = 0; i < scans - 1; i++) {
        s[i + 1].comps_in_scan = 1;
        s[i + 1].component_index[0] = i / 63;
        s[i + 1].Ss = s[i + 1].Se = i % 63 + 1;
    }
    c->scan_info = s;
    c->num_scans = scans;
}

static void jpeg_row(const struct image *im, const struct jpeg_spec *spec, int y, uint8_t *row)
{
    const uint8_t *px = im->px + im->stride * (size_t)y;
    bool ink = spec->cmyk || spec->ycck;

    for (int x = 0; x < im->width; x++, px += 4) {
        if (spec->grey) {
            row[x] = px[0];
        } else if (ink) {
            // The scene as ink with half the darkness in black.
            for (int c = 0; c < 3; c++)
                row[4 * x + c] = (uint8_t)(spec->adobe ? px[c] : 255 - px[c]);
            row[4 * x + 3] = spec->adobe ? 200 : 55;
        } else {
            memcpy(row + 3 * x, px, 3);
        }
    }
}

struct buf picture_jpeg(const struct image *im, const struct jpeg_spec *spec)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    unsigned char *data = NULL;
    unsigned long len = 0;
    struct buf out = BUF_INIT;
    uint8_t *row = malloc(4 * (size_t)im->width);

    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &data, &len);
    c.image_width = (JDIMENSION)im->width;
    c.image_height = (JDIMENSION)im->height;
    bool ink = spec->cmyk || spec->ycck;
    c.input_components = spec->grey ? 1 : ink ? 4 : 3;
    c.in_color_space = spec->grey ? JCS_GRAYSCALE : ink ? JCS_CMYK : JCS_RGB;
    jpeg_set_defaults(&c);
    if (spec->ycck)
        jpeg_set_colorspace(&c, JCS_YCCK);
    c.write_Adobe_marker = spec->adobe || spec->ycck;
    jpeg_set_quality(&c, 95, TRUE);
    if (!spec->grey)
        c.comp_info[0].h_samp_factor = c.comp_info[0].v_samp_factor = spec->sampling == 2 ? 2 : 1;
    if (spec->scans)
        set_bomb_scans(&c, spec->scans);
    else if (spec->progressive)
        jpeg_simple_progression(&c);
    jpeg_start_compress(&c, TRUE);
    if (spec->orientation) {
        struct buf exif = picture_exif(spec->orientation, spec->orientation % 2);
        struct buf app1 = BUF_INIT;
        buf_add(&app1, "Exif\0", 6);
        buf_add(&app1, exif.data, exif.len);
        jpeg_write_marker(&c, JPEG_APP0 + 1, (uint8_t *)app1.data, (unsigned)app1.len);
        buf_release(&app1);
        buf_release(&exif);
    }
    if (spec->icc)
        jpeg_write_icc_profile(&c, (uint8_t *)spec->icc->data, (unsigned)spec->icc->len);
    for (int y = 0; y < im->height; y++) {
        jpeg_row(im, spec, y, row);
        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    buf_add(&out, data, len);
    free(data);
    free(row);
    return out;
}

static void png_out(png_structp png, png_bytep data, size_t n)
{
    buf_add(png_get_io_ptr(png), data, n);
}

static void png_flush(png_structp png)
{
    (void)png;
}

static void png_palette(png_structp png, png_infop info, int depth, bool clear_first)
{
    png_color colour[256];
    int n = 1 << depth;

    for (int i = 0; i < n; i++) // entries run backwards, so that an index is no grey by chance
        colour[i].red = colour[i].green = colour[i].blue = (png_byte)(255 - 255 * i / (n - 1));
    png_set_PLTE(png, info, colour, n);
    if (clear_first)
        png_set_tRNS(png, info, (png_byte[]){0}, 1, NULL);
}

static void png_colour_chunks(png_structp png, png_infop info, const struct png_spec *s)
{
    const double *c = s->chromaticities;

    if (s->gamma > 0)
        png_set_gAMA(png, info, s->gamma);
    if (c)
        png_set_cHRM(png, info, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]);
    if (s->srgb)
        png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
    if (s->icc)
        png_set_iCCP(png, info, "test", 0, (png_const_bytep)s->icc->data, (unsigned)s->icc->len);
    if (s->orientation) {
        struct buf exif = picture_exif(s->orientation, s->orientation % 2);
        png_set_eXIf_1(png, info, (unsigned)exif.len, (png_bytep)exif.data);
        buf_release(&exif);
    }
}

// One row as the file stores it, from the scene's bytes (16 bits: the byte twice).
static void png_row(const struct image *im, const struct png_spec *s, int depth, int y,
                    uint8_t *row)
{
    const uint8_t *px = im->px + im->stride * (size_t)y;
    bool single = s->grey || s->palette;
    int channels = (single ? 1 : 3) + (s->opaque || s->palette ? 0 : 1);

    memset(row, 0, 8 * (size_t)im->width);
    for (int x = 0; x < im->width; x++, px += 4)
        for (int c = 0; c < channels; c++) {
            bool alpha = c == channels - 1 && !(s->opaque || s->palette);
            unsigned v = px[alpha ? 3 : c];
            int i = x * channels + c;
            if (depth == 16) {
                row[2 * i] = row[2 * i + 1] = (uint8_t)v;
            } else if (depth == 8) {
                row[i] = (uint8_t)(s->palette ? 255 - v : v);
            } else {
                v >>= 8 - depth;
                if (s->palette)
                    v = (1u << depth) - 1 - v;
                row[i * depth / 8] |= (uint8_t)(v << (8 - depth - i * depth % 8));
            }
        }
}

static void png_key(png_structp png, png_infop info, const struct image *im, int depth)
{
    unsigned scale = depth == 16 ? 257 : 1;
    png_color_16 key = {.red = (png_uint_16)(im->px[0] * scale),
                        .green = (png_uint_16)(im->px[1] * scale),
                        .blue = (png_uint_16)(im->px[2] * scale),
                        .gray = (png_uint_16)(im->px[0] * scale)};

    png_set_tRNS(png, info, NULL, 0, &key);
}

struct buf picture_png(const struct image *im, const struct png_spec *spec)
{
    struct buf out = BUF_INIT;
    int depth = spec->depth ? spec->depth : 8;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    int type = spec->palette ? PNG_COLOR_TYPE_PALETTE
                             : (spec->grey ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB) |
                                   (spec->opaque ? 0 : PNG_COLOR_MASK_ALPHA);
    uint8_t *row = malloc(8 * (size_t)im->width);

    png_set_write_fn(png, &out, png_out, png_flush);
    png_set_IHDR(png, info, (unsigned)im->width, (unsigned)im->height, depth, type,
                 spec->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 0, 0);
    png_colour_chunks(png, info, spec);
    if (spec->palette)
        png_palette(png, info, depth, spec->transparent_key);
    else if (spec->transparent_key)
        png_key(png, info, im, depth);
    png_write_info(png, info);
    if (spec->animated)
        png_write_chunk(png, (png_const_bytep) "acTL", (uint8_t[]){0, 0, 0, 2, 0, 0, 0, 0}, 8);
    int passes = png_set_interlace_handling(png);
    for (int p = 0; p < passes; p++)
        for (int y = 0; y < im->height; y++) {
            png_row(im, spec, depth, y, row);
            png_write_row(png, row);
        }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    free(row);
    assert_false(out.failed);
    return out;
}

static struct buf webp_frame(const struct image *im, bool lossless)
{
    uint8_t *data;
    struct buf out = BUF_INIT;
    int w = im->width, h = im->height, stride = (int)im->stride;
    size_t n;

    if (lossless) {
        WebPConfig config;
        WebPPicture p;
        WebPMemoryWriter to;
        WebPMemoryWriterInit(&to);
        assert_true(WebPConfigInit(&config) && WebPConfigLosslessPreset(&config, 3) &&
                    WebPPictureInit(&p));
        config.exact = 1;
        p.use_argb = 1;
        p.width = w;
        p.height = h;
        p.writer = WebPMemoryWrite;
        p.custom_ptr = &to;
        assert_true(WebPPictureImportRGBA(&p, im->px, stride) && WebPEncode(&config, &p));
        WebPPictureFree(&p);
        data = to.mem;
        n = to.size;
    } else {
        n = im->has_alpha ? WebPEncodeRGBA(im->px, w, h, stride, 90, &data) : 0;
        if (!im->has_alpha) {
            struct image three; // packed rows of RGB
            assert_int_equal(image_new(&three, w, h), ERR_OK);
            for (int i = 0; i < w * h; i++)
                memcpy(three.px + 3 * i, im->px + im->stride * (size_t)(i / w) + 4 * (i % w), 3);
            n = WebPEncodeRGB(three.px, w, h, 3 * w, 90, &data);
            image_release(&three);
        }
    }
    assert_true(n > 0);
    buf_add(&out, data, n);
    WebPFree(data);
    return out;
}

static void webp_animate(WebPMux *mux, const WebPData *frame, const struct image *im)
{
    WebPMuxFrameInfo info = {.bitstream = *frame,
                             .x_offset = 2,
                             .y_offset = 4,
                             .duration = 100,
                             .id = WEBP_CHUNK_ANMF,
                             .blend_method = WEBP_MUX_BLEND};
    WebPMuxAnimParams params = {0xFFFF0000, 0}; // an opaque background, which is only a hint

    assert_int_equal(WebPMuxPushFrame(mux, &info, 1), WEBP_MUX_OK);
    info.x_offset = 0;
    assert_int_equal(WebPMuxPushFrame(mux, &info, 1), WEBP_MUX_OK);
    assert_int_equal(WebPMuxSetAnimationParams(mux, &params), WEBP_MUX_OK);
    assert_int_equal(WebPMuxSetCanvasSize(mux, im->width + 6, im->height + 8), WEBP_MUX_OK);
}

struct buf picture_webp(const struct image *im, const struct webp_spec *spec)
{
    struct buf frame = webp_frame(im, spec->lossless), out = BUF_INIT;
    const WebPData bytes = {(uint8_t *)frame.data, frame.len};
    WebPData file;

    if (!spec->animated && !spec->icc && !spec->orientation)
        return frame;
    WebPMux *mux = WebPMuxNew();
    if (spec->animated)
        webp_animate(mux, &bytes, im);
    else
        assert_int_equal(WebPMuxSetImage(mux, &bytes, 1), WEBP_MUX_OK);
    if (spec->icc) {
        const WebPData icc = {(uint8_t *)spec->icc->data, spec->icc->len};
        assert_int_equal(WebPMuxSetChunk(mux, "ICCP", &icc, 1), WEBP_MUX_OK);
    }
    if (spec->orientation) {
        struct buf exif = picture_exif(spec->orientation, spec->orientation % 2);
        const WebPData block = {(uint8_t *)exif.data, exif.len};
        assert_int_equal(WebPMuxSetChunk(mux, "EXIF", &block, 1), WEBP_MUX_OK);
        buf_release(&exif);
    }
    assert_int_equal(WebPMuxAssemble(mux, &file), WEBP_MUX_OK);
    WebPMuxDelete(mux);
    buf_add(&out, file.bytes, file.size);
    WebPDataClear(&file);
    buf_release(&frame);
    return out;
}

static uint8_t *give_memory(void *ctx, const struct codec_header *header)
{
    struct image *im = ctx;

    if (image_new(im, header->width, header->height))
        return NULL;
    im->has_alpha = header->info.has_alpha;
    return im->px;
}

enum err picture_decode(const void *data, size_t len, int64_t want_pixels, struct image *out,
                        struct codec_header *header, struct err_note *note)
{
    const struct codec_decode_options o = {want_pixels};
    struct codec_header unused;
    struct image im = {0};

    // A copy of exact size, so that a sanitizer sees every byte read too far.
    uint8_t *copy = malloc(len ? len : 1);
    if (len)
        memcpy(copy, data, len);
    enum err e = codec_decode(copy, len, &o, give_memory, &im, header ? header : &unused, note);
    free(copy);
    if (e)
        image_release(&im);
    else
        *out = im;
    return e;
}

int picture_distance(const struct image *a, const struct image *b)
{
    int most = 0;

    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    for (int y = 0; y < a->height; y++)
        for (int i = 0; i < 4 * a->width; i++) {
            int d = abs(a->px[a->stride * (size_t)y + (size_t)i] -
                        b->px[b->stride * (size_t)y + (size_t)i]);
            most = d > most ? d : most;
        }
    return most;
}

struct image picture_upright(const struct image *stored, int orientation)
{
    int w = stored->width, h = stored->height;
    struct image up;

    assert_int_equal(orientation >= 5 ? image_new(&up, h, w) : image_new(&up, w, h), ERR_OK);
    for (int y = 0; y < up.height; y++)
        for (int x = 0; x < up.width; x++) {
            // Where the stored picture's row 0 and column 0 are, by the EXIF table.
            const int from[9][2] = {{x, y},         {x, y}, {w - 1 - x, y}, {w - 1 - x, h - 1 - y},
                                    {x, h - 1 - y}, {y, x}, {y, h - 1 - x}, {w - 1 - y, h - 1 - x},
                                    {w - 1 - y, x}};
            const int *f = from[orientation];
            memcpy(up.px + up.stride * (size_t)y + 4 * (size_t)x,
                   stored->px + stored->stride * (size_t)f[1] + 4 * (size_t)f[0], 4);
        }
    return up;
}
