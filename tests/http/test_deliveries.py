# SPDX-License-Identifier: MIT
"""Webhooks as their sender sees them: listed, sent again, signed with two secrets for a while."""

import base64
import hashlib
import hmac
import time

import pytest

from support.accounts import (NOTICED_S, add_account, open_store, patina, patina_json,
                              webhook_secret)
from support.contract import NEVER, TIME, check_error
from support.pictures import jpeg
from support.server import Server, wait_for

pytestmark = pytest.mark.sanitized

LIST = "/api/v1/webhooks/deliveries"
KEYS = ["id", "job_id", "endpoint", "state", "attempts", "last_status", "next_at", "created_at"]
PAGE = 50


@pytest.fixture(scope="module")
def sender(tmp_path_factory, certificates):
    """A service that renders nothing, with an account for each test: jobs end by being cancelled."""
    data = tmp_path_factory.mktemp("sender") / "data"
    with Server(data, workers=0, fetch_allow="127.0.0.0/8", fetch_ca=certificates[0]) as s:
        yield s


class Account:
    def __init__(self, server):
        self.server, self.key = server, add_account(server, points=1_000_000)
        self.id = max(a["id"] for a in patina_json(server, "account", "list")["accounts"])
        self.image = server.upload(jpeg(), key=self.key)

    def end(self, callback=""):
        """A job that has ended; its id."""
        job = self.server.submit(self.image, key=self.key, callback=callback)["job_id"]
        answer = self.server.post(f"/api/v1/job/{job}/cancel", key=self.key)
        assert answer.status_code == 200, answer.text
        return job

    def page(self, query=""):
        answer = self.server.get(LIST + query, key=self.key)
        assert answer.status_code == 200, answer.text
        assert list(answer.json()) == ["deliveries", "next_cursor"]
        for delivery in answer.json()["deliveries"]:
            assert list(delivery) == KEYS
            assert TIME.fullmatch(delivery["created_at"]) and TIME.fullmatch(delivery["next_at"])
            assert (delivery["next_at"] != NEVER) == (delivery["state"] == "waiting")
        return answer.json()

    def of_job(self, job):
        (delivery,) = self.page(f"?job_id={job}")["deliveries"]
        assert delivery["job_id"] == job
        return delivery

    def until(self, job, **wanted):
        """The job's delivery once it is as wanted."""
        def look():
            delivery = self.of_job(job)
            return delivery if delivery | wanted == delivery else None
        return wait_for(look, what=f"the delivery to be {wanted}")


@pytest.fixture
def account(sender):
    return Account(sender)


def webhook_id(delivery):
    return {k.lower(): v for k, v in delivery.headers.items()}["webhook-id"]


def test_a_delivery_is_listed(account, origin):
    job = account.end(origin.url("/listed"))
    arrived = origin.delivery("/listed")
    delivery = account.until(job, state="delivered")
    assert delivery["id"] == webhook_id(arrived)
    assert delivery["endpoint"] == origin.url("/listed")
    assert (delivery["attempts"], delivery["last_status"]) == (1, 200)
    account.end()  # without a callback
    assert len(account.page()["deliveries"]) == 1


def test_one_that_waits_says_until_when(account, origin):
    origin.answers["/busy"] = [(503, {"Retry-After": "3600"})]
    job = account.end(origin.url("/busy"))
    delivery = account.until(job, attempts=1)
    assert (delivery["state"], delivery["last_status"]) == ("waiting", 503)
    assert delivery["next_at"] > delivery["created_at"]
    assert account.of_job(job)["next_at"][:4] >= time.strftime("%Y", time.gmtime())


def test_what_was_given_up_is_sent_again(account, origin):
    """To a receiver that works by then: the same id and the same body."""
    origin.answers["/mended"] = [(410, {})]
    job = account.end(origin.url("/mended"))
    first = origin.delivery("/mended")
    delivery = account.until(job, state="given_up", last_status=410)
    answer = account.server.post(f"{LIST}/{delivery['id']}/redeliver", key=account.key)
    assert answer.status_code == 200
    assert list(answer.json()) == KEYS
    assert answer.json()["state"] == "waiting" and answer.json()["attempts"] == 0
    again = origin.delivery("/mended")
    assert webhook_id(again) == webhook_id(first) == delivery["id"]
    assert again.body == first.body
    account.until(job, state="delivered", attempts=1, last_status=200)


def test_what_waits_or_was_delivered_is_sent_again_too(account, origin):
    origin.answers["/later"] = [(503, {"Retry-After": "3600"})]
    job = account.end(origin.url("/later"))
    origin.delivery("/later")
    delivery = account.until(job, attempts=1)
    for _ in range(2):
        answer = account.server.post(f"/v1/webhooks/deliveries/{delivery['id']}/redeliver",
                                     key=account.key)
        assert answer.status_code == 200
        assert webhook_id(origin.delivery("/later")) == delivery["id"]
        account.until(job, state="delivered")


def test_pages_go_through_all_of_them_once(account, origin):
    jobs = [account.end(origin.url("/page")) for _ in range(PAGE + 3)]
    first = account.page()
    assert len(first["deliveries"]) == PAGE and first["next_cursor"]
    second = account.page(f"?cursor={first['next_cursor']}")
    assert second["next_cursor"] == ""
    listed = [d["job_id"] for d in first["deliveries"] + second["deliveries"]]
    assert listed == jobs[::-1]
    again = account.page("?cursor=")["deliveries"]  # meanwhile more of them have been sent
    assert [d["id"] for d in again] == [d["id"] for d in first["deliveries"]]


def test_others_see_none_of_it(account, sender, origin):
    other = Account(sender)
    job = account.end(origin.url("/mine"))
    delivery = account.until(job, state="delivered")
    assert other.page() == {"deliveries": [], "next_cursor": ""}
    assert other.page(f"?job_id={job}")["deliveries"] == []
    check_error(sender.get(f"{LIST}?cursor={delivery['id']}", key=other.key), 400)
    foreign = sender.post(f"{LIST}/{delivery['id']}/redeliver", key=other.key)
    unknown = sender.post(f"{LIST}/msg_00000000-0000-4000-8000-000000000000/redeliver",
                          key=other.key)
    malformed = sender.post(f"{LIST}/17/redeliver", key=other.key)
    assert foreign.content == unknown.content == malformed.content
    check_error(foreign, 404)


def test_wrong_requests_are_told(account):
    server = account.server
    error = check_error(server.get(f"{LIST}?cursor=x", key=account.key), 400)
    assert error["detail"]["fields"][0]["field"] == "cursor"
    assert account.page("?job_id=x")["deliveries"] == []
    check_error(server.get(LIST, key=None), 401)
    check_error(server.post(f"{LIST}/x/redeliver", key=None), 401)
    wrong = server.post(LIST, key=account.key, json={})
    assert wrong.status_code == 405
    assert set(wrong.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert server.get(f"{LIST}/x/redeliver", key=account.key).status_code == 405


def test_commands_list_and_redeliver(account, origin):
    origin.answers["/command"] = [(410, {})]
    job = account.end(origin.url("/command"))
    first = origin.delivery("/command")
    account.until(job, state="given_up")
    (listed,) = patina_json(account.server, "webhook", "list", "--account", account.id, "--state",
                            "given_up")["deliveries"]
    assert listed["id"] == webhook_id(first) and listed["job_id"] == job
    assert listed["account"] == account.id and listed["last_status"] == 410
    assert listed["ended_at"] and listed["next_at"] is None
    assert patina_json(account.server, "webhook", "list", "--job", job)["deliveries"] == [listed]
    fields = patina(account.server, "webhook", "list", "--job", job).split("\t")
    assert fields[0] == listed["id"]
    patina(account.server, "webhook", "redeliver", listed["id"])
    assert webhook_id(origin.delivery("/command")) == listed["id"]
    assert patina_json(account.server, "webhook", "list", "--state", "given_up", "--account",
                       account.id)["deliveries"] == []
    for _ in range(2):
        account.end(origin.url("/command"))
    limited = patina(account.server, "webhook", "list", "--account", account.id, "--limit", 2)
    assert len(limited.splitlines()) == 2


# Two secrets

class Receiver:
    """Knows one secret, and verifies as the libraries of either family do."""

    def __init__(self, secret):
        self.secret = secret

    def standard(self, delivery):
        headers = {name.lower(): value for name, value in delivery.headers.items()}
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode()
        key = base64.b64decode(self.secret.removeprefix("whsec_"), validate=True)
        mine = hmac.digest(key, signed + delivery.body, "sha256")
        given = [s.split(",", 1) for s in headers["webhook-signature"].split(" ")]
        return any(version == "v1" and hmac.compare_digest(base64.b64decode(signature), mine)
                   for version, signature in given)

    def hosted(self, delivery):
        headers = {name.lower(): value for name, value in delivery.headers.items()}
        signed = f"{headers['x-legnext-timestamp']}.".encode() + delivery.body
        mine = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(mine, headers["x-legnext-signature"])


def signatures(delivery):
    headers = {name.lower(): value for name, value in delivery.headers.items()}
    return len(headers["webhook-signature"].split(" "))


def test_both_secrets_sign_while_one_replaces_the_other(account, origin):
    old = Receiver(webhook_secret(account.server, account.id))
    account.end(origin.url("/before"))
    delivery = origin.delivery("/before")
    assert old.standard(delivery) and old.hosted(delivery) and signatures(delivery) == 1

    shown = patina_json(account.server, "webhook-secret", "rotate", account.id)
    new = Receiver(shown["secret"])
    assert shown["old_secret"] == old.secret and new.secret != old.secret
    assert webhook_secret(account.server, account.id) == new.secret
    time.sleep(NOTICED_S)
    account.end(origin.url("/overlap"))
    delivery = origin.delivery("/overlap")
    assert old.standard(delivery) and new.standard(delivery) and signatures(delivery) == 2
    assert new.hosted(delivery) and not old.hosted(delivery)  # that one holds the newest alone

    with open_store(account.server) as db:  # a day later
        db.execute("UPDATE account SET webhook_secret_old_until_ms = ? WHERE id = ?",
                   (int(time.time() * 1000) - 1, account.id))
    time.sleep(NOTICED_S)
    account.end(origin.url("/after"))
    delivery = origin.delivery("/after")
    assert new.standard(delivery) and not old.standard(delivery) and signatures(delivery) == 1
    assert patina_json(account.server, "webhook-secret", "show",
                       account.id)["old_secret"] is None


def test_a_stolen_secret_can_be_ended_at_once(account, origin):
    old = Receiver(webhook_secret(account.server, account.id))
    shown = patina_json(account.server, "webhook-secret", "rotate", account.id, "--now")
    assert shown["old_secret"] is None
    time.sleep(NOTICED_S)
    account.end(origin.url("/stolen"))
    delivery = origin.delivery("/stolen")
    assert Receiver(shown["secret"]).standard(delivery)
    assert not old.standard(delivery) and signatures(delivery) == 1


def test_what_is_sent_again_is_signed_with_the_secrets_of_then(account, origin):
    job = account.end(origin.url("/resigned"))
    origin.delivery("/resigned")
    delivery = account.until(job, state="delivered")
    shown = patina_json(account.server, "webhook-secret", "rotate", account.id, "--now")
    time.sleep(NOTICED_S)
    account.server.post(f"{LIST}/{delivery['id']}/redeliver", key=account.key)
    assert Receiver(shown["secret"]).standard(origin.delivery("/resigned"))
