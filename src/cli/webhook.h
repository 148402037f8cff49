/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_WEBHOOK_H
#define PATINA_CLI_WEBHOOK_H

/* `patina webhook list|redeliver` and `patina webhook-secret show|rotate`. Exit codes. */
int webhook_command(int argc, char **argv);
int webhook_secret_command(int argc, char **argv);

#endif
