# SPDX-License-Identifier: MIT
"""packaging/nginx.conf, run: a real nginx with TLS and HTTP/2 in front of a real server."""

import json
import pathlib
import re
import shutil
import socket
import subprocess

import pytest
import requests

from support.contract import check_error
from support.pictures import jpeg, opened
from support.server import JOB_S, KEY, ROOT, START_S, Server, wait_for

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
NAME = "pictures.example.org"
pytestmark = pytest.mark.skipif(not NGINX, reason="nginx is not installed")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Proxy:
    """The example as it stands but for places: ports, certificate, log, the service's address."""

    def __init__(self, folder, certificate, key, upstream):
        self.folder = folder
        # A port may be taken by somebody else between its choice and nginx.
        while not self.start(certificate, key, upstream):
            pass

    def start(self, certificate, key, upstream):
        """False when one of the ports has just been taken."""
        folder, self.plain, self.tls = self.folder, free_port(), free_port()
        site = (ROOT / "packaging/nginx.conf").read_text()
        site = re.sub(r"^\s*listen \[::\].*\n", "", site, flags=re.M)  # not everywhere is IPv6
        for old, new in (("listen 80;", f"listen 127.0.0.1:{self.plain};"),
                         ("listen 443 ssl", f"listen 127.0.0.1:{self.tls} ssl"),
                         ("server 127.0.0.1:8080;", f"server {upstream};"),
                         ("/etc/ssl/patina/fullchain.pem", str(certificate)),
                         ("/etc/ssl/patina/privkey.pem", str(key)),
                         ("/var/log/nginx/patina.log", str(folder / "access.log"))):
            assert site.count(old) == 1, old
            site = site.replace(old, new)
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self.configuration = folder / "nginx.conf"
        self.configuration.write_text(
            f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr notice;\n"
            f"events {{}}\nhttp {{\n{temporary}{site}}}\n")
        self.log = open(folder / "error.log", "w+", encoding="utf-8")
        self.process = subprocess.Popen([NGINX, "-p", folder, "-c", self.configuration],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        # Its number is written when it listens.
        wait_for(lambda: self.process.poll() is not None or (folder / "pid").exists(),
                 what="nginx to listen")
        told = (folder / "error.log").read_text()
        taken = self.process.poll() is not None and "Address already in use" in told
        assert taken or self.process.poll() is None, told
        return not taken

    def stop(self):
        self.process.terminate()
        self.process.wait(START_S)
        self.log.close()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory, certificates):
    folder = tmp_path_factory.mktemp("nginx")
    authority, certificate, key = certificates
    # The name of the example, not 127.0.0.1.
    with Server(folder / "data", public_url="https://localhost") as server:
        proxy = Proxy(folder, certificate, key, server.base.removeprefix("http://"))
        proxy.authority, proxy.server = authority, server
        yield proxy
        proxy.stop()


class Answer:
    """By the names of requests too, for support.contract."""

    def __init__(self, proxy, path, *words, key=KEY, port=None, scheme="https"):
        """curl, as a client would; over HTTP/2 unless told otherwise."""
        folder = pathlib.Path(proxy.folder)
        url = f"{scheme}://localhost:{port or proxy.tls}{path}"
        done = subprocess.run(
            ["curl", "-sS", "--http2", "--cacert", proxy.authority, "-m", str(JOB_S),
             "-H", f"x-api-key: {key}", "-o", folder / "body", "-D", folder / "head",
             "-w", "%{http_version} %{http_code}", *words, url], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        self.version, status = done.stdout.split()
        self.status = self.status_code = int(status)
        self.body = self.content = (folder / "body").read_bytes()
        self.head = (folder / "head").read_text().lower()
        self.headers = requests.structures.CaseInsensitiveDict(
            re.findall(r"^([\w-]+): (.*)$", self.head, re.M))

    def json(self):
        return json.loads(self.body)


def local(url):
    """An answer's URL as a path: the test's port is not the public one."""
    assert url.startswith("https://localhost/")
    return url.removeprefix("https://localhost")


def test_a_job_from_upload_to_pictures_over_http2(proxy, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(jpeg(320, 240))
    sent = Answer(proxy, "/api/v1/uploads", "--data-binary", f"@{tmp_path}/photo.jpg",
                  "-H", "content-type: image/jpeg")
    assert (sent.version, sent.status) == ("2", 200), sent.body
    posted = Answer(proxy, "/api/v1/retexture", "-d", json.dumps(
        {"imgUrl": sent.json()["imgUrl"], "remixPrompt": "charcoal"}))
    assert (posted.version, posted.status) == ("2", 200), posted.body
    job = posted.json()["job_id"]

    # The stream ends with the job: curl returns when it has every event.
    stream = Answer(proxy, f"/api/v1/job/{job}/events")
    assert stream.status == 200 and "text/event-stream" in stream.head
    last = json.loads(re.findall(r"^data: (.*)$", stream.body.decode(), re.M)[-1])
    assert last["status"] == "completed"

    task = Answer(proxy, f"/api/v1/job/{job}").json()
    for url in (task["output"]["image_url"], *task["output"]["image_urls"]):
        picture = Answer(proxy, local(url), key="none-is-needed-here")
        assert picture.status == 200 and opened(picture.body).format == "PNG"
    part = Answer(proxy, local(task["output"]["image_url"]), "-r", "0-7")
    assert part.status == 206 and part.body == b"\x89PNG\r\n\x1a\n"


def test_events_come_as_they_happen(proxy):
    """A job that waits for nothing but us: its first event has to arrive while the stream is open."""
    server = proxy.server
    with server.held():
        job = server.submit(server.upload(jpeg()), "oil painting")["job_id"]
        stream = subprocess.Popen(
            ["curl", "-sSN", "--http2", "--cacert", proxy.authority, "-H", f"x-api-key: {KEY}",
             f"https://localhost:{proxy.tls}/api/v1/job/{job}/events"],
            stdout=subprocess.PIPE, text=True)
        try:
            while (line := stream.stdout.readline()) and not line.startswith("data: "):
                pass
            first = json.loads(line.removeprefix("data: "))
            assert first["job_id"] == job and first["status"] != "failed"
            server.post(f"/api/v1/job/{job}/cancel")
            rest = re.findall(r"^data: (.*)$", stream.stdout.read(), re.M)
            assert json.loads(rest[-1])["status"] == "failed"
            assert stream.wait(START_S) == 0
        finally:
            stream.kill()
            stream.wait()


def test_uploads_of_ten_megabytes_pass_and_larger_ones_are_refused_by_the_service(proxy, tmp_path):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(jpeg() + bytes(10_000_000 - len(jpeg())))
    assert Answer(proxy, "/api/v1/uploads", "--data-binary", f"@{photo}").status == 200
    photo.write_bytes(bytes(11_000_000))
    refused = Answer(proxy, "/api/v1/uploads", "--data-binary", f"@{photo}")
    assert refused.status == 413 and refused.json()["code"] == 413


def test_the_rest_is_as_without_a_proxy(proxy):
    assert Answer(proxy, "/healthz").json() == {"status": "ok"}
    page = Answer(proxy, "/docs")
    assert page.status == 200 and "default-src 'none'" in page.head
    refused = Answer(proxy, "/api/account/balance", key="wrong-key-0123456789")
    assert refused.status == 401 and refused.json()["code"] == 401
    assert "x-request-id: " in refused.head
    moved = Answer(proxy, "/docs?x=1", port=proxy.plain, scheme="http")
    assert moved.status == 301 and "location: https://localhost/docs?x=1" in moved.head
    old = Answer(proxy, "/healthz", "--http1.1")
    assert (old.version, old.status) == ("1.1", 200)


def test_a_service_that_is_away_is_told_in_its_own_words(tmp_path, certificates):
    authority, certificate, key = certificates
    with socket.socket() as nobody:  # has the port, and does not listen
        nobody.bind(("127.0.0.1", 0))
        proxy = Proxy(tmp_path, certificate, key, f"127.0.0.1:{nobody.getsockname()[1]}")
        proxy.authority = authority
        try:
            for words in ((), ("-d", "{}")):
                check_error(Answer(proxy, "/api/v1/retexture", *words), 503)
        finally:
            proxy.stop()


def test_its_log_names_the_client_and_the_services_id_of_the_request(proxy):
    answer = Answer(proxy, "/healthz")
    request_id = re.search(r"x-request-id: (\S+)", answer.head)[1]
    line = wait_for(lambda: next((l for l in (proxy.folder / "access.log").read_text().splitlines()
                                  if request_id in l.lower()), None), what="the line in the log")
    assert line.startswith("127.0.0.1 [") and '"GET /healthz HTTP/2.0" 200' in line
    wait_for(lambda: request_id in proxy.server.log().lower(), what="the line in the service's")
