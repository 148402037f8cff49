/* SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include "base/clock.h"

#include <unistd.h>

enum { BAR = 32, REDRAW_MS = 80 };

void progress_begin(struct progress *p, bool wanted)
{
    p->shown = wanted && isatty(STDERR_FILENO);
    p->began_ns = clock_mono_ns(&clock_system);
    p->drawn_ns = 0;
    progress_show(p, 0);
}

void progress_show(struct progress *p, float done)
{
    static const char full[] = "################################";
    int64_t now_ns = clock_mono_ns(&clock_system);

    if (!p->shown || now_ns - p->drawn_ns < REDRAW_MS * 1000000LL)
        return;
    p->drawn_ns = now_ns;
    int marks = (int)(done * (float)BAR);
    fprintf(stderr, "\r[%.*s%*s] %3d %%", marks, full, BAR - marks, "", (int)(done * 100));
    // Early on the guess would jump about.
    if (done > 0.1f)
        fprintf(stderr, "  %.1f s left ",
                (double)(now_ns - p->began_ns) / 1e9 * (1 - (double)done) / (double)done);
}

void progress_end(struct progress *p)
{
    if (p->shown)
        fputs("\r\x1b[K", stderr);
    p->shown = false;
}
