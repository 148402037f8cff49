/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_BENCH_STRUCTURE_H
#define PATINA_CLI_BENCH_STRUCTURE_H

/* `patina bench structure`: how much of photos' composition each look keeps; what the figures are
 * says look/structure.h. See command_main(). */
int bench_structure_command(int argc, char **argv);

#endif
