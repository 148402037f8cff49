# SPDX-License-Identifier: MIT
"""The script that makes random models: the build made the one that the goldens were recorded from."""

import subprocess
import sys

import pytest

from support.engines import TINY
from support.server import ROOT

GOLDEN = ROOT / "tests/golden/flux2"


def make(out, *more, status=0):
    done = subprocess.run([sys.executable, ROOT / "tools/golden/make_model.py", *more[:1], out,
                           "--tokenizer", GOLDEN / "tokenizer", *more[1:]],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stderr
    return done.stderr


def test_the_build_made_the_recorded_one():
    done = subprocess.run(["sha256sum", "--check", "--strict", "--quiet", GOLDEN / "model.sha256"],
                          cwd=TINY, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_another_one_is_told(tmp_path):
    lines = (GOLDEN / "model.sha256").read_text().splitlines(keepends=True)
    (other,) = [i for i, line in enumerate(lines) if line.endswith("transformer/config.json\n")]
    lines[other] = "0" * 64 + lines[other][64:]
    (tmp_path / "sums").write_text("".join(lines))
    said = make(tmp_path / "model", "tiny", "--expect", tmp_path / "sums", status=1)
    assert "not the model that the goldens were recorded from" in said
    assert "transformer/config.json" in said and "vae" not in said


def test_published_shapes_are_written_in_their_layout(tmp_path):
    make(tmp_path, "klein-4b", "--part", "vae")
    written = tmp_path / "vae/diffusion_pytorch_model.safetensors"
    assert written.stat().st_size == pytest.approx(168e6, rel=0.01)  # bytes, as published
    assert not list((tmp_path / "transformer").glob("*.safetensors"))
