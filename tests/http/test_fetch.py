# SPDX-License-Identifier: MIT
"""protocol.md section 7: fetching the source picture, and everything a stranger's server may do."""

import os
import socket
import struct
import time

import pytest

from support.contract import bad_fields, check_task
from support.origin import Origin, redirect, send
from support.pictures import jpeg


def failure(server, url):
    """Why the job with this source failed: (code, reason)."""
    task = check_task(server.run(url))
    assert task["status"] == "failed", task
    detail = task["error"]["detail"] or {}
    if task["error"]["code"] == 424:
        assert detail["field"] == "imgUrl"
    return task["error"]["code"], detail.get("reason"), detail


def test_a_picture_is_fetched_and_painted(server, origin):
    task = server.run(origin.serve("/ok.jpg", jpeg()))
    assert task["status"] == "completed", task["error"]


def test_up_to_three_redirects_are_followed(server, origin):
    url = origin.serve("/r3.jpg", jpeg())
    for i in (2, 1, 0):
        url = origin.serve(f"/r{i}.jpg", redirect(url, 301 + i))
    assert server.run(url)["status"] == "completed"
    url = origin.serve("/r-1.jpg", redirect(url))
    assert failure(server, url)[:2] == (424, "too_many_redirects")


def test_a_loop_of_redirects_ends(server, origin):
    url = origin.serve("/loop", redirect("/loop"))
    assert failure(server, url)[:2] == (424, "too_many_redirects")


@pytest.mark.parametrize("to, reason", [
    ("http://example.com/a.jpg", "not_https"),
    ("file:///etc/passwd", "not_https"),
    ("gopher://127.0.0.1/", "not_https"),
    ("https://10.0.0.1/a.jpg", "blocked_address"),
    ("https://169.254.169.254/latest/meta-data/", "blocked_address"),
    ("https://[::1]/a.jpg", "blocked_address"),
    ("https://[::ffff:10.0.0.1]/a.jpg", "blocked_address"),
    ("https://0x0a000001/a.jpg", "blocked_address"),
    ("https://167772161/a.jpg", "blocked_address"),
    ("https://[64:ff9b::a00:1]/a.jpg", "blocked_address"),
    ("https://[2002:a00:1::]/a.jpg", "blocked_address"),
    ("https://100.64.0.1/", "blocked_address"),
    ("https://93.184.216.34:22/a.jpg", "blocked_port"),
])
def test_redirects_are_checked_like_the_first_url(server, origin, to, reason):
    assert failure(server, origin.serve("/to", redirect(to)))[:2] == (424, reason)


@pytest.mark.parametrize("status", [404, 403, 410, 500, 503])
def test_an_error_status_is_told(server, origin, status):
    url = origin.serve(f"/{status}", lambda h: send(h, b"no", status))
    before = len(origin.requests)
    code, reason, detail = failure(server, url)
    assert (code, reason, detail["status"]) == (424, "http_status", status)
    asked = origin.requests[before:].count(f"/{status}")
    assert asked == (2 if status >= 500 else 1)


def test_one_5xx_is_forgiven(server, origin):
    def once(handler):
        origin.serve("/flaky", jpeg())
        send(handler, b"", 503)
    assert server.run(origin.serve("/flaky", once))["status"] == "completed"


def test_a_closed_port_is_refused(server):
    with socket.socket() as s:  # held, so that nobody listens there meanwhile
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        assert failure(server, f"https://127.0.0.1:{port}/a.jpg")[:2] == (424, "refused")


def test_a_name_without_an_address_is_dns(server):
    assert failure(server, "https://no-such-host.invalid/a.jpg")[:2] == (424, "dns")


def test_plain_http_behind_https_is_tls(server):
    with Origin() as plain:
        plain.serve("/a.jpg", jpeg())
        url = plain.url("/a.jpg").replace("http:", "https:")
        assert failure(server, url)[:2] == (424, "tls")


def test_an_unknown_authority_is_tls(fresh, origin):
    server = fresh(fetch_allow="127.0.0.0/8")
    assert failure(server, origin.serve("/ca.jpg", jpeg()))[:2] == (424, "tls")


def test_a_certificate_for_another_name_is_tls(server, origin):
    # The certificate says 127.0.0.1; the same server answers at 127.0.0.2.
    url = origin.serve("/name.jpg", jpeg()).replace("127.0.0.1", "127.0.0.2")
    code, reason, _ = failure(server, url)
    assert (code, reason) in ((424, "tls"), (424, "refused"))


def cut(promised, sent):
    """Promises a length, sends less and closes."""
    def route(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(promised))
        handler.end_headers()
        handler.wfile.write(sent)
    return route


def test_an_early_close_is_incomplete(server, origin):
    assert failure(server, origin.serve("/cut", cut(5000, jpeg()[:2000])))[:2] == (424, "incomplete")


def test_a_reset_in_the_middle_is_told(server, origin):
    def route(handler):
        cut(5000, b"x" * 100)(handler)
        handler.wfile.flush()
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                      struct.pack("ii", 1, 0))
        os.close(handler.connection.detach())
    assert failure(server, origin.serve("/reset", route))[:2] == (424, "incomplete")


def test_what_is_no_http_is_a_bad_response(server, origin):
    def route(handler):
        handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    assert failure(server, origin.serve("/ssh", route))[:2] == (424, "bad_response")


def test_endless_headers_are_a_bad_response(server, origin):
    def route(handler):
        handler.send_response(200)
        for i in range(40000):
            handler.wfile.write(f"X-{i}: {'y' * 50}\r\n".encode())
    assert failure(server, origin.serve("/headers", route))[:2] == (424, "bad_response")


def test_the_size_limit_counts_bytes_and_believes_no_header(server, origin):
    data = jpeg(64, 64)
    fits = data + b"\0" * (10_000_000 - len(data))
    assert server.run(origin.serve("/fits.jpg", fits))["status"] == "completed"
    code, _, detail = failure(server, origin.serve("/over.jpg", fits + b"\0"))
    assert (code, detail["limit"]) == (413, "bytes")

    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(400):
            handler.wfile.write(b"\0" * 65536)
    code, _, detail = failure(server, origin.serve("/endless", endless))
    assert (code, detail["limit"]) == (413, "bytes")


def test_a_content_coding_is_not_undone(server, origin):
    import gzip
    url = origin.serve("/gz", lambda h: send(h, gzip.compress(jpeg()), 200, Content_Encoding="gzip"))
    assert failure(server, url)[0] in (415, 424)


def test_a_drip_is_cut_off(server, origin):
    def route(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while True:  # until the other side hangs up
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(.25)
    assert failure(server, origin.serve("/drip", route))[:2] in (
        (424, "too_slow"), (424, "timeout"))


def test_no_header_of_ours_says_who_asks(server, origin):
    seen = {}

    def route(handler):
        seen.update({k.lower(): v for k, v in handler.headers.items()})
        send(handler, jpeg(), 200, Set_Cookie="a=b")

    url = origin.serve("/headers.jpg", route)
    for _ in range(2):
        assert server.run(url)["status"] == "completed"
    assert "cookie" not in seen and "authorization" not in seen and "x-api-key" not in seen


# Without exemptions

@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    from support.server import Server
    with Server(tmp_path_factory.mktemp("strict") / "data") as s:
        yield s


@pytest.mark.parametrize("host", [
    "127.0.0.1", "127.1", "127.0.0.1.", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "0",
    "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "[::]", "[::1]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::1]",
    "[2001::1]", "[2001:db8::1]", "localhost", "localhost.", "LOCALHOST", "a.localhost",
])
def test_inside_addresses_are_refused_at_once(strict, host):
    for field in ("imgUrl", "callback"):
        body = {"imgUrl": "https://example.com/a.jpg", "remixPrompt": "oil",
                field: f"https://{host}/a.jpg"}
        assert bad_fields(strict.post("/api/v1/retexture", json=body)) == {field}


def test_edges_of_inside_networks_are_not_refused(strict):
    for host in ("172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "11.0.0.1", "9.9.9.9"):
        body = {"imgUrl": f"https://{host}/a.jpg", "remixPrompt": "oil"}
        answer = strict.post("/api/v1/retexture", json=body)
        assert answer.status_code == 200, answer.text
        strict.post(f"/api/v1/job/{answer.json()['job_id']}/cancel")


def test_a_name_that_resolves_to_this_machine_is_blocked(strict):
    # The machine's own name is in its hosts file, with a loopback or a private address.
    name = socket.gethostname()
    try:
        address = socket.gethostbyname(name)
    except OSError:
        pytest.skip(f"{name} does not resolve here")
    if not address.startswith(("127.", "10.", "172.", "192.168.")) or "." not in name + ".":
        pytest.skip(f"{name} resolves to a public address here")
    answer = strict.post("/api/v1/retexture",
                         json={"imgUrl": f"https://{name}/a.jpg", "remixPrompt": "oil"})
    if answer.status_code == 400:
        assert bad_fields(answer) == {"imgUrl"}
        return
    task = strict.finished(answer.json()["job_id"])
    assert task["error"]["detail"]["reason"] == "blocked_address"
