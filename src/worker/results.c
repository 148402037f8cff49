/* SPDX-License-Identifier: MIT */
#include "worker/results.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

static const char *const names[RESULT_FILES] = {"0", "1", "2", "3", "grid"};

struct part {
    struct image picture;
    struct codec_meta meta;
    char seed[16];
    struct buf *file;
    const char *key;
    struct blob_store *blobs;
    enum err err;
    struct err_note note;
};

// Runs `work` on every part, each on its own thread; where none can be had, on this one.
static enum err all_at_once(struct part part[RESULT_FILES], void *(*work)(void *),
                            struct err_note *note)
{
    pthread_t thread[RESULT_FILES];
    bool started[RESULT_FILES];
    int failed = -1;

    // The last one is the grid, as much work as the others together: it begins first.
    for (int i = RESULT_FILES - 1; i > 0; i--)
        started[i] = pthread_create(&thread[i], NULL, work, &part[i]) == 0;
    work(&part[0]);
    for (int i = 1; i < RESULT_FILES; i++) {
        if (started[i])
            pthread_join(thread[i], NULL);
        else
            work(&part[i]);
    }
    for (int i = 0; i < RESULT_FILES && failed < 0; i++)
        if (part[i].err)
            failed = i;
    if (failed < 0)
        return ERR_OK;
    if (note)
        *note = part[failed].note;
    return part[failed].err;
}

static void *encode(void *arg)
{
    struct part *p = arg;

    p->err = codec_encode_png(&p->picture, &p->meta, p->file);
    if (!p->err && p->file->failed)
        p->err = err_set(&p->note, ERR_NOMEM, "out of memory while encoding");
    return NULL;
}

enum err results_encode(const struct image picture[4], const char *uuid, const char *prompt,
                        const char *engine, uint32_t seed, struct results *out,
                        struct err_note *note)
{
    struct part part[RESULT_FILES] = {0};
    struct image grid = {0};
    struct results made = {0};

    enum err e = image_grid(&grid, picture);
    if (e)
        return err_set(note, e, "out of memory for the grid");
    for (int i = 0; i < RESULT_FILES; i++) {
        struct part *p = &part[i];
        snprintf(made.key[i], sizeof made.key[i], "job/%s/%s.png", uuid, names[i]);
        snprintf(p->seed, sizeof p->seed, "%" PRIu32, seed + (i < 4 ? (uint32_t)i : 0));
        p->picture = i < 4 ? picture[i] : grid;
        p->file = &made.file[i];
        p->meta = (struct codec_meta){
            .prompt = prompt,
            .seed = p->seed,
            .engine = engine,
            .version = "patina " PATINA_VERSION,
        };
    }
    e = all_at_once(part, encode, note);
    image_release(&grid);
    if (e)
        results_release(&made);
    else
        *out = made;
    return e;
}

static void *store(void *arg)
{
    struct part *p = arg;

    p->err = blob_put(p->blobs, p->key, p->file->data, p->file->len, &p->note);
    return NULL;
}

enum err results_store(struct results *r, struct blob_store *blobs, struct err_note *note)
{
    struct part part[RESULT_FILES] = {0};

    for (int i = 0; i < RESULT_FILES; i++)
        part[i] = (struct part){.file = &r->file[i], .key = r->key[i], .blobs = blobs};
    enum err e = all_at_once(part, store, note);
    if (e)
        results_delete(r, blobs);
    return e;
}

void results_delete(const struct results *r, struct blob_store *blobs)
{
    // What cannot be deleted now is an orphan, which the sweep takes.
    for (int i = 0; i < RESULT_FILES; i++)
        (void)!blob_delete(blobs, r->key[i], NULL);
}

void results_release(struct results *r)
{
    for (int i = 0; i < RESULT_FILES; i++)
        buf_release(&r->file[i]);
}
