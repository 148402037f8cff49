/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SERVER_SERVE_H
#define PATINA_SERVER_SERVE_H

/* `patina serve`: opens everything, serves until SIGTERM or SIGINT, drains. Exit code. */
int serve_command(int argc, char **argv);

#endif
