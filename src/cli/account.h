/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_ACCOUNT_H
#define PATINA_CLI_ACCOUNT_H

/* `patina account create|list|disable|enable|delete` and `patina points add|show`. Exit codes. */
int account_command(int argc, char **argv);
int points_command(int argc, char **argv);

#endif
