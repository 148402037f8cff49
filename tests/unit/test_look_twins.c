/* SPDX-License-Identifier: MIT */
#include "look_twin.h"

/*
 * Every operator and every map beside its slow twin. The argument is the subject whose twins are
 * run (of SUBJECT), or "all": whether there is a twin for everything.
 */
static const struct {
    const char *name;
    const struct twin *twin;
} SUBJECT[] = {
    {"painted", look_twins_painted}, {"plan", look_twins_plan},
    {"strokes", look_twins_strokes}, {"printed", look_twins_printed},
    {"lines", look_twins_lines},     {"solid", look_twins_solid},
    {"maps", look_twins_maps},       {"outline", look_twins_outline},
    {"form", look_twins_form},       {"mood", look_twins_mood},
    {"cells", look_twins_cells},     {"panes", look_twins_panes},
    {"tiles", look_twins_tiles},
};

enum { SUBJECTS = sizeof(SUBJECT) / sizeof(SUBJECT[0]), TWINS_MAX = 64 };

static bool has_twin(const char *name, bool map)
{
    for (int i = 0; i < SUBJECTS; i++)
        for (const struct twin *t = SUBJECT[i].twin; t->name; t++)
            if (tw_named(t, name) && (map ? t->map != NULL : t->pixel || t->whole))
                return true;
    return false;
}

static void every_operator_and_map_has_a_twin(void **state)
{
    (void)state;
    for (const struct look_op *const *op = look_op_table; *op; op++)
        if (!has_twin((*op)->name, false))
            fail_msg("the operator %s has no twin", (*op)->name);
    for (const struct look_map *m = look_map_table; m->name; m++)
        if (!has_twin(m->name, true))
            fail_msg("the map %s has no twin", m->name);
}

static bool moves(const char *op, const char *param)
{
    for (int i = 0; i < SUBJECTS; i++)
        for (const struct twin *t = SUBJECT[i].twin; t->name; t++)
            for (const struct twin_set *s = t->set; s && s->name && tw_named(t, op); s++)
                if (strcmp(s->name, param) == 0)
                    return true;
    return false;
}

// What is compared at its default alone might as well be a constant.
static void every_parameter_is_moved(void **state)
{
    (void)state;
    for (const struct look_op *const *op = look_op_table; *op; op++)
        for (const struct look_param *p = (*op)->param; p->name; p++)
            if (!moves((*op)->name, p->name))
                fail_msg("no twin of %s moves its %s", (*op)->name, p->name);
}

struct task {
    const struct fixture *f;
    const struct twin *twin;
};

static void is_as_its_twin(void **state)
{
    const struct task *t = *state;

    twin_compare(t->f, t->twin);
}

static int run_subject(const char *name, const struct twin *twin)
{
    struct CMUnitTest test[TWINS_MAX] = {{0}};
    struct task task[TWINS_MAX];
    void *f = NULL;
    size_t n = 0;

    open_all(&f);
    for (; twin[n].name; n++) {
        assert_true(n < TWINS_MAX);
        task[n] = (struct task){.f = f, .twin = &twin[n]};
        test[n] = (struct CMUnitTest){
            .name = twin[n].name, .test_func = is_as_its_twin, .initial_state = &task[n]};
    }
    int failed = _cmocka_run_group_tests(name, test, n, NULL, NULL);
    close_all(&f);
    return failed;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest all[] = {cmocka_unit_test(every_operator_and_map_has_a_twin),
                                     cmocka_unit_test(every_parameter_is_moved)};
    const char *subject = argc > 1 ? argv[1] : "all";

    for (int i = 0; i < SUBJECTS; i++)
        if (strcmp(SUBJECT[i].name, subject) == 0)
            return run_subject(subject, SUBJECT[i].twin);
    return strcmp(subject, "all") == 0 ? cmocka_run_group_tests_name("all", all, NULL, NULL) : 2;
}
