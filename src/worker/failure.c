/* SPDX-License-Identifier: MIT */
#include "worker/failure.h"

#include "base/json.h"
#include "job/job_error.h"

#include <string.h>

// What the client is told when it is not its picture's fault: details are for the log alone.
static const char gave_out[] = "the service could not finish this job; send it again";

static const struct {
    enum err err;
    enum failure_move move;
    enum job_error code;
    const char *says; // NULL: what the note says
} table[] = {
    {ERR_TOO_LARGE, FAILURE_END, JOB_ERROR_TOO_LARGE, NULL},
    {ERR_UNSUPPORTED, FAILURE_END, JOB_ERROR_UNSUPPORTED, NULL},
    {ERR_CORRUPT, FAILURE_END, JOB_ERROR_CORRUPT, NULL},
    {ERR_INVALID, FAILURE_END, JOB_ERROR_CORRUPT, NULL}, // a size that no result can have
    {ERR_FETCH, FAILURE_END, JOB_ERROR_FETCH, NULL},
    {ERR_DENIED, FAILURE_END, JOB_ERROR_FETCH, NULL},
    {ERR_NOT_FOUND, FAILURE_END, JOB_ERROR_FETCH, NULL}, // an upload or a result that has expired
    {ERR_DISABLED, FAILURE_END, JOB_ERROR_DISABLED, NULL},
    {ERR_TIMEOUT, FAILURE_END, JOB_ERROR_TIMEOUT, "it was stopped at the time limit of a job"},
    {ERR_CRASHED, FAILURE_STRIKE, JOB_ERROR_ENGINE, gave_out},
    {ERR_CANCELLED, FAILURE_QUIET, JOB_ERROR_CANCELLED, ""},
    {ERR_LOST, FAILURE_QUIET, JOB_ERROR_ENGINE, gave_out},
    {ERR_WRONG_STATE, FAILURE_QUIET, JOB_ERROR_ENGINE, gave_out},
    {ERR_UNAVAILABLE, FAILURE_HAND_BACK, JOB_ERROR_ENGINE, gave_out},
    {ERR_BUSY, FAILURE_HAND_BACK, JOB_ERROR_ENGINE, gave_out},
    {ERR_NOMEM, FAILURE_HAND_BACK, JOB_ERROR_ENGINE, gave_out},
    {ERR_IO, FAILURE_HAND_BACK, JOB_ERROR_ENGINE, gave_out},
    {ERR_FULL, FAILURE_HAND_BACK, JOB_ERROR_ENGINE, gave_out},
};

static void write_detail(enum job_error code, const struct err_note *note, char *out, size_t size)
{
    struct buf b = BUF_INIT;
    struct json_writer w = JSON_WRITER(&b);

    const bool fetch = code == JOB_ERROR_FETCH, large = code == JOB_ERROR_TOO_LARGE;
    const bool picture = fetch || large || code == JOB_ERROR_UNSUPPORTED ||
                         code == JOB_ERROR_CORRUPT;
    const bool reason = note->reason[0] && (fetch || large);

    *out = 0;
    if (!picture || (!reason && !note->field[0]))
        return;
    jw_open(&w, '{');
    if (reason)
        jw_kstr(&w, large ? "limit" : "reason", note->reason);
    if (note->status && fetch)
        jw_kint(&w, "status", note->status);
    if (note->field[0] || fetch)
        jw_kstr(&w, "field", note->field[0] ? note->field : "imgUrl");
    jw_close(&w, '}');
    if (!b.failed && b.len < size)
        memcpy(out, b.data, b.len + 1);
    buf_release(&b);
}

void failure_of(enum err e, enum failure_step step, const struct err_note *note,
                struct failure *out)
{
    enum job_error code = JOB_ERROR_ENGINE;
    const char *says = gave_out;

    out->move = FAILURE_END;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].err != e)
            continue;
        out->move = table[i].move;
        code = table[i].code;
        says = table[i].says;
    }
    // A decoder that hangs is the job's own process overrunning; a render that does has used up the
    // job's time.
    if (e == ERR_TIMEOUT && step == STEP_DECODE)
        out->move = FAILURE_STRIKE;
    if (out->move == FAILURE_STRIKE || out->move == FAILURE_HAND_BACK)
        code = JOB_ERROR_ENGINE;
    if (!says)
        says = note->text;
    out->code = code;
    snprintf(out->message, sizeof out->message, *says ? "%s: %s" : "%s", job_error_phrase(code),
             says);
    write_detail(code, note, out->detail, sizeof out->detail);
}
