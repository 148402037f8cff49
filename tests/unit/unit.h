/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TESTS_UNIT_H
#define PATINA_TESTS_UNIT_H

/* cmocka with the headers it wants in front. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Ends the running test function as skipped; the test runner shows the reason. */
#define SKIP(why)                                      \
    do {                                               \
        print_message("SKIP %s: %s\n", __func__, why); \
        skip();                                        \
    } while (0)

#endif
