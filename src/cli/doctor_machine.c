/* SPDX-License-Identifier: MIT */
#include "cli/doctor_internal.h"

#include "engine/engine.h"
#include "image/codec.h"
#include "lib/patina.h"
#include "sandbox/decode.h"
#include "sandbox/render.h"
#include "sandbox/walls.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <unistd.h>

enum {
    SIDE = 64,              // of the tiny picture
    FILES_MIN = 1024 + 256, // connections, and files and pipes beside them
    RENDER_CANCEL_MS = 700, // as in the service
};

static int64_t ms_since(int64_t began_ns)
{
    return (clock_mono_ns(&clock_system) - began_ns) / 1000000;
}

// ---- the processor ----

// The value of the first line "name : value" of /proc/cpuinfo; "" when there is none.
static const char *cpu_line(struct arena *a, const char *name)
{
    char *line = NULL;
    size_t room = 0;
    const char *found = NULL;
    FILE *f = fopen("/proc/cpuinfo", "re");

    while (f && !found && getline(&line, &room, f) > 0) {
        const char *value = strchr(line, ':');
        if (!value || strncmp(line, name, strlen(name)) != 0)
            continue;
        value += 1 + strspn(value + 1, " ");
        found = arena_memdup(a, value, strcspn(value, "\n"));
    }
    free(line);
    if (f)
        fclose(f);
    return found ? found : "";
}

static bool has_word(const char *words, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = words; (at = strstr(at, word)); at += len)
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
            return true;
    return false;
}

void doctor_processor(struct doctor *d)
{
    static const char *const known[] = {"avx2",        "fma",      "avx512f", "avx512_bf16",
                                        "avx512_vnni", "amx_tile", "amx_bf16"};
    const char *flags = cpu_line(&d->a->arena, "flags");
    const char *model = cpu_line(&d->a->arena, "model name");
    struct buf have = BUF_INIT;

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (has_word(flags, known[i]))
            buf_addf(&have, " %s", known[i]);
    doctor_say(d, "processor", FINDING_OK, NULL, "%ld cores, %s;%s", sysconf(_SC_NPROCESSORS_ONLN),
               *model ? model : "unknown", have.len ? have.data : " no vector instructions known");
    buf_release(&have);
}

void doctor_limits(struct doctor *d)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_max >= FILES_MIN)
        doctor_say(d, "limits", FINDING_OK, NULL, "enough open files");
    else
        doctor_say(d, "limits", FINDING_WARNING,
                   "raise it: LimitNOFILE= in the systemd unit, ulimit -n in a shell",
                   "at most %llu open files, fewer than connections and files may take",
                   (unsigned long long)files.rlim_max);
    if (geteuid() == 0)
        doctor_say(d, "user", FINDING_WARNING, "run the service as a user of its own",
                   "this is root, whom no file is closed to");
}

void doctor_clock(struct doctor *d)
{
    struct timex t = {0};
    int64_t now_ms = clock_unix_ms(&clock_system);
    char text[RFC3339_TEXT];

    rfc3339(now_ms, text);
    if (now_ms < INT64_C(1704067200000)) // 2024, before this program was written
        doctor_say(d, "clock", FINDING_FAILS, "set the clock and let NTP keep it",
                   "it is set to %s", text);
    else if (adjtimex(&t) == TIME_ERROR)
        doctor_say(d, "clock", FINDING_WARNING,
                   "let NTP keep it: receivers refuse webhooks that are 5 minutes off",
                   "%s, but the kernel does not know it to be synchronised", text);
    else
        doctor_say(d, "clock", FINDING_OK, NULL, "%s, synchronised", text);
}

// ---- walls and codecs ----

void doctor_sandbox(struct doctor *d)
{
    struct sandbox_walls w;

    sandbox_walls_look(&w);
    if (!w.seccomp)
        doctor_say(d, "sandbox", FINDING_FAILS,
                   "run a kernel with seccomp filters, and a container that allows them",
                   "the kernel offers no seccomp filter that ends a process");
    else if (!w.pidfd)
        doctor_say(d, "sandbox", FINDING_FAILS, "Linux 5.3 or newer is needed",
                   "the kernel has no pidfd");
    else if (w.landlock == 0)
        doctor_say(d, "sandbox", FINDING_WARNING,
                   "Linux 5.13 with lsm=landlock adds a second wall; the first one stands",
                   "seccomp, no Landlock");
    else
        doctor_say(d, "sandbox", FINDING_OK, NULL, "seccomp, Landlock %d", w.landlock);
}

static struct image tiny_picture(uint8_t px[SIDE * SIDE * 4])
{
    struct image im = {.width = SIDE, .height = SIDE, .stride = SIDE * 4, .px = px};

    for (int i = 0; i < SIDE * SIDE; i++) {
        int x = i % SIDE, y = i / SIDE;
        const uint8_t rgba[4] = {(uint8_t)(4 * x), (uint8_t)(4 * y), (uint8_t)(2 * (x + y)), 255};
        memcpy(px + (size_t)4 * i, rgba, 4);
    }
    return im;
}

// Decodes `file` and compares: exactly, or for lossy formats by the mean difference.
static enum err try_decode(struct decoder *dec, const struct buf *file, const struct image *want,
                           int tolerance, struct err_note *note)
{
    struct codec_decode_options o = {0};
    struct decoded got = {.fd = -1};
    int64_t sum = 0;
    enum err e = decoder_decode(dec, file->data, file->len, &o, NULL, &got, note);

    if (!e && (got.image.width != SIDE || got.image.height != SIDE))
        e = err_set(note, ERR_BUG, "it has another size");
    for (int y = 0; !e && y < SIDE; y++)
        for (int x = 0; x < SIDE * 4; x++)
            sum += abs(got.image.px[(size_t)y * got.image.stride + (size_t)x] -
                       want->px[(size_t)y * want->stride + (size_t)x]);
    if (!e && sum > (int64_t)tolerance * SIDE * SIDE * 4)
        e = err_set(note, ERR_BUG, "its pixels are not what was encoded");
    decoded_release(&got);
    return e;
}

static enum err encode(int format, const struct image *im, struct buf *out)
{
    switch (format) {
    case 0:
        return codec_encode_png(im, NULL, out);
    case 1:
        return codec_encode_jpeg(im, NULL, 95, out);
    default:
        return codec_encode_webp(im, NULL, 95, out);
    }
}

void doctor_decoder(struct doctor *d)
{
    static const char *const name[] = {"PNG", "JPEG", "WebP"};
    static const int tolerance[] = {0, 8, 8};
    struct decoder_options o = DECODER_DEFAULTS;
    struct decoder *dec = NULL;
    struct err_note note = {0};
    uint8_t px[SIDE * SIDE * 4];
    struct image im = tiny_picture(px);
    enum err e = decoder_open(&o, &dec, &note);
    int64_t began_ns = clock_mono_ns(&clock_system);

    for (int i = 0; !e && i < 3; i++) {
        struct buf file = BUF_INIT;
        e = encode(i, &im, &file);
        if (!e)
            e = try_decode(dec, &file, &im, tolerance[i], &note);
        if (e)
            err_note_prefix(&note, "a tiny %s", name[i]);
        buf_release(&file);
    }
    if (e)
        doctor_say(d, "decoder", FINDING_FAILS,
                   e == ERR_NOT_FOUND ? "install patina-decode beside patina, or in libexec/patina"
                                      : "see docs/security.md for what its walls need",
                   "%s", note.text[0] ? note.text : err_name(e));
    else
        doctor_say(d, "decoder", FINDING_OK, NULL, "PNG, JPEG and WebP behind walls, %lld ms each",
                   (long long)(ms_since(began_ns) + 2) / 3);
    if (dec)
        decoder_close(dec);
}

// ---- engines ----

static bool try_engine(const struct doctor *d, const char *name, char why[PATINA_WHY])
{
    struct patina_options o = {.engine = name, .looks_dir = d->a->s.looks};
    struct patina_result *result = NULL;
    struct patina *p = NULL;
    uint8_t px[SIDE * SIDE * 4];
    struct image im = tiny_picture(px);
    struct patina_request r = {.width = SIDE,
                               .height = SIDE,
                               .rgba = im.px,
                               .prompt = "oil painting",
                               .count = 1,
                               .pixels = SIDE * SIDE};
    bool ok = patina_open(&o, &p, why) == PATINA_OK &&
              patina_render(p, &r, &result, why) == PATINA_OK;

    patina_result_free(result);
    patina_close(p);
    return ok;
}

// Starts a renderer as the service does, which enters its walls before it says that it is ready.
static enum err try_renderer(struct doctor *d, const char *name, struct err_note *note)
{
    struct arena *a = &d->a->arena;
    const struct settings *s = &d->a->s;
    char *argv[7] = {arena_strdup(a, "/proc/self/exe"), arena_strdup(a, "--renderer"),
                     arena_printf(a, "--engine=%s", name)};
    int n = 3;

    if (s->looks)
        argv[n++] = arena_printf(a, "--looks=%s", s->looks);
    if (s->model)
        argv[n++] = arena_printf(a, "--model=%s", s->model);
    if (s->isa)
        argv[n++] = arena_printf(a, "--isa=%s", s->isa);
    struct render_pool_options o = {
        .processes = 1, .argv = argv, .cancel_grace_ms = RENDER_CANCEL_MS};
    struct render_pool *pool = NULL;
    enum err e = render_pool_open(&o, &pool, note);

    render_pool_close(pool);
    return e;
}

void doctor_engines(struct doctor *d)
{
    for (int i = 0; engine_table[i]; i++) {
        const char *name = engine_table[i]->name;
        struct err_note note = {0};
        int64_t began_ns = clock_mono_ns(&clock_system);
        // Without a model that opens there is nothing to try, and with one a picture takes long.
        bool model = engine_table[i] == &engine_flux2_ops;
        if (model && !d->model)
            continue;
        if (!model && !try_engine(d, name, note.text))
            doctor_say(d, "engine", FINDING_FAILS,
                       "is PATINA_LOOKS right? patina render shows the same failure", "%s: %s",
                       name, note.text);
        else if (try_renderer(d, name, &note))
            doctor_say(d, "engine", FINDING_FAILS, "see docs/security.md for what its walls need",
                       "%s does not start behind its walls: %s", name, note.text);
        else
            doctor_say(d, "engine", FINDING_OK, NULL, "%s %s behind its walls (%lld ms)", name,
                       model ? "starts" : "renders,", (long long)ms_since(began_ns));
    }
}

// ---- names ----

void doctor_dns(struct doctor *d, const char *host)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int64_t began_ns = clock_mono_ns(&clock_system);

    // Somebody waits for the answer; a name server that takes longer is no use to the service.
    setenv("RES_OPTIONS", "timeout:2 attempts:1", 0);
    int rc = getaddrinfo(host, "443", &hints, &found);
    if (rc)
        doctor_say(
            d, "dns", FINDING_WARNING,
            "look at /etc/resolv.conf; without names, uploads work and pictures from the web "
            "and webhooks do not",
            "%s: %s", host, gai_strerror(rc));
    else
        doctor_say(d, "dns", FINDING_OK, NULL, "%s in %lld ms", host,
                   (long long)ms_since(began_ns));
    if (found)
        freeaddrinfo(found);
}
