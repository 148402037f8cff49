/* SPDX-License-Identifier: MIT */
#include "cli/bench_nn_ops.h"

#include "base/clock.h"
#include "nn/attention.h"
#include "nn/conv.h"
#include "nn/linear.h"
#include "nn/norm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct trial;

struct op {
    const char *name;
    void (*plan)(struct trial *t, struct workspace *w, const struct nn_run *how);
    bool (*run)(struct trial *t, const struct nn_run *how);
    const char *weights; /* in the model */
    int outputs;         /* of the weights at most, as a layer takes them; 0: all */
    int rows;            /* of tokens; of a map, and as many columns */
    int heads, head;     /* of attention */
};

/* An operator and its operands. */
struct trial {
    const struct op *op;
    struct packed_tensor w;
    char shape[sizeof(((struct nn_op *)0)->shape)];
    double flops;
    struct matrix x, y;
    struct map map_x, map_y;
    struct attention attention;
    void *scratch;
};

double bench_nn_now(const struct nn_bench *b)
{
    struct timespec t;

    if (!b->cpu_time)
        return (double)clock_mono_ns(&clock_system) * 1e-9;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return ((double)t.tv_sec + (double)t.tv_nsec * 1e-9) / pool_width(b->how->pool);
}

void bench_nn_fill(float *out, int64_t count)
{
    uint32_t state = 1;

    for (int64_t i = 0; i < count; i++) {
        state = state * 1664525 + 1013904223;
        out[i] = (float)(int32_t)state * 0x1p-31f;
    }
}

static struct matrix random_matrix(struct workspace *w, enum dtype t, int rows, int width,
                                   const struct nn_run *how)
{
    struct matrix f32 = workspace_matrix(w, DTYPE_F32, rows, width);
    struct matrix m = t == DTYPE_F32 ? f32 : workspace_matrix(w, t, rows, width);

    for (int r = 0; r < rows && w->base; r++)
        bench_nn_fill((float *)f32.data + r * f32.stride, width);
    if (w->base && t != DTYPE_F32)
        (void)nn_convert(how, &f32, &m); // cancelled: so is the run
    return m;
}

/* ---- linear ---- */

static void plan_linear(struct trial *t, struct workspace *w, const struct nn_run *how)
{
    const int rows = t->op->rows;

    t->x = random_matrix(w, t->w.dtype, rows, (int)t->w.shape[1], how);
    t->y = workspace_matrix(w, DTYPE_F32, rows, (int)t->w.shape[0]);
    t->flops = 2.0 * rows * (double)t->w.shape[0] * (double)t->w.shape[1];
    snprintf(t->shape, sizeof(t->shape), "linear %d x %d x %d", rows, t->x.width, t->y.width);
}

static bool run_linear(struct trial *t, const struct nn_run *how)
{
    return nn_linear(how, &t->x, &t->w, (struct linear_end){0}, &t->y);
}

/* ---- attention ---- */

static void plan_attention(struct trial *t, struct workspace *w, const struct nn_run *how)
{
    const struct op *o = t->op;
    const int width = o->heads * o->head;
    struct attention_part *part = &t->attention.part[0];

    t->attention.heads = t->attention.key_heads = o->heads;
    t->attention.head = o->head;
    t->attention.scale = 0.1f;
    t->attention.parts = 1;
    part->q = random_matrix(w, DTYPE_BF16, o->rows, width, how);
    part->k = random_matrix(w, DTYPE_BF16, o->rows, width, how);
    part->v = random_matrix(w, DTYPE_BF16, o->rows, width, how);
    part->out = workspace_matrix(w, DTYPE_BF16, o->rows, width);
    t->scratch = workspace_take(w, nn_attention_bytes(&t->attention, pool_width(how->pool)));
    t->flops = 4.0 * o->rows * (double)o->rows * width;
    t->w.dtype = DTYPE_BF16;
    snprintf(t->shape, sizeof(t->shape), "attention %d, %d x %d", o->rows, o->heads, o->head);
}

static bool run_attention(struct trial *t, const struct nn_run *how)
{
    return nn_attention(how, &t->attention, t->scratch);
}

/* ---- convolutions ---- */

static void plan_conv(struct trial *t, struct workspace *w, const struct nn_run *how)
{
    const int side = t->op->rows;
    struct map f32 = workspace_map(w, DTYPE_F32, side, side, (int)t->w.shape[1]);

    t->map_x = workspace_map(w, t->w.dtype, side, side, (int)t->w.shape[1]);
    t->map_y = workspace_map(w, DTYPE_F32, side, side, (int)t->w.shape[0]);
    for (int y = 0; y < side && w->base; y++)
        for (int x = 0; x < side; x++)
            bench_nn_fill(map_at(&f32, y, x), f32.channels);
    if (w->base)
        (void)nn_map_convert(how, &f32, &t->map_x);
    t->flops = 18.0 * side * side * (double)t->w.shape[0] * (double)t->w.shape[1];
    snprintf(t->shape, sizeof(t->shape), "convolution 3 x 3, %d channels, %d x %d",
             t->map_x.channels, side, side);
}

static bool run_conv(struct trial *t, const struct nn_run *how)
{
    return nn_conv(how, &t->map_x, &t->w, NULL, 1, false, &t->map_y);
}

/* ---- all of them ---- */

#define SINGLE "transformer/single_transformer_blocks.0.attn."

static const struct op OP[NN_OPS] = {
    {"linear_in", plan_linear, run_linear, SINGLE "to_qkv_mlp_proj.weight", 9216, 2560, 0, 0},
    {"linear_out", plan_linear, run_linear, SINGLE "to_out.weight", 0, 2560, 0, 0},
    {"linear_text", plan_linear, run_linear, "text_encoder/model.layers.0.mlp.gate_proj.weight", 0,
     512, 0, 0},
    {"attention", plan_attention, run_attention, NULL, 0, 2560, 24, 128},
    {"attention_vae", plan_attention, run_attention, NULL, 0, 4096, 1, 512},
    {"conv_inner", plan_conv, run_conv, "vae/decoder.mid_block.resnets.0.conv1.weight", 0, 64, 0,
     0},
    {"conv_outer", plan_conv, run_conv, "vae/decoder.up_blocks.3.resnets.1.conv1.weight", 0, 512, 0,
     0},
};

static enum err take_weights(const struct packed *model, struct trial *t, struct err_note *note)
{
    const struct op *o = t->op;

    if (!o->weights)
        return ERR_OK;
    if (!packed_find(model, o->weights, &t->w))
        return err_set(note, ERR_INVALID, "the model has no %s", o->weights);
    if (o->outputs && o->outputs < t->w.shape[0])
        t->w = packed_outputs(&t->w, 0, o->outputs);
    return ERR_OK;
}

/* In 10^12 a second, the best of several; 0: cancelled. */
static double rate(struct trial *t, const struct nn_bench *b)
{
    double best = 0.0;

    for (int i = 0; i < b->repeats; i++) {
        double begun = bench_nn_now(b);
        if (!t->op->run(t, b->how))
            return 0.0;
        double now = t->flops / (bench_nn_now(b) - begun) * 1e-12;
        best = now > best ? now : best;
    }
    return best;
}

enum err bench_nn_ops(const struct packed *model, const struct nn_bench *b,
                      struct nn_op out[NN_OPS], struct err_note *note)
{
    for (int i = 0; i < NN_OPS; i++) {
        struct trial t = {.op = &OP[i]};
        struct workspace w = {0};
        enum err e = take_weights(model, &t, note);
        if (e != ERR_OK)
            return e;
        OP[i].plan(&t, &w, b->how);
        size_t bytes = (size_t)w.peak;
        void *memory = aligned_alloc(MATRIX_ALIGN, bytes);
        if (!memory)
            return err_set(note, ERR_NOMEM, "no memory for %s", t.shape);
        memset(memory, 0, bytes);
        w = (struct workspace){.base = memory};
        OP[i].plan(&t, &w, b->how);
        out[i] = (struct nn_op){OP[i].name, "", t.w.dtype, rate(&t, b)};
        memcpy(out[i].shape, t.shape, sizeof(t.shape));
        free(memory);
        if (out[i].tflops == 0.0)
            return err_set(note, ERR_CANCELLED, "stopped");
    }
    return ERR_OK;
}
