#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Half an hour of everything at once against one service: jobs that finish, fail and are cancelled,
polls, event streams, uploads, webhooks that are refused and retried. Prints a line a minute: memory of
the service and of its renderers, open descriptors, latencies, and what was counted. What has to hold
is that nothing grows.

Usage: bench/soak.py [--minutes N] [--rate JOBS_A_SECOND] [--json]     (wants build/patina: `make build`)
"""

import argparse
import collections
import json
import pathlib
import random
import statistics
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import requests  # noqa: E402

from support.origin import Origin, make_certificates  # noqa: E402
from support.pictures import jpeg  # noqa: E402
from support.server import KEY, Server  # noqa: E402

PIXELS = 128 * 128  # the queue is what is tried, not the painter
PROMPTS = ["oil painting", "engraving", "gold", "watercolour at sunset", "mosaic", "comic --chaos 80"]
COLUMNS = ["minute", "rss_mb", "render_mb", "fds", "post_ms", "get_ms", "done", "failed", "streams",
           "hooks", "errors"]


class Soak:
    def __init__(self, server, origin, rate):
        self.server, self.origin, self.rate = server, origin, rate
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.latency = collections.defaultdict(list)
        self.open = collections.deque(maxlen=200)  # jobs to poll and cancel
        self.problems = []

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def call(self, what, method, path, **more):
        began = time.monotonic()
        answer = requests.request(method, self.server.base + path, timeout=30,
                                  headers={"x-api-key": KEY}, **more)
        with self.lock:
            self.latency[what].append((time.monotonic() - began) * 1e3)
        if answer.status_code >= 500:
            self.count("errors")
            self.problems.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer

    def every(self, seconds, work, dice):
        """Calls work() about every so many seconds until the end."""
        while not self.stop.wait(dice.expovariate(1 / seconds)):
            try:
                work(dice)
            except (requests.RequestException, KeyError, ValueError) as e:
                self.count("errors")
                self.problems.append(f"{work.__name__}: {e!r}")

    # What goes on at once

    def submit(self, dice):
        kind = dice.random()
        if kind < .15:
            url = self.origin.url("/missing.jpg")  # ends as 424
        elif kind < .25:
            url = self.origin.url("/broken.jpg")  # ends as 415
        else:
            url = self.origin.url("/photo.jpg")
        hook = dice.choice([None, "/fine", "/refused", "/gone"])
        body = {"imgUrl": url, "remixPrompt": dice.choice(PROMPTS),
                "callback": hook and self.origin.url(hook)}
        answer = self.call("post", "POST", "/api/v1/retexture", json=body)
        if answer.status_code == 200:
            self.open.append(answer.json()["job_id"])

    def poll(self, dice):
        if self.open:
            self.call("get", "GET", f"/api/v1/job/{dice.choice(list(self.open))}")
        if dice.random() < .1:
            self.call("list", "GET", "/api/v1/jobs?limit=20")

    def cancel(self, _):
        if self.open:
            self.call("cancel", "POST", f"/api/v1/job/{self.open[-1]}/cancel")

    def upload(self, dice):
        self.call("upload", "POST", "/api/v1/uploads",
                  data=jpeg(64 + dice.randrange(8), 64))

    def follow(self, dice):
        """Follows a stream to its end, or leaves it in the middle."""
        if not self.open:
            return
        path = f"/api/v1/job/{self.open[-1]}/events"
        with requests.get(self.server.base + path, headers={"x-api-key": KEY}, stream=True,
                          timeout=60) as answer:
            for line in answer.iter_lines():
                if dice.random() < .02 or self.stop.is_set():
                    break
        self.count("streams")

    def take_hooks(self):
        while not self.stop.is_set():
            try:
                self.origin.delivery(timeout=1)
                self.count("hooks")
            except Exception:  # the queue was empty for a second
                pass

    def run(self, minutes):
        parts = [(1 / self.rate, self.submit), (.1, self.poll), (.1, self.poll), (5, self.cancel),
                 (4, self.upload), (1, self.follow), (1, self.follow)]
        threads = [threading.Thread(target=self.every, args=(s, w, random.Random(i)), daemon=True)
                   for i, (s, w) in enumerate(parts)]
        threads.append(threading.Thread(target=self.take_hooks, daemon=True))
        for t in threads:
            t.start()
        rows = []
        for minute in range(1, minutes + 1):
            time.sleep(60)
            rows.append(self.measure(minute))
            yield rows[-1]
        self.stop.set()
        for t in threads:
            t.join(90)

    # What is looked at

    def metrics(self):
        address = (self.server.data / "admin-listen").read_text().strip()
        found = {}
        for line in requests.get(f"http://{address}/metrics", timeout=20).text.splitlines():
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                found[name] = float(value)
        return found

    def renderers_mb(self):
        """Resident memory of the service's children."""
        total = 0
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
            except OSError:
                continue
            if int(fields["PPid"]) == self.server.process.pid and "VmRSS" in fields:
                total += int(fields["VmRSS"].split()[0])
        return total / 1024

    def measure(self, minute):
        now = self.metrics()
        with self.lock:
            latency, self.latency = self.latency, collections.defaultdict(list)
            counts = dict(self.counts)

        def median(what):
            return round(statistics.median(latency[what]), 1) if latency[what] else None

        def ended(state):
            return int(sum(v for k, v in now.items()
                           if k.startswith(f'patina_jobs_finished_total{{state="{state}"')))
        return {"minute": minute, "rss_mb": round(now["process_resident_memory_bytes"] / 2**20, 1),
                "render_mb": round(self.renderers_mb(), 1), "fds": int(now["process_open_fds"]),
                "post_ms": median("post"), "get_ms": median("get"), "done": ended("completed"),
                "failed": ended("failed"), "streams": counts.get("streams", 0),
                "hooks": counts.get("hooks", 0), "errors": counts.get("errors", 0)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--rate", type=float, default=2, help="jobs a second")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        ca, certificate, key = make_certificates(folder)
        with Origin(certificate, key) as origin:
            origin.serve("/photo.jpg", jpeg(320, 240))
            origin.serve("/broken.jpg", b"no picture at all")
            origin.answers["/refused"] = [(500, {})] * 1000000
            origin.answers["/gone"] = [(410, {})] * 1000000
            with Server(folder / "data", fetch_allow="127.0.0.0/8", fetch_ca=ca, pixels=PIXELS,
                        first_points=10**9, queue_limit=100000) as server:
                soak = Soak(server, origin, options.rate)
                rows = []
                if not options.json:
                    print(" ".join(f"{c:>9}" for c in COLUMNS), flush=True)
                for row in soak.run(options.minutes):
                    rows.append(row)
                    if not options.json:
                        print(" ".join(f"{row[c]!s:>9}" for c in COLUMNS), flush=True)
                if options.json:
                    print(json.dumps({"rows": rows, "problems": soak.problems[:20]}))
                for problem in soak.problems[:20]:
                    print(problem, file=sys.stderr)


if __name__ == "__main__":
    main()
