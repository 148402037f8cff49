/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TESTS_TINY_MODEL_H
#define PATINA_TESTS_TINY_MODEL_H

/* The random model that the build makes for tests (tests/golden/flux2/README.md). */

#include <stdio.h>
#include <stdlib.h>

/* Where a file of it lies, "" for its folder. */
static inline const char *tiny_model(char path[4096], const char *name)
{
    const char *folder = getenv("PATINA_TINY_MODEL");

    snprintf(path, 4096, "%s/%s", folder ? folder : "build/tiny-model", name);
    return path;
}

#endif
