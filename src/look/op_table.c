/* SPDX-License-Identifier: MIT */
#include "look/op.h"

#include <string.h>

const struct look_op *const look_op_table[] = {&look_op_underpaint, &look_op_strokes,
                                               &look_op_grade, &look_op_relief, NULL};

const struct look_op *look_op_find(const char *name, size_t len)
{
    for (const struct look_op *const *op = look_op_table; *op; op++)
        if (strlen((*op)->name) == len && memcmp((*op)->name, name, len) == 0)
            return *op;
    return NULL;
}
