/* SPDX-License-Identifier: MIT */
#ifndef PATINA_API_OWN_URL_H
#define PATINA_API_OWN_URL_H

#include "base/rand.h"

#include <stdbool.h>
#include <stdint.h>

/* URLs that this server made itself. Pure functions. */
enum own_url {
    OWN_URL_NONE,   /* not under PATINA_PUBLIC_URL */
    OWN_URL_UPLOAD, /* /uploads/ID */
    OWN_URL_FILE,   /* /files/JOB/NAME.EXT, perhaps signed */
    OWN_URL_OTHER   /* under it, but nothing that can be read */
};

enum { OWN_FILE_STEM = 5, OWN_FILE_EXT = 5, OWN_UPLOAD_ID = 33 };

struct own_file {
    char job[UUID_TEXT];
    char stem[OWN_FILE_STEM]; /* "0".."3" or "grid" */
    char ext[OWN_FILE_EXT];   /* "png", "webp" or "jpg" */
    int64_t expires;          /* unix seconds; -1: not signed */
    char signature[65];       /* hex, or "" */
};

/* `public_url` without a slash at its end. Fills *file or upload_id for the respective result. */
enum own_url own_url_read(const char *public_url, const char *url, struct own_file *file,
                          char upload_id[OWN_UPLOAD_ID]);

/* Takes "grid.png" apart into stem and ext; false when it is no name of a result. */
bool own_file_name(const char *name, struct own_file *out);

/* Reads the two parameters of a signed URL (NULL: absent) into *out. */
void own_file_signed(const char *expires, const char *signature, struct own_file *out);

#endif
