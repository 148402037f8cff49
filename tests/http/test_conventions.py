# SPDX-License-Identifier: MIT
"""protocol.md section 1: what holds for every answer."""

import json
import re
import time

import pytest

from support.contract import NO_SUCH_JOB, check_error, check_task
from support.pictures import jpeg
from support.server import KEY, status_of

pytestmark = pytest.mark.sanitized

BALANCE = "/api/account/balance"


@pytest.mark.parametrize("headers", [
    {"x-api-key": KEY},
    {"X-API-KEY": KEY},
    {"Authorization": f"Bearer {KEY}"},
    {"Authorization": f"bearer {KEY}"},
])
def test_a_key_is_taken_from_either_header(server, headers):
    assert server.get(BALANCE, key=None, headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [
    {},
    {"x-api-key": ""},
    {"x-api-key": KEY + "x"},
    {"x-api-key": KEY[:-1]},
    {"x-api-key": KEY.upper()},
    {"x-api-key": "k" * 4000},
    {"Authorization": KEY},
    {"Authorization": f"Basic {KEY}"},
    {"Authorization": "Bearer "},
])
def test_without_a_right_key_every_route_is_401(server, headers):
    for method, path in [("GET", BALANCE), ("GET", "/api/v1/jobs"), ("POST", "/api/v1/retexture"),
                         ("GET", f"/api/v1/job/{NO_SUCH_JOB}"), ("POST", "/api/v1/uploads"),
                         ("POST", f"/api/v1/job/{NO_SUCH_JOB}/cancel"),
                         ("GET", "/api/account/info"), ("GET", "/api/account/active_tasks")]:
        data = b"{}" if method == "POST" else None
        answer = server.request(method, path, key=None, headers=headers, data=data)
        check_error(answer, 401)
        assert "RateLimit" not in answer.headers
        assert "RateLimit-Policy" not in answer.headers


def raw_get(server, path, headers=""):
    host, port = server.address
    return server.raw(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nx-api-key: {KEY}\r\n"
                      f"{headers}Connection: close\r\n\r\n".encode())


@pytest.mark.parametrize("path", [
    "/v1/jobs", "/api/v1/jobs", "/api//v1//jobs", "/api/v1/./jobs", "/api/v1/x/../jobs",
    "/x/../api/v1/jobs", "//api/v1/jobs",
])
def test_paths_are_normalised_and_v1_is_an_alias(server, path):
    raw = raw_get(server, path)
    assert status_of(raw) == 200, raw
    assert b'"jobs"' in raw


def test_the_documented_odd_path_of_the_balance_works(server):
    assert status_of(raw_get(server, "/api/v1/../account/balance")) == 200


@pytest.mark.parametrize("path", [
    "/../../../../etc/passwd", "/files/../../../etc/passwd", "/api/%2e%2e/%2e%2e/etc/passwd",
    "/files/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/..%5c..%5cetc",
])
def test_no_path_leads_above_the_root(server, path):
    raw = raw_get(server, path)
    assert status_of(raw) in (400, 404), raw
    assert b"root:" not in raw


def test_an_authenticated_answer_carries_the_rate_limit(fresh):
    server = fresh(rate_limit=600)
    first, second = server.get(BALANCE), server.get(BALANCE)
    for answer in (first, second):
        assert re.search(r"q=600\b", answer.headers["RateLimit-Policy"])
        assert re.search(r"w=60\b", answer.headers["RateLimit-Policy"])
        assert re.search(r"\br=\d+", answer.headers["RateLimit"])
    left = [int(re.search(r"\br=(\d+)", a.headers["RateLimit"])[1]) for a in (first, second)]
    assert left[1] <= left[0] < 600


def test_without_a_limit_there_is_no_rate_limit_field(server):
    answer = server.get(BALANCE)
    assert "RateLimit" not in answer.headers and "RateLimit-Policy" not in answer.headers


def test_past_the_rate_limit_is_429_and_the_health_check_goes_on(fresh):
    server = fresh(rate_limit=5)
    began, let_in = time.monotonic(), 0
    while (answer := server.get(BALANCE)).status_code == 200:
        let_in += 1
    check_error(answer, 429)
    assert 5 <= let_in <= 5 + 5 * (time.monotonic() - began) / 60  # a slow client is owed more
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert server.get("/healthz", key=None).status_code == 200


def test_a_sane_request_id_is_echoed_and_others_are_replaced(server):
    def answered(sent):
        return server.get("/healthz", headers=sent).headers["X-Request-Id"]

    assert answered({"X-Request-Id": "abc-123_DEF.4"}) == "abc-123_DEF.4"
    made = {answered({}) for _ in range(5)}
    assert len(made) == 5 and all(len(i) >= 8 for i in made)
    for odd in ("x" * 2000, "two words", 'quo"te', "<script>"):
        assert answered({"X-Request-Id": odd}) != odd


def test_errors_have_a_request_id_too(server):
    for answer in (server.get("/nowhere"), server.get(BALANCE, key=None),
                   server.post("/api/v1/retexture", data=b"{")):
        assert answer.headers["X-Request-Id"]


def test_every_answer_says_nosniff_and_no_version(server):
    for answer in (server.get("/healthz"), server.get(BALANCE), server.get("/nowhere"),
                   server.get(BALANCE, key=None)):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "/" not in answer.headers.get("Server", "")


def test_unknown_paths_are_404(server):
    for path in ("/api/v1/nowhere", "/api/v1/retexture/more", "/nowhere"):
        assert "/docs" in check_error(server.get(path), 404)["message"]
    assert server.get("/docs", key=None).status_code == 200


@pytest.mark.parametrize("method, path, allowed", [
    ("GET", "/api/v1/retexture", "POST"),
    ("DELETE", "/api/v1/jobs", "GET"),
    ("PUT", f"/api/v1/job/{NO_SUCH_JOB}", "GET"),
    ("PATCH", "/api/v1/uploads", "POST"),
    ("GET", f"/api/v1/job/{NO_SUCH_JOB}/cancel", "POST"),
])
def test_a_wrong_method_is_405_and_the_right_ones_are_named(server, method, path, allowed):
    answer = server.request(method, path)
    check_error(answer, 405)
    assert allowed in re.split(r",\s*", answer.headers["Allow"])


def test_head_is_get_without_the_body(server):
    for path in ("/healthz", BALANCE):
        full, head = server.get(path), server.request("HEAD", path)
        assert head.status_code == full.status_code == 200
        assert head.content == b""
        assert head.headers["Content-Length"] == str(len(full.content))
        assert head.headers["Content-Type"] == full.headers["Content-Type"]


def test_options_names_the_methods(server):
    answer = server.request("OPTIONS", "/api/v1/retexture", key=None)
    assert answer.status_code in (200, 204)
    assert "POST" in answer.headers["Allow"] and "OPTIONS" in answer.headers["Allow"]
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_browsers_may_call_only_from_the_configured_origin(fresh):
    server = fresh(cors_origin="https://app.example.org")
    asked = {"Origin": "https://app.example.org", "Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "x-api-key,content-type"}
    answer = server.request("OPTIONS", "/api/v1/retexture", key=None, headers=asked)
    assert answer.status_code in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert "x-api-key" in allowed and "content-type" in allowed and "idempotency-key" in allowed
    answer = server.get(BALANCE, headers={"Origin": "https://app.example.org"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.org"


@pytest.mark.parametrize("content_type", [
    None, "application/json", "text/plain", "application/x-www-form-urlencoded", "image/png",
    "application/json; charset=iso-8859-1",
])
def test_the_body_is_json_whatever_the_content_type_says(server, content_type):
    url = server.upload(jpeg())
    headers = {"Content-Type": content_type} if content_type else {}
    answer = server.post("/api/v1/retexture", headers=headers, data=json.dumps(
        {"imgUrl": url, "remixPrompt": "Öl auf Leinwand"}).encode())
    assert answer.status_code == 200, answer.text
    check_task(answer.json())


def test_health_and_readiness(server):
    assert server.get("/healthz", key=None).status_code == 200
    assert server.get("/readyz", key=None).status_code == 200


def test_keep_alive_serves_many_requests_on_one_connection(server):
    host, port = server.address
    one = f"GET /healthz HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"
    last = one.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
    raw = server.raw((one * 9 + last).encode())
    assert raw.count(b"HTTP/1.1 200 ") == 10
