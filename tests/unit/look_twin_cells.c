/* SPDX-License-Identifier: MIT */
#include "look_twin.h"

#include "look/cells.h"

/* How the picture is cut into pieces: superpixels, parts, joining, panes, outlines, distances. The
 * operators that fill the pieces are in look_twin_panes.c. */

struct labels {
    int w, h, count;
    uint16_t *at; /* of a desk */
};

static struct labels labels_new(struct desk *d, const struct bench *b)
{
    struct labels l = {.w = b->p.maps->mid[0].width, .h = b->p.maps->mid[0].height};

    l.at = tw_take(d, (size_t)(l.w * l.h), sizeof(*l.at));
    return l;
}

static struct labels labels_copy(struct desk *d, const struct labels *from)
{
    struct labels l = *from;

    l.at = tw_take(d, (size_t)(l.w * l.h), sizeof(*l.at));
    memcpy(l.at, from->at, sizeof(*l.at) * (size_t)(l.w * l.h));
    return l;
}

static uint16_t label_px(const struct labels *l, int x, int y)
{
    return l->at[clampi(y, 0, l->h - 1) * l->w + clampi(x, 0, l->w - 1)];
}

// The share of pixels that are not in the piece that most of their own piece's pixels are in:
// pieces may be numbered otherwise.
static double parted(const struct labels *a, const struct labels *b)
{
    int n = a->w * a->h, alike = 0;
    int *both = calloc((size_t)b->count + 1, sizeof(*both));

    assert_non_null(both);
    for (int label = 0; label < a->count; label++) {
        int most = 0;
        memset(both, 0, ((size_t)b->count + 1) * sizeof(*both));
        for (int i = 0; i < n; i++)
            if (a->at[i] == label && b->at[i] < b->count && ++both[b->at[i]] > most)
                most = both[b->at[i]];
        alike += most;
    }
    free(both);
    return 1.0 - alike / (double)n;
}

static void expect_alike(const char *what, const struct labels *want, const struct labels *got,
                         double rare)
{
    double off = fmax(parted(want, got), parted(got, want));

    if (getenv("TWIN_SHOW"))
        print_message("%s: %d pieces and %d, %.4f parted\n", what, want->count, got->count, off);
    if (off > rare || abs(want->count - got->count) > 1 + (int)(rare * want->count))
        fail_msg("%s: %d pieces and %d, %.4f of the pixels are parted", what, want->count,
                 got->count, off);
}

/* Superpixels: five times each pixel goes to the best of the nine centres that began around it. */
struct centre {
    double x, y, c[LAB], n;
};

static void superpixels(const struct bench *b, struct desk *d, double step, struct labels *l)
{
    const struct look_maps *m = b->p.maps;
    uint32_t seed = b->p.variation.seed;
    int cols = (int)(l->w / step) + 1, rows = (int)(l->h / step) + 1;
    struct centre *at = tw_take(d, (size_t)(cols * rows), sizeof(*at));

    for (int j = 0; j < rows; j++)
        for (int i = 0; i < cols; i++) {
            struct centre *c = &at[j * cols + i];
            c->x = (i + 0.2 + 0.6 * (double)noise_point(i, j, seed + 5)) * step;
            c->y = (j + 0.2 + 0.6 * (double)noise_point(i, j, seed + 6)) * step;
            for (int k = 0; k < LAB; k++)
                c->c[k] = tw_near(&m->mid[k], c->x, c->y);
        }
    for (int round = 0; round < 5; round++) {
        struct centre *sum = tw_take(d, (size_t)(cols * rows), sizeof(*sum));
        for (int y = 0; y < l->h; y++)
            for (int x = 0; x < l->w; x++) {
                int col = (int)(x / step), row = (int)(y / step);
                double least = 1e30;
                for (int j = 0; j < rows; j++)
                    for (int i = 0; i < cols; i++) {
                        const struct centre *c = &at[j * cols + i];
                        double far = 0.01 / (step * step) *
                                     (pow(x - c->x, 2.0) + pow(y - c->y, 2.0));
                        for (int k = 0; k < LAB; k++)
                            far += (k == 0 ? 1.0 : 2.0) *
                                   pow(tw_px(&m->mid[k], x, y) - c->c[k], 2.0);
                        if (abs(i - col) > 1 || abs(j - row) > 1 || far >= least)
                            continue;
                        least = far;
                        l->at[y * l->w + x] = (uint16_t)(j * cols + i);
                    }
                struct centre *s = &sum[l->at[y * l->w + x]];
                s->x += x;
                s->y += y;
                s->n++;
                for (int k = 0; k < LAB; k++)
                    s->c[k] += tw_px(&m->mid[k], x, y);
            }
        for (int i = 0; i < cols * rows; i++) {
            if (sum[i].n == 0.0)
                continue;
            at[i] = (struct centre){.x = sum[i].x / sum[i].n, .y = sum[i].y / sum[i].n};
            for (int k = 0; k < LAB; k++)
                at[i].c[k] = sum[i].c[k] / sum[i].n;
        }
    }
    assert_int_equal(cells_parts(l->at, NULL, l->w, l->h, (int)(0.25 * step * step), &l->count),
                     ERR_OK);
}

static void superpixels_are_as_their_twin(const struct fixture *f)
{
    static const float STEP[] = {2.0f, 5.3f, 11.0f};

    for (int scene = 0; scene < TWIN_SCENES; scene++)
        for (int i = 0; i < 3; i++) {
            struct bench b;
            struct desk d = {.n = 0};
            tw_bench(&b, f, "glass", scene, 112, 84, 1.0f);
            struct labels want = labels_new(&d, &b), got = labels_new(&d, &b);
            superpixels(&b, &d, (double)STEP[i], &want);
            assert_int_equal(cells_superpixels(&b.p, STEP[i], got.at, &got.count), ERR_OK);
            expect_alike("superpixels", &want, &got, 0.002);
            desk_clear(&d);
            bench_close(&b);
        }
}

// The connected part of each pixel, by the first pixel of it.
static void parts_of(const struct labels *l, const uint16_t *second, int *part)
{
    bool moved = true;

    for (int i = 0; i < l->w * l->h; i++)
        part[i] = i;
    while (moved) {
        moved = false;
        for (int y = 0; y < l->h; y++)
            for (int x = 0; x < l->w; x++)
                for (int k = 0; k < 4; k++) {
                    int at = y * l->w + x, i = x + (k == 0) - (k == 1), j = y + (k == 2) - (k == 3);
                    int to = j * l->w + i;
                    if (i < 0 || j < 0 || i >= l->w || j >= l->h || l->at[to] != l->at[at] ||
                        (second && second[to] != second[at]) || part[to] >= part[at])
                        continue;
                    part[at] = part[to];
                    moved = true;
                }
    }
}

// Whether some pixel of the part touches one that now has that label, and one of its own before.
static bool touches(const struct labels *before, const struct labels *after, const int *part,
                    int which, uint16_t label, bool kin)
{
    for (int y = 0; y < before->h; y++)
        for (int x = 0; x < before->w; x++)
            for (int k = 0; k < 4; k++) {
                int at = y * before->w + x, i = x + (k == 0) - (k == 1),
                    j = y + (k == 2) - (k == 3);
                int to = j * before->w + i;
                if (part[at] == which && i >= 0 && j >= 0 && i < before->w && j < before->h &&
                    part[to] != which && after->at[to] == label &&
                    (!kin || before->at[to] == before->at[at]))
                    return true;
            }
    return false;
}

// Large parts have a label each; a small one has that of a neighbour that came before it.
static void parts_are_as_their_twin(const struct fixture *f)
{
    enum { W = 60, H = 40, LEAST = 9 };

    (void)f;
    for (uint32_t seed = 0; seed < 6; seed++) {
        uint16_t before[W * H], after[W * H], second[W * H], owner[W * H];
        int part[W * H], size[W * H] = {0}, large = 0;
        for (int i = 0; i < W * H; i++) {
            float u = 0.15f * (float)(i % W), v = 0.15f * (float)(i / W);
            before[i] = after[i] = (uint16_t)(4.0f * noise_at(u, v, seed));
            second[i] = (uint16_t)(2.0f * noise_at(0.7f * u, 0.7f * v, seed + 40));
        }
        struct labels was = {W, H, 4, before}, is = {W, H, 0, after};
        const uint16_t *also = seed % 2 ? second : NULL;
        parts_of(&was, also, part);
        assert_int_equal(cells_parts(after, also, W, H, LEAST, &is.count), ERR_OK);
        for (int i = 0; i < W * H; i++) {
            size[part[i]]++;
            owner[i] = UINT16_MAX;
            assert_true(after[i] < is.count);
            assert_int_equal(after[i], after[part[i]]);
        }
        for (int i = 0; i < W * H; i++) {
            if (part[i] != i)
                continue;
            if (size[i] >= LEAST || i == 0) {
                assert_int_equal(owner[after[i]], UINT16_MAX); // nobody else's
                owner[after[i]] = (uint16_t)i;
                large++;
            } else {
                assert_true(touches(&was, &is, part, i, after[i], false));
            }
        }
        assert_int_equal(large, is.count);
    }
}

/* Joining: what every border would cost is worked out anew each time, and the cheapest goes. */
struct whole {
    double n, c[LAB], care;
};

struct frontier {
    double length, step;
};

static double price(const struct whole *a, const struct whole *b, const struct frontier *e,
                    double wanted, bool grounds)
{
    double far = 0.0, least = fmin(a->n, b->n), sum = a->n + b->n;
    double calm = grounds ? 1.0 - tw_smooth(0.1, 0.2, fmax(a->care, b->care)) : 0.0;
    double face = tw_smooth(0.2, 0.5, 0.5 * (a->care + b->care));
    double size = tw_mix(2.0 * a->n * b->n / (sum * wanted), 0.12, calm);
    const struct whole *large = a->n > b->n ? a : b, *small = a->n > b->n ? b : a;
    double spot = (1.0 - tw_smooth(0.3, 0.6, least / wanted)) *
                  (1.0 - tw_smooth(1.0, 1.3, 3.5 * sqrt(least) / e->length));
    double skin = !grounds ? 0.0
                           : tw_skin(large->c) * tw_smooth(0.15, 0.3, 0.5 * (a->care + b->care)) *
                                 fmax(tw_skin(small->c), spot);

    for (int k = 0; k < LAB; k++)
        far += (k == 0 ? 0.7 : 2.5) * pow(a->c[k] - b->c[k], 2.0);
    double cost = (sqrt(far) + 0.6 * e->step / e->length + 0.02) *
                  sqrt(size * tw_clamp(3.5 * sqrt(least) / e->length, 0.5, 8.0)) *
                  (1.0 - 0.85 * face) * (1.0 - 0.85 * skin);
    if (least < 0.12 * wanted)
        cost *= 0.15;
    if (sum > 3.0 * wanted)
        cost *=
            tw_mix(sum / (1.5 * wanted), 1.0 + sum / (12.0 * wanted), fmax(skin, fmax(face, calm)));
    return cost;
}

static void measure(const struct bench *b, const struct labels *l, struct whole *at,
                    struct frontier *e)
{
    const struct look_maps *m = b->p.maps;

    for (int y = 0; y < l->h; y++)
        for (int x = 0; x < l->w; x++) {
            int a = l->at[y * l->w + x];
            at[a].n++;
            at[a].care += tw_px(&m->importance, x, y);
            for (int k = 0; k < LAB; k++)
                at[a].c[k] += tw_px(&m->mid[k], x, y);
            for (int k = 0; k < 2; k++) {
                int i = x + !k, j = y + k, c = label_px(l, i, j);
                double far = 0.0;
                if (i >= l->w || j >= l->h || c == a)
                    continue;
                for (int q = 0; q < LAB; q++)
                    far += pow(tw_px(&m->mid[q], x, y) - tw_px(&m->mid[q], i, j), 2.0);
                struct frontier *to = &e[(a < c ? a : c) * l->count + (a < c ? c : a)];
                to->length++;
                to->step += sqrt(far);
            }
        }
    for (int i = 0; i < l->count; i++) {
        at[i].care /= fmax(at[i].n, 1.0);
        for (int k = 0; k < LAB; k++)
            at[i].c[k] /= fmax(at[i].n, 1.0);
    }
}

static void join(const struct bench *b, struct labels *l, int target, bool grounds)
{
    double wanted = l->w * (double)l->h / target;
    struct desk d = {.n = 0};

    for (int left = l->count; left > target; left--) {
        struct whole *at = tw_take(&d, (size_t)l->count, sizeof(*at));
        struct frontier *e = tw_take(&d, (size_t)(l->count * l->count), sizeof(*e));
        double least = 1e30;
        int from = 0, to = 0;
        measure(b, l, at, e);
        for (int i = 0; i < l->count; i++)
            for (int j = i + 1; j < l->count; j++) {
                const struct frontier *k = &e[i * l->count + j];
                double cost = k->length > 0.0 ? price(&at[i], &at[j], k, wanted, grounds) : 1e30;
                if (cost < least) {
                    least = cost;
                    from = j;
                    to = i;
                }
            }
        for (int i = 0; i < l->w * l->h; i++)
            l->at[i] = l->at[i] == from ? (uint16_t)to : l->at[i];
        desk_clear(&d);
    }
}

static void joins_are_as_their_twin(const struct fixture *f)
{
    static const int TARGET[] = {1, 6, 14};

    for (int scene = 0; scene < TWIN_SCENES; scene++)
        for (int i = 0; i < 3; i++) {
            struct bench b;
            struct desk d = {.n = 0};
            tw_bench(&b, f, "glass", scene, 96, 72, 1.0f);
            struct labels got = labels_new(&d, &b);
            assert_int_equal(cells_superpixels(&b.p, 6.0f, got.at, &got.count), ERR_OK);
            struct labels want = labels_copy(&d, &got);
            join(&b, &want, TARGET[i], i % 2);
            assert_int_equal(cells_join(b.p.maps, TARGET[i], i % 2, got.at, &got.count), ERR_OK);
            assert_int_equal(got.count, TARGET[i]);
            double off = parted(&want, &got);
            if (off > 0.0)
                fail_msg("joined to %d: %.4f of the pixels are parted", TARGET[i], off);
            desk_clear(&d);
            bench_close(&b);
        }
}

// The pane of a calm ground that a place lies in: diamonds, or bricks of which odd rows are
// shifted.
static uint16_t pane_of(double side, uint32_t seed, double x, double y)
{
    bool diamonds = noise_point(1, 80, seed) < 0.6f;
    double turn = 2.0 * M_PI *
                  (diamonds ? 0.125 : 0.012 * ((double)noise_point(2, 80, seed) - 0.5));
    double along = diamonds ? side : 1.35 * side, across = diamonds ? side : 0.75 * side;

    double ox = x + 0.22 * side * (tw_noise(x / 260.0, y / 260.0, seed + 81) - 0.5);
    double oy = 0.8 * (y + 0.22 * side * (tw_noise(x / 260.0, y / 260.0, seed + 82) - 0.5));
    int row = (int)floor((oy * cos(turn) - ox * sin(turn)) / across);
    double shift = !diamonds && row & 1 ? 0.5 * along : 0.0;
    int col = (int)floor((ox * cos(turn) + oy * sin(turn) + shift) / along);
    return (uint16_t)((uint32_t)row * 251u + (uint32_t)col);
}

static void panes_are_as_their_twin(const struct fixture *f)
{
    for (uint32_t seed = 0; seed < 8; seed++) {
        double side = 18.0 + 2.0 * seed, pane = side * side * 0.25;
        struct bench b;
        struct desk d = {.n = 0};
        tw_bench(&b, f, "glass", 2, 140, 110, 1.0f);
        b.p.variation.seed = seed;
        // A calm ground but for one corner.
        for (int i = 0; i < 70 * 55; i++)
            b.maps->importance.px[i] = i % 70 < 20 && i / 70 < 20 ? 0.5f : 0.05f;
        struct labels got = labels_new(&d, &b);
        assert_int_equal(cells_superpixels(&b.p, 6.0f, got.at, &got.count), ERR_OK);
        assert_int_equal(cells_join(b.p.maps, 8, true, got.at, &got.count), ERR_OK);
        struct labels want = labels_copy(&d, &got);
        uint16_t *second = tw_take(&d, (size_t)(want.w * want.h), sizeof(*second));
        struct whole *at = tw_take(&d, (size_t)want.count, sizeof(*at));
        for (int i = 0; i < want.w * want.h; i++) {
            at[want.at[i]].n++;
            at[want.at[i]].care += (double)b.p.maps->importance.px[i];
        }
        for (int i = 0; i < want.w * want.h; i++) {
            const struct whole *k = &at[want.at[i]];
            if (k->n > 1.7 * pane && k->care < 0.16 * k->n)
                second[i] = pane_of(side, seed, (i % want.w + 0.5) / 0.5, (i / want.w + 0.5) / 0.5);
        }
        assert_int_equal(
            cells_parts(want.at, second, want.w, want.h, (int)(0.3 * pane), &want.count), ERR_OK);
        assert_int_equal(cells_quarry(&b.p, (float)side, got.at, &got.count), ERR_OK);
        assert_true(want.count > 8);
        expect_alike("panes", &want, &got, 0.002);
        desk_clear(&d);
        bench_close(&b);
    }
}

// A label's Gaussian share around a pixel, over the whole window.
static double share(const struct labels *l, double sigma, int x, int y, uint16_t label)
{
    int r = clampi((int)(2.7 * sigma + 0.5), 1, 6);
    double sum = 0.0, all = 0.0;

    for (int j = -r; j <= r; j++)
        for (int i = -r; i <= r; i++) {
            double weight = exp(-0.5 * (i * i + j * j) / (sigma * sigma));
            all += weight;
            sum += label_px(l, x + i, y + j) == label ? weight : 0.0;
        }
    return sum / all;
}

// Outlines move: each pixel goes to the label with the greatest share, of equals the smallest.
static void move(const struct labels *l, double sigma, struct labels *out)
{
    for (int y = 0; y < l->h; y++)
        for (int x = 0; x < l->w; x++) {
            double most = 0.0;
            for (int label = 0; label < l->count; label++) {
                double at = share(l, sigma, x, y, (uint16_t)label);
                if (at > most + 1e-7) {
                    most = at;
                    out->at[y * l->w + x] = (uint16_t)label;
                }
            }
        }
}

static void outlines_are_as_their_twin(const struct fixture *f)
{
    for (int scene = 0; scene < TWIN_SCENES; scene++) {
        struct bench b;
        struct desk d = {.n = 0};
        tw_bench(&b, f, "glass", scene, 72, 60, 1.0f);
        struct labels got = labels_new(&d, &b);
        assert_int_equal(cells_superpixels(&b.p, 5.0f, got.at, &got.count), ERR_OK);
        assert_int_equal(cells_join(b.p.maps, 9, false, got.at, &got.count), ERR_OK);
        struct labels want = labels_copy(&d, &got), next = labels_copy(&d, &got);
        struct cells cells = {
            .width = got.w, .height = got.h, .count = got.count, .per_unit = 0.5f};
        for (int pass = 0; pass < 3; pass++) {
            struct labels was = want;
            move(&was, 4.2 * 0.5, &next);
            want = next;
            next = was;
        }
        assert_int_equal(cells_smooth(&cells, &b.p, got.at, 3), ERR_OK);
        expect_alike("outlines", &want, &got, 0.003);
        for (int y = 0; y < got.h; y++)
            for (int x = 0; x < got.w; x++) {
                const struct cell_shares *s = &cells.at[y * got.w + x];
                for (int k = 0; k < CELL_SHARES; k++)
                    if (s->share[k] > 0.0f)
                        assert_float_equal(share(&got, 3.0 * 0.5, x, y, s->label[k]),
                                           (double)s->share[k], 2e-4);
            }
        cells_release(&cells);
        desk_clear(&d);
        bench_close(&b);
    }
}

// How far it is to a border where one share exceeds the other by that: a blurred step, undone.
static double distance(double difference, double sigma)
{
    double lo = 0.0, hi = 4.0;

    for (int i = 0; i < 50; i++) {
        double at = 0.5 * (lo + hi);
        lo = erf(at) < difference ? at : lo;
        hi = erf(at) < difference ? hi : at;
    }
    return lo * sigma * sqrt(2.0);
}

// Of all labels of the four pixels around, the two with the greatest shares.
static void spots_are_as_their_twin(const struct fixture *f)
{
    struct bench b;
    struct cells c;
    int near = 0;

    tw_bench(&b, f, "glass", 0, 112, 84, 1.0f);
    assert_int_equal(cells_new(&c, &b.p, 9.0f, 3, 0.0f), ERR_OK);
    for (int i = 0; i < 4000; i++) {
        double x = 116.0 * (double)noise_point(i, 1, 2) - 2.0,
               y = 88.0 * (double)noise_point(i, 2, 2) - 2.0;
        double fx = tw_clamp(0.5 * x - 0.5, 0.0, c.width - 1),
               fy = tw_clamp(0.5 * y - 0.5, 0.0, c.height - 1);
        double first = 0.0, second = 0.0;
        int label = -1, other = -1;
        struct cell_spot got;
        cells_at(&c, (float)x, (float)y, &got);
        for (int at = 0; at < c.count; at++) {
            double sum = 0.0;
            for (int k = 0; k < 4 * CELL_SHARES; k++) {
                int px = (int)fx + k / CELL_SHARES % 2, py = (int)fy + k / CELL_SHARES / 2;
                const struct cell_shares *s =
                    &c.at[clampi(py, 0, c.height - 1) * c.width + clampi(px, 0, c.width - 1)];
                double weight = fmax(1.0 - fabs(px - fx), 0.0) * fmax(1.0 - fabs(py - fy), 0.0);
                sum += s->label[k % CELL_SHARES] == at ? weight * (double)s->share[k % CELL_SHARES]
                                                       : 0.0;
            }
            if (sum > first) {
                second = first;
                other = label;
                first = sum;
                label = at;
            } else if (sum > second) {
                second = sum;
                other = at;
            }
        }
        // Between two that are as good either may be first.
        if (first - second > 1e-5)
            assert_int_equal(got.label, label);
        if (second > 1e-5 && first - second > 1e-5 && first + second > 0.9) {
            assert_int_equal(got.other, other);
            near++;
        }
        assert_true(got.border <= 1.89f * c.sigma);
        double want = distance(first - second, (double)c.sigma);
        if (first - second < 0.9)
            assert_float_equal(got.border, want, 0.08 * want + 1e-3);
    }
    assert_true(near > 100);
    cells_release(&c);
    bench_close(&b);
}

const struct twin look_twins_cells[] = {
    {"superpixels", .part = superpixels_are_as_their_twin},
    {"parts", .part = parts_are_as_their_twin},
    {"joins", .part = joins_are_as_their_twin},
    {"panes", .part = panes_are_as_their_twin},
    {"outlines", .part = outlines_are_as_their_twin},
    {"spots", .part = spots_are_as_their_twin},
    {0},
};
