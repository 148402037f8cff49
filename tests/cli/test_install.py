# SPDX-License-Identifier: MIT
"""What `make install` brings: programs that find each other, pages, a library, a unit."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from support.pictures import jpeg
from support.server import BUILD, PATINA, ROOT, Server

UNITS = "lib/systemd/system"
UNIT = f"{UNITS}/patina.service"
SUPPORT = ROOT / "tests/support"
# What systemd itself calls this is "OK"; a service without any wall has 9.6.
EXPOSURE_MAX = 2.0


def run(*command, **more):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, **more)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def needs(program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """The installed tree, as a package would take it."""
    destination = tmp_path_factory.mktemp("install")
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", destination)
    return destination / "usr/local"


def test_all_of_it_is_there(prefix):
    for name in ("bin/patina", "libexec/patina/patina-decode", "include/patina.h", UNIT,
                 f"{UNITS}/patina-worker.service",
                 "share/man/man1/patina.1", "share/man/man1/patina-serve.1",
                 "share/doc/patina/docs/openapi.yaml", "share/doc/patina/examples/nginx.conf",
                 "share/doc/patina/examples/patina.env", "share/doc/patina/LICENSE",
                 "share/doc/patina/examples/looks/marble.look",
                 "share/doc/patina/examples/python/patina_client.py"):
        assert (prefix / name).is_file(), name
    assert list(prefix.glob("lib/**/libpatina.so.0")) and list(prefix.glob("lib/**/libpatina.pc"))
    assert not list(prefix.rglob("__pycache__"))


def test_an_installed_program_finds_its_decoder(prefix, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(jpeg())
    run(prefix / "bin/patina", "render", "photo.jpg", "charcoal", "-o", "out.png",
        "--pixels", "65536", cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    assert (tmp_path / "out.png").stat().st_size > 1000
    (prefix / "libexec/patina/patina-decode").rename(tmp_path / "patina-decode")
    try:
        done = subprocess.run([prefix / "bin/patina", "render", "photo.jpg", "charcoal", "-o",
                               "2.png"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and "../libexec/patina/" in done.stderr
    finally:
        (tmp_path / "patina-decode").rename(prefix / "libexec/patina/patina-decode")


def test_the_library_can_be_built_against(prefix, tmp_path):
    (tmp_path / "use.c").write_text(
        "#include <patina.h>\n#include <stdio.h>\n"
        "int main(void) { struct patina *p; char why[PATINA_WHY];\n"
        "  if (patina_open(NULL, &p, why) != PATINA_OK) { puts(why); return 1; }\n"
        "  patina_close(p); puts(\"opened\"); return 0; }\n")
    folder = next(prefix.glob("lib/**/pkgconfig"))
    flags = run("pkg-config", "--cflags", "--libs", "libpatina",
                env={**os.environ, "PKG_CONFIG_PATH": str(folder),
                     "PKG_CONFIG_SYSROOT_DIR": str(prefix.parent.parent)}).split()
    run("cc", "use.c", "-o", "use", *flags, cwd=tmp_path)
    said = run(tmp_path / "use", env={"LD_LIBRARY_PATH": str(folder.parent)})
    assert said == "opened\n"


def test_a_build_wants_nothing_that_the_tests_want():
    """A bare machine has what tools/packages.txt lists under "build" alone."""
    assert "ninja -C build --quiet programs" in run("make", "-n", "build", cwd=ROOT)
    made = run("ninja", "-C", BUILD, "-t", "query", "programs").split()
    assert {"patina", "patina-decode", "patina.1"} <= set(made)
    wanted = run("ninja", "-C", BUILD, "-t", "inputs", "programs")
    assert not re.findall(r"^(?:\.\./tests/|\.\./tools/golden/|test_|tiny).*", wanted, re.M)


# Manual pages

def test_manual_pages_render_without_a_warning(prefix):
    needs("groff")
    for page in sorted((prefix / "share/man/man1").iterdir()):
        done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-rCHECKSTYLE=10", page],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and not done.stderr, f"{page.name}: {done.stderr}"


def test_manual_pages_name_every_command_flag_and_variable(prefix):
    def plain(name):
        return (prefix / "share/man/man1" / name).read_text().replace("\\-", "-")

    main, serve = plain("patina.1"), plain("patina-serve.1")
    named = re.findall(r"^  ([a-z-]+) ", run(PATINA, "help"), re.M)
    assert len(named) > 10
    for command in set(named) - {"help", "version"}:
        assert re.search(rf"^\.SS {command}\b", main, re.M), command
    for command in ("account delete", "key revoke", "webhook redeliver", "bench api"):
        assert f".SS {command}\n" in main
    help_text = run(PATINA, "serve", "--help")
    names = re.findall(r"--[a-z-]+|PATINA_\w+", help_text)
    assert len(names) > 40
    for name in names:
        assert name in serve, name


def test_the_page_of_settings_is_made_from_the_table():
    page = run(PATINA, "--describe", "settings")
    assert page == (ROOT / "docs/settings.md").read_text(), \
        "write it anew: build/patina --describe settings > docs/settings.md"


def test_the_example_environment_names_settings_that_exist():
    text = (ROOT / "packaging/patina.env").read_text()
    values = dict(re.findall(r"^#(PATINA_\w+)=(.*)$", text, re.M))
    assert len(values) > 8
    known = set(re.findall(r"\[(PATINA_\w+)\]", run(PATINA, "serve", "--help").replace("\n", " ")))
    assert set(values) <= known
    # Each value is one that the program takes.
    run(PATINA, "serve", "--help", env={**os.environ, **values})


# The units

def staged(prefix, name, folder):
    """The unit with the staged program in it."""
    text = (prefix / UNITS / name).read_text()
    assert "ExecStart=/usr/local/bin/patina " in text
    path = folder / name
    path.write_text(text.replace("/usr/local/bin/", f"{prefix}/bin/"))
    return path


@pytest.fixture
def unit(prefix, tmp_path):
    return staged(prefix, "patina.service", tmp_path)


@pytest.mark.parametrize("name", ["patina.service", "patina-worker.service"])
def test_systemd_takes_the_unit(prefix, name, tmp_path):
    needs("systemd-analyze")
    said = run("systemd-analyze", "verify", "--man=no", staged(prefix, name, tmp_path))
    ours = [line for line in said.splitlines() if name in line]
    assert not ours, ours


@pytest.mark.parametrize("name", ["patina.service", "patina-worker.service"])
def test_the_unit_exposes_little(prefix, name, tmp_path):
    needs("systemd-analyze")
    said = run("systemd-analyze", "security", "--offline=yes", "--no-pager",
               staged(prefix, name, tmp_path))
    assert float(re.search(rf"exposure level for {name}: ([\d.]+)", said)[1]) <= EXPOSURE_MAX


def test_workers_alone_say_what_they_lack_and_are_not_tried_again(prefix):
    text = (prefix / UNITS / "patina-worker.service").read_text()
    assert "ExecStart=/usr/local/bin/patina worker\n" in text
    done = subprocess.run([prefix / "bin/patina", "worker"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "") and "PostgreSQL" in done.stderr
    assert f"RestartPreventExitStatus={done.returncode}\n" in text


def test_the_service_works_behind_the_units_filter(prefix, unit, tmp_path):
    needs("systemd-analyze")
    server = Server(tmp_path / "data")
    server.command = [sys.executable, str(SUPPORT / "as_unit.py"), str(unit),
                      str(prefix / "bin/patina"), "serve"]
    with server:
        assert server.run(server.upload(jpeg()), "gold")["status"] == "completed"
        with open(f"/proc/{server.process.pid}/status", encoding="utf-8") as status:
            text = status.read()
        assert "NoNewPrivs:\t1\n" in text and "Seccomp:\t2\n" in text
