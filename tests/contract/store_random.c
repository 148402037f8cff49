/* SPDX-License-Identifier: MIT */
#include "contract/store_fixture.h"
#include "contract/store_suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/*
 * Random operations against a model that is too simple to be wrong: arrays, searched from end to
 * end. Every result, the order of claims included, must be the model's. Then the same operations by
 * several threads at once, where only the invariants can be foretold.
 */
enum { ACCOUNTS = 4, JOBS = 2000, STEPS = 8000, GRANT = 250 * COST };

struct model_account {
    int64_t id, available, frozen, consumed, served;
    int waiting, running;
    bool disabled;
};

struct model_job {
    char uuid[UUID_TEXT];
    int account;
    enum job_state state;
    struct lease lease; /* token 0: none */
    int64_t deadline_ns;
    int claims, strikes, error_code;
};

struct model {
    struct fixture *f;
    struct pcg rng;
    struct model_account account[ACCOUNTS];
    struct model_job job[JOBS];
    int jobs;
    int64_t served;
};

static void model_end(struct model *m, struct model_job *j, enum job_state to, int code)
{
    struct model_account *a = &m->account[j->account];

    if (j->lease.token)
        a->running--;
    else
        a->waiting--;
    a->frozen -= COST;
    if (to == JOB_COMPLETED)
        a->consumed += COST;
    else
        a->available += COST;
    j->state = to;
    j->error_code = code;
    j->lease.token = 0;
}

static void model_hand_back(struct model *m, struct model_job *j, bool strike)
{
    struct model_account *a = &m->account[j->account];

    j->strikes += strike;
    if (j->strikes >= JOB_STRIKES_MAX) {
        model_end(m, j, JOB_FAILED, 500);
    } else if (a->disabled) {
        model_end(m, j, JOB_FAILED, 403);
    } else {
        j->state = JOB_PENDING;
        j->lease.token = 0;
        a->running--;
        a->waiting++;
    }
}

static struct model_job *random_job(struct model *m)
{
    return m->jobs ? &m->job[pcg_below(&m->rng, (uint32_t)m->jobs)] : NULL;
}

// A job that is leased, if the dice find one.
static struct model_job *leased_job(struct model *m)
{
    for (int tries = 0; tries < 40; tries++) {
        struct model_job *j = random_job(m);
        if (j && j->lease.token)
            return j;
    }
    return NULL;
}

static void step_submit(struct model *m)
{
    int n = (int)pcg_below(&m->rng, ACCOUNTS);
    struct model_account *a = &m->account[n];
    struct submit_call c;

    if (m->jobs == JOBS)
        return;
    submit_init(&c, m->f, a->id);
    if (pcg_below(&m->rng, 2))
        c.in.callback = "https://example.com/hook";
    enum err want = a->disabled                 ? ERR_DISABLED
                    : a->available < COST       ? ERR_NO_POINTS
                    : a->waiting >= QUEUE_LIMIT ? ERR_QUEUE_FULL
                                                : ERR_OK;
    assert_int_equal(submit_wait(m->f->s, &c.in, NULL), want);
    if (want)
        return;
    struct model_job *j = &m->job[m->jobs++];
    *j = (struct model_job){.account = n};
    memcpy(j->uuid, c.uuid, UUID_TEXT);
    a->available -= COST;
    a->frozen += COST;
    a->waiting++;
}

// Whose turn it is by the rule of store_claim().
static struct model_job *next_job(struct model *m)
{
    int best = -1;

    for (int i = 0; i < ACCOUNTS; i++) {
        const struct model_account *a = &m->account[i], *b = &m->account[best < 0 ? i : best];
        if (a->disabled || !a->waiting || a->running >= CONCURRENCY)
            continue;
        if (best < 0 || a->running < b->running ||
            (a->running == b->running && a->served < b->served))
            best = i;
    }
    for (int i = 0; i < m->jobs && best >= 0; i++) {
        struct model_job *j = &m->job[i];
        if (j->account == best && j->state == JOB_PENDING && !j->lease.token)
            return j;
    }
    return NULL;
}

static int64_t deadline_ns(struct model *m)
{
    return clock_mono_ns(&m->f->clock.clock) + LEASE_MS * INT64_C(1000000);
}

static void step_claim(struct model *m)
{
    struct model_job *j;
    struct lease lease;
    struct job got;

    while ((j = next_job(m)) != NULL) {
        struct model_account *a = &m->account[j->account];
        a->waiting--;
        a->running++;
        a->served = ++m->served;
        j->lease.token = 1; // its end counts as a running job's
        if (++j->claims < JOB_CLAIMS_MAX)
            break;
        model_end(m, j, JOB_FAILED, 500);
    }
    assert_int_equal(store_claim(m->f->s, &m->f->a, &got, &lease), j ? ERR_OK : ERR_NONE);
    if (!j)
        return;
    assert_string_equal(got.uuid, j->uuid);
    assert_int_equal(got.claims, j->claims);
    j->lease = lease;
    j->deadline_ns = deadline_ns(m);
}

static void step_work(struct model *m)
{
    struct model_job *j = leased_job(m);
    enum job_state to;

    if (!j)
        return;
    to = j->state == JOB_PENDING && pcg_below(&m->rng, 4) ? JOB_STAGED : JOB_PROCESSING;
    enum err want = (enum err)(to - j->state == 1 ? ERR_OK : ERR_WRONG_STATE);
    assert_int_equal(store_advance(m->f->s, &j->lease, to), want);
    if (!want)
        j->state = to;
}

static void step_finish(struct model *m)
{
    struct model_job *j = leased_job(m);

    if (!j)
        return;
    struct job_end good = good_end(m->f, j->uuid);
    bool completed = pcg_below(&m->rng, 2);
    enum err want = completed && j->state != JOB_PROCESSING ? ERR_WRONG_STATE : ERR_OK;
    struct lease lease = j->lease;
    assert_int_equal(store_finish(m->f->s, &lease, completed ? &good : &bad_end), want);
    if (want)
        return;
    model_end(m, j, completed ? JOB_COMPLETED : JOB_FAILED, completed ? 0 : 424);
    assert_int_equal(store_finish(m->f->s, &lease, &bad_end), ERR_LOST);
}

static void step_hand_back(struct model *m)
{
    struct model_job *j = leased_job(m);
    bool strike = pcg_below(&m->rng, 2);

    if (!j)
        return;
    assert_ok(store_hand_back(m->f->s, &j->lease, strike, "test"));
    model_hand_back(m, j, strike);
}

static void step_cancel(struct model *m)
{
    struct model_job *j = random_job(m);
    bool was_leased;
    struct job got;

    if (!j)
        return;
    enum err want = !job_state_final(j->state) ? ERR_OK
                    : j->error_code == 499     ? ERR_REPLAY
                                               : ERR_WRONG_STATE;
    bool leased = j->lease.token != 0;
    assert_int_equal(store_cancel(m->f->s, -1, j->uuid, &m->f->a, &got, &was_leased), want);
    assert_int_equal(was_leased, leased);
    if (!want)
        model_end(m, j, JOB_FAILED, 499);
}

static void step_disable(struct model *m)
{
    int n = (int)pcg_below(&m->rng, ACCOUNTS);
    bool disabled = pcg_below(&m->rng, 5) == 0;

    assert_ok(store_account_set_disabled(m->f->s, m->account[n].id, disabled));
    m->account[n].disabled = disabled;
    for (int i = 0; i < m->jobs && disabled; i++) {
        struct model_job *j = &m->job[i];
        if (j->account == n && j->state == JOB_PENDING && !j->lease.token)
            model_end(m, j, JOB_FAILED, 403);
    }
}

static void step_time(struct model *m)
{
    struct model_job *alive = leased_job(m);
    int count = 0, want = 0;

    clock_sim_advance(&m->f->clock, pcg_below(&m->rng, LEASE_MS / 3));
    if (alive) {
        assert_ok(store_heartbeat(m->f->s, &alive->lease));
        alive->deadline_ns = deadline_ns(m);
    }
    for (int i = 0; i < m->jobs; i++) {
        struct model_job *j = &m->job[i];
        if (j->lease.token && j->deadline_ns <= clock_mono_ns(&m->f->clock.clock)) {
            model_hand_back(m, j, false);
            want++;
        }
    }
    assert_ok(store_reap(m->f->s, &count));
    assert_int_equal(count, want);
}

static void step_restart(struct model *m)
{
    int count, want = 0;

    if (pcg_below(&m->rng, 10))
        return;
    fixture_reopen(m->f);
    for (int i = 0; i < m->jobs; i++) {
        if (m->job[i].lease.token) {
            model_hand_back(m, &m->job[i], false);
            want++;
        }
    }
    assert_ok(store_reap(m->f->s, &count));
    assert_int_equal(count, want);
}

static void compare(struct model *m)
{
    for (int i = 0; i < ACCOUNTS; i++) {
        const struct model_account *want = &m->account[i];
        struct account a = get_account(m->f, want->id);
        assert_int_equal(a.available, want->available);
        assert_int_equal(a.frozen, want->frozen);
        assert_int_equal(a.consumed, want->consumed);
        assert_int_equal(a.waiting, want->waiting);
        assert_int_equal(a.running, want->running);
        assert_int_equal(a.disabled, want->disabled);
    }
    for (int i = 0; i < m->jobs; i++) {
        struct job j = get_job(m->f, m->job[i].uuid);
        assert_int_equal(j.state, m->job[i].state);
        assert_int_equal(j.claims, m->job[i].claims);
        assert_int_equal(j.strikes, m->job[i].strikes);
        assert_int_equal(j.error_code, m->job[i].error_code);
    }
    check_invariants(m->f);
    arena_release(&m->f->a);
}

static void model_init(struct model *m, struct fixture *f, uint64_t seed)
{
    int count;

    m->f = f;
    pcg_seed(&m->rng, seed, 1);
    for (int i = 0; i < ACCOUNTS; i++)
        m->account[i] =
            (struct model_account){.id = add_account(f, "x", GRANT), .available = GRANT};
    assert_ok(store_reap(f->s, &count));
}

static void the_store_does_what_the_model_does(void **state)
{
    FIXTURE(f);
    static void (*const steps[])(struct model *) = {
        step_submit, step_submit, step_submit,    step_submit,  step_claim,   step_claim,
        step_claim,  step_work,   step_work,      step_work,    step_finish,  step_finish,
        step_cancel, step_time,   step_hand_back, step_disable, step_restart,
    };
    struct model *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    model_init(m, f, 20260131);
    for (int i = 0; i < STEPS; i++) {
        steps[pcg_below(&m->rng, COUNT_OF(steps))](m);
        if (i % 100 == 0)
            compare(m);
    }
    compare(m);
    assert_int_equal(m->jobs > STEPS / 10, 1); // the dice did not sit still
    free(m);
}

// ---- many threads ----

struct crowd {
    struct fixture *f;
    int64_t account[ACCOUNTS];
    _Atomic int accepted, ended, problems;
};

static bool expected(enum err e)
{
    static const enum err fine[] = {ERR_OK,        ERR_NONE,       ERR_REPLAY, ERR_WRONG_STATE,
                                    ERR_NO_POINTS, ERR_QUEUE_FULL, ERR_LOST,   ERR_DISABLED};

    for (size_t i = 0; i < COUNT_OF(fine); i++) {
        if (e == fine[i])
            return true;
    }
    return false;
}

static void note_result(struct crowd *c, enum err e)
{
    if (!expected(e))
        c->problems++;
}

static void *submitter(void *arg)
{
    struct crowd *c = arg;
    struct submit_call call, old = {0};
    struct arena a = ARENA_INIT;

    for (int i = 0; i < 150; i++) {
        struct job j;
        bool was_leased;
        submit_init(&call, c->f, c->account[i % ACCOUNTS]);
        enum err e = submit_wait(c->f->s, &call.in, NULL);
        note_result(c, e);
        if (e)
            continue;
        c->accepted++;
        if (store_job_get(c->f->s, call.in.account, call.uuid, &a, &j) != ERR_OK)
            c->problems++; // what was accepted is there
        if (i % 5 == 0 && old.uuid[0]) {
            e = store_cancel(c->f->s, -1, old.uuid, &a, &j, &was_leased);
            note_result(c, e);
            c->ended += e == ERR_OK;
        }
        old = call;
    }
    arena_release(&a);
    return NULL;
}

static void *crowd_worker(void *arg)
{
    struct crowd *c = arg;
    struct arena a = ARENA_INIT;

    for (int i = 0; i < 300; i++) {
        struct lease l;
        struct job j;
        enum err e = store_claim(c->f->s, &a, &j, &l);
        note_result(c, e);
        if (e)
            continue;
        if (i % 7 == 0) {
            note_result(c, store_hand_back(c->f->s, &l, false, "test"));
            continue;
        }
        note_result(c, store_heartbeat(c->f->s, &l));
        note_result(c, store_advance(c->f->s, &l, JOB_STAGED));
        e = store_finish(c->f->s, &l, &bad_end);
        note_result(c, e);
        c->ended += e == ERR_OK;
    }
    arena_release(&a);
    return NULL;
}

static void *meddler(void *arg)
{
    struct crowd *c = arg;

    for (int i = 0; i < 60; i++) {
        struct account a;
        int count;
        note_result(c, store_points_add(c->f->s, c->account[i % ACCOUNTS], COST));
        note_result(c, store_account_get(c->f->s, c->account[i % ACCOUNTS], &a));
        if (a.granted != a.available + a.frozen + a.consumed)
            c->problems++;
        note_result(c, store_reap(c->f->s, &count));
        note_result(c, store_check_ledger(c->f->s, NULL));
        note_result(c, store_sweep(c->f->s, START_MS));
    }
    return NULL;
}

static void threads_leave_the_invariants_whole(void **state)
{
    FIXTURE(f);
    static void *(*const roles[])(void *) = {submitter,    submitter,    submitter, crowd_worker,
                                             crowd_worker, crowd_worker, meddler};
    pthread_t thread[COUNT_OF(roles)];
    struct crowd c = {.f = f};
    struct store_counts counts;

    for (int i = 0; i < ACCOUNTS; i++)
        c.account[i] = add_account(f, "x", GRANT);
    for (size_t i = 0; i < COUNT_OF(roles); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, roles[i], &c), 0);
    for (size_t i = 0; i < COUNT_OF(roles); i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(c.problems, 0);
    assert_ok(store_counts(f->s, &counts));
    assert_int_equal(counts.waiting + counts.leased, c.accepted - c.ended);
    assert_true(c.ended > 20);
}

int store_suite_random(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(the_store_does_what_the_model_does),
        STORE_TEST(threads_leave_the_invariants_whole),
    };

    return cmocka_run_group_tests_name("store random", tests, NULL, NULL);
}
