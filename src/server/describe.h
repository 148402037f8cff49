/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SERVER_DESCRIBE_H
#define PATINA_SERVER_DESCRIBE_H

/* `patina --describe WHAT`: pages of docs/ made from the program's tables, so that they cannot
 * disagree with it. For the project's own build and tests; not in the help. */
int describe_command(int argc, char **argv);

#endif
