/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BLOB_BLOB_DIR_H
#define PATINA_BLOB_BLOB_DIR_H

#include "blob/blob.h"

/* Blobs as files below a folder, which is made (0700) when missing. A key's file lies in a
 * subfolder named by a hash of the key, so that no folder grows without bound. Only wiring names
 * this back end. */
MUST_USE enum err blob_dir_open(const char *path, struct blob_store **out, struct err_note *note);

#endif
