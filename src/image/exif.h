/* SPDX-License-Identifier: MIT */
#ifndef PATINA_IMAGE_EXIF_H
#define PATINA_IMAGE_EXIF_H

#include <stddef.h>

/* The orientation (1..8) in an EXIF block: a TIFF header, optionally behind "Exif\0\0". 1 when
 * there is none or the block is nonsense. Reads nothing outside data..data+len. Any thread. */
int exif_orientation(const void *data, size_t len);

#endif
