# SPDX-License-Identifier: MIT
"""docs/looks.md: what it shows is there, and what it says works."""

import importlib.util
import json
import os
import re
import subprocess

import pytest

from support.pictures import jpeg
from support.server import PATINA, ROOT

pytestmark = pytest.mark.sanitized

PAGE = (ROOT / "docs/looks.md").read_text()
PICTURES_BYTES_MAX = 3_000_000  # a clone should stay small


def patina(*args, cwd=ROOT, **environment):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PATINA_")}
    return subprocess.run([PATINA, *args], capture_output=True, text=True, cwd=cwd,
                          env=clean | environment)


def block_after(words):
    """The indented lines that follow a sentence which ends in these words; marks for the test of all
    pages may stand between."""
    text = re.sub(r"^\s*<!--.*?-->", "", PAGE[PAGE.index(words) + len(words):]).lstrip("\n")
    lines = []
    for line in text.splitlines():
        if line and not line.startswith("    "):
            break
        lines.append(line[4:])
    return "\n".join(lines).rstrip() + "\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "my-looks").mkdir()
    (tmp_path / "my-looks/harbour.look").write_text(block_after("is whole:"))
    (tmp_path / "photo.jpg").write_bytes(jpeg(320, 240))
    return tmp_path


def test_the_example_is_a_look(folder):
    found = patina("looks", "--json", "harbour print", cwd=folder, PATINA_LOOKS="my-looks")
    look, = json.loads(found.stdout)
    assert look["about"].startswith("A screen print") and look["also"] == ["harbour poster"]
    prompts = {"a": "a harbour print", "b": "a Harbour Poster, bold", "c": "oil painting"}
    for name, prompt in prompts.items():
        done = patina("render", "photo.jpg", prompt, "-o", f"{name}.png", "--seed", "1",
                      "--pixels", "65536", cwd=folder, PATINA_LOOKS="my-looks")
        assert done.returncode == 0 and done.stderr == "", done.stderr
    assert len({(folder / f"{name}.png").read_bytes() for name in prompts}) == len(prompts)


def test_the_mistake_is_told_as_shown(folder):
    path = folder / "my-looks/harbour.look"
    path.write_text(path.read_text().replace("pitch = 9\n", "pitch = 2\n"))
    done = patina("looks", cwd=folder, PATINA_LOOKS="my-looks")
    assert done.returncode == 1
    assert done.stderr == block_after("and says where it is:")


def test_every_look_stands_there_with_a_prompt_that_asks_for_it():
    rows = dict(re.findall(r"^\| ([a-z ]+) \| ([^|]+) \| [^|]+ \|$", PAGE, re.M))
    for line in patina("looks").stdout.splitlines():
        name, _, also = line.split("\t")
        read = json.loads(patina("explain", rows[name]).stdout)
        said = {read["medium"], *read["materials"], *read["modifiers"]}
        assert said & {name, *also.split(", ")}, f"{rows[name]}: {said}"


def test_the_reading_is_as_shown():
    shown = re.search(r'\$ patina explain "(.*)"\n    (.*) \.\.\.', PAGE)
    assert patina("explain", shown[1]).stdout.startswith(shown[2])


def test_operators_are_those_of_the_program():
    assert PAGE.endswith(patina("looks", "--operators").stdout), \
        "the page's end is what patina looks --operators prints"


def test_pictures_are_those_of_the_gallery():
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "tools/gallery.py")
    gallery = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(gallery)
    made = {name for name, *_ in gallery.SHEETS}
    readme = (ROOT / "README.md").read_text()
    shown = set(re.findall(r"!\[[^]]+\]\(([^)]+)\)", PAGE))
    shown |= {name.removeprefix("docs/") for name in re.findall(r"!\[[^]]+\]\(([^)]+)\)", readme)}
    assert shown == made
    files = {str(p.relative_to(ROOT / "docs")) for p in (ROOT / "docs/looks").iterdir()}
    assert files == made - {"sample.jpg"}
    assert sum((ROOT / "docs" / name).stat().st_size for name in files) < PICTURES_BYTES_MAX
