/* SPDX-License-Identifier: MIT */
#include "cli/bench_peer.h"

#include "base/buf.h"
#include "cli/bench_photo.h"
#include "image/codec.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { LONG_RUN_MS = 5000, WORDS_MAX = 8 };

/* Numbers of filters are the defaults of their dialogues. */
enum peer_id {
    GMIC_START,
    OPENCV_START,
    BRUSHIFY,
    PAINTING,
    VECTOR,
    SKETCH,
    CHARCOAL,
    ENGRAVE,
    CARTOON,
    STAINED,
    MOSAIC,
    RELIEF,
    MARBLE,
    OIL_CV,
    PENCIL_CV,
    STYLE_CV,
    PEERS
};

#define OPENCV(call)                                                                         \
    {                                                                                        \
        "/usr/bin/python3", "-c",                                                            \
            "import sys,cv2; i=cv2.imread(sys.argv[1]); cv2.imwrite(sys.argv[2], " call ")", \
            "@in", "@out"                                                                    \
    }

static const struct {
    const char *name;
    enum peer_id start;
    const char *word[WORDS_MAX];
} PEER[PEERS] = {
    [GMIC_START] = {"gmic", GMIC_START, {"gmic", "@in", "-output", "@out"}},
    [OPENCV_START] = {"OpenCV", OPENCV_START, OPENCV("i")},
    [BRUSHIFY] = {"gmic fx_brushify",
                  GMIC_START,
                  {"gmic", "@in", "fx_brushify",
                   "7,0.25,4,64,25,12,0,2,4,0.2,0.5,30,1,1,1,5,0,0.2,1", "-output", "@out"}},
    [PAINTING] = {"gmic fx_painting",
                  GMIC_START,
                  {"gmic", "@in", "fx_painting", "5,2.5,1.5,50,0,1,0,0", "-output", "@out"}},
    [VECTOR] = {"gmic fx_vector_painting",
                GMIC_START,
                {"gmic", "@in", "fx_vector_painting", "9,0", "-output", "@out"}},
    [SKETCH] = {"gmic fx_sketchbw",
                GMIC_START,
                {"gmic", "@in", "fx_sketchbw", "1,0,180,30,1.75,0.02,0.5,0.75,0.1,0.7,3,6,0,1,4,0",
                 "-output", "@out"}},
    [CHARCOAL] = {"gmic fx_charcoal",
                  GMIC_START,
                  {"gmic", "@in", "fx_charcoal", "65,70,170,0,1,0,50,70,255,255,255,0,0,0,0,0",
                   "-output", "@out"}},
    [ENGRAVE] = {"gmic fx_engrave",
                 GMIC_START,
                 {"gmic", "@in", "fx_engrave", "0.5,4,0,8,40,0,0,0,10,1,0,0,0,0,1", "-output",
                  "@out"}},
    [CARTOON] = {"gmic cartoon",
                 GMIC_START,
                 {"gmic", "@in", "cartoon", "3,200,20,0.25,1.5,8", "-output", "@out"}},
    [STAINED] = {"gmic stained_glass",
                 GMIC_START,
                 {"gmic", "@in", "stained_glass", "20,0.1", "-output", "@out"}},
    [MOSAIC] = {"gmic fx_mosaic",
                GMIC_START,
                {"gmic", "@in", "fx_mosaic", "50,0,1", "-output", "@out"}},
    [RELIEF] = {"gmic fx_light_relief",
                GMIC_START,
                {"gmic", "@in", "fx_light_relief", "0.3,0.2,0,0,0.5,0.5,5,0.5,0,0,0", "-output",
                 "@out"}},
    [MARBLE] = {"gmic fx_marble",
                GMIC_START,
                {"gmic", "@in", "fx_marble", "0.5,1,0,0,0.4,0.6,0.6,1.1,0,100", "-output", "@out"}},
    [OIL_CV] = {"OpenCV oilPainting", OPENCV_START, OPENCV("cv2.xphoto.oilPainting(i,7,1)")},
    [PENCIL_CV] = {"OpenCV pencilSketch", OPENCV_START, OPENCV("cv2.pencilSketch(i)[0]")},
    [STYLE_CV] = {"OpenCV stylization", OPENCV_START, OPENCV("cv2.stylization(i)")},
};

/* By the look's own name, else by an operator that its recipe has; the first row that fits. The
 * nearest G'MIC filter comes first. Debian's G'MIC 2.9.4 has no filter for metal or wood: a relief
 * under light is the nearest. */
static const struct {
    const char *name;
    enum peer_id peer[PEERS_PER_LOOK]; /* 0 ends */
} NEAREST[] = {
    {"charcoal", {CHARCOAL, SKETCH}},
    {"etching", {ENGRAVE, SKETCH}},
    {"strokes", {BRUSHIFY, PAINTING, OIL_CV}},
    {"engrave", {ENGRAVE}},
    {"hatch", {SKETCH, PENCIL_CV}},
    {"wash", {VECTOR, STYLE_CV}},
    {"flats", {CARTOON, STYLE_CV}},
    {"glass", {STAINED}},
    {"tesserae", {MOSAIC}},
    {"stone", {MARBLE}},
    {"metal", {RELIEF}},
    {"timber", {RELIEF}},
};

struct peer_bench {
    char in[sizeof("/tmp/patina-bench-XXXXXX.png")];
    char out[sizeof("/tmp/patina-bench-XXXXXX.png.out.png")];
    struct {
        bool tried, works, timed_out;
        double ms;
    } done[PEERS];
};

static enum err write_png(const char *path, const struct image *im, struct err_note *note)
{
    struct codec_meta meta = {0};
    struct buf png = BUF_INIT;
    enum err e = codec_encode_png(im, &meta, &png);
    FILE *f = e == ERR_OK ? fopen(path, "wbe") : NULL;

    if (e == ERR_OK && (!f || fwrite(png.data, 1, png.len, f) != png.len))
        e = err_errno(note, "writing a picture for other programs");
    if (f && fclose(f) != 0 && e == ERR_OK)
        e = err_errno(note, "writing a picture for other programs");
    buf_release(&png);
    return e;
}

enum err peer_bench_open(const struct image *photo, struct peer_bench **out, struct err_note *note)
{
    struct peer_bench *b = calloc(1, sizeof(*b));

    if (!b)
        return err_set(note, ERR_NOMEM, "out of memory");
    memcpy(b->in, "/tmp/patina-bench-XXXXXX.png", sizeof(b->in));
    int fd = mkstemps(b->in, 4);
    if (fd < 0) {
        enum err e = err_errno(note, "making a file for other programs");
        free(b);
        return e;
    }
    close(fd);
    snprintf(b->out, sizeof(b->out), "%s.out.png", b->in);
    enum err e = write_png(b->in, photo, note);
    if (e == ERR_OK)
        *out = b;
    else
        peer_bench_close(b);
    return e;
}

void peer_bench_close(struct peer_bench *b)
{
    if (!b)
        return;
    unlink(b->in);
    unlink(b->out);
    free(b);
}

// Waits for a child until the limit, then ends it. True: it ended by itself, in time.
static bool wait_limited(pid_t pid, int *status)
{
    int fd = pidfd_open(pid, 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    bool ended = fd < 0 || poll(&p, 1, PEER_LIMIT_MS) > 0;

    if (!ended)
        kill(pid, SIGKILL);
    while (waitpid(pid, status, 0) < 0)
        ;
    if (fd >= 0)
        close(fd);
    return ended;
}

// Runs one program without a sound; true when it wrote a picture or ran out of time.
static bool run_peer(struct peer_bench *b, enum peer_id id, double *ms, bool *timed_out)
{
    posix_spawn_file_actions_t actions;
    char *argv[WORDS_MAX + 1] = {0};
    pid_t pid;
    int status = -1;

    for (int i = 0; i < WORDS_MAX && PEER[id].word[i]; i++)
        argv[i] = strcmp(PEER[id].word[i], "@in") == 0    ? b->in
                  : strcmp(PEER[id].word[i], "@out") == 0 ? b->out
                                                          : (char *)PEER[id].word[i];
    unlink(b->out);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    double begun = bench_now_ms();
    bool started = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) == 0;
    *timed_out = started && !wait_limited(pid, &status);
    *ms = bench_now_ms() - begun;
    posix_spawn_file_actions_destroy(&actions);
    return *timed_out ||
           (WIFEXITED(status) && WEXITSTATUS(status) == 0 && access(b->out, R_OK) == 0);
}

static void time_peer(struct peer_bench *b, enum peer_id id, int repeats)
{
    if (b->done[id].tried)
        return;
    b->done[id].tried = true;
    for (int i = 0; i < repeats; i++) {
        double ms;
        b->done[id].works = run_peer(b, id, &ms, &b->done[id].timed_out);
        if (!b->done[id].works) {
            fprintf(stderr, "patina bench: left out, not installed or failing: %s\n",
                    PEER[id].name);
            return;
        }
        if (i == 0 || ms < b->done[id].ms)
            b->done[id].ms = ms;
        if (ms > LONG_RUN_MS)
            return;
    }
}

static bool fits(const char *name, const struct recipe *look)
{
    if (strcmp(look->name[0], name) == 0)
        return true;
    for (int i = 0; i < look->steps; i++)
        if (strcmp(look->step[i].op->name, name) == 0)
            return true;
    return false;
}

int peer_bench_look(struct peer_bench *b, const struct recipe *look, int repeats,
                    struct peer_time out[PEERS_PER_LOOK])
{
    size_t row = 0, rows = sizeof(NEAREST) / sizeof(NEAREST[0]);
    int found = 0;

    while (row < rows && !fits(NEAREST[row].name, look))
        row++;
    for (int i = 0; row < rows && i < PEERS_PER_LOOK && NEAREST[row].peer[i]; i++) {
        enum peer_id id = NEAREST[row].peer[i], start = PEER[id].start;
        time_peer(b, start, repeats);
        time_peer(b, id, b->done[start].works ? repeats : 0);
        if (!b->done[id].works)
            continue;
        double net = b->done[id].ms - b->done[start].ms;
        out[found++] = (struct peer_time){.name = PEER[id].name,
                                          .nearest = i == 0,
                                          .timed_out = b->done[id].timed_out,
                                          .ms = b->done[id].ms,
                                          .net_ms = net > 0.0 ? net : 0.0};
    }
    return found;
}
