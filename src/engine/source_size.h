/* SPDX-License-Identifier: MIT */
#ifndef PATINA_ENGINE_SOURCE_SIZE_H
#define PATINA_ENGINE_SOURCE_SIZE_H

#include "engine/engine_run.h"

/*
 * How many pixels of a source (width x height, upright) a decoder has to deliver for `job` (its
 * prompt and sizes are read, its source is not), for codec_decode_options.want_pixels: those of the
 * result and of what cropping to `--ar` or a size cuts away. 0, all of them, when the size cannot
 * be planned. Service and command line both ask here, so that they decode the same pixels. Pure.
 */
int64_t engine_source_pixels(int width, int height, const struct engine_job *job);

#endif
