#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make run: starts the service, sends the sample picture through its HTTP API like any client
would, shows where the pictures lie and keeps serving. With --once it stops after the job."""

import argparse
import atexit
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PATINA = ROOT / "build/patina"
SAMPLE = ROOT / "samples/still-life.jpg"
PROMPT = "Convert to oil painting style"

START_S = 20
JOB_S = 600  # a slow machine and a large picture
LOOK_S = 0.05  # between two looks at the job


class Failed(Exception):
    pass


class Api:
    def __init__(self, base, key):
        self.base, self.key = base, key

    def call(self, method, path, data=None, content_type=None):
        """The answer's bytes; Failed with the service's own message."""
        url = path if path.startswith("http") else self.base + path
        request = urllib.request.Request(url, data, {"x-api-key": self.key}, method=method)
        if content_type:
            request.add_header("Content-Type", content_type)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError as e:
            raise Failed(f"{method} {path}: {e.code} {e.read().decode(errors='replace')}") from e
        except OSError as e:
            raise Failed(f"{method} {path}: {e}") from e

    def post_json(self, path, body):
        return json.loads(self.call("POST", path, json.dumps(body).encode(), "application/json"))

    def get_json(self, path):
        return json.loads(self.call("GET", path))


def start(data):
    """Starts the service; the process and its address, once it listens."""
    listen = data / "listen"
    listen.unlink(missing_ok=True)
    log = open(data / "serve.log", "ab")
    # A session of its own: Ctrl-C reaches this script alone, which then drains the service.
    service = subprocess.Popen([PATINA, "serve", "--data", data], stderr=log,
                               stdin=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + START_S
    while not (listen.exists() and (address := listen.read_text().strip())):
        if service.poll() is not None:
            tail = (data / "serve.log").read_text(errors="replace").splitlines()[-5:]
            raise Failed("the service ended at once:\n  " + "\n  ".join(tail))
        if time.monotonic() > deadline:
            service.terminate()
            raise Failed(f"the service did not listen within {START_S} s; see {data}/serve.log")
        time.sleep(LOOK_S)
    return service, "http://" + address


def show_progress(task):
    detail = task["detail"] or {}
    done = detail.get("progress", 0)
    if sys.stdout.isatty():
        bar = "#" * (done * 30 // 100)
        print(f"\r  [{bar:<30}] {done:3d} %  {detail.get('stage', task['status']):<10}", end="",
              flush=True)


def retexture(api):
    """Uploads the sample, has it painted; the finished task."""
    source = json.loads(api.call("POST", "/api/v1/uploads", SAMPLE.read_bytes(), "image/jpeg"))
    task = api.post_json("/api/v1/retexture", {"imgUrl": source["imgUrl"], "remixPrompt": PROMPT})
    print(f"job        {task['job_id']}", flush=True)
    deadline = time.monotonic() + JOB_S
    while task["status"] not in ("completed", "failed"):
        if time.monotonic() > deadline:
            raise Failed(f"the job has not ended after {JOB_S} s")
        time.sleep(LOOK_S)
        task = api.get_json(f"/api/v1/job/{task['job_id']}")
        show_progress(task)
    if sys.stdout.isatty():
        print()
    if task["status"] == "failed":
        raise Failed(f"the job failed: {task['error']['message']}")
    return task


def download(api, task, folder):
    folder.mkdir(parents=True, exist_ok=True)
    output = task["output"]
    files = {"grid.png": output["image_url"],
             **{f"{i}.png": url for i, url in enumerate(output["image_urls"])}}
    for name, url in files.items():
        (folder / name).write_bytes(api.call("GET", url))
    return [folder / name for name in files]


def shown(path):
    """Relative to where make was called, when that is shorter."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else str(path)


def run(api, data):
    began = time.monotonic()
    print(f"service    {api.base}")
    print(f"picture    {shown(SAMPLE)}: \"{PROMPT}\"")
    task = retexture(api)
    pictures = download(api, task, data / "run")
    print(f"done       in {time.monotonic() - began:.1f} s, seed {task['output']['seed']}")
    for i, path in enumerate(pictures):
        print(f"{'grid' if i == 0 else f'picture {i}':<11}{shown(path)}")
    print(f"API key    {api.key}  (also in {shown(data / 'api-key')})")
    body = json.dumps({"imgUrl": task["input"]["imgUrl"], "remixPrompt": PROMPT})
    print(f"\nThe same with curl:\n  curl -H 'x-api-key: {api.key}' {api.base}/api/v1/retexture "
          f"-d '{body}'", flush=True)


def drain(service):
    if service.poll() is None:
        service.send_signal(signal.SIGTERM)
    return service.wait()


def take_the_terminal():
    """Makes Ctrl-C reach this script alone. Make, which would end with an error on it, stays in
    the background group and sees our exit status."""
    if not os.isatty(0):
        return
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    before = os.tcgetpgrp(0)
    os.setpgrp()
    os.tcsetpgrp(0, os.getpgrp())
    atexit.register(os.tcsetpgrp, 0, before)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop after the job")
    once = parser.parse_args().once

    data = pathlib.Path(os.environ.get("PATINA_DATA", "patina-data")).resolve()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    take_the_terminal()
    service = None
    try:
        service, base = start(data)
        key = os.environ.get("PATINA_API_KEY") or (data / "api-key").read_text().strip()
        run(Api(base, key), data)
        if not once:
            print("\nServing. Ctrl-C stops.", flush=True)
            service.wait()
    except Failed as e:
        print(f"make run: {e}", file=sys.stderr)
        if service:
            drain(service)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nStopping: running jobs are finished or put back.", flush=True)
    sys.exit(drain(service) if service else 0)


if __name__ == "__main__":
    main()
