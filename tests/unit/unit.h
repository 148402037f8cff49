/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TESTS_UNIT_H
#define PATINA_TESTS_UNIT_H

/* cmocka with the headers it wants in front. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
