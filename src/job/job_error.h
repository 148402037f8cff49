/* SPDX-License-Identifier: MIT */
#ifndef PATINA_JOB_JOB_ERROR_H
#define PATINA_JOB_JOB_ERROR_H

/*
 * The codes that a failed job can carry, and each one's fixed phrase: `raw_message` on the wire,
 * and the beginning of every error_message that is stored, which goes on with what is wrong and how
 * to mend it.
 */
enum job_error {
    JOB_ERROR_DISABLED = 403,    /* the account was disabled meanwhile */
    JOB_ERROR_TOO_LARGE = 413,   /* the source is over a limit */
    JOB_ERROR_UNSUPPORTED = 415, /* not JPEG, PNG or WebP by content */
    JOB_ERROR_CORRUPT = 422,     /* the source cannot be decoded */
    JOB_ERROR_FETCH = 424,       /* the source could not be fetched */
    JOB_ERROR_CANCELLED = 499,   /* on request */
    JOB_ERROR_ENGINE = 500,      /* gave out after the last attempt */
    JOB_ERROR_TIMEOUT = 504      /* took longer than the job limit */
};

/* "Source image is too large", ...; NULL for a number that is none of these codes. Static. */
const char *job_error_phrase(int code);

#endif
