# SPDX-License-Identifier: MIT
"""`patina bench nn`: what it prints, on the tests' tiny model. How fast anything is is not asserted."""

import json
import pathlib
import subprocess

import pytest

from support.engines import TINY as MODEL
from support.server import PATINA


def run(*args, status=0):
    done = subprocess.run([PATINA, *map(str, args)], capture_output=True, text=True, timeout=300)
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    out = tmp_path_factory.mktemp("model") / "tiny.patina"
    run("model", "pack", MODEL, out)
    return out


def test_json_has_each_stage_and_operator(model):
    isa = run("bench", "nn", "--model", model, "--repeats", 1, "--json").stdout
    found = json.loads(isa)
    for key in ("peak_tflops", "step_s", "step_four_s", "text_s", "vae_in_s", "vae_out_s",
                "picture_s", "four_s", "rss_mb"):
        assert found[key] > 0, key
    parts = found["text_s"] + found["vae_in_s"] + 4 * found["step_s"] + found["vae_out_s"]
    assert parts <= found["picture_s"] + 0.01
    assert [op["name"] for op in found["ops"]] == [
        "linear_in", "linear_out", "linear_text", "attention", "attention_vae", "conv_inner",
        "conv_outer"]
    assert all(op["tflops"] > 0 and op["share"] > 0 for op in found["ops"])
    assert found["scaled"] is False
    for other in found["others"]:
        assert other["isa"] != found["isa"] and other["step_s"] > 0 and "text_s" not in other


def test_what_cannot_be_measured_is_told(model, tmp_path):
    assert "there is no file" in run("bench", "nn", "--model", tmp_path / "none", status=1).stderr
    assert "isa" in run("bench", "nn", "--isa", "mmx", status=2).stderr
    if "amx_tile" not in pathlib.Path("/proc/cpuinfo").read_text():
        bad = run("bench", "nn", "--model", model, "--isa", "amx", status=1).stderr
        assert "amx: this processor cannot run it" in bad
