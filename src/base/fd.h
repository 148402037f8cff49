/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BASE_FD_H
#define PATINA_BASE_FD_H

#include <stdbool.h>
#include <stddef.h>

/* Writes all of it, in however many calls that takes. False: errno says why not. */
bool fd_write_all(int fd, const void *data, size_t len);

#endif
