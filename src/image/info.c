/* SPDX-License-Identifier: MIT */
#include "image/bytes.h"
#include "image/exif.h"
#include "image/sniff.h"

#include <string.h>

/*
 * Headers without a codec: JPEG (ITU-T T.81 annex B), PNG (W3C PNG, third edition) and WebP
 * (RFC 9649). Nothing is read before its length has been checked.
 */

enum err image_check_size(int64_t width, int64_t height, struct err_note *note)
{
    int64_t high = width > height ? width : height, low = width > height ? height : width;

    if (low < 1)
        return err_set(note, ERR_CORRUPT, "the picture has no pixels");
    if (high > IMAGE_SOURCE_SIDE_MAX)
        return err_set_reason(note, ERR_TOO_LARGE, "side",
                              "the picture is %lld x %lld; a side may have at most %d pixels",
                              (long long)width, (long long)height, IMAGE_SOURCE_SIDE_MAX);
    if (width * height > IMAGE_SOURCE_PIXELS_MAX)
        return err_set_reason(note, ERR_TOO_LARGE, "pixels",
                              "the picture is %lld x %lld; at most %d megapixels are accepted",
                              (long long)width, (long long)height,
                              IMAGE_SOURCE_PIXELS_MAX / 1000000);
    if (high > low * IMAGE_SOURCE_RATIO_MAX)
        return err_set_reason(note, ERR_TOO_LARGE, "ratio",
                              "the picture is %lld x %lld; one side may be at most %d times the "
                              "other",
                              (long long)width, (long long)height, IMAGE_SOURCE_RATIO_MAX);
    return ERR_OK;
}

static enum err cut(struct err_note *note, const char *format)
{
    return err_set(note, ERR_CORRUPT, "premature end: the %s header is cut off", format);
}

static bool jpeg_is_frame(uint8_t marker)
{
    // SOF0..SOF15 but for DHT, JPG and DAC, which share the range.
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

static bool jpeg_stands_alone(uint8_t marker)
{
    return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
}

static enum err read_jpeg(const uint8_t *p, size_t len, struct image_info *out,
                          struct err_note *note)
{
    size_t at = 2;

    for (;;) {
        // Stray bytes between markers are tolerated, as decoders do.
        while (at < len && p[at] != 0xFF)
            at++;
        while (at < len && p[at] == 0xFF)
            at++;
        if (at == len)
            return cut(note, "JPEG");
        uint8_t marker = p[at++];
        if (marker == 0 || jpeg_stands_alone(marker))
            continue;
        if (marker == 0xD9 || marker == 0xDA)
            return err_set(note, ERR_CORRUPT, "the JPEG has no frame header");
        if (len - at < 2)
            return cut(note, "JPEG");
        size_t segment = be16(p + at);
        if (segment < 2)
            return err_set(note, ERR_CORRUPT, "a JPEG segment has a length below 2");
        if (segment > len - at)
            return cut(note, "JPEG");
        const uint8_t *body = p + at + 2;
        if (marker == 0xE1 && segment >= 8 && memcmp(body, "Exif\0\0", 6) == 0)
            out->orientation = exif_orientation(body, segment - 2);
        if (jpeg_is_frame(marker)) {
            if (segment < 8)
                return err_set(note, ERR_CORRUPT, "the JPEG frame header is too short");
            out->height = (int)be16(body + 1);
            out->width = (int)be16(body + 3);
            return ERR_OK;
        }
        at += segment;
    }
}

static enum err read_png(const uint8_t *p, size_t len, struct image_info *out,
                         struct err_note *note)
{
    enum { SIGNATURE = 8, FRAME = 12, IHDR = 13 }; // FRAME: length, type and CRC of a chunk
    bool data_seen = false;

    if (len < SIGNATURE + FRAME + IHDR)
        return cut(note, "PNG");
    if (be32(p + 8) != IHDR || memcmp(p + 12, "IHDR", 4) != 0)
        return err_set(note, ERR_CORRUPT, "the PNG does not begin with its header");
    uint32_t w = be32(p + 16), h = be32(p + 20);
    uint8_t type = p[25];
    if (w == 0 || h == 0 || w > INT32_MAX || h > INT32_MAX)
        return err_set(note, ERR_CORRUPT, "the PNG header gives an impossible size");
    out->width = (int)w;
    out->height = (int)h;
    out->has_alpha = type == 4 || type == 6;
    for (size_t at = SIGNATURE + FRAME + IHDR;;) {
        if (len - at < FRAME)
            return data_seen ? ERR_OK : cut(note, "PNG");
        size_t size = be32(p + at);
        const uint8_t *name = p + at + 4, *body = p + at + 8;
        if (size > len - at - FRAME)
            return data_seen || memcmp(name, "IDAT", 4) == 0 ? ERR_OK : cut(note, "PNG");
        if (memcmp(name, "IEND", 4) == 0)
            return data_seen ? ERR_OK : err_set(note, ERR_CORRUPT, "the PNG has no pixels");
        if (memcmp(name, "IDAT", 4) == 0)
            data_seen = true;
        else if (memcmp(name, "tRNS", 4) == 0)
            out->has_alpha = true;
        else if (memcmp(name, "acTL", 4) == 0)
            out->animated = true;
        else if (memcmp(name, "eXIf", 4) == 0)
            out->orientation = exif_orientation(body, size);
        at += FRAME + size;
    }
}

static bool webp_frame_size(const uint8_t *name, const uint8_t *body, size_t size,
                            struct image_info *out)
{
    if (memcmp(name, "VP8 ", 4) == 0) {
        if (size < 10 || memcmp(body + 3, "\x9D\x01\x2A", 3) != 0)
            return false;
        out->width = (int)(le16(body + 6) & 0x3FFF);
        out->height = (int)(le16(body + 8) & 0x3FFF);
    } else {
        if (size < 5 || body[0] != 0x2F)
            return false;
        uint32_t bits = le32(body + 1);
        out->width = (int)(bits & 0x3FFF) + 1;
        out->height = (int)(bits >> 14 & 0x3FFF) + 1;
        out->has_alpha = bits >> 28 & 1;
    }
    return true;
}

static enum err read_webp(const uint8_t *p, size_t len, struct image_info *out,
                          struct err_note *note)
{
    enum { RIFF = 12, CHUNK = 8, VP8X = 10, HAS_ALPHA = 0x10, IS_ANIMATED = 0x02 };
    size_t end = 8 + (size_t)le32(p + 4);

    if (end > len)
        return cut(note, "WebP");
    if (end < RIFF + CHUNK)
        return err_set(note, ERR_CORRUPT, "the WebP is empty");
    const uint8_t *name = p + RIFF;
    size_t size = le32(p + RIFF + 4);
    if (size > end - RIFF - CHUNK)
        return cut(note, "WebP");
    if (memcmp(name, "VP8X", 4) != 0) {
        if (memcmp(name, "VP8 ", 4) != 0 && memcmp(name, "VP8L", 4) != 0)
            return err_set(note, ERR_CORRUPT, "the WebP begins with an unknown chunk");
        if (!webp_frame_size(name, p + RIFF + CHUNK, size, out))
            return err_set(note, ERR_CORRUPT, "the WebP frame header is broken");
        return ERR_OK;
    }
    if (size < VP8X)
        return cut(note, "WebP");
    const uint8_t *vp8x = p + RIFF + CHUNK;
    out->has_alpha = vp8x[0] & HAS_ALPHA;
    out->animated = vp8x[0] & IS_ANIMATED;
    out->width = (int)le24(vp8x + 4) + 1;
    out->height = (int)le24(vp8x + 7) + 1;
    for (size_t at = RIFF; end - at >= CHUNK; at += size) {
        size = le32(p + at + 4);
        at += CHUNK;
        if (size > end - at)
            return cut(note, "WebP");
        if (memcmp(p + at - CHUNK, "EXIF", 4) == 0)
            out->orientation = exif_orientation(p + at, size);
        size += size < end - at && size % 2; // chunks are padded to even length
    }
    return ERR_OK;
}

enum err image_read_info(const void *data, size_t len, struct image_info *out,
                         struct err_note *note)
{
    const char *other;
    struct image_info info = {.format = image_sniff(data, len, &other), .orientation = 1};
    enum err e;

    switch (info.format) {
    case IMAGE_JPEG:
        e = read_jpeg(data, len, &info, note);
        break;
    case IMAGE_PNG:
        e = read_png(data, len, &info, note);
        break;
    case IMAGE_WEBP:
        e = read_webp(data, len, &info, note);
        break;
    default:
        return err_set(note, ERR_UNSUPPORTED, "%s; send JPEG, PNG or WebP",
                       other ? other : "not a known picture format");
    }
    if (e == ERR_OK)
        e = image_check_size(info.width, info.height, note);
    if (e == ERR_OK)
        *out = info;
    return e;
}
