/* SPDX-License-Identifier: MIT */
#ifndef PATINA_API_FIELDS_H
#define PATINA_API_FIELDS_H

#include "api/own_url.h"
#include "base/arena.h"
#include "base/hash.h"
#include "net/addr_policy.h"

/* What a client sent, checked: all bad fields at once. Pure functions. */

enum {
    FIELD_IMG_URL_MAX = 1024, /* Unicode scalars, as are the next two */
    FIELD_PROMPT_MAX = 8192,
    FIELD_CALLBACK_MAX = 2048,
    FIELD_PROBLEMS_MAX = 8
};

/* Bad fields, for `detail`. */
struct problems {
    struct {
        const char *field;
        char text[200];
    } row[FIELD_PROBLEMS_MAX];
    int count;
};

void problem_add(struct problems *p, const char *field, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* `{"fields":[{"field","problem"}..]}` and one sentence that names all; both in the arena, NULL
 * when memory ran out. */
const char *problems_detail(const struct problems *p, struct arena *a);
const char *problems_sentence(const struct problems *p, struct arena *a);

struct field_rules {
    const struct addr_policy *policy;
    const char *public_url;
};

/* The body of POST /retexture. */
struct retexture_body {
    const char *img_url, *prompt, *callback; /* callback "" for none */
    enum own_url own;                        /* what img_url is: NONE, UPLOAD or FILE */
    struct own_file file;
    char upload_id[OWN_UPLOAD_ID];
    uint8_t hash[SHA256_BYTES]; /* of the three, for idempotency */
};

/* ERR_INVALID: malformed JSON (note) or bad fields (*problems not empty; the note has their
 * sentence); ERR_NOMEM. Strings live in `a`. */
MUST_USE enum err retexture_read(const char *json, size_t len, const struct field_rules *rules,
                                 struct arena *a, struct retexture_body *out,
                                 struct problems *problems, struct err_note *note);

/* Idempotency-Key: quoted or bare, 1..255 visible ASCII. Without its quotes, in the arena; NULL
 * when it is bad (or memory ran out). */
const char *idempotency_key_read(const char *header, struct arena *a);

#endif
