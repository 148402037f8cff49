/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_DOCTOR_H
#define PATINA_CLI_DOCTOR_H

/* `patina doctor`: what works here, what does not, and what to do. Exit code 1 when something that
 * the service needs fails. */
int doctor_command(int argc, char **argv);

#endif
