# SPDX-License-Identifier: MIT
"""Administration of a server's store, by the commands that an operator has. The server may run or
not, but has to have been started once."""

import json
import sqlite3
import subprocess

from support.server import PATINA

COMMAND_S = 120  # sanitized builds on a busy machine
NOTICED_S = 1  # every request that is made this long after a command has ended sees what it did


def patina(server, *words, status=0):
    """Runs a command on the server's data; what it printed. `status` is what it has to end with."""
    done = subprocess.run([PATINA, *map(str, words)], env=server.environment(), capture_output=True,
                          text=True, timeout=COMMAND_S)
    assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout if status == 0 else done.stderr


def patina_json(server, *words):
    return json.loads(patina(server, *words, "--json"))


def add_account(server, points=12000, private=False):
    """Adds an account; its key."""
    flags = ["--private"] if private else []
    account = patina_json(server, "account", "create", "second", "--points", points, *flags)
    return patina(server, "key", "create", account["id"]).strip()


def webhook_secret(server, account=1):
    return patina(server, "webhook-secret", "show", account).strip()


def open_store(server):
    return sqlite3.connect(server.data / "patina.db", timeout=10)
