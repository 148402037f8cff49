# SPDX-License-Identifier: MIT
"""protocol.md section 8: what a prompt does to a job, through the API."""

import pytest

from support.pictures import jpeg, opened

pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def url(server):
    return server.upload(jpeg(320, 240))


def detail(server, url, prompt):
    task = server.run(url, prompt)
    assert task["status"] == "completed", task["error"]
    return task["detail"], task


def codes(found):
    return {w["code"] for w in found.get("warnings", [])}


def test_the_interpretation_has_the_documented_keys(server, url):
    found, _ = detail(server, url, "Oil Painting of a harbour --seed 3 --no clouds, birds")
    reading = found["interpretation"]
    assert list(reading) == ["medium", "materials", "palette", "light", "modifiers", "excluded",
                             "unknown", "parameters", "warnings"]
    assert reading["medium"] == "oil painting"
    assert reading["excluded"] == ["cloud", "bird"]
    assert reading["parameters"]["seed"] == 3


@pytest.mark.parametrize("prompt, seed", [
    ("oil --seed 0", "0"), ("oil --seed 4294967295", "4294967295"), ("oil --SEED 5", "5"),
    ("oil \u2014seed 6", "6"), ("oil --seed 1 --seed 2", "2"),
])
def test_the_seed_is_taken(server, url, prompt, seed):
    assert detail(server, url, prompt)[1]["output"]["seed"] == seed


@pytest.mark.parametrize("ratio, wanted", [("1:1", 1), ("16:9", 16 / 9), ("2:3", 2 / 3)])
def test_the_aspect_ratio_is_cut_and_a_large_cut_is_told(server, url, ratio, wanted):
    found, task = detail(server, url, f"oil --ar {ratio}")
    width, height = opened(server.get(task["output"]["image_urls"][0]).content).size
    assert abs(width / height / wanted - 1) < .1
    assert found["warnings"], "a cut over 2 % is a warning"


@pytest.mark.parametrize("prompt", [
    "oil --v 6", "oil --niji", "oil --fast --turbo --relax", "oil --stop 50", "oil --oref x",
    "oil --s 99999", "oil --chaos 101", "oil --seed x", "oil --seed", "oil --ar 0:0", "oil --ar",
    "oil --unknownword 5", "oil --q 7", "oil --seed 99999999999", "oil --iw -3", "oil --ar 1:99999",
])
def test_what_cannot_be_honoured_is_a_warning_and_never_a_failure(server, url, prompt):
    assert detail(server, url, prompt)[0]["warnings"]


@pytest.mark.parametrize("prompt", [
    "--", "-- --", "--seed", "::", "a::b::c", "a::-2 b::", "--no", "--no ,,,", "\u202egnitniap lio",
    "\u0301\u0301\u0301", "🎨" * 400, "%s%n%x", "'; DROP TABLE job; --", "{}[]\\\"", "a" * 8192,
    "\x01\x02", "--ar 1:1 --ar 2:1 --ar :", "oil\n--seed\n7", "::::::1", "--seed -1 --s --chaos",
])
def test_odd_prompts_are_painted_all_the_same(server, url, prompt):
    detail(server, url, prompt)


def test_chaos_keeps_the_pictures_apart(server, url):
    for prompt in ("oil --seed 1", "oil --seed 1 --chaos 100"):
        _, task = detail(server, url, prompt)
        assert len({server.get(u).content for u in task["output"]["image_urls"]}) == 4
