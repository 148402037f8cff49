/* SPDX-License-Identifier: MIT */
#ifndef PATINA_WORKER_RENDERER_H
#define PATINA_WORKER_RENDERER_H

#include "engine/engine.h"

/* The render process: opens the engine, then serves requests of the worker that started it until
 * it goes away (sandbox/render.h). Returns the process's exit status. */
int renderer_main(const struct engine_ops *ops, const struct engine_options *o);

#endif
