# SPDX-License-Identifier: MIT
"""kill -9 of the server, and of its decoders and renderers, at seeded moments under load.

Clients post jobs with idempotency keys and ask again with the same key when they got no answer, as
the protocol tells them to. Afterwards:
 1. every job whose POST was answered 200 is there and has ended;
 2. a key made one job, however often it was posted;
 3. no job ended twice: one consume or release per freeze, one delivery per job, and every arrival
    of a webhook for a job has one id and one body;
 4. the ledger adds up to every account's counters;
 5. what a completed job names can be fetched, and a sweep leaves no file that no row names.
"""

import collections
import json
import os
import random
import re
import signal
import threading
import time
import uuid

import pytest
import requests

from support.accounts import open_store
from support.pictures import jpeg
from support.server import ANSWER_S, COST, JOB_S, KEY, Server, wait_for

ENGINES = ("look", "flux2")
SEED = 1976
POINTS = 100_000_000
CLIENTS = 3
PIXELS = 64 * 64  # the smallest: many jobs, not large ones
HELPER_EVERY = 4  # in each so manieth life at least one helper dies, in the others by chance
LOAD_MS_MAX = 350  # between the server's start and its death
WAITING_MAX = 40  # clients pause above this: what was accepted has to be rendered in the end

GRANT, FREEZE, CONSUME, RELEASE = 1, 2, 3, 4  # ledger.kind


class Client(threading.Thread):
    """Posts job after job until told to stop; survives every death of the server."""

    def __init__(self, number, state):
        super().__init__(daemon=True)
        self.rng = random.Random(SEED + number)
        self.state = state
        self.pending = None  # a request without an answer so far

    def run(self):
        while self.pending or not self.state.stopping.is_set():
            full = not self.pending and len(self.state.accepted) > self.state.allowed
            # Without a server there is nobody to ask: wait until the next one is up.
            if full or not self.state.up.wait(.1):
                time.sleep(.005)
                continue
            try:
                self.post()
            except requests.RequestException:
                time.sleep(.005)

    def post(self):
        if self.pending is None:
            style = f" --sref {self.state.source}" if self.rng.random() < .3 else ""
            self.pending = (str(uuid.UUID(int=self.rng.getrandbits(128))), {
                "imgUrl": self.state.source,
                "remixPrompt": f"oil painting --q .25 --seed {self.rng.randrange(1000)}{style}",
                "callback": self.state.callback if self.rng.random() < .5 else ""})
        key, body = self.pending
        answer = requests.post(f"{self.state.base}/api/v1/retexture", json=body, timeout=ANSWER_S,
                               headers={"x-api-key": KEY, "Idempotency-Key": key})
        if answer.status_code == 200:
            self.state.accepted[key] = answer.json()["job_id"]
            self.pending = None
        else:
            assert answer.status_code in (429, 503), answer.text


class State:
    def __init__(self, callback):
        self.accepted = {}
        self.allowed = WAITING_MAX
        self.up = threading.Event()
        self.stopping = threading.Event()
        self.base = self.source = ""
        self.callback = callback


def kill_a_helper(server, rng):
    """A decoder or a renderer."""
    try:
        os.kill(rng.choice(sorted(server.children())), signal.SIGKILL)
    except (OSError, IndexError):
        return False  # it ended by itself, or there was none at this moment
    return True


def ended_jobs(server):
    with open_store(server) as db:
        return db.execute("SELECT count(*) FROM job WHERE state IN (3, 4)").fetchone()[0]


@pytest.fixture
def victim(tmp_path, certificates, engine):
    server = Server(tmp_path / "data", first_points=POINTS, pixels=PIXELS, workers=2,
                    concurrency=100, fetch_allow="127.0.0.0/8", fetch_ca=certificates[0],
                    **engine.settings)
    yield server
    server.kill()


def test_nothing_is_lost_or_done_twice(victim, engine, origin):
    server = victim
    rng = random.Random(SEED)
    state = State(origin.url("/hook"))
    state.source = origin.serve("/source.jpg", jpeg(96, 64))
    clients = [Client(i, state) for i in range(CLIENTS)]
    for client in clients:
        client.start()

    for death in range(engine.deaths):
        server.start()
        state.allowed = ended_jobs(server) + WAITING_MAX
        state.base = server.base
        # The same port every time: URLs in answers and webhooks begin with it.
        server.settings["PATINA_LISTEN"] = server.base.removeprefix("http://")
        state.up.set()
        until = time.monotonic() + rng.uniform(.01, LOAD_MS_MAX / 1000)
        while time.monotonic() < until:
            time.sleep(rng.uniform(.005, .1))
            if rng.random() < .15:
                kill_a_helper(server, rng)
        if death % HELPER_EVERY == 0:
            wait_for(lambda: kill_a_helper(server, rng), what="a helper to kill")
        server.kill()
        state.up.clear()

    server.start()
    state.base = server.base
    state.allowed = POINTS  # of jobs, too: none is held back any more
    state.up.set()
    wait_for(lambda: len(state.accepted) > engine.deaths, what="jobs for the test to mean anything")
    state.stopping.set()
    for client in clients:
        client.join(JOB_S)
        assert not client.is_alive()

    check_jobs(server, state)
    check_ledger(server)
    check_deliveries(server, origin)
    check_files(server)
    assert server.stop() == 0


def check_jobs(server, state):
    accepted = list(state.accepted.values())
    assert len(set(accepted)) == len(accepted)
    for job_id in accepted:
        task = server.finished(job_id)
        # Three deaths of a job's own decoder or renderer, or ten claims, end it as 500.
        assert task["status"] == "completed" or task["error"]["code"] == 500, task["error"]
    with open_store(server) as db:
        jobs = {str(uuid.UUID(bytes=row[0])) for row in db.execute("SELECT uuid FROM job")}
        keys = db.execute("SELECT count(*) FROM idempotency").fetchone()[0]
    assert set(accepted) <= jobs
    assert keys == len(jobs), "a key made more than one job, or none"


def check_ledger(server):
    with open_store(server) as db:
        rows = db.execute("SELECT kind, points, job FROM ledger").fetchall()
        jobs = db.execute("SELECT id, state FROM job").fetchall()
        counters = db.execute("SELECT granted, available, frozen, consumed, waiting, running"
                              " FROM account").fetchall()
    kinds = collections.defaultdict(list)
    for kind, points, job in rows:
        assert kind == GRANT or points == COST
        kinds[job].append(kind)
    for job, job_state in jobs:
        assert sorted(kinds[job]) == [FREEZE, CONSUME if job_state == 3 else RELEASE], (
            job, job_state, kinds[job])
    consumed = COST * sum(k == CONSUME for k, _, _ in rows)
    assert counters == [(POINTS, POINTS - consumed, 0, consumed, 0, 0)]


def check_deliveries(server, origin):
    def delivered():
        with open_store(server) as db:
            return not db.execute("SELECT count(*) FROM delivery WHERE state = 0").fetchone()[0]

    wait_for(delivered, what="all webhooks to be delivered")
    with open_store(server) as db:
        double = db.execute("SELECT job, count(*) FROM delivery GROUP BY job HAVING count(*) <> 1")
        assert double.fetchall() == []
        wanted = {str(uuid.UUID(bytes=row[0])) for row in
                  db.execute("SELECT uuid FROM job WHERE callback <> ''")}
    arrived = collections.defaultdict(set)
    while not origin.deliveries.empty():
        delivery = origin.deliveries.get()
        headers = {k.lower(): v for k, v in delivery.headers.items()}
        body = json.loads(delivery.body)
        # Each start listens on another port, and URLs begin with it.
        same = re.sub(rb"127\.0\.0\.1:\d+", b"", delivery.body)
        arrived[body["job_id"]].add((headers["webhook-id"], body["status"], same))
    assert set(arrived) == wanted
    assert [kinds for kinds in arrived.values() if len(kinds) != 1] == []


def check_files(server):
    for task in server.get("/api/v1/jobs?status=completed&limit=100").json()["jobs"]:
        for url in [task["output"]["image_url"], *task["output"]["image_urls"]]:
            assert server.get(url, key=None).status_code == 200

    # Files become old enough for the sweep, which runs when the server starts.
    blobs = server.data / "blobs"
    assert server.stop() == 0
    for path in blobs.rglob("*"):
        if path.is_file():
            os.utime(path, (time.time() - 7200,) * 2)
    server.start()

    def swept():
        with open_store(server) as db:
            known = {row[0].replace("/", ",") for row in db.execute("SELECT key FROM blob")}
        lying = {path.name for path in blobs.rglob("*") if path.is_file()}
        return lying <= known

    wait_for(swept, what="the sweep to delete files that no row names")
    with open_store(server) as db:
        kept = db.execute("SELECT count(*) FROM blob JOIN job ON job.id = blob.job"
                          " WHERE job.state IN (3, 4) AND blob.due_ms IS NULL").fetchone()[0]
    assert kept == 0, "blobs of ended jobs that would never be deleted"
