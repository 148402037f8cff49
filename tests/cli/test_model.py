# SPDX-License-Identifier: MIT
"""`patina model`: what is wrong with a model's folder or file, for people and programs, and the one
made of the other."""

import json
import shutil
import subprocess

import pytest

from support.engines import TINY as MODEL
from support.server import PATINA

pytestmark = pytest.mark.sanitized

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


def pack(*args, status=0):
    done = subprocess.run([PATINA, "model", "pack", *map(str, args)], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == status, done.stderr
    return done


@pytest.mark.parametrize("precision", ["bf16", "int8", "f32"])
def test_a_folder_is_packed_and_the_file_checked(tmp_path, precision):
    out = tmp_path / "tiny.patina"
    out.write_text("what was there before")
    said = pack(MODEL, out, "--precision", precision).stdout
    assert said.startswith(f"{out}: 0.0") and said.endswith(f", {precision}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.patina"]
    parts = json.loads(check(out, "--json").stdout)["parts"]
    assert [part["part"] for part in parts] == ["file", *PARTS, "checksums"]
    assert {part["state"] for part in parts} == {"ok"}
    assert precision in next(p["found"] for p in parts if p["part"] == "transformer")


def test_damage_is_found(tmp_path):
    out = tmp_path / "tiny.patina"
    pack(MODEL, out)
    damaged = bytearray(out.read_bytes())
    damaged[3 * len(damaged) // 4] ^= 1
    out.write_bytes(damaged)
    parts = json.loads(check(out, "--json", status=1).stdout)["parts"]
    assert parts[-1]["part"] == "checksums" and parts[-1]["state"] == "fails"
    assert "is damaged: its checksum differs" in parts[-1]["found"]
    out.write_bytes(damaged[:len(damaged) // 2])
    parts = json.loads(check(out, "--json", status=1).stdout)["parts"]
    assert len(parts) == 1 and "cut short" in parts[0]["found"]


def test_a_folder_that_is_not_right_is_not_packed(tmp_path):
    model = shutil.copytree(MODEL, tmp_path / "model")
    (model / "vae/config.json").write_text("{")
    done = pack(model, tmp_path / "out.patina", status=1)
    assert "vae\tfails\tmalformed JSON" in done.stdout
    assert "this folder cannot be packed" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert "No such file" in pack(MODEL, tmp_path / "none/out.patina", status=1).stderr
