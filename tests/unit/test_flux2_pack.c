/* SPDX-License-Identifier: MIT */
#include "unit/tiny_model.h"
#include "unit/unit.h"

#include "models/flux2/pack.h"
#include "models/flux2/random.h"
#include "nn/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *model_path(const char *name)
{
    static char path[4096];

    return tiny_model(path, name);
}

static bool note_share(void *ctx, float done)
{
    float *most = ctx;

    assert_true(done >= *most && done <= 1.0f);
    *most = done;
    return true;
}

static bool stop(void *ctx, float done)
{
    (void)ctx;
    (void)done;
    return false;
}

static void each_precision_packs_what_it_says(void **state)
{
    static const struct {
        const char *name;
        enum packed_kind kind;
        enum dtype type[FLUX2_INT8 + 1];
    } row[] = {
        {"transformer/x_embedder.weight", PACKED_MATRIX, {DTYPE_F32, DTYPE_BF16, DTYPE_BF16}},
        {"transformer/double_stream_modulation_img.linear.weight",
         PACKED_MATRIX,
         {DTYPE_F32, DTYPE_BF16, DTYPE_BF16}},
        {"transformer/transformer_blocks.1.attn.to_q.weight",
         PACKED_MATRIX,
         {DTYPE_F32, DTYPE_BF16, DTYPE_I8}},
        {"transformer/single_transformer_blocks.1.attn.to_out.weight",
         PACKED_MATRIX,
         {DTYPE_F32, DTYPE_BF16, DTYPE_I8}},
        {"transformer/transformer_blocks.0.attn.norm_q.weight",
         PACKED_PLAIN,
         {DTYPE_F32, DTYPE_F32, DTYPE_F32}},
        {"text_encoder/model.embed_tokens.weight",
         PACKED_ROWS,
         {DTYPE_BF16, DTYPE_BF16, DTYPE_BF16}},
        {"text_encoder/model.layers.5.mlp.down_proj.weight",
         PACKED_MATRIX,
         {DTYPE_F32, DTYPE_BF16, DTYPE_I8}},
        {"vae/decoder.conv_in.weight", PACKED_MATRIX, {DTYPE_F32, DTYPE_BF16, DTYPE_BF16}},
        {"vae/encoder.mid_block.attentions.0.to_q.weight",
         PACKED_MATRIX,
         {DTYPE_F32, DTYPE_BF16, DTYPE_BF16}},
        {"vae/bn.running_var", PACKED_PLAIN, {DTYPE_F32, DTYPE_F32, DTYPE_F32}},
    };
    int64_t bytes[FLUX2_INT8 + 1];

    (void)state;
    for (enum flux2_precision k = FLUX2_F32; k <= FLUX2_INT8; k++) {
        struct packed *model = NULL;
        struct packed_tensor t;
        struct err_note note;
        float most = 0.0f;
        if (flux2_pack(model_path(""), k, NULL, note_share, &most, &model, &note) != ERR_OK)
            fail_msg("%s", note.text);
        assert_true(most == 1.0f);
        for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
            if (!packed_find(model, row[i].name, &t) || t.kind != row[i].kind ||
                t.dtype != row[i].type[k])
                fail_msg("%s, %s", flux2_precision_name(k), row[i].name);
        // Layers that nobody reads stay behind.
        assert_false(packed_find(model, "text_encoder/model.layers.6.mlp.down_proj.weight", &t));
        assert_non_null(packed_text(model, "model_index.json", NULL));
        assert_non_null(packed_text(model, "text_encoder/config.json", NULL));
        assert_non_null(packed_text(model, "tokenizer/tokenizer.json", NULL));
        assert_int_equal(packed_verify(model, NULL, NULL, NULL), ERR_OK);
        bytes[k] = packed_bytes(model);
        packed_close(model);
    }
    assert_true(bytes[FLUX2_F32] > bytes[FLUX2_BF16] && bytes[FLUX2_BF16] > bytes[FLUX2_INT8]);
}

static void numbers_are_the_published_ones(void **state)
{
    static const char name[] = "transformer_blocks.0.attn.norm_q.weight";
    struct packed *model;
    struct packed_tensor t;
    struct weights *w;
    struct tensor_view v;
    float want[128];

    (void)state;
    assert_int_equal(flux2_pack(model_path(""), FLUX2_BF16, NULL, NULL, NULL, &model, NULL),
                     ERR_OK);
    assert_int_equal(weights_open(model_path("transformer"), &w, NULL), ERR_OK);
    assert_true(weights_find(w, name, &v) && tensor_count(&v) == 128);
    tensor_read(&v, 0, 128, want);
    assert_true(packed_find(model, "transformer/transformer_blocks.0.attn.norm_q.weight", &t));
    assert_memory_equal(t.data, want, sizeof(want));
    weights_close(w);
    packed_close(model);
}

static void what_is_wrong_is_said_first(void **state)
{
    struct packed *model = NULL;
    struct err_note note = {0};
    char path[] = "/tmp/patina-flux2-XXXXXX";

    (void)state;
    assert_int_equal(flux2_pack(model_path("vae"), FLUX2_BF16, NULL, NULL, NULL, &model, &note),
                     ERR_NOT_FOUND);
    assert_memory_equal(note.text, "index: ", 7);
    assert_int_equal(flux2_pack(model_path(""), FLUX2_BF16, NULL, stop, NULL, &model, &note),
                     ERR_CANCELLED);
    // Into a folder's name no file fits, and nothing stays beside it.
    assert_non_null(mkdtemp(path));
    assert_int_not_equal(flux2_pack(model_path(""), FLUX2_INT8, path, NULL, NULL, NULL, &note),
                         ERR_OK);
    assert_int_equal(remove(path), 0);
    snprintf(note.text, sizeof(note.text), "%s.part", path);
    assert_int_not_equal(remove(note.text), 0);
}

static void precisions_have_names(void **state)
{
    enum flux2_precision p;

    (void)state;
    for (enum flux2_precision k = FLUX2_F32; k <= FLUX2_INT8; k++)
        assert_true(flux2_precision_of_name(flux2_precision_name(k), &p) && p == k);
    assert_false(flux2_precision_of_name("bf8", &p));
}

static void random_models_have_the_published_shapes(void **state)
{
    const struct flux2_transformer_config c = flux2_random_transformer(false);

    (void)state;
    // docs/models.md: 3.88 thousand million numbers, and 27 of 36 layers of text.
    assert_true(c.hidden == 3072 && c.mlp == 9216 && c.doubles == 5 && c.singles == 20);
    assert_int_equal(flux2_random_bytes(FLUX2_BF16, false) / 10000000, 1414);
    assert_int_equal(flux2_random_bytes(FLUX2_INT8, false) / 10000000, 774);
    assert_true(flux2_random_bytes(FLUX2_BF16, true) < 3000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_precision_packs_what_it_says),
        cmocka_unit_test(numbers_are_the_published_ones),
        cmocka_unit_test(what_is_wrong_is_said_first),
        cmocka_unit_test(precisions_have_names),
        cmocka_unit_test(random_models_have_the_published_shapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
