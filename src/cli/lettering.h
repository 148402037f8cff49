/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_LETTERING_H
#define PATINA_CLI_LETTERING_H

#include "image/image.h"

/*
 * Labels on pictures: a small alphabet of round pen strokes, drawn at any size. Letters, digits and
 * the signs of names are there; anything else shows as a hollow box.
 */

/* Width in pixels of a line of text (UTF-8) whose capitals are `capital` pixels high. */
float lettering_width(const char *text, float capital);

/* Draws dark text over `im`: its left end is x, its letters stand on the line y. What lies outside
 * the picture is left out. */
void lettering_draw(struct image *im, const char *text, float x, float y, float capital);

#endif
