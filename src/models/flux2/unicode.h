/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_UNICODE_H
#define PATINA_MODELS_FLUX2_UNICODE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Unicode as the reference's tokenizer knows it, whatever the system's libraries know: letters and
 * numbers (general categories L and N) of version 16.0, normalisation of 9.0. Pure functions.
 */

bool unicode_is_letter(uint32_t c);
bool unicode_is_number(uint32_t c);

/* Appends NFC (UAX #15) of well-formed UTF-8. Memory that runs out leaves `out` failed. */
void unicode_nfc(const char *s, size_t len, struct buf *out);

#endif
