/* SPDX-License-Identifier: MIT */
#include "look/recipe.h"

#include "base/buf.h"
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const GOOD = "# A look:\n"
                                "#   all of it.\n"
                                "name = test\n"
                                "also = first other, second other  # two\n"
                                "# not about the look\n"
                                "family = tests\n"
                                "\n"
                                "[underpaint]\n"
                                "ground = 0\r\n"
                                "[ strokes ]\n"
                                "  radius=12.5  # units\n"
                                "[strokes]\n"
                                "[relief]\n"
                                "height = 8";

static void a_good_recipe_is_read(void **state)
{
    struct recipe r;

    (void)state;
    assert_int_equal(recipe_parse("t", GOOD, strlen(GOOD), &r, NULL), ERR_OK);
    assert_int_equal(r.names, 3);
    assert_string_equal(r.name[0], "test");
    assert_string_equal(r.name[2], "second other");
    assert_string_equal(r.family, "tests");
    assert_string_equal(r.about, "A look: all of it.");
    assert_null(r.file);
    assert_int_equal(r.steps, 4);
    assert_ptr_equal(r.step[1].op, &look_op_strokes);
    assert_true(r.step[0].value[0] == 0.0f);
    assert_true(r.step[1].value[0] == 12.5f);
    assert_true(r.step[2].value[0] == look_op_strokes.param[0].normal);
    assert_true(r.step[3].value[0] == 8.0f);
    assert_int_equal(recipe_needs(&r),
                     look_op_underpaint.needs | look_op_strokes.needs | look_op_relief.needs);
}

static void a_bad_recipe_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text;
        const char *place; /* the note begins with it */
        const char *says;
    } row[] = {
        {"", "t:1:1:", "no name"},
        {"name = x\n", "t:2:1:", "no step"},
        {"[relief]\n", "t:2:1:", "no name"},
        {"name = x\n[relief]\n[grade]\n", "t:3:2:", "must be last"},
        {"name =\n[relief]", "t:1:", "name is missing"},
        {"also = y\nname = x\n[relief]", "t:1:1:", "name comes first"},
        {"name = x\nname = y\n[relief]", "t:2:1:", "name comes first"},
        {"name = x\nalso = a,,b\n[relief]", "t:2:", "name is missing"},
        {"name = x\nfamily = y\nfamily = z\n[relief]", "t:3:1:", "once each"},
        {"name = x\nfamily =\n[relief]", "t:2:", "family is missing"},
        {"family = y\nname = x\n[relief]", "t:1:1:", "name comes first"},
        {"name = x\ncolour = y\n[relief]", "t:2:1:", "colour"},
        {"name = x\nradius\n[relief]", "t:2:1:", "radius"},
        {"name = x\n  [blobs]\n", "t:2:4:", "blobs"},
        {"name = x\n[relief\n", "t:2:8:", "] is missing"},
        {"name = x\n[relief]\nradius = 3\n", "t:3:1:", "radius"},
        {"name = x\n[relief]\n height = high\n", "t:3:11:", "high"},
        {"name = x\n[relief]\nheight = 1#\n", "t:3:10:", "1#"},
        {"name = x\n[relief]\nheight = # 1\n", "t:3:9:", "not a number"},
        {"name = x\n[relief]\nheight = 1e1\n", "t:3:10:", "1e1"},
        {"name = x\n[relief]\nheight = \n", "t:3:", "not a number"},
        {"name = x\n[relief]\nheight = -\n", "t:3:10:", "not a number"},
        {"name = x\n[relief]\nheight = nan\n", "t:3:10:", "not a number"},
        {"name = x\n[relief]\nheight = 8.01\n", "t:3:10:", "0 to 8"},
        {"name = x\n[relief]\nheight = -0.01\n", "t:3:10:", "0 to 8"},
        {"name = x\n[relief]\nheight = 1\nheight = 1\n", "t:4:1:", "twice"},
        {"name = x\n[when bold]\n", "t:2:7:", "before the first [when]"},
        {"name = x\n[relief]\n[when]\n", "t:3:6:", "word is missing"},
        {"name = x\n[relief]\n[when bold,]\n", "t:3:12:", "word is missing"},
        {"name = x\n[relief]\n[when bold, chewy]\n", "t:3:13:", "chewy"},
        {"name = x\n[relief]\n[when sunset]\n", "t:3:7:", "sunset"},
        {"name = x\n[relief]\n[when --s 500]\n", "t:3:7:", "--s 500"},
        {"name = x\n[relief]\n[when bold\n", "t:3:11:", "] is missing"},
        {"name = x\n[relief]\n[when bold]\n[grade]\n", "t:4:2:", "before the first [when]"},
        {"name = x\n[relief]\n[when bold]\nheight = 2\n", "t:4:1:", "operator.parameter"},
        {"name = x\n[relief]\n[when bold]\ngrade.chroma = 2\n", "t:4:1:", "no such step"},
        {"name = x\n[relief]\n[when bold]\nrelief.2.height = 2\n", "t:4:1:", "no such step"},
        {"name = x\n[relief]\n[when bold]\nrelief.0.height = 2\n", "t:4:8:", "1 to 9"},
        {"name = x\n[relief]\n[when bold]\nrelief.chroma = 2\n", "t:4:8:", "chroma"},
        {"name = x\n[relief]\n[when bold]\nrelief.height = x2\n", "t:4:17:", "x2"},
        {"name = x\n[relief]\n[when bold]\nrelief.height = 9\n", "t:4:17:", "0 to 8"},
        {"name = x\n[relief]\n[when bold]\nrelief.height = 2\nrelief.height = 3\n",
         "t:5:1:", "twice"},
        {"name = x\n[relief]\nheight *= 2\n", "t:3:1:", "height *"},
        {"\xEF\xBB\xBFname = x\n[blobs]\n", "t:2:2:", "blobs"},
        {"\xEF\xBB\xBFname = x\xFF\n[relief]\n", "t:1:9:", "UTF-8"},
        {"# caf\xE9\nname = x\n[relief]\n", "t:1:6:", "UTF-8"},
        {"name = x\nfamily = \xC3\n[relief]\n", "t:2:10:", "UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct recipe r = {.names = -1};
        struct err_note note = {0};
        enum err e = recipe_parse("t", row[i].text, strlen(row[i].text), &r, &note);
        if (e != ERR_INVALID || strncmp(note.text, row[i].place, strlen(row[i].place)) != 0 ||
            !strstr(note.text, row[i].says))
            fail_msg("row %zu: %s \"%s\"", i, err_name(e), note.text);
        assert_int_equal(r.names, -1);
    }
}

static void limits_hold_at_and_past_the_edge(void **state)
{
    struct buf b = BUF_INIT;
    struct recipe r;

    (void)state;
    for (int steps = RECIPE_STEPS_MAX; steps <= RECIPE_STEPS_MAX + 1; steps++) {
        buf_reset(&b);
        buf_adds(&b, "name = x\n");
        for (int i = 0; i < steps; i++)
            buf_adds(&b, "[grade]\n");
        assert_int_equal(recipe_parse("t", b.data, b.len, &r, NULL),
                         steps > RECIPE_STEPS_MAX ? ERR_INVALID : ERR_OK);
    }
    for (int len = RECIPE_NAME_BYTES - 1; len <= RECIPE_NAME_BYTES; len++) {
        buf_reset(&b);
        buf_addf(&b, "name = %0*d\n[relief]\n", len, 7);
        assert_int_equal(recipe_parse("t", b.data, b.len, &r, NULL),
                         len < RECIPE_NAME_BYTES ? ERR_OK : ERR_INVALID);
    }
    for (int names = RECIPE_NAMES_MAX; names <= RECIPE_NAMES_MAX + 1; names++) {
        buf_reset(&b);
        buf_adds(&b, "name = x\nalso = n1");
        for (int i = 2; i < names; i++)
            buf_addf(&b, ",n%d", i);
        buf_adds(&b, "\n[relief]\n");
        assert_int_equal(recipe_parse("t", b.data, b.len, &r, NULL),
                         names > RECIPE_NAMES_MAX ? ERR_INVALID : ERR_OK);
    }
    for (int words = RECIPE_WORDS_MAX; words <= RECIPE_WORDS_MAX + 1; words++) {
        buf_reset(&b);
        buf_adds(&b, "name = x\n[relief]\n[when wet");
        for (int i = 1; i < words; i++)
            buf_adds(&b, ",bold");
        buf_adds(&b, "]\n");
        assert_int_equal(recipe_parse("t", b.data, b.len, &r, NULL),
                         words > RECIPE_WORDS_MAX ? ERR_INVALID : ERR_OK);
    }
    for (int whens = RECIPE_WHENS_MAX; whens <= RECIPE_WHENS_MAX + 1; whens++) {
        buf_reset(&b);
        buf_adds(&b, "name = x\n[relief]\n");
        for (int i = 0; i < whens; i++)
            buf_adds(&b, "[when bold]\n");
        assert_int_equal(recipe_parse("t", b.data, b.len, &r, NULL),
                         whens > RECIPE_WHENS_MAX ? ERR_INVALID : ERR_OK);
    }
    // 24 steps answer each of 21 times, which leaves room for 8 more.
    for (int extra = 8; extra <= 9; extra++) {
        buf_reset(&b);
        buf_adds(&b, "name = x\n");
        for (int i = 0; i < RECIPE_STEPS_MAX; i++)
            buf_adds(&b, "[grade]\n");
        for (int i = 0; i < RECIPE_MOVES_MAX / RECIPE_STEPS_MAX; i++)
            buf_adds(&b, "[when bold]\ngrade.chroma = 1\n");
        buf_adds(&b, "[when wet]\n");
        for (int i = 1; i <= extra; i++)
            buf_addf(&b, "grade.%d.chroma = 1\n", i);
        assert_int_equal(recipe_parse("t", b.data, b.len, &r, NULL),
                         extra > 8 ? ERR_INVALID : ERR_OK);
    }
    buf_release(&b);
}

static void responses_move_what_they_name(void **state)
{
    static const char *const TEXT = "name = x\n"
                                    "[strokes]\nradius = 20\n[grade]\n[strokes]\nradius = 4\n"
                                    "[when bold, loose]\n"
                                    "strokes.radius *= 1.5\n"
                                    "strokes.thickness *= 9\n"
                                    "[when --s 1000]\n"
                                    "strokes.2.radius = 6\n"
                                    " grade.chroma = 3\n"
                                    "[when bold]\n"
                                    "grade.chroma = 2.25\n";
    static const struct {
        struct recipe_cue cue[2];
        int cues;
        float first, second, chroma;
    } row[] = {
        {{{"bold", 1.0f}}, 1, 30.0f, 6.0f, 2.25f},
        {{{"loose", 1.0f}}, 1, 30.0f, 6.0f, 1.25f},
        {{{"loose", 1.0f}, {"bold", 1.0f}}, 2, 30.0f, 6.0f, 2.25f}, // one section, once
        {{{"--s 1000", 0.5f}}, 1, 20.0f, 5.0f, 2.125f},
        {{{"bold", 1.0f}, {"--s 1000", 1.0f}}, 2, 30.0f, 8.0f, 3.0f}, // they add up, in range
        {{{"wet", 1.0f}, {"--s 0", 1.0f}}, 2, 20.0f, 4.0f, 1.25f},
        {{{0}}, 0, 20.0f, 4.0f, 1.25f},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct recipe r;
        assert_int_equal(recipe_parse("t", TEXT, strlen(TEXT), &r, NULL), ERR_OK);
        assert_true(recipe_responds(&r, "loose") && recipe_responds(&r, "--s 1000"));
        assert_false(recipe_responds(&r, "wet") || recipe_responds(&r, "--s 0"));
        recipe_respond(&r, row[i].cue, row[i].cues);
        if (r.step[0].value[0] != row[i].first || r.step[2].value[0] != row[i].second ||
            r.step[1].value[0] != row[i].chroma || r.step[0].value[10] > 6.0f)
            fail_msg("row %zu: %g %g %g", i, (double)r.step[0].value[0], (double)r.step[2].value[0],
                     (double)r.step[1].value[0]);
    }
}

static void write_file(const char *dir, const char *name, const char *text)
{
    struct buf path = BUF_INIT;

    buf_addf(&path, "%s/%s", dir, name);
    FILE *f = fopen(path.data, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    buf_release(&path);
}

static void remove_dir(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;

    while ((e = readdir(d)))
        unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    rmdir(dir);
}

static void a_folder_adds_and_replaces_looks(void **state)
{
    char dir[] = "/tmp/patina-looks-XXXXXX", pipe_name[64];
    struct recipe_set *s = NULL;
    struct err_note note = {0};

    (void)state;
    assert_int_equal(recipe_set_open(NULL, &s, NULL), ERR_OK);
    const struct recipe *oil = recipe_find(s, "oil painting");
    assert_non_null(oil);
    assert_ptr_equal(recipe_find(s, "oils"), oil);
    assert_null(oil->file);
    assert_null(recipe_find(s, "test"));
    int steps = oil->steps, built_in = 0;
    while (recipe_at(s, built_in))
        built_in++;
    recipe_set_close(s);

    assert_non_null(mkdtemp(dir));
    write_file(dir, "new.look", GOOD);
    write_file(dir, "oil.look", "name = oil painting\n[relief]\n");
    write_file(dir, "notes.txt", "not a look");
    write_file(dir, ".hidden.look", "not a look");
    assert_int_equal(recipe_set_open(dir, &s, NULL), ERR_OK);
    assert_non_null(recipe_find(s, "first other"));
    assert_int_equal(recipe_find(s, "oil painting")->steps, 1);
    assert_non_null(strstr(recipe_find(s, "oil painting")->file, "/oil.look"));
    const char *name = NULL;
    assert_ptr_equal(recipe_named_in(s, "a Test, please", &name), recipe_find(s, "test"));
    assert_string_equal(name, "test");
    assert_ptr_equal(recipe_named_in(s, "test of FIRST OTHER", &name), recipe_find(s, "test"));
    assert_string_equal(name, "first other");
    assert_null(recipe_named_in(s, "tests, \xc3\xa9test, attest, gold", &name));
    assert_true(steps > 1);
    assert_non_null(recipe_at(s, built_in));
    assert_null(recipe_at(s, built_in + 1));
    recipe_set_close(s);

    write_file(dir, "zbad.look", "name = z\n[relief]\nheight = 9\n");
    assert_int_equal(recipe_set_open(dir, &s, &note), ERR_INVALID);
    assert_non_null(strstr(note.text, "zbad.look:3:10:"));
    remove_dir(dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    snprintf(pipe_name, sizeof(pipe_name), "%s/pipe.look", dir);
    assert_int_equal(mkfifo(pipe_name, 0600), 0);
    assert_int_equal(recipe_set_open(dir, &s, &note), ERR_INVALID); // and does not wait
    assert_non_null(strstr(note.text, "pipe.look: not a file"));
    remove_dir(dir);
    assert_int_equal(recipe_set_open(dir, &s, &note), ERR_IO);
    assert_non_null(strstr(note.text, dir));
}

static void every_look_of_ours_says_what_it_is(void **state)
{
    struct recipe_set *s = NULL;

    (void)state;
    assert_int_equal(recipe_set_open(NULL, &s, NULL), ERR_OK);
    for (int i = 0; recipe_at(s, i); i++) {
        const struct recipe *r = recipe_at(s, i);
        if (!r->family[0] || !r->about[0] || strlen(r->about) == sizeof r->about - 1)
            fail_msg("%s: no family, or no comment of fitting length before its name", r->name[0]);
        for (int k = 0; k < r->names; k++)
            assert_ptr_equal(recipe_find(s, r->name[k]), r);
    }
    recipe_set_close(s);
}

static void every_operator_declares_sane_parameters(void **state)
{
    (void)state;
    for (const struct look_op *const *op = look_op_table; *op; op++) {
        int n = 0;
        assert_ptr_equal(look_op_find((*op)->name, strlen((*op)->name)), *op);
        assert_true(strlen((*op)->help) > 10 && (*op)->cost_ms > 0);
        for (const struct look_param *p = (*op)->param; p->name; p++, n++) {
            assert_true(p->least < p->most);
            assert_true(p->least <= p->normal && p->normal <= p->most);
            assert_true(strlen(p->help) > 5);
        }
        assert_true(n <= LOOK_PARAMS_MAX);
    }
    assert_null(look_op_find("relie", 5));
}

static void the_documentation_is_that_of_the_tables(void **state)
{
    const char *root = getenv("MESON_SOURCE_ROOT");
    struct buf path = BUF_INIT, want = BUF_INIT;
    char text[128 * 1024];

    (void)state;
    buf_addf(&path, "%s/docs/looks.md", root ? root : ".");
    FILE *f = fopen(path.data, "r");
    if (!f)
        fail_msg("no %s", path.data);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
    look_op_describe(&want);
    if (!strstr(text, want.data))
        fail_msg("docs/looks.md should hold:\n%s", want.data);
    buf_release(&path);
    buf_release(&want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_recipe_is_read),
        cmocka_unit_test(a_bad_recipe_is_refused_with_its_place),
        cmocka_unit_test(responses_move_what_they_name),
        cmocka_unit_test(limits_hold_at_and_past_the_edge),
        cmocka_unit_test(a_folder_adds_and_replaces_looks),
        cmocka_unit_test(every_look_of_ours_says_what_it_is),
        cmocka_unit_test(every_operator_declares_sane_parameters),
        cmocka_unit_test(the_documentation_is_that_of_the_tables),
    };

    return cmocka_run_group_tests_name("look_recipe", tests, NULL, NULL);
}
