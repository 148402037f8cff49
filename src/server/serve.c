/* SPDX-License-Identifier: MIT */
#include "server/serve.h"

#include "cli/command.h"
#include "server/settings.h"

static struct command_line line(void)
{
    return (struct command_line){
        .usage = "patina serve [flags]",
        .about = "Runs the service: takes jobs over HTTP, makes the pictures, calls back.\n"
                 "Every setting is a flag or an environment variable; the flag wins.",
        .after = "SIGTERM and Ctrl-C drain: running jobs get --drain-s, the rest wait for the next "
                 "start.\nA second signal stops at once. No job is lost either way.",
        .config = settings_config,
    };
}

int serve_command(int argc, char **argv)
{
    struct settings s = {0};
    struct arena arena = ARENA_INIT;
    struct err_note note = {0};
    struct command_line l = line();
    int words, code = command_read(&l, &s, argc, argv, NULL, &words);

    if (code >= 0)
        return code;
    if (settings_resolve(&s, &arena, &note)) {
        command_complain("serve", note.text);
        code = EXIT_USAGE;
    } else {
        command_complain("serve", "the parts that it runs are not linked yet");
        code = EXIT_FAILED;
    }
    arena_release(&arena);
    return code;
}
