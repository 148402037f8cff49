/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_BENCH_NN_H
#define PATINA_CLI_BENCH_NN_H

/* `patina bench nn`: how fast the neural engine's operators, stages and pictures are. */
int bench_nn_command(int argc, char **argv);

#endif
