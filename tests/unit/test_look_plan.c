/* SPDX-License-Identifier: MIT */
#include "look_fixture.h"

#include "look/look_internal.h"
#include "look/noise.h"

#include <stdio.h>

/* Pictures made of several looks: chains, blends, and how much of the photo they get to see. */

static void paint_scene(struct image *im, int width, int height)
{
    assert_int_equal(image_new(im, width, height), ERR_OK);
    im->has_alpha = true;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            int dx = x - width / 2, dy = y - height / 2;
            bool disc = dx * dx + dy * dy < height * height / 10;
            float grain = noise_point(x, y, 3);
            px[0] = (uint8_t)((disc ? 190.0f : 60.0f + 90.0f * (float)x / (float)width) +
                              20.0f * grain);
            px[1] = (uint8_t)(disc ? 130 : 120 + 40 * (x / 16 % 2));
            px[2] = (uint8_t)((disc ? 80.0f : 200.0f - 120.0f * (float)y / (float)height) -
                              20.0f * grain);
            px[3] = y < height / 8 ? 100 : 255;
        }
}

static struct look_part part_of(const struct fixture *f, const char *first, const char *second,
                                float weight)
{
    struct look_part p = {
        .recipe = {recipe_find(f->recipes, first)}, .recipes = second ? 2 : 1, .weight = weight};

    assert_non_null(p.recipe[0]);
    if (second)
        p.recipe[1] = recipe_find(f->recipes, second);
    return p;
}

static struct look_plan blend_of(const struct fixture *f, const char *a, float weight_a,
                                 const char *b, float weight_b)
{
    return (struct look_plan){
        .part = {part_of(f, a, NULL, weight_a), part_of(f, b, NULL, weight_b)},
        .parts = 2,
        .detail = 1.0f,
        .effort = 1.0f};
}

static struct look_plan chain_of(const struct fixture *f, const char *first, const char *second)
{
    return (struct look_plan){
        .part = {part_of(f, first, second, 1.0f)}, .parts = 1, .detail = 1.0f, .effort = 1.0f};
}

static void render(const struct look_plan *plan, const struct image *source, uint32_t seed,
                   int first, int count, struct pool *pool, struct image *out)
{
    struct look_options o = {0};
    struct look_request r = {.source = source,
                             .plan = plan,
                             .options = &o,
                             .seed = seed,
                             .first = first,
                             .count = count,
                             .pool = pool};

    assert_int_equal(look_render(&r, out, NULL), ERR_OK);
}

static void assert_same(const struct image *a, const struct image *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_memory_equal(a->px, b->px, a->stride * (size_t)a->height);
}

static double mean_difference(const struct image *a, const struct image *b)
{
    size_t bytes = a->stride * (size_t)a->height;
    double sum = 0.0;

    for (size_t i = 0; i < bytes; i++)
        sum += abs(a->px[i] - b->px[i]);
    return sum / (double)bytes;
}

// The obvious twin: one look, then the other on its picture as if that were the photo.
static void a_chain_paints_what_was_made(void **state)
{
    const struct fixture *f = *state;
    struct look_plan plan = chain_of(f, "bronze", "oil painting");
    struct image source, chained, bronze, painted;

    paint_scene(&source, 144, 96);
    render(&plan, &source, 6, 0, 1, f->pool, &chained);
    // The thing has its own colours; those of the seed come with the paint, once.
    struct look_options plain = {.plain = true};
    struct look_request thing = {.source = &source,
                                 .recipe = recipe_find(f->recipes, "bronze"),
                                 .options = &plain,
                                 .seed = 6,
                                 .count = 1,
                                 .pool = f->pool};
    assert_int_equal(look_render(&thing, &bronze, NULL), ERR_OK);
    render_look(f, "oil painting", &bronze, 6, f->pool, &painted);
    assert_same(&chained, &painted);
    image_release(&chained);
    image_release(&bronze);
    image_release(&painted);
    image_release(&source);
}

static void a_blend_of_one_look_with_itself_is_that_look(void **state)
{
    const struct fixture *f = *state;
    struct look_plan plan = blend_of(f, "watercolour", 1.0f, "watercolour", 2.0f);
    struct image source, alone, blended;

    paint_scene(&source, 144, 96);
    render(&plan, &source, 3, 0, 1, f->pool, &blended);
    render_look(f, "watercolour", &source, 3, f->pool, &alone);
    for (size_t i = 0; i < alone.stride * (size_t)alone.height; i++)
        assert_in_range(blended.px[i] + 1, alone.px[i], alone.px[i] + 2); // bands are rounded once
    image_release(&alone);
    image_release(&blended);
    image_release(&source);
}

static void a_blend_follows_its_weights(void **state)
{
    static const float WEIGHT[] = {0.001f, 0.2f, 0.5f, 1.0f, 2.0f, 5.0f, 1000.0f};
    const struct fixture *f = *state;
    struct image source, a, b;
    double before_a = 1e9, before_b = -1.0, apart;

    paint_scene(&source, 192, 144);
    render_look(f, "oil painting", &source, 3, f->pool, &a);
    render_look(f, "engraving", &source, 3, f->pool, &b);
    apart = mean_difference(&a, &b);
    for (size_t i = 0; i < sizeof(WEIGHT) / sizeof(WEIGHT[0]); i++) {
        struct look_plan plan = blend_of(f, "oil painting", WEIGHT[i], "engraving", 1.0f);
        struct image out;
        render(&plan, &source, 3, 0, 1, f->pool, &out);
        double from_a = mean_difference(&a, &out), from_b = mean_difference(&b, &out);
        if (from_a >= before_a || from_b <= before_b)
            fail_msg("weight %g: %.2f from the first, was %.2f; %.2f from the second, was %.2f",
                     (double)WEIGHT[i], from_a, before_a, from_b, before_b);
        if (i == 0)
            assert_true(from_b < 0.02 * apart);
        before_a = from_a;
        before_b = from_b;
        image_release(&out);
    }
    assert_true(before_a < 0.02 * apart);
    image_release(&a);
    image_release(&b);
    image_release(&source);
}

static void plans_are_the_same_on_any_number_of_threads(void **state)
{
    static const int THREADS[] = {1, 2, 8};
    const struct fixture *f = *state;
    struct look_plan plan[2] = {blend_of(f, "pencil", 1.0f, "gold", 2.0f),
                                chain_of(f, "marble", "watercolour")};
    struct image source;

    plan[0].part[2] = part_of(f, "copper", "mosaic", 1.5f);
    plan[0].parts = 3;
    plan[0].detail = 2.0f;
    plan[1].detail = 0.3f;
    paint_scene(&source, 160, 120);
    for (size_t i = 0; i < 2; i++) {
        struct image first = {0}, out;
        for (size_t t = 0; t < 3; t++) {
            struct pool *pool;
            assert_int_equal(pool_open(THREADS[t], &pool, NULL), ERR_OK);
            render(&plan[i], &source, 7, 0, 1, pool, &out);
            pool_close(pool);
            if (t == 0) {
                first = out;
                continue;
            }
            assert_same(&first, &out);
            image_release(&out);
        }
        image_release(&first);
    }
    image_release(&source);
}

static void a_picture_of_a_plan_is_that_of_its_seed(void **state)
{
    const struct fixture *f = *state;
    struct look_plan plan[2] = {blend_of(f, "comic", 1.0f, "walnut", 1.0f),
                                chain_of(f, "gold", "engraving")};
    struct image source, four[4], one;

    paint_scene(&source, 96, 64);
    for (size_t i = 0; i < 2; i++) {
        render(&plan[i], &source, 5, 0, 4, f->pool, four);
        render(&plan[i], &source, 5, 2, 1, f->pool, &one);
        assert_same(&four[2], &one);
        image_release(&one);
        render(&plan[i], &source, 7, 0, 1, f->pool, &one);
        assert_same(&four[2], &one);
        image_release(&one);
        for (int k = 1; k < 4; k++)
            assert_true(mean_difference(&four[0], &four[k]) > 1.0);
        for (int k = 0; k < 4; k++)
            image_release(&four[k]);
    }
    image_release(&source);
}

static void sizes_and_alpha_are_the_photos(void **state)
{
    static const int SIZE[][2] = {{1, 1}, {16, 16}, {300, 24}, {3, 200}};
    const struct fixture *f = *state;
    struct look_plan plan[2] = {blend_of(f, "woodcut", 1.0f, "jade", 1.0f),
                                chain_of(f, "rust", "pencil")};

    for (size_t s = 0; s < sizeof(SIZE) / sizeof(SIZE[0]); s++)
        for (size_t i = 0; i < 2; i++) {
            struct image source, out;
            paint_scene(&source, SIZE[s][0], SIZE[s][1]);
            plan[i].detail = 3.0f;
            render(&plan[i], &source, 1, 0, 1, f->pool, &out);
            assert_int_equal(out.width, source.width);
            assert_int_equal(out.height, source.height);
            assert_true(out.has_alpha);
            for (int y = 0; y < out.height; y++)
                for (int x = 0; x < out.width; x++) {
                    size_t at = (size_t)y * out.stride + 4 * (size_t)x + 3;
                    assert_int_equal(out.px[at], source.px[at]);
                }
            image_release(&out);
            image_release(&source);
        }
}

// Sum of what the maps see change from pixel to pixel.
static double unrest(const struct fixture *f, const struct image *source, float detail)
{
    struct look_maps *m;
    double sum = 0.0;

    assert_int_equal(look_maps_detailed(source, 0, detail, f->pool, NULL, &m), ERR_OK);
    for (int y = 0; y < m->full[0].height; y++)
        for (int x = 1; x < m->full[0].width; x++) {
            const float *L = plane_row(&m->full[0], y) + x;
            assert_true(L[0] > -0.2f && L[0] < 1.2f);
            sum += (double)fabsf(L[0] - L[-1]);
        }
    look_maps_free(m);
    return sum;
}

static void detail_is_what_the_maps_see(void **state)
{
    static const float DETAIL[] = {0.0f, 0.3f, 0.7f, 1.0f, 1.5f, 2.2f, 3.0f};
    const struct fixture *f = *state;
    struct image source, grey;
    double before = -1.0;

    paint_scene(&source, 192, 144);
    for (size_t i = 0; i < sizeof(DETAIL) / sizeof(DETAIL[0]); i++) {
        double now = unrest(f, &source, DETAIL[i]);
        if (now <= before)
            fail_msg("detail %g: %g, before %g", (double)DETAIL[i], now, before);
        before = now;
    }
    assert_int_equal(image_new(&grey, 64, 64), ERR_OK);
    memset(grey.px, 128, grey.stride * 64);
    assert_true(unrest(f, &grey, 0.0f) < 1e-3 && unrest(f, &grey, 3.0f) < 1e-3);
    image_release(&grey);
    image_release(&source);
}

struct watch {
    float last;
    int calls;
    atomic_bool cancel;
    int cancel_at;
};

static void progress_fn(void *ctx, float done)
{
    struct watch *w = ctx;

    assert_true(done >= w->last - 1e-4f && done <= 1.0001f);
    w->last = done;
    if (++w->calls == w->cancel_at)
        atomic_store(&w->cancel, true);
}

static void progress_grows_and_cancelling_leaves_nothing(void **state)
{
    const struct fixture *f = *state;
    struct look_plan plan = blend_of(f, "gold", 1.0f, "oil painting", 1.0f);
    struct look_options o = {0};
    struct image source, out[2] = {0};
    struct watch w = {0};

    plan.part[0] = part_of(f, "gold", "charcoal", 1.0f);
    paint_scene(&source, 96, 64);
    struct look_request r = {.source = &source,
                             .plan = &plan,
                             .options = &o,
                             .count = 2,
                             .pool = f->pool,
                             .progress = progress_fn,
                             .progress_ctx = &w,
                             .cancel = &w.cancel};
    assert_int_equal(look_render(&r, out, NULL), ERR_OK);
    assert_true(w.last > 0.99f);
    image_release(&out[0]);
    image_release(&out[1]);
    int all = w.calls;
    for (int at = 1; at < all; at += 5) {
        w = (struct watch){.cancel_at = at};
        assert_int_equal(look_render(&r, out, NULL), ERR_CANCELLED);
        assert_null(out[0].px);
        assert_null(out[1].px);
    }
    image_release(&source);
}

static void estimates_know_what_a_plan_is_made_of(void **state)
{
    const struct fixture *f = *state;
    const int w = 1024, h = 1024;
    struct look_plan oil = look_plan_of(recipe_find(f->recipes, "oil painting"));
    struct look_plan gold = look_plan_of(recipe_find(f->recipes, "gold"));
    struct look_plan chain = chain_of(f, "gold", "oil painting");
    struct look_plan blend = blend_of(f, "gold", 1.0f, "oil painting", 1.0f);
    struct look_plan slow = oil;

    slow.effort = 4.0f;
    assert_true(look_ms(&chain, w, h, 4, 1) >
                look_ms(&oil, w, h, 4, 1) + look_ms(&gold, w, h, 1, 1));
    assert_true(look_ms(&blend, w, h, 4, 1) > look_ms(&oil, w, h, 4, 1));
    assert_true(look_ms(&slow, w, h, 4, 1) > look_ms(&oil, w, h, 4, 1));
    assert_true(look_ms(&oil, w, h, 4, 2) < look_ms(&oil, w, h, 4, 1));
    assert_true(look_bytes(&chain, w, h, 4) > look_bytes(&oil, w, h, 4));
    assert_true(look_bytes(&blend, w, h, 4) > look_bytes(&gold, w, h, 4));
    assert_int_equal(look_bytes(&oil, w, h, 4) - look_bytes(&oil, w, h, 1), 3 * 4 * w * h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_paints_what_was_made),
        cmocka_unit_test(a_blend_of_one_look_with_itself_is_that_look),
        cmocka_unit_test(a_blend_follows_its_weights),
        cmocka_unit_test(plans_are_the_same_on_any_number_of_threads),
        cmocka_unit_test(a_picture_of_a_plan_is_that_of_its_seed),
        cmocka_unit_test(sizes_and_alpha_are_the_photos),
        cmocka_unit_test(detail_is_what_the_maps_see),
        cmocka_unit_test(progress_grows_and_cancelling_leaves_nothing),
        cmocka_unit_test(estimates_know_what_a_plan_is_made_of),
    };

    return cmocka_run_group_tests_name("look_plan", tests, open_all, close_all);
}
