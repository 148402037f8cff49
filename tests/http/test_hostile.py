# SPDX-License-Identifier: MIT
"""Clients that mean harm, over plain sockets: refused or cut off, and everybody else is served."""

import concurrent.futures
import contextlib
import re
import socket
import time

import pytest

from support.pictures import jpeg
from support.server import ANSWER_S, JOB_S, KEY, read_all, status_of

pytestmark = pytest.mark.sanitized

FIRST_HEADERS_S, BODY_S = 10, 30  # the deadlines of src/http/http.h


@pytest.fixture(autouse=True)
def still_serving(server):
    yield
    assert server.process.poll() is None
    assert server.get("/healthz", key=None).status_code == 200


def request(*lines, body=b""):
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


HOST, KEY_LINE, CLOSE = "Host: x", f"x-api-key: {KEY}", "Connection: close"
POST = "POST /api/v1/retexture HTTP/1.1"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("data", [
    pytest.param(request("GET /healthz HTTP/1.1"), id="no Host"),
    pytest.param(request("GET /healthz HTTP/1.1", HOST, "Host: y"), id="two Hosts"),
    pytest.param(request("GET /healthz HTTP/1.1", HOST, "host: x"), id="the same Host twice"),
    pytest.param(request(POST, HOST, KEY_LINE, "Content-Length: 2", "Content-Length: 3",
                         body=b"{}" + SMUGGLED), id="two Content-Length"),
    pytest.param(request(POST, HOST, KEY_LINE, "Content-Length: 2", "Content-Length: 2",
                         body=b"{}" + SMUGGLED), id="the same Content-Length twice"),
    pytest.param(request(POST, HOST, KEY_LINE, "Content-Length: 2, 2", body=b"{}"), id="a list"),
    pytest.param(request(POST, HOST, KEY_LINE, "Content-Length: 2", "Transfer-Encoding: chunked",
                         body=b"0\r\n\r\n" + SMUGGLED), id="chunked and a length"),
    pytest.param(request(POST, HOST, KEY_LINE, "Transfer-Encoding: gzip, chunked",
                         body=b"0\r\n\r\n"), id="another coding"),
    pytest.param(request(POST, HOST, KEY_LINE, "Transfer-Encoding: chunked",
                         "Transfer-Encoding: identity", body=b"0\r\n\r\n"), id="two codings"),
    pytest.param(request(POST, HOST, KEY_LINE, "Content-Length: -1", body=b"{}"), id="negative"),
    pytest.param(request(POST, HOST, KEY_LINE, "Content-Length: +2", body=b"{}"), id="a plus"),
    pytest.param(request(POST, HOST, KEY_LINE, "Content-Length: 0x2", body=b"{}"), id="hex"),
    pytest.param(request(POST, HOST, KEY_LINE, "Content-Length: 99999999999999999999"), id="huge"),
    pytest.param(request("GET /healthz HTTP/1.1", HOST, "X: a\0b"), id="NUL in a value"),
    pytest.param(request("GET /healthz HTTP/1.1", HOST, "X\0Y: a"), id="NUL in a name"),
    pytest.param(request("GET /heal\0thz HTTP/1.1", HOST), id="NUL in the path"),
    pytest.param(request("GET /healthz%00 HTTP/1.1", HOST), id="encoded NUL in the path"),
    pytest.param(request("GET /healthz HTTP/1.1", HOST, "X : a"), id="a space before the colon"),
    pytest.param(request("GET /healthz HTTP/1.1", HOST, " folded"), id="a folded line"),
    pytest.param(request("GET /healthz HTTP/1.1", HOST, "novalue"), id="no colon"),
    pytest.param(request("GET /healthz HTTP/1.1", HOST, ": empty"), id="no name"),
    pytest.param(request("GET  /healthz HTTP/1.1", HOST), id="two spaces"),
    pytest.param(request("GET /healthz HTTP/2.7", HOST), id="an unknown version"),
    pytest.param(request("GET /healthz", HOST), id="no version"),
    pytest.param(request("GET healthz HTTP/1.1", HOST), id="a path without a slash"),
    pytest.param(request("GET /%zz HTTP/1.1", HOST), id="a broken escape"),
    pytest.param(request("GET /\xff\xfe HTTP/1.1", HOST), id="bytes that are no UTF-8"),
    pytest.param(request("CONNECT example.com:443 HTTP/1.1", HOST), id="CONNECT"),
    pytest.param(request("GET http://169.254.169.254/ HTTP/1.1", HOST), id="a proxy request"),
    pytest.param(request("GET /healthz HTTP/1.1", HOST, "X: " + "y" * 100_000), id="100 KB header"),
    pytest.param(request("GET /healthz HTTP/1.1", HOST, *[f"X-{i}: {'y' * 90}" for i in
                                                          range(1000)]), id="100 KB in headers"),
    pytest.param(request("GET /" + "a" * 100_000 + " HTTP/1.1", HOST), id="100 KB path"),
    pytest.param(request("A" * 10_000), id="a line that is none"),
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200, id="TLS"),
    pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
    pytest.param(b"\0" * 5000, id="zeros"),
])
def test_malformed_requests_are_refused_and_the_connection_is_closed(server, data):
    answer = server.raw(data, shut=True)
    status = status_of(answer)
    assert status is None or 400 <= status <= 599, answer
    # The second request, where there is one, would be answered 404 after the refusal of the first.
    assert len(set(re.findall(rb"HTTP/1\.1 (\d+)", answer))) <= 1, answer


@pytest.mark.parametrize("data, status", [
    (request(POST, HOST, KEY_LINE, CLOSE), 411),
    (request(POST, HOST, KEY_LINE, CLOSE, "Content-Length: 131073"), 413),
    (request("POST /api/v1/uploads HTTP/1.1", HOST, KEY_LINE, CLOSE, "Content-Length: 99999999"), 413),
    (request("GET /healthz HTTP/1.1", HOST, "X: " + "y" * 100_000), 431),
    (request("GET /" + "a" * 5000 + " HTTP/1.1", HOST, CLOSE), 414),
])
def test_refusals_come_before_the_body(server, data, status):
    assert status_of(server.raw(data)) == status


def test_a_chunked_body_is_limited_while_it_comes(server):
    chunks = (b"10000\r\n" + b"x" * 0x10000 + b"\r\n") * 40 + b"0\r\n\r\n"
    data = request(POST, HOST, KEY_LINE, "Transfer-Encoding: chunked", body=chunks)
    assert status_of(server.raw(data)) == 413


def test_a_chunked_body_is_read(server):
    text = b'{"imgUrl":"x","remixPrompt":"y"}'
    body = b"".join(b"%x\r\n%c\r\n" % (1, c) for c in text) + b"0\r\n\r\n"
    data = request(POST, HOST, KEY_LINE, CLOSE, "Transfer-Encoding: chunked", body=body)
    answer = server.raw(data)
    assert status_of(answer) == 400 and b"imgUrl" in answer


@pytest.mark.parametrize("body", [
    b"ffffffffffffffff\r\n", b"-1\r\nx\r\n", b"5;a=\"\r\n\r\n", b"zz\r\n", b"1\r\nab\r\n0\r\n\r\n",
    b"1" * 5000 + b"\r\n",
])
def test_broken_chunks_are_refused(server, body):
    data = request(POST, HOST, KEY_LINE, "Transfer-Encoding: chunked", body=body)
    status = status_of(server.raw(data, shut=True))
    assert status is None or status in (400, 413), status


def test_expect_continue_is_answered_or_refused_before_the_body(server):
    def ask(length):
        with socket.create_connection(server.address, timeout=ANSWER_S) as s:
            s.sendall(request("POST /api/v1/uploads HTTP/1.1", HOST, KEY_LINE,
                              f"Content-Length: {length}", "Expect: 100-continue"))
            return status_of(s.recv(4096))
    assert ask(1000) == 100
    assert ask(20_000_000) == 413


def dripped(server, head, drip):
    """Sends a byte a second after `head` until the server has had enough; how long that took."""
    began = time.monotonic()
    with socket.create_connection(server.address, timeout=1) as s, \
            contextlib.suppress(ConnectionError):
        s.sendall(head)
        while time.monotonic() - began < JOB_S:
            s.sendall(drip)
            with contextlib.suppress(TimeoutError):
                if not s.recv(4096):
                    break
    return time.monotonic() - began


def test_drips_are_cut_off_and_delay_nobody(server):
    head = request(POST, HOST, KEY_LINE, "Content-Length: 1000")
    cases = [
        (b"", b"", FIRST_HEADERS_S),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"X", FIRST_HEADERS_S),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"X: y\r\n", FIRST_HEADERS_S),
        (head, b"{", BODY_S),
        (request("POST /api/v1/uploads HTTP/1.1", HOST, KEY_LINE, "Content-Length: 900000"), b"\xff",
         BODY_S),
        (request(POST, HOST, KEY_LINE, "Transfer-Encoding: chunked"), b"1\r\n{\r\n", BODY_S),
    ]
    with concurrent.futures.ThreadPoolExecutor(10 * len(cases)) as pool:
        running = [(pool.submit(dripped, server, *case[:2]), case[2]) for case in cases * 10]
        answered = 0
        while not any(future.done() for future, _ in running):
            assert server.get("/healthz", key=None).status_code == 200
            answered += 1
        # Who is served by a thread that drips hold up is served when they are cut off.
        assert answered > 2
        for future, least_s in running:
            assert least_s <= future.result() < JOB_S


def test_a_reader_that_does_not_read_delays_nobody(server):
    task = server.run(server.upload(jpeg()))
    path = task["output"]["image_url"].removeprefix(server.base)
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            s = stack.enter_context(socket.create_connection(server.address))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.sendall(request(f"GET {path} HTTP/1.1", HOST) * 3)
        assert server.get("/healthz", key=None).status_code == 200
        assert not re.search(rf"{path} .*end=cut", server.log()), "answered when they were cut off"
        assert server.run(server.upload(jpeg(48, 48)))["status"] == "completed"


def test_a_flood_of_connections_is_survived(server):
    with contextlib.ExitStack() as stack:
        for _ in range(900):
            stack.enter_context(socket.create_connection(server.address, timeout=ANSWER_S))
        assert server.get("/healthz", key=None).status_code == 200
    with contextlib.suppress(ConnectionError), contextlib.ExitStack() as stack:
        for _ in range(1200):  # more than are admitted: some are closed, none is fatal
            stack.enter_context(socket.create_connection(server.address, timeout=ANSWER_S))


def test_connections_that_are_reset_at_once_do_no_harm(server):
    for i in range(300):
        s = socket.create_connection(server.address)
        if i % 3:
            s.sendall(request(POST, HOST, KEY_LINE, "Content-Length: 500", body=b"{" * (i % 7)))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        s.close()


def test_a_pipeline_of_posts_is_answered_in_order(server):
    text = b'{"imgUrl":"x","remixPrompt":"y"}'
    one = request(POST, HOST, KEY_LINE, f"Content-Length: {len(text)}", body=text)
    last = request("GET /healthz HTTP/1.1", HOST, CLOSE)
    with socket.create_connection(server.address, timeout=ANSWER_S) as s:
        s.sendall(one * 20 + last)
        answer = read_all(s)
    assert answer.count(b"HTTP/1.1 400 ") == 20
    assert answer.rindex(b"HTTP/1.1 200 ") > answer.rindex(b"HTTP/1.1 400 ")
