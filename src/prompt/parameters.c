/* SPDX-License-Identifier: MIT */
/* What each parameter means. A row is one name; aliases are rows with the same bit. */
#include "prompt/prompt_internal.h"

#include "base/nearest.h"

#include <math.h>
#include <string.h>
#include <strings.h>

enum {
    // Past this a picture cannot be cropped to it: image/ refuses sources beyond 30:1, too.
    AR_RATIO_MAX = 30,
    AR_SIDE_MAX = 10000
};

struct parameter {
    const char *name;
    enum arity arity;
    uint32_t bit; // enum prompt_param, or 0: known without a meaning here
    void (*set)(struct reader *r, const struct parameter *p, struct span whole, struct span value);
    double least, most; // of numbers
};

static void bad_value(struct reader *r, const struct parameter *p, struct span whole,
                      struct span value, const char *wanted)
{
    if (value.len == 0)
        warn_at(r, "bad_value", whole.start, whole.end, "--%s needs a value: %s", p->name, wanted);
    else
        warn_at(r, "bad_value", value.start, value.end, "--%s cannot be '%s': %s", p->name,
                span_quote(r, value), wanted);
}

// The parameter counts: remembers it, and warns about the one that it supersedes.
static void take(struct reader *r, const struct parameter *p, struct span whole)
{
    struct span *before = &r->given_at[__builtin_ctz(p->bit)];

    if (r->out->given & p->bit)
        warn_at(r, "duplicate", before->start, before->end,
                "--%s is given more than once; the last one counts", p->name);
    r->out->given |= p->bit;
    *before = whole;
}

static bool read_number(const char *s, size_t len, double *out)
{
    double v;

    if (number_read(s, len, &v) != len || len == 0)
        return false;
    *out = v;
    return true;
}

// A number in the row's range, clamped into it with a warning.
static bool number_in_range(struct reader *r, const struct parameter *p, struct span whole,
                            struct span value, double *out)
{
    double v;

    if (!read_number(value.s, value.len, &v)) {
        const char *wanted =
            arena_printf(r->arena, "use a number from %.0f to %.0f", p->least, p->most);
        r->failed |= !wanted;
        bad_value(r, p, whole, value, wanted ? wanted : "");
        return false;
    }
    *out = v < p->least ? p->least : v > p->most ? p->most : v;
    if (*out != v)
        warn_at(r, "clamped", value.start, value.end,
                "--%s goes from %.0f to %.0f; %s was read as %.0f", p->name, p->least, p->most,
                span_quote(r, value), *out);
    return true;
}

static bool whole_number(struct reader *r, const struct parameter *p, struct span whole,
                         struct span value, double *out)
{
    if (!number_in_range(r, p, whole, value, out))
        return false;
    if (*out != floor(*out)) {
        *out = floor(*out + .5);
        warn_at(r, "clamped", value.start, value.end,
                "--%s takes whole numbers; %s was read as %.0f", p->name, span_quote(r, value),
                *out);
    }
    take(r, p, whole);
    return true;
}

static void set_seed(struct reader *r, const struct parameter *p, struct span whole,
                     struct span value)
{
    double v;

    if (whole_number(r, p, whole, value, &v))
        r->out->seed = (uint32_t)v;
}

static void set_int(struct reader *r, const struct parameter *p, struct span whole,
                    struct span value)
{
    double v;

    if (!whole_number(r, p, whole, value, &v))
        return;
    int *field = p->bit == PROMPT_S       ? &r->out->s
                 : p->bit == PROMPT_CHAOS ? &r->out->chaos
                                          : &r->out->sw;
    *field = (int)v;
}

static void set_iw(struct reader *r, const struct parameter *p, struct span whole,
                   struct span value)
{
    double v;

    if (!number_in_range(r, p, whole, value, &v))
        return;
    take(r, p, whole);
    r->out->iw = (float)v;
}

static void set_q(struct reader *r, const struct parameter *p, struct span whole, struct span value)
{
    static const double steps[] = {.25, .5, 1, 2, 4};
    double v, best = steps[0];

    if (!read_number(value.s, value.len, &v)) {
        bad_value(r, p, whole, value, "use .25, .5, 1, 2 or 4");
        return;
    }
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (fabs(steps[i] - v) <= fabs(best - v))
            best = steps[i];
    if (best != v)
        warn_at(r, "clamped", value.start, value.end,
                "--%s is .25, .5, 1, 2 or 4; %s was read as %g", p->name, span_quote(r, value),
                best);
    take(r, p, whole);
    r->out->q = (float)best;
}

// "16:9", also "16x9" and "16/9", and "1.85:1" as hundredths.
static bool read_ratio(struct span value, double *w, double *h)
{
    for (size_t i = 0; i < value.len; i++)
        if (strchr(":xX/", value.s[i]) && value.s[i])
            return read_number(value.s, i, w) &&
                   read_number(value.s + i + 1, value.len - i - 1, h) && *w > 0 && *h > 0;
    return false;
}

static void set_ar(struct reader *r, const struct parameter *p, struct span whole,
                   struct span value)
{
    double w, h;

    if (!read_ratio(value, &w, &h)) {
        bad_value(r, p, whole, value, "use width:height, for example 16:9");
        return;
    }
    if (w != floor(w) || h != floor(h)) {
        w = floor(w * 100 + .5);
        h = floor(h * 100 + .5);
    }
    double ratio = w / h;
    bool whole_sides = w >= 1 && h >= 1 && w <= AR_SIDE_MAX && h <= AR_SIDE_MAX;
    if (!(ratio <= AR_RATIO_MAX && ratio >= 1.0 / AR_RATIO_MAX) || !whole_sides) {
        // Two endless rows of digits have no ratio: a square.
        double within = isnan(ratio)                 ? 1
                        : ratio > AR_RATIO_MAX       ? AR_RATIO_MAX
                        : ratio < 1.0 / AR_RATIO_MAX ? 1.0 / AR_RATIO_MAX
                                                     : ratio;
        w = within >= 1 ? floor(within * 100 + .5) : 100;
        h = within >= 1 ? 100 : floor(100 / within + .5);
        warn_at(r, "clamped", value.start, value.end,
                "--%s takes sides of 1 to %d and ratios up to %d:1; %s was read as %.0f:%.0f",
                p->name, AR_SIDE_MAX, AR_RATIO_MAX, span_quote(r, value), w, h);
    }
    take(r, p, whole);
    r->out->ar_w = (int)w;
    r->out->ar_h = (int)h;
}

static void set_no(struct reader *r, const struct parameter *p, struct span whole,
                   struct span value)
{
    if (value.len == 0) {
        bad_value(r, p, whole, value, "name what must not be there, with commas between");
        return;
    }
    take(r, p, whole);
    r->no = value;
}

static void set_sref(struct reader *r, const struct parameter *p, struct span whole,
                     struct span value)
{
    size_t n = 0;

    while (n < value.len && (unsigned char)value.s[n] > ' ' && value.s[n] != ',')
        n++;
    if (n < value.len)
        warn_at(r, "bad_value", value.start, value.end, "--%s takes one URL; the first counts",
                p->name);
    for (size_t i = 0; i + 1 < n; i++) // a weight of its own
        if (value.s[i] == ':' && value.s[i + 1] == ':')
            n = i;
    if (n < 8 || (strncmp(value.s, "https://", 8) != 0 && strncmp(value.s, "http://", 7) != 0)) {
        bad_value(r, p, whole, value, "use the https URL of a picture");
        return;
    }
    take(r, p, whole);
    r->out->sref = keep(r, value.s, n);
}

static void set_style(struct reader *r, const struct parameter *p, struct span whole,
                      struct span value)
{
    if (value.len != 3 || strncasecmp(value.s, "raw", 3) != 0) {
        bad_value(r, p, whole, value, "only raw has a meaning here");
        return;
    }
    take(r, p, whole);
    r->out->style_raw = true;
}

static void set_flag(struct reader *r, const struct parameter *p, struct span whole,
                     struct span value)
{
    (void)value;
    take(r, p, whole);
    if (p->bit == PROMPT_TILE)
        r->out->tile = true;
    else
        r->out->style_raw = true;
}

static const struct parameter parameters[] = {
    {"seed", ARITY_ONE, PROMPT_SEED, set_seed, 0, 4294967295.0},
    {"ar", ARITY_ONE, PROMPT_AR, set_ar, 0, 0},
    {"aspect", ARITY_ONE, PROMPT_AR, set_ar, 0, 0},
    {"s", ARITY_ONE, PROMPT_S, set_int, 0, 1000},
    {"stylize", ARITY_ONE, PROMPT_S, set_int, 0, 1000},
    {"stylise", ARITY_ONE, PROMPT_S, set_int, 0, 1000},
    {"iw", ARITY_ONE, PROMPT_IW, set_iw, 0, 3},
    {"c", ARITY_ONE, PROMPT_CHAOS, set_int, 0, 100},
    {"chaos", ARITY_ONE, PROMPT_CHAOS, set_int, 0, 100},
    {"q", ARITY_ONE, PROMPT_Q, set_q, 0, 0},
    {"quality", ARITY_ONE, PROMPT_Q, set_q, 0, 0},
    {"no", ARITY_REST, PROMPT_NO, set_no, 0, 0},
    {"sref", ARITY_CODES, PROMPT_SREF, set_sref, 0, 0},
    {"sw", ARITY_ONE, PROMPT_SW, set_int, 0, 1000},
    {"tile", ARITY_NONE, PROMPT_TILE, set_flag, 0, 0},
    {"style", ARITY_ONE, PROMPT_STYLE_RAW, set_style, 0, 0},
    {"raw", ARITY_NONE, PROMPT_STYLE_RAW, set_flag, 0, 0},
    // What the hosted service knows besides.
    {"v", ARITY_CODES, 0, NULL, 0, 0},
    {"version", ARITY_CODES, 0, NULL, 0, 0},
    {"niji", ARITY_CODES, 0, NULL, 0, 0},
    {"w", ARITY_CODES, 0, NULL, 0, 0},
    {"weird", ARITY_CODES, 0, NULL, 0, 0},
    {"stop", ARITY_CODES, 0, NULL, 0, 0},
    {"oref", ARITY_CODES, 0, NULL, 0, 0},
    {"ow", ARITY_CODES, 0, NULL, 0, 0},
    {"cref", ARITY_CODES, 0, NULL, 0, 0},
    {"cw", ARITY_CODES, 0, NULL, 0, 0},
    {"sv", ARITY_CODES, 0, NULL, 0, 0},
    {"exp", ARITY_CODES, 0, NULL, 0, 0},
    {"p", ARITY_CODES, 0, NULL, 0, 0},
    {"profile", ARITY_CODES, 0, NULL, 0, 0},
    {"personalize", ARITY_CODES, 0, NULL, 0, 0},
    {"r", ARITY_CODES, 0, NULL, 0, 0},
    {"repeat", ARITY_CODES, 0, NULL, 0, 0},
    {"sameseed", ARITY_CODES, 0, NULL, 0, 0},
    {"bs", ARITY_CODES, 0, NULL, 0, 0},
    {"end", ARITY_CODES, 0, NULL, 0, 0},
    {"h", ARITY_CODES, 0, NULL, 0, 0},
    {"motion", ARITY_ONE, 0, NULL, 0, 0},
    {"fast", ARITY_NONE, 0, NULL, 0, 0},
    {"turbo", ARITY_NONE, 0, NULL, 0, 0},
    {"relax", ARITY_NONE, 0, NULL, 0, 0},
    {"draft", ARITY_NONE, 0, NULL, 0, 0},
    {"hd", ARITY_NONE, 0, NULL, 0, 0},
    {"sd", ARITY_NONE, 0, NULL, 0, 0},
    {"stealth", ARITY_NONE, 0, NULL, 0, 0},
    {"public", ARITY_NONE, 0, NULL, 0, 0},
    {"video", ARITY_NONE, 0, NULL, 0, 0},
    {"loop", ARITY_NONE, 0, NULL, 0, 0},
    {"test", ARITY_NONE, 0, NULL, 0, 0},
    {"testp", ARITY_NONE, 0, NULL, 0, 0},
    {"creative", ARITY_NONE, 0, NULL, 0, 0},
    {"hq", ARITY_NONE, 0, NULL, 0, 0},
    {"upbeta", ARITY_NONE, 0, NULL, 0, 0},
    {"uplight", ARITY_NONE, 0, NULL, 0, 0},
};

enum { PARAMETERS = sizeof(parameters) / sizeof(parameters[0]) };

const struct parameter *parameter_find(const char *name)
{
    for (size_t i = 0; i < PARAMETERS; i++)
        if (strcmp(parameters[i].name, name) == 0)
            return &parameters[i];
    return NULL;
}

enum arity parameter_arity(const struct parameter *p)
{
    return p->arity;
}

const char *parameter_nearest(const char *name)
{
    struct nearest n = NEAREST(name);

    // To short names everything is near.
    for (size_t i = 0; i < PARAMETERS; i++)
        if (strlen(parameters[i].name) >= 4)
            nearest_try(&n, parameters[i].name);
    return n.best;
}

void parameter_apply(struct reader *r, const struct parameter *p, struct span whole,
                     struct span value)
{
    if (p->set)
        p->set(r, p, whole, value);
    else
        warn_at(r, "ignored_parameter", whole.start, whole.end, "--%s has no meaning here",
                p->name);
}
