/* SPDX-License-Identifier: MIT */
#ifndef PATINA_WORKER_RESULTS_H
#define PATINA_WORKER_RESULTS_H

#include "blob/blob.h"
#include "image/codec.h"

/* What a job leaves: four pictures and the grid, as PNG files, as blobs "job/UUID/0.png" to
 * "job/UUID/grid.png". */
enum { RESULT_FILES = 5 };

struct results {
    struct buf file[RESULT_FILES];
    char key[RESULT_FILES][BLOB_KEY_MAX + 1];
};

/* Builds the grid and encodes all five at once, each on a thread of its own. Picture i is labelled
 * with the seed it can be made again with, the grid with the first one's. ERR_NOMEM. */
MUST_USE enum err results_encode(const struct image picture[4], const char *uuid,
                                 const char *prompt, const char *engine, uint32_t seed,
                                 struct results *out, struct err_note *note);

/* Stores them, all at once. On failure none is left. */
MUST_USE enum err results_store(struct results *r, struct blob_store *blobs, struct err_note *note);

/* Deletes what was stored: the job did not complete after all. */
void results_delete(const struct results *r, struct blob_store *blobs);

void results_release(struct results *r);

#endif
