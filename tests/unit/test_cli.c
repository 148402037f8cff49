/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "base/config.h"
#include "base/nearest.h"
#include "cli/lettering.h"
#include "server/data_dir.h"
#include "server/settings.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct target {
    const char *name, *colour;
    int64_t count, free_number;
    bool loud;
    struct config_texts tags;
};

#define ROW(name_, type_, field_, ...)                                                           \
    {                                                                                            \
        .name = (name_), .type = (type_), .offset = offsetof(struct target, field_), __VA_ARGS__ \
    }

static const struct config_option rows[] = {
    ROW("name", CONFIG_TEXT, name, .letter = 'n', .value = "NAME", .help = "a name"),
    ROW("colour", CONFIG_CHOICE, colour, .choices = "red|dark-green", .fallback = "red",
        .value = "C", .help = "a colour"),
    ROW("count", CONFIG_NUMBER, count, .min = -1, .max = 100, .fallback = "4", .value = "N",
        .help = "how many"),
    ROW("free-number", CONFIG_NUMBER, free_number, .min = 0, .max = INT64_MAX, .value = "N",
        .help = "any"),
    ROW("loud", CONFIG_SWITCH, loud, .help = "noise"),
    ROW("tag", CONFIG_TEXTS, tags, .flag_only = true, .value = "T", .help = "any number of"),
};
static const struct config config = {rows, 6, "PTEST_"};

static void help_and_page_are_made_from_the_rows(void **state)
{
    static const struct config_option grouped[] = {
        ROW("colour", CONFIG_CHOICE, colour, .group = "Looks", .choices = "red|green",
            .fallback = "red", .value = "C", .help = "a | between"),
        ROW("count", CONFIG_NUMBER, count, .min = 0, .max = 9, .value = "N", .computed = "half",
            .help = "how many"),
        ROW("loud", CONFIG_SWITCH, loud, .group = "Noise", .help = "noise"),
        ROW("name", CONFIG_TEXT, name, .value = "NAME", .help = "a name"),
    };
    const struct config c = {grouped, 4, "PTEST_"};
    struct buf out = BUF_INIT;

    (void)state;
    config_markdown(&c, &out);
    assert_string_equal(out.data,
                        "\n## Looks\n\n| setting | what it does | default |\n|---|---|---|\n"
                        "| `PTEST_COLOUR`<br>`--colour C` | a \\| between; one of red\\|green | "
                        "`red` |\n"
                        "| `PTEST_COUNT`<br>`--count N` | how many; 0 to 9 | half |\n"
                        "\n## Noise\n\n| setting | what it does | default |\n|---|---|---|\n"
                        "| `PTEST_LOUD`<br>`--loud` | noise | off |\n"
                        "| `PTEST_NAME`<br>`--name NAME` | a name | not set |\n");
    buf_reset(&out);
    config_help(&c, &out);
    assert_int_equal(strncmp(out.data, "Looks:\n      --colour C", 23), 0);
    assert_non_null(strstr(out.data, "\n\nNoise:\n      --loud"));
    buf_release(&out);
}

static enum err parse(const char *const *args, struct target *t, const char **words, int words_max,
                      int *count, struct err_note *note)
{
    const char *argv[12] = {"test"};
    int argc = 1;

    for (; args[argc - 1]; argc++)
        argv[argc] = args[argc - 1];
    config_defaults(&config, t);
    return config_args(&config, t, argc, argv, words, words_max, count, note);
}

static void flags_are_read_in_every_spelling(void **state)
{
    struct target t;
    const char *words[2];
    int count;

    (void)state;
    assert_int_equal(parse((const char *[]){"a", NULL}, &t, words, 2, &count, NULL), ERR_OK);
    assert_null(t.name);
    assert_string_equal(t.colour, "red");
    assert_int_equal(t.count, 4);
    assert_true(t.free_number == CONFIG_UNSET);
    assert_false(t.loud);
    assert_int_equal(count, 1);

    assert_int_equal(parse((const char *[]){"-n", "x", "--colour=dark-green", "in", "--count",
                                            "100", "--loud", "--", "--name", NULL},
                           &t, words, 2, &count, NULL),
                     ERR_OK);
    assert_string_equal(t.name, "x");
    assert_string_equal(t.colour, "dark-green");
    assert_int_equal(t.count, 100);
    assert_true(t.loud);
    assert_int_equal(count, 2);
    assert_string_equal(words[0], "in");
    assert_string_equal(words[1], "--name");

    assert_int_equal(parse((const char *[]){"--count=1", "--count=-1", "--loud=off", NULL}, &t,
                           words, 2, &count, NULL),
                     ERR_OK);
    assert_int_equal(t.count, -1);
    assert_false(t.loud);
    assert_int_equal(parse((const char *[]){"-", "-5", NULL}, &t, words, 2, &count, NULL), ERR_OK);
    assert_string_equal(words[0], "-");
    assert_string_equal(words[1], "-5"); // no letter is a digit
    assert_int_equal(
        parse((const char *[]){"-", "--help", "--nonsense", NULL}, &t, words, 2, &count, NULL),
        ERR_NONE);
}

static void a_flag_may_be_one_of_several(void **state)
{
    const char *argv[CONFIG_TEXTS_MAX + 2] = {"test"};
    struct target t;
    struct err_note note = {0};
    const char *words[1];
    int count;

    (void)state;
    assert_int_equal(
        parse((const char *[]){"--tag", "b", "x", "--tag=", NULL}, &t, words, 1, &count, NULL),
        ERR_OK);
    assert_int_equal(t.tags.count, 2);
    assert_string_equal(t.tags.text[0], "b");
    assert_string_equal(t.tags.text[1], "");
    for (int n = CONFIG_TEXTS_MAX; n <= CONFIG_TEXTS_MAX + 1; n++) {
        for (int i = 1; i <= n; i++)
            argv[i] = "--tag=x";
        config_defaults(&config, &t);
        assert_int_equal(config_args(&config, &t, n + 1, argv, words, 1, &count, &note),
                         n > CONFIG_TEXTS_MAX ? ERR_INVALID : ERR_OK);
    }
    assert_string_equal(note.text, "--tag is given more than 64 times");
}

static int dark_pixels(const struct image *im)
{
    int n = 0;

    for (int i = 0; i < im->width * im->height; i++)
        n += im->px[4 * i] < 128;
    return n;
}

static void labels_have_a_letter_for_every_name(void **state)
{
    static const char *const letters = "abcdefghijklmnopqrstuvwxyz"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789&-.,'\"/:;!?()+_";
    struct image im[96] = {0};
    int n = 0;

    (void)state;
    for (const char *c = letters; *c; c++, n++) {
        const char text[] = {*c, '\0'};
        assert_int_equal(image_new(&im[n], 40, 48), ERR_OK);
        memset(im[n].px, 255, im[n].stride * 48);
        lettering_draw(&im[n], text, 4, 34, 24);
        assert_true(dark_pixels(&im[n]) > 5);
        for (int k = 0; k < n; k++)
            assert_true(memcmp(im[k].px, im[n].px, im[n].stride * 48) != 0);
    }
    // Its own sign for what it lacks, one for a character of several bytes.
    assert_true(lettering_width("\xc3\xa9", 20) == lettering_width("~", 20));
    assert_true(lettering_width("oil painting", 20) == 2 * lettering_width("oil painting", 10));
    assert_true(lettering_width("", 20) == 0);
    // Nothing is drawn outside the picture.
    struct image view = image_view(&im[0], 10, 10, 4, 4);
    lettering_draw(&view, "oil painting", -30, -3, 24);
    lettering_draw(&view, "oil painting", 2, 60, 24);
    for (int i = 0; i < n; i++)
        image_release(&im[i]);
}

static void bad_flags_are_refused_and_say_what_was_meant(void **state)
{
    static const struct {
        const char *args[3];
        const char *says;
    } row[] = {
        {{"--cont=4"}, "unknown flag --cont=4; did you mean --count?"},
        {{"--coulor", "red"}, "did you mean --colour?"},
        {{"--hlep"}, "did you mean --help?"},
        {{"--zzzzzz"}, "unknown flag --zzzzzz; --help lists them"},
        {{"-x"}, "unknown flag -x"},
        {{"--count"}, "--count needs a value: --count N"},
        {{"--count=101"}, "--count is \"101\"; it must be a whole number from -1 to 100"},
        {{"--count=-2"}, "from -1 to 100"},
        {{"--count=4x"}, "--count is \"4x\""},
        {{"--count="}, "--count is \"\""},
        {{"--count", " 4"}, "--count is \" 4\""},
        {{"--free-number=9223372036854775808"}, "--free-number is"},
        {{"--colour=re"}, "must be one of red|dark-green"},
        {{"--colour=red|dark-green"}, "must be one of"},
        {{"--colour="}, "must be one of"},
        {{"--loud=maybe"}, "must be 1 or 0"},
        {{"one", "two"}, "\"two\" is one word too many"},
    };
    struct target t;
    struct err_note note;
    const char *words[1];
    int count;

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        err_note_clear(&note);
        assert_int_equal(parse(row[i].args, &t, words, 1, &count, &note), ERR_INVALID);
        if (!strstr(note.text, row[i].says))
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, note.text, row[i].says);
    }
}

static void variables_set_what_flags_do_not(void **state)
{
    struct target t;
    struct err_note note;
    struct buf unknown = BUF_INIT;

    (void)state;
    setenv("PTEST_FREE_NUMBER", "7", 1);
    setenv("PTEST_LOUD", "yes", 1);
    setenv("PTEST_NAME", "", 1);
    setenv("PTEST_COLUR", "red", 1);
    config_defaults(&config, &t);
    assert_int_equal(config_env(&config, &t, &note), ERR_OK);
    assert_int_equal(t.free_number, 7);
    assert_true(t.loud);
    assert_null(t.name);

    config_env_unknown(&config, &unknown);
    assert_string_equal(unknown.data, "PTEST_COLUR is not a setting of this program "
                                      "(did you mean PTEST_COLOUR?)");
    unsetenv("PTEST_COLUR");
    setenv("PTEST_Loud", "yes", 1);
    buf_reset(&unknown);
    config_env_unknown(&config, &unknown);
    assert_string_equal(unknown.data, "PTEST_Loud is not a setting of this program "
                                      "(did you mean PTEST_LOUD?)");
    unsetenv("PTEST_Loud");
    setenv("PTEST_COUNT", "1e3", 1);
    assert_int_equal(config_env(&config, &t, &note), ERR_INVALID);
    assert_non_null(strstr(note.text, "PTEST_COUNT is \"1e3\""));
    buf_release(&unknown);
    unsetenv("PTEST_COUNT");
}

static void nearest_words_are_typing_mistakes_only(void **state)
{
    static const struct {
        const char *word, *best;
    } row[] = {
        {"serv", "serve"}, {"sreve", "serve"},  {"redner", "render"}, {"explian", "explain"},
        {"ren", "render"}, {"bnech", "bench"},  {"", NULL},           {"account", NULL},
        {"zzz", NULL},     {"server", "serve"}, {"rendering", NULL},  {"s", NULL},
    };
    static const char *const candidates[] = {"serve", "render", "explain", "bench"};

    (void)state;
    assert_int_equal(edit_distance("abcd", "abdc"), 1);
    assert_int_equal(edit_distance("", "abc"), 3);
    assert_int_equal(edit_distance("kitten", "sitting"), 3);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct nearest n = NEAREST(row[i].word);
        for (int k = 0; k < 4; k++)
            nearest_try(&n, candidates[k]);
        if (row[i].best ? !n.best || strcmp(n.best, row[i].best) != 0 : n.best != NULL)
            fail_msg("%s: %s", row[i].word, n.best ? n.best : "nothing");
    }
}

static void settings_are_checked_beyond_their_rows(void **state)
{
    static const struct {
        const char *arg;
        const char *says; // NULL: good
    } row[] = {
        {"--listen=127.0.0.1:0", NULL},
        {"--listen=[::1]:65535", NULL},
        {"--listen=localhost:80", NULL},
        {"--listen=127.0.0.1:65536", "--listen is"},
        {"--listen=127.0.0.1", "--listen is"},
        {"--listen=127.0.0.1:", "--listen is"},
        {"--listen=:80", "--listen is"},
        {"--listen=::1:80", "--listen is"},
        {"--listen=a:+80", "--listen is"},
        {"--listen=a:80b", "--listen is"},
        {"--public-url=https://a.example/", NULL},
        {"--public-url=a.example", "--public-url is"},
        {"--public-url=ftp://a.example", "--public-url is"},
        {"--public-url=https://", "--public-url is"},
        {"--public-url=https://a.example/?x", "--public-url is"},
        {"--database=sqlite:/tmp/x.db", NULL},
        {"--database=sqlite:", "--database is"},
        {"--database=postgresql://x", "this build knows sqlite:PATH alone"},
        {"--blobs=s3://bucket", "this build knows dir:PATH alone"},
        {"--api-key=0123456789abcdef", NULL},
        {"--api-key=0123456789abcde", "PATINA_API_KEY must be"},
        {"--api-key=0123456789 abcdef", "PATINA_API_KEY must be"},
        {"--workers=0", NULL},
        {"--workers=257", "--workers is \"257\""},
        {"--pixels=4095", "--pixels is"},
        {"--pixels=16777217", "--pixels is"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct settings s;
        struct arena a = ARENA_INIT;
        struct err_note note = {0};
        int count;
        config_defaults(&settings_config, &s);
        enum err e = config_args(&settings_config, &s, 2, (const char *[]){"serve", row[i].arg},
                                 NULL, 0, &count, &note);
        if (!e)
            e = settings_resolve(&s, &a, &note);
        assert_int_equal(e, row[i].says ? ERR_INVALID : ERR_OK);
        if (row[i].says && !strstr(note.text, row[i].says))
            fail_msg("%s: \"%s\" does not say \"%s\"", row[i].arg, note.text, row[i].says);
        arena_release(&a);
    }
}

static void settings_work_out_what_was_left_open(void **state)
{
    struct settings s;
    struct arena a = ARENA_INIT;
    int count;

    (void)state;
    config_defaults(&settings_config, &s);
    assert_int_equal(config_args(&settings_config, &s, 3,
                                 (const char *[]){"serve", "--listen=[::1]:9", "--data=/d"}, NULL,
                                 0, &count, NULL),
                     ERR_OK);
    assert_int_equal(settings_resolve(&s, &a, NULL), ERR_OK);
    assert_string_equal(s.host, "::1");
    assert_int_equal(s.port, 9);
    assert_string_equal(s.database_path, "/d/patina.db");
    assert_string_equal(s.blobs_path, "/d/blobs");
    assert_true(s.workers >= 1);
    assert_true(s.memory_mb >= 64);
    assert_int_equal(s.pixels, 1048576);
    s.pixels = CONFIG_UNSET;
    s.model = "/m.patina";
    assert_int_equal(settings_resolve(&s, &a, NULL), ERR_OK);
    assert_int_equal(s.pixels, 262144);
    assert_string_equal(settings_default_url(&a, "::1", 9), "http://[::1]:9");
    assert_string_equal(settings_default_url(&a, "::", 9), "http://127.0.0.1:9");
    assert_string_equal(settings_default_url(&a, "0.0.0.0", 9), "http://127.0.0.1:9");
    assert_string_equal(settings_default_url(&a, "10.0.0.1", 80), "http://10.0.0.1:80");
    arena_release(&a);
}

static ino_t synced; // the folder or file of the last fsync()

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    synced = st.st_ino;
    return __real_fsync(fd);
}
// NOLINTEND(bugprone-reserved-identifier)

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void the_first_key_is_on_disk_before_it_is_used(void **state)
{
    static const struct {
        const char *text;
        enum err err;
    } row[] = {
        {"0123456789abcdef\n", ERR_OK},       {"0123456789abcdef\r\n", ERR_OK},
        {"0123456789abcde\n", ERR_INVALID},   {"", ERR_INVALID},
        {"0123456789 abcdef\n", ERR_INVALID}, {"0123456789\xC3\xA9 abcdef", ERR_INVALID},
    };
    char dir[] = "/tmp/patina-data-XXXXXX", path[sizeof dir + 16];
    struct arena a = ARENA_INIT;
    struct stat st;
    const char *key, *again;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/api-key", dir);
    assert_int_equal(data_dir_key(dir, &a, &key, NULL), ERR_OK);
    assert_int_equal(strlen(key), 64);
    assert_int_equal(stat(dir, &st), 0);
    assert_true(synced == st.st_ino); // with its name, not only its bytes
    assert_int_equal(data_dir_key(dir, &a, &again, NULL), ERR_OK);
    assert_string_equal(again, key);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        write_text(path, row[i].text);
        assert_int_equal(data_dir_key(dir, &a, &key, NULL), row[i].err);
    }
    unlink(path);
    rmdir(dir);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_and_page_are_made_from_the_rows),
        cmocka_unit_test(flags_are_read_in_every_spelling),
        cmocka_unit_test(a_flag_may_be_one_of_several),
        cmocka_unit_test(labels_have_a_letter_for_every_name),
        cmocka_unit_test(bad_flags_are_refused_and_say_what_was_meant),
        cmocka_unit_test(variables_set_what_flags_do_not),
        cmocka_unit_test(nearest_words_are_typing_mistakes_only),
        cmocka_unit_test(settings_are_checked_beyond_their_rows),
        cmocka_unit_test(settings_work_out_what_was_left_open),
        cmocka_unit_test(the_first_key_is_on_disk_before_it_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
