/* SPDX-License-Identifier: MIT */
#ifndef PATINA_BASE_LOG_H
#define PATINA_BASE_LOG_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One structured line per event, written with one write(2) to a descriptor: as text
 *     2026-01-31T12:34:56.789Z info job.finish job=... attempt=1 state=completed ms=812
 * or as one JSON object with the same fields. Values that need it are quoted and escaped, so a line
 * is a line whatever a stranger put into a field. Safe from any thread.
 */
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

/* A field: build it with the macros below inside log_event(). */
struct log_field {
    const char *key;
    const char *s; /* text, or NULL: the number counts */
    int64_t n;
};

#define LOG_S(key_, s_)                              \
    (struct log_field)                               \
    {                                                \
        .key = (key_), .s = (s_) ? (s_) : "", .n = 0 \
    }
#define LOG_N(key_, n_)                     \
    (struct log_field)                      \
    {                                       \
        .key = (key_), .s = NULL, .n = (n_) \
    }

/* Is told of every event, whatever its level; from the event's own thread. */
typedef void log_observe_fn(void *ctx, const char *event, const struct log_field *fields,
                            int count);

struct log {
    int fd;
    enum log_format format;
    enum log_level least;    /* lower levels are not written */
    log_observe_fn *observe; /* may be NULL */
    void *observe_ctx;
};

/* Whether anybody wants to know of such an event: for those that are dear to put together. */
static inline bool log_wanted(const struct log *log, enum log_level level)
{
    return log && (level >= log->least || log->observe);
}

/* log_event(log, LOG_INFO, "job.finish", LOG_S("job", id), LOG_N("ms", ms));  `log` may be NULL:
 * silent. */
#define log_event(log_, level_, event_, ...)                                       \
    log_write((log_), (level_), (event_), (const struct log_field[]){__VA_ARGS__}, \
              (int)(sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)))

void log_write(const struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, int count);

#endif
