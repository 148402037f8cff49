/* SPDX-License-Identifier: MIT */
#include "cli/bench_nn.h"

#include "base/json.h"
#include "cli/bench_nn_ops.h"
#include "cli/bench_nn_stages.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "engine/engine_flags.h"
#include "models/flux2/random.h"
#include "nn/measure.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static const int64_t MEMORY_WORK = (int64_t)5 << 30; /* for four pictures, and everybody else */

struct flags {
    const char *model, *isa, *precision;
    int64_t threads, repeats;
    bool small, cpu_time, json;
};

#define ROW(name_, type_, field_, ...)                                                          \
    {                                                                                           \
        .name = (name_), .type = (type_), .offset = offsetof(struct flags, field_), __VA_ARGS__ \
    }

static const struct config_option rows[] = {
    ROW("model", CONFIG_TEXT, model, .value = "FILE.patina",
        .help = "measure this packed model instead of random numbers"),
    ROW("isa", CONFIG_CHOICE, isa, .choices = ENGINE_FLAG_ISAS, .value = "PATH",
        .computed = "the best, and its operators and steps on AVX-512 and AVX2",
        .help = "these kernels alone"),
    ROW("precision", CONFIG_CHOICE, precision, .choices = "bf16|int8|f32", .fallback = "bf16",
        .flag_only = true, .value = "TYPE", .help = "of random weights"),
    ROW("small", CONFIG_SWITCH, small, .flag_only = true,
        .help = "random weights of a fifth of the blocks; times are scaled up. Also where memory "
                "is short"),
    ROW("threads", CONFIG_NUMBER, threads, .min = 1, .max = POOL_THREADS_MAX, .flag_only = true,
        .computed = "all processors", .value = "N", .help = "threads to work with"),
    ROW("repeats", CONFIG_NUMBER, repeats, .min = 1, .max = 100, .fallback = "3", .flag_only = true,
        .value = "N", .help = "runs of an operator or a stage; the best counts"),
    ROW("cpu-time", CONFIG_SWITCH, cpu_time, .flag_only = true,
        .help = "count the threads' own time instead of the clock's: where others use the machine"),
    ROW("json", CONFIG_SWITCH, json, .flag_only = true,
        .help = "print one JSON object instead of a table"),
};

static const struct command_line line = {
    .usage = "patina bench nn [flags]",
    .about = "Measures the neural engine on a picture of 512 x 512 with one reference: what the\n"
             "processor could do at most, the operators and their share of that, the stages, a\n"
             "picture and four. Without --model (PATINA_MODEL) it makes random weights of\n"
             "FLUX.2-klein-4B's shapes, which take as long as the real ones.",
    .config = {rows, sizeof rows / sizeof *rows, "PATINA_"},
};

/* What one path does. */
struct path {
    enum isa isa;
    double peak[DTYPE_I8 + 1]; /* 10^12 a second, by the products' type */
    struct nn_op op[NN_OPS];
    struct nn_stages stages; /* of the first path all, of the others the step */
};

struct bench {
    struct flags f;
    struct interrupt interrupt;
    struct progress progress;
    struct pool *pool;
    struct packed *model;
    bool scaled;
    const char *precision;
    struct path path[ISA_COUNT];
    int paths;
};

/* ---- the model ---- */

static int64_t memory_left(void)
{
    char text[64];
    int64_t kb = 0;
    FILE *f = fopen("/proc/meminfo", "r");

    while (f && fgets(text, sizeof text, f))
        if (sscanf(text, "MemAvailable: %jd kB", &kb) == 1)
            break;
    if (f)
        fclose(f);
    return kb * 1024;
}

static bool on_progress(void *ctx, float done)
{
    struct bench *b = ctx;

    progress_show(&b->progress, done);
    return !atomic_load(&b->interrupt.hit);
}

static enum err open_model(struct bench *b, struct err_note *note)
{
    enum flux2_precision p = FLUX2_BF16;

    if (b->f.model) {
        b->precision = "as packed";
        return packed_open(b->f.model, &b->model, note);
    }
    flux2_precision_of_name(b->f.precision, &p);
    b->precision = b->f.precision;
    b->scaled = b->f.small || flux2_random_bytes(p, false) + MEMORY_WORK > memory_left();
    progress_begin(&b->progress, true);
    enum err e = flux2_random(p, b->scaled, on_progress, b, &b->model, note);
    progress_end(&b->progress);
    return e;
}

/* ---- measuring ---- */

static enum err measure_path(struct bench *b, enum isa isa, bool all, struct err_note *note)
{
    const struct nn_run how = {.pool = b->pool, .isa = isa, .cancel = &b->interrupt.hit};
    const struct nn_bench bench = {&how, (int)b->f.repeats, b->f.cpu_time};
    struct path *p = &b->path[b->paths];

    p->isa = isa;
    enum err e = bench_nn_ops(b->model, &bench, p->op, note);
    for (int i = 0; i < NN_OPS && e == ERR_OK; i++)
        if (p->peak[p->op[i].dtype] == 0.0)
            p->peak[p->op[i].dtype] = nn_peak(&how, p->op[i].dtype) * 1e-12;
    if (e == ERR_OK)
        e = bench_nn_stages(b->model, &bench, all, b->scaled, &p->stages, note);
    if (e == ERR_OK)
        b->paths++;
    return e;
}

static enum err measure(struct bench *b, struct err_note *note)
{
    static const enum isa OTHER[] = {ISA_AVX512BF16, ISA_AVX512, ISA_AVX2};
    enum isa first = isa_best();

    if (b->f.isa && (!isa_of_name(b->f.isa, &first) || !isa_usable(first)))
        return err_set(note, ERR_UNSUPPORTED, "%s: %s", b->f.isa, isa_lack_text(isa_lack(first)));
    enum err e = measure_path(b, first, true, note);
    for (size_t i = 0; i < sizeof OTHER / sizeof *OTHER && e == ERR_OK && !b->f.isa; i++)
        if (OTHER[i] < first && isa_usable(OTHER[i]))
            e = measure_path(b, OTHER[i], false, note);
    return e;
}

static int64_t rss_mb(void)
{
    struct rusage use;

    return getrusage(RUSAGE_SELF, &use) == 0 ? use.ru_maxrss / 1024 : 0;
}

/* ---- printing ---- */

static void print_seconds(const struct bench *b, const char *name, size_t offset)
{
    printf("%-44s", name);
    for (int i = 0; i < b->paths; i++) {
        double s = *(const double *)((const char *)&b->path[i].stages + offset);
        if (s > 0.0)
            printf(" %12.2f s  ", s);
        else
            printf(" %16s", "");
    }
    putchar('\n');
}

static void print_table(const struct bench *b)
{
#define STAGE(field) offsetof(struct nn_stages, field)
    static const struct {
        const char *name;
        size_t offset;
    } STAGES[] = {
        {"text", STAGE(text_s)},           {"reference in", STAGE(vae_in_s)},
        {"a step", STAGE(step_s)},         {"a step of four pictures", STAGE(step_four_s)},
        {"picture out", STAGE(vae_out_s)}, {"a picture, 4 steps", STAGE(picture_s)},
        {"four pictures", STAGE(four_s)}};
#undef STAGE

    printf("%s, %s, 512 x 512 with one reference, %d thread%s%s\n\n",
           b->f.model ? b->f.model : "klein-4B's shapes, random numbers", b->precision,
           pool_width(b->pool), &"s"[pool_width(b->pool) == 1],
           b -> scaled ? "; made with a fifth of the blocks, and times scaled up" : "");
    printf("%-44s", "TFLOPS, share of the registers-only peak");
    for (int i = 0; i < b->paths; i++)
        printf(" %12s    ", isa_name(b->path[i].isa));
    putchar('\n');
    for (int k = 0; k < NN_OPS; k++) {
        printf("%-44s", b->path[0].op[k].shape);
        for (int i = 0; i < b->paths; i++) {
            const struct nn_op *o = &b->path[i].op[k];
            printf(" %11.3f %3.0f%%", o->tflops, 100.0 * o->tflops / b->path[i].peak[o->dtype]);
        }
        putchar('\n');
    }
    for (int t = 0; t <= DTYPE_I8; t++) {
        if (b->path[0].peak[t] == 0.0)
            continue;
        printf("%-39s %-4s", "peak, registers alone", dtype_name((enum dtype)t));
        for (int i = 0; i < b->paths; i++)
            printf(" %11.3f     ", b->path[i].peak[t]);
        putchar('\n');
    }
    putchar('\n');
    for (size_t k = 0; k < sizeof STAGES / sizeof *STAGES; k++)
        print_seconds(b, STAGES[k].name, STAGES[k].offset);
    printf("\nresident at most: %jd MB\n", (intmax_t)rss_mb());
}

static void add_real(struct json_writer *w, const char *key, double v, int decimals)
{
    if (v <= 0.0)
        return;
    jw_key(w, key);
    jw_real(w, v, decimals);
}

static void add_path(struct json_writer *w, const struct path *p)
{
    jw_kstr(w, "isa", isa_name(p->isa));
    add_real(w, "peak_tflops", p->peak[p->op[0].dtype], 4);
    add_real(w, "step_s", p->stages.step_s, 3);
    add_real(w, "step_four_s", p->stages.step_four_s, 3);
    add_real(w, "text_s", p->stages.text_s, 3);
    add_real(w, "vae_in_s", p->stages.vae_in_s, 3);
    add_real(w, "vae_out_s", p->stages.vae_out_s, 3);
    add_real(w, "picture_s", p->stages.picture_s, 3);
    add_real(w, "four_s", p->stages.four_s, 3);
    jw_key(w, "ops");
    jw_open(w, '[');
    for (int i = 0; i < NN_OPS; i++) {
        jw_open(w, '{');
        jw_kstr(w, "name", p->op[i].name);
        add_real(w, "tflops", p->op[i].tflops, 4);
        add_real(w, "share", p->op[i].tflops / p->peak[p->op[i].dtype], 3);
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

static void print_json(const struct bench *b)
{
    struct buf text = BUF_INIT;
    struct json_writer w = JSON_WRITER(&text);

    jw_open(&w, '{');
    jw_kstr(&w, "precision", b->precision);
    jw_kint(&w, "threads", pool_width(b->pool));
    jw_key(&w, "cpu_time");
    jw_bool(&w, b->f.cpu_time);
    jw_key(&w, "scaled");
    jw_bool(&w, b->scaled);
    jw_kint(&w, "rss_mb", rss_mb());
    add_path(&w, &b->path[0]);
    jw_key(&w, "others");
    jw_open(&w, '[');
    for (int i = 1; i < b->paths; i++) {
        jw_open(&w, '{');
        add_path(&w, &b->path[i]);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    buf_addc(&text, '\n');
    command_print(&text);
    buf_release(&text);
}

int bench_nn_command(int argc, char **argv)
{
    struct bench b = {0};
    struct err_note note = {0};
    int count, code = command_read(&line, &b.f, argc, argv, NULL, &count);

    if (code >= 0)
        return code;
    if (b.f.threads == CONFIG_UNSET) {
        long n = sysconf(_SC_NPROCESSORS_ONLN);
        b.f.threads = n < 1 ? 1 : n > POOL_THREADS_MAX ? POOL_THREADS_MAX : n;
    }
    (void)isa_ask_for_amx();
    interrupt_block();
    enum err e = pool_open((int)b.f.threads, &b.pool, &note);
    interrupt_watch(&b.interrupt, NULL);
    if (e == ERR_OK)
        e = open_model(&b, &note);
    if (e == ERR_OK)
        e = measure(&b, &note);
    interrupt_end(&b.interrupt);
    if (e == ERR_OK)
        (b.f.json ? print_json : print_table)(&b);
    else
        command_complain("bench nn", note.text);
    packed_close(b.model);
    pool_close(b.pool);
    return e == ERR_OK ? EXIT_DONE : EXIT_FAILED;
}
