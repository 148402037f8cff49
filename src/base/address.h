/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BASE_ADDRESS_H
#define PATINA_BASE_ADDRESS_H

#include <stdbool.h>

enum { ADDRESS_HOST = 256 };

/* Takes an address to listen on apart: "127.0.0.1:8080", "[::1]:8080", "localhost:0". An IPv6
 * address has to have its brackets, without which it comes out. False when it is nothing of that;
 * then nothing has come out. Whether there is such a host, nobody has asked. Pure. */
bool address_split(const char *address, char host[ADDRESS_HOST], int *port);

#endif
