/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_KEY_H
#define PATINA_CLI_KEY_H

/* `patina key create|list|revoke`. Exit code. */
int key_command(int argc, char **argv);

#endif
