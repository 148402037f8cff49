/* SPDX-License-Identifier: MIT */
#include "cli/interrupt.h"

#include "cli/command.h"

#include <signal.h>

static void signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
}

void interrupt_block(void)
{
    sigset_t set;

    signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void *watching(void *arg)
{
    struct interrupt *i = arg;
    sigset_t set;
    int which;

    signals(&set);
    if (sigwait(&set, &which) == 0 && !atomic_load(&i->done)) {
        atomic_store(&i->hit, true);
        if (i->patina)
            patina_cancel(i->patina);
    }
    return NULL;
}

void interrupt_watch(struct interrupt *i, struct patina *p)
{
    i->patina = p;
    i->watching = pthread_create(&i->thread, NULL, watching, i) == 0;
}

void interrupt_end(struct interrupt *i)
{
    if (!i->watching)
        return;
    atomic_store(&i->done, true);
    // To that thread alone: it is its way out of sigwait().
    pthread_kill(i->thread, SIGTERM);
    pthread_join(i->thread, NULL);
    i->watching = false;
}

int interrupt_report(const struct interrupt *i, const char *name, int code, const char *text)
{
    if (code)
        command_complain(name, atomic_load(&i->hit) ? "stopped; nothing was written" : text);
    return code;
}
