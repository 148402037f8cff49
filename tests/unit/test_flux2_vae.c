/* SPDX-License-Identifier: MIT */
#include "unit/flux2_fixture.h"

#include "models/flux2/layout.h"
#include "models/flux2/part.h"
#include "models/flux2/vae_internal.h"

/* In f32 and bf16; it has no other. */
static struct packed *model[FLUX2_BF16 + 1];
static struct vae *vae[FLUX2_BF16 + 1];
static struct safetensors *goldens;

static int set_up(void **state)
{
    (void)state;
    goldens = golden_open("vae.safetensors");
    for (enum flux2_precision p = FLUX2_F32; p <= FLUX2_BF16; p++) {
        struct err_note note = {0};
        model[p] = model_packed(p);
        if (vae_open(model[p], &vae[p], &note) != ERR_OK)
            fail_msg("%s", note.text);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int p = 0; p <= FLUX2_BF16; p++) {
        vae_close(vae[p]);
        packed_close(model[p]);
    }
    safetensors_close(goldens);
    return 0;
}

/* ---- layer by layer ---- */

struct watched {
    const char *prefix; /* of the goldens' names: picture and half */
    int seen;
};

/* A map without its border as [channels][rows][columns], of which the first `channels`. */
static float *planes_of(const struct map *m, int channels)
{
    float *out = malloc((size_t)channels * (size_t)m->rows * (size_t)m->columns * sizeof(*out));
    int64_t i = 0;

    for (int c = 0; c < channels; c++)
        for (int y = 0; y < m->rows; y++)
            for (int x = 0; x < m->columns; x++) {
                const void *at = map_at(m, y, x);
                out[i++] = m->dtype == DTYPE_F32 ? ((const float *)at)[c]
                                                 : float_of_bf16(((const uint16_t *)at)[c]);
            }
    return out;
}

static void compare_layer(void *ctx, const char *name, int index, const struct map *m)
{
    static const struct {
        const char *name, *in, *out; /* what the goldens call it, going in and coming out */
    } row[] = {
        {"conv_in", "conv_in", "conv_in"}, {"attention", "mid.attention", NULL},
        {"middle", "mid", "mid"},          {"conv_out", "conv_out", NULL},
        {"quant", "quant_conv", NULL},     {"post_quant", NULL, "post_quant_conv"},
        {"level", "down.", "up."},
    };
    struct watched *w = ctx;
    bool inwards = strstr(w->prefix, "encoder") != NULL;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        const char *golden_name = inwards ? row[i].in : row[i].out;
        char part[40], full[80];
        int64_t count;
        if (strcmp(row[i].name, name) != 0 || !golden_name)
            continue;
        if (strcmp(name, "level") == 0)
            snprintf(part, sizeof(part), "%s%d", golden_name, index);
        else
            snprintf(part, sizeof(part), "%s", golden_name);
        snprintf(full, sizeof(full), "%s.%s", w->prefix, part);
        float *want = golden(goldens, full, &count), *got = planes_of(m, m->channels);
        // Of quant_conv the mean alone is made.
        if (strcmp(name, "quant") != 0)
            assert_int_equal(count, (int64_t)m->channels * m->rows * m->columns);
        assert_near(full, got, want, (int64_t)m->channels * m->rows * m->columns, GOLDEN_F32);
        free(got);
        free(want);
        w->seen++;
    }
}

static void layers_on(const struct nn_run *how, void *ctx)
{
    struct watched in = {"32x16.encoder", 0}, out = {"32x16.decoder", 0};
    const struct flux2_grid g = {1, 2};
    float *pixels = golden(goldens, "32x16.pixels", NULL);
    float *tokens = golden(goldens, "32x16.decode.tokens", NULL);
    float made_tokens[2 * 128], made_pixels[3 * 16 * 32];

    (void)ctx;
    assert_int_equal(vae_encode_watched(vae[FLUX2_F32], how, pixels, g, made_tokens,
                                        &(struct vae_watch){compare_layer, &in}),
                     ERR_OK);
    assert_int_equal(in.seen, 9);
    assert_int_equal(vae_decode_watched(vae[FLUX2_F32], how, tokens, g, made_pixels,
                                        &(struct vae_watch){compare_layer, &out}),
                     ERR_OK);
    assert_int_equal(out.seen, 7);
    free(tokens);
    free(pixels);
}

static void every_layer_is_the_references(void **state)
{
    (void)state;
    on_every_path(layers_on, NULL);
}

/* ---- whole ---- */

static void whole_on(const struct nn_run *how, void *ctx)
{
    static const struct {
        const char *name;
        struct flux2_grid g;
    } row[] = {{"32x16", {1, 2}}, {"48x64", {4, 3}}};

    (void)ctx;
    // The larger one, which takes long under sanitizers, on one path.
    for (int i = 0; i < (how->isa == isa_best() ? 2 : 1); i++)
        for (enum flux2_precision p = FLUX2_F32; p <= FLUX2_BF16; p++) {
            char name[40];
            int64_t count;
            snprintf(name, sizeof(name), "%s.pixels", row[i].name);
            float *pixels = golden(goldens, name, NULL);
            snprintf(name, sizeof(name), "%s.tokens", row[i].name);
            float *want = golden(goldens, name, &count),
                  *got = malloc((size_t)count * sizeof(*got));
            assert_int_equal(vae_encode(vae[p], how, pixels, row[i].g, got), ERR_OK);
            assert_near(name, got, want, count, tolerance_of(p));
            free(got);
            free(want);
            free(pixels);
            snprintf(name, sizeof(name), "%s.decode.tokens", row[i].name);
            float *tokens = golden(goldens, name, NULL);
            snprintf(name, sizeof(name), "%s.decode.pixels", row[i].name);
            want = golden(goldens, name, &count);
            got = malloc((size_t)count * sizeof(*got));
            assert_int_equal(vae_decode(vae[p], how, tokens, row[i].g, got), ERR_OK);
            assert_near(name, got, want, count, tolerance_of(p));
            free(got);
            free(want);
            free(tokens);
        }
}

static void pictures_go_in_and_out_as_the_references(void **state)
{
    (void)state;
    on_every_path(whole_on, NULL);
}

/* ---- memory, cancelling, what is refused ---- */

static int64_t taken; /* bytes of the last memory_new() */

void *__real_memory_new(int64_t bytes);
void *__wrap_memory_new(int64_t bytes);

void *__wrap_memory_new(int64_t bytes)
{
    taken = bytes;
    return __real_memory_new(bytes);
}

struct half_run {
    const struct vae *v;
    struct flux2_grid g;
    bool inwards;
    const struct vae_watch *watch;
};

static enum err run_half(const struct half_run *h, const struct nn_run *how)
{
    const int64_t tokens = flux2_tokens(h->g);
    float *pixels = calloc((size_t)tokens * 3 * FLUX2_PATCH * FLUX2_PATCH, sizeof(*pixels));
    float *token = calloc((size_t)tokens * (size_t)vae_channels(h->v), sizeof(*token));

    assert_true(pixels && token);
    enum err e = h->inwards ? vae_encode_watched(h->v, how, pixels, h->g, token, h->watch)
                            : vae_decode_watched(h->v, how, token, h->g, pixels, h->watch);
    free(token);
    free(pixels);
    return e;
}

static void memory_is_what_was_said(void **state)
{
    static const struct flux2_grid grid[] = {{1, 1}, {1, 3}};

    (void)state;
    for (int p = FLUX2_F32; p <= FLUX2_BF16; p++) {
        struct pool *pool;
        assert_int_equal(pool_open(p == FLUX2_F32 ? 1 : 3, &pool, NULL), ERR_OK);
        const struct nn_run how = {.pool = pool, .isa = isa_best()};
        for (int i = 0; i < 4; i++) {
            const struct flux2_grid g = grid[i / 2];
            const struct half_run h = {vae[p], g, i % 2, &(struct vae_watch){0}};
            assert_int_equal(run_half(&h, &how), ERR_OK);
            assert_int_equal(taken,
                             i % 2 ? vae_encode_bytes(vae[p], g) : vae_decode_bytes(vae[p], g));
        }
        pool_close(pool);
    }
    const struct flux2_grid g = grid[1];
    assert_true(vae_decode_bytes(vae[FLUX2_BF16], g) < vae_decode_bytes(vae[FLUX2_F32], g));
    int64_t small = vae_decode_bytes(vae[FLUX2_BF16], (struct flux2_grid){32, 32});
    int64_t large = vae_decode_bytes(vae[FLUX2_BF16], (struct flux2_grid){64, 64});
    assert_true(large > 3 * small && large < 5 * small);
}

struct stop {
    atomic_bool *cancel;
    int after, seen; /* maps */
};

static void stop_after(void *ctx, const char *name, int index, const struct map *m)
{
    struct stop *s = ctx;

    (void)name;
    (void)index;
    (void)m;
    if (++s->seen == s->after)
        atomic_store(s->cancel, true);
    assert_true(s->seen <= s->after);
}

static void it_stops_within_the_layer_at_hand(void **state)
{
    struct pool *pool;

    (void)state;
    assert_int_equal(pool_open(2, &pool, NULL), ERR_OK);
    for (int inwards = 0; inwards < 2; inwards++)
        for (int after = 1; after <= 6; after++) {
            atomic_bool cancel = false;
            struct stop s = {&cancel, after, 0};
            const struct nn_run how = {.pool = pool, .isa = isa_best(), .cancel = &cancel};
            const struct vae_watch watch = {stop_after, &s};
            const struct half_run h = {vae[FLUX2_BF16], {2, 2}, inwards, &watch};
            assert_int_equal(run_half(&h, &how), ERR_CANCELLED);
            assert_int_equal(s.seen, after);
        }
    pool_close(pool);
}

/* The bits of a picture do not depend on how many threads made it. */
static void threads_change_nothing(void **state)
{
    const struct flux2_grid g = {1, 2};
    float *pixels = golden(goldens, "32x16.pixels", NULL);
    float *tokens = golden(goldens, "32x16.decode.tokens", NULL);
    float token[2][2 * 128], picture[2][3 * 16 * 32];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct pool *pool;
        assert_int_equal(pool_open(i ? 3 : 1, &pool, NULL), ERR_OK);
        const struct nn_run how = {.pool = pool, .isa = isa_best()};
        assert_int_equal(vae_encode(vae[FLUX2_BF16], &how, pixels, g, token[i]), ERR_OK);
        assert_int_equal(vae_decode(vae[FLUX2_BF16], &how, tokens, g, picture[i]), ERR_OK);
        pool_close(pool);
    }
    assert_memory_equal(token[0], token[1], sizeof(token[0]));
    assert_memory_equal(picture[0], picture[1], sizeof(picture[0]));
    free(tokens);
    free(pixels);
}

/* ---- other configurations ---- */

struct made {
    struct packer *p;
    enum dtype as;
    uint32_t random;
};

static enum err make_tensor(void *ctx, const struct layout_tensor *t)
{
    struct made *m = ctx;
    struct tensor_view v = {.dtype = DTYPE_F32, .rank = t->rank};
    char name[200];

    memcpy(v.shape, t->shape, sizeof(v.shape));
    int64_t count = tensor_count(&v);
    float *data = malloc((size_t)count * sizeof(*data));
    for (int64_t i = 0; i < count; i++) {
        m->random = m->random * 1664525 + 1013904223;
        data[i] = (float)(m->random >> 16) / 65536.0f * 0.1f;
    }
    v.data = data;
    snprintf(name, sizeof(name), "vae/%s", t->name);
    assert_int_equal(packer_add(m->p, name, layout_kind(t), m->as, &v, NULL), ERR_OK);
    free(data);
    return ERR_OK;
}

/* A random autoencoder of this configuration, or the configuration alone. */
static struct packed *made_of(const char *json, enum dtype as, bool whole)
{
    struct made m = {.as = as};
    struct flux2_vae_config c;
    struct packed *p;

    assert_int_equal(packer_open(NULL, &m.p, NULL), ERR_OK);
    assert_int_equal(packer_add_text(m.p, "vae/config.json", json, strlen(json), NULL), ERR_OK);
    if (whole) {
        assert_int_equal(flux2_vae_config(json, strlen(json), &c, NULL), ERR_OK);
        assert_int_equal(layout_vae(&c, make_tensor, &m), ERR_OK);
    }
    assert_int_equal(packer_finish(m.p, &p, NULL), ERR_OK);
    return p;
}

#define CONFIG(latent, groups, widths, more)                                                       \
    "{\"layers_per_block\":1,\"latent_channels\":" #latent ",\"norm_num_groups\":" #groups         \
    ",\"in_channels\":3,\"out_channels\":3,\"batch_norm_eps\":1e-4,\"block_out_channels\":" widths \
        more "}"

static void widths_are_the_configurations(void **state)
{
    static const struct {
        const char *json;
        enum dtype as;
        bool whole; /* otherwise it fails before a tensor is looked for */
        enum err want;
        const char *says;
    } row[] = {
        {CONFIG(32, 32, "[32,64,64,96]", ""), DTYPE_BF16, true, ERR_OK, NULL},
        {CONFIG(64, 16, "[32,32,64,64]", ",\"decoder_block_out_channels\":[32,96,160,96]"),
         DTYPE_F32, true, ERR_OK, NULL},
        {CONFIG(32, 16, "[48,64,64,64]", ""), DTYPE_BF16, false, ERR_UNSUPPORTED,
         "multiples of 32"},
        {CONFIG(16, 16, "[32,64,64,64]", ""), DTYPE_BF16, false, ERR_UNSUPPORTED,
         "multiples of 32"},
        {CONFIG(32, 32, "[32,32,32,512]", ""), DTYPE_BF16, false, ERR_INVALID,
         "there is no tensor"},
        {CONFIG(32, 32, "[32,32,32,544]", ""), DTYPE_BF16, false, ERR_UNSUPPORTED, "more than 512"},
        {CONFIG(32, 256, "[256,256,256,256]", ""), DTYPE_BF16, false, ERR_INVALID,
         "there is no tensor"},
        {CONFIG(32, 512, "[512,512,512,512]", ""), DTYPE_BF16, false, ERR_UNSUPPORTED,
         "256 groups"},
        {CONFIG(32, 32, "[32,32,32,32]", ""), DTYPE_I8, true, ERR_UNSUPPORTED, "matrices of I8"},
    };
    struct pool *pool;

    (void)state;
    assert_int_equal(pool_open(2, &pool, NULL), ERR_OK);
    const struct nn_run how = {.pool = pool, .isa = isa_best()};
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct packed *p = made_of(row[i].json, row[i].as, row[i].whole);
        struct err_note note = {0};
        struct vae *v = NULL;
        enum err e = vae_open(p, &v, &note);
        if (e != row[i].want || (row[i].says && !strstr(note.text, row[i].says)))
            fail_msg("%s: %s, \"%s\"", row[i].json, err_name(e), note.text);
        for (int inwards = 0; inwards < 2 && i < 2; inwards++) {
            const struct half_run h = {v, {1, 1}, inwards, &(struct vae_watch){0}};
            assert_int_equal(run_half(&h, &how), ERR_OK);
        }
        vae_close(v);
        packed_close(p);
    }
    pool_close(pool);
}

static void a_model_without_it_is_refused(void **state)
{
    struct packer *packer;
    struct packed *p;
    struct vae *v;
    struct err_note note;

    (void)state;
    assert_int_equal(packer_open(NULL, &packer, NULL), ERR_OK);
    assert_int_equal(packer_finish(packer, &p, NULL), ERR_OK);
    assert_int_equal(vae_open(p, &v, &note), ERR_INVALID);
    assert_non_null(strstr(note.text, "vae/config.json"));
    packed_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_is_the_references),
        cmocka_unit_test(pictures_go_in_and_out_as_the_references),
        cmocka_unit_test(memory_is_what_was_said),
        cmocka_unit_test(it_stops_within_the_layer_at_hand),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(widths_are_the_configurations),
        cmocka_unit_test(a_model_without_it_is_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
