/* SPDX-License-Identifier: MIT */
#include "unit/tiny_model.h"
#include "unit/unit.h"

#include "base/buf.h"
#include "nn/weights.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put(const char *dir, const char *name, const char *bytes, size_t len)
{
    char path[200];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

/* A file of two-element F32 tensors, named by single letters. */
static void put_shard(const char *dir, const char *name, const char *letters)
{
    struct buf header = BUF_INIT, file = BUF_INIT;
    size_t count = strlen(letters);

    buf_addc(&header, '{');
    for (size_t i = 0; i < count; i++)
        buf_addf(&header, "%s\"%c\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[%zu,%zu]}",
                 i ? "," : "", letters[i], 8 * i, 8 * i + 8);
    buf_addc(&header, '}');
    while (header.len % 8)
        buf_addc(&header, ' ');
    for (int i = 0; i < 8; i++)
        buf_addc(&file, (char)(header.len >> (8 * i) & 255));
    buf_add(&file, header.data, header.len);
    for (size_t i = 0; i < count; i++) {
        const float value[2] = {(float)letters[i], 1.0f};
        buf_add(&file, value, sizeof(value));
    }
    put(dir, name, file.data, file.len);
    buf_release(&header);
    buf_release(&file);
}

static void remove_folder(const char *dir)
{
    char path[300];
    const struct dirent *at;
    DIR *d = opendir(dir);

    while (d && (at = readdir(d)))
        if (at->d_name[0] != '.' || strlen(at->d_name) > 2) {
            snprintf(path, sizeof(path), "%s/%s", dir, at->d_name);
            unlink(path);
        }
    closedir(d);
    rmdir(dir);
}

#define A     "one-1.safetensors"
#define B     "two-2.safetensors"
#define INDEX "model.safetensors.index.json"

static void an_index_and_its_shards_must_agree(void **state)
{
    static const struct {
        const char *index, *a, *b; /* letters of the shards; NULL: no such file */
        enum err want;
        const char *says;
    } row[] = {
        {"{\"metadata\":{},\"weight_map\":{\"p\":\"" A "\",\"q\":\"" B "\",\"r\":\"" A "\"}}", "pr",
         "q", ERR_OK, NULL},
        {"{\"weight_map\":{\"p\":\"" A "\"}}", "p", NULL, ERR_OK, NULL},
        {"{\"weight_map\":{\"p\":\"" A "\",\"q\":\"" B "\"}}", "p", NULL, ERR_INVALID, B},
        {"{\"weight_map\":{\"p\":\"" A "\",\"q\":\"" A "\"}}", "p", NULL, ERR_INVALID,
         "\"q\" is not in " A},
        {"{\"weight_map\":{\"p\":\"" A "\"}}", "pq", NULL, ERR_INVALID, "holds q"},
        {"{\"weight_map\":{\"p\":\"" A "\",\"q\":\"" B "\"}}", "p", "pq", ERR_INVALID, "holds p"},
        {"{\"weight_map\":{}}", "p", NULL, ERR_INVALID, "no weight_map"},
        {"{}", "p", NULL, ERR_INVALID, "no weight_map"},
        {"[]", "p", NULL, ERR_INVALID, "no weight_map"},
        {"{\"weight_map\":[\"" A "\"]}", "p", NULL, ERR_INVALID, "no weight_map"},
        {"{\"weight_map\":{\"p\":1}}", "p", NULL, ERR_INVALID, "not the name"},
        {"{\"weight_map\":{\"p\":\"../" A "\"}}", "p", NULL, ERR_INVALID, "not the name"},
        {"{\"weight_map\":{\"p\":\"/" A "\"}}", "p", NULL, ERR_INVALID, "not the name"},
        {"{\"weight_map\":{\"p\":\"." A "\"}}", "p", NULL, ERR_INVALID, "not the name"},
        {"{\"weight_map\":{\"p\":\"model.bin\"}}", "p", NULL, ERR_INVALID, "not the name"},
        {"{\"weight_map\":{\"p\":\".safetensors\"}}", "p", NULL, ERR_INVALID, "not the name"},
        {"{\"weight_map\"", "p", NULL, ERR_INVALID, "malformed JSON"},
        {NULL, "p", NULL, ERR_NOT_FOUND, "neither"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        char dir[] = "/tmp/patina-weights-XXXXXX";
        struct weights *w = NULL;
        struct err_note note = {0};
        assert_non_null(mkdtemp(dir));
        if (row[i].index)
            put(dir, INDEX, row[i].index, strlen(row[i].index));
        if (row[i].a)
            put_shard(dir, A, row[i].a);
        if (row[i].b)
            put_shard(dir, B, row[i].b);
        enum err e = weights_open(dir, &w, &note);
        remove_folder(dir);
        if (e != row[i].want || (row[i].says && !strstr(note.text, row[i].says)))
            fail_msg("row %zu: %s, \"%s\"", i, err_name(e), note.text);
        weights_close(w);
    }
}

static void tensors_of_all_shards_are_found(void **state)
{
    static const char index[] = "{\"weight_map\":{\"p\":\"" A "\",\"q\":\"" B "\",\"r\":\"" A
                                "\"}}";
    char dir[] = "/tmp/patina-weights-XXXXXX", letters[4] = "";
    struct weights *w;
    struct tensor_view v;

    (void)state;
    assert_non_null(mkdtemp(dir));
    put(dir, INDEX, index, strlen(index));
    put_shard(dir, A, "pr");
    put_shard(dir, B, "q");
    assert_int_equal(weights_open(dir, &w, NULL), ERR_OK);
    remove_folder(dir);
    for (int i = 0; i < 3; i++) {
        letters[i] = weights_at(w, i, &v)[0];
        assert_true(((const float *)v.data)[0] == (float)letters[i]);
        assert_true(weights_find(w, (char[]){letters[i], '\0'}, &v));
        assert_true(((const float *)v.data)[0] == (float)letters[i]);
    }
    assert_true(strchr(letters, 'p') && strchr(letters, 'q') && strchr(letters, 'r'));
    assert_null(weights_at(w, 3, &v));
    assert_null(weights_at(w, -1, &v));
    assert_false(weights_find(w, "s", &v));
    weights_close(w);
}

static void a_single_file_wins_over_an_index(void **state)
{
    static const char *const file[] = {"model.safetensors", "diffusion_pytorch_model.safetensors"};
    struct weights *w;
    struct tensor_view v;

    (void)state;
    for (int i = 0; i < 2; i++) {
        char dir[] = "/tmp/patina-weights-XXXXXX";
        assert_non_null(mkdtemp(dir));
        put_shard(dir, file[i], "s");
        put(dir, INDEX, "{", 1);
        assert_int_equal(weights_open(dir, &w, NULL), ERR_OK);
        assert_true(weights_find(w, "s", &v));
        weights_close(w);
        // But a single file that is damaged does not fall back on anything.
        put(dir, file[i], "{", 1);
        assert_int_equal(weights_open(dir, &w, NULL), ERR_INVALID);
        remove_folder(dir);
    }
}

static void shards_are_limited(void **state)
{
    (void)state;
    for (int past = 0; past <= 1; past++) {
        char dir[] = "/tmp/patina-weights-XXXXXX", file[40];
        struct buf index = BUF_INIT;
        struct weights *w = NULL;
        assert_non_null(mkdtemp(dir));
        buf_adds(&index, "{\"weight_map\":{");
        for (int i = 0; i < WEIGHTS_SHARDS_MAX + past; i++) {
            // No letter that JSON wants escaped.
            const char letter[2] = {(char)(i < 40 ? '0' + i : 'a' + i - 40), '\0'};
            snprintf(file, sizeof(file), "%d.safetensors", i);
            put_shard(dir, file, letter);
            buf_addf(&index, "%s\"%s\":\"%s\"", i ? "," : "", letter, file);
        }
        buf_adds(&index, "}}");
        put(dir, INDEX, index.data, index.len);
        assert_int_equal(weights_open(dir, &w, NULL), past ? ERR_INVALID : ERR_OK);
        weights_close(w);
        buf_release(&index);
        remove_folder(dir);
    }
}

static void a_tensor_must_have_its_shape(void **state)
{
    static const struct {
        const char *name;
        int rank;
        int64_t shape[3];
        const char *says; /* NULL: fits */
    } row[] = {
        {"p", 2, {1, 2}, NULL},
        {"p", 2, {0, 2}, NULL},
        {"p", 2, {0, 0}, NULL},
        {"p", 2, {2, 2}, "p: wanted is a shape of [2,2], found [1,2]"},
        {"p", 2, {0, 3}, "[?,3], found [1,2]"},
        {"p", 1, {2}, "[2], found [1,2]"},
        {"p", 3, {1, 2, 1}, "[1,2,1]"},
        {"missing", 1, {2}, "no tensor missing"},
    };
    char dir[] = "/tmp/patina-weights-XXXXXX";
    struct weights *w;

    (void)state;
    assert_non_null(mkdtemp(dir));
    put_shard(dir, "model.safetensors", "p");
    assert_int_equal(weights_open(dir, &w, NULL), ERR_OK);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct tensor_view v = {.rank = -1};
        struct err_note note = {0};
        int64_t shape[3] = {row[i].shape[0], row[i].shape[1], row[i].shape[2]};
        enum err e = weights_get(w, row[i].name, row[i].rank, shape, &v, &note);
        if (row[i].says) {
            assert_int_equal(e, ERR_INVALID);
            if (!strstr(note.text, row[i].says))
                fail_msg("row %zu: \"%s\"", i, note.text);
            assert_memory_equal(shape, row[i].shape, sizeof(shape));
            assert_int_equal(v.rank, -1);
        } else {
            assert_int_equal(e, ERR_OK);
            assert_true(shape[0] == 1 && shape[1] == 2 && v.shape[1] == 2);
        }
    }
    weights_close(w);

    static const char integers[] =
        "\x40\0\0\0\0\0\0\0{\"n\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}}";
    char file[80] = {0};
    struct err_note note = {0};
    memset(file, ' ', 72);
    memcpy(file, integers, sizeof(integers) - 1);
    put(dir, "model.safetensors", file, 80);
    assert_int_equal(weights_open(dir, &w, &note), ERR_OK);
    struct tensor_view v;
    assert_int_equal(weights_get(w, "n", 0, NULL, &v, &note), ERR_INVALID);
    assert_non_null(strstr(note.text, "found I64"));
    weights_close(w);
    remove_folder(dir);
}

/* The tiny model: a file, two shards, a file. */
static void a_published_folder_opens(void **state)
{
    static const struct {
        const char *part, *name;
        int count, rank;
        int64_t shape[4];
    } row[] = {
        {"transformer",
         "single_transformer_blocks.1.attn.to_qkv_mlp_proj.weight",
         49,
         2,
         {1152, 256}},
        {"text_encoder", "model.layers.7.self_attn.k_norm.weight", 90, 1, {128}},
        {"vae", "decoder.up_blocks.2.resnets.0.conv_shortcut.weight", 247, 4, {32, 64, 1, 1}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        char dir[4096];
        struct weights *w;
        struct tensor_view v;
        struct err_note note = {0};
        int64_t shape[4] = {0};
        int count = 0;
        if (weights_open(tiny_model(dir, row[i].part), &w, &note) != ERR_OK)
            fail_msg("%s", note.text);
        assert_int_equal(weights_get(w, row[i].name, row[i].rank, shape, &v, NULL), ERR_OK);
        assert_memory_equal(shape, row[i].shape, sizeof(shape));
        while (weights_at(w, count, &v))
            count++;
        assert_int_equal(count, row[i].count);
        weights_close(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index_and_its_shards_must_agree),
        cmocka_unit_test(tensors_of_all_shards_are_found),
        cmocka_unit_test(a_single_file_wins_over_an_index),
        cmocka_unit_test(shards_are_limited),
        cmocka_unit_test(a_tensor_must_have_its_shape),
        cmocka_unit_test(a_published_folder_opens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
