/* SPDX-License-Identifier: MIT */
/*
 * What paints is in the program twice, compiled for any processor and for AVX2, and is chosen when
 * a request comes. The bits are the same: each lane of a vector is computed alone, and neither
 * compilation fuses multiplications with additions.
 */
#include "look/look_internal.h"

#ifdef LOOK_HAS_AVX2
// look_paint() of the second compilation; see meson.build.
enum err look_paint_avx2(const struct look_request *r, struct image *out, struct err_note *note);

bool look_has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}
#else
bool look_has_avx2(void)
{
    return false;
}
#endif

enum err look_render(const struct look_request *r, struct image *out, struct err_note *note)
{
#ifdef LOOK_HAS_AVX2
    if (!r->plain && look_has_avx2())
        return look_paint_avx2(r, out, note);
#endif
    return look_paint(r, out, note);
}
