# SPDX-License-Identifier: MIT
"""protocol.md section 6: webhooks, as a receiver sees them."""

import base64
import contextlib
import hashlib
import hmac
import json
import socket
import threading
import time

import pytest

from support.accounts import open_store, webhook_secret
from support.contract import check_task
from support.pictures import jpeg
from support.server import wait_for

pytestmark = pytest.mark.sanitized


def check_signatures(delivery, secret):
    """Both families, the way their own libraries verify them."""
    headers = {name.lower(): value for name, value in delivery.headers.items()}
    assert headers["content-type"].split(";")[0] == "application/json"
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + delivery.body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert expected in headers["webhook-signature"].split(" ")
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60

    signed = f"{headers['x-legnext-timestamp']}.".encode() + delivery.body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["x-legnext-signature"] == expected
    return headers["webhook-id"]


def check_body(delivery, status):
    body = json.loads(delivery.body)
    task = body["data"]
    assert check_task(task)["status"] == status
    assert list(body) == [*task, "timestamp", "data"]
    assert {k: body[k] for k in task} == task
    assert abs(body["timestamp"] - time.time()) < 120
    return task


def test_a_finished_job_is_delivered_signed_in_both_ways(server, origin):
    task = server.submit(server.upload(jpeg()), callback=origin.url("/done"))
    delivery = origin.delivery("/done")
    check_signatures(delivery, webhook_secret(server))
    delivered = check_body(delivery, "completed")
    assert delivered["job_id"] == task["job_id"]
    assert delivered["output"] == server.job(task["job_id"])["output"]
    # What is announced can be fetched.
    assert server.get(delivered["output"]["image_url"], key=None).status_code == 200


def test_a_failed_job_is_delivered_too(server, origin):
    url = origin.serve("/text.jpg", b"no picture at all")
    server.submit(url, callback=origin.url("/failed"))
    assert check_body(origin.delivery("/failed"), "failed")["error"]["code"] == 415


def test_a_cancelled_job_is_delivered_too(idle, fresh, origin, certificates):
    server = fresh(fetch_allow="127.0.0.0/8", fetch_ca=certificates[0])
    cancelled = threading.Event()
    origin.serve("/slow.jpg", lambda handler: cancelled.wait())
    task = server.submit(origin.url("/slow.jpg"), callback=origin.url("/cancelled"))
    server.post(f"/api/v1/job/{task['job_id']}/cancel")
    cancelled.set()
    assert check_body(origin.delivery("/cancelled"), "failed")["error"]["code"] == 499


def test_a_refused_delivery_is_tried_again_with_the_same_id(server, origin):
    origin.answers["/again"] = [(500, {})]
    server.submit(server.upload(jpeg()), callback=origin.url("/again"))
    first, second = origin.delivery("/again"), origin.delivery("/again")
    ids = {check_signatures(d, webhook_secret(server)) for d in (first, second)}
    assert len(ids) == 1
    assert first.body == second.body


def test_redirects_are_not_followed_and_410_ends_it(server, origin):
    origin.answers["/gone"] = [(410, {})]
    origin.answers["/moved"] = [(302, {"Location": origin.url("/elsewhere")}), (410, {})]
    url = server.upload(jpeg())
    server.submit(url, callback=origin.url("/gone"))
    server.submit(url, callback=origin.url("/moved"))
    paths = [origin.delivery().path for _ in range(3)]
    assert sorted(paths) == ["/gone", "/moved", "/moved"]
    # A third delivery to a dead receiver would have been due by the time another job is done.
    server.submit(url, callback=origin.url("/last"))
    assert origin.delivery().path == "/last"


def test_a_dead_receiver_delays_nobody_else(server, origin):
    url = server.upload(jpeg())
    server.submit(url, callback="https://127.0.0.1:1/dead")
    server.submit(url, callback=origin.url("/alive"))
    assert origin.delivery("/alive")


def test_thousands_that_wait_for_a_dead_receiver_delay_nobody_else(fresh, origin, certificates):
    """More than are ever in memory, all due before the one of a receiver that answers."""
    server = fresh(fetch_allow="127.0.0.0/8", fetch_ca=certificates[0])
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # connects, and never says a word
        server.submit(server.upload(jpeg()), callback=f"https://127.0.0.1:{deaf.getsockname()[1]}/")
        wait_for(lambda: server.get("/api/v1/webhooks/deliveries").json()["deliveries"],
                 what="its delivery")
        server.stop()
        with contextlib.closing(open_store(server)) as store, store:
            columns = ", ".join(name for _, name, *_ in store.execute("PRAGMA table_info(delivery)")
                                if name not in ("id", "msg_uuid", "next_ms"))
            store.execute(f"INSERT INTO delivery (msg_uuid, next_ms, {columns}) "
                          "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000) "
                          f"SELECT randomblob(16), i, {columns} FROM n, delivery")
        server.start()
        server.submit(server.upload(jpeg()), callback=origin.url("/alive"))
        assert origin.delivery("/alive")
        assert server.stop() == 0
