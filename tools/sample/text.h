/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SAMPLE_TEXT_H
#define PATINA_SAMPLE_TEXT_H

/* Ink, 0..1, of a centred line of capitals that are `cap` high, at (x, y) from its middle's foot.
 */
float text_ink(const char *text, float cap, float x, float y);

#endif
