/* SPDX-License-Identifier: MIT */
/* AMX's tiles: that instructions do what the manual says, caught or by a processor; that the model
 * which does what was caught stops where a processor would fault; and that kernels give them back.
 */
#include "unit/nn_fixture.h"

#include "nn/attention.h"
#include "nn/linear.h"
#include "support/tile_model.h"
#include "support/tile_trap.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static uint16_t bf16(float v)
{
    return bf16_of(v);
}

/* Of a test of instructions. */
static void begin(void)
{
    if (!tile_trap_set() && !isa_usable(ISA_AMX))
        skip(); // the processor has them, and the kernel no registers for them
}

static void configure(int rows)
{
    const struct tile_config c = tile_config_of(rows);

    tile_configure(&c);
}

/* C00 += A B of one number each, at row 0 and output 0, of pairs of bf16. */
static float multiply_pairs(float c, const uint16_t a[2], const uint16_t b[2])
{
    unsigned char tile[3][TILE_BYTES] = {{0}};
    float sum;

    memcpy(tile[0], &c, sizeof(c));
    memcpy(tile[1], a, 2 * sizeof(*a));
    memcpy(tile[2], b, 2 * sizeof(*b));
    configure(TILE_ROWS);
    tile_load(TILE_C00, tile[0], TILE_ROW_BYTES);
    tile_load(TILE_A0, tile[1], TILE_ROW_BYTES);
    tile_load(TILE_B0, tile[2], TILE_ROW_BYTES);
    tile_bf16(TILE_C00, TILE_A0, TILE_B0);
    tile_store(TILE_C00, tile[0], TILE_ROW_BYTES);
    tile_release();
    memcpy(&sum, tile[0], sizeof(sum));
    return sum;
}

static void pairs_are_summed_as_the_manual_says(void **state)
{
    const float least = 0x1p-126f, denormal = 0x1p-130f, eps = 0x1p-24f;
    const struct {
        float c, a[2], b[2], sum;
    } row[] = {
        {1, {2, 3}, {5, 7}, 32},
        {0.5f, {-2, 0}, {0.25f, 9}, 0},
        {denormal, {0, 0}, {0, 0}, 0},                // a sum going in
        {0, {denormal, 0}, {0x1p100f, 0}, 0},         // a number going in
        {0, {0x1p-70f, 0}, {0x1p-70f, 0}, 0},         // a product
        {-least, {least, 0}, {1.5f, 0}, 0},           // a sum coming out
        {least, {least, 0}, {1, 0}, 2 * least},       // the least normal ones stay
        {0, {5 * least, 4 * least}, {1, -1}, least},  // as differences do
        {1, {eps, eps}, {1, 1}, 1 + 2 * eps},         // the pair is summed first
        {1, {eps, 0}, {1, 0}, 1},                     // halfway: to even
        {1 + 2 * eps, {eps, 0}, {1, 0}, 1 + 4 * eps}, // and to even upwards
        {0, {1, -1}, {INFINITY, 1}, INFINITY},
    };

    (void)state;
    begin();
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        // Each bf16 of 2^-126 and above is a normal float.
        const uint16_t a[2] = {bf16(row[i].a[0]), bf16(row[i].a[1])};
        const uint16_t b[2] = {bf16(row[i].b[0]), bf16(row[i].b[1])};
        assert_true(multiply_pairs(row[i].c, a, b) == row[i].sum);
    }
}

/* Even and odd numbers have sums of their own until the end: in another order 2^-24 would be lost
 * beside 1. */
static void even_and_odd_sums_stay_apart(void **state)
{
    unsigned char tile[2][TILE_BYTES] = {{0}};
    const uint16_t one = bf16(1), small = bf16(0x1p-24f);
    float sum;

    (void)state;
    begin();
    for (int g = 0; g < 3; g++) { // A's row: 1 s, 0 s, 0 s; B all ones
        memcpy(tile[0] + 4 * g + 2, &small, sizeof(small));
        memcpy(tile[1] + g * TILE_ROW_BYTES, &one, sizeof(one));
        memcpy(tile[1] + g * TILE_ROW_BYTES + 2, &one, sizeof(one));
    }
    memcpy(tile[0], &one, sizeof(one));
    configure(TILE_ROWS);
    tile_load(TILE_A0, tile[0], TILE_ROW_BYTES);
    tile_load(TILE_B0, tile[1], TILE_ROW_BYTES);
    tile_bf16(TILE_C00, TILE_A0, TILE_B0);
    tile_store(TILE_C00, tile[0], TILE_ROW_BYTES);
    tile_release();
    memcpy(&sum, tile[0], sizeof(sum));
    assert_true(sum == 1 + 0x1p-22f); // 1 + 3/2 of the last bit, to even; one by one it stays 1
}

static void integers_are_multiplied_as_the_formula_says(void **state)
{
    int8_t a[TILE_ROWS][TILE_ROW_BYTES], b[TILE_ROWS][TILE_ROW_BYTES];
    int32_t c[TILE_ROWS][TILE_ROWS], before[TILE_ROWS][TILE_ROWS];
    uint32_t seed = 5;

    (void)state;
    begin();
    for (int i = 0; i < TILE_BYTES; i++) {
        a[i / 64][i % 64] = (int8_t)(i == 0 ? -128 : (int)(127 * fixture_random(&seed)));
        b[i / 64][i % 64] = (int8_t)(i < 4 ? -128 : (int)(127 * fixture_random(&seed)));
    }
    for (int i = 0; i < TILE_BYTES / 4; i++)
        before[i / 16][i % 16] = c[i / 16][i % 16] = 1000 * i - 90000;
    for (int rows = 1; rows <= TILE_ROWS; rows += 5) {
        configure(rows);
        tile_load(TILE_C00, before, TILE_ROW_BYTES);
        tile_load(TILE_A0, a, TILE_ROW_BYTES);
        tile_load_once(TILE_B0, b, TILE_ROW_BYTES);
        tile_i8(TILE_C00, TILE_A0, TILE_B0);
        memset(c, 1, sizeof(c));
        tile_store(TILE_C00, c, TILE_ROW_BYTES);
        tile_release();
        for (int r = 0; r < TILE_ROWS; r++)
            for (int o = 0; o < TILE_ROWS; o++) {
                int32_t want = before[r][o];
                for (int k = 0; k < TILE_ROW_BYTES; k++)
                    want += a[r][k] * b[k / 4][4 * o + k % 4];
                assert_int_equal(c[r][o], r < rows ? want : 0x01010101);
            }
    }
}

/* ---- faults ---- */

static unsigned char memory[TILE_BYTES];

static void prepare(int rows)
{
    const struct tile_config c = tile_config_of(rows);

    tile_model_configure(&c);
}

static void no_configuration(void)
{
    tile_model_zero(TILE_C00);
}

static void released(void)
{
    prepare(1);
    tile_model_release();
    tile_model_load(TILE_A0, memory, TILE_ROW_BYTES);
}

static void a_tile_without_rows(void)
{
    prepare(TILE_ROWS);
    tile_model_store(TILE_C10, memory, TILE_ROW_BYTES);
}

static void prepare_width(int tile, int bytes)
{
    struct tile_config c = tile_config_of(2 * TILE_ROWS);

    c.row_bytes[tile] = (uint16_t)bytes;
    tile_model_configure(&c);
}

static void a_load_of_half_a_pair(void)
{
    prepare_width(TILE_A0, TILE_ROW_BYTES - 2);
    tile_model_load(TILE_A0, memory, TILE_ROW_BYTES);
}

static void a_store_of_half_a_sum(void)
{
    prepare_width(TILE_C11, 2);
    tile_model_store(TILE_C11, memory, TILE_ROW_BYTES);
}

static void a_ninth_tile(void)
{
    prepare(TILE_ROWS);
    tile_model_zero(8);
}

static void a_product_with_itself(void)
{
    prepare(2 * TILE_ROWS);
    tile_model_bf16(TILE_C00, TILE_A0, TILE_A0);
}

static void a_product_of_other_rows(void)
{
    prepare(TILE_ROWS + 3);
    tile_model_i8(TILE_C00, TILE_A1, TILE_B0);
}

static void a_product_of_half_a_panel(void)
{
    struct tile_config c = tile_config_of(3);

    c.rows[TILE_B0] = TILE_ROWS / 2;
    tile_model_configure(&c);
    tile_model_i8(TILE_C00, TILE_A0, TILE_B0);
}

static void a_product_of_narrow_sums(void)
{
    struct tile_config c = tile_config_of(3);

    c.row_bytes[TILE_C00] = TILE_ROW_BYTES / 2;
    tile_model_configure(&c);
    tile_model_bf16(TILE_C00, TILE_A0, TILE_B0);
}

static void configure_with(void (*spoil)(struct tile_config *c))
{
    struct tile_config c = tile_config_of(2 * TILE_ROWS);

    spoil(&c);
    tile_model_configure(&c);
}

#define SPOILED(name, statement)                 \
    static void name##_at(struct tile_config *c) \
    {                                            \
        statement;                               \
    }                                            \
    static void name(void)                       \
    {                                            \
        configure_with(name##_at);               \
    }

SPOILED(palette_0, c->palette = 0)
SPOILED(palette_2, c->palette = 2)
SPOILED(a_reserved_byte, c->zero[13] = 1)
SPOILED(seventeen_rows, c->rows[3] = TILE_ROWS + 1)
SPOILED(rows_too_wide, c->row_bytes[5] = TILE_ROW_BYTES + 1)
SPOILED(rows_without_bytes, c->row_bytes[7] = 0)
SPOILED(bytes_without_rows, c->rows[7] = 0)
SPOILED(tile_8_with_rows, c->rows[8] = 1)
SPOILED(tile_15_with_bytes, c->row_bytes[15] = 1)
SPOILED(a_row_to_start_with, c->start_row = 1)

static void what_a_processor_refuses_stops_the_model(void **state)
{
    static void (*const fault[])(void) = {
        no_configuration,
        released,
        a_tile_without_rows,
        a_load_of_half_a_pair,
        a_store_of_half_a_sum,
        a_ninth_tile,
        palette_0,
        palette_2,
        a_product_with_itself,
        a_product_of_other_rows,
        a_reserved_byte,
        seventeen_rows,
        a_product_of_half_a_panel,
        a_product_of_narrow_sums,
        rows_too_wide,
        rows_without_bytes,
        bytes_without_rows,
        tile_8_with_rows,
        tile_15_with_bytes,
        a_row_to_start_with,
    };

    (void)state;
    for (size_t i = 0; i < sizeof(fault) / sizeof(fault[0]); i++) {
        int status = 0;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            signal(SIGABRT, SIG_DFL);
            if (!freopen("/dev/null", "w", stderr))
                _exit(2);
            fault[i]();
            _exit(1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
            fail_msg("fault %zu went by", i);
    }
}

/* ---- kernels ---- */

static void configurations_are_whole(void **state)
{
    (void)state;
    for (int rows = 1; rows <= 2 * TILE_ROWS; rows++) {
        const struct tile_config c = tile_config_of(rows);
        assert_int_equal(c.rows[TILE_C00] + c.rows[TILE_C10], rows);
        assert_int_equal(c.rows[TILE_A0] + c.rows[TILE_A1], rows);
        prepare(rows);
        assert_int_equal(tile_model_holders(), 1);
        tile_model_release();
    }
    assert_int_equal(tile_model_holders(), 0);
}

/* On every thread that took part; cancelled or not. */
static void operators_give_their_tiles_back(void **state)
{
    enum { ROWS = 70, IN = 600, OUT = 300, HEAD = 32 };
    struct matrix x = fixture_matrix(DTYPE_BF16, ROWS, IN);
    struct matrix y = fixture_matrix(DTYPE_F32, ROWS, OUT);
    struct matrix head = fixture_matrix(DTYPE_BF16, ROWS, HEAD);
    struct attention a = {1, 1, HEAD, 1.0f, false, 0, 1, {{head, head, head, head, 0.0f}}};
    float *numbers = fixture_memory((int64_t)OUT * IN * (int64_t)sizeof(float));
    void *room = fixture_memory(nn_attention_bytes(&a, 3));
    struct packed_tensor w = fixture_pack(DTYPE_BF16, OUT, IN, 0, numbers);
    atomic_bool cancel = false;
    struct nn_run run = {NULL, ISA_AMX, &cancel};

    (void)state;
    assert_int_equal(pool_open(3, &run.pool, NULL), ERR_OK);
    for (int stop = 0; stop < 2 && isa_usable(ISA_AMX); stop++) {
        atomic_store(&cancel, stop);
        assert_int_equal(nn_linear(&run, &x, &w, (struct linear_end){0}, &y), !stop);
        assert_int_equal(tile_model_holders(), 0);
        assert_int_equal(nn_attention(&run, &a, room), !stop);
        assert_int_equal(tile_model_holders(), 0);
    }
    pool_close(run.pool);
    fixture_unpack(&w);
    free(numbers);
    free(room);
    free(x.data);
    free(y.data);
    free(head.data);
    if (!isa_usable(ISA_AMX))
        skip(); // the AVX-512 that goes with it is not there
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_summed_as_the_manual_says),
        cmocka_unit_test(even_and_odd_sums_stay_apart),
        cmocka_unit_test(integers_are_multiplied_as_the_formula_says),
        cmocka_unit_test(what_a_processor_refuses_stops_the_model),
        cmocka_unit_test(configurations_are_whole),
        cmocka_unit_test(operators_give_their_tiles_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
