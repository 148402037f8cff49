/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include <string.h>

const struct engine_ops *const engine_table[] = {&engine_look_ops, &engine_flux2_ops, NULL};

static const struct engine_ops *by_name(const char *name)
{
    for (const struct engine_ops *const *ops = engine_table; *ops; ops++)
        if (strcmp((*ops)->name, name) == 0)
            return *ops;
    return NULL;
}

const struct engine_ops *engine_find(const char *name, const struct engine_options *o)
{
    if (strcmp(name, "auto") != 0)
        return by_name(name);
    const struct engine_ops *trained = o->model_path ? by_name("flux2") : NULL;
    return trained ? trained : engine_table[0];
}
