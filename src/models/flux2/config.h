/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_CONFIG_H
#define PATINA_MODELS_FLUX2_CONFIG_H

#include "models/flux2/flux2.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Each part's config.json: sizes within bounds that keep every width in an int and every tensor
 * under 2^40 numbers, and what this code would compute differently, or its operators cannot,
 * refused (ERR_UNSUPPORTED) instead of ignored: what is read here can be checked, packed and opened
 * alike. Keys that are not known here are left alone.
 */
enum { FLUX2_AXES = 4, FLUX2_LEVELS = 4, FLUX2_TAPS = 3 };

struct flux2_transformer_config {
    int heads, head;      /* hidden is heads * head */
    int hidden, mlp;      /* mlp: half the outputs of ff.linear_in */
    int channels;         /* of a token, in and out */
    int text_width;       /* of a row of text */
    int doubles, singles; /* blocks */
    int time_channels;    /* of the timestep's sines and cosines */
    int axis[FLUX2_AXES]; /* of a head's dimensions, for t, y, x and place in the text */
    double theta, eps;
};

struct flux2_text_config {
    int hidden, mlp, layers, vocabulary;
    int heads, key_heads, head; /* key_heads divides heads */
    int tap[FLUX2_TAPS];        /* layers behind which the stream is read: quarters of all */
    double theta, eps;
};

struct flux2_vae_config {
    int encoder[FLUX2_LEVELS], decoder[FLUX2_LEVELS]; /* widths from pixels inwards, both */
    int resnets;                                      /* a level going in; one more coming out */
    int latent, groups;
    double statistics_eps; /* of the batch statistics; norms have 1e-6 */
};

/* `json` is the file's text. ERR_INVALID or ERR_UNSUPPORTED with the key; ERR_NOMEM. */
MUST_USE enum err flux2_transformer_config(const char *json, size_t len,
                                           struct flux2_transformer_config *out,
                                           struct err_note *note);
MUST_USE enum err flux2_text_config(const char *json, size_t len, struct flux2_text_config *out,
                                    struct err_note *note);
MUST_USE enum err flux2_vae_config(const char *json, size_t len, struct flux2_vae_config *out,
                                   struct err_note *note);

#endif
