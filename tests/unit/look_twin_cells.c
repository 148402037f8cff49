/* SPDX-License-Identifier: MIT */
#include "look_twin.h"

const struct twin look_twins_cells[] = {{0}};
