/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char *const level_name[] = {"debug", "info", "warn", "error"};

static bool needs_quotes(const char *s)
{
    if (!*s)
        return true;
    for (const unsigned char *p = (const unsigned char *)s; *p; p++)
        if (*p <= ' ' || *p == '"' || *p == '=' || *p == '\\' || *p >= 0x7F)
            return true;
    return false;
}

static void write_string(struct json_writer *w, const char *s)
{
    if (utf8_valid(s, strlen(s)))
        jw_str(w, s);
    else
        jw_str(w, "(not UTF-8)");
}

void log_write(const struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, int count)
{
    struct buf b = BUF_INIT;
    struct json_writer w = JSON_WRITER(&b);
    char when[RFC3339_TEXT];

    if (log && log->observe)
        log->observe(log->observe_ctx, event, fields, count);
    if (!log || level < log->least)
        return;
    int64_t now = clock_unix_ms(&clock_system);
    rfc3339(now, when);
    if (log->format == LOG_JSON) {
        jw_open(&w, '{');
        jw_key(&w, "time");
        buf_addf(&b, "\"%.19s.%03dZ\"", when, (int)(now % 1000));
        w.comma = true;
        jw_kstr(&w, "level", level_name[level]);
        jw_kstr(&w, "event", event);
    } else {
        buf_addf(&b, "%.19s.%03dZ %s %s", when, (int)(now % 1000), level_name[level], event);
    }
    for (int i = 0; i < count; i++) {
        const struct log_field *f = &fields[i];
        if (log->format == LOG_JSON) {
            jw_key(&w, f->key);
        } else {
            buf_addf(&b, " %s=", f->key);
            w.comma = false;
        }
        if (!f->s)
            jw_int(&w, f->n);
        else if (log->format == LOG_JSON || needs_quotes(f->s))
            write_string(&w, f->s);
        else
            buf_adds(&b, f->s);
    }
    if (log->format == LOG_JSON)
        jw_close(&w, '}');
    buf_addc(&b, '\n');
    while (!b.failed && write(log->fd, b.data, b.len) < 0 && errno == EINTR)
        ;
    buf_release(&b);
}
