# SPDX-License-Identifier: MIT
"""make test-image: a container engine (buildah) builds packaging/Containerfile, and what it built
is run as the image says, on a read-only root.

The image that it begins from is made here, from debootstrap: nothing is pulled. Steps run in
chroots, so that no right over cgroups or namespaces is needed. Needs root, the network for apt, 3 GB
of disk and some minutes; not part of `make test`."""

import json
import pathlib
import shutil
import subprocess

import pytest

from support import containerfile
from support.pictures import jpeg
from support.server import ROOT

STORE = containerfile.BARE.parent / "image"

pytestmark = pytest.mark.skipif(not containerfile.can_build() or not shutil.which("buildah"),
                                reason="needs root, debootstrap and buildah")


def buildah(*words):
    done = subprocess.run(["buildah", "--root", STORE / "root", "--runroot", STORE / "run",
                           "--storage-driver", "vfs", *map(str, words)],
                          capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip(), done.stderr


@pytest.fixture(scope="module")
def built():
    """What the engine said while it built."""
    base = containerfile.bare_debian()
    shutil.rmtree(STORE, ignore_errors=True)
    box, _ = buildah("from", "scratch")
    buildah("add", "--quiet", box, base, "/")
    buildah("commit", "--quiet", "--rm", box, containerfile.BASE)
    yield "".join(buildah("bud", "--format", "docker", "--isolation", "chroot", "--network", "host",
                          "--pull-never", "-f", "packaging/Containerfile", "-t", "patina", "."))
    shutil.rmtree(STORE)


@pytest.fixture(scope="module")
def config(built):
    return json.loads(buildah("inspect", "--type", "image", "patina")[0])["Docker"]["config"]


def test_the_image_says_what_the_file_says(built, config):
    assert "will be ignored" not in built
    assert config["User"] == containerfile.last("USER")
    assert config["Entrypoint"] + config["Cmd"] == containerfile.entry()
    assert config["Healthcheck"]["Test"] == ["CMD-SHELL", containerfile.health()]
    assert containerfile.last("VOLUME") in config["Volumes"]
    values = dict(pair.split("=", 1) for pair in config["Env"])
    assert containerfile.environment().items() <= values.items()


def test_it_makes_four_pictures(config):
    box, _ = buildah("from", "--pull-never", "patina")
    root = pathlib.Path(buildah("mount", box)[0])
    values = dict(pair.split("=", 1) for pair in config["Env"])
    uid = config["User"].partition(":")[0]
    with containerfile.server(root, values, uid, config["Entrypoint"] + config["Cmd"]) as server:
        task = server.run(server.upload(jpeg(640, 480)), "stained glass")
        assert task["status"] == "completed", task
        for url in (*task["output"]["image_urls"], task["output"]["image_url"]):
            assert server.get(url).content.startswith(b"\x89PNG")
        health = config["Healthcheck"]["Test"][1].replace(":8080/", f":{server.address[1]}/")
        assert subprocess.run(containerfile.inside(root, "sh", "-c", health)).returncode == 0
        with open(f"/proc/{server.process.pid}/status", encoding="utf-8") as status:
            text = status.read()
        assert f"Uid:\t{uid}\t{uid}\t{uid}" in text and "CapBnd:\t0000000000000000" in text
