# SPDX-License-Identifier: MIT
"""make test-deb: the Containerfile's steps on a bare Debian 12 (debootstrap), which build the
packages in one root and install them in another, and then what they have to do there.

Needs root, the network for apt, 2 GB of disk and some minutes; not part of `make test`. The bare
Debian is kept in build-chroot/."""

import re
import shutil
import subprocess

import pytest

from support import containerfile
from support.pictures import jpeg
from support.server import ROOT, SAMPLE

BASE = containerfile.BARE
# Of who builds, and therefore not ours.
TAGS_OF_THE_BUILDER = "bogus-mail-host,bogus-mail-host-in-debian-changelog"
UID = 900

pytestmark = pytest.mark.skipif(not containerfile.can_build(),
                                reason="needs root and debootstrap")


@pytest.fixture(scope="module")
def roots():
    folder = containerfile.bare_debian().parent / "stages"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return containerfile.build(BASE, folder)


@pytest.fixture(scope="module")
def root(roots):
    return roots["final"]


def run(root, *command, status=0, **variables):
    done = subprocess.run(containerfile.inside(root, *command), capture_output=True, text=True,
                          timeout=300, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **variables})
    assert done.returncode == status, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def test_lintian_finds_nothing(roots):
    packages = sorted((roots["build"] / "src/build-deb").glob("*.deb"))
    assert [p.name.split("_")[0] for p in packages] == ["libpatina-dev", "libpatina0", "patina"]
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning",
                           "--suppress-tags", TAGS_OF_THE_BUILDER, *packages],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_program_and_its_user_are_there(root):
    assert run(root, "patina", "--version").startswith("patina 0.")
    assert run(root, "id", "-u", "patina").strip() == str(UID)
    data = (root / "var/lib/patina").stat()
    assert (data.st_uid, data.st_mode & 0o7777) == (UID, 0o700)
    assert (root / "lib/systemd/system/patina.service").is_file()
    assert (root / "etc/patina/patina.env").is_file()
    assert run(root, "dpkg", "--verify", "patina") == ""
    assert "ok" in run(root, "setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups",
                       "patina", "doctor", "--host", "localhost", PATINA_DATA="/var/lib/patina")


def test_it_renders(root):
    shutil.copy(SAMPLE, root / "tmp/in.jpg")
    run(root, "patina", "render", "/tmp/in.jpg", "carved from marble", "-o", "/tmp/out.png")
    assert (root / "tmp/out.png").stat().st_size > 100_000


@pytest.fixture
def service(root):
    """As the image would run it: its variables and user, a read-only root, no new privileges."""
    with containerfile.server(root, containerfile.environment(), UID,
                              containerfile.entry()) as server:
        yield server


def test_it_serves_from_a_read_only_root(root, service):
    task = service.run(service.upload(jpeg(640, 480)), "stained glass")
    assert task["status"] == "completed", task
    assert service.get(task["output"]["image_url"]).content.startswith(b"\x89PNG")
    port = service.address[1]
    run(root, "sh", "-c", containerfile.health().replace(":8080/", f":{port}/"))
    run(root, "sh", "-c", containerfile.health().replace(":8080/", ":1/"), status=7)
    with open(f"/proc/{service.process.pid}/status", encoding="utf-8") as status:
        text = status.read()
    assert f"Uid:\t{UID}\t{UID}\t{UID}" in text and "CapBnd:\t0000000000000000" in text


TRY_UNIT = """[Unit]
After=patina.service
[Service]
Type=oneshot
ExecStart=/srv/try_unit.sh
StandardOutput=append:/srv/said
ExecStopPost=/bin/systemctl --no-block poweroff
[Install]
WantedBy=multi-user.target
"""


@pytest.mark.skipif(not shutil.which("systemd-nspawn"), reason="systemd-container is not installed")
def test_the_unit_runs_under_systemd(roots):
    """A bare Debian with systemd and the package, booted: the package has enabled the unit."""
    root = BASE.parent / "stages/booted"
    subprocess.run(["cp", "-a", "--reflink=auto", BASE, root], check=True)
    for path in (next((roots["build"] / "src/build-deb").glob("patina_*.deb")),
                 ROOT / "tests/deb/try_unit.sh"):
        shutil.copy(path, root / "srv")
    shutil.copy(SAMPLE, root / "srv/in.jpg")
    run(root, "sh", "-c", "apt-get update -qq && apt-get install -y -qq --no-install-recommends "
        "systemd dbus curl /srv/patina_*.deb", DEBIAN_FRONTEND="noninteractive")
    (root / "etc/systemd/system/try.service").write_text(TRY_UNIT)
    wanted = root / "etc/systemd/system/multi-user.target.wants"
    assert (wanted / "patina.service").is_symlink()
    assert (root / "lib/systemd/system/patina-worker.service").is_file()
    assert not (wanted / "patina-worker.service").exists()
    (wanted / "try.service").symlink_to("../try.service")
    booted = subprocess.run(["systemd-nspawn", "-q", "-D", root, "--boot", "--register=no",
                             "--keep-unit", "--private-network"], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=180)
    assert (root / "srv/said").exists(), booted.stdout + booted.stderr
    said = (root / "srv/said").read_text()
    found = dict(re.findall(r"^(\w+)=(.*)$", said, re.M))
    assert found == {"Status": "completed", "CapEff": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2",
                     "Result": "success", "ExecMainStatus": "0", "User": "patina"}, said


def test_removing_it_keeps_what_is_not_its_own(root):
    run(root, "dpkg", "--purge", "patina")
    assert not (root / "usr/bin/patina").exists() and not (root / "etc/patina").exists()
    assert (root / "var/lib/patina").is_dir()
