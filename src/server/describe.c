/* SPDX-License-Identifier: MIT */
#include "server/describe.h"

#include "cli/command.h"
#include "server/metrics.h"
#include "server/settings.h"

#include <string.h>

static const struct {
    const char *what;
    void (*write)(struct buf *out);
} pages[] = {
    {"metrics", metrics_describe},
    {"settings", settings_describe},
};

int describe_command(int argc, char **argv)
{
    struct buf out = BUF_INIT;
    int code = EXIT_USAGE;

    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]) && argc == 2; i++) {
        if (strcmp(argv[1], pages[i].what) != 0)
            continue;
        pages[i].write(&out);
        code = command_print(&out);
    }
    if (code == EXIT_USAGE)
        command_complain("patina --describe", "there is no such page");
    buf_release(&out);
    return code;
}
