/* SPDX-License-Identifier: MIT */
#include "cli/bench.h"

#include "cli/bench_api.h"
#include "cli/bench_look.h"
#include "cli/command.h"
#include "cli/photo.h"

struct flags {
    const char *prompt;
    int64_t repeats;
    bool peers, json;
};

#define ROW(name_, type_, field_, ...)                                                          \
    {                                                                                           \
        .name = (name_), .type = (type_), .offset = offsetof(struct flags, field_), __VA_ARGS__ \
    }

static const struct config_option rows[] = {
    ROW("prompt", CONFIG_TEXT, prompt, .fallback = "oil painting", .value = "PROMPT",
        .help = "what to make"),
    ROW("repeats", CONFIG_NUMBER, repeats, .min = 1, .max = 1000, .fallback = "3", .value = "N",
        .help = "runs of each measurement; the best counts"),
    ROW("peers", CONFIG_SWITCH, peers, .help = "also time gmic's brush filters, where it is there"),
    ROW("json", CONFIG_SWITCH, json, .help = "print one JSON object instead of a table"),
};

static const struct command_line look_line = {
    .usage = "patina bench look [PHOTO] [flags]",
    .about =
        "Measures the look engine: milliseconds per megapixel and picture, on 1 and 2 threads,\n"
        "beside a copy of the same pixels in memory. Without a photo a scene is made up.",
    .config = {rows, sizeof rows / sizeof *rows, NULL},
    .words_max = 1,
};

static int look_command(int argc, char **argv)
{
    struct flags f;
    struct decoded photo = {.fd = -1};
    struct err_note note = {0};
    const char *words[1];
    bool animated;
    int count, code = command_read(&look_line, &f, argc, argv, words, &count);

    if (code >= 0)
        return code;
    enum err e = count ? photo_read(words[0], NULL, NULL, &photo, &animated, &note) : ERR_OK;
    if (!e)
        e = bench_look(
            &(struct bench_look_options){
                .photo = count ? &photo.image : NULL,
                .prompt = f.prompt,
                .repeats = (int)f.repeats,
                .peers = f.peers,
                .json = f.json,
            },
            stdout, &note);
    if (e)
        command_complain("bench look", note.text);
    decoded_release(&photo);
    return e ? EXIT_FAILED : EXIT_DONE;
}

int bench_command(int argc, char **argv)
{
    static const struct command table[] = {
        {"look", "how fast the look engine makes pictures", look_command},
        {"api", "how many requests a second the service takes", bench_api_command},
        {"nn", NULL, NULL},
        {NULL, NULL, NULL},
    };

    return command_group("bench", table, argc, argv);
}
