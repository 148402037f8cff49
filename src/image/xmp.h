/* SPDX-License-Identifier: MIT */
#ifndef PATINA_IMAGE_XMP_H
#define PATINA_IMAGE_XMP_H

#include "base/buf.h"
#include "image/codec.h"

/*
 * For this folder: appends an XMP packet (ISO 16684-1) with what meta says and the IPTC digital
 * source type. It is cut to at most `bytes_max` by shortening the prompt; the rest takes less than
 * 2 kB. Appends nothing when meta is NULL. Characters that XML 1.0 cannot hold become spaces.
 */
void xmp_write(const struct codec_meta *meta, size_t bytes_max, struct buf *out);

#endif
