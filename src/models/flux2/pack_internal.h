/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_PACK_INTERNAL_H
#define PATINA_MODELS_FLUX2_PACK_INTERNAL_H

/* For this folder alone. */

#include "models/flux2/layout.h"
#include "models/flux2/pack.h"

/* The element type that a tensor is packed in. */
enum dtype pack_type(enum flux2_precision precision, const struct layout_tensor *t);

#endif
