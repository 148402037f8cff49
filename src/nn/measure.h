/* SPDX-License-Identifier: MIT */
#ifndef PATINA_NN_MEASURE_H
#define PATINA_NN_MEASURE_H

#include "nn/run.h"
#include "nn/tensor.h"

/*
 * What a path could do at most: multiplications and additions a second, both counted, of the
 * instruction that its products of type F32, BF16 or I8 are made of, from registers alone, with all
 * of the pool at once and nobody else on the machine: threads' own time is counted. Operators are
 * held against it. Takes about a tenth of a second; 0 when it was cancelled.
 */
double nn_peak(const struct nn_run *run, enum dtype t);

#endif
