/* SPDX-License-Identifier: MIT */
#ifndef PATINA_SANDBOX_CHANNEL_H
#define PATINA_SANDBOX_CHANNEL_H

/* For sandbox/ alone. Messages over a pair of SOCK_SEQPACKET sockets, each with at most one
 * descriptor. The child's end may be in hostile hands: a message is whole or an error, a descriptor
 * that was not asked for is closed. */

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Where a child finds its end. */
enum { CHANNEL_CHILD_FD = 3 };

/* The longest message: what the kernel's default send buffer (208 KiB) takes in one piece. */
enum { CHANNEL_MESSAGE_MAX = 160 * 1024 };

/* pair[0], the parent's end, never blocks; pair[1], the child's, does. Both close-on-exec. */
MUST_USE enum err channel_pair(int pair[2], struct err_note *note);

/* Sends head and tail (may be empty) as one message, with `pass_fd` unless it is -1. ERR_CRASHED
 * when the other end is gone, ERR_IO (also when a peer that does not read has filled the
 * parent's end). */
MUST_USE enum err channel_send(int sock, const void *head, size_t head_len, const void *tail,
                               size_t tail_len, int pass_fd);

/* Receives one message of at most `cap` bytes. ERR_NONE at the end of the stream (and, on the
 * parent's end, when nothing is there); ERR_CORRUPT for a longer message. *fd (may be NULL: closed)
 * is -1 when none came; otherwise the caller's. */
MUST_USE enum err channel_recv(int sock, void *data, size_t cap, size_t *len, int *fd);

#endif
