# SPDX-License-Identifier: MIT
"""The script that makes random models still makes the one that the goldens were recorded from."""

import subprocess
import sys

import pytest

from support.server import ROOT

MODEL = ROOT / "tests/golden/flux2/model"

pytest.importorskip("numpy")


def make(out, *more):
    done = subprocess.run([sys.executable, ROOT / "tools/golden/make_model.py", *more[:1], out,
                           "--tokenizer", MODEL / "tokenizer", *more[1:]],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_tiny_model_is_the_recorded_one(tmp_path):
    make(tmp_path, "tiny")
    wanted = {p.relative_to(MODEL): p for p in MODEL.rglob("*") if p.is_file()}
    assert {p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file()} == set(wanted)
    different = [str(name) for name, path in wanted.items()
                 if (tmp_path / name).read_bytes() != path.read_bytes()]
    assert not different


def test_published_shapes_are_written_in_their_layout(tmp_path):
    make(tmp_path, "klein-4b", "--part", "vae")
    written = tmp_path / "vae/diffusion_pytorch_model.safetensors"
    assert written.stat().st_size == pytest.approx(168e6, rel=0.01)  # bytes, as published
    assert not list((tmp_path / "transformer").glob("*.safetensors"))
