/* SPDX-License-Identifier: MIT */
#include "cli/bench.h"

#include "cli/bench_api.h"
#include "cli/bench_curves.h"
#include "cli/bench_look.h"
#include "cli/bench_nn.h"
#include "cli/bench_structure.h"
#include "cli/command.h"

int bench_command(int argc, char **argv)
{
    static const struct command table[] = {
        {"look", "how fast each look makes pictures, beside other programs", bench_look_command},
        {"structure", "how much of photos' composition each look keeps", bench_structure_command},
        {"curves", "how each look answers to a prompt's parameters", bench_curves_command},
        {"api", "how many requests a second the service takes", bench_api_command},
        {"nn", "how fast the neural engine is, operator by operator", bench_nn_command},
        {NULL, NULL, NULL},
    };

    return command_group("bench", table, argc, argv);
}
