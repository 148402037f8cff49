/* SPDX-License-Identifier: MIT */
#include "image/exif.h"

#include "image/bytes.h"

#include <stdbool.h>
#include <string.h>

/* Just enough of TIFF 6.0 to find one tag of the first directory. */
enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, ENTRY_BYTES = 12 };

int exif_orientation(const void *data, size_t len)
{
    const uint8_t *p = data;

    if (len >= 6 && memcmp(p, "Exif\0\0", 6) == 0) {
        p += 6;
        len -= 6;
    }
    if (len < 8)
        return 1;
    bool little = memcmp(p, "II*\0", 4) == 0;
    if (!little && memcmp(p, "MM\0*", 4) != 0)
        return 1;
    size_t ifd = little ? le32(p + 4) : be32(p + 4);
    if (ifd > len - 2)
        return 1;
    size_t count = little ? le16(p + ifd) : be16(p + ifd);
    const uint8_t *entry = p + ifd + 2;
    size_t room = (len - ifd - 2) / ENTRY_BYTES;
    for (size_t i = 0; i < count && i < room; i++, entry += ENTRY_BYTES) {
        if ((little ? le16(entry) : be16(entry)) != TAG_ORIENTATION)
            continue;
        uint32_t type = little ? le16(entry + 2) : be16(entry + 2);
        uint32_t value = little ? le16(entry + 8) : be16(entry + 8);
        return type == TYPE_SHORT && value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}
