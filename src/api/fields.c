/* SPDX-License-Identifier: MIT */
#include "api/fields.h"

#include "base/json.h"
#include "base/utf8.h"
#include "net/url.h"
#include "store/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void problem_add(struct problems *p, const char *field, const char *fmt, ...)
{
    va_list ap;

    if (p->count == FIELD_PROBLEMS_MAX)
        return;
    p->row[p->count].field = field;
    va_start(ap, fmt);
    vsnprintf(p->row[p->count].text, sizeof(p->row[0].text), fmt, ap);
    va_end(ap);
    p->count++;
}

const char *problems_detail(const struct problems *p, struct arena *a)
{
    struct buf b = BUF_INIT;
    struct json_writer w = JSON_WRITER(&b);

    jw_open(&w, '{');
    jw_key(&w, "fields");
    jw_open(&w, '[');
    for (int i = 0; i < p->count; i++) {
        jw_open(&w, '{');
        jw_kstr(&w, "field", p->row[i].field);
        jw_kstr(&w, "problem", p->row[i].text);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    const char *s = b.failed ? NULL : arena_memdup(a, b.data, b.len);
    buf_release(&b);
    return s;
}

const char *problems_sentence(const struct problems *p, struct arena *a)
{
    struct buf b = BUF_INIT;

    for (int i = 0; i < p->count; i++)
        buf_addf(&b, "%s%s: %s", i ? "; " : "", p->row[i].field, p->row[i].text);
    const char *s = b.failed || !b.data ? NULL : arena_memdup(a, b.data, b.len);
    buf_release(&b);
    return s;
}

// The member's text, copied; "" with a problem noted when it is not a string of 1..max characters.
static const char *read_text(json_t *root, const char *field, size_t max, bool required,
                             struct arena *a, struct problems *problems)
{
    json_t *v = json_object_get(root, field);

    if (!v || (!required && json_is_null(v))) {
        if (required)
            problem_add(problems, field, "is missing");
        return "";
    }
    if (!json_is_string(v)) {
        problem_add(problems, field, "must be a string");
        return "";
    }
    const char *s = json_string_value(v);
    size_t len = json_string_length(v), count = utf8_count(s, len);
    if (required && utf8_blank(s, len))
        problem_add(problems, field, "must not be blank");
    else if (count > max)
        problem_add(problems, field, "must have at most %zu characters, not %zu", max, count);
    else
        return arena_memdup(a, s, len);
    return "";
}

static void check_url(const char *field, const char *s, const struct field_rules *rules,
                      struct arena *a, struct problems *problems)
{
    struct err_note note;
    struct url u;

    err_note_clear(&note);
    enum err e = url_parse(&u, a, s, &note);
    if (!e)
        e = url_check(&u, rules->policy, &note);
    if (e)
        problem_add(problems, field, "%.180s", note.text);
}

static void check_img_url(struct retexture_body *b, const struct field_rules *rules,
                          struct arena *a, struct problems *problems)
{
    b->own = own_url_read(rules->public_url, b->img_url, &b->file, b->upload_id);
    if (b->own == OWN_URL_OTHER)
        problem_add(problems, "imgUrl", "is this server's, but no upload and no result");
    else if (b->own == OWN_URL_NONE)
        check_url("imgUrl", b->img_url, rules, a, problems);
}

// Length-prefixed by their NULs, which JSON text cannot contain here.
static void hash_body(struct retexture_body *b)
{
    struct sha256 h;

    sha256_init(&h);
    sha256_add(&h, b->img_url, strlen(b->img_url) + 1);
    sha256_add(&h, b->prompt, strlen(b->prompt) + 1);
    sha256_add(&h, b->callback, strlen(b->callback) + 1);
    sha256_finish(&h, b->hash);
}

enum err retexture_read(const char *json, size_t len, const struct field_rules *rules,
                        struct arena *a, struct retexture_body *out, struct problems *problems,
                        struct err_note *note)
{
    struct retexture_body b = {.own = OWN_URL_NONE};
    json_t *root = NULL;

    problems->count = 0;
    enum err e = json_read(json, len, &root, note);
    if (e)
        return e;
    if (!json_is_object(root)) {
        json_decref(root);
        return err_set(note, ERR_INVALID, "the body must be a JSON object");
    }
    b.img_url = read_text(root, "imgUrl", FIELD_IMG_URL_MAX, true, a, problems);
    if (b.img_url && *b.img_url)
        check_img_url(&b, rules, a, problems);
    b.prompt = read_text(root, "remixPrompt", FIELD_PROMPT_MAX, true, a, problems);
    b.callback = read_text(root, "callback", FIELD_CALLBACK_MAX, false, a, problems);
    if (b.callback && *b.callback)
        check_url("callback", b.callback, rules, a, problems);
    json_decref(root);
    if (!b.img_url || !b.prompt || !b.callback)
        return err_set(note, ERR_NOMEM, "out of memory");
    if (problems->count) {
        const char *s = problems_sentence(problems, a);
        return err_set(note, ERR_INVALID, "%s", s ? s : "");
    }
    hash_body(&b);
    *out = b;
    return ERR_OK;
}

const char *idempotency_key_read(const char *header, struct arena *a)
{
    size_t len = strlen(header);

    if (len >= 2 && header[0] == '"' && header[len - 1] == '"') {
        header++;
        len -= 2;
    }
    if (len == 0 || len > STORE_IDEMPOTENCY_KEY_MAX)
        return NULL;
    for (size_t i = 0; i < len; i++)
        if (header[i] < '!' || header[i] > '~' || header[i] == '"')
            return NULL;
    return arena_memdup(a, header, len);
}
