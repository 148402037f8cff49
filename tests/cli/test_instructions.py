# SPDX-License-Identifier: MIT
"""Which instructions stand in which files of the neural engine: none may run where its path does not."""

import platform
import re
import shutil
import subprocess

import pytest

from support.server import BUILD

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64" or not shutil.which("objdump")
    or not (BUILD / "libnn_avx2.a").exists(), reason="no objects of x86-64 to look into")

PLAIN, AVX2, AVX512, AVX512BF16, AMX = range(5)
TILES = {"ldtilecfg", "tilerelease", "tilezero", "tileloadd", "tilestored", "tdpbf16ps"}

# What only a path from this one on may contain; a match on the instruction and its operands.
ONLY_FROM = [
    (AMX, re.compile(r"^(tile|tdp|ldtile|sttile)")),
    (AVX512BF16, re.compile(r"^v(dpbf16|cvtne2?ps2?bf16|cvtneps2bf16|pdpbus|pdpwss)")),
    (AVX512, re.compile(r"%zmm|%[xy]mm(1[6-9]|2\d|3[01])|%k[0-7]\b|\{%k")),
    (AVX2, re.compile(r"^v(?!er[rw]\b|mcall|mlaunch|mresume|mrun)")),
]

ARCHIVES = {"libnn_plain.a": PLAIN, "libnn_avx2.a": AVX2, "libnn_avx512.a": AVX512,
            "libnn_avx512bf16.a": AVX512BF16, "libnn_amx.a": AMX, "libbase.a": PLAIN,
            "libmodels.a": PLAIN, "libengine.a": PLAIN}
OBJECTS = {"linear_avx2": AVX2, "linear_avx512": AVX512, "linear_avx512bf16": AVX512BF16,
           "linear_amx": AMX}
# Loops that measure a path are beside each other.
FUNCTIONS = {"avx2_": AVX2, "avx512_": AVX512, "bf16_": AVX512BF16, "vnni_": AVX512BF16,
             "amx_": AMX, "fill_tiles": AMX}


def instructions(archive):
    """(object, function, instruction) of all code in it."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", BUILD / archive], check=True,
                          capture_output=True, text=True).stdout
    member = function = ""
    for line in text.splitlines():
        if found := re.match(r"^(\S+\.o):\s+file format", line):
            member = re.sub(r".*_", "", found[1].replace("_avx", "-avx").replace("_amx", "-amx"))
            member = member.removesuffix(".c.o").replace("-", "_")
        elif found := re.match(r"^[0-9a-f]+ <(.+)>:", line):
            function = found[1]
        elif found := re.match(r"^\s+[0-9a-f]+:\t(.+)", line):
            yield member, function, found[1]


def level_of(archive, member, function):
    if archive != "libnn.a":
        return ARCHIVES[archive]
    if member == "measure":
        return max((at for name, at in FUNCTIONS.items() if function.startswith(name)), default=PLAIN)
    return OBJECTS.get(member, PLAIN)


@pytest.mark.parametrize("archive", [*ARCHIVES, "libnn.a"])
def test_a_path_keeps_to_its_instructions(archive):
    if not (BUILD / archive).exists():
        pytest.skip("not in this build")
    stray, count = set(), 0
    for member, function, instruction in instructions(archive):
        count += 1
        for path, pattern in ONLY_FROM:
            if level_of(archive, member, function) < path and pattern.search(instruction):
                stray.add(f"{member}: {function}: {instruction}")
    assert count > 500
    assert not stray, "\n".join(sorted(stray)[:20])


@pytest.mark.skipif(not (BUILD / "libnn_amx.a").exists(), reason="the compiler knows no AMX")
def test_amx_is_made_of_tiles():
    """The instructions, not the model that tests run in their place."""
    linear = {i.split()[0] for m, _, i in instructions("libnn.a") if m == "linear_amx"}
    attention = {i.split()[0] for _, _, i in instructions("libnn_amx.a")}
    measure = {i.split()[0] for m, _, i in instructions("libnn.a") if m == "measure"}
    assert TILES - {"tilezero"} | {"tileloaddt1", "tdpbssd"} <= linear
    assert TILES <= attention
    assert {"ldtilecfg", "tdpbf16ps", "tdpbssd", "tilerelease"} <= measure
