/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_BENCH_H
#define PATINA_CLI_BENCH_H

/* `patina bench look|api`. */
int bench_command(int argc, char **argv);

#endif
