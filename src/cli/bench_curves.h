/* SPDX-License-Identifier: MIT */
#ifndef PATINA_CLI_BENCH_CURVES_H
#define PATINA_CLI_BENCH_CURVES_H

/* `patina bench curves`: how each look answers to --s, --iw, --q, --chaos and :: weights, or a
 * packed model to its parameters, as small plots with the figures behind them. See command_main().
 */
int bench_curves_command(int argc, char **argv);

#endif
