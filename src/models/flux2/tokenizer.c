/* SPDX-License-Identifier: MIT */
#include "models/flux2/tokenizer.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "models/flux2/pretoken.h"
#include "models/flux2/tokenizer_internal.h"
#include "models/flux2/unicode.h"

#include <stdlib.h>
#include <string.h>

/*
 * Byte pair encoding (Sennrich et al. 2016) of bytes: of all neighbours in a piece, the pair of the
 * lowest rank is joined first, the leftmost of equals, until none is left that may be joined. A
 * heap of pairs keeps long words from taking quadratic time; pairs that a join undid are met in it
 * and passed over.
 */
struct symbol {
    int32_t id; /* of the token; ABSORBED when joined to the one in front */
    int32_t prev, next;
};

struct pair {
    int32_t rank, at; /* at: of the left one */
    int32_t left, right;
};

enum { ABSORBED = -1, NOWHERE = -1 };

/* Where tokens go: those past `max` are only counted. */
struct sink {
    int32_t *out;
    size_t max, count;
};

struct work {
    struct symbol *symbol;
    struct pair *heap;
    size_t pairs;
};

static void put(struct sink *sink, int32_t id)
{
    if (sink->count < sink->max)
        sink->out[sink->count] = id;
    sink->count++;
}

static bool before(const struct pair *a, const struct pair *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void heap_add(struct work *w, struct pair p)
{
    size_t i = w->pairs++;

    for (; i > 0 && before(&p, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = p;
}

static struct pair heap_take(struct work *w)
{
    struct pair top = w->heap[0], last = w->heap[--w->pairs];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < w->pairs && before(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (child >= w->pairs || !before(&w->heap[child], &last))
            break;
        w->heap[i] = w->heap[child];
        i = child;
    }
    w->heap[i] = last;
    return top;
}

static void consider(const struct tokenizer *t, struct work *w, int32_t at)
{
    int32_t next = at == NOWHERE ? NOWHERE : w->symbol[at].next;

    if (next == NOWHERE)
        return;
    int32_t left = w->symbol[at].id, right = w->symbol[next].id;
    const struct merge *m = tokenizer_merge(t, left, right);
    if (m)
        heap_add(w, (struct pair){m->rank, at, left, right});
}

static void join(const struct tokenizer *t, struct work *w, const struct pair *p)
{
    struct symbol *left = &w->symbol[p->at];

    // Taken before anything is changed: the pair may be undone.
    if (left->id != p->left || left->next == NOWHERE || w->symbol[left->next].id != p->right)
        return;
    struct symbol *right = &w->symbol[left->next];
    left->id = tokenizer_merge(t, p->left, p->right)->id;
    left->next = right->next;
    right->id = ABSORBED;
    if (left->next != NOWHERE)
        w->symbol[left->next].prev = p->at;
    consider(t, w, left->prev);
    consider(t, w, p->at);
}

static void encode_piece(const struct tokenizer *t, struct work *w, const char *s, size_t len,
                         struct sink *sink)
{
    for (size_t i = 0; i < len; i++)
        w->symbol[i] = (struct symbol){t->byte[(unsigned char)s[i]], (int32_t)i - 1,
                                       i + 1 < len ? (int32_t)i + 1 : NOWHERE};
    w->pairs = 0;
    for (size_t i = 0; i < len; i++)
        consider(t, w, (int32_t)i);
    while (w->pairs > 0) {
        struct pair p = heap_take(w);
        join(t, w, &p);
    }
    for (int32_t i = 0; i != NOWHERE; i = w->symbol[i].next)
        put(sink, w->symbol[i].id);
}

static enum err encode(const struct tokenizer *t, const char *text, size_t len, struct sink *sink)
{
    struct work w = {0};
    struct buf nfc = BUF_INIT;
    enum err e = ERR_NOMEM;

    if (!utf8_valid(text, len))
        return ERR_INVALID;
    unicode_nfc(text, len, &nfc);
    w.symbol = calloc(nfc.len + 1, sizeof(*w.symbol));
    w.heap = calloc(3 * nfc.len + 1, sizeof(*w.heap)); // each pair, and two for each join
    if (nfc.failed || !w.symbol || !w.heap)
        goto out;
    for (size_t at = 0, piece; at < nfc.len; at += piece) {
        piece = pretoken_len(nfc.data + at, nfc.len - at);
        encode_piece(t, &w, nfc.data + at, piece, sink);
    }
    e = ERR_OK;
out:
    free(w.symbol);
    free(w.heap);
    buf_release(&nfc);
    return e;
}

enum err tokenizer_encode(const struct tokenizer *t, const char *text, size_t len, int32_t *out,
                          size_t max, size_t *count)
{
    struct sink sink = {out, max, 0};

    if (len > TOKENIZER_TEXT_MAX)
        return ERR_TOO_LARGE;
    enum err e = encode(t, text, len, &sink);
    if (e == ERR_OK)
        *count = sink.count;
    return e;
}

enum err tokenizer_prompt(const struct tokenizer *t, const char *text, size_t len,
                          int32_t out[TOKENIZER_TOKENS], int *used)
{
    static const struct {
        enum special special;
        const char *letters;
    } BEHIND[] = {{SPECIAL_END, "\n"},
                  {SPECIAL_START, "assistant\n"},
                  {SPECIAL_THINK, "\n\n"},
                  {SPECIAL_UNTHINK, "\n\n"}};
    struct sink sink = {out, TOKENIZER_TOKENS, 0};
    struct buf user = BUF_INIT;

    if (len > TOKENIZER_TEXT_MAX)
        return ERR_TOO_LARGE;
    // One text: how the prompt is cut depends on what stands in front of it.
    buf_adds(&user, "user\n");
    buf_add(&user, text, len);
    put(&sink, t->special[SPECIAL_START]);
    enum err e = user.failed ? ERR_NOMEM : encode(t, user.data, user.len, &sink);
    for (size_t i = 0; i < sizeof(BEHIND) / sizeof(BEHIND[0]) && e == ERR_OK; i++) {
        put(&sink, t->special[BEHIND[i].special]);
        e = encode(t, BEHIND[i].letters, strlen(BEHIND[i].letters), &sink);
    }
    buf_release(&user);
    if (e != ERR_OK)
        return e;
    *used = sink.count < TOKENIZER_TOKENS ? (int)sink.count : TOKENIZER_TOKENS;
    for (int i = *used; i < TOKENIZER_TOKENS; i++)
        out[i] = t->special[SPECIAL_PAD];
    return ERR_OK;
}

int32_t tokenizer_id_max(const struct tokenizer *t)
{
    return t->id_max;
}
