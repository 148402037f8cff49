/* SPDX-License-Identifier: MIT */
#include "engine/engine_look_plan.h"
#include "look/structure.h"
#include "look/traits.h"
#include "look_fixture.h"

#include "image/codec.h"
#include "image/fit.h"

#include <stdio.h>

/*
 * What a user means by a parameter happens, in every look: --s leads away from the photo, --iw
 * keeps more of its fine structure, --q makes finer work. `patina bench curves` plots the same at
 * five points and a usual size.
 */

// Small, and a part of the looks alone, where sanitizers make everything slow.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SLOW 1
#endif
#endif
#ifdef SLOW
enum { EVERY = 7 };
#else
enum { EVERY = 1 };
#endif

// Lines that are thinner than a pixel tell nothing: drawings and prints need a larger picture.
enum { PIXELS = 320 * 240, PIXELS_OF_LINES = 512 * 384 };

static uint8_t *decode_into(void *ctx, const struct codec_header *h)
{
    struct image *im = ctx;

    return image_new(im, h->width, h->height) == ERR_OK ? im->px : NULL;
}

static void read_sample(int64_t pixels, struct image *out)
{
    static uint8_t bytes[1 << 20];
    const char *root = getenv("MESON_SOURCE_ROOT");
    struct codec_decode_options o = {.want_pixels = 4 * pixels};
    struct codec_header header;
    struct image photo = {0};
    struct fit_plan plan;
    char path[512];

    snprintf(path, sizeof(path), "%s/samples/still-life.jpg", root ? root : ".");
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    assert_int_equal(codec_decode(bytes, n, &o, decode_into, &photo, &header, NULL), ERR_OK);
    assert_int_equal(
        fit_plan(photo.width, photo.height, &(struct fit_request){.pixels = pixels}, &plan, NULL),
        ERR_OK);
    assert_int_equal(fit_resample(&photo, &plan, 1, out), ERR_OK);
    image_release(&photo);
}

// What is read off one picture.
struct reading {
    double kept, fine, fineness;
};

static struct reading read_picture(const struct fixture *f, const struct image *photo,
                                   const char *look, const char *says)
{
    struct arena a = ARENA_INIT;
    struct look_reading *r = calloc(1, sizeof(*r));
    struct prompt *p = arena_alloc(&a, sizeof(*p));
    struct look_options o = {0};
    struct structure s;
    struct reading out;
    struct image made;
    char text[128];

    assert_non_null(r);
    assert_non_null(p);
    snprintf(text, sizeof(text), "%s %s", look, says);
    assert_int_equal(prompt_read(p, &a, text, strlen(text)), ERR_OK);
    look_reading_make(f->recipes, p, r);
    struct look_request request = {
        .source = photo, .plan = &r->plan, .options = &o, .seed = 3, .count = 1, .pool = f->pool};
    assert_int_equal(look_render(&request, &made, NULL), ERR_OK);
    assert_int_equal(structure_compare(photo, &made, f->pool, &s), ERR_OK);
    out.kept = (s.tone + s.detail + s.fine + s.edges) / 4.0;
    out.fine = s.fine;
    assert_int_equal(traits_fineness(&made, &out.fineness), ERR_OK);
    image_release(&made);
    free(r);
    arena_release(&a);
    return out;
}

// Backwards by less than a twentieth of the whole range is neither seen nor meant.
static void goes_up(const char *look, const char *parameter, double low, double usual, double high)
{
    double slack = 0.05 * (high - low);

    if (high - low <= 0.01 * fabs(usual) || usual < low - slack || high < usual - slack)
        fail_msg("%s, %s: %.4f %.4f %.4f", look, parameter, low, usual, high);
}

static bool is_of_lines(const struct recipe *look)
{
    for (int i = 0; i < look->steps; i++)
        if (strcmp(look->step[i].op->name, "hatch") == 0 ||
            strcmp(look->step[i].op->name, "engrave") == 0)
            return true;
    return false;
}

static void try_look(const struct fixture *f, const struct image *photo, const char *look)
{
    struct reading usual = read_picture(f, photo, look, "");
    struct reading s0 = read_picture(f, photo, look, "--s 0");
    struct reading s1000 = read_picture(f, photo, look, "--s 1000");
    struct reading iw0 = read_picture(f, photo, look, "--iw 0");
    struct reading iw3 = read_picture(f, photo, look, "--iw 3");
    struct reading rough = read_picture(f, photo, look, "--q .25");
    struct reading fine = read_picture(f, photo, look, "--q 4");

    goes_up(look, "--s, away from the photo", -s0.kept, -usual.kept, -s1000.kept);
    goes_up(look, "--iw", iw0.fine, usual.fine, iw3.fine);
    goes_up(look, "--q", rough.fineness, usual.fineness, fine.fineness);
}

static void parameters_do_what_is_meant_by_them(void **state)
{
    const struct fixture *f = *state;
    const struct recipe *look;
    struct image photo, larger;

    read_sample(PIXELS, &photo);
    read_sample(PIXELS_OF_LINES, &larger);
    for (int i = 0; (look = recipe_at(f->recipes, i)); i += EVERY)
        try_look(f, is_of_lines(look) ? &larger : &photo, look->name[0]);
    image_release(&photo);
    image_release(&larger);
}

static void a_blend_has_no_frame(void **state)
{
    static const char *const AROUND[] = {"frame", "margin", "border", "plate"};
    const struct fixture *f = *state;
    struct arena a = ARENA_INIT;
    struct look_reading *r = calloc(1, sizeof(*r));
    struct prompt *p = arena_alloc(&a, sizeof(*p));
    const char *text = "comic::1 etching::1 watercolour::1";

    assert_non_null(r);
    assert_non_null(p);
    assert_int_equal(prompt_read(p, &a, text, strlen(text)), ERR_OK);
    look_reading_make(f->recipes, p, r);
    assert_int_equal(r->recipes, 3);
    for (int i = 0; i < r->recipes; i++)
        for (int k = 0; k < r->recipe[i].steps; k++) {
            const struct recipe_step *step = &r->recipe[i].step[k];
            for (int n = 0; step->op->param[n].name; n++)
                for (size_t w = 0; w < sizeof(AROUND) / sizeof(AROUND[0]); w++)
                    if (strcmp(step->op->param[n].name, AROUND[w]) == 0)
                        assert_float_equal(step->value[n], 0.0f, 0.0f);
        }
    free(r);
    arena_release(&a);
}

// What makes the thing leaves the colours of the four to what paints it.
static void a_plain_variation_moves_no_colour(void **state)
{
    struct look_options o = {.chaos = 1.0f, .plain = true};
    struct look_variation v;

    (void)state;
    for (uint32_t seed = 0; seed < 4; seed++) {
        look_variation_of(seed, &o, &v);
        for (int k = 0; k < 3; k++)
            assert_float_equal(v.shift[k], 0.0f, 0.0f);
        assert_float_equal(v.chroma, 1.0f, 0.0f);
        assert_float_equal(v.contrast, 1.0f, 0.0f);
        assert_float_equal(v.split, 0.0f, 0.0f);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_do_what_is_meant_by_them),
        cmocka_unit_test(a_blend_has_no_frame),
        cmocka_unit_test(a_plain_variation_moves_no_colour),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
