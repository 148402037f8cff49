/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void err_note_clear(struct err_note *note)
{
    if (note)
        memset(note, 0, sizeof(*note));
}

// Drops the bytes of a UTF-8 character that vsnprintf cut in two.
static void trim_cut_utf8(char *s, size_t len)
{
    size_t start = len;

    while (start > 0 && ((unsigned char)s[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)s[start - 1];
    size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (len - (start - 1) < want)
        s[start - 1] = '\0';
}

PRINTF_LIKE(2, 0)
static void set_text(struct err_note *note, const char *fmt, va_list ap)
{
    int n = vsnprintf(note->text, sizeof(note->text), fmt, ap);

    if (n >= (int)sizeof(note->text))
        trim_cut_utf8(note->text, sizeof(note->text) - 1);
}

// A new note with this text, where somebody wants one.
PRINTF_LIKE(2, 0)
static void begin_note(struct err_note *note, const char *fmt, va_list ap)
{
    err_note_clear(note);
    if (note)
        set_text(note, fmt, ap);
}

enum err err_set(struct err_note *note, enum err e, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    begin_note(note, fmt, ap);
    va_end(ap);
    return e;
}

enum err err_set_reason(struct err_note *note, enum err e, const char *reason, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    begin_note(note, fmt, ap);
    va_end(ap);
    if (note)
        snprintf(note->reason, sizeof(note->reason), "%s", reason);
    return e;
}

enum err err_errno(struct err_note *note, const char *fmt, ...)
{
    int code = errno;
    va_list ap;
    char why[96];

    va_start(ap, fmt);
    begin_note(note, fmt, ap);
    va_end(ap);
    if (note) {
        size_t used = strlen(note->text);
        snprintf(note->text + used, sizeof(note->text) - used, ": %s",
                 strerror_r(code, why, sizeof(why)));
    }
    if (code == ENOSPC || code == EDQUOT)
        return ERR_FULL;
    return code == ENOMEM ? ERR_NOMEM : ERR_IO;
}

void err_note_prefix(struct err_note *note, const char *fmt, ...)
{
    char old[sizeof(note->text)];
    va_list ap;

    if (!note)
        return;
    memcpy(old, note->text, sizeof(old));
    va_start(ap, fmt);
    set_text(note, fmt, ap);
    va_end(ap);
    size_t used = strlen(note->text);
    int n = snprintf(note->text + used, sizeof(note->text) - used, ": %s", old);
    if (n >= (int)(sizeof(note->text) - used))
        trim_cut_utf8(note->text, sizeof(note->text) - 1);
}

const char *err_name(enum err e)
{
    switch (e) {
#define NAME(x) \
    case x:     \
        return #x
        NAME(ERR_OK);
        NAME(ERR_NONE);
        NAME(ERR_REPLAY);
        NAME(ERR_INVALID);
        NAME(ERR_NOT_FOUND);
        NAME(ERR_CONFLICT);
        NAME(ERR_WRONG_STATE);
        NAME(ERR_NO_POINTS);
        NAME(ERR_DISABLED);
        NAME(ERR_DENIED);
        NAME(ERR_TOO_LARGE);
        NAME(ERR_UNSUPPORTED);
        NAME(ERR_CORRUPT);
        NAME(ERR_FETCH);
        NAME(ERR_QUEUE_FULL);
        NAME(ERR_UNAVAILABLE);
        NAME(ERR_BUSY);
        NAME(ERR_TIMEOUT);
        NAME(ERR_CRASHED);
        NAME(ERR_CANCELLED);
        NAME(ERR_LOST);
        NAME(ERR_NOMEM);
        NAME(ERR_IO);
        NAME(ERR_FULL);
        NAME(ERR_TOO_NEW);
        NAME(ERR_BUG);
#undef NAME
    }
    return "ERR_?";
}
