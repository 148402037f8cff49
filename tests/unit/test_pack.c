/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "base/buf.h"
#include "base/hash.h"
#include "nn/pack.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { PAGE = 4096, HEADER = 64 };

/* ---- files made by hand ---- */

struct image {
    unsigned char *bytes; /* aligned; freed by the caller */
    size_t len;
};

static void put_u64(unsigned char *at, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        at[i] = (unsigned char)(v >> (8 * i));
}

/* A header, `pages` pages of 0x01.., and the directory with a checksum that is right. */
static struct image image_of(const char *directory, size_t pages)
{
    size_t begin = (1 + pages) * PAGE, len = strlen(directory);
    struct image m = {.len = begin + len};

    m.bytes = aligned_alloc(PAGE, (m.len + PAGE - 1) / PAGE * PAGE);
    assert_non_null(m.bytes);
    memset(m.bytes, 0, PAGE);
    memset(m.bytes + PAGE, 1, pages * PAGE);
    memcpy(m.bytes, "PATINA\x1a\n", 8);
    m.bytes[8] = PACKED_VERSION;
    put_u64(m.bytes + 16, begin);
    put_u64(m.bytes + 24, len);
    memcpy(m.bytes + begin, directory, len);
    sha256(directory, len, m.bytes + 32);
    return m;
}

static enum err read_image(const struct image *m, struct err_note *note)
{
    struct packed *p = NULL;
    enum err e = packed_read("x", m->bytes, m->len, &p, note);

    assert_int_equal(e == ERR_OK, p != NULL);
    packed_close(p);
    return e;
}

#define SHA               "\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\""
#define AT(offset, bytes) "\"offset\":" #offset ",\"bytes\":" #bytes "," SHA
#define T(kind, dtype, shape, at) \
    "{\"kind\":\"" kind "\",\"dtype\":\"" dtype "\",\"shape\":" shape "," at "}"
#define BLOBS(list)                 "{\"blobs\":{" list "}}"
#define ONE(kind, dtype, shape, at) BLOBS("\"a\":" T(kind, dtype, shape, at))

static void what_a_directory_says_is_checked(void **state)
{
    static const struct {
        const char *directory;
        size_t pages;
        enum err want;
        const char *says;
    } row[] = {
        {BLOBS(""), 0, ERR_OK, NULL},
        {ONE("plain", "F32", "[1024]", AT(4096, 4096)), 1, ERR_OK, NULL},
        {ONE("plain", "F32", "[1025]", AT(4096, 4100)), 2, ERR_OK, NULL},
        {ONE("plain", "F32", "[1,1,2,3]", AT(4096, 24)), 1, ERR_OK, NULL},
        {ONE("rows", "BF16", "[3,5]", AT(4096, 30)), 1, ERR_OK, NULL},
        {ONE("matrix", "F32", "[1,1]", AT(4096, 1024)), 1, ERR_OK, NULL},
        {ONE("matrix", "F32", "[17,17]", AT(4096, 4096)), 1, ERR_OK, NULL},
        {ONE("matrix", "BF16", "[16,32]", AT(4096, 1024)), 1, ERR_OK, NULL},
        {ONE("matrix", "BF16", "[17,33]", AT(4096, 4096)), 1, ERR_OK, NULL},
        {ONE("matrix", "I8", "[16,64]", AT(4096, 1088)), 1, ERR_OK, NULL},
        {ONE("matrix", "I8", "[17,65]", AT(4096, 4224)), 2, ERR_OK, NULL},
        {ONE("matrix", "BF16", "[3,3,3,3]", AT(4096, 9216)), 3, ERR_OK, NULL},
        {BLOBS("\"b\":" T("plain", "F32", "[1]", AT(8192, 4)) ",\"a\":" T("plain", "F32", "[2]",
                                                                          AT(4096, 8))),
         2, ERR_OK, NULL},
        // The JSON.
        {"", 0, ERR_INVALID, "JSON"},
        {"[]", 0, ERR_INVALID, "no blobs"},
        {"{}", 0, ERR_INVALID, "no blobs"},
        {"{\"blobs\":[]}", 0, ERR_INVALID, "no blobs"},
        {BLOBS("\"a\":1"), 0, ERR_INVALID, "a: there is no checksum"},
        {BLOBS("\"a\":" T("plain", "F32", "[2]", AT(4096, 8)) ",\"a\":" T("plain", "F32", "[2]",
                                                                          AT(4096, 8))),
         1, ERR_INVALID, "duplicate"},
        {BLOBS("\"\":" T("plain", "F32", "[2]", AT(4096, 8))), 1, ERR_INVALID, "name"},
        {BLOBS("\"a b\":" T("plain", "F32", "[2]", AT(4096, 8))), 1, ERR_INVALID, "name"},
        {BLOBS("\"\xC3\xA9\":" T("plain", "F32", "[2]", AT(4096, 8))), 1, ERR_INVALID, "name"},
        {BLOBS("\"a\":{\"kind\":\"plain\",\"dtype\":\"F32\",\"shape\":[2],\"offset\":4096,"
               "\"bytes\":8}"),
         1, ERR_INVALID, "no checksum"},
        {BLOBS("\"a\":{\"kind\":\"plain\",\"dtype\":\"F32\",\"shape\":[2],\"offset\":4096,"
               "\"bytes\":8,\"sha256\":\"00\"}"),
         1, ERR_INVALID, "no checksum"},
        // Kind, type, shape.
        {ONE("Plain", "F32", "[2]", AT(4096, 8)), 1, ERR_INVALID, "a: its kind"},
        {BLOBS("\"a\":{" AT(4096, 8) "}"), 1, ERR_INVALID, "a: its kind"},
        {ONE("plain", "F64", "[1]", AT(4096, 8)), 1, ERR_INVALID, "element type"},
        {ONE("plain", "BF16", "[4]", AT(4096, 8)), 1, ERR_INVALID, "no plain has"},
        {ONE("plain", "F32", "[]", AT(4096, 4)), 1, ERR_INVALID, "no plain has"},
        {ONE("plain", "F32", "[1,1,1,1,1]", AT(4096, 4)), 1, ERR_INVALID, "at most 4"},
        {ONE("plain", "F32", "2", AT(4096, 8)), 1, ERR_INVALID, "at most 4"},
        {ONE("plain", "F32", "[0]", AT(4096, 0)), 1, ERR_INVALID, "side 0"},
        {ONE("plain", "F32", "[1,-2]", AT(4096, 8)), 1, ERR_INVALID, "side 1"},
        {ONE("plain", "F32", "[2.0]", AT(4096, 8)), 1, ERR_INVALID, "side 0"},
        {ONE("plain", "F32", "[1073741824]", AT(4096, 8)), 1, ERR_INVALID, "a: 8 bytes"},
        {ONE("plain", "F32", "[1073741825]", AT(4096, 8)), 1, ERR_INVALID, "side 0"},
        {ONE("plain", "F32", "[1073741824,1073741824,1073741824]", AT(4096, 8)), 1, ERR_INVALID,
         "no plain has"},
        {ONE("matrix", "F32", "[1073741824,1073741824,2,2]", AT(4096, 8)), 1, ERR_INVALID,
         "no matrix has"},
        {ONE("rows", "F32", "[1,2]", AT(4096, 8)), 1, ERR_INVALID, "no rows has"},
        {ONE("rows", "BF16", "[4]", AT(4096, 8)), 1, ERR_INVALID, "no rows has"},
        {ONE("matrix", "F16", "[16,32]", AT(4096, 1024)), 1, ERR_INVALID, "no matrix has"},
        {ONE("matrix", "F32", "[256]", AT(4096, 1024)), 1, ERR_INVALID, "no matrix has"},
        {ONE("matrix", "F32", "[16,16,1]", AT(4096, 1024)), 1, ERR_INVALID, "no matrix has"},
        // Bytes and places.
        {ONE("plain", "F32", "[2]", AT(4096, 7)), 1, ERR_INVALID, "a: 7 bytes"},
        {ONE("plain", "F32", "[2]", AT(4096, 9)), 1, ERR_INVALID, "a: 9 bytes"},
        {ONE("matrix", "BF16", "[16,33]", AT(4096, 1024)), 1, ERR_INVALID, "a: 1024 bytes"},
        {ONE("matrix", "I8", "[16,64]", AT(4096, 1024)), 1, ERR_INVALID, "a: 1024 bytes"},
        {ONE("plain", "F32", "[1025]", AT(4096, 4100)), 1, ERR_INVALID, "in front of byte 8192"},
        {ONE("plain", "F32", "[2]", AT(8192, 8)), 1, ERR_INVALID, "in front of byte 8192"},
        {ONE("plain", "F32", "[2]", AT(9223372036854775800, 8)), 1, ERR_INVALID, "in front of"},
        {ONE("plain", "F32", "[2]", AT(-4096, 8)), 1, ERR_INVALID, "not sizes"},
        {ONE("plain", "F32", "[2]", AT(4096.0, 8)), 1, ERR_INVALID, "not sizes"},
        {ONE("plain", "F32", "[2]", AT(4160, 8)), 1, ERR_INVALID, "not a multiple"},
        {ONE("plain", "F32", "[2]", AT(0, 8)), 1, ERR_INVALID, "begins at byte 0"},
        {ONE("plain", "F32", "[2]", AT(8192, 8)), 2, ERR_INVALID, "begins at byte 8192 instead"},
        {ONE("plain", "F32", "[2]", AT(4096, 8)), 2, ERR_INVALID, "the directory is at"},
        {BLOBS("\"a\":" T("plain", "F32", "[2]", AT(4096, 8)) ",\"b\":" T("plain", "F32", "[2]",
                                                                          AT(4096, 8))),
         1, ERR_INVALID, "instead of 8192"},
        {BLOBS("\"a\":" T("plain", "F32", "[2000]",
                          AT(4096, 8000)) ",\"b\":" T("plain", "F32", "[2]", AT(8192, 8))),
         2, ERR_INVALID, "b: begins at byte 8192 instead of 12288"},
        // Texts.
        {BLOBS("\"a\":{\"kind\":\"text\"," AT(4096, 0) "}"), 1, ERR_INVALID, "a text has"},
        {BLOBS("\"a\":{\"kind\":\"text\"," AT(4096, 5) "}"), 1, ERR_INVALID, "does not end"},
        {ONE("text", "I8", "[8]", AT(4096, 8)), 1, ERR_INVALID, "no type"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct err_note note = {0};
        struct image m = image_of(row[i].directory, row[i].pages);
        enum err e = read_image(&m, &note);
        if (e != row[i].want || (row[i].says && !strstr(note.text, row[i].says)))
            fail_msg("%s: %s, \"%s\"", row[i].directory, err_name(e), note.text);
        if (e != ERR_OK)
            assert_memory_equal(note.text, "x: ", 3);
        free(m.bytes);
    }
}

static void names_have_a_limit(void **state)
{
    char name[PACKED_NAME_MAX + 2];

    (void)state;
    for (int over = 0; over < 2; over++) {
        struct buf directory = BUF_INIT;
        memset(name, 'n', sizeof(name));
        name[PACKED_NAME_MAX + over] = '\0';
        buf_addf(&directory, "{\"blobs\":{\"%s\":%s}}", name,
                 T("plain", "F32", "[2]", AT(4096, 8)));
        struct image m = image_of(directory.data, 1);
        assert_int_equal(read_image(&m, NULL), over ? ERR_INVALID : ERR_OK);
        free(m.bytes);
        buf_release(&directory);
    }
}

static void a_header_is_checked(void **state)
{
    static const char directory[] = ONE("plain", "F32", "[2]", AT(4096, 8));
    static const struct {
        size_t at;
        uint64_t v;
        enum err want;
        const char *says;
    } row[] = {
        {0, 0, ERR_INVALID, "not a packed model"},
        {8, PACKED_VERSION + 1, ERR_UNSUPPORTED, "patina model pack FOLDER x"},
        {8, PACKED_VERSION - 1, ERR_UNSUPPORTED, "patina model pack FOLDER x"},
        {8, PACKED_VERSION | (uint64_t)1 << 32, ERR_INVALID, "header is damaged"},
        {16, 0, ERR_INVALID, "behind the directory"},
        {16, 8193, ERR_INVALID, "cut short"},
        {16, UINT64_MAX, ERR_INVALID, "cut short"},
        {24, sizeof(directory), ERR_INVALID, "cut short"},
        {24, sizeof(directory) - 2, ERR_INVALID, "behind the directory"},
        {24, UINT64_MAX, ERR_INVALID, "cut short"},
        {32, 0, ERR_INVALID, "checksum differs"},
    };
    struct image m = image_of(directory, 1);

    (void)state;
    assert_int_equal(read_image(&m, NULL), ERR_OK);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct err_note note = {0};
        unsigned char kept[HEADER];
        memcpy(kept, m.bytes, HEADER);
        put_u64(m.bytes + row[i].at, row[i].v);
        enum err e = read_image(&m, &note);
        if (e != row[i].want || !strstr(note.text, row[i].says))
            fail_msg("row %zu: %s, \"%s\"", i, err_name(e), note.text);
        memcpy(m.bytes, kept, HEADER);
    }
    // Cut anywhere it is refused; the copy lets a sanitizer see a read past the end.
    for (size_t cut = 0; cut < m.len; cut += cut < HEADER || cut > 2 * PAGE ? 1 : 61) {
        unsigned char *part = aligned_alloc(PAGE, (cut + PAGE) / PAGE * PAGE);
        memcpy(part, m.bytes, cut);
        assert_int_equal(read_image(&(struct image){part, cut}, NULL), ERR_INVALID);
        free(part);
    }
    free(m.bytes);
}

/* ---- round trips ---- */

/* Numbers that bf16 holds exactly, signed, growing from row to row. */
static float value_at(int64_t i)
{
    return (float)(i * 37 % 101 - 50) / 32.0f;
}

static float *values(int64_t count)
{
    float *v = malloc((size_t)count * sizeof(*v));

    for (int64_t i = 0; i < count; i++)
        v[i] = value_at(i);
    return v;
}

/* What the layout of pack.h says is at (o, i, tap). */
static float matrix_at(const struct packed_tensor *t, int64_t o, int64_t i, int64_t tap)
{
    const int bytes = (int)dtype_bytes(t->dtype), group = 4 / bytes;
    const int64_t taps = t->rank == 4 ? t->shape[2] * t->shape[3] : 1;
    const int64_t inputs = (t->shape[1] + PACKED_ALIGN / bytes - 1) / (PACKED_ALIGN / bytes) *
                           (PACKED_ALIGN / bytes);
    const int64_t k = tap * inputs + i;
    const int64_t at = (o / PACKED_PANEL * (taps * inputs / group) + k / group) *
                           (PACKED_PANEL * group) +
                       o % PACKED_PANEL * group + k % group;

    if (t->dtype == DTYPE_F32)
        return ((const float *)t->data)[at];
    if (t->dtype == DTYPE_BF16)
        return float_of_bf16(((const uint16_t *)t->data)[at]);
    return (float)((const int8_t *)t->data)[at] * t->scale[o];
}

static void check_matrix(const struct packed_tensor *t, const float *want)
{
    const int64_t taps = t->rank == 4 ? t->shape[2] * t->shape[3] : 1;
    const int64_t out = (t->shape[0] + PACKED_PANEL - 1) / PACKED_PANEL * PACKED_PANEL;
    const int64_t align = PACKED_ALIGN / (int64_t)dtype_bytes(t->dtype);
    const int64_t in = (t->shape[1] + align - 1) / align * align;

    for (int64_t o = 0; o < out; o++) {
        float most = 0.0f;
        for (int64_t i = 0; i < t->shape[1] * taps && o < t->shape[0]; i++)
            most = fmaxf(most, fabsf(want[o * t->shape[1] * taps + i]));
        if (t->dtype == DTYPE_I8)
            assert_true(t->scale[o] == most / 127.0f);
        for (int64_t i = 0; i < in; i++)
            for (int64_t tap = 0; tap < taps; tap++) {
                bool there = o < t->shape[0] && i < t->shape[1];
                float v = there ? want[(o * t->shape[1] + i) * taps + tap] : 0.0f;
                float far = t->dtype == DTYPE_I8 ? most / 127.0f * 0.5001f : 0.0f;
                if (!(fabsf(matrix_at(t, o, i, tap) - v) <= far))
                    fail_msg("[%jd][%jd] tap %jd: %g, not %g", (intmax_t)o, (intmax_t)i,
                             (intmax_t)tap, (double)matrix_at(t, o, i, tap), (double)v);
            }
    }
}

static void add(struct packer *p, const char *name, enum packed_kind kind, enum dtype as, int rank,
                const int64_t *shape)
{
    struct tensor_view v = {.dtype = DTYPE_F32, .rank = rank};
    struct err_note note;

    memcpy(v.shape, shape, (size_t)rank * sizeof(*shape));
    float *data = values(tensor_count(&v));
    v.data = data;
    if (packer_add(p, name, kind, as, &v, &note) != ERR_OK)
        fail_msg("%s", note.text);
    free(data);
}

static void matrices_lie_in_panels(void **state)
{
    static const enum dtype type[] = {DTYPE_F32, DTYPE_BF16, DTYPE_I8};
    static const struct {
        int rank;
        int64_t shape[4];
    } row[] = {{2, {1, 1}},   {2, {16, 64}},     {2, {17, 65}},       {2, {33, 31}},
               {2, {48, 96}}, {4, {5, 3, 3, 3}}, {4, {16, 70, 3, 3}}, {4, {20, 32, 1, 1}}};
    enum { ROWS = sizeof(row) / sizeof(row[0]) };
    struct packed *model;
    struct packer *p;
    char name[20];

    (void)state;
    assert_int_equal(packer_open(NULL, &p, NULL), ERR_OK);
    for (int t = 0; t < 3; t++)
        for (int i = 0; i < ROWS; i++) {
            snprintf(name, sizeof(name), "p/%d.%d", t, i);
            add(p, name, PACKED_MATRIX, type[t], row[i].rank, row[i].shape);
        }
    assert_int_equal(packer_finish(p, &model, NULL), ERR_OK);
    assert_int_equal(packed_count(model), 3 * ROWS);
    for (int t = 0; t < 3; t++)
        for (int i = 0; i < ROWS; i++) {
            struct packed_tensor m;
            snprintf(name, sizeof(name), "p/%d.%d", t, i);
            assert_int_equal(
                packed_get(model, name, PACKED_MATRIX, row[i].rank, row[i].shape, &m, NULL),
                ERR_OK);
            assert_int_equal(m.dtype, type[t]);
            assert_int_equal((uintptr_t)m.data % PAGE, 0);
            assert_int_equal((uintptr_t)m.scale % PACKED_ALIGN, 0);
            int64_t count = row[i].shape[0] * row[i].shape[1];
            for (int k = 2; k < row[i].rank; k++)
                count *= row[i].shape[k];
            float *want = values(count);
            check_matrix(&m, want);
            if (row[i].shape[0] > PACKED_PANEL) {
                struct packed_tensor last =
                    packed_outputs(&m, PACKED_PANEL, row[i].shape[0] - PACKED_PANEL);
                check_matrix(&last, want + count / row[i].shape[0] * PACKED_PANEL);
            }
            free(want);
        }
    assert_int_equal(packed_verify(model, NULL, NULL, NULL), ERR_OK);
    packed_close(model);
}

static void published_types_are_read(void **state)
{
    static const uint16_t half[4] = {0x3C00, 0xC000, 0x3555, 0x0001}; // 1, -2, .333, 2^-24
    static const uint16_t bf16[4] = {0x3F80, 0xC000, 0x3EAB, 0x0080};
    static const float f32[4] = {1.0f, -2.0f, 1.0f / 3.0f, 1.00390625f};
    static const struct {
        enum dtype t;
        const void *data;
    } row[] = {{DTYPE_F16, half}, {DTYPE_BF16, bf16}, {DTYPE_F32, f32}};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct tensor_view v = {row[i].t, 2, {2, 2}, row[i].data};
        struct packed_tensor plain, rows;
        struct packed *model;
        struct packer *p;
        float want[4];
        tensor_read(&v, 0, 4, want);
        assert_int_equal(packer_open(NULL, &p, NULL), ERR_OK);
        assert_int_equal(packer_add(p, "p/plain", PACKED_PLAIN, DTYPE_I8, &v, NULL), ERR_OK);
        assert_int_equal(packer_add(p, "p/rows", PACKED_ROWS, DTYPE_F32, &v, NULL), ERR_OK);
        assert_int_equal(packer_finish(p, &model, NULL), ERR_OK);
        assert_true(packed_find(model, "p/plain", &plain) && packed_find(model, "p/rows", &rows));
        assert_true(plain.kind == PACKED_PLAIN && plain.dtype == DTYPE_F32);
        assert_true(rows.kind == PACKED_ROWS && rows.dtype == DTYPE_BF16);
        assert_memory_equal(plain.data, want, sizeof(want));
        for (int k = 0; k < 4; k++)
            assert_int_equal(((const uint16_t *)rows.data)[k], bf16_of(want[k]));
        packed_close(model);
    }
}

static void what_cannot_be_packed_is_refused(void **state)
{
    static const float good[2] = {1.0f, 3.38e38f}, bad[3] = {INFINITY, NAN, 3.4e38f};
    struct tensor_view v = {DTYPE_F32, 2, {1, 2}, good};
    struct packer *p;
    struct err_note note;

    (void)state;
    for (int i = 0; i < 3; i++)
        for (enum packed_kind kind = PACKED_PLAIN; kind <= PACKED_MATRIX; kind++) {
            const float pair[2] = {0.0f, bad[i]};
            struct tensor_view w = {DTYPE_F32, 2, {1, 2}, pair};
            assert_int_equal(packer_open(NULL, &p, NULL), ERR_OK);
            assert_int_equal(packer_add(p, "n", kind, DTYPE_BF16, &w, &note), ERR_INVALID);
            assert_string_equal(note.text, "n holds numbers that are not finite");
            packer_abandon(p);
        }
    assert_int_equal(packer_open(NULL, &p, NULL), ERR_OK);
    assert_int_equal(packer_add(p, "a", PACKED_MATRIX, DTYPE_BF16, &v, NULL), ERR_OK);
    assert_int_equal(packer_add(p, "a", PACKED_PLAIN, DTYPE_F32, &v, &note), ERR_INVALID);
    assert_string_equal(note.text, "there are two tensors a");
    assert_int_equal(packer_add_text(p, "a", "", 0, NULL), ERR_INVALID);
    assert_int_equal(packer_add(p, "b c", PACKED_PLAIN, DTYPE_F32, &v, NULL), ERR_INVALID);
    assert_int_equal(packer_add(p, "b", PACKED_MATRIX, DTYPE_F16, &v, NULL), ERR_INVALID);
    v.rank = 1;
    assert_int_equal(packer_add(p, "b", PACKED_MATRIX, DTYPE_F32, &v, &note), ERR_INVALID);
    assert_string_equal(note.text, "b: a matrix of F32 cannot have the shape [1]");
    packer_abandon(p);
}

static void faint_outputs_become_zeros(void **state)
{
    const float faint = 0x1p-100f, row[4] = {faint, -faint, nextafterf(faint, 0.0f), 0.0f};
    struct tensor_view v = {DTYPE_F32, 2, {2, 2}, row};
    struct packed_tensor m;
    struct packed *model;
    struct packer *p;

    (void)state;
    assert_int_equal(packer_open(NULL, &p, NULL), ERR_OK);
    assert_int_equal(packer_add(p, "m", PACKED_MATRIX, DTYPE_I8, &v, NULL), ERR_OK);
    assert_int_equal(packer_finish(p, &model, NULL), ERR_OK);
    assert_true(packed_find(model, "m", &m));
    assert_true(m.scale[0] == faint / 127.0f && matrix_at(&m, 0, 1, 0) < 0.0f);
    assert_true(m.scale[1] == 0.0f && matrix_at(&m, 1, 0, 0) == 0.0f);
    packed_close(model);
}

/* ---- files ---- */

static char folder[] = "/tmp/patina-pack-XXXXXX";
static char path[64], part[72];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/m.patina", folder);
    snprintf(part, sizeof(part), "%s.part", path);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    unlink(part);
    return rmdir(folder);
}

static void write_model(const char *text)
{
    struct packer *p;

    assert_int_equal(packer_open(path, &p, NULL), ERR_OK);
    add(p, "a/matrix", PACKED_MATRIX, DTYPE_BF16, 2, (int64_t[]){20, 40});
    add(p, "b/plain", PACKED_PLAIN, DTYPE_F32, 1, (int64_t[]){7});
    assert_int_equal(packer_add_text(p, "b/text", text, strlen(text), NULL), ERR_OK);
    assert_int_equal(packer_finish(p, NULL, NULL), ERR_OK);
}

static void a_file_takes_its_name_at_the_end(void **state)
{
    struct packed_tensor t;
    struct packed *model;
    struct err_note note;
    size_t len;

    (void)state;
    write_model("first");
    write_model("second");
    assert_int_equal(access(part, F_OK), -1);
    assert_int_equal(packed_open(path, &model, NULL), ERR_OK);
    assert_string_equal(packed_text(model, "b/text", &len), "second");
    assert_int_equal(len, 6);
    assert_null(packed_text(model, "b/plain", NULL));
    assert_null(packed_text(model, "b/none", NULL));
    assert_false(packed_find(model, "b/text", &t));
    assert_true(packed_find(model, "b/plain", &t));
    assert_true(((const float *)t.data)[6] == value_at(6));
    assert_string_equal(packed_at(model, 0, &t), "a/matrix");
    assert_string_equal(packed_at(model, 2, &t), "b/text");
    assert_int_equal(t.kind, PACKED_TEXT);
    assert_null(packed_at(model, 3, &t));
    // Pages that were let go are read again.
    packed_drop(model, "a");
    assert_true(packed_find(model, "a/matrix", &t));
    assert_true(matrix_at(&t, 19, 39, 0) == value_at(19 * 40 + 39));
    assert_int_equal(
        packed_get(model, "a/matrix", PACKED_MATRIX, 2, (int64_t[]){20, 41}, &t, &note),
        ERR_INVALID);
    assert_string_equal(note.text,
                        "a/matrix: wanted is a matrix of [20,41], found a matrix of [20,40]");
    assert_int_equal(packed_get(model, "b/plain", PACKED_ROWS, 1, (int64_t[]){7}, &t, NULL),
                     ERR_INVALID);
    assert_int_equal(packed_get(model, "c", PACKED_PLAIN, 1, (int64_t[]){7}, &t, NULL),
                     ERR_INVALID);
    packed_close(model);
    assert_int_equal(packed_open(folder, &model, NULL), ERR_INVALID);
    assert_int_equal(packed_open(part, &model, NULL), ERR_NOT_FOUND);
}

static void a_file_that_is_given_up_leaves_nothing(void **state)
{
    struct packer *p, *other;
    struct err_note note;

    (void)state;
    assert_int_equal(packer_open(path, &p, NULL), ERR_OK);
    assert_int_equal(access(part, F_OK), 0);
    assert_int_equal(packer_open(path, &other, NULL), ERR_BUSY);
    assert_int_equal(packer_need(p, 1, NULL), ERR_OK);
    assert_int_equal(packer_need(p, INT64_MAX, &note), ERR_FULL);
    assert_non_null(strstr(note.text, "GB left"));
    packer_abandon(p);
    assert_int_equal(access(part, F_OK), -1);
    // What a killed one left is written over.
    FILE *f = fopen(part, "w");
    assert_true(f && fputs("half a model", f) >= 0 && fclose(f) == 0);
    write_model("whole");
    assert_int_equal(access(part, F_OK), -1);
    assert_int_equal(packer_open("/nowhere/m.patina", &p, NULL), ERR_IO);
    packer_abandon(NULL);
}

static bool stop_at_once(void *ctx, float done)
{
    *(float *)ctx = done;
    return false;
}

static void damage_is_found_where_it_is(void **state)
{
    static const struct {
        off_t at;
        const char *says;
        enum err opens; /* texts are looked at when the file is opened */
    } row[] = {{PAGE, "a/matrix is damaged", ERR_OK},
               {2 * PAGE + 27, "b/plain is damaged", ERR_OK},
               {2 * PAGE + 28, "byte 8220, between two tensors, is damaged", ERR_OK},
               {PAGE - 1, "byte 4095, between", ERR_OK},
               {3 * PAGE, "b/text is damaged", ERR_INVALID}};
    struct packed *model;
    struct err_note note;
    float done = -1.0f;

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        char byte;
        write_model("text");
        assert_int_equal(packed_open(path, &model, NULL), ERR_OK);
        assert_int_equal(packed_verify(model, NULL, NULL, NULL), ERR_OK);
        assert_int_equal(packed_verify(model, stop_at_once, &done, NULL), ERR_CANCELLED);
        assert_true(done >= 0.0f && done <= 1.0f);
        packed_close(model);
        // The matrix has 32 x 64 numbers of two bytes: one page.
        int fd = open(path, O_RDWR | O_CLOEXEC);
        assert_int_equal(pread(fd, &byte, 1, row[i].at), 1);
        byte ^= 4;
        assert_int_equal(pwrite(fd, &byte, 1, row[i].at), 1);
        close(fd);
        assert_int_equal(packed_open(path, &model, &note), row[i].opens);
        if (row[i].opens == ERR_OK) {
            assert_int_equal(packed_verify(model, NULL, NULL, &note), ERR_INVALID);
            packed_close(model);
        }
        if (!strstr(note.text, row[i].says))
            fail_msg("%s", note.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_directory_says_is_checked),
        cmocka_unit_test(names_have_a_limit),
        cmocka_unit_test(a_header_is_checked),
        cmocka_unit_test(matrices_lie_in_panels),
        cmocka_unit_test(published_types_are_read),
        cmocka_unit_test(what_cannot_be_packed_is_refused),
        cmocka_unit_test(faint_outputs_become_zeros),
        cmocka_unit_test(a_file_takes_its_name_at_the_end),
        cmocka_unit_test(a_file_that_is_given_up_leaves_nothing),
        cmocka_unit_test(damage_is_found_where_it_is),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
