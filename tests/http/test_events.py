# SPDX-License-Identifier: MIT
"""protocol.md section 4: Server-Sent Events of a job."""

import json
import os
import re
import resource
import socket
import time

import pytest

from support.accounts import add_account
from support.contract import NO_SUCH_JOB, check_error, check_task
from support.pictures import jpeg
from support.server import ANSWER_S, KEY, status_of, wait_for

pytestmark = pytest.mark.sanitized

SANITIZED = "ASAN_OPTIONS" in os.environ  # its own bookkeeping is most of the memory then
STREAMS_MAX = 4096  # as in http.h
STREAMS = 200 if SANITIZED else STREAMS_MAX
BYTES_PER_STREAM_MAX = 36 * 1024  # 28 kB were seen
COMMENT_S = 15  # as in events.h
PROXIES_CUT_S = 60  # of silence; nginx's default


class Stream:
    """A client's end of an event stream, read event by event."""

    def __init__(self, server, job_id, key=KEY, last=None, timeout=ANSWER_S):
        self.socket = socket.create_connection(server.address, timeout=timeout)
        extra = f"Last-Event-ID: {last}\r\n" if last else ""
        self.socket.sendall(f"GET /api/v1/job/{job_id}/events HTTP/1.1\r\nHost: x\r\n"
                            f"x-api-key: {key}\r\n{extra}\r\n".encode())
        self.file = self.socket.makefile("rb")

    def head(self):
        """Status and headers."""
        status = int(self.file.readline().split()[1])
        headers = {}
        while (line := self.file.readline()) != b"\r\n":
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers

    def block(self):
        """The next event or comment as text; None at the end of the stream."""
        text = b""
        while not text.endswith(b"\n\n"):
            size = int(self.file.readline(), 16)
            text += self.file.read(size)
            assert self.file.readline() == b"\r\n"
            if size == 0:
                assert not text, "the stream ends between events"
                return None
        return text.decode()

    def events(self):
        """(id, task) of each event until the stream ends."""
        while (block := self.block()) is not None:
            if block.startswith(":"):
                continue
            match = re.fullmatch(r"event: task\nid: (\S+)\ndata: (.*)\n\n", block)
            assert match, block
            yield match[1], json.loads(match[2])

    def close(self):
        self.file.close()
        self.socket.close()


def test_a_job_is_told_from_acceptance_to_its_end(server):
    job = server.submit(server.upload(jpeg(640, 480)))["job_id"]
    stream = Stream(server, job)
    status, headers = stream.head()
    assert status == 200
    assert headers["content-type"] == "text/event-stream"
    assert headers["cache-control"] == "no-store"
    seen = list(stream.events())
    for _, task in seen:
        check_task(task)
        assert task["job_id"] == job
    assert seen[-1][1] == server.job(job)
    assert seen[-1][1]["status"] == "completed"
    told = [(t["status"], t["detail"]["progress"]) for _, t in seen]
    assert len(set(told)) == len(told), "an event is a change of status or progress"
    progress = [p for _, p in told]
    assert progress == sorted(progress)
    assert len({i for i, _ in seen}) == len(seen)
    stream.close()


def test_events_are_at_most_five_a_second(server):
    job = server.submit(server.upload(jpeg(640, 480)), "engraving --seed 3")["job_id"]
    began = time.monotonic()
    stream = Stream(server, job)
    stream.head()
    count = sum(1 for _ in stream.events())
    assert count <= 1 + 5 * (time.monotonic() - began)
    stream.close()


def test_a_finished_job_is_one_event_and_the_end(server):
    task = server.run(server.upload(jpeg(64, 64)))
    stream = Stream(server, task["job_id"])
    assert stream.head()[0] == 200
    events = list(stream.events())
    assert [t for _, t in events] == [task]
    # Whoever knows the end already is told not to come back.
    again = Stream(server, task["job_id"], last=events[0][0])
    assert again.head()[0] == 204


def test_who_comes_back_is_not_told_the_same_again(idle):
    job = idle.submit(idle.upload(jpeg()))["job_id"]
    first = Stream(idle, job)
    first.head()
    last, task = next(first.events())
    assert task["status"] == "pending"
    first.close()
    back = Stream(idle, job, last=last)
    assert back.head()[0] == 200
    assert idle.post(f"/api/v1/job/{job}/cancel").status_code == 200
    (_, task), = back.events()
    assert task["status"] == "failed" and task["error"]["code"] == 499


def test_a_waiting_job_that_is_cancelled_ends_its_stream(idle):
    job = idle.submit(idle.upload(jpeg()))["job_id"]
    stream = Stream(idle, job)
    stream.head()
    events = stream.events()
    assert next(events)[1]["status"] == "pending"
    assert idle.post(f"/api/v1/job/{job}/cancel").status_code == 200
    assert [t["status"] for _, t in events] == ["failed"]


def test_silence_is_broken_by_comments_that_find_out_who_has_gone(idle):
    job = idle.submit(idle.upload(jpeg()))["job_id"]
    began = time.monotonic()
    stream, gone = Stream(idle, job), Stream(idle, job)
    for s in (stream, gone):
        s.head()
        assert s.block().startswith("event: task\n")
    gone.close()
    assert stream.block() == ":\n\n"
    assert COMMENT_S <= time.monotonic() - began < PROXIES_CUT_S
    wait_for(lambda: re.search(rf"{job}/events .*end=cut", idle.log()),
             what="the stream nobody reads to end")
    stream.close()


def test_strangers_and_wrong_methods_are_refused(idle):
    job = idle.submit(idle.upload(jpeg()))["job_id"]
    foreign = add_account(idle)
    for path, key in ((job, foreign), ("no-such", KEY), (NO_SUCH_JOB, KEY)):
        answer = idle.get(f"/api/v1/job/{path}/events", key=key)
        check_error(answer, 404)
    check_error(idle.get(f"/api/v1/job/{job}/events", key="wrong"), 401)
    check_error(idle.post(f"/api/v1/job/{job}/events"), 405)
    head = idle.request("HEAD", f"/api/v1/job/{job}/events")
    assert head.status_code == 200 and head.headers["content-type"] == "text/event-stream"


def test_old_clients_get_the_stream_without_chunks(server):
    task = server.run(server.upload(jpeg(64, 64)))
    raw = server.raw(f"GET /api/v1/job/{task['job_id']}/events HTTP/1.0\r\nHost: x\r\n"
                     f"x-api-key: {KEY}\r\n\r\n".encode())
    assert status_of(raw) == 200
    body = raw.partition(b"\r\n\r\n")[2].decode()
    assert json.loads(body.partition("data: ")[2]) == task


def test_a_server_that_stops_ends_its_streams(fresh):
    server = fresh(workers=0)
    job = server.submit(server.upload(jpeg()))["job_id"]
    streams = [Stream(server, job) for _ in range(50)]
    for s in streams:
        s.head()
        s.block()
    server.process.terminate()
    for s in streams:  # in good order: those that a server waits for in vain are cut
        assert s.block() is None
        assert s.file.read() == b""
    assert server.stop() == 0


def resident(pid):
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def open_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < STREAMS + 200:
        pytest.skip(f"only {hard} open files are allowed here, {STREAMS + 200} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_thousands_of_idle_streams_take_little_and_hinder_nobody(fresh, open_files):
    server = fresh(workers=0)
    job = server.submit(server.upload(jpeg()))["job_id"]
    before = resident(server.process.pid)
    streams = []
    try:
        for _ in range(STREAMS):
            streams.append(Stream(server, job))
        for s in streams:
            assert s.head()[0] == 200
            assert s.block().startswith("event: task\n")
        each = (resident(server.process.pid) - before) / STREAMS
        assert SANITIZED or each < BYTES_PER_STREAM_MAX, f"{each:.0f} bytes a stream"
        if not SANITIZED:
            status, headers = Stream(server, job).head()
            assert status == 503 and int(headers["retry-after"]) > 0
        # They count apart from ordinary connections, which are served as ever.
        assert server.job(job)["status"] == "pending"
        assert server.post(f"/api/v1/job/{job}/cancel").status_code == 200
        for s in streams:
            (_, task), = s.events()
            assert task["status"] == "failed"
    finally:
        for s in streams:
            s.close()
    assert server.get("/healthz").status_code == 200
