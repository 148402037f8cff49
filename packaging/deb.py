#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make deb: Debian 12 packages in build-deb/: patina, libpatina0 and libpatina-dev.

What `make install` brings, divided among three packages, with the dependencies that the programs'
own libraries give (dpkg-shlibdeps). DEBFULLNAME and DEBEMAIL say who made them.
"""

import email.utils
import fnmatch
import gzip
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build-deb"
SCRIPTS = ROOT / "packaging/debian"
LIBRARY = "usr/lib/*/libpatina.so.*"
DEVELOPMENT = ("usr/include/*", "usr/lib/*/libpatina.so", "usr/lib/*/pkgconfig/*")

PACKAGES = {
    "libpatina-dev": {
        "files": DEVELOPMENT,
        "section": "libdevel",
        "depends": "libpatina0 (= {version})",
        "text": """repaint pictures by a prompt (development files)
 Header, link and pkg-config file for programs that use libpatina.""",
    },
    "libpatina0": {
        "files": (LIBRARY,),
        "section": "libs",
        "depends": "{shlibs}",
        "text": """repaint pictures by a prompt (library)
 The engines of Patina as a C library: a picture and a prompt in, up to four
 pictures out, without the service.""",
    },
    "patina": {  # the last: takes what is left
        "files": ("*",),
        "section": "graphics",
        "depends": "{shlibs}, adduser, ca-certificates",
        "suggests": "nginx, prometheus",
        "text": """repaint photographs by a prompt, as a service and a command
 Patina keeps what is in a photograph and changes what it is made of: oil
 paint, bronze, marble, stained glass and more. One program is the HTTP API,
 a durable queue, the workers and the painter. It needs no graphics card and
 sends no picture anywhere.""",
    },
}


def run(*command, **more):
    command = [*map(str, command)]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, **more)
    if done.returncode:
        sys.exit(f"{' '.join(command)}:\n{done.stdout}")
    return done.stdout.strip()


def install(tree):
    """Builds with Debian's hardening flags and installs into `tree`."""
    os.environ.setdefault("DEB_BUILD_MAINT_OPTIONS", "hardening=+all")
    # Optimisation stays meson's; nobody asks for debug packages.
    os.environ.setdefault("DEB_CFLAGS_MAINT_STRIP", "-O2 -g")
    flags = dict(line.split("=", 1) for line in
                 run("dpkg-buildflags", "--export=cmdline").replace('" ', "\n").replace(
                     '"', "").splitlines() if "=" in line)
    environment = {**os.environ, **{k: flags[k] for k in ("CFLAGS", "CPPFLAGS", "LDFLAGS")}}
    if not (BUILD / "build.ninja").exists():
        run("meson", "setup", BUILD, "--prefix", "/usr", "--sysconfdir", "/etc",
            "-Dsystemd_unit_dir=/lib/systemd/system", cwd=ROOT, env=environment)
    run("ninja", "-C", BUILD, "--quiet", "programs")
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--strip", "--destdir", tree)
    (tree / "etc/patina").mkdir(parents=True)
    shutil.copy(ROOT / "packaging/patina.env", tree / "etc/patina/patina.env")
    docs = tree / "usr/share/doc/patina"
    (docs / "LICENSE").unlink()
    for page in (tree / "usr/share/man/man1").glob("*.1"):
        compress(page.with_name(page.name + ".gz"), page.read_bytes())
        page.unlink()


def compress(path, data):
    with open(path, "wb") as out, gzip.GzipFile("", "wb", 9, out, mtime=0) as zipped:
        zipped.write(data)


def divide(tree, folders):
    """Moves every file to the package that its path belongs to."""
    for path in sorted(p for p in tree.rglob("*") if not p.is_dir() or p.is_symlink()):
        name = str(path.relative_to(tree))
        package = next(p for p, of in PACKAGES.items()
                       if any(fnmatch.fnmatch(name, f) for f in of["files"]))
        target = folders[package] / name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)


def is_elf(path):
    return path.is_file() and not path.is_symlink() and path.open("rb").read(4) == b"\x7fELF"


def shlibs(folder, scratch):
    """The packages that a folder's programs need, with versions."""
    programs = [p for p in folder.rglob("*") if is_elf(p)]
    if not programs:
        return ""
    (scratch / "debian").mkdir(parents=True, exist_ok=True)
    (scratch / "debian/control").write_text("Source: patina\n\nPackage: patina\nArchitecture: any\n")
    said = run("dpkg-shlibdeps", "-O", *programs, cwd=scratch)
    return re.search(r"shlibs:Depends=(.*)", said)[1]


def describe(package, folder, version, maker, when):
    """Everything in DEBIAN/ and the files that every package has."""
    of = PACKAGES[package]
    control = folder / "DEBIAN"
    control.mkdir()
    docs = folder / "usr/share/doc" / package
    docs.mkdir(parents=True, exist_ok=True)
    compress(docs / "changelog.gz", (
        f"patina ({version}) bookworm; urgency=medium\n\n  * See CHANGELOG.md in patina.\n\n"
        f" -- {maker}  {when}\n").encode())
    (docs / "copyright").write_text(
        (ROOT / "LICENSE").read_text() +
        "\nThe program holds an extract of WordNet 3.0, Copyright 2006 by Princeton University;\n"
        "see https://wordnet.princeton.edu/license-and-commercial-use\n")
    if package == "patina":
        (control / "conffiles").write_text("/etc/patina/patina.env\n")
        for script in SCRIPTS.iterdir():
            shutil.copy(script, control / script.name)
            (control / script.name).chmod(0o755)
    if package == "libpatina0":
        (control / "shlibs").write_text(f"libpatina 0 libpatina0 (>= {version})\n")
        (control / "triggers").write_text("activate-noawait ldconfig\n")
    files = sorted(p for p in folder.rglob("*")
                   if p.is_file() and not p.is_symlink() and control not in p.parents)
    (control / "md5sums").write_text("".join(
        f"{hashlib.md5(p.read_bytes()).hexdigest()}  {p.relative_to(folder)}\n" for p in files
        if not str(p.relative_to(folder)).startswith("etc/")))
    depends = of["depends"].format(version=version, shlibs=shlibs(folder, BUILD / "shlibdeps"))
    size = sum(p.stat().st_size for p in files) // 1024
    suggests = f"Suggests: {of['suggests']}\n" if "suggests" in of else ""
    (control / "control").write_text(
        f"Package: {package}\nSource: patina\nVersion: {version}\n"
        f"Architecture: {run('dpkg', '--print-architecture')}\nMaintainer: {maker}\n"
        f"Installed-Size: {size}\nDepends: {depends}\n{suggests}Section: {of['section']}\n"
        f"Priority: optional\nDescription: {of['text']}\n")


def modes(folder):
    """As Debian wants them, whatever the builder's umask is."""
    for path in folder.rglob("*"):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100 and not path.suffix == ".0"
            path.chmod(0o755 if runs else 0o644)


def main():
    version = re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text())[1]
    maker = f"{os.environ.get('DEBFULLNAME', 'Patina')} " \
            f"<{os.environ.get('DEBEMAIL', 'patina@' + os.uname().nodename)}>"
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", (ROOT / "CHANGELOG.md").stat().st_mtime))
    os.environ["SOURCE_DATE_EPOCH"] = str(epoch)
    tree = BUILD / "tree"
    folders = {package: BUILD / "packages" / package for package in PACKAGES}
    for old in (tree, BUILD / "packages", *BUILD.glob("*.deb")):
        shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
    install(tree)
    divide(tree, folders)
    for package, folder in folders.items():
        describe(package, folder, version, maker, email.utils.formatdate(epoch))
        modes(folder)
        print(run("dpkg-deb", "--root-owner-group", "--build", folder, BUILD).split("'")[-2])


if __name__ == "__main__":
    main()
