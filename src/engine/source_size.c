/* SPDX-License-Identifier: MIT */
#include "engine/source_size.h"

#include "image/fit.h"

int64_t engine_source_pixels(int width, int height, const struct engine_job *job)
{
    struct arena arena = ARENA_INIT;
    struct prompt prompt;
    struct fit_plan plan;
    int64_t pixels = 0;

    if (!prompt_read(&prompt, &arena, job->prompt_text, job->prompt_len)) {
        struct fit_request want = {
            .pixels = job->pixels, .width = job->width, .height = job->height};
        if (prompt.given & PROMPT_AR && job->width == 0) {
            want.ar_w = prompt.ar_w;
            want.ar_h = prompt.ar_h;
        }
        if (!fit_plan(width, height, &want, &plan, NULL)) {
            double scale = (double)plan.width * plan.height / (plan.crop_w * plan.crop_h);
            pixels = (int64_t)(scale * width * height) + 1;
        }
    }
    arena_release(&arena);
    return pixels;
}
