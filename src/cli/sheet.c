/* SPDX-License-Identifier: MIT */
#include "cli/sheet.h"

#include "cli/lettering.h"
#include "engine/engine_run.h"
#include "image/fit.h"
#include "prompt/prompt.h"

#include <string.h>

/* Pixels. A label's letters are as high as those of ordinary text on a screen. */
enum { EDGE = 24, GAP = 16, LABEL = 34, LABEL_LINE = 19, CAPITAL = 11, PAPER = 247 };

struct layout {
    int columns, rows;
    struct fit_plan paint, tile;
};

static int rows_for(int n, int columns)
{
    return (n + columns - 1) / columns;
}

// About as high as wide; one column more where that fills the last row better.
static int columns_for(int n, const struct fit_plan *tile)
{
    int square = 1;

    while (square < SHEET_COLUMNS_MAX - 1 &&
           square * tile->width < rows_for(n, square) * tile->height)
        square++;
    int wider = square + 1;
    return rows_for(n, wider) * wider < rows_for(n, square) * square ? wider : square;
}

static enum err lay_out(const struct sheet_request *r, struct layout *l, struct err_note *note)
{
    const struct fit_request small = {.pixels = SHEET_TILE_PIXELS};
    int n = r->items + 1; // and the photo

    enum err e = fit_plan(r->photo->width, r->photo->height, &small, &l->tile, note);
    if (e)
        return e;
    const struct fit_request large = {.width = 2 * l->tile.width, .height = 2 * l->tile.height};
    e = fit_plan(r->photo->width, r->photo->height, &large, &l->paint, note);
    if (e)
        return e;
    fit_centre(r->photo, &l->paint);
    l->columns = r->columns ? r->columns : columns_for(n, &l->tile);
    if (l->columns > n)
        l->columns = n;
    l->rows = rows_for(n, l->columns);
    return ERR_OK;
}

static enum err new_sheet(const struct layout *l, struct image *out)
{
    int width = 2 * EDGE + l->columns * (l->tile.width + GAP) - GAP,
        height = 2 * EDGE + l->rows * (l->tile.height + LABEL) - LABEL + LABEL_LINE + CAPITAL / 2;
    enum err e = image_new(out, width, height);

    if (!e)
        memset(out->px, PAPER, out->stride * (size_t)height);
    for (int y = 0; !e && y < height; y++)
        for (int x = 0; x < width; x++)
            out->px[(size_t)y * out->stride + 4 * (size_t)x + 3] = 255;
    return e;
}

// A picture of another shape (--ar) is shown whole.
static struct fit_request whole_within(const struct fit_plan *tile, const struct image *painted)
{
    int64_t wide = (int64_t)painted->width * tile->height;
    int64_t high = (int64_t)painted->height * tile->width;
    struct fit_request small = {.width = tile->width, .height = tile->height};

    if (wide > high)
        small.height = (int)(high / painted->width);
    else
        small.width = (int)(wide / painted->height);
    return small;
}

// Reduces a painted picture to its place on the sheet and writes the name below it.
static enum err place(const struct layout *l, int at, const struct image *painted,
                      const char *label, int threads, struct image *sheet)
{
    const struct fit_request small = whole_within(&l->tile, painted);
    struct image tile = {0};
    struct fit_plan plan;
    int x = EDGE + at % l->columns * (l->tile.width + GAP),
        y = EDGE + at / l->columns * (l->tile.height + LABEL);

    enum err e = fit_plan(painted->width, painted->height, &small, &plan, NULL);
    if (!e)
        e = fit_resample(painted, &plan, threads, &tile);
    if (e)
        return e;
    image_over_white(&tile);
    int right = (l->tile.width - tile.width) / 2, down = (l->tile.height - tile.height) / 2;
    for (int row = 0; row < tile.height; row++)
        memcpy(sheet->px + (size_t)(y + down + row) * sheet->stride + 4 * (size_t)(x + right),
               tile.px + (size_t)row * tile.stride, 4 * (size_t)tile.width);
    image_release(&tile);
    // A long name is set smaller rather than cut.
    float capital = CAPITAL, width = lettering_width(label, capital);
    if (width > (float)l->tile.width)
        capital *= (float)l->tile.width / width;
    lettering_draw(sheet, label, (float)x, (float)(y + l->tile.height + LABEL_LINE), capital);
    return ERR_OK;
}

struct share {
    const struct sheet_request *r;
    int done;
};

static void tell(void *ctx, float done)
{
    const struct share *s = ctx;

    if (s->r->progress)
        s->r->progress(s->r->progress_ctx, ((float)s->done + done) / (float)s->r->items);
}

static enum err draw_look(const struct sheet_request *r, int i, const struct image *photo,
                          struct image *painted, struct err_note *note)
{
    const struct look_options options = {0};
    struct share share = {r, i};
    struct look_request request = {
        .source = photo,
        .recipe = r->item[i].look,
        .options = &options,
        .seed = r->seed,
        .count = 1,
        .pool = r->pool,
        .progress = tell,
        .progress_ctx = &share,
        .cancel = r->cancel,
    };

    return look_render(&request, painted, note);
}

static bool asks_for_shape(const char *text)
{
    struct arena a = ARENA_INIT;
    struct prompt *p = arena_alloc(&a, sizeof(*p));
    bool asks = p && prompt_read(p, &a, text, strlen(text)) == ERR_OK && p->given & PROMPT_AR;

    arena_release(&a);
    return asks;
}

static enum err draw_prompt(const struct sheet_request *r, int i, const struct image *photo,
                            struct image *painted, struct err_note *note)
{
    struct share share = {r, i};
    struct engine_result made = {.count = 0};
    struct engine_job job = {
        .source = photo,
        .prompt_text = r->item[i].prompt,
        .prompt_len = strlen(r->item[i].prompt),
        .pixels = SHEET_PAINT_PIXELS,
        .seed = r->seed,
        .count = 1,
        .threads = pool_width(r->pool),
        .progress = tell,
        .progress_ctx = &share,
        .cancel = r->cancel,
    };

    if (!asks_for_shape(r->item[i].prompt)) {
        job.width = photo->width;
        job.height = photo->height;
    }
    enum err e = engine_run(r->engine, &job, &made, note);
    if (e)
        return e;
    *painted = made.picture[0];
    made.picture[0] = (struct image){0};
    engine_result_release(&made);
    return ERR_OK;
}

enum err sheet_draw(const struct sheet_request *r, struct image *out, struct err_note *note)
{
    struct layout l;
    struct image photo = {0}, painted = {0}, sheet = {0};
    int threads = pool_width(r->pool);

    enum err e = lay_out(r, &l, note);
    if (!e)
        e = fit_resample(r->photo, &l.paint, threads, &photo);
    if (!e)
        e = new_sheet(&l, &sheet);
    if (!e)
        e = place(&l, 0, &photo, "photo", threads, &sheet);
    for (int i = 0; !e && i < r->items; i++) {
        const struct sheet_item *item = &r->item[i];
        e = (item->look ? draw_look : draw_prompt)(r, i, &photo, &painted, note);
        if (!e)
            e = place(&l, i + 1, &painted, item->look ? item->look->name[0] : item->prompt, threads,
                      &sheet);
        image_release(&painted);
    }
    if (!e) {
        *out = sheet;
        sheet = (struct image){0};
    }
    image_release(&photo);
    image_release(&sheet);
    return e;
}
