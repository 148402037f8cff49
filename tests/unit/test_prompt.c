/* SPDX-License-Identifier: MIT */
#include "unit/unit.h"

#include "base/json.h"
#include "base/rand.h"
#include "base/utf8.h"
#include "prompt/lexicon.h"
#include "prompt/prompt.h"

#include <stdio.h>
#include <string.h>

struct reading {
    struct arena arena;
    struct prompt p;
};

static struct reading *read_prompt(const char *text)
{
    struct reading *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    assert_int_equal(prompt_read(&r->p, &r->arena, text, strlen(text)), ERR_OK);
    return r;
}

static void done(struct reading *r)
{
    arena_release(&r->arena);
    free(r);
}

static const struct prompt_warning *warning(const struct prompt *p, const char *code)
{
    for (int i = 0; i < p->warning_count; i++)
        if (strcmp(p->warning[i].code, code) == 0)
            return &p->warning[i];
    return NULL;
}

static void join(const struct prompt_terms *t, char out[4000])
{
    out[0] = '\0';
    for (int i = 0, n = 0; i < t->count; i++)
        n += snprintf(out + n, 4000 - (size_t)n, "%s%s", i ? ", " : "", t->name[i]);
}

/* Every row of prompts.tsv, whose path is the first argument. */
static const char *prompts_path;

enum { LISTS = 6, COLUMNS = 2 + LISTS };

// Appends what differs from the row to `misses`.
static bool row_is_read(const char *const column[COLUMNS], struct buf *misses)
{
    struct reading *r = read_prompt(column[0]);
    const struct prompt_terms *list[LISTS] = {&r->p.materials, &r->p.palette,  &r->p.light,
                                              &r->p.modifiers, &r->p.excluded, &r->p.unknown};
    static const char *const list_name[LISTS] = {"materials", "palette",  "light",
                                                 "modifiers", "excluded", "unknown"};
    const char *medium = r->p.medium ? r->p.medium : "";
    bool right = strcmp(medium, column[1]) == 0;

    if (!right)
        buf_addf(misses, "  medium '%s', not '%s'", medium, column[1]);
    for (int i = 0; i < LISTS; i++) {
        char names[4000];
        join(list[i], names);
        if (strcmp(names, column[2 + i]) == 0)
            continue;
        buf_addf(misses, "  %s '%s', not '%s'", list_name[i], names, column[2 + i]);
        right = false;
    }
    done(r);
    return right;
}

static void words_are_understood(void **state)
{
    enum { ROWS_MIN = 260 };
    FILE *file = fopen(prompts_path, "re");
    struct buf misses = BUF_INIT, marks = BUF_INIT;
    char line[8000];
    int rows = 0, right = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        const char *column[COLUMNS];
        char *rest = line;
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || line[0] == '\0')
            continue;
        for (int i = 0; i < COLUMNS; i++) {
            const char *next = strsep(&rest, "\t");
            column[i] = next ? next : "";
        }
        bool known_miss = column[0][0] == '!';
        column[0] += known_miss;
        buf_addf(&misses, "%s\n", column[0]);
        size_t without = misses.len - strlen(column[0]) - 1;
        bool is_right = row_is_read(column, &misses);
        if (is_right)
            misses.len = without;
        else
            buf_adds(&misses, "\n");
        if (is_right == known_miss)
            buf_addf(&marks, "%s: '%s'\n", known_miss ? "no miss any more" : "missed", column[0]);
        right += is_right;
        rows++;
    }
    fclose(file);
    printf("%d of %d prompts are read right (%.1f %%). Misses:\n%.*s", right, rows,
           100.0 * right / rows, (int)misses.len, misses.data ? misses.data : "");
    buf_release(&misses);
    assert_true(rows >= ROWS_MIN);
    assert_true(right * 100 >= rows * 95);
    if (marks.len > 0)
        fail_msg("prompts.tsv has these the other way round:\n%s", marks.data);
    buf_release(&marks);
}

static bool is_look(const struct lexicon_entry *e)
{
    return e && (e->kind == LEXICON_MEDIUM || e->kind == LEXICON_MATERIAL);
}

// Every phrase of two words whose last is a look or implies one: "stained glass", "ink painting".
static void words_between_break_no_phrase(void **state)
{
    int phrases = 0;

    (void)state;
    for (size_t i = 0; i < lexicon_entry_count; i++) {
        const char *phrase = lexicon_entries[i].phrase, *space = strchr(phrase, ' ');
        const struct lexicon_entry *last = space ? lexicon_find(space + 1) : NULL;
        char whole[100], broken[100], materials[2][4000];
        if (!is_look(&lexicon_entries[i]) || !last || !(is_look(last) || last->implies))
            continue;
        snprintf(whole, sizeof(whole), "cracked %s", phrase);
        snprintf(broken, sizeof(broken), "%.*s cracked%s", (int)(space - phrase), phrase, space);
        struct reading *one = read_prompt(whole), *other = read_prompt(broken);
        join(&one->p.materials, materials[0]);
        join(&other->p.materials, materials[1]);
        if (strcmp(materials[0], materials[1]) != 0 ||
            strcmp(one->p.medium ? one->p.medium : "", other->p.medium ? other->p.medium : "") != 0)
            fail_msg("'%s' is '%s' of '%s'", broken, other->p.medium ? other->p.medium : "",
                     materials[1]);
        done(one);
        done(other);
        phrases++;
    }
    assert_true(phrases > 300);
}

static void terms_have_their_places(void **state)
{
    struct reading *r = read_prompt("caf\xC3\xA9 in silver relief, by Monet --no red");
    const struct prompt *p = &r->p;

    (void)state;
    assert_int_equal(p->palette.place[0].start, 8);
    assert_int_equal(p->palette.place[0].end, 14);
    assert_string_equal(p->modifiers.name[0], "carved");
    assert_string_equal(p->modifiers.place[0].said, "relief");
    assert_int_equal(p->modifiers.place[0].start, 15);
    assert_string_equal(p->modifiers.name[1], "impressionist");
    assert_string_equal(p->modifiers.place[1].said, "monet");
    assert_int_equal(p->excluded.place[0].start, 37);
    assert_int_equal(p->excluded.place[0].end, 40);
    done(r);
    // A statue is of marble where nothing else is said, and no word says so.
    r = read_prompt("a statue");
    assert_string_equal(r->p.materials.name[0], "marble");
    assert_string_equal(r->p.materials.place[0].said, "marble");
    assert_int_equal(r->p.materials.place[0].end, 0);
    done(r);
}

static void parameters_are_read(void **state)
{
    struct reading *r = read_prompt("oil --seed 4294967295 --AR 16:9 --stylize 1000 --iw 1.5 --c 7 "
                                    "--quality .5 --sref https://e.org/a.png --sw 0 --tile "
                                    "--style RAW --no red, blue");

    (void)state;
    assert_string_equal(r->p.text, "oil");
    assert_int_equal(r->p.given, (PROMPT_WEIGHTS - 1));
    assert_int_equal(r->p.seed, 4294967295u);
    assert_int_equal(r->p.ar_w, 16);
    assert_int_equal(r->p.ar_h, 9);
    assert_int_equal(r->p.s, 1000);
    assert_true(r->p.iw == 1.5f);
    assert_int_equal(r->p.chaos, 7);
    assert_true(r->p.q == .5f);
    assert_string_equal(r->p.sref, "https://e.org/a.png");
    assert_int_equal(r->p.sw, 0);
    assert_true(r->p.tile);
    assert_true(r->p.style_raw);
    assert_int_equal(r->p.excluded.count, 2);
    assert_int_equal(r->p.warning_count, 0);
    done(r);

    r = read_prompt("oil");
    assert_int_equal(r->p.given, 0);
    assert_int_equal(r->p.s, 100);
    assert_true(r->p.iw == 1 && r->p.q == 1);
    assert_int_equal(r->p.chaos, 0);
    assert_int_equal(r->p.sw, 100);
    assert_null(r->p.sref);
    assert_int_equal(r->p.part_count, 1);
    assert_true(r->p.part[0].weight == 1);
    done(r);
}

// Each value of one parameter, as JSON, and the warning that it brings.
static void values_are_clamped_or_refused_with_a_warning(void **state)
{
    static const struct {
        const char *text, *parameters, *code;
        uint32_t start, end;
    } row[] = {
        {"oil --seed 0", "{\"seed\":0}", NULL, 0, 0},
        {"oil --seed 4294967296", "{\"seed\":4294967295}", "clamped", 11, 21},
        {"oil --seed -1", "{\"seed\":0}", "clamped", 11, 13},
        {"oil --seed random", "{}", "bad_value", 11, 17},
        {"oil --seed", "{}", "bad_value", 4, 10},
        {"oil --seed --tile", "{\"tile\":true}", "bad_value", 4, 10},
        {"oil --seed 1e3", "{}", "bad_value", 11, 14},
        {"oil --seed 0x10", "{}", "bad_value", 11, 15},
        {"oil --seed 7,", "{\"seed\":7}", NULL, 0, 0},
        {"oil --s 0", "{\"s\":0}", NULL, 0, 0},
        {"oil --s 1000", "{\"s\":1000}", NULL, 0, 0},
        {"oil --s 1001", "{\"s\":1000}", "clamped", 8, 12},
        {"oil --s -1", "{\"s\":0}", "clamped", 8, 10},
        {"oil --s 250.4", "{\"s\":250}", "clamped", 8, 13},
        {"oil --s nan", "{}", "bad_value", 8, 11},
        {"oil --s250", "{\"s\":250}", NULL, 0, 0},
        {"oil --s=250", "{\"s\":250}", NULL, 0, 0},
        {"oil --iw 3", "{\"iw\":3.00}", NULL, 0, 0},
        {"oil --iw 3.1", "{\"iw\":3.00}", "clamped", 9, 12},
        {"oil --iw -.5", "{\"iw\":0.00}", "clamped", 9, 12},
        {"oil --chaos 100", "{\"chaos\":100}", NULL, 0, 0},
        {"oil --chaos 101", "{\"chaos\":100}", "clamped", 12, 15},
        {"oil --sw 1001", "{\"sw\":1000}", "clamped", 9, 13},
        {"oil --q .25", "{\"q\":0.25}", NULL, 0, 0},
        {"oil --q 4", "{\"q\":4.00}", NULL, 0, 0},
        {"oil --q 3", "{\"q\":4.00}", "clamped", 8, 9},
        {"oil --q 0", "{\"q\":0.25}", "clamped", 8, 9},
        {"oil --q 99", "{\"q\":4.00}", "clamped", 8, 10},
        {"oil --q best", "{}", "bad_value", 8, 12},
        {"oil --ar 3:2", "{\"ar\":\"3:2\"}", NULL, 0, 0},
        {"oil --aspect 3x2", "{\"ar\":\"3:2\"}", NULL, 0, 0},
        {"oil --ar 30:1", "{\"ar\":\"30:1\"}", NULL, 0, 0},
        {"oil --ar 31:1", "{\"ar\":\"3000:100\"}", "clamped", 9, 13},
        {"oil --ar 1:99", "{\"ar\":\"100:3000\"}", "clamped", 9, 13},
        {"oil --ar 10000:10000", "{\"ar\":\"10000:10000\"}", NULL, 0, 0},
        {"oil --ar 20001:10001", "{\"ar\":\"200:100\"}", "clamped", 9, 20},
        {"oil --ar 1.85:1", "{\"ar\":\"185:100\"}", NULL, 0, 0},
        {"oil --ar 0:1", "{}", "bad_value", 9, 12},
        {"oil --ar -1:1", "{}", "bad_value", 9, 13},
        {"oil --ar 16", "{}", "bad_value", 9, 11},
        {"oil --ar wide", "{}", "bad_value", 9, 13},
        {"oil --style cute", "{}", "bad_value", 12, 16},
        {"oil --raw", "{\"style\":\"raw\"}", NULL, 0, 0},
        {"oil --sref 12345", "{}", "bad_value", 11, 16},
        {"oil --sref https://e.org/a::2", "{\"sref\":\"https://e.org/a\"}", NULL, 0, 0},
        {"oil --sref https://a.org/ https://b.org/", "{\"sref\":\"https://a.org/\"}", "bad_value",
         11, 40},
        {"oil --no", "{}", "bad_value", 4, 8},
        {"oil --s 1 --stylize 2", "{\"s\":2}", "duplicate", 4, 9},
        {"oil --s 1 --s x", "{\"s\":1}", "bad_value", 14, 15},
        {"oil --v 6.1", "{}", "ignored_parameter", 4, 11},
        {"oil --v6", "{}", "ignored_parameter", 4, 8},
        {"oil --niji", "{}", "ignored_parameter", 4, 10},
        {"oil --fast", "{}", "ignored_parameter", 4, 10},
        {"oil --weird 3000", "{}", "ignored_parameter", 4, 16},
        {"oil --stop 80", "{}", "ignored_parameter", 4, 13},
        {"oil --oref https://e.org/a --ow 5", "{}", "ignored_parameter", 4, 26},
        {"oil --p m723abc", "{}", "ignored_parameter", 4, 15},
        {"oil --frob 7", "{}", "unknown_parameter", 4, 10},
        {"oil --no red and yelow", "{}", "spelling", 17, 22},
        {"\xF0\x9F\x8E\xA8\xF0\x9F\x8E\xA8 oil --s 1001", "{\"s\":1000}", "clamped", 11, 15},
        {"oil \xE2\x80\x94"
         "ar 3:2",
         "{\"ar\":\"3:2\"}", NULL, 0, 0},
        {"oil \xE2\x80\x93s 7", "{\"s\":7}", NULL, 0, 0},
        {"oil,--s 7", "{\"s\":7}", NULL, 0, 0},
        {"oil --S\xC2\xA0"
         "7",
         "{\"s\":7}", NULL, 0, 0},
        {"oil -s 7", "{}", NULL, 0, 0},
        {"oil--tile", "{}", NULL, 0, 0},
        {"oil \xE2\x80\x94 seed 7", "{}", NULL, 0, 0},
        {"oil --", "{}", NULL, 0, 0},
        {"oil -- 7", "{}", NULL, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct reading *r = read_prompt(row[i].text);
        struct buf json = BUF_INIT, wanted = BUF_INIT;
        prompt_write_json(&r->p, &json);
        buf_addf(&wanted, "\"parameters\":%s,\"warnings\"", row[i].parameters);
        if (!strstr(json.data, wanted.data))
            fail_msg("'%s': %s", row[i].text, json.data);
        if (!row[i].code) {
            if (r->p.warning_count > 0 && !warning(&r->p, "unknown_words"))
                fail_msg("'%s': %s", row[i].text, r->p.warning[0].message);
        } else {
            const struct prompt_warning *w = warning(&r->p, row[i].code);
            if (!w || w->start != row[i].start || w->end != row[i].end)
                fail_msg("'%s': %s", row[i].text, json.data);
        }
        buf_release(&json);
        buf_release(&wanted);
        done(r);
    }
}

// Also where the number has more digits than messages usually show.
static void a_clamped_number_is_told_in_full(void **state)
{
    struct reading *r = read_prompt("oil --seed 4294967296");

    (void)state;
    assert_non_null(strstr(warning(&r->p, "clamped")->message, "was read as 4294967295"));
    done(r);
}

static void misspellings_are_never_proposed(void **state)
{
    static const struct {
        const char *text, *message;
    } row[] = {
        {"watercoler", "'watercoler' was read as 'watercolor'"},
        {"charcoel", "'charcoel' was read as 'charcoal'"},
        {"mossaic", "'mossaic' was read as 'mosaic'"},
        {"engraveing", "'engraveing' was read as 'engraving'"},
        {"watercolr", NULL}, // listed
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct reading *r = read_prompt(row[i].text);
        const struct prompt_warning *w = warning(&r->p, "spelling");
        assert_non_null(r->p.medium);
        assert_int_equal(!w, !row[i].message);
        if (w)
            assert_string_equal(w->message, row[i].message);
        done(r);
    }
}

static void a_weight_apart_from_its_colons_is_told(void **state)
{
    static const struct {
        const char *text;
        uint32_t start, end; // 0, 0: no warning
    } row[] = {
        {"oil :: 2 watercolour::1", 7, 8},
        {"oil::  .5", 7, 9},
        {"oil:: two cats", 0, 0},
        {"oil::2 watercolour::1", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct reading *r = read_prompt(row[i].text);
        const struct prompt_warning *w = warning(&r->p, "bad_value");
        assert_int_equal(w ? w->start : 0, row[i].start);
        assert_int_equal(w ? w->end : 0, row[i].end);
        done(r);
    }
}

static void numbers_without_end_do_no_harm(void **state)
{
    static const char *const name[] = {"seed", "s", "iw", "q", "chaos", "ar", "sw"};
    char text[3700]; // five rows of digits

    (void)state;
    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
        char digits[701];
        memset(digits, '9', 700);
        digits[700] = '\0';
        snprintf(text, sizeof(text), "oil::%s.%s --%s %s.%s:%s", digits, digits, name[i], digits,
                 digits, digits);
        done(read_prompt(text));
        snprintf(text, sizeof(text), "oil --%s %s", name[i], digits);
        struct reading *r = read_prompt(text);
        assert_non_null(warning(&r->p, i == 5 ? "bad_value" : "clamped"));
        done(r);
    }
}

static void weights_make_parts(void **state)
{
    static const struct {
        const char *text;
        int count;
        struct {
            const char *text;
            uint32_t start;
            float weight;
        } part[4];
    } row[] = {
        {"oil", 1, {{"oil", 0, 1}}},
        {"  oil  ", 1, {{"oil", 2, 1}}},
        {"oil::2 blue::1", 2, {{"oil", 0, 2}, {"blue", 7, 1}}},
        {"oil:: blue", 2, {{"oil", 0, 1}, {"blue", 6, 1}}},
        {"oil::.5 blue::-0.25 red", 3, {{"oil", 0, .5f}, {"blue", 8, -.25f}, {"red", 20, 1}}},
        {"oil::2", 1, {{"oil", 0, 2}}},
        {"oil::2.", 2, {{"oil", 0, 2}, {".", 6, 1}}},
        {"::2 oil", 1, {{"oil", 4, 1}}},
        {"::::", 1, {{"", 0, 1}}},
        {"oil::999", 1, {{"oil", 0, 100}}},
        {"oil --tile ::2 blue", 2, {{"oil", 0, 2}, {"blue", 15, 1}}},
        {"\xF0\x9F\x8E\xA8 oil::2 \xC3\xA9",
         2,
         {{"\xF0\x9F\x8E\xA8 oil", 0, 2}, {"\xC3\xA9", 9, 1}}},
        {"oil:2 blue", 1, {{"oil:2 blue", 0, 1}}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct reading *r = read_prompt(row[i].text);
        if (r->p.part_count != row[i].count)
            fail_msg("'%s': %d parts", row[i].text, r->p.part_count);
        assert_int_equal(!!(r->p.given & PROMPT_WEIGHTS), strstr(row[i].text, "::") != NULL);
        for (int k = 0; k < row[i].count; k++) {
            assert_string_equal(r->p.part[k].text, row[i].part[k].text);
            assert_int_equal(r->p.part[k].start, row[i].part[k].start);
            assert_true(r->p.part[k].weight == row[i].part[k].weight);
        }
        done(r);
    }
}

static void the_heaviest_medium_counts(void **state)
{
    struct reading *r = read_prompt("pencil::1 oil painting::2");

    (void)state;
    assert_string_equal(r->p.medium, "oil painting");
    assert_null(warning(&r->p, "several_media")); // the parts blend
    done(r);
    r = read_prompt("pencil and oil painting");
    assert_string_equal(r->p.medium, "pencil");
    assert_non_null(warning(&r->p, "several_media"));
    done(r);
    r = read_prompt("pencil and oil painting::1 gold::1");
    assert_string_equal(r->p.part[0].medium, "pencil");
    assert_non_null(warning(&r->p, "several_media"));
    done(r);
}

static void parts_name_what_they_blend(void **state)
{
    static const struct {
        const char *text;
        struct {
            const char *medium, *manner, *material;
        } part[3];
    } row[] = {
        {"oil painting", {{"oil painting", NULL, NULL}}},
        {"pencil::1 mosaic of gold::2", {{"pencil", NULL, NULL}, {"mosaic", NULL, "gold"}}},
        {"Van Gogh::1 Monet::1",
         {{"oil painting", "expressionist", NULL}, {"oil painting", "impressionist", NULL}}},
        {"a painting::1 marble and jade::1",
         {{"oil painting", NULL, NULL}, {NULL, NULL, "marble"}}},
        {"gold::1 pencil::0 comic::-1", {{NULL, NULL, "gold"}}},
        {"not oil, a painting::1 blue::1", {{"oil painting", NULL, NULL}}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct reading *r = read_prompt(row[i].text);
        for (int k = 0; k < r->p.part_count; k++) {
            const struct prompt_part *part = &r->p.part[k];
            const char *name[] = {part->medium, part->manner, part->material};
            const char *wanted[] = {row[i].part[k].medium, row[i].part[k].manner,
                                    row[i].part[k].material};
            for (int n = 0; n < 3; n++)
                if (!name[n] != !wanted[n] || (name[n] && strcmp(name[n], wanted[n]) != 0))
                    fail_msg("'%s', part %d: %s, not %s", row[i].text, k, name[n], wanted[n]);
        }
        done(r);
    }
}

static void nothing_understood_is_said(void **state)
{
    struct reading *r = read_prompt("blue, misty");

    (void)state;
    assert_non_null(warning(&r->p, "nothing_understood"));
    assert_null(strstr(warning(&r->p, "nothing_understood")->message, "without effect"));
    done(r);
    r = read_prompt("hardware of a bicycle on a beach");
    assert_non_null(strstr(warning(&r->p, "nothing_understood")->message,
                           "; without effect: 'hardware', 'bicycle', 'beach'"));
    done(r);
    r = read_prompt("something in marble");
    assert_null(warning(&r->p, "nothing_understood"));
    done(r);
}

static void limits_hold_with_a_warning(void **state)
{
    struct buf text = BUF_INIT;
    struct reading *r;

    (void)state;
    for (int parts = PROMPT_PARTS_MAX; parts <= PROMPT_PARTS_MAX + 1; parts++) {
        buf_reset(&text);
        for (int i = 0; i < parts; i++)
            buf_addf(&text, "p%d::1 ", i);
        r = read_prompt(text.data);
        assert_int_equal(r->p.part_count, PROMPT_PARTS_MAX);
        assert_int_equal(warning(&r->p, "too_many_parts") != NULL, parts > PROMPT_PARTS_MAX);
        assert_string_equal(r->p.part[PROMPT_PARTS_MAX - 1].text,
                            parts > PROMPT_PARTS_MAX ? "p15 p16" : "p15");
        done(r);
    }
    for (int warnings = PROMPT_WARNINGS_MAX; warnings <= PROMPT_WARNINGS_MAX + 1; warnings++) {
        buf_reset(&text);
        buf_adds(&text, "oil");
        for (int i = 0; i < warnings; i++)
            buf_adds(&text, " --fast");
        r = read_prompt(text.data);
        assert_int_equal(r->p.warning_count, PROMPT_WARNINGS_MAX);
        assert_string_equal(r->p.warning[PROMPT_WARNINGS_MAX - 1].code,
                            warnings > PROMPT_WARNINGS_MAX ? "too_many_warnings"
                                                           : "ignored_parameter");
        done(r);
    }
    buf_reset(&text);
    for (int i = 0; i < PROMPT_TERMS_MAX + 1; i++)
        buf_addf(&text, "zorb%dx ", i);
    r = read_prompt(text.data);
    assert_int_equal(r->p.unknown.count, PROMPT_TERMS_MAX);
    done(r);
    buf_release(&text);
}

static void warnings_can_be_added(void **state)
{
    struct reading *r = read_prompt("oil");
    struct buf out = BUF_INIT;

    (void)state;
    prompt_warn(&r->p, &r->arena, "no_effect", "--%s has no effect", "iw");
    prompt_write_warnings(&r->p, &out);
    assert_string_equal(out.data, "[{\"code\":\"no_effect\",\"message\":\"--iw has no effect\"}]");
    buf_release(&out);
    done(r);
}

static void the_interpretation_has_its_documented_order(void **state)
{
    struct reading *r = read_prompt("oil \"x\\y\" zo\xC3\xA9rb --fast");
    struct buf out = BUF_INIT;

    (void)state;
    prompt_write_json(&r->p, &out);
    assert_string_equal(
        out.data,
        "{\"medium\":\"oil painting\",\"materials\":[],\"palette\":[],\"light\":[],"
        "\"modifiers\":[],\"excluded\":[],\"unknown\":[\"zo\xC3\xA9rb\"],\"parameters\":{},"
        "\"warnings\":[{\"code\":\"ignored_parameter\",\"message\":\"--fast has no meaning "
        "here\",\"start\":16,\"end\":22},{\"code\":\"unknown_words\",\"message\":\"not "
        "understood: 'zo\xC3\xA9rb'\",\"start\":10,\"end\":15}]}");
    buf_release(&out);
    done(r);
}

// Whatever is thrown at it, a reading is whole: strings are UTF-8, places inside the prompt, values
// in their ranges, JSON well formed.
static void check_reading(const char *text, size_t len)
{
    struct arena arena = ARENA_INIT;
    struct prompt *p = malloc(sizeof(*p)); // not on the stack, so that overruns are seen
    struct buf json = BUF_INIT;
    size_t scalars = utf8_count(text, len);
    json_t *root = NULL;

    assert_int_equal(prompt_read(p, &arena, text, len), ERR_OK);
    assert_true(p->s >= 0 && p->s <= 1000 && p->sw >= 0 && p->sw <= 1000);
    assert_true(p->chaos >= 0 && p->chaos <= 100 && p->iw >= 0 && p->iw <= 3);
    assert_true(p->q == .25f || p->q == .5f || p->q == 1 || p->q == 2 || p->q == 4);
    if (p->given & PROMPT_AR)
        assert_true(p->ar_w >= 1 && p->ar_h >= 1 && p->ar_w <= 30 * p->ar_h &&
                    p->ar_h <= 30 * p->ar_w);
    assert_true(p->part_count >= 1 && p->part_count <= PROMPT_PARTS_MAX);
    for (int i = 0; i < p->part_count; i++)
        assert_true(p->part[i].start <= scalars && p->part[i].weight >= -100 &&
                    p->part[i].weight <= 100);
    for (int i = 0; i < p->warning_count; i++)
        assert_true(p->warning[i].start <= p->warning[i].end && p->warning[i].end <= scalars);
    prompt_write_json(p, &json);
    assert_int_equal(json_read(json.data, json.len, &root, NULL), ERR_OK);
    json_decref(root);
    buf_reset(&json);
    prompt_write_warnings(p, &json);
    assert_int_equal(json_read(json.data, json.len, &root, NULL), ERR_OK);
    json_decref(root);
    buf_release(&json);
    arena_release(&arena);
    free(p);
}

static void random_prompts_are_read(void **state)
{
    static const char *const piece[] = {
        " ",
        "  ",
        "--",
        "\xE2\x80\x94",
        "::",
        ":",
        "-",
        ".",
        "1",
        "-2.5",
        "99999",
        "16:9",
        "ar",
        "seed",
        "s",
        "no",
        "sref",
        "https://e.org/",
        "iw",
        "tile",
        "style",
        "raw",
        "oil",
        "painting",
        "gold",
        "and",
        "without",
        "pastel",
        "tones",
        ",",
        "'",
        "\xE2\x80\x99",
        "\xC3\xA9",
        "\xCC\x81",
        "\xF0\x9F\x8E\xA8",
        "\xE6\xB2\xB9",
        "\n",
        "\t",
        "\"",
        "\\",
        "x",
        "zorb",
        "&",
        "colour",
        "\xEF\xBB\xBF",
        "\xC2\xA0",
        "made of",
        "q",
        "no red",
        "=",
        "\x01",
        "\xF4\x8F\xBF\xBF",
    };
    struct pcg rng;
    struct buf text = BUF_INIT;

    (void)state;
    pcg_seed(&rng, 20240601, 1);
    for (int round = 0; round < 4000; round++) {
        buf_reset(&text);
        for (uint32_t n = pcg_below(&rng, 24); n > 0; n--)
            buf_adds(&text, piece[pcg_below(&rng, sizeof(piece) / sizeof(piece[0]))]);
        // An exact copy, so that a sanitizer sees a read past the end.
        char *exact = malloc(text.len ? text.len : 1);
        memcpy(exact, text.data ? text.data : "", text.len);
        check_reading(exact, text.len);
        free(exact);
    }
    buf_release(&text);
}

static void the_longest_prompts_are_read(void **state)
{
    static const char *const unit[] = {"&",         "a ",  "--",     "::", "\xF0\x9F\x8E\xA8",
                                       "zorbling ", "no ", "--s 1 ", "'",  "\xE2\x80\x94"};
    struct buf text = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof(unit) / sizeof(unit[0]); i++) {
        buf_reset(&text);
        while (utf8_count(text.data ? text.data : "", text.len) + 10 < PROMPT_CHARS_MAX)
            for (int k = 0; k < 100; k++)
                buf_adds(&text, unit[i]);
        check_reading(text.data, text.len);
    }
    buf_release(&text);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_understood),
        cmocka_unit_test(words_between_break_no_phrase),
        cmocka_unit_test(terms_have_their_places),
        cmocka_unit_test(parameters_are_read),
        cmocka_unit_test(values_are_clamped_or_refused_with_a_warning),
        cmocka_unit_test(a_clamped_number_is_told_in_full),
        cmocka_unit_test(misspellings_are_never_proposed),
        cmocka_unit_test(a_weight_apart_from_its_colons_is_told),
        cmocka_unit_test(numbers_without_end_do_no_harm),
        cmocka_unit_test(weights_make_parts),
        cmocka_unit_test(the_heaviest_medium_counts),
        cmocka_unit_test(parts_name_what_they_blend),
        cmocka_unit_test(nothing_understood_is_said),
        cmocka_unit_test(limits_hold_with_a_warning),
        cmocka_unit_test(warnings_can_be_added),
        cmocka_unit_test(the_interpretation_has_its_documented_order),
        cmocka_unit_test(random_prompts_are_read),
        cmocka_unit_test(the_longest_prompts_are_read),
    };

    if (argc != 2) {
        fprintf(stderr, "usage: test_prompt tests/prompts.tsv\n");
        return 2;
    }
    prompts_path = argv[1];
    return cmocka_run_group_tests_name("prompt", tests, NULL, NULL);
}
