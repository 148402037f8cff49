/* SPDX-License-Identifier: MIT */
#include "image/xmp.h"

#include <string.h>

static const char head[] =
    "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>"
    "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">"
    "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
    "<rdf:Description rdf:about=\"\""
    " xmlns:dc=\"http://purl.org/dc/elements/1.1/\""
    " xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\""
    " xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\""
    " xmlns:patina=\"urn:x-patina:1.0/\""
    " Iptc4xmpExt:DigitalSourceType=\"http://cv.iptc.org/newscodes/digitalsourcetype/";

static const char tail[] = "</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end=\"r\"?>";
static const char description[] = "<dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">";
static const char description_end[] = "</rdf:li></rdf:Alt></dc:description>";

// One character at s, escaped; *used gets its length in s.
static const char *escape(const char *s, size_t *used, char one[5])
{
    unsigned char c = (unsigned char)*s;

    *used = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
    for (size_t i = 1; i < *used; i++)
        if (((unsigned char)s[i] & 0xC0) != 0x80) // not UTF-8: never read past the NUL
            *used = 1;
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    }
    bool forbidden = (c < 0x20 && c != '\t' && c != '\n') || (*used == 1 && c >= 0x80) ||
                     memcmp(s, "\xEF\xBF\xBE", *used < 3 ? 1 : 3) == 0 ||
                     memcmp(s, "\xEF\xBF\xBF", *used < 3 ? 1 : 3) == 0;
    memcpy(one, forbidden ? " " : s, forbidden ? 1 : *used);
    one[forbidden ? 1 : *used] = '\0';
    return one;
}

static void add_escaped(const char *s, size_t len_max, struct buf *out)
{
    size_t end = out->len + len_max, used;
    char one[5];

    for (; *s; s += used) {
        const char *e = escape(s, &used, one);
        if (out->len + strlen(e) > end)
            return;
        buf_adds(out, e);
    }
}

static void add_attribute(const char *name, const char *value, struct buf *out)
{
    enum { VALUE_MAX = 200 }; // these are our own words and numbers

    if (!value)
        return;
    buf_addf(out, " %s=\"", name);
    add_escaped(value, VALUE_MAX, out);
    buf_addc(out, '"');
}

void xmp_write(const struct codec_meta *meta, size_t bytes_max, struct buf *out)
{
    size_t start = out->len;

    if (!meta)
        return;
    bool neural = meta->engine && strcmp(meta->engine, "look") != 0;
    buf_adds(out, head);
    buf_adds(out, neural ? "trainedAlgorithmicMedia\"" : "algorithmicMedia\"");
    add_attribute("xmp:CreatorTool", meta->version, out);
    add_attribute("patina:engine", meta->engine, out);
    add_attribute("patina:seed", meta->seed, out);
    buf_addc(out, '>');
    size_t fixed = out->len - start + sizeof(description) + sizeof(description_end) + sizeof(tail);
    if (meta->prompt && fixed < bytes_max) {
        buf_adds(out, description);
        add_escaped(meta->prompt, bytes_max - fixed, out);
        buf_adds(out, description_end);
    }
    buf_adds(out, tail);
}
