/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SAMPLE_SCENE_H
#define PATINA_SAMPLE_SCENE_H

#include "mesh.h"

/* A window in the wall at x = WINDOW_X lights the table from the left; the room behind the camera
 * gives a little back. */
#define WINDOW_X  -1.45f
#define WINDOW_Y0 .22f
#define WINDOW_Y1 1.35f
#define WINDOW_Z0 -.30f
#define WINDOW_Z1 .80f

/* Light that leaves the window at a height and depth inside it: sky, seen through four panes. */
struct vec window_light(float y, float z);

/* Light from where there is nothing: the room. */
struct vec room_light(struct vec dir);

/* The still life, indexed and ready. */
void scene_build(struct mesh *m);

#endif
