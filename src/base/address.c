/* SPDX-License-Identifier: MIT */
#include "base/address.h"

#include <stdlib.h>
#include <string.h>

enum { PORT_MAX = 65535, PORT_DIGITS = 5 };

bool address_split(const char *address, char host[ADDRESS_HOST], int *port)
{
    const char *colon = strrchr(address, ':');
    size_t len = colon ? (size_t)(colon - address) : 0;
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;

    if (digits == 0 || digits > PORT_DIGITS || colon[1 + digits] || atoi(colon + 1) > PORT_MAX)
        return false;
    if (len > 0 && address[0] == '[' && address[len - 1] == ']') {
        address++;
        len -= 2;
    } else if (memchr(address, ':', len)) {
        return false;
    }
    if (len == 0 || len >= ADDRESS_HOST)
        return false;
    memcpy(host, address, len);
    host[len] = '\0';
    *port = atoi(colon + 1);
    return true;
}
