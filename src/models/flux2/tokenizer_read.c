/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/utf8.h"
#include "models/flux2/pretoken.h"
#include "models/flux2/tokenizer.h"
#include "models/flux2/tokenizer_internal.h"
#include "nn/mapped.h"

#include <stdlib.h>
#include <string.h>

enum {
    FILE_BYTES_MAX = 64 * 1024 * 1024, /* Qwen3's has 11 MB */
    ID_MAX = 1 << 24                   /* the largest vocabularies have some 300,000 */
};

static const char *const SPECIAL_NAME[SPECIALS] = {
    [SPECIAL_START] = "<|im_start|>", [SPECIAL_END] = "<|im_end|>",    [SPECIAL_THINK] = "<think>",
    [SPECIAL_UNTHINK] = "</think>",   [SPECIAL_PAD] = "<|endoftext|>",
};

// What a file may say differently would be encoded differently: it is refused.
static enum err other_kind(struct err_note *note, const char *what)
{
    return err_set(note, ERR_UNSUPPORTED, "%s is of another kind than Qwen's", what);
}

static bool text_is(const json_t *object, const char *key, const char *want)
{
    const json_t *v = json_object_get(object, key);

    return json_is_string(v) && strcmp(json_string_value(v), want) == 0;
}

/* Absent, null, false and "" are all a way to say no. */
static bool is_off(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);

    return !v || json_is_null(v) || json_is_false(v) ||
           (json_is_string(v) && json_string_length(v) == 0);
}

static enum err check_kind(const json_t *root, struct err_note *note)
{
    static const char *const OFF[] = {
        "dropout",       "unk_token",    "continuing_subword_prefix", "end_of_word_suffix",
        "byte_fallback", "ignore_merges"};
    const json_t *model = json_object_get(root, "model"),
                 *pre = json_object_get(root, "pre_tokenizer"),
                 *post = json_object_get(root, "post_processor");
    const json_t *steps = json_object_get(pre, "pretokenizers"), *split = json_array_get(steps, 0),
                 *bytes = json_array_get(steps, 1);

    if (!text_is(json_object_get(root, "normalizer"), "type", "NFC"))
        return other_kind(note, "the normalizer");
    if (!text_is(pre, "type", "Sequence") || json_array_size(steps) != 2 ||
        !text_is(split, "type", "Split") || !text_is(split, "behavior", "Isolated") ||
        !is_off(split, "invert") || !text_is(bytes, "type", "ByteLevel") ||
        !is_off(bytes, "add_prefix_space") || !json_is_false(json_object_get(bytes, "use_regex")))
        return other_kind(note, "the pre_tokenizer");
    if (!text_is(json_object_get(split, "pattern"), "Regex", PRETOKEN_PATTERN))
        return other_kind(note, "the pre_tokenizer's pattern");
    if (!is_off(root, "post_processor") && !text_is(post, "type", "ByteLevel"))
        return other_kind(note, "the post_processor");
    if (!text_is(model, "type", "BPE"))
        return other_kind(note, "the model");
    for (size_t i = 0; i < sizeof(OFF) / sizeof(OFF[0]); i++)
        if (!is_off(model, OFF[i]))
            return other_kind(note, OFF[i]);
    return ERR_OK;
}

static bool read_id(struct tokenizer *t, const json_t *v, int32_t *out)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > ID_MAX)
        return false;
    *out = (int32_t)json_integer_value(v);
    if (*out > t->id_max)
        t->id_max = *out;
    return true;
}

/* Byte-level vocabularies write each byte as a letter: printable ones of Latin-1 as themselves, the
 * others as the letters from U+0100 on, in order (Radford et al. 2019). */
static enum err read_bytes(struct tokenizer *t, const json_t *vocabulary, struct err_note *note)
{
    uint32_t spare = 0x100;

    for (uint32_t b = 0; b < 256; b++) {
        bool printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xFF && b != 0xAD);
        char letter[5] = "";
        utf8_encode(printable ? b : spare++, letter);
        if (!read_id(t, json_object_get(vocabulary, letter), &t->byte[b]))
            return err_set(note, ERR_INVALID, "the vocabulary lacks byte %u", b);
    }
    return ERR_OK;
}

static size_t slot_of(const struct tokenizer *t, int32_t left, int32_t right)
{
    uint64_t h = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * 0x9E3779B97F4A7C15u;

    size_t i = (size_t)(h >> 32) & t->mask;
    while (t->merge[i].left != MERGE_FREE &&
           (t->merge[i].left != left || t->merge[i].right != right))
        i = (i + 1) & t->mask;
    return i;
}

const struct merge *tokenizer_merge(const struct tokenizer *t, int32_t left, int32_t right)
{
    const struct merge *m = &t->merge[slot_of(t, left, right)];

    return m->left == MERGE_FREE ? NULL : m;
}

/* A merge is ["left", "right"] or, in older files, "left right". */
static bool read_names(const json_t *v, struct buf *left, struct buf *right)
{
    const json_t *a = json_array_get(v, 0), *b = json_array_get(v, 1);
    const char *text = json_string_value(v), *space = text ? strchr(text, ' ') : NULL;

    buf_reset(left);
    buf_reset(right);
    if (json_array_size(v) == 2 && json_is_string(a) && json_is_string(b)) {
        buf_add(left, json_string_value(a), json_string_length(a));
        buf_add(right, json_string_value(b), json_string_length(b));
    } else if (space && !strchr(space + 1, ' ')) {
        buf_add(left, text, (size_t)(space - text));
        buf_adds(right, space + 1);
    }
    return left->len > 0 && right->len > 0;
}

static enum err read_merge(struct tokenizer *t, const json_t *vocabulary, const json_t *v, int rank,
                           struct buf names[2], struct err_note *note)
{
    int32_t left, right, id;

    if (!read_names(v, &names[0], &names[1]))
        return err_set(note, names[0].failed || names[1].failed ? ERR_NOMEM : ERR_INVALID,
                       "merge %d is not two tokens", rank);
    bool known = read_id(t, json_object_get(vocabulary, names[0].data), &left) &&
                 read_id(t, json_object_get(vocabulary, names[1].data), &right);
    buf_add(&names[0], names[1].data, names[1].len);
    if (names[0].failed)
        return err_set(note, ERR_NOMEM, "no memory for merges");
    if (!known || !read_id(t, json_object_get(vocabulary, names[0].data), &id))
        return err_set(note, ERR_INVALID, "merge %d is not in the vocabulary", rank);
    struct merge *m = &t->merge[slot_of(t, left, right)];
    if (m->left != MERGE_FREE)
        return err_set(note, ERR_INVALID, "merge %d was there before", rank);
    *m = (struct merge){left, right, rank, id};
    return ERR_OK;
}

static enum err read_merges(struct tokenizer *t, const json_t *model, struct err_note *note)
{
    const json_t *merges = json_object_get(model, "merges"),
                 *vocabulary = json_object_get(model, "vocab");
    struct buf names[2] = {BUF_INIT, BUF_INIT};
    size_t count = json_array_size(merges), room = 1;
    enum err e = ERR_OK;

    if (!json_is_array(merges))
        return err_set(note, ERR_INVALID, "there are no merges");
    while (room < 2 * count + 1)
        room *= 2;
    t->mask = room - 1;
    t->merge = calloc(room, sizeof(*t->merge));
    if (!t->merge)
        return err_set(note, ERR_NOMEM, "no memory for merges");
    for (size_t i = 0; i < room; i++)
        t->merge[i].left = MERGE_FREE;
    for (size_t i = 0; i < count && e == ERR_OK; i++)
        e = read_merge(t, vocabulary, json_array_get(merges, i), (int)i, names, note);
    buf_release(&names[0]);
    buf_release(&names[1]);
    return e;
}

static enum err read_special(struct tokenizer *t, const json_t *added, enum special which,
                             struct err_note *note)
{
    size_t i;
    const json_t *v;

    json_array_foreach(added, i, v)
    {
        if (!text_is(v, "content", SPECIAL_NAME[which]))
            continue;
        if (!is_off(v, "lstrip") || !is_off(v, "rstrip"))
            return other_kind(note, SPECIAL_NAME[which]);
        if (!read_id(t, json_object_get(v, "id"), &t->special[which]))
            return err_set(note, ERR_INVALID, "%s has no id", SPECIAL_NAME[which]);
        return ERR_OK;
    }
    return err_set(note, ERR_INVALID, "added_tokens lack %s", SPECIAL_NAME[which]);
}

static enum err read_root(struct tokenizer *t, const json_t *root, struct err_note *note)
{
    const json_t *model = json_object_get(root, "model");
    enum err e = check_kind(root, note);

    if (e == ERR_OK)
        e = read_bytes(t, json_object_get(model, "vocab"), note);
    if (e == ERR_OK)
        e = read_merges(t, model, note);
    for (int i = 0; i < SPECIALS && e == ERR_OK; i++)
        e = read_special(t, json_object_get(root, "added_tokens"), (enum special)i, note);
    return e;
}

enum err tokenizer_read(const char *name, const char *json, size_t len, struct tokenizer **out,
                        struct err_note *note)
{
    struct tokenizer *t = calloc(1, sizeof(*t));
    json_t *root = NULL;

    if (!t)
        return err_set(note, ERR_NOMEM, "no memory to read %s", name);
    enum err e = json_read(json, len, &root, note);
    if (e == ERR_OK)
        e = read_root(t, root, note);
    json_decref(root);
    if (e != ERR_OK) {
        tokenizer_close(t);
        err_note_prefix(note, "%s", name);
        return e;
    }
    *out = t;
    return ERR_OK;
}

enum err tokenizer_open(const char *path, struct tokenizer **out, struct err_note *note)
{
    struct mapped file = MAPPED_INIT;
    enum err e = mapped_open(path, FILE_BYTES_MAX, &file, note);

    if (e == ERR_OK)
        e = tokenizer_read(path, file.bytes, file.len, out, note);
    mapped_release(&file);
    return e;
}

void tokenizer_close(struct tokenizer *t)
{
    if (!t)
        return;
    free(t->merge);
    free(t);
}
