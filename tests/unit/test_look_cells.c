/* SPDX-License-Identifier: MIT */
#include "look/cells.h"
#include "look/look.h"
#include "look/noise.h"
#include "look/tiles.h"
#include "look_fixture.h"

#include <stdlib.h>
#include <string.h>

/* Looks made of pieces: the cut beside what it must be, and what all of them keep. */

static const char *const PIECED[] = {"mosaic", "stained glass", NULL};

// A red field beside a blue one, their border at 60 %, and a green disc; the right is transparent.
static void paint_scene(struct image *im, int width, int height)
{
    assert_int_equal(image_new(im, width, height), ERR_OK);
    im->has_alpha = true;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float u = ((float)x + 0.5f) / (float)width, v = ((float)y + 0.5f) / (float)height;
            float dx = u - 0.3f, dy = (v - 0.5f) * (float)height / (float)width;
            bool disc = dx * dx + dy * dy < 0.02f;
            uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            px[0] = disc ? 40 : u < 0.6f ? 190 : 30;
            px[1] = disc ? 160 : 50;
            px[2] = disc ? 60 : u < 0.6f ? 40 : 180;
            px[3] = u > 0.95f ? 40 : 255;
        }
}

static void pixels_do_not_depend_on_threads(void **state)
{
    threads_change_nothing(*state, PIECED, paint_scene);
}

static void any_size_keeps_its_alpha(void **state)
{
    sizes_keep_alpha(*state, PIECED, paint_scene);
}

// Mean of each channel over a box, in tenths of the sides.
static void mean_of(const struct image *im, int x0, int x1, int y0, int y1, double rgb[3])
{
    int n = 0;

    rgb[0] = rgb[1] = rgb[2] = 0.0;
    for (int y = y0 * im->height / 10; y < y1 * im->height / 10; y++)
        for (int x = x0 * im->width / 10; x < x1 * im->width / 10; x++, n++)
            for (int k = 0; k < 3; k++)
                rgb[k] += im->px[(size_t)y * im->stride + 4 * (size_t)x + (size_t)k];
    for (int k = 0; k < 3; k++)
        rgb[k] /= n;
}

static void colours_stay_where_they_were(void **state)
{
    const struct fixture *f = *state;
    struct image source, out;
    double red[3], green[3], blue[3];

    paint_scene(&source, 250, 180);
    for (int i = 0; PIECED[i]; i++)
        for (uint32_t seed = 0; seed < 4; seed++) {
            render_look(f, PIECED[i], &source, seed, f->pool, &out);
            mean_of(&out, 0, 5, 0, 2, red);
            mean_of(&out, 2, 4, 4, 6, green);
            mean_of(&out, 7, 10, 1, 9, blue);
            assert_true(red[0] > 1.5 * red[1] && red[0] > 1.5 * red[2]);
            assert_true(green[1] > 1.3 * green[0] && green[1] > 1.3 * green[2]);
            assert_true(blue[2] > 1.5 * blue[0] && blue[2] > 1.5 * blue[1]);
            image_release(&out);
        }
    image_release(&source);
}

struct cut {
    struct image source;
    struct look_maps *maps;
    struct look_picture p;
};

static void cut_begin(struct cut *c, const struct fixture *f, int width, int height)
{
    *c = (struct cut){0};
    paint_scene(&c->source, width, height);
    assert_int_equal(look_maps_new(&c->source, NEED_ABSTRACT | NEED_IMPORTANCE | NEED_FLOW, f->pool,
                                   NULL, &c->maps),
                     ERR_OK);
    c->p = (struct look_picture){.width = width,
                                 .height = height,
                                 .px_per_unit = c->maps->px_per_unit,
                                 .maps = c->maps,
                                 .pool = f->pool};
}

static void cut_end(struct cut *c)
{
    look_maps_free(c->maps);
    image_release(&c->source);
}

static uint16_t *labels_new(const struct cut *c)
{
    const struct plane *p = &c->maps->mid[0];
    uint16_t *label = calloc((size_t)p->width * (size_t)p->height, sizeof(*label));

    assert_non_null(label);
    return label;
}

// What a label's pixels reach from its first one; all of them, where it is in one part.
static int reached(uint16_t *label, int w, int h, int x, int y, uint16_t which)
{
    if (x < 0 || y < 0 || x >= w || y >= h || label[y * w + x] != which)
        return 0;
    label[y * w + x] = UINT16_MAX;
    return 1 + reached(label, w, h, x + 1, y, which) + reached(label, w, h, x - 1, y, which) +
           reached(label, w, h, x, y + 1, which) + reached(label, w, h, x, y - 1, which);
}

static void pieces_are_whole_and_as_many_as_wanted(void **state)
{
    static const int WANTED[] = {1, 2, 9, 40};
    const struct fixture *f = *state;
    struct cut c;

    cut_begin(&c, f, 256, 192);
    int w = c.maps->mid[0].width, h = c.maps->mid[0].height;
    for (size_t i = 0; i < sizeof(WANTED) / sizeof(WANTED[0]); i++) {
        uint16_t *label = labels_new(&c);
        int count, parts = 0, all = 0;
        assert_int_equal(cells_superpixels(&c.p, 6.0f, label, &count), ERR_OK);
        assert_true(count > WANTED[i]);
        assert_int_equal(cells_join(c.maps, WANTED[i], false, label, &count), ERR_OK);
        assert_int_equal(count, WANTED[i]);
        for (int at = 0; at < w * h; at++)
            if (label[at] != UINT16_MAX) {
                assert_true(label[at] < count);
                all += reached(label, w, h, at % w, at / w, label[at]);
                parts++;
            }
        assert_int_equal(parts, WANTED[i]);
        assert_int_equal(all, w * h);
        free(label);
    }
    cut_end(&c);
}

// Three pieces are what the scene has: no piece holds two colours.
static void borders_are_where_the_colours_change(void **state)
{
    const struct fixture *f = *state;
    struct cut c;

    cut_begin(&c, f, 256, 192);
    int w = c.maps->mid[0].width, h = c.maps->mid[0].height, count;
    uint16_t *label = labels_new(&c);
    assert_int_equal(cells_superpixels(&c.p, 6.0f, label, &count), ERR_OK);
    assert_int_equal(cells_join(c.maps, 3, false, label, &count), ERR_OK);
    uint16_t red = label[0], blue = label[w - 1], green = label[h / 2 * w + 3 * w / 10];
    assert_true(red != blue && red != green && blue != green);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            if (x < w * 6 / 10 - 4 && y < h / 5)
                assert_int_equal(label[y * w + x], red);
            else if (x > w * 6 / 10 + 4)
                assert_int_equal(label[y * w + x], blue);
    free(label);
    cut_end(&c);
}

// One calm piece becomes panes of about the wanted size, each whole; one too small to cut stays.
static void calm_ground_is_cut_into_panes(void **state)
{
    static const float SIDE[] = {60.0f, 120.0f, 2000.0f};
    const struct fixture *f = *state;
    struct cut c;

    cut_begin(&c, f, 512, 384);
    int w = c.maps->mid[0].width, h = c.maps->mid[0].height;
    for (int i = 0; i < w * h; i++)
        c.maps->importance.px[i] = 0.0f;
    for (size_t i = 0; i < sizeof(SIDE) / sizeof(SIDE[0]); i++)
        for (uint32_t seed = 0; seed < 4; seed++) {
            float pane = SIDE[i] * SIDE[i] / (1024.0f * 768.0f) * (float)(w * h);
            int count = 1, parts = 0;
            uint16_t *label = labels_new(&c);
            c.p.variation.seed = seed;
            assert_int_equal(cells_quarry(&c.p, SIDE[i], label, &count), ERR_OK);
            if (SIDE[i] > 1000.0f)
                assert_int_equal(count, 1);
            else
                assert_float_equal((float)count, (float)(w * h) / pane, 0.35f * (float)count);
            for (int at = 0; at < w * h; at++)
                if (label[at] != UINT16_MAX) {
                    int n = reached(label, w, h, at % w, at / w, label[at]);
                    parts++;
                    assert_true((float)n >= 0.29f * pane || count == 1 || at < w);
                }
            assert_int_equal(parts, count);
            free(label);
        }
    cut_end(&c);
}

// Labels of the plane on both sides of a slanting line: the distance to it is known exactly.
static void distance_to_a_border_is_in_units(void **state)
{
    static const int SIZE[][2] = {{512, 512}, {200, 160}, {1500, 900}};
    const struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(SIZE) / sizeof(SIZE[0]); i++) {
        struct cut c;
        struct cells cells = {0};
        float cs, sn, worst = 0.0f;
        cut_begin(&c, f, SIZE[i][0], SIZE[i][1]);
        uint16_t *label = labels_new(&c);
        cells.width = c.maps->mid[0].width;
        cells.height = c.maps->mid[0].height;
        cells.per_unit = c.maps->half_per_unit;
        turn_approx(0.06f, &cs, &sn);
        float mx = 0.5f * (float)cells.width, my = 0.5f * (float)cells.height;
        for (int at = 0; at < cells.width * cells.height; at++) {
            float x = (float)(at % cells.width) + 0.5f - mx;
            float y = (float)(at / cells.width) + 0.5f - my;
            label[at] = x * cs + y * sn > 0.0f ? 7 : 4;
        }
        assert_int_equal(cells_smooth(&cells, &c.p, label, 0), ERR_OK);
        for (int n = 0; n < 400; n++) {
            float off = cells.sigma * 3.0f * (noise_point(n, 1, 9) - 0.5f);
            float along = 0.4f * my / cells.per_unit * (noise_point(n, 2, 9) - 0.5f);
            struct cell_spot spot;
            cells_at(&cells, mx / cells.per_unit + off * cs - along * sn,
                     my / cells.per_unit + off * sn + along * cs, &spot);
            float wrong = fabsf(spot.border - fabsf(off));
            worst = wrong > worst ? wrong : worst;
            if (fabsf(off) > 0.5f * cells.sigma)
                assert_int_equal(spot.label, off > 0.0f ? 7 : 4);
        }
        // The blur's share, and that of labels being whole pixels.
        if (worst > 0.2f * cells.sigma + 0.35f / cells.per_unit)
            fail_msg("%d x %d: off by %.2f units", SIZE[i][0], SIZE[i][1], (double)worst);
        free(label);
        cells_release(&cells);
        cut_end(&c);
    }
}

// The share of every label, each over the whole window and all pixels.
static float share_slowly(const struct cells *c, const uint16_t *label, int x, int y, uint16_t of)
{
    float sigma = c->sigma * c->per_unit, sum = 0.0f, all = 0.0f;
    int r = (int)(2.7f * sigma + 0.5f);

    r = r > 1 ? r : 1;
    for (int j = -r; j <= r; j++)
        for (int i = -r; i <= r; i++) {
            int px = clampi(x + i, 0, c->width - 1), py = clampi(y + j, 0, c->height - 1);
            float w = exp_approx(-0.5f * (float)(i * i + j * j) / (sigma * sigma));
            all += w;
            sum += label[py * c->width + px] == of ? w : 0.0f;
        }
    return sum / all;
}

static void shares_are_as_their_slow_twin_counts_them(void **state)
{
    const struct fixture *f = *state;
    struct cut c;
    struct cells cells = {0};

    cut_begin(&c, f, 256, 192);
    uint16_t *label = labels_new(&c);
    cells.width = c.maps->mid[0].width;
    cells.height = c.maps->mid[0].height;
    cells.per_unit = 0.5f;
    for (int at = 0; at < cells.width * cells.height; at++) // Triangles of some pixels
        label[at] = (uint16_t)(at % cells.width / 9 + 20 * (at / cells.width / 7) +
                               400 * ((at % cells.width + at / cells.width) / 11 % 2));
    assert_int_equal(cells_smooth(&cells, &c.p, label, 0), ERR_OK);
    for (int y = 0; y < cells.height; y++)
        for (int x = 0; x < cells.width; x += 3) {
            const struct cell_shares *s = &cells.at[y * cells.width + x];
            float before = 1.0f;
            for (int k = 0; k < CELL_SHARES; k++) {
                assert_true(s->share[k] <= before);
                before = s->share[k];
                if (s->share[k] > 0.2f)
                    assert_float_equal(s->share[k], share_slowly(&cells, label, x, y, s->label[k]),
                                       1e-4f);
            }
        }
    free(label);
    cells_release(&cells);
    cut_end(&c);
}

// All tiles, without lists.
static void tile_slowly(const struct tiles *t, float x, float y, int label, int *tile,
                        float *distance, float *second)
{
    *tile = -1;
    *distance = *second = 1e9f;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < t->count; i++) {
            float d = tile_distance(&t->tile[i], x, y) + (t->tile[i].label == label ? 0.0f : 1.0f);
            if (pass == 0 && d < *distance) {
                *tile = i;
                *distance = d;
            } else if (pass == 1 && i != *tile && d < *second) {
                *second = d;
            }
        }
}

static void tiles_fill_the_picture_and_are_found(void **state)
{
    static const float SIZE[] = {12.0f, 20.0f};
    const struct fixture *f = *state;
    struct cut c;
    struct cells cells;

    cut_begin(&c, f, 512, 384);
    assert_int_equal(cells_new(&cells, &c.p, 12.0f, 7, 0.0f), ERR_OK);
    for (int i = 0; i < 2; i++) {
        struct tiles t;
        float units = 1024.0f * 768.0f, area = 0.0f, far = 0.0f;
        assert_int_equal(tiles_new(&t, &c.p, &cells, SIZE[i], 0.6f), ERR_OK);
        for (int k = 0; k < t.count; k++)
            area += t.tile[k].size * t.tile[k].size;
        assert_float_equal(area / units, 1.0f, 0.1f);
        for (int row = 0; row < 40; row++) {
            float x[SPAN], y = 768.0f * noise_point(row, 2, 4), step = 0.1f * (float)(row % 30);
            int label[SPAN], n = 1 + row % SPAN;
            struct tile_spots fast;
            for (int k = 0; k < n; k++) {
                struct cell_spot cell;
                x[k] = 800.0f * noise_point(row, 1, 4) + step * (float)k;
                cells_at(&cells, x[k], y, &cell);
                label[k] = cell.label;
            }
            tiles_span(&t, x, y, label, n, &fast);
            for (int k = 0; k < n; k++) {
                float distance, second;
                int tile;
                tile_slowly(&t, x[k], y, label[k], &tile, &distance, &second);
                far += distance > 1.4f ? 1.0f : 0.0f;
                if (distance < 1.4f) {
                    assert_int_equal(fast.tile[k], tile);
                    assert_float_equal(fast.distance[k], distance, 0.0f);
                }
                if (second < 1.4f)
                    assert_float_equal(fast.second[k], second, 0.0f);
            }
        }
        // Hardly a place is far from every tile, or the grout would show holes.
        assert_true(far < 20.0f);
        tiles_release(&t);
    }
    cells_release(&cells);
    cut_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_do_not_depend_on_threads),
        cmocka_unit_test(any_size_keeps_its_alpha),
        cmocka_unit_test(colours_stay_where_they_were),
        cmocka_unit_test(pieces_are_whole_and_as_many_as_wanted),
        cmocka_unit_test(borders_are_where_the_colours_change),
        cmocka_unit_test(calm_ground_is_cut_into_panes),
        cmocka_unit_test(distance_to_a_border_is_in_units),
        cmocka_unit_test(shares_are_as_their_slow_twin_counts_them),
        cmocka_unit_test(tiles_fill_the_picture_and_are_found),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
