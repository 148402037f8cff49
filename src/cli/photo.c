/* SPDX-License-Identifier: MIT */
#include "cli/photo.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUALITY = 90 }; // of .webp and .jpg

static enum err read_file(const char *path, struct buf *out, struct err_note *note)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;

    if (fd < 0)
        return err_errno(note, "opening it");
    // One byte past the limit is enough to know.
    while (out->len <= IMAGE_SOURCE_BYTES_MAX && buf_reserve(out, 1 << 16) &&
           (n = read(fd, out->data + out->len, 1 << 16)) > 0)
        out->len += (size_t)n;
    enum err e = ERR_OK;
    if (n < 0)
        e = err_errno(note, "reading it");
    else if (out->failed)
        e = err_set(note, ERR_NOMEM, "out of memory");
    else if (out->len > IMAGE_SOURCE_BYTES_MAX)
        e = err_set_reason(note, ERR_TOO_LARGE, "bytes", "it is larger than %d MB",
                           IMAGE_SOURCE_BYTES_MAX / 1000000);
    close(fd);
    return e;
}

// Told by the picture's size alone, upright.
typedef int64_t want_pixels_fn(const struct engine_job *job, int width, int height);

static int64_t want_of_source(const struct engine_job *job, int width, int height)
{
    struct engine_plan plan;

    engine_run_plan(NULL, &(struct engine_sizes){width, height, 0, 0}, job, &plan);
    return plan.source_pixels;
}

static int64_t want_of_style(const struct engine_job *job, int width, int height)
{
    struct engine_plan plan;

    engine_run_plan(NULL, &(struct engine_sizes){width, height, width, height}, job, &plan);
    return plan.style_pixels;
}

static enum err decode(const struct buf *file, const struct engine_job *job, want_pixels_fn *want,
                       const atomic_bool *cancel, struct decoded *out, bool *animated,
                       struct err_note *note)
{
    struct decoder_options options = DECODER_DEFAULTS;
    struct codec_decode_options how = {0};
    struct image_info info;
    struct decoder *decoder;

    enum err e = image_read_info(file->data, file->len, &info, note);
    if (e)
        return e;
    bool turned = info.orientation >= 5;
    *animated = info.animated;
    if (job)
        how.want_pixels =
            want(job, turned ? info.height : info.width, turned ? info.width : info.height);
    e = decoder_open(&options, &decoder, note);
    if (e)
        return e;
    e = decoder_decode(decoder, file->data, file->len, &how, cancel, out, note);
    decoder_close(decoder);
    return e;
}

static enum err read_photo(const char *path, const struct engine_job *job, want_pixels_fn *want,
                           const atomic_bool *cancel, struct decoded *out, bool *animated,
                           struct err_note *note)
{
    struct buf file = BUF_INIT;

    enum err e = read_file(path, &file, note);
    if (!e)
        e = decode(&file, job, want, cancel, out, animated, note);
    if (e)
        err_note_prefix(note, "%s", path);
    buf_release(&file);
    return e;
}

enum err photo_read(const char *path, const struct engine_job *job, const atomic_bool *cancel,
                    struct decoded *out, bool *animated, struct err_note *note)
{
    return read_photo(path, job, want_of_source, cancel, out, animated, note);
}

enum err photo_read_style(const char *path, const struct engine_job *job, const atomic_bool *cancel,
                          struct decoded *out, bool *animated, struct err_note *note)
{
    return read_photo(path, job, want_of_style, cancel, out, animated, note);
}

typedef enum err encode_fn(const struct image *im, const struct codec_meta *meta, struct buf *out);

static enum err encode_webp(const struct image *im, const struct codec_meta *meta, struct buf *out)
{
    return codec_encode_webp(im, meta, QUALITY, out);
}

static enum err encode_jpeg(const struct image *im, const struct codec_meta *meta, struct buf *out)
{
    return codec_encode_jpeg(im, meta, QUALITY, out);
}

static encode_fn *encoder_of(const char *path)
{
    static const struct {
        const char *ending;
        encode_fn *encode;
    } table[] = {
        {".png", codec_encode_png},
        {".webp", encode_webp},
        {".jpg", encode_jpeg},
        {".jpeg", encode_jpeg},
    };
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < sizeof table / sizeof *table; i++)
        if (strcasecmp(dot, table[i].ending) == 0)
            return table[i].encode;
    return NULL;
}

enum err photo_check_name(const char *path, struct err_note *note)
{
    if (!encoder_of(path))
        return err_set(note, ERR_UNSUPPORTED, "%s: name it .png, .webp or .jpg", path);
    return ERR_OK;
}

enum err photo_write(const char *path, const struct image *im, const struct codec_meta *meta,
                     struct err_note *note)
{
    struct buf file = BUF_INIT;
    char aside[PATH_MAX];
    encode_fn *encode = encoder_of(path);

    enum err e = encode ? encode(im, meta, &file) : photo_check_name(path, note);
    if (encode && (e || file.failed))
        e = err_set(note, ERR_NOMEM, "out of memory for %s", path);
    if (!e) {
        snprintf(aside, sizeof aside, "%s.part", path);
        int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        bool written = fd >= 0 && fd_write_all(fd, file.data, file.len);
        // What a network's disk could not take it says when the file is closed.
        if ((fd >= 0 && close(fd)) || !written || rename(aside, path)) {
            e = err_errno(note, "writing %s", path);
            if (fd >= 0)
                unlink(aside);
        }
    }
    buf_release(&file);
    return e;
}
