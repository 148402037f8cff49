/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TEST_LOOK_FIXTURE_H
#define PATINA_TEST_LOOK_FIXTURE_H

/* For tests of single steps of looks: the recipes, a pool, and one step on a bench. */

#include "look/look.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

struct fixture {
    struct recipe_set *recipes;
    struct pool *pool; /* two threads */
};

static inline int open_all(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    assert_int_equal(recipe_set_open(NULL, &f->recipes, NULL), ERR_OK);
    assert_int_equal(pool_open(2, &f->pool, NULL), ERR_OK);
    *state = f;
    return 0;
}

static inline int close_all(void **state)
{
    struct fixture *f = *state;

    recipe_set_close(f->recipes);
    pool_close(f->pool);
    free(f);
    return 0;
}

/* Renders one picture of the named look. */
static inline void render_look(const struct fixture *f, const char *look,
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

    assert_non_null(r.recipe);
    assert_int_equal(look_render(&r, out, NULL), ERR_OK);
}

/* A test's own scene of that size, with some transparency. */
typedef void paint_fn(struct image *im, int width, int height);

/* Each look, up to the NULL, has the same bits on 1, 2 and 8 threads. */
static inline void threads_change_nothing(const struct fixture *f, const char *const *look,
                                          paint_fn *paint)
{
    static const int THREADS[] = {1, 2, 8};
    struct image source;

    paint(&source, 160, 120);
    for (; *look; look++) {
        struct image first = {0}, out;
        for (int t = 0; t < 3; t++) {
            struct pool *pool;
            assert_int_equal(pool_open(THREADS[t], &pool, NULL), ERR_OK);
            render_look(f, *look, &source, 7, pool, &out);
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

/* Each look, up to the NULL, takes odd sizes and gives back size and alpha as they were. */
static inline void sizes_keep_alpha(const struct fixture *f, const char *const *look,
                                    paint_fn *paint)
{
    static const int SIZE[][2] = {{1, 1}, {16, 16}, {300, 24}, {3, 200}};

    for (; *look; look++)
        for (size_t s = 0; s < sizeof(SIZE) / sizeof(SIZE[0]); s++) {
            struct image source, out;
            paint(&source, SIZE[s][0], SIZE[s][1]);
            render_look(f, *look, &source, 1, f->pool, &out);
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

/* One step alone on a picture whose lightness the test draws. */
struct bench {
    struct image source;
    struct look_maps *maps;
    struct look_picture p;
    float value[LOOK_PARAMS_MAX];
    const struct look_op *op;
};

/* The photo is b->source if the caller made one, else grey. */
static inline void bench_open(struct bench *b, const struct fixture *f, const char *op, int w,
                              int h)
{
    struct look_options o = {0};

    b->op = look_op_find(op, strlen(op));
    assert_non_null(b->op);
    if (!b->source.px) {
        assert_int_equal(image_new(&b->source, w, h), ERR_OK);
        memset(b->source.px, 128, b->source.stride * (size_t)h);
    }
    assert_int_equal(look_maps_new(&b->source, b->op->needs, f->pool, NULL, &b->maps), ERR_OK);
    b->p = (struct look_picture){.width = w,
                                 .height = h,
                                 .px_per_unit = b->maps->px_per_unit,
                                 .maps = b->maps,
                                 .pool = f->pool};
    look_variation_of(5, &o, &b->p.variation);
    b->p.px = aligned_alloc(sizeof(lane4), (size_t)w * (size_t)h * sizeof(lane4));
    assert_non_null(b->p.px);
    for (int i = 0; b->op->param[i].name; i++)
        b->value[i] = b->op->param[i].normal;
}

static inline void bench_set(struct bench *b, const char *name, float v)
{
    for (int i = 0; b->op->param[i].name; i++)
        if (strcmp(b->op->param[i].name, name) == 0) {
            b->value[i] = v;
            return;
        }
    fail_msg("%s has no %s", b->op->name, name);
}

static inline void bench_close(struct bench *b)
{
    free(b->p.px);
    look_maps_free(b->maps);
    image_release(&b->source);
    *b = (struct bench){.op = NULL};
}

#endif
