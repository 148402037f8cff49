/* SPDX-License-Identifier: MIT */
#include "models/flux2/part.h"
#include "models/flux2/pipeline_internal.h"

#include "base/rand.h"
#include "nn/linear.h"
#include "nn/norm.h"

#include <stdlib.h>

static double text_flops(const struct pipeline *p)
{
    const struct flux2_text_config *c = &p->text_config;
    const double rows = TOKENIZER_TOKENS, h = c->hidden;
    const double wide = (double)c->heads * c->head, narrow = (double)c->key_heads * c->head;
    const double layer = rows * h * (4.0 * wide + 4.0 * narrow + 6.0 * c->mlp) +
                         2.0 * rows * rows * wide; // half of the scores are masked

    return layer * c->tap[FLUX2_TAPS - 1];
}

// One level's resnets, whose first one goes from one width to another.
static double level_flops(double pixels, int in, int out, int resnets)
{
    return 18.0 * pixels * ((double)in * out + (2.0 * resnets - 1.0) * out * out);
}

// Both ways have the same middle and differ in resnets and in where they change the width.
static double vae_flops(const struct flux2_vae_config *c, const int *width, int resnets, bool in,
                        double pixels)
{
    const int last = FLUX2_LEVELS - 1;
    double tokens = pixels / 64.0, w = width[last], sum = 0.0, at = pixels;

    sum += tokens * w * (4.0 * 18.0 * w + 8.0 * w + 4.0 * tokens);
    for (int i = 0; i < FLUX2_LEVELS; i++, at /= 4.0) {
        int from = in ? width[i ? i - 1 : 0] : width[i < last ? i + 1 : last];
        sum += level_flops(at, from, width[i], resnets);
        // Down or up to the next level, on the smaller side going in, on the larger coming out.
        if (i < last)
            sum += 18.0 * (in ? at / 4.0 * width[i] * width[i] : at * width[i + 1] * width[i + 1]);
    }
    return sum + 18.0 * pixels * 3.0 * width[0] + 18.0 * tokens * w * 2.0 * c->latent;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t peak(const struct pipeline *p, const struct pipeline_shape *s)
{
    const struct transformer_shape step = pipeline_step_shape(s, s->batch);
    const int64_t token = pipeline_channels(p) * (int64_t)sizeof(float);
    const int guides = s->guidance > 1.0 ? 2 : 1;
    const int64_t text = TOKENIZER_TOKENS * (int64_t)text_encoder_width(p->text) * 4;
    int64_t bytes = memory_bytes(text_encoder_bytes(p->text, TOKENIZER_TOKENS));
    int64_t held = text * PROMPTS_KEPT;

    for (int i = 0; i < s->references; i++) {
        bytes = most(bytes, memory_bytes(vae_encode_bytes(p->vae, s->reference[i])));
        held += flux2_tokens(s->reference[i]) * token;
    }
    held += flux2_tokens(s->grid) * token * s->batch * (1 + guides);
    // Besides, projecting the text has it twice for a moment.
    bytes = most(bytes, guides * memory_bytes(transformer_bytes(p->transformer, &step)) + 2 * text);
    return held + most(bytes, memory_bytes(vae_decode_bytes(p->vae, s->grid)));
}

void pipeline_cost(const struct pipeline *p, const struct pipeline_shape *s,
                   struct pipeline_cost *out)
{
    const struct flux2_vae_config *c = &p->vae_config;
    const struct transformer_shape step = pipeline_step_shape(s, 1);
    const double area = (double)FLUX2_PATCH * FLUX2_PATCH;

    *out = (struct pipeline_cost){.bytes = peak(p, s), .text = text_flops(p)};
    for (int i = 0; i < s->references; i++)
        out->encode += vae_flops(c, c->encoder, c->resnets, true,
                                 area * (double)flux2_tokens(s->reference[i]));
    out->step = transformer_flops(p->transformer, &step);
    out->decode =
        vae_flops(c, c->decoder, c->resnets + 1, false, area * (double)flux2_tokens(s->grid));
}

/* ---- how fast ---- */

struct trial {
    struct matrix random, x, y;
};

static void plan(struct trial *t, struct workspace *w, const struct packed_tensor *m, int rows)
{
    t->random = workspace_matrix(w, DTYPE_F32, rows, (int)m->shape[1]);
    t->x = t->random;
    if (m->dtype != DTYPE_F32)
        t->x = workspace_matrix(w, m->dtype, rows, (int)m->shape[1]);
    t->y = workspace_matrix(w, DTYPE_F32, rows, (int)m->shape[0]);
}

// Seconds of the best of a few products, all threads at work; 0 when it could not be.
static double best_of(const struct nn_run *how, pipeline_busy_fn *busy_ns,
                      const struct packed_tensor *m, int rows)
{
    enum { TRIALS = 3 };
    struct workspace w = {0};
    struct trial t;
    struct pcg chance;
    double best = 0.0;

    plan(&t, &w, m, rows);
    w = (struct workspace){.base = memory_new(w.peak)};
    if (!w.base)
        return 0.0;
    plan(&t, &w, m, rows);
    // Zeros would be faster than numbers.
    pcg_seed(&chance, 1, 1);
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < t.random.width; i++)
            ((float *)t.random.data)[r * t.random.stride + i] = pcg_float(&chance) - 0.5F;
    bool ok = t.x.data == t.random.data || nn_convert(how, &t.random, &t.x);
    for (int i = 0; i < TRIALS && ok; i++) {
        int64_t begun = busy_ns();
        ok = nn_linear(how, &t.x, m, (struct linear_end){0}, &t.y);
        double seconds = (double)(busy_ns() - begun) * 1e-9 / pool_width(how->pool);
        if (ok && (best == 0.0 || seconds < best))
            best = seconds;
    }
    free(w.base);
    return best;
}

double pipeline_rate(const struct pipeline *p, const struct nn_run *how, pipeline_busy_fn *busy_ns)
{
    enum { OUTPUTS = 1024, FEW = 16, MANY = 512 };
    static const double QUICK_S = 0.005;
    int64_t outputs = p->block.shape[0] < OUTPUTS ? p->block.shape[0] : OUTPUTS;
    struct packed_tensor m = packed_outputs(&p->block, 0, outputs);
    int rows = FEW;

    double seconds = best_of(how, busy_ns, &m, rows);
    if (seconds < QUICK_S) {
        rows = MANY;
        seconds = best_of(how, busy_ns, &m, rows);
    }
    return seconds > 0.0 ? 2.0 * rows * (double)outputs * (double)m.shape[1] / seconds : 0.0;
}
