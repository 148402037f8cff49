/* SPDX-License-Identifier: MIT */
#include "contract/store_fixture.h"
#include "contract/store_suite.h"

#include <string.h>

static const struct backend *const backends[] = {&backend_sqlite};

/* test_store BACKEND SUBJECT */
int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } subjects[] = {
        {"accounts", store_suite_accounts}, {"submit", store_suite_submit},
        {"work", store_suite_work},         {"house", store_suite_house},
        {"random", store_suite_random},     {"admin", store_suite_admin},
    };

    for (size_t i = 0; argc == 3 && i < COUNT_OF(backends); i++) {
        for (size_t k = 0; k < COUNT_OF(subjects); k++) {
            if (strcmp(argv[1], backends[i]->name) == 0 && strcmp(argv[2], subjects[k].name) == 0) {
                backend_under_test = backends[i];
                return subjects[k].run();
            }
        }
    }
    fprintf(stderr, "usage: test_store BACKEND SUBJECT\n");
    return 2;
}
