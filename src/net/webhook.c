/* SPDX-License-Identifier: MIT */
/*
 * Standard Webhooks (github.com/standard-webhooks, specification 1.0): the key is what the base64
 * behind "whsec_" stands for. The hosted service's pair is keyed with the secret's own characters.
 */
#include "net/webhook.h"

#include "base/hash.h"

#include <stdio.h>
#include <string.h>

static const char prefix[] = "whsec_";

enum {
    KEY_BYTES_MIN = 16, // ours have 32; the specification asks for 24 to 64 of new ones
    RETRY_AFTER_MS_MAX = 24 * 3600 * 1000
};

// Appends "v1,..." for one secret.
static enum err add_signature(struct buf *line, const struct buf *content, const char *secret)
{
    struct buf key = BUF_INIT;
    uint8_t mac[SHA256_BYTES];
    size_t n = sizeof(prefix) - 1;
    enum err e = ERR_OK;

    if (strncmp(secret, prefix, n) != 0 || !base64_decode(&key, secret + n, strlen(secret + n)) ||
        key.len < KEY_BYTES_MIN) {
        e = ERR_INVALID;
    } else {
        hmac_sha256(key.data, key.len, content->data, content->len, mac);
        buf_adds(line, "v1,");
        base64_encode(line, mac, sizeof(mac));
    }
    buf_release(&key);
    return e;
}

static void add_line(struct buf *out, const char *name, const char *value)
{
    buf_addf(out, "%s: %s", name, value);
    buf_addc(out, '\0');
}

enum err webhook_headers(const struct webhook_sign *in, struct buf *out)
{
    struct buf content = BUF_INIT, signatures = BUF_INIT;
    uint8_t mac[SHA256_BYTES];
    char time[24], hex[2 * SHA256_BYTES + 1];
    enum err e;

    snprintf(time, sizeof(time), "%lld", (long long)in->timestamp);
    buf_addf(&content, "%s.%s.", in->msg_id, time);
    buf_add(&content, in->body, in->body_len);
    e = add_signature(&signatures, &content, in->secret);
    if (e == ERR_OK && in->secret_old && in->secret_old[0]) {
        buf_addc(&signatures, ' ');
        e = add_signature(&signatures, &content, in->secret_old);
    }
    if (e != ERR_OK)
        goto out;
    // "timestamp.body" is what "id.timestamp.body" ends with.
    size_t id = strlen(in->msg_id) + 1;
    if (content.failed || signatures.failed) {
        e = ERR_NOMEM;
        goto out;
    }
    hmac_sha256(in->secret, strlen(in->secret), content.data + id, content.len - id, mac);
    hex_encode(mac, sizeof(mac), hex);
    add_line(out, "content-type", "application/json");
    add_line(out, "webhook-id", in->msg_id);
    add_line(out, "webhook-timestamp", time);
    add_line(out, "webhook-signature", signatures.data);
    add_line(out, "X-Legnext-Timestamp", time);
    add_line(out, "X-Legnext-Signature", hex);
    if (out->failed)
        e = ERR_NOMEM;
out:
    buf_release(&content);
    buf_release(&signatures);
    return e;
}

int64_t webhook_next_ms(int attempts, int retry_after_s, uint32_t random)
{
    static const int32_t wait_s[WEBHOOK_ATTEMPTS_MAX - 1] = {
        5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600};

    if (attempts >= WEBHOOK_ATTEMPTS_MAX)
        return -1;
    int64_t wait_ms = (int64_t)wait_s[attempts < 1 ? 0 : attempts - 1] * 1000;
    // From -10 % to +10 %, both included.
    wait_ms += wait_ms / 10 * ((int64_t)random - INT32_MAX) / INT32_MAX;
    if (retry_after_s >= 0) {
        int64_t asked_ms = (int64_t)retry_after_s * 1000;
        asked_ms = asked_ms > RETRY_AFTER_MS_MAX ? RETRY_AFTER_MS_MAX : asked_ms;
        wait_ms = asked_ms > wait_ms ? asked_ms : wait_ms;
    }
    return wait_ms;
}
