# SPDX-License-Identifier: MIT
"""protocol.md section 4: uploads and result files."""

import re
import socket
import urllib.parse

import pytest

from support.accounts import add_account
from support.contract import NO_SUCH_JOB, check_error
from support.pictures import jpeg, opened, png, png_of_size, webp
from support.server import status_of

pytestmark = pytest.mark.sanitized

UPLOADS = "/api/v1/uploads"


@pytest.fixture(scope="module")
def done(server):
    task = server.run(server.upload(jpeg(640, 480)))
    assert task["status"] == "completed", task["error"]
    return task


@pytest.fixture(scope="module")
def private(server):
    key = add_account(server, private=True)
    task = server.submit(server.upload(jpeg(), key=key), key=key)
    return server.finished(task["job_id"], key)


# Uploads

@pytest.mark.parametrize("make, width, height", [(jpeg, 320, 240), (png, 100, 50), (webp, 64, 64)])
def test_an_upload_says_where_and_how_large(server, make, width, height):
    answer = server.post(UPLOADS, data=make(width, height))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert list(body) == ["imgUrl", "expires_at", "width", "height"]
    assert (body["width"], body["height"]) == (width, height)
    assert re.fullmatch(re.escape(server.base) + r"/uploads/[\w-]{20,64}", body["imgUrl"])


def test_multipart_works_as_a_browser_sends_it(server):
    answer = server.post(UPLOADS, files={"image": ("photo.jpg", jpeg(), "image/jpeg")})
    assert answer.status_code == 200, answer.text
    assert answer.json()["imgUrl"] == server.upload(jpeg())


def test_multipart_without_the_field_is_400(server):
    check_error(server.post(UPLOADS, files={"photo": ("photo.jpg", jpeg(), "image/jpeg")}), 400)


@pytest.mark.parametrize("content_type, data", [
    ("multipart/form-data", b"--x\r\n\r\n--x--"),
    ("multipart/form-data; boundary=", b"--\r\n\r\n----"),
    ("multipart/form-data; boundary=x", b"no boundary here"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=image\r\n"),
    ("multipart/form-data; boundary=" + "b" * 500, b"--x"),
])
def test_broken_multipart_is_refused(server, content_type, data):
    answer = server.post(UPLOADS, headers={"Content-Type": content_type}, data=data)
    assert answer.status_code in (400, 415), answer.text
    check_error(answer, answer.status_code)


def test_the_same_bytes_give_the_same_url_and_another_account_another(server):
    key = add_account(server)
    assert server.upload(jpeg()) == server.upload(jpeg())
    assert server.upload(jpeg(), key=key) != server.upload(jpeg())


def test_an_upload_is_readable_by_its_account_alone(server):
    url = server.upload(png(50, 60))
    answer = server.get(url)
    assert answer.status_code == 200 and answer.content == png(50, 60)
    assert answer.headers["Content-Type"] == "image/png"
    assert server.get(url, key=add_account(server)).status_code == 404
    assert server.get(url, key=None).status_code in (401, 404)


@pytest.mark.parametrize("data, status", [
    (b"just text", 415),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415),
    (b"GIF89a" + b"\0" * 100, 415),
    (b"\0\0\0\x18ftypheic" + b"\0" * 100, 415),
    (png_of_size(16385, 100), 413),
    (png_of_size(100, 16385), 413),
    (png_of_size(8001, 8000), 413),
    (png_of_size(3100, 100), 413),
])
def test_what_is_no_picture_or_too_large_is_refused_at_once(server, data, status):
    answer = server.post(UPLOADS, data=data)
    check_error(answer, status)


@pytest.mark.parametrize("extra, status", [(0, 200), (1, 413)])
def test_ten_million_bytes_are_taken_and_one_more_is_not(server, extra, status):
    data = jpeg(64, 64)
    data += b"\0" * (10_000_000 + extra - len(data))
    answer = server.post(UPLOADS, data=data)
    assert answer.status_code == status, answer.text


def test_the_number_of_uploads_is_limited(server):
    key = add_account(server)
    answers = [server.post(UPLOADS, key=key, data=jpeg(32, 32) + i.to_bytes(2, "big"))
               for i in range(201)]
    assert [a.status_code for a in answers[:200]] == [200] * 200
    check_error(answers[200], 413)


# Files

def test_result_files_say_what_they_are(server, done):
    for url in [done["output"]["image_url"], *done["output"]["image_urls"]]:
        answer = server.get(url, key=None)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "image/png"
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
        assert re.fullmatch(r'"[^"]+"', answer.headers["ETag"])
        assert int(answer.headers["Content-Length"]) == len(answer.content)


def test_pictures_carry_their_prompt_and_nothing_of_the_source(server, tmp_path):
    source = jpeg(200, 200, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0", comment=b"secret place")
    task = server.run(server.upload(source), "oil painting --seed 5")
    data = server.get(task["output"]["image_urls"][1]).content
    assert b"secret place" not in data
    for said in (b"oil painting --seed 5", b"patina", b"algorithmicMedia"):
        assert said in data
    assert task["job_id"].encode() not in data
    assert b"tIME" not in data


@pytest.mark.parametrize("name", ["0", "1", "2", "3", "grid"])
@pytest.mark.parametrize("extension, kind", [("png", "PNG"), ("webp", "WEBP"), ("jpg", "JPEG")])
def test_every_picture_comes_in_three_formats(server, done, name, extension, kind):
    url = done["output"]["image_url"].replace("grid.png", f"{name}.{extension}")
    first, cached = server.get(url), server.get(url)
    assert first.status_code == 200
    picture = opened(first.content)
    assert picture.format == kind
    assert first.content == cached.content and first.headers["ETag"] == cached.headers["ETag"]
    original = opened(server.get(url.rsplit(".", 1)[0] + ".png").content)
    assert picture.size == original.size


@pytest.mark.parametrize("name", ["4.png", "-1.png", "00.png", "grid.gif", "grid", "grid.png/x",
                                  "0.PNG", "0.png.png", ".png", "%2e%2e", "0.png%00"])
def test_files_that_are_not_there_are_404(server, done, name):
    url = done["output"]["image_url"].replace("grid.png", name)
    assert server.get(url).status_code in (400, 404)


def test_files_of_unknown_jobs_are_404(server):
    for job_id in (NO_SUCH_JOB, "x", "..", "a" * 300):
        assert server.get(f"/files/{job_id}/0.png").status_code == 404


def test_an_unchanged_file_is_304(server, done):
    url = done["output"]["image_url"]
    etag = server.get(url).headers["ETag"]
    for sent in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = server.get(url, headers={"If-None-Match": sent})
        assert answer.status_code == 304 and answer.content == b""
        assert answer.headers["ETag"] == etag
    assert server.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("sent, first, last", [
    ("bytes=0-9", 0, 9), ("bytes=5-", 5, None), ("bytes=-7", -7, None), ("bytes=0-0", 0, 0),
    ("bytes=3-99999999999", 3, None),
])
def test_ranges_are_parts_of_the_file(server, done, sent, first, last):
    url = done["output"]["image_url"]
    whole = server.get(url).content
    answer = server.get(url, headers={"Range": sent})
    begin = first if first >= 0 else len(whole) + first
    end = len(whole) - 1 if last is None else last
    assert answer.status_code == 206
    assert answer.content == whole[begin:end + 1]
    assert answer.headers["Content-Range"] == f"bytes {begin}-{end}/{len(whole)}"


def test_ranges_outside_are_416_and_nonsense_is_ignored(server, done):
    url = done["output"]["image_url"]
    size = len(server.get(url).content)
    answer = server.get(url, headers={"Range": f"bytes={size}-"})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{size}"
    for sent in ("lines=1-2", "bytes=9-3", "bytes=x-y", "bytes="):
        assert server.get(url, headers={"Range": sent}).status_code == 200


def test_if_range_guards_a_range(server, done):
    url = done["output"]["image_url"]
    etag = server.get(url).headers["ETag"]
    assert server.get(url, headers={"Range": "bytes=0-9", "If-Range": etag}).status_code == 206
    assert server.get(url, headers={"Range": "bytes=0-9", "If-Range": '"old"'}).status_code == 200


def test_head_of_a_file_has_its_length(server, done):
    url = done["output"]["image_url"]
    head = server.request("HEAD", url)
    assert head.status_code == 200 and head.content == b""
    assert int(head.headers["Content-Length"]) == len(server.get(url).content)


def test_files_of_private_accounts_are_signed(server, private):
    assert private["config"]["service_mode"] == "private"
    url = private["output"]["image_url"]
    assert server.get(url, key=None).status_code == 200
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query))
    assert set(query) == {"expires", "signature"}
    path = f"{server.base}{parts.path}"
    signature = query["signature"]
    flipped = ("0" if signature[0] != "0" else "1") + signature[1:]
    later = str(int(query["expires"]) + 1)
    for wrong in ("", f"?expires={query['expires']}", f"?signature={signature}",
                  f"?expires={query['expires']}&signature={flipped}",
                  f"?expires={query['expires']}&signature={signature[:-1]}",
                  f"?expires={later}&signature={signature}",
                  f"?expires={query['expires']}&signature="):
        assert server.get(path + wrong, key=None).status_code == 404, wrong
    other = path.replace("grid.png", "0.png")
    assert server.get(f"{other}?{parts.query}", key=None).status_code == 404


def test_a_result_may_be_the_next_source(server, done):
    task = server.run(done["output"]["image_urls"][2], "oil painting")
    assert task["status"] == "completed", task["error"]


def test_a_client_that_leaves_in_the_middle_of_a_file_does_no_harm(server, done):
    path = urllib.parse.urlsplit(done["output"]["image_url"]).path
    for _ in range(20):
        with socket.create_connection(server.address) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            s.recv(100)
    assert status_of(server.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) == 200
