/* SPDX-License-Identifier: MIT */
#include "models/flux2/config.h"

#include "base/json.h"
#include "nn/attention.h"
#include "nn/linear.h"
#include "nn/pack.h"

#include <string.h>

enum {
    WIDTH_MAX = 1 << 15,
    COUNT_MAX = 256,
    VOCABULARY_MAX = 1 << 20,
    // What operators and slices of packed matrices want; every published model has it.
    HEAD_UNIT = 16,
    WIDTH_UNIT = 32, // the autoencoder's maps share memory: no padding in any element type
    GROUPS_MAX = 256 // nn_groupnorm()
};

// The widest input of a matrix is a single block's, of attention and MLP together.
_Static_assert(2 * (int)WIDTH_MAX <= (int)LINEAR_I8_INPUTS_MAX, "what int8 can sum");

struct size_row {
    const char *key;
    size_t offset; /* of an int */
    int min, max;
};

struct fixed_row {
    const char *key, *value; /* as JSON */
    bool required;           /* otherwise it may be absent or null */
};

static enum err out_of_range(struct err_note *note, const char *key, int64_t min, int64_t max)
{
    return err_set(note, ERR_INVALID, "\"%s\" is not an integer of %jd to %jd", key, (intmax_t)min,
                   (intmax_t)max);
}

static enum err read_int(const json_t *v, const char *key, int min, int max, int *out,
                         struct err_note *note)
{
    if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max)
        return out_of_range(note, key, min, max);
    *out = (int)json_integer_value(v);
    return ERR_OK;
}

static enum err read_sizes(const json_t *root, const struct size_row *row, size_t rows, void *out,
                           struct err_note *note)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < rows && e == ERR_OK; i++)
        e = read_int(json_object_get(root, row[i].key), row[i].key, row[i].min, row[i].max,
                     (int *)((char *)out + row[i].offset), note);
    return e;
}

static enum err check_fixed(const json_t *root, const struct fixed_row *row, size_t rows,
                            struct err_note *note)
{
    for (size_t i = 0; i < rows; i++) {
        const json_t *v = json_object_get(root, row[i].key);
        if (!row[i].required && (!v || json_is_null(v)))
            continue;
        json_t *want = json_loads(row[i].value, JSON_DECODE_ANY, NULL);
        bool same = v && want && json_equal(v, want);
        json_decref(want);
        if (!same)
            return err_set(note, ERR_UNSUPPORTED, "\"%s\" is not %s", row[i].key, row[i].value);
    }
    return ERR_OK;
}

static enum err read_real(const json_t *v, const char *key, double min, double max, double *out,
                          struct err_note *note)
{
    double d = json_number_value(v);

    if (!json_is_number(v) || !(d >= min && d <= max))
        return err_set(note, ERR_INVALID, "\"%s\" is not a number of %g to %g", key, min, max);
    *out = d;
    return ERR_OK;
}

static enum err read_list(const json_t *root, const char *key, int count, int min, int max,
                          int *out, struct err_note *note)
{
    const json_t *list = json_object_get(root, key);
    enum err e = ERR_OK;

    if (!json_is_array(list) || json_array_size(list) != (size_t)count)
        return err_set(note, ERR_UNSUPPORTED, "\"%s\" is not a list of %d", key, count);
    for (int i = 0; i < count && e == ERR_OK; i++)
        e = read_int(json_array_get(list, (size_t)i), key, min, max, &out[i], note);
    return e;
}

static enum err read_transformer(const json_t *root, struct flux2_transformer_config *c,
                                 struct err_note *note)
{
#define AT(field) offsetof(struct flux2_transformer_config, field)
    static const struct size_row SIZE[] = {
        {"num_attention_heads", AT(heads), 1, COUNT_MAX},
        {"attention_head_dim", AT(head), 8, 256},
        {"in_channels", AT(channels), 4, WIDTH_MAX},
        {"joint_attention_dim", AT(text_width), 1, WIDTH_MAX},
        {"num_layers", AT(doubles), 1, COUNT_MAX},
        {"num_single_layers", AT(singles), 1, COUNT_MAX},
        {"timestep_guidance_channels", AT(time_channels), 2, WIDTH_MAX},
    };
#undef AT
    // The distilled and the base model alike have no guidance embedder.
    static const struct fixed_row FIXED[] = {{"guidance_embeds", "false", true},
                                             {"patch_size", "1", false}};
    double ratio = 0.0;
    int sum = 0;

    enum err e = read_sizes(root, SIZE, sizeof(SIZE) / sizeof(SIZE[0]), c, note);
    if (e == ERR_OK)
        e = check_fixed(root, FIXED, sizeof(FIXED) / sizeof(FIXED[0]), note);
    if (e == ERR_OK)
        e = read_real(json_object_get(root, "mlp_ratio"), "mlp_ratio", 0.01, 16.0, &ratio, note);
    if (e == ERR_OK)
        e = read_real(json_object_get(root, "rope_theta"), "rope_theta", 1.0, 1e9, &c->theta, note);
    if (e == ERR_OK)
        e = read_real(json_object_get(root, "eps"), "eps", 1e-12, 1e-2, &c->eps, note);
    if (e == ERR_OK)
        e = read_list(root, "axes_dims_rope", FLUX2_AXES, 2, 256, c->axis, note);
    if (e != ERR_OK)
        return e;
    c->hidden = c->heads * c->head;
    c->mlp = (int)(c->hidden * ratio);
    for (int i = 0; i < FLUX2_AXES; i++)
        sum += c->axis[i] % 2 ? WIDTH_MAX : c->axis[i];
    if (sum != c->head)
        return err_set(note, ERR_INVALID,
                       "\"axes_dims_rope\" are not even numbers that make up attention_head_dim");
    if (c->hidden > WIDTH_MAX || c->mlp < 1 || c->mlp > WIDTH_MAX || c->time_channels % 2)
        return err_set(note, ERR_INVALID, "the widths are out of range");
    const json_t *out = json_object_get(root, "out_channels");
    if (out && !json_is_null(out) && json_integer_value(out) != c->channels)
        return err_set(note, ERR_UNSUPPORTED, "\"out_channels\" is not in_channels");
    if (c->head % HEAD_UNIT || c->hidden % WIDTH_UNIT || c->mlp % PACKED_PANEL)
        return err_set(note, ERR_UNSUPPORTED,
                       "heads of %d, %d wide with %d between: wanted are multiples of %d, %d and "
                       "%d",
                       c->head, c->hidden, c->mlp, HEAD_UNIT, WIDTH_UNIT, PACKED_PANEL);
    return ERR_OK;
}

static enum err read_text(const json_t *root, struct flux2_text_config *c, struct err_note *note)
{
#define AT(field) offsetof(struct flux2_text_config, field)
    static const struct size_row SIZE[] = {
        {"hidden_size", AT(hidden), 1, WIDTH_MAX},
        {"intermediate_size", AT(mlp), 1, WIDTH_MAX},
        {"num_hidden_layers", AT(layers), 4, COUNT_MAX},
        {"vocab_size", AT(vocabulary), 1, VOCABULARY_MAX},
        {"num_attention_heads", AT(heads), 1, COUNT_MAX},
        {"num_key_value_heads", AT(key_heads), 1, COUNT_MAX},
        {"head_dim", AT(head), 2, 256},
    };
#undef AT
    static const struct fixed_row FIXED[] = {{"model_type", "\"qwen3\"", true},
                                             {"hidden_act", "\"silu\"", true},
                                             {"attention_bias", "false", false},
                                             {"rope_scaling", "null", false},
                                             {"use_sliding_window", "false", false}};
    static const struct fixed_row ROTARY[] = {{"rope_type", "\"default\"", false}};
    // Newer files nest it.
    const json_t *theta = json_object_get(root, "rope_theta");
    const json_t *nested = json_object_get(root, "rope_parameters");

    if (!theta)
        theta = json_object_get(nested, "rope_theta");
    enum err e = read_sizes(root, SIZE, sizeof(SIZE) / sizeof(SIZE[0]), c, note);
    if (e == ERR_OK)
        e = check_fixed(root, FIXED, sizeof(FIXED) / sizeof(FIXED[0]), note);
    if (e == ERR_OK)
        e = check_fixed(nested, ROTARY, 1, note);
    if (e == ERR_OK)
        e = read_real(theta, "rope_theta", 1.0, 1e9, &c->theta, note);
    if (e == ERR_OK)
        e = read_real(json_object_get(root, "rms_norm_eps"), "rms_norm_eps", 1e-12, 1e-2, &c->eps,
                      note);
    if (e != ERR_OK)
        return e;
    if (c->heads % c->key_heads || c->head % HEAD_UNIT || c->layers % 4)
        return err_set(note, ERR_UNSUPPORTED,
                       "heads in no groups, a head that is no multiple of %d, or layers without "
                       "quarters",
                       HEAD_UNIT);
    for (int i = 0; i < FLUX2_TAPS; i++)
        c->tap[i] = c->layers / 4 * (i + 1);
    return ERR_OK;
}

static enum err check_vae(const struct flux2_vae_config *c, struct err_note *note)
{
    const int last = FLUX2_LEVELS - 1;

    for (int i = 0; i < FLUX2_LEVELS; i++) {
        if (c->encoder[i] % c->groups || c->decoder[i] % c->groups)
            return err_set(note, ERR_INVALID, "\"norm_num_groups\" does not divide every width");
        if (c->encoder[i] % WIDTH_UNIT || c->decoder[i] % WIDTH_UNIT || c->latent % WIDTH_UNIT)
            return err_set(note, ERR_UNSUPPORTED, "widths that are not multiples of %d",
                           WIDTH_UNIT);
    }
    if (c->encoder[last] > ATTENTION_HEAD_MAX || c->decoder[last] > ATTENTION_HEAD_MAX)
        return err_set(note, ERR_UNSUPPORTED, "more than %d channels in the middle",
                       ATTENTION_HEAD_MAX);
    if (c->groups > GROUPS_MAX)
        return err_set(note, ERR_UNSUPPORTED, "more than %d groups", GROUPS_MAX);
    return ERR_OK;
}

static enum err read_vae(const json_t *root, struct flux2_vae_config *c, struct err_note *note)
{
#define AT(field) offsetof(struct flux2_vae_config, field)
    static const struct size_row SIZE[] = {
        {"layers_per_block", AT(resnets), 1, 16},
        {"latent_channels", AT(latent), 1, 1024},
        {"norm_num_groups", AT(groups), 1, 1024},
    };
#undef AT
    static const struct fixed_row FIXED[] = {{"in_channels", "3", true},
                                             {"out_channels", "3", true},
                                             {"act_fn", "\"silu\"", false},
                                             {"patch_size", "[2,2]", false},
                                             {"use_quant_conv", "true", false},
                                             {"use_post_quant_conv", "true", false},
                                             {"mid_block_add_attention", "true", false}};
    const json_t *small = json_object_get(root, "decoder_block_out_channels");

    enum err e = read_sizes(root, SIZE, sizeof(SIZE) / sizeof(SIZE[0]), c, note);
    if (e == ERR_OK)
        e = check_fixed(root, FIXED, sizeof(FIXED) / sizeof(FIXED[0]), note);
    if (e == ERR_OK)
        e = read_real(json_object_get(root, "batch_norm_eps"), "batch_norm_eps", 1e-12, 1e-2,
                      &c->statistics_eps, note);
    if (e == ERR_OK)
        e = read_list(root, "block_out_channels", FLUX2_LEVELS, 1, WIDTH_MAX, c->encoder, note);
    if (e == ERR_OK)
        e = read_list(root,
                      small && !json_is_null(small) ? "decoder_block_out_channels"
                                                    : "block_out_channels",
                      FLUX2_LEVELS, 1, WIDTH_MAX, c->decoder, note);
    return e == ERR_OK ? check_vae(c, note) : e;
}

static enum err read_object(const char *json, size_t len, json_t **root, struct err_note *note)
{
    enum err e = json_read(json, len, root, note);

    if (e == ERR_OK && !json_is_object(*root))
        e = err_set(note, ERR_INVALID, "not a JSON object");
    return e;
}

enum err flux2_transformer_config(const char *json, size_t len,
                                  struct flux2_transformer_config *out, struct err_note *note)
{
    struct flux2_transformer_config c = {0};
    json_t *root = NULL;

    enum err e = read_object(json, len, &root, note);
    if (e == ERR_OK)
        e = read_transformer(root, &c, note);
    if (e == ERR_OK)
        *out = c;
    json_decref(root);
    return e;
}

enum err flux2_text_config(const char *json, size_t len, struct flux2_text_config *out,
                           struct err_note *note)
{
    struct flux2_text_config c = {0};
    json_t *root = NULL;

    enum err e = read_object(json, len, &root, note);
    if (e == ERR_OK)
        e = read_text(root, &c, note);
    if (e == ERR_OK)
        *out = c;
    json_decref(root);
    return e;
}

enum err flux2_vae_config(const char *json, size_t len, struct flux2_vae_config *out,
                          struct err_note *note)
{
    struct flux2_vae_config c = {0};
    json_t *root = NULL;

    enum err e = read_object(json, len, &root, note);
    if (e == ERR_OK)
        e = read_vae(root, &c, note);
    if (e == ERR_OK)
        *out = c;
    json_decref(root);
    return e;
}
