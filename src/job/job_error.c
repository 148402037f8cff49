/* SPDX-License-Identifier: MIT */
#include "job/job_error.h"

#include <stddef.h>

const char *job_error_phrase(int code)
{
    switch ((enum job_error)code) {
    case JOB_ERROR_DISABLED:
        return "Account is disabled";
    case JOB_ERROR_TOO_LARGE:
        return "Source image is too large";
    case JOB_ERROR_UNSUPPORTED:
        return "Unsupported image format";
    case JOB_ERROR_CORRUPT:
        return "Source image cannot be decoded";
    case JOB_ERROR_FETCH:
        return "Source image could not be fetched";
    case JOB_ERROR_CANCELLED:
        return "Job was cancelled";
    case JOB_ERROR_ENGINE:
        return "Rendering failed";
    case JOB_ERROR_TIMEOUT:
        return "Job took too long";
    }
    return NULL;
}
