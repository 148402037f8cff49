/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_MODEL_H
#define PATINA_CLI_MODEL_H

/* `patina model check DIR|FILE`: what is wrong with, or missing from, a model's folder or a packed
 * file. Exit code 1 when something is. `patina model pack DIR FILE`: makes the one of the other. */
int model_command(int argc, char **argv);

#endif
