# SPDX-License-Identifier: MIT
"""Second accounts, written straight into the store of a server that is not running or idle: there
is no command for them yet."""

import hashlib
import sqlite3
import time
import uuid

from support.server import fresh_key


def add_account(server, points=12000, private=False):
    """Adds an account; its key."""
    key, now = fresh_key(), int(time.time() * 1000)
    with open_store(server) as db:
        account = db.execute(
            "INSERT INTO account (uuid, name, is_private, granted, available, created_ms, updated_ms,"
            " webhook_secret) VALUES (?, 'second', ?, ?, ?, ?, ?, ?)",
            (uuid.uuid4().bytes, private, points, points, now, now,
             "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).lastrowid
        db.execute("INSERT INTO ledger (account, kind, points, at_ms) VALUES (?, 1, ?, ?)",
                   (account, points, now))
        db.execute("INSERT INTO api_key (sha256, account, prefix, created_ms) VALUES (?, ?, ?, ?)",
                   (hashlib.sha256(key.encode()).digest(), account, key[:8], now))
    return key


def open_store(server):
    return sqlite3.connect(server.data / "patina.db", timeout=10)


def webhook_secret(server):
    with open_store(server) as db:
        return db.execute("SELECT webhook_secret FROM account ORDER BY id LIMIT 1").fetchone()[0]
