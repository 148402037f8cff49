/* SPDX-License-Identifier: MIT */
#include "support/pictures.h"
#include "unit/unit.h"

#include "base/rand.h"

#include <stdlib.h>
#include <string.h>

/*
 * Damage of every kind to every format: whatever the bytes, a decode returns with a documented
 * result and touches nothing but its own memory (under a sanitizer that is proved, elsewhere it is
 * at least survived).
 */

enum { FLIPS = 150, SPLICES = 60 };

static void decode_somehow(const char *data, size_t len)
{
    struct image got;
    struct err_note note = {0};

    enum err e = picture_decode(data, len, 1000, &got, NULL, &note);
    switch (e) {
    case ERR_OK:
        image_release(&got);
        return;
    case ERR_CORRUPT:
    case ERR_UNSUPPORTED:
    case ERR_TOO_LARGE:
    case ERR_NOMEM:
        assert_true(note.text[0] != '\0');
        return;
    default:
        fail_msg("%s: %s", err_name(e), note.text);
    }
}

static void damage(struct buf file, uint64_t seed)
{
    struct pcg p;
    char *copy = malloc(file.len);

    pcg_seed(&p, seed, 1);
    for (int i = 0; i < FLIPS; i++) {
        memcpy(copy, file.data, file.len);
        // One to eight bits; the first half of the tries in the first 200 bytes, where the
        // structure is.
        uint32_t reach = i % 2 && file.len > 200 ? 200 : (uint32_t)file.len;
        for (uint32_t n = 0; n <= pcg_below(&p, 8); n++)
            copy[pcg_below(&p, reach)] ^= (char)(1 << pcg_below(&p, 8));
        decode_somehow(copy, file.len);
    }
    for (int i = 0; i < SPLICES; i++) {
        // A piece moved to another place, and the end cut off.
        uint32_t len = (uint32_t)file.len, n = 1 + pcg_below(&p, len / 4);
        memcpy(copy, file.data, file.len);
        memcpy(copy + pcg_below(&p, len - n), file.data + pcg_below(&p, len - n), n);
        decode_somehow(copy, len - pcg_below(&p, len / 8));
    }
    free(copy);
    buf_release(&file);
}

static void damaged_jpegs_return(void **state)
{
    struct image im = picture_scene(60, 44);
    struct buf icc = picture_swapped_profile();

    (void)state;
    damage(picture_jpeg(&im, &(struct jpeg_spec){.orientation = 6, .icc = &icc}), 1);
    damage(picture_jpeg(&im, &(struct jpeg_spec){.progressive = true, .sampling = 2}), 2);
    damage(picture_jpeg(&im, &(struct jpeg_spec){.ycck = true, .adobe = true}), 3);
    damage(picture_jpeg(&im, &(struct jpeg_spec){.grey = true}), 4);
    buf_release(&icc);
    image_release(&im);
}

/* Writes the right checksums, so that damage reaches what lies behind them. */
static void damaged_pngs_return(void **state)
{
    struct image im = picture_scene(60, 44);
    struct buf icc = picture_swapped_profile();

    (void)state;
    damage(picture_png(&im, &(struct png_spec){.icc = &icc, .orientation = 5}), 5);
    damage(picture_png(&im, &(struct png_spec){.interlaced = true, .depth = 16, .gamma = 1}), 6);
    damage(picture_png(&im, &(struct png_spec){.palette = true, .transparent_key = true}), 7);
    buf_release(&icc);
    image_release(&im);
}

static void damaged_webps_return(void **state)
{
    struct image im = picture_noise(60, 44, 1, true);
    struct buf icc = picture_swapped_profile();

    (void)state;
    damage(picture_webp(&im, &(struct webp_spec){.icc = &icc, .orientation = 7}), 8);
    damage(picture_webp(&im, &(struct webp_spec){.lossless = true}), 9);
    damage(picture_webp(&im, &(struct webp_spec){.animated = true, .orientation = 2}), 10);
    buf_release(&icc);
    image_release(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_jpegs_return),
        cmocka_unit_test(damaged_pngs_return),
        cmocka_unit_test(damaged_webps_return),
    };

    return cmocka_run_group_tests_name("codec_damage", tests, NULL, NULL);
}
