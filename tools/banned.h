/* SPDX-License-Identifier: MIT */
#ifndef PATINA_TOOLS_BANNED_H
#define PATINA_TOOLS_BANNED_H

/* Functions that are too easy to misuse become compile errors. Included in front of every file by
 * the build. System headers come first, so that their own declarations still parse. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATINA_BANNED(f) use_of_##f##_is_banned_see_tools_banned_h

#undef strcpy
#define strcpy(...) PATINA_BANNED(strcpy)
#undef strcat
#define strcat(...) PATINA_BANNED(strcat)
#undef strncpy
#define strncpy(...) PATINA_BANNED(strncpy)
#undef strncat
#define strncat(...) PATINA_BANNED(strncat)
#undef sprintf
#define sprintf(...) PATINA_BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) PATINA_BANNED(vsprintf)
#undef gmtime
#define gmtime(...) PATINA_BANNED(gmtime)
#undef localtime
#define localtime(...) PATINA_BANNED(localtime)
#undef ctime
#define ctime(...) PATINA_BANNED(ctime)
#undef asctime
#define asctime(...) PATINA_BANNED(asctime)
#undef strtok
#define strtok(...) PATINA_BANNED(strtok)
#undef rand
#define rand(...) PATINA_BANNED(rand)
#undef srand
#define srand(...) PATINA_BANNED(srand)
#undef tmpnam
#define tmpnam(...) PATINA_BANNED(tmpnam)
#undef system
#define system(...) PATINA_BANNED(system)

#endif
