/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SAMPLE_STREET_H
#define PATINA_SAMPLE_STREET_H

#include "scene.h"

/* What the street is made of. Textures are functions of the point. */
enum street_material {
    BRICK,
    PLASTER,
    STONE, /* sills, kerb */
    SLABS, /* the pavement */
    COBBLES,
    TILES, /* of a roof */
    PAINT, /* the shop's woodwork */
    SIGN,
    FRAME, /* white woodwork of the windows above */
    SHUTTER,
    GLASS,
    INSIDE, /* of the shop: shelves, lit */
    ROOM,   /* behind other windows: dark, with curtains */
    BOOK,
    AWNING,
    IRON,
    LANTERN, /* its panes */
    POT,
    LEAVES,
    FLOWER,
    RUBBER,
    ENAMEL, /* of the bicycle */
    LEATHER,
    BOARD /* slate with chalk on it */
};

/* Where the sign and the board hang, for what is written on them. */
#define SIGN_X -.05f
#define SIGN_Y 2.58f

void street_surface(const struct hit *hit, struct surface *out);

/* Sky from the horizon up, clouds in it. */
struct vec street_sky(struct vec dir);

#endif
