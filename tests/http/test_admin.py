# SPDX-License-Identifier: MIT
"""Administration by command, beside a running service and without one."""

import concurrent.futures
import contextlib
import json
import os
import pty
import re
import sqlite3
import subprocess
import threading
import time
import unicodedata

import pytest

from support.accounts import NOTICED_S, add_account, open_store, patina, patina_json
from support.contract import check_error
from support.pictures import jpeg
from support.server import COST, KEY, PATINA, Server, fresh_key, wait_for

pytestmark = pytest.mark.sanitized


def status(server, key):
    return server.get("/api/account/balance", key=key).status_code


def test_accounts_are_made_and_get_points(idle):
    made = patina_json(idle, "account", "create", "Zoë & Söhne", "--points", 500, "--private")
    assert made["name"] == "Zoë & Söhne" and made["state"] == "active"
    assert made["service_mode"] == "private" and made["available"] == 500
    key = patina(idle, "key", "create", "Zoë & Söhne").strip()
    assert idle.balance(key) == 500  # at once: nobody has asked for this key before
    for who in (made["id"], made["uuid"], "Zoë & Söhne"):
        shown = patina_json(idle, "points", "add", who, 100)
    assert shown["available"] == shown["granted"] == 800
    time.sleep(NOTICED_S)
    assert idle.balance(key) == 800
    assert idle.get("/api/account/info", key=key).json()["account_id"] == made["uuid"]
    task = idle.submit(idle.upload(jpeg(), key=key), key=key)
    assert task["config"]["service_mode"] == "private"
    shown = patina_json(idle, "points", "show", made["id"])
    assert (shown["available"], shown["frozen"], shown["consumed"]) == (800 - COST, COST, 0)
    listed = {a["id"]: a for a in patina_json(idle, "account", "list")["accounts"]}
    assert listed[made["id"]]["waiting"] == 1 and listed[1]["name"] == "default"


def test_a_key_is_shown_once(idle):
    made = patina_json(idle, "key", "create", 1, "--label", "laptop, été")
    key = made["key"]
    assert re.fullmatch(r"[0-9a-f]{64}", key) and status(idle, key) == 200
    listing = patina(idle, "key", "list", 1)
    assert f"{key[:8]}\tlaptop, été\t" in listing and key not in listing
    listed = {k["id"]: k for k in patina_json(idle, "key", "list")["keys"]}
    assert listed[made["id"]] | {"last_used_at": 0} == {
        "id": made["id"], "account": 1, "prefix": key[:8], "label": "laptop, été",
        "created_at": made["created_at"], "last_used_at": 0}
    for path in idle.data.iterdir():
        if path.is_file():
            assert key.encode() not in path.read_bytes(), path


def test_the_last_use_of_a_key_is_listed(fresh):
    server = fresh(workers=0)
    used, unused = (patina_json(server, "key", "create", 1) for _ in range(2))
    assert status(server, used["key"]) == 200
    assert server.stop() == 0
    listed = {k["id"]: k["last_used_at"] for k in patina_json(server, "key", "list")["keys"]}
    assert listed[unused["id"]] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", listed[used["id"]])


def test_a_revoked_key_dies_within_a_second(idle):
    """Although it is in use all the time: no request that begins later is let in."""
    made = patina_json(idle, "key", "create", 1)
    began = []  # of each request that was let in

    def hammer():
        while True:
            at = time.monotonic()
            if status(idle, made["key"]) == 401:
                return
            began.append(at)

    hammers = [threading.Thread(target=hammer) for _ in range(2)]
    assert status(idle, made["key"]) == 200
    for h in hammers:
        h.start()
    patina(idle, "key", "revoke", made["id"])
    revoked = time.monotonic()
    for h in hammers:
        h.join()
    assert max(began, default=0) < revoked + NOTICED_S
    check_error(idle.get("/api/account/balance", key=made["key"]), 401)
    assert status(idle, KEY) == 200
    assert f"no key {made['id']}" in patina(idle, "key", "revoke", made["id"], status=1)


def test_a_revoked_key_stays_dead_when_a_setting_names_it(fresh):
    server = fresh(workers=0)
    other = patina(server, "key", "create", 1).strip()
    (listed,) = [k for k in patina_json(server, "key", "list")["keys"] if k["prefix"] == KEY[:8]]
    patina(server, "key", "revoke", listed["id"])
    assert server.stop() == 0
    server.start()  # with PATINA_API_KEY as before
    assert status(server, KEY) == 401 and status(server, other) == 200


def test_a_disabled_account_is_refused_and_gets_its_points_back(idle):
    key = add_account(idle, points=10 * COST)
    account = max(a["id"] for a in patina_json(idle, "account", "list")["accounts"])
    url = idle.upload(jpeg(), key=key)
    task = idle.submit(url, key=key)
    assert patina_json(idle, "account", "disable", account)["state"] == "disabled"
    time.sleep(NOTICED_S)
    assert status(idle, key) == 403
    shown = patina_json(idle, "points", "show", account)
    assert (shown["available"], shown["frozen"]) == (10 * COST, 0)
    assert patina_json(idle, "account", "enable", account)["state"] == "active"
    time.sleep(NOTICED_S)
    assert status(idle, key) == 200
    ended = idle.job(task["job_id"], key)
    assert (ended["status"], ended["error"]["code"]) == ("failed", 403)
    idle.submit(url, key=key)


def test_a_deleted_account_leaves_nothing_but_its_ledger(fresh):
    server = fresh()
    key, prompt = add_account(server), f"oil painting of {fresh_key()}"
    task = server.submit(server.upload(jpeg(), key=key), prompt, key=key)
    done = server.finished(task["job_id"], key)
    picture = done["output"]["image_url"].removeprefix(server.base)  # another port after a restart
    assert server.get(picture, key=None).status_code == 200
    assert "--yes" in patina(server, "account", "delete", 2, status=2)
    assert status(server, key) == 200
    assert patina_json(server, "account", "delete", 2, "--yes")["state"] == "deleted"
    time.sleep(NOTICED_S)
    assert status(server, key) == 403
    refused = server.get(f"/api/v1/job/{task['job_id']}", key=key)
    assert refused.status_code == 403 and "the account was deleted" in refused.text
    assert server.stop() == 0
    server.start()  # house is kept once a minute, and at the start
    wait_for(lambda: status(server, key) == 401, what="the key to be erased")
    wait_for(lambda: server.get(picture, key=None).status_code == 404, what="the picture to go")
    wait_for(lambda: not [p for p in (server.data / "blobs").rglob("*") if p.is_file()],
             what="the files to go")
    assert server.stop() == 0
    assert prompt.encode() not in (server.data / "patina.db").read_bytes()
    with open_store(server) as db:
        assert db.execute("SELECT prompt, img_url, state FROM job").fetchall() == [("", "", 3)]
        assert [r[0] for r in db.execute("SELECT kind FROM ledger WHERE account = 2")] == [1, 2, 3]
    assert "deleted" not in patina(server, "account", "list")
    (gone,) = [a for a in patina_json(server, "account", "list", "--all")["accounts"]
               if a["id"] == 2]
    assert gone["deleted_at"] and gone["consumed"] == COST
    for words in (("account", "enable", 2), ("points", "add", 2, 5), ("key", "create", 2),
                  ("webhook-secret", "rotate", 2), ("account", "delete", 2, "--yes")):
        assert "was deleted" in patina(server, *words, status=1)


def test_a_waiting_job_of_a_deleted_account_fails(idle):
    key = add_account(idle)
    account = max(a["id"] for a in patina_json(idle, "account", "list")["accounts"])
    idle.submit(idle.upload(jpeg(), key=key), key=key)
    gone = patina_json(idle, "account", "delete", account, "--yes")
    assert (gone["available"], gone["frozen"], gone["waiting"]) == (12000, 0, 0)


def test_commands_and_the_service_write_at_once(idle):
    """Each waits for the other; nothing is lost."""
    key = add_account(idle, points=1_000_000)
    account = max(a["id"] for a in patina_json(idle, "account", "list")["accounts"])
    url = idle.upload(jpeg(), key=key)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(idle.submit, url, key=key) for _ in range(60)]
        grants = [pool.submit(patina, idle, "points", "add", account, 7) for _ in range(20)]
        for future in (*jobs, *grants):
            future.result()
    shown = patina_json(idle, "points", "show", account)
    assert shown["granted"] == 1_000_000 + 20 * 7
    assert shown["frozen"] == 60 * COST
    assert shown["available"] == shown["granted"] - shown["frozen"]


# The command line

@pytest.mark.parametrize("words, code, says", [
    (("account",), 2, "which one"),
    (("account", "creat"), 2, "did you mean \"create\""),
    (("account", "create"), 2, "a name is missing"),
    (("account", "create", "42"), 2, "not a number"),
    (("account", "create", "a\nb"), 2, "control"),
    (("account", "create", "n" * 64), 2, "63 bytes"),
    (("account", "create", "x", "--points", "-1"), 2, "--points"),
    (("account", "create", "x", "y"), 2, "one word too many"),
    (("account", "list", "--jsno"), 2, "patina account list: unknown flag --jsno; did you mean --json"),
    (("bench", "api", "--rows", "0"), 2, "patina bench api: --rows"),
    (("model", "check"), 2, "patina model check: a model's folder is missing"),
    (("account", "disable", "nobody"), 1, "no account \"nobody\""),
    (("account", "disable", "999"), 1, "no account \"999\""),
    (("account", "disable", "99999999999999999999"), 1, "no account"),
    (("account", "disable", "a8098c1a-f86e-41da-bd1a-00112444be1e"), 1, "no account"),
    (("key", "create"), 2, "an account is missing"),
    (("key", "create", "1", "--label", "a\tb"), 2, "--label"),
    (("key", "revoke", "0x7"), 2, "not the number of a key"),
    (("key", "revoke", "-1"), 2, "\"-1\" is not the number of a key"),
    (("key", "revoke", "999999"), 1, "no key 999999"),
    (("points", "add", "1"), 2, "number of points is missing"),
    (("points", "add", "1", "0"), 2, "from 1 to"),
    (("points", "add", "1", "-5"), 2, "\"-5\" must be a whole number from 1 to"),
    (("points", "add", "1", "-x"), 2, "unknown flag"),
    (("points", "add", "1", "5x"), 2, "\"5x\""),
    (("points", "add", "1", "9007199254740993"), 2, "from 1 to 9007199254740992"),
    (("points", "show", "nobody"), 1, "no account"),
    (("webhook", "list", "--state", "lost"), 2, "waiting|delivered|given_up"),
    (("webhook", "list", "--account", "nobody"), 1, "no account"),
    (("webhook", "redeliver", "msg_1"), 1, "no delivery"),
    (("webhook-secret", "show", ""), 1, "no account"),
])
def test_wrong_lines_are_told(idle, words, code, says):
    told = patina(idle, *words, status=code)
    assert told.startswith(f"patina {words[0]}") and says in told, told


def test_several_of_one_name_need_a_number(idle):
    ids = [patina_json(idle, "account", "create", "twin")["id"] for _ in range(2)]
    assert "several accounts" in patina(idle, "account", "disable", "twin", status=1)
    assert patina_json(idle, "account", "disable", ids[1])["id"] == ids[1]


@pytest.mark.parametrize("words", [
    ("account", "create"), ("account", "list"), ("account", "disable"), ("account", "enable"),
    ("account", "delete"), ("key", "create"), ("key", "list"), ("key", "revoke"),
    ("points", "add"), ("points", "show"), ("webhook", "list"), ("webhook", "redeliver"),
    ("webhook-secret", "show"), ("webhook-secret", "rotate"),
])
def test_every_command_has_help(tmp_path, words):
    server = Server(tmp_path / "none")
    text = patina(server, *words, "--help")
    assert text.startswith(f"usage: patina {' '.join(words)}")
    assert "--json" in text and "--data DIR" in text
    assert patina(server, "help", *words) == text
    assert words[1] in patina(server, words[0], "--help")
    assert f"  {words[0]} " in patina(server, "--help")


def test_a_missing_installation_is_told_and_not_made(tmp_path):
    server = Server(tmp_path / "none")
    told = patina(server, "account", "list", status=1)
    assert str(server.data) in told and "--data" in told
    assert not server.data.exists()
    told = patina(server, "account", "list", "--database", "oracle:x", status=2)
    assert "oracle" in told


def test_a_store_of_an_older_version_is_left_alone(fresh):
    server = fresh(workers=0)
    assert server.stop() == 0
    with sqlite3.connect(server.data / "patina.db") as db:
        db.execute("PRAGMA user_version = 1")
    assert "older version" in patina(server, "account", "list", status=1)


def spread(line):
    """A character for each column of a terminal."""
    return "".join("" if unicodedata.combining(c) else
                   "xx" if unicodedata.east_asian_width(c) in "WF" else c for c in line)


def test_a_table_for_people_and_fields_for_programs(idle):
    """Headings and columns on a terminal alone."""
    for name in ("日本語の絵", "Zoe\u0308", "🎨 한국"):
        patina(idle, "account", "create", name)
    plain = patina(idle, "account", "list")
    first = plain.splitlines()[0].split("\t")
    assert first[:4] == ["1", "default", "active", "public"] and len(first) == 11
    terminal, other = pty.openpty()
    done = subprocess.run([PATINA, "account", "list"], env=idle.environment(), stdout=other,
                          timeout=60)
    os.close(other)
    shown = b""
    with contextlib.suppress(OSError):  # the end, of a terminal without programs
        while more := os.read(terminal, 1 << 16):
            shown += more
    os.close(terminal)
    shown = [spread(line) for line in shown.decode().splitlines()]
    assert done.returncode == 0
    assert shown[0].split() == ["id", "name", "state", "mode", "available", "frozen", "consumed",
                                "granted", "waiting", "running", "created"]
    # Numbers end where their heading ends.
    end = shown[0].index("available") + len("available")
    assert all(line[end - 1].isdigit() and line[end] == " " for line in shown[1:]), shown


def test_a_name_cannot_steer_a_terminal(fresh):
    """One that came into the store some other way."""
    server = fresh(workers=0)
    with open_store(server) as db:
        db.execute("UPDATE account SET name = ?", ("a\x1b[2Jb\tc\nd\x9be\x7f",))
    assert patina(server, "account", "list").split("\t")[1] == "a?[2Jb?c?d?e?"
    assert patina_json(server, "account", "list")["accounts"][0]["name"] == \
        "a\x1b[2Jb\tc\nd\x9be\x7f"


@pytest.mark.parametrize("words", [
    ("account", "list"), ("account", "list", "--json"), ("webhook-secret", "show", "1"),
    ("explain", "oil painting"), ("render", "in.jpg", "oil painting", "-o", "out.png", "--json"),
    ("doctor", "--json"), ("looks", "--json"), ("help",)])
def test_a_full_output_is_a_failure(idle, words, tmp_path):
    (tmp_path / "in.jpg").write_bytes(jpeg(64, 64))
    with open("/dev/full", "w") as full:
        done = subprocess.run([PATINA, *words], env=idle.environment(), cwd=tmp_path,
                              stdout=full, timeout=60)
    assert done.returncode == 1


def test_json_is_one_value(idle):
    for words in (("account", "list"), ("key", "list"), ("points", "show", 1), ("webhook", "list"),
                  ("webhook-secret", "show", 1)):
        text = patina(idle, *words, "--json")
        assert text.endswith("\n") and text.count("\n") == 1
        json.loads(text)
