/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_LOOKS_H
#define PATINA_CLI_LOOKS_H

/* `patina looks`: which looks there are, what each is made of, and a sheet of what they make of a
 * photo. */
int looks_command(int argc, char **argv);

#endif
