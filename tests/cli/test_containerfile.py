# SPDX-License-Identifier: MIT
"""packaging/Containerfile, as far as it can be judged without building it: `make test-deb` carries
its steps out."""

import json
import re
import subprocess

from support import containerfile
from support.server import PATINA, ROOT


def test_every_instruction_is_one():
    assert {word for word, _ in containerfile.instructions()} <= containerfile.INSTRUCTIONS
    names = [name for name, _ in containerfile.stages()]
    assert names == ["build", "final"]
    for word in ("ENTRYPOINT", "CMD"):
        assert all(isinstance(part, str) for part in json.loads(containerfile.last(word)))
    for _, steps in containerfile.stages():
        for word, rest in steps:
            if word == "RUN":
                subprocess.run(["sh", "-n", "-c", rest], check=True)


def test_what_it_copies_is_there_and_sent():
    sent = containerfile.context()
    for _, steps in containerfile.stages():
        for rest in (r for w, r in steps if w == "COPY" and not r.startswith("--from")):
            for name in rest.split()[:-1]:
                assert name == "." or name in sent, name
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", "build*", "patina-data"} <= set(ignored)


def test_its_packages_are_ones_the_project_knows():
    rows = [line.split() for line in (ROOT / "tools/packages.txt").read_text().splitlines()
            if line and not line.startswith("#")]
    purposes, known = {row[0] for row in rows}, {name for row in rows for name in row[1:]}
    steps = [rest for word, rest in containerfile.instructions() if word == "RUN"]
    asked = re.search(r"apt-get install (.*?)&&", " ".join(steps))[1].split()
    assert {p for p in asked if not p.startswith(("-", "/"))} <= known
    wanted = next(step for step in steps if step.startswith("tools/deps "))
    assert set(wanted.split()[1:]) <= purposes


def test_it_runs_as_nobody_in_particular_and_tells_its_health():
    user, group = containerfile.last("USER").split(":")
    assert user.isdigit() and int(user) > 0 and group.isdigit()
    assert "/healthz" in containerfile.health()
    known = set(re.findall(r"\[(PATINA_\w+)\]", subprocess.run(
        [PATINA, "serve", "--help"], capture_output=True, text=True, check=True).stdout))
    values = containerfile.environment()
    assert set(values) <= known
    assert containerfile.last("VOLUME") == values["PATINA_DATA"]
    ports = {values[name].rsplit(":", 1)[1] for name in ("PATINA_LISTEN", "PATINA_ADMIN_LISTEN")}
    assert set(containerfile.last("EXPOSE").split()) == ports
