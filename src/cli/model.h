/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_MODEL_H
#define PATINA_CLI_MODEL_H

/* `patina model check DIR`: what is wrong with, or missing from, a model's folder. Exit code 1 when
 * something is. */
int model_command(int argc, char **argv);

#endif
