/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_RENDER_H
#define PATINA_CLI_RENDER_H

/* `patina render`: one picture file and a prompt to picture files, without the service, on
 * libpatina. */
int render_command(int argc, char **argv);

/* `patina explain`: how a prompt is read, as JSON. */
int explain_command(int argc, char **argv);

#endif
