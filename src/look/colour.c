/* SPDX-License-Identifier: MIT */
#include "look/colour.h"

// x^2.4 = x^2 * (x^.2)^2; the fifth root by Newton's method from above converges for every x in
// (0, 1].
static double power_2_4(double x)
{
    double y = 1.0;

    for (int i = 0; i < 40; i++) {
        double y4 = y * y * y * y;
        y = (4.0 * y + x / y4) / 5.0;
    }
    return x * x * y * y;
}

void srgb_table(float linear[256])
{
    for (int i = 0; i < 256; i++) {
        double v = i / 255.0;
        linear[i] = (float)(v <= 0.04045 ? v / 12.92 : power_2_4((v + 0.055) / 1.055));
    }
}
