/* SPDX-License-Identifier: MIT */
#include "net/url.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* libFuzzer: what is accepted is plain ASCII, and reads the same when it is written out and read
 * again. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena arena = ARENA_INIT;
    struct url first, second;
    char *text = arena_memdup(&arena, data, len);

    if (url_parse(&first, &arena, text, NULL) == ERR_OK) {
        bool v6 = first.has_literal && first.literal.ss_family == AF_INET6;
        char *again = arena_printf(&arena, v6 ? "%s://[%s]:%d%s" : "%s://%s:%d%s",
                                   first.https ? "https" : "http", first.host, first.port,
                                   first.path);
        for (const char *c = again; *c; c++)
            assert(*c > ' ' && *c < 0x7f);
        // Percent-encoding may have made it longer than what is accepted.
        if (strlen(again) <= URL_BYTES_MAX) {
            enum err e = url_parse(&second, &arena, again, NULL);
            assert(e == ERR_OK);
            assert(strcmp(first.host, second.host) == 0 && first.port == second.port);
            assert(strcmp(first.path, second.path) == 0 && first.https == second.https);
            assert(memcmp(&first.literal, &second.literal, sizeof(first.literal)) == 0);
        }
    }
    arena_release(&arena);
    return 0;
}
