/* SPDX-License-Identifier: MIT */
/* The program's commands. */
#include "cli/account.h"
#include "cli/bench.h"
#include "cli/command.h"
#include "cli/doctor.h"
#include "cli/key.h"
#include "cli/looks.h"
#include "cli/model.h"
#include "cli/render.h"
#include "cli/webhook.h"
#include "server/describe.h"
#include "server/serve.h"
#include "server/service.h"

#include <signal.h>

static const struct command commands[] = {
    {"serve", "run the service: API, job queue and workers", serve_command},
    {"render", "make pictures of a file, without the service", render_command},
    {"explain", "show how a prompt is read", explain_command},
    {"looks", "list the looks, show a recipe, draw a sheet of them", looks_command},
    {"account", "create, list, disable and delete accounts", account_command},
    {"key", "create, list and revoke API keys", key_command},
    {"points", "grant points, show what there is", points_command},
    {"webhook", "list webhooks, send them again", webhook_command},
    {"webhook-secret", "show and rotate what signs webhooks", webhook_secret_command},
    {"doctor", "what works here, what does not, and what to do", doctor_command},
    {"bench", "measure looks, service and neural engine: bench look, structure, curves, api, nn",
     bench_command},
    {"model", "a neural engine's weights: model check, model pack", model_command},
    {"--describe", NULL, describe_command}, // by tools
    {"--renderer", NULL, renderer_command}, // started by serve
    // Announced, not built.
    {"worker",
     "workers without the API share a PostgreSQL database, and this build keeps its jobs in SQLite "
     "alone; \"patina serve\" has workers of its own",
     NULL},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    // A reader of our output or a client that went away is an error of write(), not our end.
    signal(SIGPIPE, SIG_IGN);
    return command_main(commands, argc, argv);
}
