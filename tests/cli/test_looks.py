# SPDX-License-Identifier: MIT
"""`patina looks`: lists, recipes, JSON and contact sheets, with looks of one's own among them."""

import io
import json
import os
import pty
import signal
import subprocess

import pytest
from PIL import Image

from support.pictures import jpeg
from support.server import PATINA, SAMPLE

pytestmark = pytest.mark.sanitized

TILE = (320, 240)  # of a photo of this ratio
OWN = """# A red thing.
name = red thing
also = crimson thing
family = mine

[underpaint]
ground = 0.5   # half
"""


def looks(*args, folder=None, status=0):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PATINA_")}
    if folder:
        environment["PATINA_LOOKS"] = str(folder)
    done = subprocess.run([PATINA, "looks", *map(str, args)], capture_output=True, text=True,
                          env=environment)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def described(*args, folder=None):
    return json.loads(looks("--json", *args, folder=folder))


@pytest.fixture
def folder(tmp_path):
    where = tmp_path / "looks"
    where.mkdir()
    (where / "red.look").write_text(OWN)
    return where


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg(400, 300))
    return path


def test_a_list_for_programs_has_a_line_a_look(folder):
    rows = [line.split("\t") for line in looks(folder=folder).splitlines()]
    assert all(len(row) == 3 for row in rows)
    names = [name for name, _, _ in rows]
    assert len(set(names)) == len(names) > 25
    assert rows[0][:2] == ["oil painting", "oil"]
    assert rows[-1] == ["red thing", "mine", "crimson thing"]
    families = [family for _, family, _ in rows]
    assert sum(a != b for a, b in zip(families, families[1:])) == len(set(families)) - 1


def explained(prompt, folder=None):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PATINA_")}
    if folder:
        environment["PATINA_LOOKS"] = str(folder)
    return json.loads(subprocess.run([PATINA, "explain", prompt], capture_output=True, text=True,
                                     env=environment, check=True).stdout)


def test_a_look_of_ones_own_is_a_medium_that_is_understood(folder):
    (folder / "zorb.look").write_text(
        "# A print.\nname = zorb print\nalso = flumboxed poster\n\n[underpaint]\n")
    without = explained("a zorb print of a gribble")
    assert without["medium"] is None and without["unknown"] == ["zorb", "gribble"]
    for prompt in "a zorb print of a gribble", "A Flumboxed Poster of a gribble":
        read = explained(prompt, folder)
        assert read["medium"] == "zorb print" and read["unknown"] == ["gribble"]
        assert [w["message"] for w in read["warnings"]] == ["not understood: 'gribble'"]
    assert explained("gold", folder)["medium"] is None


def test_a_list_on_a_terminal_has_columns():
    end, ours = pty.openpty()
    done = subprocess.run([PATINA, "looks"], stdout=ours)
    os.close(ours)
    lines = os.read(end, 1 << 16).decode().splitlines()
    os.close(end)
    assert done.returncode == 0
    assert lines[0].split() == ["family", "name", "also"]
    column = lines[0].index("name")
    assert lines[1][column:].startswith("oil painting ") and lines[2][:column].strip() == ""


def test_json_says_all_there_is_to_say(folder):
    found = {look["name"]: look for look in described(folder=folder)}
    assert found["oil painting"]["kind"] == "medium" and "oils" in found["oil painting"]["also"]
    assert found["gold"]["kind"] == "material" and found["gold"]["family"] == "metal"
    own = found["red thing"]
    assert own["file"] == str(folder / "red.look") and not own["builtin"]
    assert own["about"] == "A red thing." and own["also"] == ["crimson thing"]
    ground = own["steps"][0]["parameters"][0]
    assert (ground["name"], ground["value"]) == ("ground", .5)
    assert any(r["when"] == ["--s 1000"] and r["to"] for r in found["marble"]["responses"])
    for look in found.values():
        assert look["about"] and look["family"] and look["steps"]
        assert look["builtin"] == ("file" not in look)
        for step in look["steps"]:
            assert step["help"]
            for p in step["parameters"]:
                assert p["least"] <= p["value"] <= p["most"] and p["help"]


def test_a_printed_recipe_makes_the_same_look(tmp_path):
    ours = described()
    for look in ours:
        (tmp_path / f"{look['name']}.look").write_text(looks(look["name"]))
    again = described(folder=tmp_path)
    for before, after in zip(ours, again, strict=True):
        assert after.pop("file") and not after.pop("builtin")
        assert before.pop("builtin")
        assert before == after


@pytest.mark.parametrize("args, status, says", [
    (["oka"], 1, 'did you mean "oak"?'),
    (["zzzzzz"], 1, "patina looks lists them"),
    (["--prompt", "gold"], 2, "go with --sheet"),
    (["--look", "gold"], 2, "go with --sheet"),
    (["--columns=3"], 2, "go with --sheet"),
    (["--sheet", "out.png"], 2, "which photo?"),
    (["--sheet", "out.gif", "in.jpg"], 2, ".png, .webp or .jpg"),
    (["--sheet", "out.png", "in.jpg", "--columns=17"], 2, "1 to 16"),
    (["--sheet", "out.png", "nowhere.jpg"], 1, "nowhere.jpg"),
    (["--sheet", "out.png", "in.jpg", "--look", "gild"], 1, 'did you mean "gold"?'),
    (["--looks", "nowhere"], 1, "nowhere"),
])
def test_mistakes_are_named(tmp_path, monkeypatch, args, status, says):
    monkeypatch.chdir(tmp_path)
    assert says in looks(*args, status=status)
    assert not list(tmp_path.iterdir())


def test_a_mistake_in_a_recipe_is_told_with_its_place(folder):
    (folder / "bad.look").write_text("name = bad\n[strokes]\nradius = 65\n")
    assert "bad.look:3:10: radius must be 1 to 64" in looks(folder=folder, status=1)


def sheet(tmp_path, photo, *args, folder=None):
    out = tmp_path / "sheet.png"
    assert looks("--sheet", out, photo, *args, folder=folder) == ""
    return Image.open(io.BytesIO(out.read_bytes())).convert("RGB")


def test_a_sheet_shows_each_look_with_its_name(tmp_path, folder, photo):
    made = sheet(tmp_path, photo, "--look", "red thing", "--look", "marble", "--columns", 3,
                 folder=folder)
    assert 3 * TILE[0] < made.width < 3.3 * TILE[0] and TILE[1] < made.height < 1.4 * TILE[1]
    step = (made.width - TILE[0] - 48) // 2
    tiles = [made.crop((24 + i * step, 24, 24 + i * step + TILE[0], 24 + TILE[1]))
             for i in range(3)]
    assert len({tile.tobytes() for tile in tiles}) == 3
    strip = made.crop((0, 24 + TILE[1] + 4, made.width, made.height)).convert("L")
    for i in range(3):
        label = strip.crop((24 + i * step, 0, 24 + i * step + TILE[0], strip.height))
        dark = sum(v < 128 for v in label.getdata())
        assert 40 < dark < 1000, "a name in letters"
    assert min(strip.crop((0, strip.height - 8, strip.width, strip.height)).getdata()) > 200


def test_a_sheet_shows_what_prompts_make(tmp_path, folder, photo):
    made = sheet(tmp_path, photo, "--prompt", "oil painting", "--prompt", "oil painting, noir",
                 "--look", "oil painting", "--columns", 4, folder=folder)
    step = (made.width - TILE[0] - 48) // 3
    _, look, plain, noir = (made.crop((24 + i * step, 24, 24 + i * step + TILE[0], 24 + TILE[1]))
                            .tobytes() for i in range(4))
    assert look == plain != noir


def test_a_sheet_shows_another_shape_whole(tmp_path, photo):
    made = sheet(tmp_path, photo, "--prompt", "oil painting", "--prompt", "oil painting --ar 1:2",
                 "--columns", 3)
    middle, left = 24 + TILE[1] // 2, [24 + n * (TILE[0] + 16) for n in range(3)]
    assert made.getpixel((left[1] + 20, middle)) != made.getpixel((2, 2))
    assert made.getpixel((left[2] + 20, middle)) == made.getpixel((2, 2))
    assert made.getpixel((left[2] + TILE[0] // 2, middle)) != made.getpixel((2, 2))


def test_a_sheet_has_all_looks_unless_told(tmp_path, photo):
    made = sheet(tmp_path, photo)
    count = len(looks().splitlines()) + 1
    columns, rows = made.width // TILE[0], made.height // (TILE[1] + 30)
    assert columns * rows >= count > columns * (rows - 1)
    assert .6 < made.width / made.height < 1.7


def test_the_same_sheet_comes_again(tmp_path, photo):
    args = ("--look", "oil painting", "--columns", 1)
    assert sheet(tmp_path, photo, *args).tobytes() == sheet(tmp_path, photo, *args).tobytes()


def test_ctrl_c_leaves_nothing_behind(tmp_path):
    end, ours = pty.openpty()
    process = subprocess.Popen([PATINA, "looks", "--sheet", tmp_path / "out.png", SAMPLE],
                               stderr=ours)
    os.close(ours)
    seen = b""
    while b"%" not in seen:  # the bar is drawn: it has begun
        seen += os.read(end, 4096)
    process.send_signal(signal.SIGINT)
    while True:  # a terminal without a writer is an error, not an end
        try:
            seen += os.read(end, 4096)
        except OSError:
            break
    os.close(end)
    assert process.wait(60) == 1
    assert b"stopped; nothing was written" in seen
    assert not list(tmp_path.iterdir())
