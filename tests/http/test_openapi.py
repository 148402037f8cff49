# SPDX-License-Identifier: MIT
"""The API's description of itself. Every answer of the other suites is held against it, too: see
support/server.py."""

import html.parser
import re

import pytest

from support import openapi
from support.pictures import jpeg
from support.server import ROOT


def routes():
    """(METHOD, template) of the table of routes, parameters without their names."""
    source = (ROOT / "src/api/routes.c").read_text()
    rows = re.findall(r'\{HTTP_(\w+), "([^"]+)"', source)
    assert len(rows) > 10
    return {(method, unnamed(pattern)) for method, pattern in rows}


def unnamed(pattern):
    return re.sub(r"\{\w+\}", "{}", pattern)


def test_every_route_is_described_and_nothing_else():
    assert {(m, unnamed(t)) for m, t in openapi.operations()} == routes()


def test_it_is_served_as_it_is(idle):
    answer = idle.get("/openapi.yaml", key=None)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/yaml"
    assert answer.content == openapi.PATH.read_bytes()


def test_its_version_is_the_programs(idle):
    version = re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text())[1]
    assert openapi.description()["info"]["version"] == version


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.ids, self.local, self.other, self.tags = set(), set(), set(), set()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.add(tag)
        self.ids.add(attrs.get("id"))
        for name in ("href", "src"):
            if url := attrs.get(name):
                (self.local if url.startswith("#") else self.other).add(url.removeprefix("#"))


def test_the_page_names_every_operation_and_needs_nothing_else(idle):
    answer = idle.get("/docs", key=None)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    links = Links()
    links.feed(answer.text)
    assert links.local <= links.ids, "links to places that are not there"
    assert links.other == {"/openapi.yaml"}
    assert not links.tags & {"script", "link", "img", "iframe"}
    wanted = {op["operationId"] for item in openapi.description()["paths"].values()
              for method, op in item.items() if method != "parameters"}
    assert wanted <= links.ids
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")


TASK = {"job_id": "x"}


@pytest.mark.parametrize("method, path, status, kind, body", [
    ("GET", "/api/v1/nowhere", 200, "application/json", "{}"),  # path
    ("POST", "/healthz", 200, "application/json", "{}"),  # method
    ("GET", "/healthz", 202, "application/json", '{"status":"ok"}'),  # code
    ("GET", "/healthz", 200, "text/plain", '{"status":"ok"}'),  # type
    ("GET", "/healthz", 200, "application/json", '{"status":"ok","more":1}'),  # field
    ("GET", "/healthz", 200, "application/json", '{}'),  # field missing
    ("GET", "/healthz", 200, "application/json", '{"status":"fine"}'),  # value
    ("GET", "/nowhere", 404, "application/json", "{}"),  # no error body
    ("POST", "/api/v1/retexture", 409, "application/json", "{}"),
])
def test_the_judge_finds_what_is_not_described(method, path, status, kind, body):
    with pytest.raises(AssertionError):
        openapi.check(method, path, status, kind, body)


def test_the_judge_sees_what_tests_see(idle, monkeypatch):
    seen = []
    monkeypatch.setattr(openapi, "check", lambda *answer: seen.append(answer[:3]))
    idle.upload(jpeg())
    assert [(m, s) for m, _, s in seen] == [("POST", 200)]
