/* SPDX-License-Identifier: MIT */
#ifndef PATINA_MODELS_FLUX2_TRANSFORMER_INTERNAL_H
#define PATINA_MODELS_FLUX2_TRANSFORMER_INTERNAL_H

/* For transformer*.c alone: the weights (transformer.c), a job's memory (transformer_plan.c), and
 * what the blocks do with them (transformer_run.c). */

#include "models/flux2/config.h"
#include "models/flux2/part.h"
#include "models/flux2/transformer.h"
#include "models/flux2/watch.h"
#include "nn/attention.h"
#include "nn/linear.h"
#include "nn/norm.h"

/* One of a double block's two. */
struct stream_weights {
    struct packed_tensor q, k, v, out; /* [hidden, hidden] */
    struct packed_tensor gate, up;     /* [mlp, hidden] */
    struct packed_tensor down;         /* [hidden, mlp] */
    const float *norm_q, *norm_k;      /* [head] */
};

enum { STREAM_PICTURE, STREAM_TEXT, STREAMS };

struct double_block {
    struct stream_weights stream[STREAMS];
};

struct single_block {
    struct packed_tensor q, k, v;  /* [hidden, hidden] */
    struct packed_tensor gate, up; /* [mlp, hidden] */
    struct packed_tensor out;      /* [hidden, hidden + mlp]: of attention, then MLP */
    const float *norm_q, *norm_k;  /* [head] */
};

/* Modulations: how many vectors [hidden] each has. */
enum { SHIFT, SCALE, GATE, SHIFT_MLP, SCALE_MLP, GATE_MLP, DOUBLE_VECTORS };
enum { SINGLE_VECTORS = GATE + 1, FINAL_VECTORS = 2 }; /* the final layer's: scale, then shift */

struct transformer {
    struct flux2_transformer_config config;
    struct packed_tensor picture_in; /* [hidden, channels] */
    struct packed_tensor text_in;    /* [hidden, text_width] */
    struct packed_tensor time[2];    /* [hidden, time_channels], [hidden, hidden] */
    struct packed_tensor modulation[STREAMS], modulation_single, modulation_final;
    struct packed_tensor out; /* [channels, hidden] */
    struct double_block *doubles;
    struct single_block *singles;
    enum dtype wide; /* of queries, keys, values and the MLP's two halves */
    /* Lane types of the inputs of matrices: rows of the stream, normalised or attended to; the
     * double blocks' active MLP; attention and MLP side by side. */
    unsigned normed, active, joined;
};

/* Rotary positions, [rows][head / 2]. */
struct table {
    float *cosine, *sine;
    int rows;
};

struct transformer_plan {
    const struct transformer *t;
    struct transformer_shape shape;
    struct flux2_watch watch;
    void *memory;
    int texts, references, pictures; /* rows of one picture's */

    struct matrix given; /* F32 [texts + references][hidden]: what every step begins with */

    /* Rows of all these: the text for each picture, the references for each, the pictures. So both
     * streams of a double block are neighbours in memory, and the single blocks' one stream is all
     * of them. */
    struct matrix stream;      /* F32 [rows][hidden] */
    struct lane normed;        /* [rows][hidden] */
    struct matrix q, k, v;     /* [rows][hidden] */
    struct matrix gate, up;    /* [rows][mlp] */
    struct lane active;        /* [rows][mlp] */
    struct lane joined;        /* [rows][hidden + mlp] */
    struct matrix z, velocity; /* F32 [batch * pictures][channels] */
    struct matrix noised;      /* z as picture_in wants it */
    struct table text_at, reference_at, picture_at;

    struct matrix time[3]; /* one row each: sinusoids, hidden, embedding */
    struct lane time_in, time_hidden, time_out;
    struct matrix modulation[STREAMS], modulation_single, modulation_final; /* one row each */
    void *scratch;                                                          /* of attention */
};

/* Where each part's rows begin. */
int plan_rows(const struct transformer_plan *p);
int plan_first_reference(const struct transformer_plan *p);
int plan_first_picture(const struct transformer_plan *p);

#endif
