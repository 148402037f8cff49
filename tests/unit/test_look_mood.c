/* SPDX-License-Identifier: MIT */
#include "look_fixture.h"

#include "image/colour.h"
#include "look/colour.h"
#include "look/mood_internal.h"
#include "look/mood_scene.h"
#include "look/noise.h"
#include "prompt/lexicon.h"

/* Words of light and palette: each means what it says, in every look. */

// A blue sky over ground of several colours with two balls, lit from one side; grain.
static void paint_place(struct image *im, int width, int height)
{
    static const float BAND[4][3] = {
        {0.25f, 0.45f, 0.15f}, {0.5f, 0.38f, 0.28f}, {0.55f, 0.55f, 0.55f}, {0.75f, 0.3f, 0.25f}};

    assert_int_equal(image_new(im, width, height), ERR_OK);
    im->has_alpha = true;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float u = ((float)x + 0.5f) / (float)width, v = ((float)y + 0.5f) / (float)height;
            const float *band = BAND[(int)(u * 4.0f) & 3];
            float dx = u - (v < 0.6f ? 0.3f : 0.7f), dy = v - (v < 0.6f ? 0.45f : 0.75f);
            float r2 = dx * dx + dy * dy;
            uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            for (int k = 0; k < 3; k++) {
                float c = v < 0.35f ? 0.45f + 0.2f * (float)k : band[k];
                if (r2 < 0.02f)
                    c = (k == 0 ? 0.95f : 0.75f) * (0.6f - 3.0f * (dx + dy));
                c += 0.04f * (noise_point(x, 3 * y + k, 5) - 0.5f);
                px[k] = (uint8_t)(255.0f * clampf(c, 0.0f, 1.0f));
            }
            px[3] = x < width / 8 ? (uint8_t)(32 * x) : 255;
        }
}

// How much of the middle of a picture's upper half is taken for sky, whose lower part from `v` on
// is a street.
static float sky_over(const struct fixture *f, float v)
{
    struct look_mood mood = {.words = 0};
    struct look_maps *m;
    struct image im;

    assert_true(mood_add(&mood, "foggy"));
    assert_int_equal(image_new(&im, 192, 128), ERR_OK);
    for (int y = 0; y < 128; y++)
        for (int x = 0; x < 192; x++) {
            uint8_t *px = im.px + (size_t)y * im.stride + 4 * (size_t)x;
            memset(px, (float)y < 128.0f * v ? 225 : 90 + (x * 7 + y * 13) % 40, 3);
            px[3] = 255;
        }
    assert_int_equal(look_maps_new(&im, NEED_IMPORTANCE, f->pool, NULL, &m), ERR_OK);
    assert_int_equal(mood_light_maps(&mood, m, f->pool, NULL), ERR_OK);
    float sky = plane_at(&m->mood->fields.sky, 48.0f, 16.0f);
    look_maps_free(m);
    image_release(&im);
    return sky;
}

static void a_white_wall_is_no_sky(void **state)
{
    assert_true(sky_over(*state, 0.4f) > 0.9f);
    assert_true(sky_over(*state, 0.55f) > 0.9f);
    assert_true(sky_over(*state, 0.85f) < 0.05f);
}

static void render_mood(const struct fixture *f, const char *look, const char *const *word,
                        const struct image *source, uint32_t seed, struct pool *pool,
                        struct image *out)
{
    struct look_options o = {0};
    struct look_request r = {.source = source,
                             .recipe = recipe_find(f->recipes, look),
                             .options = &o,
                             .seed = seed,
                             .count = 1,
                             .pool = pool};

    for (; *word; word++)
        assert_true(mood_add(&o.mood, *word));
    assert_non_null(r.recipe);
    assert_int_equal(look_render(&r, out, NULL), ERR_OK);
}

struct figures {
    float L, contrast; /* mean, and mean difference between places a sixteenth apart */
    float chroma;
    float light_b, dark_b; /* mean b of the lighter and darker half */
};

static void measure(const struct image *im, struct figures *out)
{
    float n = (float)im->width * (float)im->height, light = 0.0f, dark = 0.0f;
    int apart = im->width / 16;

    *out = (struct figures){0};
    for (int pass = 0; pass < 2; pass++)
        for (int y = 0; y < im->height; y++)
            for (int x = 0; x < im->width; x++) {
                const uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
                float lab[3];
                oklab_from_linear(srgb_linear[px[0]], srgb_linear[px[1]], srgb_linear[px[2]], lab);
                if (pass == 0) {
                    out->L += lab[0] / n;
                    float left[3];
                    const uint8_t *by = px - 4 * (size_t)(x < apart ? x : apart);
                    oklab_from_linear(srgb_linear[by[0]], srgb_linear[by[1]], srgb_linear[by[2]],
                                      left);
                    out->contrast += fabsf(lab[0] - left[0]) / n;
                    out->chroma += sqrtf(lab[1] * lab[1] + lab[2] * lab[2]) / n;
                } else if (lab[0] > out->L) {
                    out->light_b += lab[2];
                    light += 1.0f;
                } else {
                    out->dark_b += lab[2];
                    dark += 1.0f;
                }
            }
    out->light_b /= light + 1e-3f;
    out->dark_b /= dark + 1e-3f;
}

// Names that a table of moods may have besides the lexicon's palettes and lights.
static bool is_modifier(const char *name)
{
    for (size_t i = 0; i < lexicon_entry_count; i++)
        if (strcmp(lexicon_entries[i].name, name) == 0 &&
            lexicon_entries[i].kind == LEXICON_MODIFIER)
            return true;
    return false;
}

static bool is_mood(const struct lexicon_entry *e)
{
    return e->kind == LEXICON_PALETTE || e->other_kind == LEXICON_PALETTE ||
           e->kind == LEXICON_LIGHT || e->other_kind == LEXICON_LIGHT;
}

static bool lexicon_has(const char *name)
{
    for (size_t i = 0; i < lexicon_entry_count; i++)
        if (is_mood(&lexicon_entries[i]) && strcmp(lexicon_entries[i].name, name) == 0)
            return true;
    return is_modifier(name);
}

static void every_word_of_light_and_palette_has_a_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < lexicon_entry_count; i++) {
        struct look_mood m = {.words = 0};
        if (is_mood(&lexicon_entries[i]) && !mood_add(&m, lexicon_entries[i].name))
            fail_msg("\"%s\" means nothing", lexicon_entries[i].name);
    }
    for (const struct mood_word *w = mood_words; w->name; w++)
        if (!lexicon_has(w->name))
            fail_msg("no prompt says \"%s\"", w->name);
    for (const struct mood_colour *c = mood_colours; c->name; c++)
        if (!lexicon_has(c->name))
            fail_msg("no prompt says \"%s\"", c->name);
}

static void words_add_up(void **state)
{
    struct look_mood m = {.words = 0}, one = {.words = 0};

    (void)state;
    assert_false(mood_add(&m, "unicorns"));
    assert_int_equal(m.words, 0);
    assert_true(mood_add(&m, "autumn"));
    assert_true(mood_add(&one, "sunset"));
    int before = m.colours;
    assert_true(before > 0);
    assert_true(mood_add(&m, "sunset"));
    assert_int_equal(m.words, 2);
    assert_int_equal(m.colours, before);
    assert_true(m.light.sky >= one.light.sky);
    // A named colour is not drowned by those that a season brings along.
    assert_true(mood_add(&m, "red"));
    assert_true(mood_add(&m, "gold"));
    assert_true(mood_add(&m, "red"));
    assert_int_equal(m.colours, 2);
    assert_true(mood_add(&m, "winter"));
    assert_int_equal(m.colours, 2);
}

static void a_palette_has_no_more_colours_than_are_told_apart(void **state)
{
    struct look_mood m = {.words = 0};

    (void)state;
    for (const struct mood_colour *c = mood_colours; c->name; c++)
        assert_true(mood_add(&m, c->name));
    assert_int_equal(m.colours, MOOD_COLOURS_MAX);
}

static void every_colour_can_be_kept_out(void **state)
{
    (void)state;
    for (const struct mood_colour *c = mood_colours; c->name; c++) {
        struct look_options o = {0};
        float lab[3];
        mood_lab(c->rgb, lab);
        float C = sqrtf(lab[1] * lab[1] + lab[2] * lab[2]);
        // Greys have no hue.
        assert_int_equal(look_exclude(&o, 0, c->name), C >= 0.02f);
        if (C >= 0.02f)
            assert_true(o.exclude[0].c * lab[1] + o.exclude[0].s * lab[2] > 0.99f * C);
    }
}

enum figure { LIGHTNESS, CONTRAST, CHROMA, WARM_LIGHTS, WARM_DARKS };

static float figure_of(const struct figures *f, enum figure which)
{
    const float all[] = {f->L, f->contrast, f->chroma, f->light_b, f->dark_b};

    return all[which];
}

static void a_mood_changes_what_it_stands_for(void **state)
{
    static const struct {
        const char *look, *word;
        enum figure figure;
        float least; /* change; below zero: at least as far down */
    } row[] = {
        {"oil painting", "sunset", WARM_LIGHTS, 0.03f},
        {"watercolour", "sunset", WARM_LIGHTS, 0.03f},
        {"stained glass", "sunset", WARM_LIGHTS, 0.03f},
        {"pencil", "sunset", WARM_LIGHTS, 0.01f},
        {"marble", "sunset", WARM_LIGHTS, 0.02f},
        {"oil painting", "moonlight", LIGHTNESS, -0.08f},
        {"oil painting", "moonlight", CHROMA, -0.02f},
        {"comic", "moonlight", LIGHTNESS, -0.08f},
        {"engraving", "moonlight", LIGHTNESS, -0.08f},
        {"engraving", "moonlight", WARM_LIGHTS, -0.01f},
        {"gold", "moonlight", LIGHTNESS, -0.08f},
        {"gold", "moonlight", WARM_LIGHTS, -0.02f},
        {"oil painting", "foggy", CONTRAST, -0.012f},
        {"charcoal", "foggy", CONTRAST, -0.01f},
        {"walnut", "foggy", CHROMA, -0.02f},
        {"oil painting", "night", LIGHTNESS, -0.15f},
        {"pencil", "night", LIGHTNESS, -0.05f},
        {"oak", "night", LIGHTNESS, -0.1f},
        {"oil painting", "bright", LIGHTNESS, 0.03f},
        {"mosaic", "vivid", CHROMA, 0.02f},
        {"mosaic", "muted", CHROMA, -0.02f},
        {"comic", "pastel", LIGHTNESS, 0.05f},
        {"comic", "blue", WARM_LIGHTS, -0.03f},
        {"watercolour", "sepia", WARM_LIGHTS, 0.03f},
        {"charcoal", "sepia", WARM_DARKS, 0.01f},
        {"engraving", "cyanotype", WARM_DARKS, -0.03f},
        {"oil painting", "candlelight", WARM_LIGHTS, 0.04f},
        {"marble", "candlelight", WARM_LIGHTS, 0.04f},
    };
    const struct fixture *f = *state;
    struct image source;

    paint_place(&source, 192, 132);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        const char *word[] = {row[i].word, NULL};
        struct image out;
        struct figures a, b;
        render_look(f, row[i].look, &source, 4, f->pool, &out);
        measure(&out, &a);
        image_release(&out);
        render_mood(f, row[i].look, word, &source, 4, f->pool, &out);
        measure(&out, &b);
        image_release(&out);
        float d = figure_of(&b, row[i].figure) - figure_of(&a, row[i].figure);
        if (row[i].least > 0.0f ? d < row[i].least : d > row[i].least)
            fail_msg("%s, %s: %.3f, wanted %.3f", row[i].look, row[i].word, (double)d,
                     (double)row[i].least);
    }
    image_release(&source);
}

// Blue light makes silver and marble blue; gold is still told from them.
static void materials_keep_their_colour_in_the_dark(void **state)
{
    static const struct {
        const char *look, *word;
        float least, most; // mean b of the lights
    } row[] = {
        {"gold", "moonlight", 0.045f, 1.0f},    {"gold", "night", 0.045f, 1.0f},
        {"gold", "blue hour", 0.012f, 1.0f},    {"walnut", "moonlight", -0.008f, 1.0f},
        {"silver", "moonlight", -1.0f, -0.01f}, {"marble", "moonlight", -1.0f, -0.01f},
    };
    const struct fixture *f = *state;
    struct image source;

    paint_place(&source, 192, 132);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        const char *word[] = {row[i].word, NULL};
        struct figures is;
        struct image out;
        render_mood(f, row[i].look, word, &source, 4, f->pool, &out);
        measure(&out, &is);
        image_release(&out);
        if (is.light_b < row[i].least || is.light_b > row[i].most)
            fail_msg("%s, %s: %.4f", row[i].look, row[i].word, (double)is.light_b);
    }
    image_release(&source);
}

// How light the lightest share of a picture is at least, 0 to 1.
static float lights_of(const struct image *im, float share)
{
    int count[256] = {0}, left = (int)((float)(im->width * im->height) * share), level = 255;

    for (int y = 0; y < im->height; y++)
        for (int x = 0; x < im->width; x++)
            count[im->px[(size_t)y * im->stride + 4 * (size_t)x + 1]]++;
    while (level > 0 && left > count[level])
        left -= count[level--];
    return (float)level / 255.0f;
}

// The light of a moon is weak, and so is what dark wood sends back; its edges catch it all the
// same.
static void dark_materials_have_lights_in_the_dark(void **state)
{
    static const struct {
        const char *look, *word;
        float least;
    } row[] = {
        {"walnut", "moonlight", 0.36f}, {"ebony", "moonlight", 0.3f}, {"bronze", "moonlight", 0.5f},
        {"walnut", "night", 0.22f},     {"bronze", "night", 0.36f},
    };
    const struct fixture *f = *state;
    struct image source;

    paint_place(&source, 192, 132);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        const char *word[] = {row[i].word, NULL};
        struct image out;
        render_mood(f, row[i].look, word, &source, 4, f->pool, &out);
        float is = lights_of(&out, 0.05f);
        image_release(&out);
        if (is < row[i].least)
            fail_msg("%s, %s: %.3f", row[i].look, row[i].word, (double)is);
    }
    image_release(&source);
}

// A street at night is dark but for its signs, and a rainy night leaves these their colours.
static void signs_shine_at_night(void **state)
{
    static const char *const WORD[] = {"night", "rainy", "moonlight"};
    const struct fixture *f = *state;
    struct image source, out;
    struct figures was, is;

    paint_place(&source, 192, 132);
    for (int y = 0; y < source.height; y++)
        for (int x = 0; x < source.width; x++) {
            uint8_t *px = source.px + (size_t)y * source.stride + 4 * (size_t)x;
            bool sign = y > 60 && y < 100 && x % 48 > 24;
            for (int k = 0; k < 3; k++)
                px[k] = sign ? (k == (x / 48) % 3 ? 250 : 40) : px[k] / 12;
        }
    render_look(f, "oil painting", &source, 4, f->pool, &out);
    measure(&out, &was);
    image_release(&out);
    for (int i = 0; i < 3; i++) {
        const char *word[] = {WORD[i], NULL};
        render_mood(f, "oil painting", word, &source, 4, f->pool, &out);
        measure(&out, &is);
        image_release(&out);
        if (is.chroma < 0.88f * was.chroma)
            fail_msg("%s: %.3f of %.3f", WORD[i], (double)is.chroma, (double)was.chroma);
    }
    image_release(&source);
}

// Printed in black and a colour: the ground has it.
static void two_colours_are_ink_and_ground(void **state)
{
    static const char *const LOOK[] = {"linocut", "engraving", "pencil"};
    const struct fixture *f = *state;
    struct image source, out;
    struct figures is;

    paint_place(&source, 192, 132);
    for (int i = 0; i < 3; i++) {
        const char *two[] = {"orange", "black", NULL}, *three[] = {"orange", "black", "blue", NULL};
        render_mood(f, LOOK[i], two, &source, 4, f->pool, &out);
        measure(&out, &is);
        image_release(&out);
        if (is.light_b < 0.09f)
            fail_msg("%s, orange and black: %.3f", LOOK[i], (double)is.light_b);
        render_mood(f, LOOK[i], three, &source, 4, f->pool, &out);
        measure(&out, &is);
        image_release(&out);
        if (is.light_b > 0.08f)
            fail_msg("%s, orange, black and blue: %.3f", LOOK[i], (double)is.light_b);
    }
    image_release(&source);
}

// Pale palettes lighten the scene; what paints it must not lighten it once more, or faces vanish.
static void pale_palettes_keep_forms(void **state)
{
    static const char *const LOOK[] = {"cel", "comic"};
    const struct fixture *f = *state;
    struct image source;

    paint_place(&source, 192, 132);
    for (size_t i = 0; i < sizeof(LOOK) / sizeof(LOOK[0]); i++) {
        const char *word[] = {"pastel", NULL};
        struct image out;
        render_mood(f, LOOK[i], word, &source, 4, f->pool, &out);
        float darks = lights_of(&out, 0.75f);
        image_release(&out);
        if (darks > 0.8f)
            fail_msg("%s: the darker quarter goes up to %.3f", LOOK[i], (double)darks);
    }
    image_release(&source);
}

static void black_and_white_is_without_colour(void **state)
{
    static const char *const LOOK[] = {"oil painting", "watercolour",   "comic",   "mosaic",
                                       "charcoal",     "stained glass", "woodcut", NULL};
    static const char *const WORD[] = {"noir", "black and white"};
    const struct fixture *f = *state;
    struct image source;

    paint_place(&source, 96, 66);
    for (const char *const *look = LOOK; *look; look++)
        for (int i = 0; i < 2; i++) {
            const char *word[] = {WORD[i], NULL};
            struct figures is;
            struct image out;
            render_mood(f, *look, word, &source, 1, f->pool, &out);
            measure(&out, &is);
            image_release(&out);
            if (is.chroma > 0.002f)
                fail_msg("%s, %s: %.4f", *look, WORD[i], (double)is.chroma);
        }
    image_release(&source);
}

// Mean distance of two pictures of one size, OKLab.
static float distance(const struct image *a, const struct image *b)
{
    float sum = 0.0f;

    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++) {
            const uint8_t *p = a->px + (size_t)y * a->stride + 4 * (size_t)x;
            const uint8_t *q = b->px + (size_t)y * b->stride + 4 * (size_t)x;
            float u[3], v[3], d2 = 0.0f;
            oklab_from_linear(srgb_linear[p[0]], srgb_linear[p[1]], srgb_linear[p[2]], u);
            oklab_from_linear(srgb_linear[q[0]], srgb_linear[q[1]], srgb_linear[q[2]], v);
            for (int k = 0; k < 3; k++)
                d2 += (u[k] - v[k]) * (u[k] - v[k]);
            sum += sqrtf(d2);
        }
    return sum / ((float)a->width * (float)a->height);
}

static void the_four_differ_in_a_mood(void **state)
{
    static const char *const ROW[][2] = {
        {"oil painting", "sunset"}, {"oil painting", "noir"},     {"comic", "sepia"},
        {"comic", "neon"},          {"watercolour", "cyanotype"}, {"stained glass", "duotone"},
        {"engraving", "foggy"},     {"pencil", "night"},          {"woodcut", "noir"},
        {"gold", "noir"},           {"marble", "sepia"},          {"mosaic", "black and white"},
    };
    const struct fixture *f = *state;
    struct image source;

    paint_place(&source, 96, 66);
    for (size_t r = 0; r < sizeof(ROW) / sizeof(ROW[0]); r++) {
        const char *word[] = {ROW[r][1], NULL};
        struct image out[4];
        for (uint32_t i = 0; i < 4; i++)
            render_mood(f, ROW[r][0], word, &source, i, f->pool, &out[i]);
        for (int i = 0; i < 4; i++)
            for (int j = i + 1; j < 4; j++)
                if (distance(&out[i], &out[j]) < 0.015f)
                    fail_msg("%s, %s: %d and %d are alike", ROW[r][0], ROW[r][1], i, j);
        for (int i = 0; i < 4; i++)
            image_release(&out[i]);
    }
    image_release(&source);
}

static void a_mood_is_the_same_on_any_threads(void **state)
{
    static const char *const LOOK[] = {"oil painting", "comic", "gold", "pencil", NULL};
    static const char *const WORD[] = {"rainy", "autumn", "rainbow", "sunset", "teal", NULL};
    static const int THREADS[] = {1, 2, 8};
    const struct fixture *f = *state;
    struct image source;

    paint_place(&source, 120, 90);
    for (const char *const *look = LOOK; *look; look++) {
        struct image first = {0}, out;
        for (int t = 0; t < 3; t++) {
            struct pool *pool;
            assert_int_equal(pool_open(THREADS[t], &pool, NULL), ERR_OK);
            render_mood(f, *look, WORD, &source, 7, pool, &out);
            pool_close(pool);
            if (t == 0) {
                first = out;
                continue;
            }
            assert_memory_equal(first.px, out.px, out.stride * (size_t)out.height);
            image_release(&out);
        }
        image_release(&first);
    }
    image_release(&source);
}

static void any_size_keeps_its_alpha_in_every_mood(void **state)
{
    static const int SIZE[][2] = {{1, 1}, {16, 16}, {3, 60}};
    const struct fixture *f = *state;

    for (const struct mood_word *w = mood_words; w->name; w++)
        for (size_t s = 0; s < sizeof(SIZE) / sizeof(SIZE[0]); s++) {
            const char *word[] = {w->name, NULL};
            struct image source, out;
            paint_place(&source, SIZE[s][0], SIZE[s][1]);
            render_mood(f, "comic", word, &source, 1, f->pool, &out);
            assert_int_equal(out.width, source.width);
            assert_int_equal(out.height, source.height);
            for (int y = 0; y < out.height; y++)
                for (int x = 0; x < out.width; x++) {
                    size_t at = (size_t)y * out.stride + 4 * (size_t)x + 3;
                    assert_int_equal(out.px[at], source.px[at]);
                }
            image_release(&out);
            image_release(&source);
        }
}

// Lights are told apart at half size; at full size a plain place must have the same colour.
static void both_sizes_of_a_map_are_lit_alike(void **state)
{
    const struct fixture *f = *state;
    uint32_t needs = NEED_FINE | NEED_ABSTRACT | NEED_FLAT | NEED_TONE;
    struct look_mood mood = {.words = 0};
    struct look_maps *m;
    struct image source;

    assert_true(mood_add(&mood, "stormy"));
    assert_true(mood_add(&mood, "emerald"));
    assert_int_equal(image_new(&source, 321, 200), ERR_OK);
    for (int y = 0; y < 200; y++)
        for (int x = 0; x < 321; x++) {
            uint8_t *px = source.px + (size_t)y * source.stride + 4 * (size_t)x;
            px[0] = (uint8_t)(60 + x / 3);
            px[1] = (uint8_t)(90 + y / 3);
            px[2] = 140;
            px[3] = 255;
        }
    assert_int_equal(look_maps_new(&source, needs, f->pool, NULL, &m), ERR_OK);
    mood.light.rain = 0.0f; // finer than half size
    assert_int_equal(mood_light_maps(&mood, m, f->pool, NULL), ERR_OK);
    for (int y = 4; y < m->half[0].height - 4; y++)
        for (int x = 4; x < m->half[0].width - 4; x++)
            for (int k = 0; k < LAB; k++) {
                float half = plane_row(&m->half[k], y)[x];
                float px = 2.0f * (float)x + 1.0f, py = 2.0f * (float)y + 1.0f;
                assert_true(fabsf(plane_at(&m->full[k], px, py) - half) < 0.01f);
                assert_true(fabsf(plane_at(&m->fine[k], px, py) - half) < 0.015f);
            }
    look_maps_free(m);
    image_release(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_white_wall_is_no_sky),
        cmocka_unit_test(every_word_of_light_and_palette_has_a_meaning),
        cmocka_unit_test(words_add_up),
        cmocka_unit_test(a_palette_has_no_more_colours_than_are_told_apart),
        cmocka_unit_test(every_colour_can_be_kept_out),
        cmocka_unit_test(a_mood_changes_what_it_stands_for),
        cmocka_unit_test(materials_keep_their_colour_in_the_dark),
        cmocka_unit_test(dark_materials_have_lights_in_the_dark),
        cmocka_unit_test(signs_shine_at_night),
        cmocka_unit_test(two_colours_are_ink_and_ground),
        cmocka_unit_test(pale_palettes_keep_forms),
        cmocka_unit_test(black_and_white_is_without_colour),
        cmocka_unit_test(the_four_differ_in_a_mood),
        cmocka_unit_test(a_mood_is_the_same_on_any_threads),
        cmocka_unit_test(any_size_keeps_its_alpha_in_every_mood),
        cmocka_unit_test(both_sizes_of_a_map_are_lit_alike),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
