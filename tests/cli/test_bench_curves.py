# SPDX-License-Identifier: MIT
"""`patina bench curves --model`: how the neural engine answers to a prompt's parameters, on the tests' tiny
model. docs/models.md has what a larger one of random weights showed."""

import json
import subprocess

import pytest

from support.engines import TINY
from support.server import PATINA, ROOT


def run(*args, status=0):
    done = subprocess.run([PATINA, "bench", "curves", *map(str, args)], capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    out = tmp_path_factory.mktemp("model") / "tiny.patina"
    subprocess.run([PATINA, "model", "pack", TINY, out], check=True, capture_output=True)
    return out


def test_each_parameter_moves_pictures_one_way(model):
    found = json.loads(run("--model", model, "--pixels", 4096, "--json",
                           ROOT / "samples/still-life.jpg").stdout)
    assert list(found) == ["--s", "--iw", "--sw", "--q", "--chaos"]
    for name, curve in found.items():
        assert len(curve["at"]) == 5
        assert curve["of"] == (1 if name == "--chaos" else 4)
        # Steps of a model that nobody trained lead nowhere in particular; fewer are further off.
        if name == "--q":
            assert curve["at"][0] > curve["at"][3] > curve["at"][4] == 0
        else:
            assert curve["verdict"] == "goes", (name, curve)


def test_a_table_has_a_row_a_parameter(model):
    printed = run("--model", model, "--pixels", 4096, "--only", "iw").stdout.splitlines()
    assert len(printed) == 1 and printed[0].startswith("--iw ")
    assert "4 of  4 alone" in printed[0] and printed[0].endswith("at --iw .25, .5, 1, 2, 3")


def test_what_cannot_be_measured_is_told(model):
    assert "does not have that parameter" in \
        run("--model", model, "--only", "weight", status=1).stderr
    assert "one photo" in run("a.jpg", "b.jpg", status=1).stderr
    assert "there is no file" in run("--model", "/nonexistent.patina", status=1).stderr
