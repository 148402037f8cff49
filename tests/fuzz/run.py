#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make fuzz: builds every tests/fuzz/fuzz_NAME.c with libFuzzer and the sanitizers and runs each for
a while, from what earlier runs found (build-fuzz/corpus), a few small pictures and tests/fuzz/seeds/
NAME. A crash is left as build-fuzz/NAME-crash-... and becomes an ordinary test with its fix."""

import argparse
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build-fuzz"
INPUT_BYTES_MAX = 8192  # small inputs are tried often; sizes are tested elsewhere

sys.path.insert(0, str(ROOT / "tests"))
from support import pictures  # noqa: E402


def build(targets):
    if not (BUILD / "build.ninja").exists():
        subprocess.run(["meson", "setup", BUILD, "-Db_sanitize=address,undefined",
                        "-Db_lundef=false", "-Dc_args=-fsanitize=fuzzer-no-link"],
                       cwd=ROOT, check=True, env={**os.environ, "CC": "clang"},
                       stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", BUILD, "--quiet", *targets], check=True)


def seed(corpus):
    corpus.mkdir(parents=True, exist_ok=True)
    for name, data in (("jpeg", pictures.jpeg(24, 16)), ("png", pictures.png(24, 16)),
                       ("alpha", pictures.png(24, 16, "RGBA")), ("webp", pictures.webp(24, 16)),
                       ("palette", pictures.png(24, 16, "P"))):
        (corpus / name).write_bytes(data)
    for path in (ROOT / "tests/fuzz/seeds" / corpus.name.removeprefix("fuzz_")).glob("*"):
        (corpus / path.name).write_bytes(path.read_bytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="for each target")
    seconds = parser.parse_args().seconds
    targets = sorted(p.stem for p in (ROOT / "tests/fuzz").glob("fuzz_*.c"))
    build(targets)
    failed = []
    for target in targets:
        corpus = BUILD / "corpus" / target
        seed(corpus)
        done = subprocess.run([BUILD / target, f"-max_total_time={seconds}", "-timeout=10",
                               f"-max_len={INPUT_BYTES_MAX}", "-print_final_stats=1",
                               f"-artifact_prefix={BUILD}/{target}-", corpus],
                              capture_output=True, text=True, errors="replace")
        runs = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line]
        print(f"{target}: {'ok' if done.returncode == 0 else 'FAILED'} {' '.join(runs)}", flush=True)
        if done.returncode:
            failed.append(target)
            print(done.stderr[-4000:])
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
