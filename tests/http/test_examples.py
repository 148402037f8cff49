# SPDX-License-Identifier: MIT
"""examples/: every client there does what it says against a real server."""

import importlib.util
import json
import os
import queue
import re
import socket
import subprocess
import sys
import threading
import time

import pytest
import requests

from support.accounts import patina, webhook_secret
from support.pictures import jpeg, opened
from support.server import JOB_S, KEY, PATINA, ROOT, wait_for

EXAMPLES = ROOT / "examples"
NODE = "/usr/bin/node"
RESULTS = {"grid.png", "0.png", "1.png", "2.png", "3.png"}

CLIENTS = {
    "curl": ["sh", EXAMPLES / "curl/retexture.sh"],
    "python": [sys.executable, EXAMPLES / "python/patina_client.py"],
    "javascript": [NODE, EXAMPLES / "javascript/patina-client.mjs"],
}
RECEIVERS = {
    "python": [sys.executable, EXAMPLES / "python/webhook_receiver.py"],
    "javascript": [NODE, EXAMPLES / "javascript/webhook-receiver.mjs"],
}


@pytest.fixture
def local(fresh):
    """A server whose webhooks may go to plain http on this machine."""
    return fresh(fetch_allow="127.0.0.0/8", fetch_http=1)


def run_client(client, server, tmp_path, *words, key=KEY):
    return subprocess.run([*CLIENTS[client], *map(str, words)], cwd=tmp_path, timeout=120,
                          capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], "PATINA_KEY": key,
                               "PATINA_URL": server.base})


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_brings_four_pictures_and_the_grid(client, server, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(jpeg(320, 240))
    done = run_client(client, server, tmp_path, "photo.jpg", "charcoal --seed 5")
    assert done.returncode == 0, done.stderr
    assert {p.name for p in tmp_path.glob("*.png")} == RESULTS
    assert {os.path.basename(line) for line in done.stdout.split()} == RESULTS
    width, height = opened((tmp_path / "0.png").read_bytes()).size
    assert opened((tmp_path / "grid.png").read_bytes()).size == (2 * width, 2 * height)


def last_line(done):
    """What it ended with: nothing is tried behind a failure."""
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_says_what_is_wrong(client, server, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"no picture")
    done = run_client(client, server, tmp_path, "photo.jpg", "charcoal")
    assert done.returncode == 1 and "JPEG, PNG or WebP" in last_line(done)
    (tmp_path / "photo.jpg").write_bytes(jpeg())
    done = run_client(client, server, tmp_path, "photo.jpg", "charcoal", key="x" * 20)
    assert done.returncode == 1 and "no account has this key" in last_line(done)
    for words, key in ((["photo.jpg"], KEY), (["photo.jpg", "charcoal"], "")):
        done = run_client(client, server, tmp_path, *words, key=key)
        assert done.returncode != 0 and 'PHOTO "PROMPT" [FOLDER]' in last_line(done)
    done = run_client(client, server, tmp_path, "none.jpg", "charcoal")
    assert done.returncode == 1 and "none.jpg" in last_line(done)
    assert not list(tmp_path.glob("*.png"))


class Receiver:
    """A webhook receiver as an operator starts it; its lines as they come."""

    def __init__(self, kind, secret):
        self.process = subprocess.Popen(
            [*RECEIVERS[kind], "0"], stdout=subprocess.PIPE, text=True,
            env={"PATH": os.environ["PATH"], "PATINA_WEBHOOK_SECRET": secret})
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.port = int(re.fullmatch(r"listening on (\d+)\n", self.line())[1])
        self.url = f"http://127.0.0.1:{self.port}/"

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")  # as at the end of a file

    def line(self, timeout=JOB_S):
        """What it prints next; "" when it has ended. Fails when nothing comes."""
        try:
            return self.lines.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"the receiver has printed nothing for {timeout} s") from None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()


@pytest.mark.parametrize("secret", [{}, {"PATINA_WEBHOOK_SECRET": "patina-key"}])
@pytest.mark.parametrize("kind", RECEIVERS)
def test_a_receiver_without_its_secret_says_so_at_once(kind, secret):
    done = subprocess.run([*RECEIVERS[kind], "0"], env={"PATH": os.environ["PATH"], **secret},
                          capture_output=True, text=True, timeout=JOB_S)
    assert done.returncode == 1
    assert "patina webhook-secret show" in done.stderr and not done.stdout


def test_a_receiver_that_gets_nothing_fails_its_test():
    with Receiver("python", "whsec_" + "A" * 32) as receiver:
        with pytest.raises(AssertionError, match="has printed nothing"):
            receiver.line(timeout=.01)


def captured(server, origin, path):
    """A webhook as it was sent, to be replayed."""
    server.submit(server.upload(jpeg()), callback=origin.url(path))
    return origin.delivery(path)


@pytest.mark.parametrize("kind", RECEIVERS)
def test_a_receiver_believes_what_is_signed(kind, local):
    with Receiver(kind, webhook_secret(local)) as receiver:
        task = local.submit(local.upload(jpeg()), callback=receiver.url)
        words = receiver.line().split()
        assert words[:2] == [task["job_id"], "completed"]
        assert words[2:] == local.job(task["job_id"])["output"]["image_urls"]


@pytest.mark.parametrize("kind", RECEIVERS)
def test_a_receiver_may_learn_a_new_secret_in_its_own_time(kind, local):
    before = webhook_secret(local)
    patina(local, "webhook-secret", "rotate", 1)
    after = webhook_secret(local)
    assert after != before
    for secret in (before, after):
        with Receiver(kind, secret) as receiver:
            task = local.submit(local.upload(jpeg()), callback=receiver.url)
            assert receiver.line().split()[:2] == [task["job_id"], "completed"]


@pytest.mark.parametrize("kind", RECEIVERS)
def test_a_receiver_refuses_what_is_forged_old_or_told_twice(kind, server, origin):
    delivery = captured(server, origin, f"/capture-{kind}")
    headers = {k: v for k, v in delivery.headers.items()
               if k.lower().startswith(("webhook-", "x-legnext-"))}

    def send(receiver, body=delivery.body, **changed):
        changed = {k.replace("_", "-"): v for k, v in changed.items()}
        kept = {k: v for k, v in headers.items() if k.lower() not in changed}
        return requests.post(receiver.url, data=body, headers={**kept, **changed},
                             timeout=20).status_code

    with Receiver(kind, webhook_secret(server)) as receiver:
        assert send(receiver, delivery.body + b" ") == 401
        assert send(receiver, webhook_signature="v1,AAAA") == 401
        assert send(receiver, webhook_signature="") == 401
        assert send(receiver, webhook_id="msg_other") == 401
        assert send(receiver, x_legnext_signature="0" * 64) == 401
        assert send(receiver, webhook_timestamp=str(int(time.time()) - 301)) == 401
        assert send(receiver, webhook_timestamp="now") == 401
        assert send(receiver, webhook_timestamp=b"\xb2\xb3") == 401  # digits, but not of a number
        assert send(receiver, webhook_signature=b"v1," + 44 * b"\xe9") == 401
        assert send(receiver, x_legnext_signature=64 * b"\xe9") == 401
        with socket.create_connection(("127.0.0.1", receiver.port)) as gone:
            gone.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nno")
        other = "v1,AAAA " + headers[next(k for k in headers if k.lower() == "webhook-signature")]
        assert send(receiver, webhook_signature=other) == 204
        assert receiver.line().split()[1] == "completed"
        assert send(receiver) == 204  # again: not printed again
        receiver.process.kill()
        assert receiver.line() == ""
    with Receiver(kind, "whsec_" + "A" * 32) as receiver:
        assert send(receiver) == 401


def test_the_python_client_follows_cancels_and_raises(server):
    spec = importlib.util.spec_from_file_location("patina_client", CLIENTS["python"][1])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    client = module.Client(server.base, KEY)
    job = client.retexture(client.upload(jpeg()), "mosaic")["job_id"]
    assert [t["status"] for t in client.events(job)][-1] == "completed"
    assert client.wait(job) == server.job(job)
    with pytest.raises(module.PatinaError) as refused:
        client.cancel(job)
    assert refused.value.code == 409 and refused.value.detail["job_id"] == job
    failing = client.retexture("https://127.0.0.1:9/x.jpg", "mosaic")["job_id"]
    with pytest.raises(module.PatinaError) as failed:
        client.wait(failing)
    assert failed.value.code == 424


# n8n: its HTTP nodes, run as n8n would by what they say.

class Workflow:
    def __init__(self, settings):
        source = json.loads((EXAMPLES / "n8n/retexture.json").read_text())
        self.nodes = {n["name"]: n for n in source["nodes"]}
        self.links = source["connections"]
        self.item = {"Settings": settings}
        self.here = None

    def value(self, text):
        """An expression (={{ ... }}) of the few forms the workflow has."""
        if not text.startswith("="):
            return text

        def look_up(match):
            expression = match[1].strip()
            if expression == "$execution.id":
                return "42"
            node = re.fullmatch(r"\$\('(\w+)'\)\.item\.json((?:\.\w+)+)", expression)
            own = re.fullmatch(r"\$json((?:\.\w+)+)", expression)
            found = self.item[node[1]] if node else self.here
            for key in (node or own)[2 if node else 1].strip(".").split("."):
                found = found[key]
            return found
        return re.sub(r"\{\{(.*?)\}\}", look_up, text[1:])

    def call(self, name):
        p = self.nodes[name]["parameters"]
        assert self.nodes[name]["type"] == "n8n-nodes-base.httpRequest"
        headers = {h["name"]: self.value(h["value"])
                   for h in p.get("headerParameters", {}).get("parameters", [])}
        if "authentication" in p:
            headers["x-api-key"] = KEY
        body = {b["name"]: self.value(b["value"])
                for b in p.get("bodyParameters", {}).get("parameters", [])}
        answer = requests.request(p["method"], self.value(p["url"]), headers=headers,
                                  json=body or None, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer

    def run_json(self, name):
        self.here = self.item[name] = self.call(name).json()

    def ended(self):
        return any(self.value(c["leftValue"]) == c["rightValue"]
                   for c in self.nodes["Ended"]["parameters"]["conditions"]["conditions"])


def test_the_n8n_workflow_brings_the_grid(server):
    flow = Workflow({"base": server.base, "imgUrl": server.upload(jpeg()),
                     "remixPrompt": "woodcut"})
    defaults = {a["name"] for a in
                flow.nodes["Settings"]["parameters"]["assignments"]["assignments"]}
    assert defaults == set(flow.item["Settings"])
    targets = {l["node"] for outs in flow.links.values() for out in outs["main"] for l in out}
    assert targets | {"Start"} == set(flow.nodes) and set(flow.links) <= set(flow.nodes)
    flow.run_json("Retexture")

    def look():
        flow.run_json("Job")
        return flow.ended()
    wait_for(look, what="the workflow's loop to end")
    assert opened(flow.call("Grid").content).format == "PNG"


def test_the_list_of_examples_is_whole():
    listed = set(re.findall(r"^\| `([\w./-]+)`", (EXAMPLES / "README.md").read_text(), re.M))
    there = {str(p.relative_to(EXAMPLES)) for p in EXAMPLES.glob("*/*")
             if p.is_file() and "__pycache__" not in p.parts}
    assert listed == there
    assert PATINA.exists()
