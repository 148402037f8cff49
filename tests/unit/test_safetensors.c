/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "base/buf.h"
#include "nn/safetensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file: the header with its length in front, and `data` bytes 1, 2, 3... The caller frees it. */
static char *file_of(const char *header, size_t header_len, size_t data, size_t *len)
{
    char *file = malloc(8 + header_len + data);

    assert_non_null(file);
    for (int i = 0; i < 8; i++)
        file[i] = (char)((uint64_t)header_len >> (8 * i) & 255);
    memcpy(file + 8, header, header_len);
    for (size_t i = 0; i < data; i++)
        file[8 + header_len + i] = (char)(i + 1);
    *len = 8 + header_len + data;
    return file;
}

/* Pads the header with spaces to a multiple of 8, as writers do. */
static enum err read_header(const char *header, size_t data, struct err_note *note)
{
    struct safetensors *s = NULL;
    struct buf padded = BUF_INIT;
    size_t len;

    buf_adds(&padded, header);
    while (padded.len % 8)
        buf_addc(&padded, ' ');
    char *file = file_of(padded.data, padded.len, data, &len);
    enum err e = safetensors_read("x", file, len, &s, note);
    assert_int_equal(e == ERR_OK, s != NULL);
    safetensors_close(s);
    buf_release(&padded);
    free(file);
    return e;
}

#define T(dtype, shape, offsets) \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define F32_8 T("F32", "[2]", "[0,8]")

static void what_a_header_says_is_checked(void **state)
{
    static const struct {
        const char *header;
        size_t data;
        enum err want;
        const char *says;
    } row[] = {
        {"{}", 0, ERR_OK, NULL},
        {"{\"a\":" F32_8 "}", 8, ERR_OK, NULL},
        {"{\"__metadata__\":{\"format\":\"pt\"},\"a\":" F32_8 "}", 8, ERR_OK, NULL},
        {"{\"n\":" T("I64", "[]", "[0,8]") "}", 8, ERR_OK, NULL},
        {"{\"b\":" T("F32", "[1]", "[4,8]") ",\"a\":" T("F16", "[1,2]", "[0,4]") "}", 8, ERR_OK,
         NULL},
        {"{\"a\":" T("I8", "[1,1,1,3]", "[0,3]") "}", 3, ERR_OK, NULL},
        // The JSON.
        {"", 0, ERR_INVALID, "malformed JSON"},
        {"[]", 0, ERR_INVALID, "not a JSON object"},
        {"{\"a\":" F32_8, 8, ERR_INVALID, "malformed JSON"},
        {"{\"a\":" F32_8 ",\"a\":" F32_8 "}", 8, ERR_INVALID, "duplicate"},
        {"{\"a\":" F32_8 "} x", 8, ERR_INVALID, "malformed JSON"},
        {"{\"__metadata__\":[],\"a\":" F32_8 "}", 8, ERR_INVALID, "__metadata__"},
        {"{\"__metadata__\":{\"n\":1},\"a\":" F32_8 "}", 8, ERR_INVALID, "__metadata__"},
        {"{\"\":" F32_8 "}", 8, ERR_INVALID, "name"},
        {"{\"a\\n\":" F32_8 "}", 8, ERR_INVALID, "name"},
        {"{\"\xC3\xA9\":" F32_8 "}", 8, ERR_INVALID, "name"},
        {"{\"a\":[]}", 0, ERR_INVALID, "a: not an object"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, ERR_INVALID, "a: not an object"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"offsets\":[0,8]}}", 8, ERR_INVALID,
         "data_offsets"},
        // The element type.
        {"{\"a\":" T("F64", "[1]", "[0,8]") "}", 8, ERR_UNSUPPORTED, "\"F64\""},
        {"{\"a\":" T("f32", "[2]", "[0,8]") "}", 8, ERR_UNSUPPORTED, "\"f32\""},
        {"{\"a\":" T("F3", "[2]", "[0,8]") "}", 8, ERR_UNSUPPORTED, "\"F3\""},
        {"{\"a\":" T("F322", "[2]", "[0,8]") "}", 8, ERR_UNSUPPORTED, "\"F322\""},
        {"{\"a\":{\"dtype\":1,\"shape\":[2],\"data_offsets\":[0,8]}}", 8, ERR_INVALID, "dtype"},
        // The shape.
        {"{\"a\":" T("F32", "2", "[0,8]") "}", 8, ERR_INVALID, "shape"},
        {"{\"a\":" T("I8", "[1,1,1,1,3]", "[0,3]") "}", 3, ERR_UNSUPPORTED, "5 dimensions"},
        {"{\"a\":" T("F32", "[0]", "[0,0]") "}", 0, ERR_INVALID, "side 0"},
        {"{\"a\":" T("F32", "[1,-2]", "[0,8]") "}", 8, ERR_INVALID, "side 1"},
        {"{\"a\":" T("F32", "[2.0]", "[0,8]") "}", 8, ERR_INVALID, "side 0"},
        {"{\"a\":" T("F32", "[\"2\"]", "[0,8]") "}", 8, ERR_INVALID, "side 0"},
        {"{\"a\":" T("F32", "[true]", "[0,4]") "}", 4, ERR_INVALID, "side 0"},
        {"{\"a\":" T("F32", "[9223372036854775807]", "[0,8]") "}", 8, ERR_INVALID, "overflows"},
        {"{\"a\":" T("F32", "[4611686018427387906]", "[0,8]") "}", 8, ERR_INVALID, "overflows"},
        {"{\"a\":" T("I8", "[4294967296,4294967296]", "[0,0]") "}", 8, ERR_INVALID, "overflows"},
        {"{\"a\":" T("F32", "[9223372036854775808]", "[0,8]") "}", 8, ERR_INVALID, "JSON"},
        // The offsets.
        {"{\"a\":" T("F32", "[2]", "[0]") "}", 8, ERR_INVALID, "data_offsets"},
        {"{\"a\":" T("F32", "[2]", "[0,8,8]") "}", 8, ERR_INVALID, "data_offsets"},
        {"{\"a\":" T("F32", "[2]", "[-8,0]") "}", 8, ERR_INVALID, "data_offsets"},
        {"{\"a\":" T("F32", "[2]", "[8,0]") "}", 8, ERR_INVALID, "data_offsets"},
        {"{\"a\":" T("F32", "[2]", "[0,8.0]") "}", 8, ERR_INVALID, "data_offsets"},
        {"{\"a\":" T("F32", "[2]", "[0,7]") "}", 7, ERR_INVALID, "a: 7 bytes"},
        {"{\"a\":" T("F32", "[2]", "[0,9]") "}", 9, ERR_INVALID, "a: 9 bytes"},
        {"{\"a\":" F32_8 "}", 7, ERR_INVALID, "cut short"},
        {"{\"a\":" F32_8 "}", 9, ERR_INVALID, "1 bytes behind"},
        {"{}", 1, ERR_INVALID, "1 bytes behind"},
        {"{\"a\":" T("F32", "[2]", "[4,12]") "}", 12, ERR_INVALID, "a: begins at byte 4, a gap"},
        {"{\"a\":" F32_8 ",\"b\":" F32_8 "}", 8, ERR_INVALID, "b: begins at byte 0, but taken"},
        {"{\"a\":" F32_8 ",\"b\":" T("F32", "[2]", "[4,12]") "}", 12, ERR_INVALID,
         "b: begins at byte 4, but taken"},
        {"{\"a\":" F32_8 ",\"b\":" T("F32", "[1]", "[12,16]") "}", 16, ERR_INVALID,
         "b: begins at byte 12, a gap"},
        {"{\"a\":" T("I8", "[1]", "[0,1]") ",\"b\":" T("F32", "[1]", "[1,5]") "}", 5, ERR_INVALID,
         "b: byte 1 is not aligned"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct err_note note = {0};
        enum err e = read_header(row[i].header, row[i].data, &note);
        if (e != row[i].want || (row[i].says && !strstr(note.text, row[i].says)))
            fail_msg("%s: %s, \"%s\"", row[i].header, err_name(e), note.text);
        if (e != ERR_OK)
            assert_memory_equal(note.text, "x: ", 3);
    }
}

static void lengths_of_file_and_header_are_checked(void **state)
{
    static const char header[] = "{\"a\":" F32_8 "}  "; // a multiple of 8 bytes
    static const uint64_t wrong[] = {
        0, 1, sizeof(header), UINT32_MAX, (uint64_t)1 << 63, ~0ull, ~0ull - 7, ~0ull - 8};
    struct safetensors *s;
    struct err_note note;
    size_t len;

    (void)state;
    char *file = file_of(header, sizeof(header) - 1, 8, &len);
    assert_int_equal(safetensors_read("x", file, len, &s, &note), ERR_OK);
    safetensors_close(s);
    // Cut anywhere it is refused; the copy lets a sanitizer see a read past the end.
    for (size_t cut = 0; cut < len; cut++) {
        char *part = malloc(cut + 1);
        memcpy(part, file, cut);
        part = realloc(part, cut ? cut : 1);
        assert_int_equal(safetensors_read("x", part, cut, &s, &note), ERR_INVALID);
        free(part);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        for (int b = 0; b < 8; b++)
            file[b] = (char)(wrong[i] >> (8 * b) & 255);
        assert_int_equal(safetensors_read("x", file, len, &s, &note), ERR_INVALID);
    }
    free(file);
}

static void limits_hold_at_the_limit_and_one_past_it(void **state)
{
    struct err_note note = {0};

    (void)state;
    for (int past = 0; past <= 1; past++) {
        enum err want = past ? ERR_INVALID : ERR_OK;
        struct buf name = BUF_INIT, many = BUF_INIT;
        buf_adds(&name, "{\"");
        for (int i = 0; i < SAFETENSORS_NAME_MAX + past; i++)
            buf_addc(&name, 'n');
        buf_adds(&name, "\":" F32_8 "}");
        assert_int_equal(read_header(name.data, 8, &note), want);
        buf_addc(&many, '{');
        for (int i = 0; i < SAFETENSORS_COUNT_MAX + past; i++)
            buf_addf(&many, "%s\"%d\":" T("I8", "[1]", "[%d,%d]"), i ? "," : "", i, i, i + 1);
        buf_addc(&many, '}');
        assert_int_equal(read_header(many.data, SAFETENSORS_COUNT_MAX + (size_t)past, &note), want);
        buf_release(&name);
        buf_release(&many);

        size_t len, header = SAFETENSORS_HEADER_MAX + (size_t)past;
        struct safetensors *s = NULL;
        char *text = malloc(header);
        memset(text, ' ', header);
        memcpy(text, "{}", 2);
        char *file = file_of(text, header, 0, &len);
        assert_int_equal(safetensors_read("x", file, len, &s, &note), want);
        safetensors_close(s);
        free(text);
        free(file);
    }
}

static void tensors_are_found_by_name_and_in_order(void **state)
{
    static const char header[] = "{\"zebra\":" T("F32", "[1,2]", "[4,12]") ",\"ant\":" T(
        "BF16", "[2]", "[0,4]") "}           ";
    struct safetensors *s = NULL;
    struct tensor_view v;
    size_t len;
    char path[] = "/tmp/patina-safetensors-XXXXXX";

    (void)state;
    assert_int_equal((sizeof(header) - 1) % 4, 0);
    char *file = file_of(header, sizeof(header) - 1, 12, &len);
    int fd = mkstemp(path);
    assert_int_equal(write(fd, file, len), len);
    close(fd);
    assert_int_equal(safetensors_open(path, &s, NULL), ERR_OK);
    unlink(path);

    assert_int_equal(safetensors_count(s), 2);
    assert_string_equal(safetensors_at(s, 0, &v), "ant");
    assert_int_equal(v.dtype, DTYPE_BF16);
    assert_int_equal(v.rank, 1);
    assert_int_equal(v.shape[0], 2);
    assert_memory_equal(v.data, "\1\2\3\4", 4);
    assert_string_equal(safetensors_at(s, 1, &v), "zebra");
    assert_null(safetensors_at(s, 2, &v));
    assert_null(safetensors_at(s, -1, &v));
    assert_true(safetensors_find(s, "zebra", &v));
    assert_int_equal(v.shape[1], 2);
    assert_int_equal(tensor_count(&v), 2);
    assert_memory_equal(v.data, "\5\6\7\10\11\12\13\14", 8);
    assert_false(safetensors_find(s, "zebr", &v));
    assert_false(safetensors_find(s, "zebra2", &v));
    safetensors_close(s);
    free(file);
}

static void what_is_no_file_is_said(void **state)
{
    struct safetensors *s;
    struct err_note note;

    (void)state;
    assert_int_equal(safetensors_open("/nowhere/x.safetensors", &s, &note), ERR_NOT_FOUND);
    assert_int_equal(safetensors_open("/tmp", &s, &note), ERR_INVALID);
    assert_int_equal(safetensors_open("/dev/null", &s, &note), ERR_INVALID);
}

static void numbers_are_read_as_they_were_written(void **state)
{
    static const struct {
        uint16_t half;
        float value;
    } row[] = {
        {0x0000, 0.0f},        {0x8000, -0.0f},    {0x3C00, 1.0f},      {0xC000, -2.0f},
        {0x7BFF, 65504.0f},    {0x0400, 0x1p-14f}, {0x0001, 0x1p-24f},  {0x83FF, -0x3FFp-24f},
        {0x3555, 0x1.554p-2f}, {0x7C00, INFINITY}, {0xFC00, -INFINITY},
    };
    static const struct {
        float value;
        uint16_t bf16;
    } rounded[] = {
        {0.0f, 0x0000},
        {-0.0f, 0x8000},
        {1.0f, 0x3F80},
        {0x1.01p0f, 0x3F80},       // half-way, to even
        {0x1.03p0f, 0x3F82},       // half-way, to even
        {0x1.010002p0f, 0x3F81},   // just above half-way
        {0x1.fffffep127f, 0x7F80}, // over the largest
        {INFINITY, 0x7F80},
        {-INFINITY, 0xFF80},
        {0x1p-149f, 0x0000},
    };
    float got[2];

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        float f = float_of_f16(row[i].half);
        assert_true(f == row[i].value && signbit(f) == signbit(row[i].value));
    }
    assert_true(isnan(float_of_f16(0x7C01)) && isnan(float_of_f16(0xFE00)));
    for (size_t i = 0; i < sizeof(rounded) / sizeof(rounded[0]); i++)
        assert_int_equal(bf16_of(rounded[i].value), rounded[i].bf16);
    union {
        uint32_t u;
        float f;
    } faint = {0x7F800001}; // a NaN whose upper half is infinity's
    assert_true(isnan(float_of_bf16(bf16_of(faint.f))));
    for (uint32_t u = 0; u < 0x10000; u++)
        if (!isnan(float_of_bf16((uint16_t)u)))
            assert_int_equal(bf16_of(float_of_bf16((uint16_t)u)), u);

    static const uint16_t bf16[] = {0x3F80, 0xC000, 0x4040}, f16[] = {0x3C00, 0xC000, 0x4200};
    static const float f32[] = {1, -2, 3};
    const struct tensor_view view[] = {
        {DTYPE_BF16, 1, {3}, bf16}, {DTYPE_F16, 1, {3}, f16}, {DTYPE_F32, 1, {3}, f32}};
    for (size_t i = 0; i < 3; i++) {
        tensor_read(&view[i], 1, 2, got);
        assert_true(got[0] == -2.0f && got[1] == 3.0f);
        tensor_read(&view[i], 3, 0, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_header_says_is_checked),
        cmocka_unit_test(lengths_of_file_and_header_are_checked),
        cmocka_unit_test(limits_hold_at_the_limit_and_one_past_it),
        cmocka_unit_test(tensors_are_found_by_name_and_in_order),
        cmocka_unit_test(what_is_no_file_is_said),
        cmocka_unit_test(numbers_are_read_as_they_were_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
