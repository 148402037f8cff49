# SPDX-License-Identifier: MIT
"""protocol.md section 2: POST /api/v1/retexture."""

import concurrent.futures
import json

import pytest

from support.accounts import add_account
from support.contract import NEVER, bad_fields, check_error, check_task
from support.pictures import jpeg
from support.server import COST, KEY

pytestmark = pytest.mark.sanitized

POST = "/api/v1/retexture"


@pytest.fixture(scope="module")
def url(idle):
    return idle.upload(jpeg())


def body(url, **more):
    return {"imgUrl": url, "remixPrompt": "Convert to oil painting style", **more}


def test_a_new_task_is_the_documented_object(idle, url):
    callback = "https://example.com/hook"
    answer = idle.post(POST, json=body(url, callback=callback))
    task = check_task(answer.json())
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    assert task["status"] == "pending"
    assert task["config"] == {"service_mode": "public",
                              "webhook_config": {"endpoint": callback, "secret": ""}}
    assert task["input"] is None
    assert task["output"] == {"image_url": "", "image_urls": None, "seed": ""}
    assert task["meta"]["created_at"] != NEVER
    assert task["meta"]["started_at"] == task["meta"]["ended_at"] == NEVER
    assert task["meta"]["usage"] == {"type": "point", "frozen": COST, "consume": 0}
    assert task["detail"] is None


def test_the_curl_example_of_the_hosted_page_is_accepted(idle):
    # Only base URL and key differ from the page.
    answer = idle.post("/api/v1/retexture", headers={"Content-Type": "application/json"}, data=b"""{
    "imgUrl": "https://example.com/image.png",
    "remixPrompt": "Convert to oil painting style",
    "callback": "https://example.com/webhook"
}""")
    assert check_task(answer.json())["status"] == "pending"


@pytest.mark.parametrize("callback", [None, ""])
def test_null_and_empty_callbacks_mean_none(idle, url, callback):
    task = idle.post(POST, json=body(url, callback=callback)).json()
    assert task["config"]["webhook_config"]["endpoint"] == ""


def test_unknown_keys_are_ignored(idle, url):
    assert idle.post(POST, json=body(url, aspectRatio="1:1", extra={"a": [1]})).status_code == 200


def test_posting_freezes_points_and_get_shows_the_input(idle, url):
    before = idle.balance()
    task = idle.submit(url, "Öl 🎨")
    assert idle.balance() == before - COST
    assert idle.job(task["job_id"])["input"] == {"imgUrl": url, "remixPrompt": "Öl 🎨",
                                                 "callback": ""}


def test_urls_do_not_follow_the_host_header(idle):
    answer = idle.post("/api/v1/uploads", data=jpeg(64, 64), headers={"Host": "evil.example"})
    assert "evil" not in answer.text and answer.json()["imgUrl"].startswith("http://127.0.0.1:")


# Validation

@pytest.mark.parametrize("wrong, fields", [
    ({"imgUrl": None}, {"imgUrl"}),
    ({"imgUrl": 7}, {"imgUrl"}),
    ({"imgUrl": []}, {"imgUrl"}),
    ({"imgUrl": ""}, {"imgUrl"}),
    ({"imgUrl": "example.com/a.jpg"}, {"imgUrl"}),
    ({"imgUrl": "http://example.com/a.jpg"}, {"imgUrl"}),
    ({"imgUrl": "ftp://example.com/a.jpg"}, {"imgUrl"}),
    ({"imgUrl": "file:///etc/passwd"}, {"imgUrl"}),
    ({"imgUrl": "data:image/png;base64,AAAA"}, {"imgUrl"}),
    ({"imgUrl": "https://"}, {"imgUrl"}),
    ({"imgUrl": "https:///a.jpg"}, {"imgUrl"}),
    ({"imgUrl": "https://user:pass@example.com/a.jpg"}, {"imgUrl"}),
    ({"imgUrl": "https://user@example.com/a.jpg"}, {"imgUrl"}),
    ({"imgUrl": "https://example.com:22/a.jpg"}, {"imgUrl"}),
    ({"imgUrl": "https://example.com:99999/a.jpg"}, {"imgUrl"}),
    ({"imgUrl": "https://exa mple.com/a.jpg"}, {"imgUrl"}),
    ({"imgUrl": "https://example.com/a\r\nX: y"}, {"imgUrl"}),
    ({"imgUrl": "https://localhost/a.jpg"}, {"imgUrl"}),
    ({"remixPrompt": None}, {"remixPrompt"}),
    ({"remixPrompt": 7}, {"remixPrompt"}),
    ({"remixPrompt": {}}, {"remixPrompt"}),
    ({"remixPrompt": ""}, {"remixPrompt"}),
    ({"remixPrompt": "   "}, {"remixPrompt"}),
    ({"remixPrompt": "\t\n\u00a0\u3000\u200b"}, {"remixPrompt"}),
    ({"callback": 7}, {"callback"}),
    ({"callback": "http://example.com/hook"}, {"callback"}),
    ({"callback": "https://localhost/hook"}, {"callback"}),
    ({"callback": "https://10.0.0.1/hook"}, {"callback"}),
    ({"callback": "https://example.com:25/hook"}, {"callback"}),
    ({"imgUrl": 7, "remixPrompt": "", "callback": "x"}, {"imgUrl", "remixPrompt", "callback"}),
])
def test_bad_fields_are_all_named_at_once(idle, wrong, fields):
    before = idle.balance()
    request = {"imgUrl": "https://example.com/a.jpg", "remixPrompt": "oil", **wrong}
    assert bad_fields(idle.post(POST, json=request)) == fields
    assert idle.balance() == before


def test_missing_fields_are_named(idle):
    assert bad_fields(idle.post(POST, json={})) == {"imgUrl", "remixPrompt"}


@pytest.mark.parametrize("length, accepted", [(1024, True), (1025, False)])
def test_the_limit_of_img_url(idle, length, accepted):
    request = {"imgUrl": "https://example.com/".ljust(length, "a"), "remixPrompt": "oil"}
    answer = idle.post(POST, json=request)
    if accepted:
        assert answer.status_code == 200, answer.text
    else:
        assert bad_fields(answer) == {"imgUrl"}


@pytest.mark.parametrize("character", ["a", "ö", "漢", "🎨"])
@pytest.mark.parametrize("length, accepted", [(8192, True), (8193, False)])
def test_the_limit_of_the_prompt_counts_characters(idle, url, character, length, accepted):
    answer = idle.post(POST, data=json.dumps(
        {"imgUrl": url, "remixPrompt": character * length}, ensure_ascii=False).encode())
    if accepted:
        assert answer.status_code == 200, answer.text
        assert idle.job(answer.json()["job_id"])["input"]["remixPrompt"] == character * length
    else:
        assert bad_fields(answer) == {"remixPrompt"}


@pytest.mark.parametrize("length, accepted", [(2048, True), (2049, False)])
def test_the_limit_of_the_callback(idle, url, length, accepted):
    answer = idle.post(POST, json=body(url, callback="https://example.com/".ljust(length, "a")))
    assert answer.status_code == (200 if accepted else 400), answer.text


GOOD = b'"imgUrl":"https://example.com/a.jpg","remixPrompt":"oil"'


@pytest.mark.parametrize("data", [
    b"",
    b"{",
    b"null",
    b"[]",
    b"\"text\"",
    b"7",
    b"{" + GOOD + b"}x",
    b"{" + GOOD + b"}{}",
    b"{" + GOOD + b",}",
    b"{" + GOOD + b",\"remixPrompt\":\"again\"}",
    b"{" + GOOD + b",\"a\":\"\\ud800\"}",
    b"{" + GOOD + b",\"a\":\"\\udc00\\ud800\"}",
    b"{" + GOOD + b",\"a\":\"\\u0000\"}",
    b"{" + GOOD + b",\"a\":\"\0\"}",
    b"{" + GOOD + b",\"a\":\"\xff\"}",
    b"{" + GOOD + b",\"a\":\"\xc0\xaf\"}",
    b"{" + GOOD + b",\"a\":\"\xed\xa0\x80\"}",
    b"{" + GOOD + b",\"a\":\"\xf4\x90\x80\x80\"}",
    b"{" + GOOD + b",\"a\":" + b"[" * 200 + b"]" * 200 + b"}",
    b"{" + GOOD + b",\"a\":" + b"[" * 20000 + b"}",
    b"{" + GOOD + b",\"a\":1e999}",
    b"{" + GOOD + b",\"a\":" + b"9" * 400 + b"}",
    b"{" + GOOD + b",\"a\":NaN}",
    b"{" + GOOD + b",\"a\":01}",
    b"{" + GOOD + b",\"a\":'b'}",
    b"{" + GOOD + b",\"a\":\"tab\there\"}",
    ("{" + GOOD.decode() + "}").encode("utf-16"),
    b"// comment\n{" + GOOD + b"}",
], ids=lambda d: repr(d[-24:]))
def test_malformed_json_is_400_and_creates_nothing(idle, data):
    before = idle.balance()
    check_error(idle.post(POST, data=data), 400)
    assert idle.balance() == before


@pytest.mark.parametrize("over, status", [(0, 200), (1, 413)])
def test_a_body_of_128_kib_is_read_and_one_byte_more_is_413(idle, url, over, status):
    shell = json.dumps(body(url, filler="")).encode()
    missing = 128 * 1024 + over - len(shell)
    data = shell.replace(b'"filler": ""', b'"filler": "' + b"x" * missing + b'"')
    answer = idle.post(POST, data=data)
    assert answer.status_code == status, answer.text
    if status == 413:
        check_error(answer, 413)


# Points and queue

@pytest.mark.parametrize("points, status", [(COST, 200), (COST - 1, 402)])
def test_without_enough_points_it_is_402_and_nothing_happens(idle, points, status):
    key = add_account(idle, points)
    answer = idle.post(POST, key=key, json=body(idle.upload(jpeg(), key=key)))
    assert answer.status_code == status, answer.text
    if status == 402:
        check_error(answer, 402)
        assert idle.balance(key) == COST - 1
        assert idle.get("/api/v1/jobs", key=key).json()["jobs"] == []


def test_concurrent_posts_never_spend_more_than_there_is(idle):
    key = add_account(idle, 10 * COST + 5)
    url = idle.upload(jpeg(), key=key)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda _: idle.post(POST, key=key, json=body(url)).status_code,
                              range(30)))
    assert sorted(codes) == [200] * 10 + [402] * 20
    assert idle.balance(key) == 5


def test_a_full_queue_is_429_with_a_time_to_wait(fresh):
    server = fresh(workers=0, queue_limit=3)
    url = server.upload(jpeg())
    assert [server.post(POST, json=body(url)).status_code for _ in range(3)] == [200] * 3
    check_error(server.post(POST, json=body(url)), 429)
    assert server.balance() == 12000 - 3 * COST


@pytest.mark.parametrize("as_file", [True, False])
def test_a_denied_word_is_403(fresh, tmp_path, as_file):
    words = tmp_path / "deny.txt"
    words.write_text("other\nforbidden\n")
    server = fresh(workers=0, deny=words if as_file else "other,forbidden")
    url = server.upload(jpeg())
    check_error(server.post(POST, json={"imgUrl": url, "remixPrompt": "a FORBIDDEN thing"}), 403)
    assert server.post(POST, json={"imgUrl": url, "remixPrompt": "unforbiddenly"}).status_code \
        == 200


# Idempotency

def post_with(server, value, request, path=POST, key=KEY):
    return server.post(path, key=key, headers={"Idempotency-Key": value}, json=request)


def test_the_same_key_gives_the_same_bytes_and_one_job(idle, url):
    before = idle.balance()
    first = post_with(idle, "once", body(url))
    again = post_with(idle, "once", body(url))
    other_order = idle.post(POST, headers={"Idempotency-Key": "once"}, data=json.dumps(
        {"extra": 1, "callback": "", "remixPrompt": "Convert to oil painting style",
         "imgUrl": url}))
    assert first.status_code == 200
    assert first.content == again.content == other_order.content
    assert idle.balance() == before - COST


def test_quoted_and_bare_keys_are_the_same_and_the_alias_is_the_same_path(idle, url):
    first = post_with(idle, '"quoted"', body(url))
    assert first.status_code == 200
    assert post_with(idle, "quoted", body(url)).content == first.content
    assert post_with(idle, "quoted", body(url), path="/v1/retexture").content == first.content


def test_the_same_key_with_another_body_is_422(idle, url):
    assert post_with(idle, "changed", body(url)).status_code == 200
    for other in (body(url, callback="https://example.com/h"),
                  {"imgUrl": url, "remixPrompt": "other"},
                  body("https://example.com/b.png")):
        check_error(post_with(idle, "changed", other), 422)


def test_another_account_may_use_the_same_key(idle, url):
    key = add_account(idle)
    mine = post_with(idle, "shared", body(url)).json()
    theirs = post_with(idle, "shared", body(idle.upload(jpeg(), key=key)), key=key).json()
    assert mine["job_id"] != theirs["job_id"]


def test_refusals_are_not_kept(idle, url):
    check_error(post_with(idle, "later", {"imgUrl": "x", "remixPrompt": ""}), 400)
    assert post_with(idle, "later", body(url)).status_code == 200


@pytest.mark.parametrize("value, status", [
    ("k" * 255, 200), ("k" * 256, 400), ('"' + "q" * 255 + '"', 200), ("two words", 400),
])
def test_the_limits_of_an_idempotency_key(idle, url, value, status):
    assert post_with(idle, value, body(url)).status_code == status


def test_concurrent_posts_with_one_key_make_one_job(idle, url):
    before = idle.balance()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: post_with(idle, "race", body(url)), range(24)))
    assert {a.status_code for a in answers} == {200}
    assert len({a.content for a in answers}) == 1
    assert idle.balance() == before - COST


def test_idempotency_survives_a_restart(fresh):
    server = fresh(workers=0)
    first = post_with(server, "kept", body("https://example.com/a.jpg"))
    assert server.stop() == 0
    server.start()
    assert post_with(server, "kept", body("https://example.com/a.jpg")).content == first.content


# Patina's own URLs

@pytest.mark.parametrize("path", [
    "/uploads/0123456789abcdef0123456789abcdef", "/uploads/", "/uploads/..%2f..%2fetc", "/healthz",
    "/api/v1/jobs", "/files/00000000-0000-4000-8000-000000000000/0.png",
])
def test_urls_of_our_own_that_lead_nowhere_are_refused(idle, path):
    assert bad_fields(idle.post(POST, json=body(idle.base + path))) == {"imgUrl"}


def test_an_upload_of_another_account_is_refused(idle, url):
    key = add_account(idle)
    assert bad_fields(idle.post(POST, key=key, json=body(url))) == {"imgUrl"}
