/* SPDX-License-Identifier: MIT */
#ifndef PATINA_ENGINE_ENGINE_FLAGS_H
#define PATINA_ENGINE_ENGINE_FLAGS_H

#include "base/config.h"
#include "image/image.h"

/*
 * What the service and the commands let people say of engines, in the same words: rows for a table
 * of struct config_option. `target` is the struct that the table fills; its fields are called as
 * the rows are.
 */

/* Every path of nn/isa.h. */
#define ENGINE_FLAG_ISAS "plain|avx2|avx512|avx512bf16|amx"

#define ENGINE_FLAG_ENGINE(target)                                                             \
    {                                                                                          \
        .name = "engine", .type = CONFIG_CHOICE, .offset = offsetof(target, engine),           \
        .choices = "auto|look|flux2", .fallback = "auto", .value = "NAME",                     \
        .help = "what makes the pictures; auto is flux2 when there is a model, look otherwise" \
    }

#define ENGINE_FLAG_MODEL(target)                                                                 \
    {                                                                                             \
        .name = "model", .type = CONFIG_TEXT, .offset = offsetof(target, model), .value = "FILE", \
        .help = "weights of flux2, as `patina model pack` wrote them"                             \
    }

#define ENGINE_FLAG_ISA(target)                                                    \
    {                                                                              \
        .name = "isa", .type = CONFIG_CHOICE, .offset = offsetof(target, isa),     \
        .choices = ENGINE_FLAG_ISAS, .value = "PATH",                              \
        .computed = "the best that the processor has",                             \
        .help = "instructions that flux2 computes with; its pixels depend on them" \
    }

#define ENGINE_FLAG_LOOKS(target)                                                                \
    {                                                                                            \
        .name = "looks", .type = CONFIG_TEXT, .offset = offsetof(target, looks), .value = "DIR", \
        .help = "folder with look recipes of your own, read besides the built-in ones"           \
    }

#define ENGINE_FLAG_PIXELS(target)                                                   \
    {                                                                                \
        .name = "pixels", .type = CONFIG_NUMBER, .offset = offsetof(target, pixels), \
        .min = 64 * 64, .max = IMAGE_RESULT_PIXELS_MAX,                              \
        .computed = "1048576 with look, 262144 with flux2", .value = "N",            \
        .help = "area of a result, whatever the source"                              \
    }

#endif
