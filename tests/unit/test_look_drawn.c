/* SPDX-License-Identifier: MIT */
#include "image/colour.h"
#include "look/colour.h"
#include "look/dry.h"
#include "look/look.h"
#include "look/mark.h"
#include "look/phase.h"
#include "look_fixture.h"

#include <stdlib.h>
#include <string.h>

/* Looks that are drawn or printed: their operators beside slow twins, and what all of them keep. */

static const char *const DRAWN[] = {"pencil",  "charcoal", "coloured pencil", "engraving",
                                    "etching", "woodcut",  "linocut",         NULL};

// A dark disc and a bar on a ramp; the right edge is transparent.
static void paint_scene(struct image *im, int width, int height)
{
    assert_int_equal(image_new(im, width, height), ERR_OK);
    im->has_alpha = true;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float u = ((float)x + 0.5f) / (float)width, v = ((float)y + 0.5f) / (float)height;
            float dx = (u - 0.4f) * (float)width / (float)height, dy = v - 0.5f;
            bool disc = dx * dx + dy * dy<0.08f, bar = u> 0.75f && u < 0.85f;
            uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
            px[0] = (uint8_t)(disc ? 70 : bar ? 30 : 120 + 120 * u);
            px[1] = (uint8_t)(disc ? 40 : bar ? 60 : 130 + 100 * v);
            px[2] = (uint8_t)(disc ? 30 : bar ? 90 : 220 - 60 * u);
            px[3] = u > 0.95f ? 40 : 255;
        }
}

static void pixels_do_not_depend_on_threads(void **state)
{
    threads_change_nothing(*state, DRAWN, paint_scene);
}

static void any_size_keeps_its_alpha(void **state)
{
    sizes_keep_alpha(*state, DRAWN, paint_scene);
}

enum { GRID = 12 };

// Mean linear luminance of GRID x GRID parts.
static void coarse_of(const struct image *im, double out[GRID * GRID])
{
    for (int i = 0; i < GRID * GRID; i++) {
        int x0 = i % GRID * im->width / GRID, x1 = (i % GRID + 1) * im->width / GRID;
        int y0 = i / GRID * im->height / GRID, y1 = (i / GRID + 1) * im->height / GRID;
        double sum = 0.0;
        for (int y = y0; y < y1; y++)
            for (int x = x0; x < x1; x++) {
                const uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
                sum += 0.2126 * (double)srgb_linear[px[0]] + 0.7152 * (double)srgb_linear[px[1]] +
                       0.0722 * (double)srgb_linear[px[2]];
            }
        out[i] = sum / ((double)(x1 - x0) * (y1 - y0));
    }
}

static double correlation(const double *a, const double *b, int n)
{
    double ma = 0, mb = 0, aa = 1e-12, bb = 1e-12, ab = 0;

    for (int i = 0; i < n; i++) {
        ma += a[i] / n;
        mb += b[i] / n;
    }
    for (int i = 0; i < n; i++) {
        aa += (a[i] - ma) * (a[i] - ma);
        bb += (b[i] - mb) * (b[i] - mb);
        ab += (a[i] - ma) * (b[i] - mb);
    }
    return ab / sqrt(aa * bb);
}

// Mean colour of the GRID x GRID parts, OKLab.
static void colours_of(const struct image *im, float out[GRID * GRID][LAB])
{
    for (int i = 0; i < GRID * GRID; i++) {
        int x0 = i % GRID * im->width / GRID, x1 = (i % GRID + 1) * im->width / GRID;
        int y0 = i / GRID * im->height / GRID, y1 = (i / GRID + 1) * im->height / GRID;
        float n = (float)((x1 - x0) * (y1 - y0));
        for (int k = 0; k < LAB; k++)
            out[i][k] = 0.0f;
        for (int y = y0; y < y1; y++)
            for (int x = x0; x < x1; x++) {
                const uint8_t *px = im->px + (size_t)y * im->stride + 4 * (size_t)x;
                float lab[LAB];
                oklab_from_linear(srgb_linear[px[0]], srgb_linear[px[1]], srgb_linear[px[2]], lab);
                for (int k = 0; k < LAB; k++)
                    out[i][k] += lab[k] / n;
            }
    }
}

static void the_four_differ(void **state)
{
    const struct fixture *f = *state;
    static float colour[4][GRID * GRID][LAB];
    struct image source;

    paint_scene(&source, 112, 84);
    for (int i = 0; DRAWN[i]; i++) {
        for (uint32_t k = 0; k < 4; k++) {
            struct image out;
            render_look(f, DRAWN[i], &source, 20 + k, f->pool, &out);
            colours_of(&out, colour[k]);
            image_release(&out);
        }
        for (int a = 0; a < 4; a++)
            for (int b = a + 1; b < 4; b++) {
                float sum = 0.0f;
                for (int j = 0; j < GRID * GRID; j++) {
                    const float *p = colour[a][j], *q = colour[b][j];
                    float d[LAB] = {p[0] - q[0], p[1] - q[1], p[2] - q[2]};
                    sum += sqrtf(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
                }
                if (sum < 0.015f * GRID * GRID)
                    fail_msg("%s: %d and %d differ by %.4f", DRAWN[i], a, b,
                             (double)sum / (GRID * GRID));
            }
    }
    image_release(&source);
}

static void composition_is_kept(void **state)
{
    const struct fixture *f = *state;
    struct image source, out;
    double was[GRID * GRID], is[GRID * GRID];

    paint_scene(&source, 240, 180);
    coarse_of(&source, was);
    for (int i = 0; DRAWN[i]; i++) {
        render_look(f, DRAWN[i], &source, 3, f->pool, &out);
        coarse_of(&out, is);
        double c = correlation(was, is, GRID * GRID);
        if (c < 0.75)
            fail_msg("%s: correlation %.3f", DRAWN[i], c);
        image_release(&out);
    }
    image_release(&source);
}

static void pressure_covers_its_share_of_the_tooth(void **state)
{
    static const float PRESSURE[] = {0.0f, 0.2f, 0.5f, 0.8f, 1.0f}, SOFT[] = {0.0f, 0.5f, 1.0f};

    (void)state;
    for (int s = 0; s < 3; s++)
        for (int i = 0; i < 5; i++) {
            double sum = 0.0;
            for (int t = 0; t < 1000; t++)
                sum += (double)dry_take(((float)t + 0.5f) / 1000.0f, PRESSURE[i], SOFT[s]);
            assert_float_equal(sum / 1000.0, (double)PRESSURE[i], 0.035);
        }
}

static void slow_noise_keeps_to_the_noise(void **state)
{
    static const float STEP[] = {0.0007f, 0.013f, 0.04f, 0.3f, 7.0f};

    (void)state;
    for (size_t s = 0; s < sizeof(STEP) / sizeof(STEP[0]); s++)
        for (int n = 1; n <= NOISE_SPAN; n += 9) {
            float span[NOISE_SPAN];
            noise_span(span, n, 3.3f, STEP[s], 8.1f, 5u);
            for (int i = 0; i < n; i++)
                assert_float_equal(span[i], noise_at(3.3f + STEP[s] * (float)i, 8.1f, 5u), 0.025f);
        }
}

static void every_height_of_the_tooth_is_as_frequent(void **state)
{
    const struct fixture *f = *state;
    enum { W = 256, H = 192, BINS = 5 };
    struct look_picture p = {.width = W, .height = H, .px_per_unit = 4.0f, .pool = f->pool};
    float value[LOOK_PARAMS_MAX];
    int count[BINS] = {0};

    for (int i = 0; look_op_paper.param[i].name; i++)
        value[i] = look_op_paper.param[i].normal;
    p.px = aligned_alloc(sizeof(*p.px), sizeof(*p.px) * W * H);
    assert_non_null(p.px);
    assert_int_equal(look_op_paper.run(&p, value), ERR_OK);
    for (int i = 0; i < W * H; i++)
        count[clampi((int)(p.px[i][3] * BINS), 0, BINS - 1)]++;
    for (int i = 0; i < BINS; i++)
        assert_in_range(count[i], W * H / BINS * 6 / 10, W * H / BINS * 14 / 10);
    free(p.px);
}

// Each mark over the whole picture, each pixel against each piece: no tiles, no boxes.
static void draw_slowly(struct look_picture *p, const struct mark *mark, int count, float soft)
{
    for (int i = 0; i < count; i++)
        for (int j = 0; j + 1 < mark[i].points; j++)
            for (int y = 0; y < p->height; y++)
                for (int x = 0; x < p->width; x++) {
                    const struct mark *k = &mark[i];
                    lane4 *px = &picture_row(p, y)[x];
                    float dx = k->x[j + 1] - k->x[j], dy = k->y[j + 1] - k->y[j];
                    float qx = (float)x + 0.5f - k->x[j], qy = (float)y + 0.5f - k->y[j];
                    float length = sqrtf(dx * dx + dy * dy);
                    float t = (qx * dx + qy * dy) / (length * length);
                    float off = fabsf(qx * dy - qy * dx) / length;
                    if (t < 0.0f || t >= 1.0f)
                        continue;
                    float pressure = mixf(k->pressure[j], k->pressure[j + 1], t);
                    float width = k->radius * (0.55f + 0.45f * pressure);
                    float cover = clampf(width + 0.5f - off, 0.0f, 1.0f) *
                                  clampf(2.0f * width, 0.0f, 1.0f) *
                                  dry_take((*px)[3], pressure, soft);
                    for (int c = 0; c < LAB; c++)
                        (*px)[c] = mixf((*px)[c], k->lab[c], cover);
                }
}

enum { SIDE = 150, MARKS = 60 };

static void blank(struct look_picture *p)
{
    p->width = p->height = SIDE;
    p->px_per_unit = 1.0f;
    p->px = aligned_alloc(sizeof(*p->px), sizeof(*p->px) * SIDE * SIDE);
    assert_non_null(p->px);
    for (int i = 0; i < SIDE * SIDE; i++)
        p->px[i] = (lane4){0.95f, 0.0f, 0.0f, noise_point(i, 0, 3)};
}

static void marks_are_as_their_slow_twin_draws_them(void **state)
{
    const struct fixture *f = *state;
    static struct mark mark[MARKS];
    const struct look_maps maps = {0};
    struct look_picture fast = {.pool = f->pool, .maps = &maps}, slow = {0};

    for (int i = 0; i < MARKS; i++) {
        struct mark *k = &mark[i];
        k->points = i % (MARK_POINTS_MAX + 1); // also none and one
        k->radius = 0.4f + 3.0f * noise_point(i, 1, 1);
        k->lab[0] = noise_point(i, 2, 1);
        for (int j = 0; j < k->points; j++) { // some leave the picture
            k->x[j] = (float)SIDE * (1.3f * noise_point(i, 3, 1) - 0.15f) + 14.0f * (float)j;
            k->y[j] = (float)SIDE * (1.3f * noise_point(i, 4, 1) - 0.15f) +
                      9.0f * noise_point(i, 10 + j, 1);
            k->pressure[j] = noise_point(i, 30 + j, 1);
        }
    }
    blank(&fast);
    blank(&slow);
    assert_int_equal(mark_draw(&fast, mark, MARKS, 0.4f), ERR_OK);
    draw_slowly(&slow, mark, MARKS, 0.4f);
    for (int i = 0; i < SIDE * SIDE; i++)
        for (int k = 0; k < 4; k++)
            assert_float_equal(fast.px[i][k], slow.px[i][k], 1e-4f);
    free(fast.px);
    free(slow.px);
}

static void a_line_runs_on_the_dark_side_of_an_edge(void **state)
{
    const struct fixture *f = *state;
    struct look_maps *m;
    struct image im;

    assert_int_equal(image_new(&im, 200, 200), ERR_OK);
    for (int y = 0; y < 200; y++)
        for (int x = 0; x < 200; x++)
            memset(im.px + (size_t)y * im.stride + 4 * (size_t)x, x < 100 ? 60 : 200, 4);
    assert_int_equal(look_maps_new(&im, NEED_LINES | NEED_TONE, f->pool, NULL, &m), ERR_OK);
    const float *line = plane_row(&m->lines, 100), *tone = plane_row(&m->tone, 100);
    assert_true(line[99] > 0.3f);
    assert_true(line[100] < 0.05f);
    assert_true(line[40] < 0.01f && line[160] < 0.01f);
    assert_true(tone[40] < 0.4f && tone[160] > 0.6f);
    look_maps_free(m);
    image_release(&im);
}

static void a_calm_picture_stays_calm(void **state)
{
    const struct fixture *f = *state;
    struct look_maps *m;
    struct image im;

    assert_int_equal(image_new(&im, 128, 96), ERR_OK);
    memset(im.px, 128, im.stride * (size_t)im.height);
    assert_int_equal(look_maps_new(&im, NEED_LINES | NEED_TONE, f->pool, NULL, &m), ERR_OK);
    for (int i = 0; i < 128 * 96; i++) {
        assert_true(m->lines.px[i] < 0.01f);
        assert_float_equal(m->tone.px[i], m->tone.px[0], 0.01f);
        assert_true(m->tone.px[i] > 0.2f && m->tone.px[i] < 0.8f);
    }
    look_maps_free(m);
    image_release(&im);
}

// A photo without any form: lines are straight, and their distance is known everywhere.
static void without_forms_lines_are_straight_and_even(void **state)
{
    static const struct {
        float angle, turn;
    } CASE[] = {{0.0f, 0.0f}, {0.125f, 0.0f}, {0.05f, 0.2f}, {-0.4f, 0.1f}};
    const struct fixture *f = *state;
    struct look_maps *m;
    struct image im;

    assert_int_equal(image_new(&im, 1024, 128), ERR_OK);
    memset(im.px, 128, im.stride * (size_t)im.height);
    assert_int_equal(look_maps_new(&im, NEED_FLOW, f->pool, NULL, &m), ERR_OK);
    for (size_t i = 0; i < sizeof(CASE) / sizeof(CASE[0]); i++) {
        struct look_picture p = {.width = 1024,
                                 .height = 128,
                                 .px_per_unit = m->px_per_unit,
                                 .maps = m,
                                 .pool = f->pool};
        struct phase_kind kind = {.period = 24.0f,
                                  .cell = 36.0f,
                                  .smooth = 9.0f,
                                  .angle = CASE[i].angle,
                                  .turn = CASE[i].turn,
                                  .seed = 5};
        float period = 24.0f * p.px_per_unit, tx, ty, worst = 0.0f, best = 1.0f;
        struct plane line;
        assert_int_equal(plane_new(&line, p.width, p.height), ERR_OK);
        assert_int_equal(phase_field(&p, &kind, &line), ERR_OK);
        turn_approx(CASE[i].angle + CASE[i].turn, &tx, &ty);
        for (int y = 40; y < 88; y += 3)
            for (int x = 40; x < 980; x += 7) {
                float px = (float)x + 0.5f, py = (float)y + 0.5f;
                float here = plane_at(&line, px, py);
                float along = plane_at(&line, px + 9.0f * tx, py + 9.0f * ty);
                float next = plane_at(&line, px - period * ty, py + period * tx);
                float off = fabsf(here - along);
                worst = off > worst ? off : worst;
                off = fabsf(here - next);
                worst = off > worst ? off : worst;
                best = here < best ? here : best;
            }
        // Bilinear samples of a zigzag are off where it turns.
        assert_true(worst < 0.12f);
        assert_true(best < 0.1f);
        plane_release(&line);
    }
    look_maps_free(m);
    image_release(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pressure_covers_its_share_of_the_tooth),
        cmocka_unit_test(slow_noise_keeps_to_the_noise),
        cmocka_unit_test(every_height_of_the_tooth_is_as_frequent),
        cmocka_unit_test(marks_are_as_their_slow_twin_draws_them),
        cmocka_unit_test(a_line_runs_on_the_dark_side_of_an_edge),
        cmocka_unit_test(a_calm_picture_stays_calm),
        cmocka_unit_test(without_forms_lines_are_straight_and_even),
        cmocka_unit_test(pixels_do_not_depend_on_threads),
        cmocka_unit_test(any_size_keeps_its_alpha),
        cmocka_unit_test(composition_is_kept),
        cmocka_unit_test(the_four_differ),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
