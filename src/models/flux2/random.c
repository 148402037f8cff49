/* SPDX-License-Identifier: MIT */
#include "models/flux2/random.h"

#include "models/flux2/pack_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 3, CONFIG_BYTES = 600 };

struct making {
    enum flux2_precision precision;
    const char *part;
    struct packer *packer; /* NULL: only counts */
    int64_t all, written;
    packed_progress_fn *done;
    void *done_ctx;
    struct err_note *note;
    uint64_t state;
    uint16_t *number; /* bf16 */
    int64_t room;
};

static const char *const PART[PARTS] = {"transformer", "text_encoder", "vae"};

static void config_of(int part, bool shallow, char json[CONFIG_BYTES])
{
    switch (part) {
    case 0:
        snprintf(json, CONFIG_BYTES,
                 "{\"num_attention_heads\":24,\"attention_head_dim\":128,\"in_channels\":128,"
                 "\"joint_attention_dim\":7680,\"num_layers\":%d,\"num_single_layers\":%d,"
                 "\"timestep_guidance_channels\":256,\"mlp_ratio\":3.0,\"rope_theta\":2000,"
                 "\"eps\":1e-6,\"axes_dims_rope\":[32,32,32,32],\"guidance_embeds\":false}",
                 shallow ? 1 : 5, shallow ? 4 : 20);
        break;
    case 1:
        snprintf(json, CONFIG_BYTES,
                 "{\"model_type\":\"qwen3\",\"hidden_act\":\"silu\",\"hidden_size\":2560,"
                 "\"intermediate_size\":9728,\"num_hidden_layers\":%d,\"vocab_size\":%d,"
                 "\"num_attention_heads\":32,\"num_key_value_heads\":8,\"head_dim\":128,"
                 "\"rope_theta\":1000000,\"rms_norm_eps\":1e-6}",
                 shallow ? 4 : 36, shallow ? 4096 : 151936);
        break;
    default:
        snprintf(json, CONFIG_BYTES,
                 "{\"layers_per_block\":2,\"latent_channels\":32,\"norm_num_groups\":32,"
                 "\"in_channels\":3,\"out_channels\":3,\"batch_norm_eps\":1e-4,"
                 "\"block_out_channels\":[128,256,512,512]}");
    }
}

/* Magnitudes of 2^-7 to 2^-3, so that sums neither vanish nor grow beyond bounds. */
static void fill(struct making *m, bool positive, int64_t count)
{
    const uint64_t keep = positive ? 0x01FF01FF01FF01FF : 0x81FF81FF81FF81FF;
    uint64_t x = m->state;

    for (int64_t i = 0; i < count; i += 4) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        uint64_t four = (x & keep) | 0x3C003C003C003C00;
        memcpy(&m->number[i], &four, sizeof(four));
    }
    m->state = x;
}

static enum err add_tensor(struct making *m, const struct layout_tensor *t, enum dtype as)
{
    struct tensor_view v = {.dtype = DTYPE_BF16, .rank = t->rank};
    char name[PACKED_NAME_MAX + 1];

    memcpy(v.shape, t->shape, sizeof(v.shape));
    const int64_t count = (tensor_count(&v) + 3) / 4 * 4;
    if (count > m->room) {
        free(m->number);
        m->number = malloc((size_t)count * sizeof(*m->number));
        m->room = m->number ? count : 0;
        if (!m->number)
            return err_set(m->note, ERR_NOMEM, "no memory for random numbers");
    }
    // Norms and variances are positive.
    fill(m, t->rank == 1, count);
    v.data = m->number;
    snprintf(name, sizeof(name), "%s/%s", m->part, t->name);
    return packer_add(m->packer, name, layout_kind(t), as, &v, m->note);
}

static enum err make_tensor(void *ctx, const struct layout_tensor *t)
{
    struct making *m = ctx;
    const enum dtype as = pack_type(m->precision, t);
    enum err e = m->packer ? add_tensor(m, t, as) : ERR_OK;

    m->written += packed_tensor_bytes(layout_kind(t), as, t->rank, t->shape);
    if (e == ERR_OK && m->done && m->packer &&
        !m->done(m->done_ctx, (float)((double)m->written / (double)m->all)))
        e = err_set(m->note, ERR_CANCELLED, "stopped");
    return e;
}

static enum err make_part(struct making *m, int part, bool shallow)
{
    struct flux2_transformer_config transformer;
    struct flux2_text_config text;
    struct flux2_vae_config vae;
    char json[CONFIG_BYTES], name[40];
    enum err e = ERR_OK;

    config_of(part, shallow, json);
    m->part = PART[part];
    snprintf(name, sizeof(name), "%s/config.json", m->part);
    if (m->packer)
        e = packer_add_text(m->packer, name, json, strlen(json), m->note);
    if (e == ERR_OK && part == 0 &&
        (e = flux2_transformer_config(json, strlen(json), &transformer, m->note)) == ERR_OK)
        e = layout_transformer(&transformer, make_tensor, m);
    if (e == ERR_OK && part == 1 &&
        (e = flux2_text_config(json, strlen(json), &text, m->note)) == ERR_OK)
        e = layout_text(&text, make_tensor, m);
    if (e == ERR_OK && part == 2 &&
        (e = flux2_vae_config(json, strlen(json), &vae, m->note)) == ERR_OK)
        e = layout_vae(&vae, make_tensor, m);
    return e;
}

int64_t flux2_random_bytes(enum flux2_precision precision, bool shallow)
{
    struct making m = {.precision = precision};
    enum err e = ERR_OK;

    for (int i = 0; i < PARTS && e == ERR_OK; i++)
        e = make_part(&m, i, shallow);
    return m.written;
}

struct flux2_transformer_config flux2_random_transformer(bool shallow)
{
    struct flux2_transformer_config c = {0};
    char json[CONFIG_BYTES];

    config_of(0, shallow, json);
    enum err e = flux2_transformer_config(json, strlen(json), &c, NULL);
    assert(e == ERR_OK);
    return c;
}

enum err flux2_random(enum flux2_precision precision, bool shallow, packed_progress_fn *done,
                      void *done_ctx, struct packed **out, struct err_note *note)
{
    struct making m = {.precision = precision,
                       .all = flux2_random_bytes(precision, shallow),
                       .done = done,
                       .done_ctx = done_ctx,
                       .note = note,
                       .state = 0x9E3779B97F4A7C15};

    enum err e = packer_open(NULL, &m.packer, note);
    if (e != ERR_OK)
        return e;
    for (int i = 0; i < PARTS && e == ERR_OK; i++)
        e = make_part(&m, i, shallow);
    if (e == ERR_OK)
        e = packer_finish(m.packer, out, note);
    else
        packer_abandon(m.packer);
    free(m.number);
    return e;
}
