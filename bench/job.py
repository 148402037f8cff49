#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""One whole job of a megapixel: its source comes over HTTPS from this machine, four pictures and the
grid are stored. Prints how long each stage takes; the median of a few runs.

Usage: bench/job.py [--runs N] [--json]        (wants build/patina: `make build`)
"""

import argparse
import json
import pathlib
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.origin import Origin, make_certificates  # noqa: E402
from support.server import SAMPLE, Server, wait_for  # noqa: E402

PIXELS = 1 << 20
STAGES = ["queue", "fetch", "decode", "wait", "prepare", "render", "encode", "store"]


def one(server, url, seed):
    """From POST to the finished job, as a client sees it: (seconds, the task's timings)."""
    begun = time.monotonic()
    job = server.submit(url, f"Convert to oil painting style --seed {seed}")["job_id"]
    task = wait_for(lambda: (t := server.job(job))["meta"]["ended_at"] > "0002" and t, 120,
                    "the job to end")
    taken = time.monotonic() - begun
    assert task["status"] == "completed", task["error"]
    return taken, task["detail"]["timings_ms"]


def measure(runs):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        ca, certificate, key = make_certificates(folder)
        with Origin(certificate, key) as origin, \
                Server(folder / "data", pixels=PIXELS, fetch_allow="127.0.0.0/8",
                       fetch_ca=ca) as server:
            origin.serve("/photo.jpg", SAMPLE.read_bytes())
            url = origin.url("/photo.jpg")
            one(server, url, 0)  # pages in what every later job finds in memory
            return [one(server, url, seed) for seed in range(1, runs + 1)]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()

    results = measure(arguments.runs)
    total = statistics.median(taken for taken, _ in results) * 1000
    stages = {s: statistics.median(t.get(s, 0) for _, t in results) for s in STAGES}
    if arguments.json:
        print(json.dumps({"job_ms": round(total), "stages_ms": stages, "runs": arguments.runs}))
        return
    print(f"a job of 1 MP over https, POST to four stored pictures and grid, median of "
          f"{arguments.runs}:\n")
    for stage, ms in stages.items():
        print(f"  {stage:<8} {ms:7.0f} ms  {100 * ms / total:5.1f} %")
    rest = total - sum(stages.values())
    print(f"  {'other':<8} {rest:7.0f} ms  {100 * rest / total:5.1f} %  (commits, polling)")
    print(f"  {'job':<8} {total:7.0f} ms")


main()
