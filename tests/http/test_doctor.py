# SPDX-License-Identifier: MIT
"""`patina doctor`: finds what is broken, and nothing else."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

from support.accounts import add_account, open_store
from support.disks import mounted
from support.engines import TINY
from support.pictures import jpeg
from support.server import PATINA, Server

pytestmark = pytest.mark.sanitized

MACHINE = {"processor", "limits", "clock", "sandbox", "decoder", "engine", "kernels", "model", "dns",
           "settings"}
INSTALLATION = {"data", "space", "database", "queue", "pictures"}


def doctor(server, *flags, status=0, program=PATINA, **settings):
    """The findings by check; `settings` are set for this run alone."""
    environment = server.environment() | {f"PATINA_{k.upper()}": v for k, v in settings.items()}
    done = subprocess.run([program, "doctor", "--host", "localhost", "--json", *flags],
                          env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == status, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    checks = {c["check"]: c for c in json.loads(done.stdout)["checks"]}
    for check in checks.values():
        assert list(check) == ["check", "state", "found", "mend"] and check["found"]
        assert check["state"] in ("ok", "warning", "fails")
        assert bool(check["mend"]) == (check["state"] != "ok"), check
    assert any(c["state"] == "fails" for c in checks.values()) == (status == 1)
    return checks


def fails(server, check, says, *flags, **more):
    """This check fails, and no other."""
    checks = doctor(server, *flags, status=1, **more)
    assert [c for c in checks if checks[c]["state"] == "fails"] == [check], checks
    assert says in checks[check]["found"], checks[check]


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A server that has done some work, stopped."""
    server = Server(tmp_path_factory.mktemp("used") / "data")
    with server:
        assert server.run(server.upload(jpeg()))["status"] == "completed"
    return server


@pytest.fixture
def copy(used, tmp_path):
    """A copy of its data, to be broken."""
    shutil.copytree(used.data, tmp_path / "data")
    return Server(tmp_path / "data")


def test_a_bare_machine_is_well(tmp_path):
    server = Server(tmp_path / "none")
    checks = doctor(server)
    assert MACHINE <= set(checks)
    assert checks["data"]["state"] == checks["database"]["state"] == "warning"
    assert not server.data.exists()


def test_the_neural_engine_is_looked_at(tmp_path):
    server = Server(tmp_path / "none")
    checks = doctor(server)
    assert "a picture of 512 x 512 by FLUX.2-klein-4B would take about" in checks["kernels"]["found"]
    assert "PATINA_MODEL is not set" in checks["model"]["found"]
    model = tmp_path / "tiny.patina"
    subprocess.run([PATINA, "model", "pack", TINY, model], check=True,
                   stdout=subprocess.DEVNULL, timeout=60)
    found = doctor(server, model=str(model), isa="plain")["model"]["found"]
    assert f"{model}: flux2/bf16/plain; four pictures of 512 x 512 take about" in found
    fails(server, "model", "PATINA_MEMORY_MB is 64", model=str(model), memory_mb="64")
    fails(server, "model", "", engine="flux2")
    fails(server, "model", "there is no file /nowhere", model="/nowhere")
    if "amx_tile" not in pathlib.Path("/proc/cpuinfo").read_text():
        fails(server, "kernels", 'PATINA_ISA is "amx": this processor cannot run it', isa="amx")


def test_a_running_installation_is_well(fresh):
    server = fresh()
    add_account(server)
    assert server.run(server.upload(jpeg()))["status"] == "completed"
    checks = doctor(server, "--ledger")
    assert MACHINE | INSTALLATION | {"ledger"} <= set(checks)
    assert {checks[c]["state"] for c in INSTALLATION | {"ledger"}} == {"ok"}
    assert "a service runs on it" in checks["data"]["found"]
    assert "6 of them" in checks["pictures"]["found"]  # five results and the upload


def test_a_stopped_installation_is_well(used):
    checks = doctor(used)
    assert "no service runs on it" in checks["data"]["found"]
    assert "ledger" not in checks


def test_points_that_do_not_add_up_are_found(copy):
    with open_store(copy) as db:
        db.execute("UPDATE account SET granted = granted + 5, available = available + 5")
    doctor(copy)
    fails(copy, "ledger", "account 1 (default)", "--ledger")


def test_a_damaged_database_is_found(copy):
    path = copy.data / "patina.db"
    size = path.stat().st_size
    with open(path, "r+b") as f:  # every page but the first two, which opening needs
        f.seek(8192)
        f.write(os.urandom(size - 8192))
    fails(copy, "database", "")


def test_a_lost_picture_is_found(copy):
    lost = max((p for p in (copy.data / "blobs").rglob("*") if p.is_file()),
               key=lambda p: p.stat().st_size)
    lost.unlink()
    fails(copy, "pictures", "job/")


def test_a_changed_upload_is_found(copy):
    with open_store(copy) as db:
        (size,) = db.execute("SELECT bytes FROM upload").fetchone()
    (path,) = [p for p in (copy.data / "blobs").rglob("*")
               if p.is_file() and p.stat().st_size == size]
    data = bytearray(path.read_bytes())
    data[size // 2] ^= 1
    path.write_bytes(data)
    fails(copy, "pictures", "upload/")


def test_a_picture_of_another_length_is_found(copy):
    cut = max((p for p in (copy.data / "blobs").rglob("*") if p.is_file()),
              key=lambda p: p.stat().st_size)
    os.truncate(cut, 10)
    fails(copy, "pictures", "job/")


def test_a_folder_for_pictures_that_cannot_be_is_told(used):
    fails(used, "pictures", "/dev/null/x", blobs="dir:/dev/null/x")


def test_a_full_disk_is_told(used):
    fails(used, "space", "the reserve is", disk_reserve_mb=str(1 << 24))


def test_recipes_that_cannot_be_read_are_told(used):
    fails(used, "engine", "look", looks="/nowhere")


def test_a_missing_decoder_is_told(used, tmp_path):
    program = tmp_path / "patina"
    shutil.copy(PATINA, program)
    checks = doctor(used, status=1, program=program)
    assert checks["decoder"]["state"] == "fails" and "patina-decode" in checks["decoder"]["mend"]


def test_names_that_cannot_be_found_are_a_warning(used):
    checks = doctor(used, "--host", "nobody.invalid")
    assert checks["dns"]["state"] == "warning" and "nobody.invalid" in checks["dns"]["found"]


def test_a_folder_open_to_others_is_a_warning(copy):
    copy.data.chmod(0o755)
    checks = doctor(copy)
    assert checks["data"]["state"] == "warning" and "700" in checks["data"]["mend"]


def test_misspelt_settings_are_a_warning(used):
    checks = doctor(used, worker="3")
    assert checks["settings"]["state"] == "warning"
    assert "did you mean PATINA_WORKERS" in checks["settings"]["found"]


@pytest.mark.parametrize("settings", [
    {"fetch_allow": "10.0.0.0/99"}, {"fetch_ca": "/nowhere.pem"}, {"deny": "/nowhere.txt"}])
def test_settings_that_serve_refuses_are_told(used, settings):
    (value,) = settings.values()
    fails(used, "settings", value, **settings)


def test_a_disk_that_cannot_be_written_is_told(tmp_path, used):
    with mounted(tmp_path / "disk", "-o", "size=64m") as disk:
        shutil.copytree(used.data, disk, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        checks = doctor(Server(disk), status=1)
        assert checks["data"]["state"] == checks["database"]["state"] == "fails"
        for check in ("data", "database"):
            assert "Read-only" in checks[check]["found"]
            assert "user" not in checks[check]["found"] + checks[check]["mend"]


def test_an_older_schema_is_told(copy):
    with open_store(copy) as db:
        db.execute("PRAGMA user_version = 1")
    fails(copy, "database", "older version")


def test_lines_for_programs(used):
    done = subprocess.run([PATINA, "doctor", "--host", "localhost"], env=used.environment(),
                          capture_output=True, text=True, timeout=60)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert {row[0] for row in rows} >= MACHINE | INSTALLATION
    assert all(len(row) == 4 for row in rows)


def test_wrong_lines_are_told(used):
    done = subprocess.run([PATINA, "doctor", "--leger"], env=used.environment(),
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "did you mean --ledger" in done.stderr
    done = subprocess.run([PATINA, "doctor"], env=used.environment() | {"PATINA_WORKERS": "many"},
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "PATINA_WORKERS" in done.stderr
