/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_PHOTO_H
#define PATINA_CLI_PHOTO_H

#include "engine/engine_run.h"
#include "sandbox/decode.h"

/* Reads a picture file like the service reads what it fetched: same limits, same decoder process,
 * same scale for what `job` (whose pictures are not looked at) is going to make of it. `job` NULL:
 * all pixels. The note names the file. */
MUST_USE enum err photo_read(const char *path, const struct engine_job *job,
                             const atomic_bool *cancel, struct decoded *out, bool *animated,
                             struct err_note *note);

/* The same of the job's style picture. */
MUST_USE enum err photo_read_style(const char *path, const struct engine_job *job,
                                   const atomic_bool *cancel, struct decoded *out, bool *animated,
                                   struct err_note *note);

/* Encodes by the ending of `path` (.png, .webp, .jpg, .jpeg) and writes the file aside, then
 * renames it: it is whole or as it was. ERR_UNSUPPORTED for other endings. */
MUST_USE enum err photo_write(const char *path, const struct image *im,
                              const struct codec_meta *meta, struct err_note *note);

/* ERR_UNSUPPORTED for an ending that photo_write() does not know. */
MUST_USE enum err photo_check_name(const char *path, struct err_note *note);

#endif
