/* SPDX-License-Identifier: MIT */
#include "image/sniff.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Looked at for text formats: enough for an XML declaration and a comment before <svg. */
enum { SNIFF_TEXT_MAX = 512 };

const char *image_format_mime(enum image_format f)
{
    static const char *const mime[] = {"application/octet-stream", "image/jpeg", "image/png",
                                       "image/webp"};

    return mime[f];
}

struct magic {
    size_t at;
    const char *bytes;
    size_t len;
    const char *name;
};

#define MAGIC(at_, bytes_, name_)                    \
    {                                                \
        (at_), (bytes_), sizeof(bytes_) - 1, (name_) \
    }

// Signatures of what people send by mistake. ISO base media brands follow "ftyp" at 4.
static const struct magic known[] = {
    MAGIC(0, "GIF87a", "GIF"),
    MAGIC(0, "GIF89a", "GIF"),
    MAGIC(8, "avif", "AVIF"),
    MAGIC(8, "avis", "AVIF"),
    MAGIC(8, "heic", "HEIC"),
    MAGIC(8, "heix", "HEIC"),
    MAGIC(8, "heim", "HEIC"),
    MAGIC(8, "heis", "HEIC"),
    MAGIC(8, "hevc", "HEIC"),
    MAGIC(8, "hevx", "HEIC"),
    MAGIC(8, "mif1", "HEIC"),
    MAGIC(8, "msf1", "HEIC"),
    MAGIC(8, "crx ", "CR3 raw photo"),
    MAGIC(8, "qt  ", "QuickTime video"),
    MAGIC(4, "ftyp", "MP4 video"),
    MAGIC(0, "II*\0", "TIFF"),
    MAGIC(0, "MM\0*", "TIFF"),
    MAGIC(0, "BM", "BMP"),
    MAGIC(0, "\0\0\1\0", "ICO"),
    MAGIC(0, "\xFF\x0A", "JPEG XL"),
    MAGIC(0, "\0\0\0\x0CJXL \r\n\x87\n", "JPEG XL"),
    MAGIC(0, "\0\0\0\x0CjP  \r\n\x87\n", "JPEG 2000"),
    MAGIC(0, "\xFF\x4F\xFF\x51", "JPEG 2000"),
    MAGIC(0, "8BPS", "PSD"),
    MAGIC(0, "%PDF-", "PDF"),
    MAGIC(0, "%!PS", "PostScript"),
    MAGIC(0, "\x1A\x45\xDF\xA3", "Matroska or WebM video"),
    MAGIC(8, "AVI ", "AVI video"),
    MAGIC(0, "PK\3\4", "ZIP"),
    MAGIC(0, "\x1F\x8B", "gzip"),
    MAGIC(0, "{\\rtf", "RTF"),
    MAGIC(0, "\x8BJNG", "JNG"),
    MAGIC(0, "\x8AMNG", "MNG"),
};

static bool magic_at(const uint8_t *p, size_t len, const struct magic *m)
{
    if (len < m->at + m->len || memcmp(p + m->at, m->bytes, m->len) != 0)
        return false;
    // A brand counts only in an ISO media file, "AVI " only in a RIFF file.
    return m->at != 8 || memcmp(p + 4, "ftyp", 4) == 0 || memcmp(p, "RIFF", 4) == 0;
}

static bool contains(const char *text, size_t len, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= len; i++)
        if (strncasecmp(text + i, word, n) == 0)
            return true;
    return false;
}

// UTF-8 without control characters; a character may be cut at the end.
static bool is_text(const char *s, size_t len)
{
    uint32_t c;

    for (size_t i = 0, n; i < len; i += n) {
        n = utf8_decode(s + i, len - i, &c);
        if (n == 0)
            return i > 0 && len - i < 4;
        if (c == 0x7F || c == 0 || (c < 0x20 && !strchr("\t\n\r\f", (int)c)))
            return false;
    }
    return true;
}

static const char *text_name(const uint8_t *p, size_t len)
{
    size_t start = 0;

    if (len > SNIFF_TEXT_MAX)
        len = SNIFF_TEXT_MAX;
    if (!is_text((const char *)p, len))
        return NULL;
    if (len >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
        start = 3;
    const char *text = (const char *)p;
    if (contains(text, len, "<svg"))
        return "SVG";
    if (contains(text, len, "<!doctype html") || contains(text, len, "<html") ||
        contains(text, len, "<head") || contains(text, len, "<body"))
        return "HTML";
    if (contains(text, len, "<?xml"))
        return "XML";
    while (start < len && strchr(" \t\r\n", p[start]))
        start++;
    if (start == len)
        return len ? "text" : "an empty file";
    return p[start] == '{' || p[start] == '[' ? "JSON" : "text";
}

enum image_format image_sniff(const void *data, size_t len, const char **other)
{
    const uint8_t *p = data;

    if (other)
        *other = NULL;
    if (len >= 3 && memcmp(p, "\xFF\xD8\xFF", 3) == 0)
        return IMAGE_JPEG;
    if (len >= 8 && memcmp(p, "\x89PNG\r\n\x1A\n", 8) == 0)
        return IMAGE_PNG;
    if (len >= 12 && memcmp(p, "RIFF", 4) == 0 && memcmp(p + 8, "WEBP", 4) == 0)
        return IMAGE_WEBP;
    if (!other)
        return IMAGE_UNKNOWN;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && !*other; i++)
        if (magic_at(p, len, &known[i]))
            *other = known[i].name;
    if (!*other)
        *other = text_name(p, len);
    return IMAGE_UNKNOWN;
}
