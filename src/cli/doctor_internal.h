/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_DOCTOR_INTERNAL_H
#define PATINA_CLI_DOCTOR_INTERNAL_H

/* For doctor*.c: checks add findings, doctor.c prints them. */

#include "cli/admin.h"

enum finding { FINDING_OK, FINDING_WARNING, FINDING_FAILS };

struct doctor {
    struct admin *a;
    struct table found;
    bool failed;
    bool model; /* there is one, and it opens */
};

/* What was found out about `check`: in a few words, and what to do about it (NULL when nothing has
 * to be done). */
void doctor_say(struct doctor *d, const char *check, enum finding f, const char *mend,
                const char *fmt, ...) PRINTF_LIKE(5, 6);

/* doctor_machine.c: whether this machine has what the service needs, whatever is installed. */
void doctor_sandbox(struct doctor *d);
void doctor_decoder(struct doctor *d);
void doctor_engines(struct doctor *d);
void doctor_dns(struct doctor *d, const char *host);
void doctor_clock(struct doctor *d);
void doctor_processor(struct doctor *d);
void doctor_limits(struct doctor *d);

/* doctor_model.c: what the neural engine can do here. doctor_model() before doctor_engines(). */
void doctor_kernels(struct doctor *d);
void doctor_model(struct doctor *d);

/* doctor_store.c: whether this installation is sound. */
void doctor_settings(struct doctor *d);
void doctor_data(struct doctor *d);
void doctor_space(struct doctor *d);
void doctor_store(struct doctor *d, bool ledger);

#endif
