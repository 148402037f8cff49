# SPDX-License-Identifier: MIT
"""`patina model check`: what is wrong with a model's folder, for people and programs."""

import json
import shutil
import subprocess

import pytest

from support.server import PATINA, ROOT

pytestmark = pytest.mark.sanitized

MODEL = ROOT / "tests/golden/flux2/model"
PARTS = ["index", "transformer", "text_encoder", "vae", "tokenizer", "together"]


def check(*args, status=0):
    done = subprocess.run([PATINA, "model", "check", *map(str, args)], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == status, done.stderr
    return done


def test_a_whole_model_is_right():
    lines = [line.split("\t") for line in check(MODEL).stdout.splitlines()]
    assert [line[0] for line in lines] == PARTS
    assert {line[1] for line in lines} == {"ok"}


def test_what_is_wrong_is_told_and_ends_in_failure(tmp_path):
    model = shutil.copytree(MODEL, tmp_path / "model")
    (model / "tokenizer/tokenizer.json").unlink()
    (model / "vae/config.json").write_text("{")
    parts = json.loads(check(model, "--json", status=1).stdout)["parts"]
    states = {part["part"]: part["state"] for part in parts}
    assert states == {"index": "ok", "transformer": "ok", "text_encoder": "ok", "vae": "fails",
                      "tokenizer": "missing"}
    assert "malformed JSON" in next(p["found"] for p in parts if p["part"] == "vae")


def test_a_folder_is_wanted():
    assert "a model's folder is missing" in check(status=2).stderr
