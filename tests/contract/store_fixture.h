/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TESTS_STORE_FIXTURE_H
#define PATINA_TESTS_STORE_FIXTURE_H

/* What every test of the store contract begins with: an empty store of the back end under test in a
 * folder of its own, a clock that the test moves, and short ways to do common things. */

#include "unit/unit.h"

#include "store/store.h"

struct backend {
    const char *name;
    enum err (*open)(const char *folder, const struct store_options *o, struct store **out,
                     struct err_note *note);
};

enum { CONCURRENCY = 3, QUEUE_LIMIT = 20, COST = 120, LEASE_MS = 15000 };
#define RETENTION_MS (INT64_C(168) * 3600 * 1000)
#define START_MS     INT64_C(1770000000000)
#define HOUR_MS      (INT64_C(3600) * 1000)

struct fixture {
    const struct backend *backend;
    char folder[64];
    struct clock_sim clock;
    struct store_options options;
    struct store *s;
    struct arena a; /* freed with the test */
};

extern const struct backend backend_sqlite;

/* Set by main() before the suite runs; cmocka's setup functions take no argument of ours. */
extern const struct backend *backend_under_test;

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* A fixture outside of cmocka's setup, for children and benches. */
struct fixture *fixture_new(const struct backend *b);
void fixture_free(struct fixture *f);

void fixture_open(struct fixture *f);   /* f->s, asserting success */
void fixture_reopen(struct fixture *f); /* closes and opens */

/* Whether it is one of the errors that every function of a store may return. */
bool listed(enum err e);
void assert_listed(enum err e); /* or success */

/* An account with so many points. */
int64_t add_account(struct fixture *f, const char *name, int64_t points);

/* store_key_create() without a label, for whom the row is nothing. */
enum err add_key(struct fixture *f, int64_t account, const char *key);
struct account get_account(struct fixture *f, int64_t id);

/* A submit with everything filled in that a test does not care about. */
struct submit_call {
    struct store_submit in;
    char uuid[UUID_TEXT];
};

void submit_init(struct submit_call *c, struct fixture *f, int64_t account);

/* Submits and waits. `answer` (may be NULL, 256 bytes) gets what the callback was given. */
enum err submit_wait(struct store *s, const struct store_submit *in, char *answer);

/* Submits a job that must be accepted; its UUID. */
void add_job(struct fixture *f, int64_t account, char uuid[UUID_TEXT]);
struct job get_job(struct fixture *f, const char *uuid);

/* Claims a job that must be there. */
struct lease claim(struct fixture *f, struct job *out);

/* Claims, and takes the job to JOB_PROCESSING. */
struct lease claim_processing(struct fixture *f, struct job *out);

/* A good end, with five blobs under job/UUID/. Lives in the fixture's arena. */
struct job_end good_end(struct fixture *f, const char *uuid);
extern const struct job_end bad_end; /* 424 */

/* Fails the test with the store's note when an invariant does not hold. */
void check_invariants(struct fixture *f);

#define assert_ok(e)    assert_int_equal((e), ERR_OK)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define STORE_TEST(fn)  cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
#define FIXTURE(name)   struct fixture *name = *state

#endif
