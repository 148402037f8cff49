# SPDX-License-Identifier: MIT
"""Reads packaging/Containerfile, and carries its steps out in plain folders with chroot: no
container engine is needed to see that they work on a bare Debian."""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

from support.server import ROOT, Server

PATH = ROOT / "packaging/Containerfile"
INSTRUCTIONS = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "VOLUME", "EXPOSE", "USER", "HEALTHCHECK",
                "ENTRYPOINT", "CMD"}
BASE = "docker.io/library/debian:12-slim"
BARE = ROOT / "build-chroot/base"


def instructions():
    """(WORD, rest) of each instruction, in order."""
    text = re.sub(r"^#.*\n", "", PATH.read_text(), flags=re.M).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in
            (line.strip().partition(" ") for line in text.splitlines() if line.strip())]


def stages():
    """[(name, [(WORD, rest), ...]), ...]"""
    found = []
    for word, rest in instructions():
        if word == "FROM":
            image, *name = rest.split()
            assert image == BASE, image
            found.append((name[1] if name else "final", []))
        else:
            found[-1][1].append((word, rest))
    return found


def last(word):
    """What the final image says under this word, or None."""
    return next((rest for w, rest in reversed(stages()[-1][1]) if w == word), None)


def environment():
    """ENV of the final image."""
    return dict(pair.split("=", 1) for w, rest in stages()[-1][1] if w == "ENV"
                for pair in shlex.split(rest))


def entry():
    return json.loads(last("ENTRYPOINT")) + json.loads(last("CMD"))


def health():
    """The command of HEALTHCHECK."""
    return last("HEALTHCHECK").partition("CMD ")[2]


def inside(root, *command):
    """A command line that runs `command` in a root folder with /proc, in mounts of its own."""
    return ["unshare", "--mount", "sh", "-c",
            'mount -t proc proc "$1/proc" && exec chroot "$@"', "sh", str(root), *map(str, command)]


def context():
    """What a build is sent: the tree without what .dockerignore and git leave out."""
    done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT,
                          capture_output=True, text=True)
    if done.returncode:  # an unpacked archive
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")]
        return [n for n in names if (ROOT / n).is_file() and not n.startswith(("build", ".git/"))]
    return [name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def copy(roots, root, folder, rest):
    """COPY [--from=STAGE] FROM... TO"""
    *sources, target = shlex.split(rest)
    place = pathlib.Path(f"{root}/{target}" if target.startswith("/") else f"{root}{folder}/{target}")
    place.mkdir(parents=True, exist_ok=True)
    if sources[0].startswith("--from="):
        stage = roots[sources.pop(0).removeprefix("--from=")]
        for source in sources:
            found = list(stage.glob(source.lstrip("/")))
            assert found, source
            for path in found:
                shutil.copy2(path, place)
    elif sources == ["."]:
        for name in context():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    else:
        for source in sources:
            shutil.copy2(ROOT / source, place)


def build(base, folder):
    """Carries the steps out, each stage in a copy of `base`; the stages' roots by name."""
    roots = {}
    for name, steps in stages():
        root = roots[name] = folder / name
        subprocess.run(["cp", "-a", "--reflink=auto", base, root], check=True)
        here, variables = "/", {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                "DEBIAN_FRONTEND": "noninteractive"}
        for word, rest in steps:
            if word == "WORKDIR":
                here = rest
                (root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
            elif word == "COPY":
                copy(roots, root, here, rest)
            elif word == "RUN":
                print(f"{name}: {rest[:90]}", flush=True)
                subprocess.run(inside(root, "/bin/sh", "-c", f"cd {here} && {rest}"), check=True,
                               env={**variables, "TMPDIR": "/tmp"}, stdin=subprocess.DEVNULL)
    return roots


def bare_debian():
    """The folder of a bare Debian 12, made where it is missing; kept for the next time."""
    if not (BARE / "etc/debian_version").exists():
        shutil.rmtree(BARE, ignore_errors=True)
        subprocess.run(["debootstrap", "--variant=minbase", "bookworm", BARE,
                        "http://deb.debian.org/debian"], check=True)
    return BARE


def server(root, environment, uid, entry):
    """The service of an image's root folder, as an engine would run it: the image's variables, user
    and command, a read-only root, no capabilities and no new privileges."""
    made = Server(root / "var/lib/patina")
    made.settings = {**environment, **made.settings, "PATINA_DATA": environment["PATINA_DATA"]}
    made.log_path = BARE.parent / "serve.log"
    script = ('mount -o bind "$1" "$1" && mount -t proc proc "$1/proc" && '
              'mount -o bind "$1/var/lib/patina" "$1/var/lib/patina" && '
              'mount -t tmpfs tmpfs "$1/tmp" && mount -o remount,ro,bind "$1" && exec chroot "$@"')
    made.command = ["unshare", "--mount", "sh", "-c", script, "sh", str(root),
                    "setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
                    f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *entry]
    return made


def can_build():
    return os.geteuid() == 0 and shutil.which("debootstrap")
