/* SPDX-License-Identifier: MIT */
#include "image/codec.h"
#include "image/xmp.h"

// jpeglib.h wants stdio.h in front of it.
#include <stdio.h>

#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/*
 * JPEG writing by libjpeg-turbo; as in codec_jpeg.c its errors jump no further than this file.
 */

static const char xmp_name[] = "http://ns.adobe.com/xap/1.0/"; // with the NUL behind it

enum { SEGMENT_MAX = 65533, XMP_BYTES_MAX = SEGMENT_MAX - (int)sizeof(xmp_name) };

struct writer {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf bail;
    const struct image *image;
    const struct buf *app1;
    int quality;
    uint8_t *row;
    struct buf file;
    struct jpeg_destination_mgr to;
    uint8_t piece[16384]; /* what `to` writes into */
    enum err result;
};

static void on_error(j_common_ptr c)
{
    struct writer *w = c->client_data;

    w->result = c->err->msg_code == JERR_OUT_OF_MEMORY ? ERR_NOMEM : ERR_BUG;
    longjmp(w->bail, 1);
}

static void on_message(j_common_ptr c, int level)
{
    (void)c, (void)level; // never prints
}

static void start_piece(j_compress_ptr c)
{
    struct writer *w = c->client_data;

    w->to.next_output_byte = w->piece;
    w->to.free_in_buffer = sizeof(w->piece);
}

static boolean end_piece(j_compress_ptr c)
{
    struct writer *w = c->client_data;

    buf_add(&w->file, w->piece, sizeof(w->piece));
    start_piece(c);
    return TRUE;
}

static void end_file(j_compress_ptr c)
{
    struct writer *w = c->client_data;

    buf_add(&w->file, w->piece, sizeof(w->piece) - w->to.free_in_buffer);
}

static void write_picture(struct writer *w)
{
    struct jpeg_compress_struct *jpeg = &w->jpeg;
    const struct image *im = w->image;

    jpeg_create_compress(jpeg);
    w->to.init_destination = start_piece;
    w->to.empty_output_buffer = end_piece;
    w->to.term_destination = end_file;
    jpeg->dest = &w->to;
    jpeg->image_width = (JDIMENSION)im->width;
    jpeg->image_height = (JDIMENSION)im->height;
    jpeg->input_components = 4;
    jpeg->in_color_space = JCS_EXT_RGBX;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, w->quality, TRUE);
    jpeg->optimize_coding = TRUE;
    for (int i = 0; i < jpeg->num_components; i++) // 4:4:4: painted edges are of colour
        jpeg->comp_info[i].h_samp_factor = jpeg->comp_info[i].v_samp_factor = 1;
    jpeg_start_compress(jpeg, TRUE);
    if (w->app1->len)
        jpeg_write_marker(jpeg, JPEG_APP0 + 1, (const JOCTET *)w->app1->data,
                          (unsigned)w->app1->len);
    for (int y = 0; y < im->height; y++) {
        struct image row = {im->width, 1, 4 * (size_t)im->width, w->row, im->has_alpha, false};
        memcpy(w->row, im->px + im->stride * (size_t)y, row.stride);
        if (im->has_alpha)
            image_over_white(&row);
        jpeg_write_scanlines(jpeg, &row.px, 1);
    }
    jpeg_finish_compress(jpeg);
}

static void write_guarded(struct writer *w)
{
    if (setjmp(w->bail) == 0)
        write_picture(w);
}

enum err codec_encode_jpeg(const struct image *im, const struct codec_meta *meta, int quality,
                           struct buf *out)
{
    struct buf app1 = BUF_INIT;
    struct writer w = {.image = im, .app1 = &app1, .quality = quality, .file = BUF_INIT};

    if (quality < 0 || quality > 100)
        return ERR_INVALID;
    if (meta) {
        buf_add(&app1, xmp_name, sizeof(xmp_name));
        xmp_write(meta, XMP_BYTES_MAX, &app1);
    }
    w.row = malloc(4 * (size_t)im->width);
    if (!w.row || app1.failed) {
        w.result = ERR_NOMEM;
        goto out;
    }
    w.jpeg.err = jpeg_std_error(&w.errors);
    w.errors.error_exit = on_error;
    w.errors.emit_message = on_message;
    w.jpeg.client_data = &w;
    write_guarded(&w);
    jpeg_destroy_compress(&w.jpeg);
    if (w.result == ERR_OK && !w.file.failed)
        buf_add(out, w.file.data, w.file.len);
    if (w.result == ERR_OK && (w.file.failed || out->failed))
        w.result = ERR_NOMEM;
out:
    buf_release(&w.file);
    free(w.row);
    buf_release(&app1);
    return w.result;
}
