/* SPDX-License-Identifier: MIT */
#include "unit/tiny_model.h"
#include "unit/unit.h"

#include "base/json.h"
#include "models/flux2/check.h"
#include "models/flux2/layout.h"
#include "nn/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *model_path(const char *name)
{
    static char path[4096];

    return tiny_model(path, name);
}

/* The tiny model's file with one key set to a value, or taken away (NULL); freed by the caller. */
static char *altered(const char *file, const char *key, const char *value)
{
    json_t *root = json_load_file(model_path(file), 0, NULL);

    assert_non_null(root);
    if (key && value)
        json_object_set_new(root, key, json_loads(value, JSON_DECODE_ANY, NULL));
    else if (key)
        json_object_del(root, key);
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

static void sizes_are_read(void **state)
{
    struct flux2_transformer_config t;
    struct flux2_text_config q;
    struct flux2_vae_config v;
    char *text;

    (void)state;
    text = altered("transformer/config.json", NULL, NULL);
    assert_int_equal(flux2_transformer_config(text, strlen(text), &t, NULL), ERR_OK);
    free(text);
    assert_true(t.heads == 2 && t.head == 128 && t.hidden == 256 && t.mlp == 192);
    assert_true(t.channels == 128 && t.text_width == 192 && t.doubles == 2 && t.singles == 2);
    assert_true(t.axis[3] == 32 && t.theta == 2000.0 && t.eps == 1e-6 && t.time_channels == 256);
    text = altered("text_encoder/config.json", NULL, NULL);
    assert_int_equal(flux2_text_config(text, strlen(text), &q, NULL), ERR_OK);
    free(text);
    assert_true(q.hidden == 64 && q.mlp == 160 && q.layers == 8 && q.vocabulary == 1024);
    assert_true(q.heads == 2 && q.key_heads == 1 && q.head == 128 && q.theta == 1e6);
    assert_true(q.tap[0] == 2 && q.tap[1] == 4 && q.tap[2] == 6 && q.eps == 1e-6);
    text = altered("vae/config.json", "decoder_block_out_channels", "[32,64,96,128]");
    assert_int_equal(flux2_vae_config(text, strlen(text), &v, NULL), ERR_OK);
    free(text);
    assert_true(v.encoder[0] == 32 && v.encoder[2] == 64 && v.decoder[3] == 128 && v.latent == 32);
    assert_true(v.resnets == 2 && v.groups == 32 && v.statistics_eps == 1e-4);
    // Newer files nest the rotary's base.
    static const char nested[] =
        "{\"hidden_size\":64,\"intermediate_size\":1,\"num_hidden_layers\":4,\"vocab_size\":9,"
        "\"num_attention_heads\":2,\"num_key_value_heads\":2,\"head_dim\":16,\"hidden_act\":"
        "\"silu\",\"model_type\":\"qwen3\",\"rms_norm_eps\":1e-6,\"rope_parameters\":"
        "{\"rope_theta\":5e6}}";
    assert_int_equal(flux2_text_config(nested, strlen(nested), &q, NULL), ERR_OK);
    assert_true(q.theta == 5e6);
}

static void sizes_out_of_range_and_other_kinds_are_refused(void **state)
{
    static const struct {
        char part; /* t, q, v */
        const char *key, *value;
        enum err want;
    } row[] = {
        {'t', "num_layers", "256", ERR_OK},
        {'t', "num_layers", "257", ERR_INVALID},
        {'t', "num_layers", "0", ERR_INVALID},
        {'t', "num_layers", "\"2\"", ERR_INVALID},
        {'t', "num_layers", NULL, ERR_INVALID},
        {'t', "num_attention_heads", "256", ERR_OK},
        {'t', "num_attention_heads", "257", ERR_INVALID},
        {'t', "attention_head_dim", "64", ERR_INVALID}, // the axes make up 128
        {'t', "axes_dims_rope", "[16,56,56,0]", ERR_INVALID},
        {'t', "axes_dims_rope", "[31,33,32,32]", ERR_INVALID},
        {'t', "axes_dims_rope", "[32,48,48]", ERR_UNSUPPORTED},
        {'t', "axes_dims_rope", "[16,48,48,16]", ERR_OK},
        {'t', "attention_head_dim", "136", ERR_INVALID},
        {'t', "axes_dims_rope", "[32,32,32,40]", ERR_INVALID},
        {'t', "mlp_ratio", "0.25", ERR_OK}, // 64 of 256
        {'t', "mlp_ratio", "0.255", ERR_UNSUPPORTED},
        {'t', "mlp_ratio", "16", ERR_OK},
        {'t', "mlp_ratio", "16.1", ERR_INVALID},
        {'t', "mlp_ratio", "-1", ERR_INVALID},
        {'t', "in_channels", "1e2", ERR_INVALID},
        {'t', "timestep_guidance_channels", "255", ERR_INVALID},
        {'t', "guidance_embeds", "true", ERR_UNSUPPORTED},
        {'t', "guidance_embeds", NULL, ERR_UNSUPPORTED}, // true where it is not said
        {'t', "patch_size", "2", ERR_UNSUPPORTED},
        {'t', "out_channels", "128", ERR_OK},
        {'t', "out_channels", "64", ERR_UNSUPPORTED},
        {'q', "model_type", "\"qwen2\"", ERR_UNSUPPORTED},
        {'q', "attention_bias", "true", ERR_UNSUPPORTED},
        {'q', "rope_scaling", "{\"type\":\"yarn\"}", ERR_UNSUPPORTED},
        {'q', "rope_parameters", "{\"rope_type\":\"default\"}", ERR_OK},
        {'q', "rope_parameters", "{\"rope_type\":\"yarn\"}", ERR_UNSUPPORTED},
        {'q', "num_key_value_heads", "3", ERR_UNSUPPORTED},
        {'q', "num_hidden_layers", "7", ERR_UNSUPPORTED},
        {'q', "num_hidden_layers", "36", ERR_OK},
        {'q', "rope_theta", NULL, ERR_INVALID},
        {'q', "rope_theta", "0", ERR_INVALID},
        {'q', "vocab_size", "1048576", ERR_OK},
        {'q', "vocab_size", "1048577", ERR_INVALID},
        {'q', "rms_norm_eps", "0", ERR_INVALID},
        {'q', "head_dim", "144", ERR_OK},
        {'q', "head_dim", "136", ERR_UNSUPPORTED},
        {'v', "norm_num_groups", "48", ERR_INVALID},
        {'v', "norm_num_groups", "16", ERR_OK},
        {'v', "latent_channels", "64", ERR_OK},
        {'v', "latent_channels", "48", ERR_UNSUPPORTED},
        {'v', "block_out_channels", "[32,64,64]", ERR_UNSUPPORTED},
        {'v', "decoder_block_out_channels", "[96,192,384,384]", ERR_OK},
        {'v', "decoder_block_out_channels", "[96,192,384,300]", ERR_INVALID},
        {'v', "decoder_block_out_channels", "[96,192,384,512]", ERR_OK},
        {'v', "decoder_block_out_channels", "[96,192,384,544]", ERR_UNSUPPORTED}, // attention
        {'v', "act_fn", "\"gelu\"", ERR_UNSUPPORTED},
        {'v', "in_channels", "4", ERR_UNSUPPORTED},
        {'v', "use_quant_conv", "false", ERR_UNSUPPORTED},
        {'v', "patch_size", "[1,1]", ERR_UNSUPPORTED},
        {'v', "batch_norm_eps", NULL, ERR_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct flux2_transformer_config t;
        struct flux2_text_config q;
        struct flux2_vae_config v;
        struct err_note note = {0};
        char *text = altered(row[i].part == 't'   ? "transformer/config.json"
                             : row[i].part == 'q' ? "text_encoder/config.json"
                                                  : "vae/config.json",
                             row[i].key, row[i].value);
        enum err e = row[i].part == 't'   ? flux2_transformer_config(text, strlen(text), &t, &note)
                     : row[i].part == 'q' ? flux2_text_config(text, strlen(text), &q, &note)
                                          : flux2_vae_config(text, strlen(text), &v, &note);
        if (e != row[i].want)
            fail_msg("%s %s: %s, \"%s\"", row[i].key, row[i].value ? row[i].value : "gone",
                     err_name(e), note.text);
        free(text);
    }
    struct flux2_vae_config v;
    assert_int_equal(flux2_vae_config("[]", 2, &v, NULL), ERR_INVALID);
    assert_int_equal(flux2_vae_config("{", 1, &v, NULL), ERR_INVALID);
}

// What the MLP is wide follows from three numbers, each of which may be in range.
static void an_mlp_has_its_limit(void **state)
{
    static const struct {
        const char *ratio;
        enum err want;
    } row[] = {{"8", ERR_OK}, {"8.01", ERR_INVALID}, {"16", ERR_INVALID}};

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct flux2_transformer_config t;
        char text[512];
        snprintf(text, sizeof(text),
                 "{\"num_attention_heads\":32,\"attention_head_dim\":128,\"in_channels\":128,"
                 "\"joint_attention_dim\":192,\"num_layers\":1,\"num_single_layers\":1,"
                 "\"timestep_guidance_channels\":256,\"guidance_embeds\":false,\"mlp_ratio\":%s,"
                 "\"rope_theta\":2000,\"eps\":1e-6,\"axes_dims_rope\":[32,32,32,32]}",
                 row[i].ratio);
        assert_int_equal(flux2_transformer_config(text, strlen(text), &t, NULL), row[i].want);
    }
}

static enum err count_tensor(void *ctx, const struct layout_tensor *t)
{
    int64_t *sum = ctx, count = 1;

    for (int i = 0; i < t->rank; i++)
        count *= t->shape[i];
    sum[0]++;
    sum[1] += count;
    sum[2] += t->rows;
    return ERR_OK;
}

static enum err stop_at_third(void *ctx, const struct layout_tensor *t)
{
    (void)t;
    return ++*(int *)ctx == 3 ? ERR_CANCELLED : ERR_OK;
}

/* The published model's sums: 3,875,544,576 numbers in the transformer. */
static void layouts_of_the_published_model_add_up(void **state)
{
    const struct flux2_transformer_config t = {.heads = 24,
                                               .head = 128,
                                               .hidden = 3072,
                                               .mlp = 9216,
                                               .channels = 128,
                                               .text_width = 7680,
                                               .doubles = 5,
                                               .singles = 20,
                                               .time_channels = 256};
    const struct flux2_text_config q = {.hidden = 2560,
                                        .mlp = 9728,
                                        .layers = 36,
                                        .vocabulary = 151936,
                                        .heads = 32,
                                        .key_heads = 8,
                                        .head = 128,
                                        .tap = {9, 18, 27}};
    const struct flux2_vae_config v = {.encoder = {128, 256, 512, 512},
                                       .decoder = {128, 256, 512, 512},
                                       .resnets = 2,
                                       .latent = 32,
                                       .groups = 32};
    int64_t sum[3] = {0};
    int calls = 0;

    (void)state;
    assert_int_equal(layout_transformer(&t, count_tensor, sum), ERR_OK);
    assert_int_equal(sum[1], 3875544576);
    memset(sum, 0, sizeof(sum));
    assert_int_equal(layout_text(&q, count_tensor, sum), ERR_OK);
    assert_int_equal(sum[0], 27 * 11 + 1);
    assert_int_equal(sum[2], 1);
    memset(sum, 0, sizeof(sum));
    assert_int_equal(layout_vae(&v, count_tensor, sum), ERR_OK);
    assert_true(sum[1] > 83900000 && sum[1] < 84200000);
    assert_int_equal(layout_vae(&v, stop_at_third, &calls), ERR_CANCELLED);
    assert_int_equal(calls, 3);
}

struct findings {
    char text[1200];
    int fails;
};

static void note_finding(void *ctx, const char *part, enum err e, const char *found)
{
    struct findings *f = ctx;
    size_t len = strlen(f->text);

    snprintf(f->text + len, sizeof(f->text) - len, "%s: %s: %s\n", part, err_name(e), found);
    f->fails += e != ERR_OK;
}

static const char *const FILES[] = {"model_index.json",
                                    "transformer/config.json",
                                    "transformer/diffusion_pytorch_model.safetensors",
                                    "text_encoder/config.json",
                                    "text_encoder/model.safetensors.index.json",
                                    "text_encoder/model-00001-of-00002.safetensors",
                                    "text_encoder/model-00002-of-00002.safetensors",
                                    "vae/config.json",
                                    "vae/diffusion_pytorch_model.safetensors",
                                    "tokenizer/tokenizer.json"};
static const char *const FOLDERS[] = {"transformer", "text_encoder", "vae", "tokenizer"};

enum { FILE_COUNT = sizeof(FILES) / sizeof(FILES[0]), FOLDER_COUNT = 4 };

/* A copy of the tiny model of links, in which `file` is `text`, or is missing (NULL). */
static void make_folder(const char *dir, const char *file, const char *text)
{
    char path[200];

    for (int i = 0; i < FOLDER_COUNT; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, FOLDERS[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    for (int i = 0; i < FILE_COUNT; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, FILES[i]);
        if (!file || strcmp(FILES[i], file) != 0)
            assert_int_equal(symlink(model_path(FILES[i]), path), 0);
    }
    if (text) {
        snprintf(path, sizeof(path), "%s/%s", dir, file);
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        fputs(text, f);
        fclose(f);
    }
}

static void remove_folder(const char *dir)
{
    char path[200];

    for (int i = 0; i < FILE_COUNT; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, FILES[i]);
        unlink(path);
    }
    for (int i = 0; i < FOLDER_COUNT; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, FOLDERS[i]);
        assert_int_equal(rmdir(path), 0);
    }
    assert_int_equal(rmdir(dir), 0);
}

static void a_whole_model_is_right(void **state)
{
    struct findings f = {0};

    (void)state;
    assert_true(flux2_check(model_path(""), note_finding, &f));
    assert_int_equal(f.fails, 0);
    assert_non_null(strstr(f.text, "index: ERR_OK: FLUX.2 [klein], distilled"));
    assert_non_null(
        strstr(f.text, "transformer: ERR_OK: 2 + 2 blocks, 2 heads of 128; 49 tensors"));
    assert_non_null(strstr(f.text, "text_encoder: ERR_OK: 6 of 8 layers are used, 64 wide; 67"));
    assert_non_null(strstr(f.text, "widths 32-32-64-64 in and 64-64-32-32 out; 246 tensors"));
    assert_non_null(strstr(f.text, "tokenizer: ERR_OK: Qwen's"));
    assert_non_null(strstr(f.text, "together: ERR_OK"));
}

#define LFS "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7751109744\n"

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *file, *key, *value; /* a key of "" puts the value in the file's place */
        const char *says;
    } row[] = {
        {"model_index.json", NULL, NULL, "index: ERR_NOT_FOUND"},
        {"model_index.json", "_class_name", "\"FluxPipeline\"", "FluxPipeline"},
        {"model_index.json", "is_distilled", "1", "is_distilled"},
        {"transformer/config.json", NULL, NULL, "transformer: ERR_NOT_FOUND"},
        {"transformer/config.json", "mlp_ratio", "1.0",
         "transformer_blocks.0.ff.linear_in.weight: wanted is a shape of [512,256], found "
         "[384,256]"},
        {"transformer/config.json", "num_layers", "3", "no tensor transformer_blocks.2.attn.to_q"},
        {"transformer/diffusion_pytorch_model.safetensors", NULL, NULL, "holds neither"},
        {"transformer/diffusion_pytorch_model.safetensors", "", "x", "too few"},
        {"transformer/diffusion_pytorch_model.safetensors", "", "<!DOCTYPE html>",
         "cut short, or no safetensors file"},
        {"text_encoder/model-00002-of-00002.safetensors", NULL, NULL, "model-00002-of-00002"},
        {"text_encoder/model-00002-of-00002.safetensors", "", LFS, "git lfs pull"},
        {"text_encoder/config.json", "vocab_size", "1000", "[1000,64], found [1024,64]"},
        {"vae/config.json", "latent_channels", "64", "encoder.conv_out.weight: wanted"},
        {"vae/config.json", "latent_channels", "16", "vae: ERR_UNSUPPORTED: widths that are not"},
        {"text_encoder/config.json", "head_dim", "40", "text_encoder: ERR_UNSUPPORTED: heads in"},
        {"transformer/config.json", "mlp_ratio", "0.76",
         "transformer: ERR_UNSUPPORTED: heads of 128, 256 wide with 194 between"},
        {"vae/diffusion_pytorch_model.safetensors", NULL, NULL, "vae: ERR_NOT_FOUND"},
        {"tokenizer/tokenizer.json", NULL, NULL, "tokenizer: ERR_NOT_FOUND"},
        {"tokenizer/tokenizer.json", "", "{}", "tokenizer: ERR_UNSUPPORTED: "},
        {"tokenizer/tokenizer.json", "", LFS, "git lfs pull"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        char dir[] = "/tmp/patina-check-XXXXXX";
        struct findings f = {0};
        bool whole = !row[i].key || !*row[i].key;
        char *text = whole ? NULL : altered(row[i].file, row[i].key, row[i].value);
        assert_non_null(mkdtemp(dir));
        make_folder(dir, row[i].file, whole ? row[i].value : text);
        bool right = flux2_check(dir, note_finding, &f);
        remove_folder(dir);
        free(text);
        if (right || f.fails != 1 || !strstr(f.text, row[i].says))
            fail_msg("row %zu: %s", i, f.text);
        assert_null(strstr(f.text, "together"));
    }
}

static void parts_that_do_not_fit_are_named(void **state)
{
    char dir[] = "/tmp/patina-check-XXXXXX", path[100];
    struct findings f = {0};

    (void)state;
    // A tokenizer with one token more than the text encoder has rows.
    json_t *root = json_load_file(model_path("tokenizer/tokenizer.json"), 0, NULL);
    json_object_set_new(json_array_get(json_object_get(root, "added_tokens"), 0), "id",
                        json_integer(1024));
    char *text = json_dumps(root, JSON_COMPACT);
    assert_non_null(mkdtemp(dir));
    make_folder(dir, "tokenizer/tokenizer.json", text);
    assert_false(flux2_check(dir, note_finding, &f));
    assert_non_null(strstr(f.text, "together: ERR_INVALID: the tokenizer has tokens up to 1024"));
    remove_folder(dir);
    free(text);
    json_decref(root);

    // A folder that is not there, and a name that is too long.
    memset(&f, 0, sizeof(f));
    snprintf(path, sizeof(path), "%s/none", dir);
    assert_false(flux2_check(path, note_finding, &f));
    assert_int_equal(f.fails, 5);
    char *name = calloc(1, 5000);
    memset(name, 'x', 4999);
    memset(&f, 0, sizeof(f));
    assert_false(flux2_check(name, note_finding, &f));
    assert_int_equal(f.fails, 5);
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_read),
        cmocka_unit_test(sizes_out_of_range_and_other_kinds_are_refused),
        cmocka_unit_test(an_mlp_has_its_limit),
        cmocka_unit_test(layouts_of_the_published_model_add_up),
        cmocka_unit_test(a_whole_model_is_right),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(parts_that_do_not_fit_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
