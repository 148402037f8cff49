/* SPDX-License-Identifier: MIT */
#include "look/op.h"

#include <string.h>

// One a line:
// clang-format off
const struct look_op *const look_op_table[] = {
    &look_op_underpaint,
    &look_op_strokes,
    &look_op_grade,
    &look_op_relief,
    &look_op_paper,
    &look_op_shade,
    &look_op_hatch,
    &look_op_contour,
    &look_op_wash,
    &look_op_glaze,
    &look_op_pigment,
    &look_op_flats,
    &look_op_halftone,
    &look_op_ink,
    &look_op_engrave,
    &look_op_metal,
    &look_op_stone,
    &look_op_timber,
    &look_op_weather,
    &look_op_glass,
    &look_op_came,
    &look_op_tesserae,
    NULL,
};
// clang-format on

const struct look_op *look_op_find(const char *name, size_t len)
{
    for (const struct look_op *const *op = look_op_table; *op; op++)
        if (strlen((*op)->name) == len && memcmp((*op)->name, name, len) == 0)
            return *op;
    return NULL;
}

void look_op_describe(struct buf *out)
{
    for (const struct look_op *const *op = look_op_table; *op; op++) {
        buf_addf(out, "\n### %s\n\n%s\n\n", (*op)->name, (*op)->help);
        buf_adds(out, "| parameter | range | default | |\n|---|---|---|---|\n");
        for (const struct look_param *p = (*op)->param; p->name; p++)
            buf_addf(out, "| %s | %g to %g | %g | %s |\n", p->name, (double)p->least,
                     (double)p->most, (double)p->normal, p->help);
    }
}
