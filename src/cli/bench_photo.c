/* SPDX-License-Identifier: MIT */
#include "cli/bench_photo.h"

#include "base/clock.h"
#include "cli/photo.h"
#include "image/fit.h"

#include <string.h>

enum { SCENE_SIDE = 1024 };

static enum err make_scene(struct image *im)
{
    enum err e = image_new(im, SCENE_SIDE, SCENE_SIDE);

    for (int y = 0; e == ERR_OK && y < SCENE_SIDE; y++)
        for (int x = 0; x < SCENE_SIDE; x++) {
            uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            int cell = 32 << (y / 256), dx = x % cell - cell / 2, dy = y % cell - cell / 2;
            bool disc = dx * dx + dy * dy < cell * cell / 9;
            int fine = x > 700 && y > 700 ? ((x / 3 + y / 3) & 1) * 50 : 0;
            px[0] = (uint8_t)(disc ? 60 + x / 8 : 200 - y / 8);
            px[1] = (uint8_t)(disc ? 40 + y / 16 : 120 + x / 16);
            px[2] = (uint8_t)(disc ? 90 : 60 + (x + y) / 16 + fine);
            px[3] = 255;
        }
    return e;
}

enum err bench_photo_read(const char *path, int64_t pixels, struct image *out,
                          struct err_note *note)
{
    struct decoded photo = {.fd = -1};
    struct image scene = {0};
    struct engine_job job = {.prompt_text = "", .pixels = pixels};
    struct fit_plan plan;
    bool animated;
    enum err e = path ? photo_read(path, &job, NULL, &photo, &animated, note) : make_scene(&scene);

    const struct image *source = path ? &photo.image : &scene;
    if (e == ERR_OK)
        e = fit_plan(source->width, source->height, &(struct fit_request){.pixels = pixels}, &plan,
                     note);
    if (e == ERR_OK)
        e = fit_resample(source, &plan, 1, out);
    decoded_release(&photo);
    image_release(&scene);
    return e;
}

const char *bench_photo_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    return slash ? slash + 1 : path ? path : "scene";
}

const struct recipe *bench_look_at(const struct recipe_set *looks, const char *only, int i)
{
    if (!only)
        return recipe_at(looks, i);
    return i == 0 ? recipe_find(looks, only) : NULL;
}

enum err bench_look_check(const struct recipe_set *looks, const char *only, struct err_note *note)
{
    if (only && !recipe_find(looks, only))
        return err_set(note, ERR_INVALID, "there is no look \"%s\"", only);
    return ERR_OK;
}

double bench_now_ms(void)
{
    return (double)clock_mono_ns(&clock_system) / 1e6;
}
