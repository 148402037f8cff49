/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_BENCH_LOOK_H
#define PATINA_CLI_BENCH_LOOK_H

/* `patina bench look`: how long a picture of each look takes, per megapixel: (maps + four renders)
 * / 4, the best of some runs, beside other programs' filters. See command_main(). */
int bench_look_command(int argc, char **argv);

#endif
