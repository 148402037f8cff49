# SPDX-License-Identifier: MIT
"""A real `patina serve` on a free loopback port with a data folder of its own.

Nothing here sleeps for luck: every wait is for a condition, with a deadline that fails the test.
"""

import collections
import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import uuid

import requests

from support import openapi

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("PATINA_BUILD", ROOT / "build"))
PATINA = BUILD / "patina"
SAMPLE = ROOT / "samples/still-life.jpg"

KEY = "test-key-0123456789abcdef"
POINTS = 12000
COST = 120
PIXELS = int(os.environ.get("PATINA_TEST_PIXELS", 256 * 256))

# Deadlines for what has to happen: sanitized builds on a machine that is busy with something else.
START_S = 60
JOB_S = 120
ANSWER_S = 60
STEP_S = 0.01  # between two looks at a condition


def wait_for(condition, timeout=JOB_S, what="the condition"):
    """The first true value of condition(), or a failed test that names `what`."""
    deadline = time.monotonic() + timeout
    while True:
        if value := condition():
            return value
        assert time.monotonic() < deadline, f"waited {timeout} s for {what}"
        time.sleep(STEP_S)


class Server:
    """Start with start(), end with stop() or kill(); may be started again on the same folder."""

    started = collections.deque(maxlen=2)  # the last ones, whose logs a failing test shows

    def __init__(self, data, **settings):
        self.data = pathlib.Path(data)
        self.settings = {
            "PATINA_LISTEN": "127.0.0.1:0",
            "PATINA_ADMIN_LISTEN": "127.0.0.1:0",
            "PATINA_DATA": str(self.data),
            "PATINA_API_KEY": KEY,
            "PATINA_FIRST_POINTS": str(POINTS),
            "PATINA_RATE_LIMIT": "0",
            "PATINA_PIXELS": str(PIXELS),
            **{f"PATINA_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.command = [str(PATINA), "serve"]
        self.process = None
        self.base = None
        self.log_path = self.data.with_name(self.data.name + ".log")

    def environment(self):
        """Of a process that works on the same data: nothing but these settings."""
        others = {k: v for k, v in os.environ.items() if not k.startswith("PATINA_")}
        return {**others, **self.settings}

    def spawn(self):
        """Starts the process and returns without waiting for it to listen."""
        Server.started.append(self)
        (self.data / "listen").unlink(missing_ok=True)
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self.process

    def start(self):
        self.spawn()

        def listening():
            assert self.process.poll() is None, \
                f"patina serve ended with {self.process.returncode}:\n{self.log()}"
            try:
                return re.fullmatch(r"(\S+:\d+)\n?", (self.data / "listen").read_text())
            except FileNotFoundError:
                return None

        self.base = "http://" + wait_for(listening, START_S, "the server to listen")[1]
        return self

    @property
    def address(self):
        host, port = self.base.removeprefix("http://").rsplit(":", 1)
        return host, int(port)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def stop(self, timeout=JOB_S):
        """SIGTERM, as an operator would; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def kill(self):
        """kill -9 of the server alone: its renderers see the end of their sockets."""
        self.process.kill()
        self.process.wait()

    def children(self):
        """Processes of the server: decoders and renderers."""
        found = set()
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread may end
            for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    found |= set(map(int, (task / "children").read_text().split()))
        return found

    @contextlib.contextmanager
    def held(self):
        """While it lasts no job ends by itself: whoever paints is stopped."""
        painters = wait_for(self.children, what="a renderer")
        for pid in painters:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in painters:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def until(self, job_id, status, key=KEY):
        """Waits until the job is there."""
        wait_for(lambda: self.job(job_id, key)["status"] == status, what=f"the job to be {status}")

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        if self.process and self.process.poll() is None:
            status = self.stop()
            assert error[0] or status == 0, f"exit status {status}:\n{self.log()[-4000:]}"

    # Requests

    def request(self, method, path, key=KEY, headers=None, timeout=ANSWER_S, **more):
        headers = dict(headers or {})
        if key is not None:
            headers.setdefault("x-api-key", key)
        url = path if path.startswith("http") else self.base + path
        answer = requests.request(method, url, headers=headers, timeout=timeout,
                                  allow_redirects=False, **more)
        if url.startswith(self.base) and not more.get("stream"):
            openapi.check(method, url, answer.status_code, answer.headers.get("Content-Type"),
                          answer.content)
        return answer

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, **more):
        return self.request("POST", path, **more)

    def upload(self, data, **more):
        """Uploads a picture; its imgUrl."""
        answer = self.post("/api/v1/uploads", data=data, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()["imgUrl"]

    def submit(self, url, prompt="Convert to oil painting style --seed 7", key=KEY, **body):
        """Posts a job that has to be accepted; the task."""
        answer = self.post("/api/v1/retexture", key=key,
                           json={"imgUrl": url, "remixPrompt": prompt, **body})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def job(self, job_id, key=KEY):
        answer = self.get(f"/api/v1/job/{job_id}", key=key)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def finished(self, job_id, key=KEY, timeout=JOB_S):
        """The task when it has ended."""
        def ended():
            task = self.job(job_id, key)
            return task if task["status"] in ("completed", "failed") else None
        return wait_for(ended, timeout, f"job {job_id} to end")

    def run(self, url, prompt="Convert to oil painting style --seed 7", **body):
        return self.finished(self.submit(url, prompt, **body)["job_id"])

    def balance(self, key=KEY):
        answer = self.get("/api/account/balance", key=key)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]["available_points"]

    def raw(self, data, timeout=ANSWER_S, shut=False):
        """Sends bytes as they are over a new connection; all that comes back until the server
        closes it."""
        with socket.create_connection(self.address, timeout=timeout) as s:
            try:
                s.sendall(data)
                if shut:
                    s.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before it was read whole: the answer is what counts
            return read_all(s)


def read_all(s):
    """What a peer sends until it closes the connection; TimeoutError when it does not."""
    chunks = []
    with contextlib.suppress(ConnectionResetError):
        while chunk := s.recv(65536):
            chunks.append(chunk)
    return b"".join(chunks)


def status_of(raw):
    """The status of a raw answer, or None when there was none."""
    match = re.match(rb"HTTP/1\.[01] (\d{3}) ", raw)
    return int(match[1]) if match else None


def fresh_key():
    return "key-" + uuid.uuid4().hex
