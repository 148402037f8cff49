# SPDX-License-Identifier: MIT
"""The pages: links lead somewhere, what is named exists, and commands that are shown work."""

import os
import re
import subprocess

import pytest

from support import pages
from support.pictures import jpeg
from support.server import BUILD, KEY, PATINA, ROOT, SAMPLE, Server

PAGES = {str(p.relative_to(ROOT)): p for p in pages.pages()}
RUN = {name: [b for b in pages.blocks(p) if b.is_commands() and not b.reason]
       for name, p in PAGES.items()}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    page = PAGES[name]
    for link in pages.links(page):
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name}: {link}"
        if anchor and target.suffix == ".md":
            assert anchor in pages.anchors(target), f"{name}: {link}"


@pytest.mark.parametrize("name", PAGES)
def test_files_commands_and_targets_that_are_named_exist(name):
    text = re.sub(r"\s+", " ", pages.prose(PAGES[name]))
    commands = set(re.findall(r"^  ([a-z-]+) ", subprocess.run(
        [PATINA, "help"], capture_output=True, text=True, check=True).stdout, re.M))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for quoted in re.findall(r"`([^`]+)`", text):
        if re.fullmatch(r"(src|docs|tools|tests|examples|packaging|bench|looks|samples)/[\w./-]+",
                        quoted) and not re.search("NAME|NNNN", quoted):
            there = [ROOT / quoted, ROOT / "src" / quoted]
            assert any(p.exists() for p in there), f"{name}: `{quoted}`"
        if found := re.match(r"(?:build/)?patina ([a-z][a-z-]*)", quoted):
            assert found[1] in commands, f"{name}: `{quoted}`"
        if found := re.match(r"make ([a-z-]+)", quoted):
            assert found[1] in targets, f"{name}: `{quoted}`"


def test_marks_stand_above_commands_and_say_why():
    for name, page in PAGES.items():
        for number, line in enumerate(page.read_text().splitlines(), 1):
            if "<!-- not run" in line:
                assert pages.MARK.fullmatch(line.strip()), f"{name}:{number}"
        marks = len(re.findall(r"^\s*<!-- not run: ", page.read_text(), re.M))
        marked = [b for b in pages.blocks(page) if b.reason]
        assert len(marked) == marks, f"{name}: a mark above no block"
    assert sum(map(len, RUN.values())) >= 8


@pytest.fixture
def desk(tmp_path, origin, certificates):
    """A folder like a checkout after `make run`, and a machine like one with the package: a server
    with the usual data folder, its picture at hand, the shown addresses answered."""
    folder = tmp_path
    server = Server(folder / "patina-data", fetch_allow="127.0.0.0/8", fetch_ca=certificates[0],
                    workers=1)
    for name in ("docs", "examples", "looks", "samples", "tools", "packaging"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "build").symlink_to(BUILD)
    (folder / "photo.jpg").write_bytes(jpeg(320, 240))
    tools = folder / "bin"
    tools.mkdir()
    (tools / "patina").symlink_to(PATINA)
    (tools / "python3").symlink_to("/usr/bin/python3")
    # Here everybody is patina.
    (tools / "sudo").write_text('#!/bin/sh\n[ "$1" != -u ] || shift 2\nexec "$@"\n')
    (tools / "chown").write_text("#!/bin/sh\n")
    # An answer that is an error is a command that does not work.
    (tools / "curl").write_text('#!/bin/sh\nexec /usr/bin/curl --fail "$@"\n')
    for tool in ("sudo", "chown", "curl"):
        (tools / tool).chmod(0o755)
    origin.routes["/photo.jpg"] = SAMPLE.read_bytes()
    with server:
        (server.data / "api-key").write_text(KEY + "\n")
        server.folder, server.origin = folder, origin
        yield server


def placed(script, server):
    """The script with this test's places for those that are shown."""
    admin = (server.data / "admin-listen").read_text().strip()
    for shown, here in (("http://127.0.0.1:8080", server.base),
                        ("http://127.0.0.1:9090", f"http://{admin}"),
                        ("https://example.com/photo.jpg", server.origin.url("/photo.jpg")),
                        ("https://example.com/webhook", server.origin.url("/webhook")),
                        ("/var/lib/patina", str(server.data)),
                        ("/backup", f"{server.folder}/backup"),
                        ("/srv/restored", f"{server.folder}/restored")):
        script = script.replace(shown, here)
    return script


@pytest.mark.parametrize("name", [n for n in RUN if RUN[n]])
def test_commands_that_are_shown_work(name, desk):
    """All of a page in one shell, in order: later ones build on earlier ones."""
    script = "".join(f"echo '-- {name}:{b.line}' >&2\n{b.script()}\n" for b in RUN[name])
    done = subprocess.run(
        ["sh", "-e", "-c", placed(script, desk)], cwd=desk.folder, capture_output=True, text=True,
        timeout=240, stdin=subprocess.DEVNULL,
        env={"PATH": f"{desk.folder}/bin:{os.environ['PATH']}", "HOME": str(desk.folder),
             "PATINA_URL": desk.base, "PATINA_PIXELS": "65536",
             **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}})
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_restored_backup_serves(desk):
    """What docs/operations.md shows, on a server that works meanwhile; then a start on the copy."""
    page = PAGES["docs/operations.md"]
    lines = page.read_text().splitlines()

    def under(title):
        begin = lines.index(f"## {title}") + 1
        end = next(n for n in range(begin, len(lines)) if lines[n].startswith("## "))
        return "\n".join(b.script() for b in pages.blocks(page) if begin < b.line <= end)

    ended = desk.run(desk.upload(jpeg(320, 240)), "gold")
    busy = [desk.submit(desk.upload(jpeg(640, 480)), "oil painting")["job_id"] for _ in range(4)]
    for title in ("Backup", "Restore"):
        done = subprocess.run(["sh", "-e", "-c", placed(under(title), desk)], cwd=desk.folder,
                              capture_output=True, text=True, timeout=120,
                              env={"PATH": f"{desk.folder}/bin:{os.environ['PATH']}"})
        assert done.returncode == 0, f"{title}: {done.stderr}"
    found = dict(line.split("\t")[:2] for line in done.stdout.splitlines() if "\t" in line)
    assert found["ledger"] == found["data"] == "ok" and "fails" not in found.values()

    def mode(path):
        return (desk.folder / path).stat().st_mode & 0o777
    assert mode("backup/patina/patina.db") == 0o600
    assert mode("backup/patina") == mode("restored") == 0o700

    with Server(desk.folder / "restored", fetch_allow="127.0.0.0/8") as copy:
        old = copy.job(ended["job_id"])
        assert old["status"] == "completed"
        for url in (old["output"]["image_url"], *old["output"]["image_urls"]):
            path = re.sub(r"^https?://[^/]+", "", url)
            assert copy.get(path).content == desk.get(path).content
        # What was under way is done, once, and paid for once.
        for job in busy:
            assert copy.finished(job)["status"] == "completed"
    ledger = subprocess.run([PATINA, "doctor", "--ledger", "--host", "localhost"],
                            env=copy.environment(), capture_output=True, text=True, timeout=60)
    assert ledger.returncode == 0, ledger.stdout
