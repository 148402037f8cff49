#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Receives Patina's webhooks, and believes only those that are signed.

    PATINA_WEBHOOK_SECRET=whsec_... python3 webhook_receiver.py [PORT]

Prints a line per job that has ended. Put a TLS proxy in front: callbacks must be https.

Every webhook is signed twice: as Standard Webhooks say (webhook-id, webhook-timestamp,
webhook-signature) and as the hosted service does (X-Legnext-Timestamp, X-Legnext-Signature). One of
them is enough to check; this checks both. Copy verify() into your own program.

While a secret rotates the old one goes on to hold, for a day: start this with the new one within it.
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import sys
import time

TOLERANCE_S = 300  # older ones may be replays


def verify(secret, headers, body, now=None):
    """Whether a webhook is from the holder of the secret, and fresh. `headers` is a mapping that
    does not mind upper and lower case; `body` the bytes as they came."""
    now = time.time() if now is None else now
    signatures = (headers.get("webhook-signature") or "").split(" ")
    # While a secret rotates there are two, either of which may be ours; the hosted service's header
    # has room for the new secret's alone.
    rotates = len(signatures) > 1
    return _standard(secret, headers, signatures, body, now) and (
        rotates or _hosted(secret, headers, body, now))


def _fresh(timestamp, now):
    return timestamp.isdecimal() and abs(int(timestamp) - now) <= TOLERANCE_S


def _same(given, wanted):
    return hmac.compare_digest(given.encode(), wanted.encode())


def _standard(secret, headers, signatures, body, now):
    timestamp = headers.get("webhook-timestamp") or ""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers.get('webhook-id')}.{timestamp}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return _fresh(timestamp, now) and any(_same(given, wanted) for given in signatures)


def _hosted(secret, headers, body, now):
    timestamp = headers.get("X-Legnext-Timestamp") or ""
    wanted = hmac.digest(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hex()
    return _fresh(timestamp, now) and _same(headers.get("X-Legnext-Signature") or "", wanted)


class Receiver(http.server.BaseHTTPRequestHandler):
    seen = set()  # webhooks come at least once: keep these ids where they last

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not verify(os.environ["PATINA_WEBHOOK_SECRET"], self.headers, body):
            self.answer(401)
            return
        if self.headers["webhook-id"] not in self.seen:
            self.seen.add(self.headers["webhook-id"])
            task = json.loads(body)
            print(task["job_id"], task["status"], *(task["output"]["image_urls"] or []),
                  flush=True)
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    if not os.environ.get("PATINA_WEBHOOK_SECRET", "").startswith("whsec_"):
        sys.exit("PATINA_WEBHOOK_SECRET has to be what `patina webhook-secret show` prints")
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Receiver)
    print("listening on", server.server_address[1], flush=True)
    server.serve_forever()
