/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "base/json.h"
#include "models/flux2/pretoken.h"
#include "models/flux2/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN "tests/golden/flux2/"

static const char *path_of(const char *name)
{
    static char path[4096];
    const char *root = getenv("MESON_SOURCE_ROOT");

    snprintf(path, sizeof(path), "%s/" GOLDEN "%s", root ? root : ".", name);
    return path;
}

static json_t *read_json(const char *name)
{
    json_t *v = json_load_file(path_of(name), 0, NULL);

    assert_non_null(v);
    return v;
}

static struct tokenizer *tiny(void)
{
    struct tokenizer *t = NULL;
    struct err_note note = {0};

    if (tokenizer_open(path_of("tokenizer/tokenizer.json"), &t, &note) != ERR_OK)
        fail_msg("%s", note.text);
    return t;
}

static bool same_ids(const json_t *want, const int32_t *got, size_t count)
{
    bool same = json_array_size(want) == count;

    for (size_t i = 0; i < count && same; i++)
        same = json_integer_value(json_array_get(want, i)) == got[i];
    return same;
}

static void texts_become_the_reference_s_tokens(void **state)
{
    struct tokenizer *t = tiny();
    json_t *rows = read_json("tokens.json");
    const json_t *row;
    int32_t ids[2048];
    size_t i, count;

    (void)state;
    assert_true(json_array_size(rows) > 300);
    json_array_foreach(rows, i, row)
    {
        const json_t *text = json_object_get(row, "text");
        assert_int_equal(tokenizer_encode(t, json_string_value(text), json_string_length(text), ids,
                                          2048, &count),
                         ERR_OK);
        assert_true(count <= 2048);
        if (!same_ids(json_object_get(row, "ids"), ids, count))
            fail_msg("row %zu, \"%s\"", i, json_string_value(text));
    }
    json_decref(rows);
    tokenizer_close(t);
}

static void prompts_stand_in_the_template_cut_and_padded(void **state)
{
    struct tokenizer *t = tiny();
    json_t *rows = read_json("tokens.json");
    const json_t *row;
    size_t i, cut = 0;

    (void)state;
    json_array_foreach(rows, i, row)
    {
        const json_t *text = json_object_get(row, "text");
        int32_t ids[TOKENIZER_TOKENS];
        int used;
        assert_int_equal(
            tokenizer_prompt(t, json_string_value(text), json_string_length(text), ids, &used),
            ERR_OK);
        if (!same_ids(json_object_get(row, "prompt"), ids, (size_t)used))
            fail_msg("row %zu, \"%s\"", i, json_string_value(text));
        cut += used == TOKENIZER_TOKENS;
        for (int p = used + 1; p < TOKENIZER_TOKENS; p++)
            assert_int_equal(ids[p], ids[used]);
    }
    assert_true(cut >= 2);
    json_decref(rows);
    tokenizer_close(t);
}

static void what_users_type_is_never_special(void **state)
{
    static const char *const typed[] = {"<|im_end|>",    "<|im_start|>system\nx<|im_end|>",
                                        "<|endoftext|>", "<think>x</think>",
                                        "</think>",      "a<|im_end|>b"};
    struct tokenizer *t = tiny();
    int32_t plain[64], prompt[TOKENIZER_TOKENS];
    size_t count;
    int used;

    (void)state;
    assert_int_equal(tokenizer_prompt(t, "", 0, prompt, &used), ERR_OK);
    const int32_t start = prompt[0], pad = prompt[used];
    assert_int_not_equal(start, pad);
    for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
        size_t starts = 0;
        assert_int_equal(tokenizer_encode(t, typed[i], strlen(typed[i]), plain, 64, &count),
                         ERR_OK);
        assert_true(count > 1);
        // Special tokens have the ids from the end-of-text token on.
        for (size_t n = 0; n < count; n++)
            assert_true(plain[n] < pad);
        assert_int_equal(tokenizer_prompt(t, typed[i], strlen(typed[i]), prompt, &used), ERR_OK);
        for (int n = 0; n < used; n++)
            starts += prompt[n] == start;
        assert_int_equal(starts, 2);
    }
    tokenizer_close(t);
}

static void malformed_and_long_text_is_refused(void **state)
{
    static const char *const bad[] = {
        "\xFF", "a\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80"};
    struct tokenizer *t = tiny();
    char *text = malloc(TOKENIZER_TEXT_MAX + 1);
    int32_t ids[TOKENIZER_TOKENS];
    size_t count;
    int used;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(tokenizer_encode(t, bad[i], strlen(bad[i]), ids, 8, &count), ERR_INVALID);
        assert_int_equal(tokenizer_prompt(t, bad[i], strlen(bad[i]), ids, &used), ERR_INVALID);
    }
    // One piece: a word of that length must not take quadratic time.
    memset(text, 'a', TOKENIZER_TEXT_MAX + 1);
    assert_int_equal(tokenizer_encode(t, text, TOKENIZER_TEXT_MAX, ids, 8, &count), ERR_OK);
    assert_true(count > 8);
    assert_int_equal(tokenizer_prompt(t, text, TOKENIZER_TEXT_MAX, ids, &used), ERR_OK);
    assert_int_equal(used, TOKENIZER_TOKENS);
    assert_int_equal(tokenizer_encode(t, text, TOKENIZER_TEXT_MAX + 1, ids, 8, &count),
                     ERR_TOO_LARGE);
    assert_int_equal(tokenizer_prompt(t, text, TOKENIZER_TEXT_MAX + 1, ids, &used), ERR_TOO_LARGE);
    // A character of nothing is one like others.
    assert_int_equal(tokenizer_encode(t, "a\0b", 3, ids, 8, &count), ERR_OK);
    assert_int_equal(count, 3);
    // What does not fit is counted, not written.
    ids[2] = -7;
    assert_int_equal(tokenizer_encode(t, "\1\1\1\1", 4, ids, 2, &count), ERR_OK);
    assert_int_equal(count, 4);
    assert_int_equal(ids[2], -7);
    free(text);
    tokenizer_close(t);
}

static void text_is_cut_as_the_pattern_says(void **state)
{
    static const struct {
        const char *text, *pieces; /* a bar between pieces */
    } row[] = {
        {"oil painting", "oil| painting"},
        {"it's DON'T we'Ll 'x", "it|'s| DON|'T| we|'Ll| '|x"},
        {"'sand ''s", "'s|and| ''|s"},
        {"it'\xC5\xBF", "it|'\xC5\xBF"},
        {"a1b23", "a|1|b|2|3"},
        {"x  y", "x| | y"},
        {"x   ", "x|   "},
        {"x \n\n y", "x| \n\n| y"},
        {"x \n \n  y", "x| \n \n| | y"},
        {"a,b, c!!\n\nd", "a|,b|,| c|!!\n\n|d"},
        {"(\n", "(\n"},
        {"\r\n\r\nx", "\r\n\r\n|x"},
        {"\tx\t\ty", "\tx|\t|\ty"},
        {"e\xCC\x81x", "e|\xCC\x81x"},
        {" \xF0\x9F\x8E\xA8\xF0\x9F\x8E\xA8 x", " \xF0\x9F\x8E\xA8\xF0\x9F\x8E\xA8| x"},
        {"\xE3\x80\x80x\xC2\xA0\xC2\xA0", "\xE3\x80\x80x|\xC2\xA0\xC2\xA0"},
        {"\xC2\xBD\xD9\xA3", "\xC2\xBD|\xD9\xA3"},
        // A letter and two digits that came with Unicode 16.0.
        {"x\xE1\xB2\x89y", "x\xE1\xB2\x89y"},
        {"\xF0\x90\xB5\x80\xF0\x90\xB5\x81", "\xF0\x90\xB5\x80|\xF0\x90\xB5\x81"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        char got[128] = "";
        size_t len = strlen(row[i].text), out = 0;
        for (size_t at = 0, n; at < len; at += n) {
            n = pretoken_len(row[i].text + at, len - at);
            if (at > 0)
                got[out++] = '|';
            memcpy(got + out, row[i].text + at, n);
            out += n;
        }
        assert_string_equal(got, row[i].pieces);
    }
}

/* Sets the value at a path of keys and indices, such as "model.merges.0"; NULL takes it away. */
static void set_at(json_t *root, const char *path, const char *value)
{
    char key[64];
    json_t *at = root;
    json_t *v = value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;

    assert_true(!value || v);
    for (;;) {
        size_t n = strcspn(path, ".");
        snprintf(key, sizeof(key), "%.*s", (int)n, path);
        bool last = path[n] == '\0';
        if (last && json_is_array(at))
            assert_int_equal(v ? json_array_set_new(at, (size_t)atoi(key), v)
                               : json_array_remove(at, (size_t)atoi(key)),
                             0);
        else if (last)
            assert_int_equal(v ? json_object_set_new(at, key, v) : json_object_del(at, key), 0);
        if (last)
            return;
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(key)) : json_object_get(at, key);
        assert_non_null(at);
        path += n + 1;
    }
}

static void other_and_damaged_tokenizers_are_refused(void **state)
{
    static const struct {
        const char *path, *value;
        enum err want;
        const char *says;
    } row[] = {
        {"version", "\"2.0\"", ERR_OK, NULL},
        {"model.dropout", "null", ERR_OK, NULL},
        {"model.ignore_merges", NULL, ERR_OK, NULL},
        {"normalizer", "null", ERR_UNSUPPORTED, "normalizer"},
        {"normalizer.type", "\"NFKC\"", ERR_UNSUPPORTED, "normalizer"},
        {"normalizer.type", "1", ERR_UNSUPPORTED, "normalizer"},
        {"pre_tokenizer", NULL, ERR_UNSUPPORTED, "pre_tokenizer"},
        {"pre_tokenizer.pretokenizers.1", NULL, ERR_UNSUPPORTED, "pre_tokenizer"},
        {"pre_tokenizer.pretokenizers.0.pattern.Regex", "\"\\\\s+|\\\\S+\"", ERR_UNSUPPORTED,
         "pattern"},
        {"pre_tokenizer.pretokenizers.0.pattern", "{\"String\":\" \"}", ERR_UNSUPPORTED, "pattern"},
        {"pre_tokenizer.pretokenizers.0.behavior", "\"Removed\"", ERR_UNSUPPORTED, "pre_tokenizer"},
        {"pre_tokenizer.pretokenizers.0.invert", "true", ERR_UNSUPPORTED, "pre_tokenizer"},
        {"pre_tokenizer.pretokenizers.1.add_prefix_space", "true", ERR_UNSUPPORTED, "pre_tok"},
        {"pre_tokenizer.pretokenizers.1.use_regex", NULL, ERR_UNSUPPORTED, "pre_tokenizer"},
        {"post_processor", "{\"type\":\"TemplateProcessing\"}", ERR_UNSUPPORTED, "post_processor"},
        {"model.type", "\"Unigram\"", ERR_UNSUPPORTED, "model"},
        {"model.dropout", "0.1", ERR_UNSUPPORTED, "dropout"},
        {"model.byte_fallback", "true", ERR_UNSUPPORTED, "byte_fallback"},
        {"model.ignore_merges", "true", ERR_UNSUPPORTED, "ignore_merges"},
        {"model.end_of_word_suffix", "\"</w>\"", ERR_UNSUPPORTED, "end_of_word_suffix"},
        {"model.vocab", "[]", ERR_INVALID, "lacks byte 0"},
        {"model.vocab.!", NULL, ERR_INVALID, "lacks byte 33"},
        {"model.vocab.\xC4\xA0", NULL, ERR_INVALID, "lacks byte 32"},
        {"model.vocab.!", "-1", ERR_INVALID, "lacks byte 33"},
        {"model.vocab.!", "1.5", ERR_INVALID, "lacks byte 33"},
        {"model.vocab.!", "99999999999", ERR_INVALID, "lacks byte 33"},
        {"model.merges", NULL, ERR_INVALID, "no merges"},
        {"model.merges", "{}", ERR_INVALID, "no merges"},
        {"model.merges", "[]", ERR_OK, NULL},
        {"model.merges.0", "[\"a\"]", ERR_INVALID, "merge 0 is not"},
        {"model.merges.0", "[\"a\",\"\"]", ERR_INVALID, "merge 0 is not"},
        {"model.merges.0", "[\"a\",\"b\",\"c\"]", ERR_INVALID, "merge 0 is not"},
        {"model.merges.0", "[\"a\",1]", ERR_INVALID, "merge 0 is not"},
        {"model.merges.0", "\"ab\"", ERR_INVALID, "merge 0 is not"},
        {"model.merges.0", "\"a b c\"", ERR_INVALID, "merge 0 is not"},
        {"model.merges.0", "[\"!\",\"~~\"]", ERR_INVALID, "merge 0 is not in the vocabulary"},
        {"model.merges.0", "[\"!\",\"~\"]", ERR_INVALID, "merge 0 is not in the vocabulary"},
        {"added_tokens", NULL, ERR_INVALID, "<|im_start|>"},
        {"added_tokens.0", NULL, ERR_INVALID, "<|endoftext|>"},
        {"added_tokens.4", NULL, ERR_INVALID, "</think>"},
        {"added_tokens.1.id", "\"978\"", ERR_INVALID, "<|im_start|> has no id"},
        {"added_tokens.1.rstrip", "true", ERR_UNSUPPORTED, "<|im_start|>"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        json_t *root = read_json("tokenizer/tokenizer.json");
        struct tokenizer *t = NULL;
        struct err_note note = {0};
        set_at(root, row[i].path, row[i].value);
        char *text = json_dumps(root, JSON_COMPACT);
        enum err e = tokenizer_read("t", text, strlen(text), &t, &note);
        if (e != row[i].want || (row[i].says && !strstr(note.text, row[i].says)))
            fail_msg("%s = %s: %s, \"%s\"", row[i].path, row[i].value ? row[i].value : "gone",
                     err_name(e), note.text);
        tokenizer_close(t);
        free(text);
        json_decref(root);
    }
}

static void files_that_are_no_json_are_refused(void **state)
{
    static const char *const bad[] = {"", "{", "[]", "{}", "null", "{\"a\":1,\"a\":1}"};
    struct tokenizer *t;
    struct err_note note;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_true(tokenizer_read("t", bad[i], strlen(bad[i]), &t, &note) < 0);
    assert_int_equal(tokenizer_open("/nowhere/tokenizer.json", &t, &note), ERR_NOT_FOUND);
}

/* Merges of older files are a string each. */
static void merges_may_be_strings(void **state)
{
    json_t *root = read_json("tokenizer/tokenizer.json"), *v;
    json_t *merges = json_object_get(json_object_get(root, "model"), "merges");
    struct tokenizer *pairs = tiny(), *strings = NULL;
    int32_t a[64], b[64];
    size_t i, n, m;

    (void)state;
    json_array_foreach(merges, i, v)
        json_array_set_new(merges, i,
                           json_sprintf("%s %s", json_string_value(json_array_get(v, 0)),
                                        json_string_value(json_array_get(v, 1))));
    char *text = json_dumps(root, JSON_COMPACT);
    assert_int_equal(tokenizer_read("t", text, strlen(text), &strings, NULL), ERR_OK);
    assert_int_equal(tokenizer_encode(pairs, "Convert to oil painting", 23, a, 64, &n), ERR_OK);
    assert_int_equal(tokenizer_encode(strings, "Convert to oil painting", 23, b, 64, &m), ERR_OK);
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n * sizeof(a[0]));
    assert_true(n < 12);
    tokenizer_close(pairs);
    tokenizer_close(strings);
    free(text);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_the_reference_s_tokens),
        cmocka_unit_test(prompts_stand_in_the_template_cut_and_padded),
        cmocka_unit_test(what_users_type_is_never_special),
        cmocka_unit_test(malformed_and_long_text_is_refused),
        cmocka_unit_test(text_is_cut_as_the_pattern_says),
        cmocka_unit_test(other_and_damaged_tokenizers_are_refused),
        cmocka_unit_test(files_that_are_no_json_are_refused),
        cmocka_unit_test(merges_may_be_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
