/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TESTS_STORE_SUITE_H
#define PATINA_TESTS_STORE_SUITE_H

/* The store contract, by subject: each runs its group on the back end under test and returns how
 * many of its tests failed. */
int store_suite_accounts(void);
int store_suite_submit(void);
int store_suite_work(void);
int store_suite_house(void);
int store_suite_random(void);
int store_suite_admin(void);

#endif
