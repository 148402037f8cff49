/* SPDX-License-Identifier: MIT */
#include "cli/doctor_internal.h"

#include "engine/engine.h"
#include "models/flux2/random.h"
#include "models/flux2/transformer.h"
#include "nn/measure.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 512, STEPS = 4 };

/* Of FLUX.2-klein-4B at 512 x 512: what text, reference and result take beside the steps, and the
 * share of the peak that all of it runs at. docs/models.md */
static const double AROUND_FLOPS = 6.6e12, SHARE = 0.7;

static int cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > POOL_THREADS_MAX ? POOL_THREADS_MAX : (int)n;
}

// Seconds of a picture by the published model on this machine; 0 when that cannot be told.
static double picture_s(enum isa isa)
{
    const struct flux2_transformer_config c = flux2_random_transformer(false);
    const struct flux2_grid grid = {SIDE / FLUX2_PATCH, SIDE / FLUX2_PATCH};
    const struct transformer_shape shape = {
        .batch = 1, .text = 512, .grid = grid, .reference = {grid}, .references = 1};
    struct pool *pool = NULL;
    double peak = 0.0;

    if (pool_open(cores(), &pool, NULL) == ERR_OK)
        peak = nn_peak(&(struct nn_run){.pool = pool, .isa = isa}, DTYPE_BF16);
    pool_close(pool);
    return peak > 0.0 ? (STEPS * transformer_flops_of(&c, &shape) + AROUND_FLOPS) / (peak * SHARE)
                      : 0.0;
}

static void name_usable(struct buf *out)
{
    for (int i = ISA_COUNT - 1; i >= 0; i--)
        if (isa_usable((enum isa)i))
            buf_addf(out, "%s%s", out->len ? ", " : "", isa_name((enum isa)i));
}

void doctor_kernels(struct doctor *d)
{
    const char *wanted = d->a->s.isa;
    struct buf usable = BUF_INIT;

    (void)isa_ask_for_amx();
    enum isa isa = isa_best();
    enum isa_lack amx = isa_lack(ISA_AMX);
    name_usable(&usable);
    if (wanted && (!isa_of_name(wanted, &isa) || !isa_usable(isa)))
        doctor_say(d, "kernels", FINDING_FAILS, "unset PATINA_ISA",
                   "PATINA_ISA is \"%.40s\": %s; usable are %s", wanted,
                   isa_lack_text(isa_lack(isa)), usable.failed ? "" : usable.data);
    else if (!wanted && amx != ISA_LACKS_NOTHING && amx != ISA_LACKS_PROCESSOR)
        doctor_say(d, "kernels", FINDING_WARNING, "docs/models.md says what AMX wants",
                   "%s of %s; this processor has AMX, but %s", isa_name(isa),
                   usable.failed ? "" : usable.data, isa_lack_text(amx));
    else
        doctor_say(d, "kernels", FINDING_OK, NULL,
                   "%s of %s; a picture of %d x %d by FLUX.2-klein-4B would take about %.0f s",
                   isa_name(isa), usable.failed ? "" : usable.data, SIDE, SIDE, picture_s(isa));
    buf_release(&usable);
}

// What a job of four pictures is expected to take.
static enum err estimate(const struct engine *e, struct engine_estimate *out)
{
    static const char text[] = "oil painting";
    struct arena arena = ARENA_INIT;
    struct prompt *p = arena_alloc(&arena, sizeof *p);

    enum err code = p ? prompt_read(p, &arena, text, strlen(text)) : ERR_NOMEM;
    if (code == ERR_OK)
        e->ops->estimate(e, &(struct engine_sizes){SIDE, SIDE, 0, 0}, p, out);
    arena_release(&arena);
    return code;
}

void doctor_model(struct doctor *d)
{
    const struct settings *s = &d->a->s;
    const int64_t memory_bytes = s->memory_mb << 20;
    const struct engine_options o = {.threads = cores(),
                                     .model_path = s->model,
                                     .isa = s->isa,
                                     .memory_bytes = memory_bytes / 2};
    struct engine_estimate expected = {0};
    struct engine *e = NULL;
    struct err_note note = {0};

    if (!s->model) {
        doctor_say(d, "model", strcmp(s->engine, "flux2") == 0 ? FINDING_FAILS : FINDING_OK,
                   strcmp(s->engine, "flux2") == 0 ? "set PATINA_MODEL: docs/models.md" : NULL,
                   "PATINA_MODEL is not set: no neural engine");
        return;
    }
    d->model = engine_flux2_ops.open(&o, &e, &note) == ERR_OK;
    if (!d->model)
        doctor_say(d, "model", FINDING_FAILS,
                   "patina model check says more; patina model pack makes it anew", "%s",
                   note.text);
    else if (estimate(e, &expected) == ERR_OK && expected.bytes > memory_bytes)
        doctor_say(d, "model", FINDING_FAILS, "raise PATINA_MEMORY_MB, or make smaller pictures",
                   "%s: a job of %d x %d takes %" PRId64 " MB, and PATINA_MEMORY_MB is %" PRId64,
                   s->model, SIDE, SIDE, expected.bytes >> 20, s->memory_mb);
    else
        doctor_say(d, "model", FINDING_OK, NULL,
                   "%s: %s; four pictures of %d x %d take about %.0f s and %" PRId64 " MB",
                   s->model, e->label, SIDE, SIDE, (double)expected.ms / 1000.0,
                   expected.bytes >> 20);
    if (e)
        e->ops->close(e);
}
