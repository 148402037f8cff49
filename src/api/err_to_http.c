/* SPDX-License-Identifier: MIT */
#include "api/err_to_http.h"

#include "base/json.h"

#include <stddef.h>

static const struct {
    enum err e;
    int status;
} status_of[] = {
    {ERR_INVALID, 400},   {ERR_NO_POINTS, 402},   {ERR_DISABLED, 403},   {ERR_DENIED, 403},
    {ERR_NOT_FOUND, 404}, {ERR_WRONG_STATE, 409}, {ERR_TOO_LARGE, 413},  {ERR_UNSUPPORTED, 415},
    {ERR_CORRUPT, 422},   {ERR_CONFLICT, 422},    {ERR_QUEUE_FULL, 429}, {ERR_UNAVAILABLE, 503},
    {ERR_BUSY, 503},      {ERR_TIMEOUT, 503},     {ERR_CANCELLED, 503},  {ERR_NOMEM, 503},
    {ERR_IO, 503},        {ERR_FULL, 503},
};

static const struct {
    int status;
    const char *phrase;
    int retry_after_s;
} phrase_of[] = {
    {400, "Invalid request parameters", 0},
    {401, "Failed to verify api key", 0},
    {402, "Not enough points", 0},
    {403, "Permission denied", 0},
    {404, "Not found", 0},
    {405, "Method not allowed", 0},
    {409, "Not possible in this state", 0},
    {411, "Length required", 0},
    {413, "Content too large", 0},
    {414, "URI too long", 0},
    {415, "Unsupported media type", 0},
    {422, "Unprocessable content", 0},
    {429, "Too many requests", 10}, // of a full queue; a rate limit knows better
    {431, "Request header fields too large", 0},
    {500, "Internal server error", 0},
    {501, "Not implemented", 0},
    {503, "Service unavailable", 5},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int err_to_http(enum err e)
{
    for (size_t i = 0; i < COUNT(status_of); i++)
        if (status_of[i].e == e)
            return status_of[i].status;
    return 500;
}

const char *http_phrase(int status)
{
    for (size_t i = 0; i < COUNT(phrase_of); i++)
        if (phrase_of[i].status == status)
            return phrase_of[i].phrase;
    return http_phrase(500);
}

int http_retry_after(int status)
{
    for (size_t i = 0; i < COUNT(phrase_of); i++)
        if (phrase_of[i].status == status)
            return phrase_of[i].retry_after_s;
    return 0;
}

void write_error_body(struct buf *out, int status, const char *why, const char *detail)
{
    const char *phrase = http_phrase(status);
    struct buf message = BUF_INIT;
    struct json_writer w = JSON_WRITER(out);

    buf_adds(&message, phrase);
    if (why && *why)
        buf_addf(&message, ": %s", why);
    const char *text = message.failed ? phrase : message.data;
    jw_open(&w, '{');
    jw_kint(&w, "code", status);
    jw_kstr(&w, "message", text);
    jw_kstr(&w, "raw_message", phrase);
    jw_kraw(&w, "detail", detail);
    jw_key(&w, "error");
    jw_open(&w, '{');
    jw_kint(&w, "code", status);
    jw_kstr(&w, "raw_message", phrase);
    jw_kstr(&w, "message", text);
    jw_kraw(&w, "detail", detail);
    jw_close(&w, '}');
    jw_close(&w, '}');
    buf_release(&message);
}
