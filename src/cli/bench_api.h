/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_BENCH_API_H
#define PATINA_CLI_BENCH_API_H

/* `patina bench api`: how many durable POSTs and how many GETs a second the service takes over
 * loopback, with the load generator on the same machine, beside raw inserts of the same rows.
 * argv[0] is "api". Returns an exit code. */
int bench_api_command(int argc, char **argv);

#endif
