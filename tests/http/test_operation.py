# SPDX-License-Identifier: MIT
"""Running the service: start, drain, its data folder, a full disk, keys that come and go."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import urllib.parse

import pytest

from support.contract import check_error
from support.disks import mounted
from support.pictures import jpeg
from support.server import COST, JOB_S, KEY, PATINA, START_S, Server, fresh_key, wait_for

pytestmark = pytest.mark.sanitized


def test_the_first_start_makes_a_key_that_only_the_owner_can_read(fresh):
    server = fresh(start=False)
    del server.settings["PATINA_API_KEY"]
    server.start()
    path = server.data / "api-key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((server.data / "patina.db").stat().st_mode) == 0o600
    key = path.read_text().strip()
    assert re.fullmatch(r"[\x21-\x7e]{16,256}", key)
    assert server.balance(key) == 12000
    assert server.stop() == 0
    server.start()
    assert path.read_text().strip() == key and server.balance(key) == 12000


def test_a_new_key_in_the_environment_opens_the_same_account(fresh):
    server = fresh()
    assert server.stop() == 0
    other = fresh_key()
    server.settings["PATINA_API_KEY"] = other
    server.start()
    assert server.balance(other) == server.balance(KEY) == 12000


@pytest.mark.parametrize("name, value", [
    ("listen", "nonsense"), ("listen", "127.0.0.1:99999"), ("listen", "::1:80"),
    ("admin_listen", "nonsense"), ("workers", "many"), ("pixels", "7"), ("api_key", "short"),
    ("public_url", "ftp://x"), ("fetch_allow", "10.0.0.0/99"), ("fetch_ca", "/nowhere.pem"),
    ("database", "oracle:x"), ("deny", "/nowhere"), ("log", "xml"), ("cors_origin", "example.org"), ("cors_origin", "https://"),
    ("cors_origin", "https://example.org/"), ("cors_origin", "https://a.example,https://b.example"),
])
def test_a_wrong_setting_is_named_and_no_restart_is_asked_for(fresh, name, value):
    server = fresh(start=False, **{name: value})
    assert server.spawn().wait(START_S) == 2
    assert name.replace("_", "-") in server.log().lower().replace("_", "-"), server.log()


def test_a_taken_port_is_told(fresh):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        server = fresh(start=False, listen=address)
        assert server.spawn().wait(START_S) == 1
        assert address in server.log()


def test_a_second_server_on_the_same_folder_is_refused(fresh):
    first = fresh()
    second = Server(first.data, **{})
    second.log_path = first.data.with_name("second.log")
    environment = {**os.environ, **second.settings}
    done = subprocess.run([PATINA, "serve"], env=environment, capture_output=True, text=True,
                          timeout=START_S)
    assert done.returncode == 1
    assert str(first.data) in done.stderr
    assert first.balance() == 12000


@pytest.mark.parametrize("setting, path", [("database", "sqlite:{}/patina.db"),
                                           ("blobs", "dir:{}/blobs")])
def test_a_second_server_on_parts_of_another_is_refused(fresh, setting, path):
    """It would take jobs away from the first, or delete pictures that it does not know."""
    first = fresh()
    second = fresh(start=False, **{setting: path.format(first.data)})
    assert second.spawn().wait(START_S) == 1
    assert path.format(first.data).partition(":")[2] in second.log()
    assert f"--{setting}" in second.log()
    assert first.balance() == 12000
    first.stop()
    assert second.start().balance() == 12000


def test_a_folder_that_cannot_be_written_is_told(fresh, tmp_path):
    if os.geteuid() == 0:
        # Root may write anywhere but where nobody can: below a file, or on a read-only mount.
        blocker = tmp_path / "blocker"
        blocker.write_text("")
        path = blocker / "data"
    else:
        path = tmp_path / "closed" / "data"
        path.parent.mkdir(mode=0o500)
    environment = {**os.environ, **fresh(start=False).settings, "PATINA_DATA": str(path)}
    done = subprocess.run([PATINA, "serve"], env=environment, capture_output=True, text=True,
                          timeout=START_S)
    assert done.returncode == 1
    assert str(path) in done.stderr and "assert" not in done.stderr


def test_a_read_only_folder_is_told(tmp_path, fresh):
    with mounted(tmp_path / "disk", "-o", "size=8m") as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        environment = {**os.environ, **fresh(start=False).settings, "PATINA_DATA": str(disk)}
        done = subprocess.run([PATINA, "serve"], env=environment, capture_output=True, text=True,
                              timeout=START_S)
        assert done.returncode == 1
        assert str(disk) in done.stderr


def test_a_new_database_deletes_no_pictures_of_another(fresh):
    """The database was lost, or PATINA_DATABASE names another one by mistake."""
    server = fresh()
    pictures = server.run(server.upload(jpeg()))["output"]["image_urls"]
    server.stop()
    server.settings["PATINA_DATABASE"] = f"sqlite:{server.data}/mistake.db"
    for _ in range(2):  # the second start finds the database that the first one has made
        assert server.spawn().wait(START_S) == 2
    assert "mistake.db" in server.log() and str(server.data / "blobs") in server.log()
    del server.settings["PATINA_DATABASE"]
    server.start()
    paths = [urllib.parse.urlsplit(url).path for url in pictures]
    assert [server.get(path, key=None).status_code for path in paths] == [200] * 4


def test_a_full_disk_refuses_jobs_and_recovers(tmp_path):
    with mounted(tmp_path / "disk", "-o", "size=96m") as disk:
        with Server(disk / "data", disk_reserve_mb=32) as server:
            url = server.upload(jpeg())
            assert server.run(url)["status"] == "completed"
            before = server.balance()
            with contextlib.suppress(OSError), open(disk / "filler", "wb", buffering=0) as filler:
                while filler.write(b"\0" * 65536):
                    pass

            def refused():
                answer = server.get("/readyz", key=None)
                return answer.status_code == 503 and answer.json()["blobs"] == "disk nearly full"
            wait_for(refused, what="readyz to say that the disk is nearly full")
            answer = server.post("/api/v1/retexture", json={"imgUrl": url, "remixPrompt": "oil"})
            check_error(answer, 503)
            assert server.balance() == before
            assert server.get("/healthz", key=None).status_code == 200

            (disk / "filler").unlink()
            wait_for(lambda: server.get("/readyz", key=None).status_code == 200, what="readyz")
            assert server.run(url)["status"] == "completed"


def test_a_disk_that_is_full_to_the_last_byte_loses_nothing(tmp_path):
    with mounted(tmp_path / "disk", "-o", "size=64m") as disk:
        server = Server(disk / "data", disk_reserve_mb=0)
        with server:
            url = server.upload(jpeg())
            before = server.balance()
            with contextlib.suppress(OSError), open(disk / "filler", "wb", buffering=0) as filler:
                while filler.write(b"\0" * 65536):
                    pass
            accepted = []
            for i in range(60):
                answer = server.post("/api/v1/retexture",
                                     json={"imgUrl": url, "remixPrompt": "x" * 8000})
                assert answer.status_code in (200, 503), answer.text
                if answer.status_code == 200:
                    accepted.append(answer.json()["job_id"])
            (disk / "filler").unlink()
            ends = [server.finished(j) for j in accepted]
            spent = sum(t["meta"]["usage"]["consume"] for t in ends)
            assert wait_for(lambda: server.balance() == before - spent, what="the points to settle")


def test_a_start_on_a_full_disk_starts_no_job(fresh):
    server = fresh(workers=0)
    job_id = server.submit(server.upload(jpeg()))["job_id"]
    server.stop()
    del server.settings["PATINA_WORKERS"]
    server.settings["PATINA_DISK_RESERVE_MB"] = str(1 << 24)
    server.start()
    assert server.job(job_id)["status"] == "pending"
    assert server.stop() == 0
    assert "disk.low" in server.log() and "job.claim" not in server.log()
    del server.settings["PATINA_DISK_RESERVE_MB"]
    server.start()
    assert server.finished(job_id)["status"] == "completed"


def test_stopping_hands_running_jobs_back_uncounted(fresh):
    server = fresh(drain_s=0)
    with server.held():
        job_id = server.submit(server.upload(jpeg()))["job_id"]
        server.until(job_id, "processing")
        assert server.stop() == 0
    server.start()
    task = server.finished(job_id)
    assert task["status"] == "completed", task["error"]
    assert server.balance() == 12000 - COST


def draining(server):
    wait_for(lambda: "serve.drain" in server.log(), what="the signal to be seen")
    wait_for(lambda: server.get("/readyz", key=None).status_code == 503, what="the drain to begin")


def test_draining_lets_running_jobs_finish_and_refuses_new_ones(fresh):
    server = fresh(drain_s=3600)
    url = server.upload(jpeg())
    with server.held():
        job_id = server.submit(url)["job_id"]
        server.until(job_id, "processing")
        server.process.send_signal(signal.SIGTERM)
        draining(server)
        check_error(server.post("/api/v1/retexture", json={"imgUrl": url, "remixPrompt": "oil"}),
                    503)
    assert server.process.wait(JOB_S) == 0
    server.start()
    task = server.job(job_id)
    assert task["status"] == "completed" and task["detail"]["attempt"] == 1, task


def test_a_second_signal_does_not_wait(fresh):
    server = fresh(drain_s=3600)
    with server.held():
        server.until(server.submit(server.upload(jpeg()))["job_id"], "processing")
        server.process.send_signal(signal.SIGTERM)
        draining(server)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(JOB_S) == 0


def test_an_idle_server_stops_at_once(fresh):
    for sign in (signal.SIGTERM, signal.SIGINT):
        server = fresh(drain_s=3600)
        with socket.create_connection(server.address):  # an idle client holds nobody up
            server.process.send_signal(sign)
            assert server.process.wait(JOB_S) == 0


def test_no_process_outlives_the_server(fresh):
    server = fresh()
    server.run(server.upload(jpeg()))

    def runs(pid):
        try:
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return stat.rpartition(")")[2].split()[0] != "Z"

    started = server.children()
    assert started, "rendering runs in processes of its own"
    server.kill()
    wait_for(lambda: not any(map(runs, started)), what="renderers to see that their server is gone")


def test_log_lines_are_structured_and_hold_no_key(fresh):
    import json
    server = fresh(log="json")
    task = server.run(server.upload(jpeg()))
    server.get("/api/account/balance", key="wrong-key-0123456789")
    server.stop()
    events = []
    for line in server.log().splitlines():
        events.append(json.loads(line))
    assert KEY not in server.log() and "wrong-key-0123456789" not in server.log()
    mine = [e for e in events if e.get("job") == task["job_id"]]
    assert mine and any("attempt" in e and "ms" in e for e in mine)
