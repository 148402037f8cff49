/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BASE_ERR_H
#define PATINA_BASE_ERR_H

/*
 * Results of functions that can fail, and the note that tells a human why.
 *
 * Zero is success, negative values are errors, positive values are documented
 * outcomes that are not errors. Each value says what the caller can do about it.
 * Only api/ (HTTP status, public code) and job/ (whether a job retries) map these
 * to anything else, each with one table.
 *
 * Results go out through pointer arguments and are set only on success. The
 * function that detects an error writes the note; callers above add context with
 * err_note_prefix() or leave it alone. Only api, worker and cli log it, once.
 */

#define MUST_USE               __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

enum err {
    ERR_OK = 0,

    ERR_NONE = 1,   /* nothing there just now: no job to claim, no row left, end of a list */
    ERR_REPLAY = 2, /* this was done before; the first result is given again */

    /* The caller's input is at fault: reject it, do not retry. */
    ERR_INVALID = -1,     /* malformed or outside its range */
    ERR_NOT_FOUND = -2,   /* no such thing, or not this account's */
    ERR_CONFLICT = -3,    /* idempotency key reused with another body */
    ERR_WRONG_STATE = -4, /* not allowed in the state the thing is in */
    ERR_NO_POINTS = -5,   /* the account cannot pay for it */
    ERR_DISABLED = -6,    /* the account is disabled */
    ERR_DENIED = -7,      /* refused by policy: word list, address policy */
    ERR_TOO_LARGE = -8,   /* over a limit of bytes, pixels, sides or memory; note.reason names it */
    ERR_UNSUPPORTED = -9, /* a format or feature this program does not handle */
    ERR_CORRUPT = -10,    /* the bytes cannot be decoded */
    ERR_FETCH = -11,      /* the source could not be fetched; note.reason says why */

    /* Something gave out for now: the same call may succeed later. */
    ERR_QUEUE_FULL = -20,  /* the account has too many waiting jobs */
    ERR_UNAVAILABLE = -21, /* store, disk or service cannot take it now (also: draining) */
    ERR_BUSY = -22,        /* another holds the lock; retry */
    ERR_TIMEOUT = -23,     /* a deadline passed */
    ERR_CRASHED = -24,     /* a child process died; counts as an attempt */

    /* The work is no longer ours: stop quietly. */
    ERR_CANCELLED = -30, /* asked to stop */
    ERR_LOST = -31,      /* lease token or state did not match: another has the job */

    /* The machine or the program: give up this operation, log, keep serving. */
    ERR_NOMEM = -40,
    ERR_IO = -41,
    ERR_FULL = -42,    /* no space left on the device */
    ERR_TOO_NEW = -43, /* data written by a newer version */
    ERR_BUG = -44
};

/*
 * Human-readable reason, owned by the caller; every function that takes one accepts NULL.
 * `reason`, `status` and `field` are the machine-readable part and end up in an error's
 * public `detail`: `reason` is a lower-case word (fetch failure or name of a limit), `status`
 * an HTTP status seen from a peer (0: none), `field` the request field at fault.
 */
struct err_note {
    char text[480];
    char reason[32];
    char field[24];
    int status;
};

/* Empties `note`. */
void err_note_clear(struct err_note *note);

/* Writes the text (truncated to fit, never split inside a UTF-8 character) and returns `e`, so that
 * a failing function can end with `return err_set(note, ERR_INVALID, "...");`. */
enum err err_set(struct err_note *note, enum err e, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* As err_set, and sets `reason`. */
enum err err_set_reason(struct err_note *note, enum err e, const char *reason, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* As err_set for a failed system call: appends strerror(errno). Returns ERR_FULL for ENOSPC/EDQUOT,
 * ERR_NOMEM for ENOMEM, ERR_IO otherwise. */
enum err err_errno(struct err_note *note, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Puts "context: " in front of the text that is there. */
void err_note_prefix(struct err_note *note, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The value's name for logs and tests ("ERR_FETCH"); never NULL. Static storage. */
const char *err_name(enum err e);

#endif
