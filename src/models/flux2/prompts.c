/* SPDX-License-Identifier: MIT */
#include "models/flux2/prompts.h"

#include <stdlib.h>
#include <string.h>

enum { IDS_BYTES = TOKENIZER_TOKENS * (int)sizeof(int32_t) };

void prompts_release(struct prompts *p)
{
    for (int i = 0; i < PROMPTS_KEPT; i++)
        free(p->kept[i].rows);
    memset(p, 0, sizeof(*p));
}

static int place_of(const struct prompts *p, const int32_t *ids)
{
    for (int i = 0; i < PROMPTS_KEPT; i++)
        if (p->kept[i].rows && memcmp(p->kept[i].ids, ids, IDS_BYTES) == 0)
            return i;
    return -1;
}

bool prompts_has(const struct prompts *p, const int32_t ids[TOKENIZER_TOKENS])
{
    return place_of(p, ids) >= 0;
}

static int oldest(const struct prompts *p)
{
    int at = 0;

    for (int i = 1; i < PROMPTS_KEPT; i++)
        if (p->kept[i].used < p->kept[at].used)
            at = i;
    return at;
}

enum err prompts_encode(struct prompts *p, const struct text_encoder *t, const struct nn_run *how,
                        const int32_t ids[TOKENIZER_TOKENS], int used, const float **out)
{
    int at = place_of(p, ids);

    if (at < 0) {
        size_t bytes = (size_t)text_encoder_width(t) * TOKENIZER_TOKENS * sizeof(float);
        float *rows = malloc(bytes);
        enum err e = rows ? text_encoder_run(t, how, ids, TOKENIZER_TOKENS, used, rows) : ERR_NOMEM;
        if (e != ERR_OK) {
            free(rows);
            return e;
        }
        at = oldest(p);
        free(p->kept[at].rows);
        memcpy(p->kept[at].ids, ids, IDS_BYTES);
        p->kept[at].rows = rows;
    }
    p->kept[at].used = ++p->turn;
    *out = p->kept[at].rows;
    return ERR_OK;
}
