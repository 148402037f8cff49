#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make lint: layers, style, formatting, and clang-tidy on the C files that changed.

Changed means: since the branch left main; on main itself, since the commit before. Every check
runs, whatever the others found; the exit status is 1 if one found something.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINT_BUILD = "build-lint"

LINES_MAX = 1000  # past this a file has a second subject, and that wants a file of its own
SPDX = "SPDX-License-Identifier: MIT"
CODE = (".c", ".h", ".py", ".sh")
# Paths of one developer's machine do not belong in the tree.
SOMEBODYS_PATH = re.compile(r"(?<![\w./-])/(?:home|root|Users|work|tmp/\w+/)[\w./-]*")


def git(*args):
    done = subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def files_in_tree():
    listed = git("ls-files", "--cached", "--others", "--exclude-standard")
    if listed is None:  # an unpacked archive: no git, so take what is there
        return [p for top in ("src", "tests", "tools") for p in (ROOT / top).rglob("*")
                if p.is_file() and "__pycache__" not in p.parts]
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def changed_files():
    """Names of files that differ from main, or from the commit before on main itself."""
    head = git("rev-parse", "HEAD")
    for main in ("origin/main", "main"):
        base = git("merge-base", main, "HEAD")
        if base and base != head:
            break
    else:
        base = git("rev-parse", "--verify", "HEAD~1")
    listed = git("diff", "--name-only", "--diff-filter=d", base) if base else git("ls-files")
    fresh = git("ls-files", "--others", "--exclude-standard")
    return sorted(set((listed or "").splitlines()) | set((fresh or "").splitlines()))


def check_layers():
    done = subprocess.run([ROOT / "tools/check_includes"], capture_output=True, text=True)
    return done.stdout.splitlines() + done.stderr.splitlines()


def check_style():
    problems = []
    for path in files_in_tree():
        name = path.relative_to(ROOT)
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # a picture
        lines = text.splitlines()
        is_code = path.suffix in CODE or text.startswith("#!")
        if is_code and not any(SPDX in line for line in lines[:3]):
            problems.append(f"{name}:1: no '{SPDX}' in the first lines")
        if is_code and len(lines) > LINES_MAX:
            problems.append(f"{name}:{LINES_MAX}: more than {LINES_MAX} lines: split it by subject")
        for number, line in enumerate(lines, 1):
            if found := SOMEBODYS_PATH.search(line):
                problems.append(f"{name}:{number}: path of somebody's machine: {found[0]}")
            if is_code and line != line.rstrip():
                problems.append(f"{name}:{number}: white space at the end of the line")
    return problems


def in_parallel(commands):
    """Runs the commands on all cores; the output of those that failed."""
    def one(command):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        return done.stdout + done.stderr if done.returncode else ""

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [text for text in pool.map(one, commands) if text]


def check_format():
    c_files = [str(p) for p in files_in_tree() if p.suffix in (".c", ".h")]
    batches = [c_files[i:i + 20] for i in range(0, len(c_files), 20)]
    return in_parallel([["clang-format", "--dry-run", "-Werror", *batch] for batch in batches])


def check_tidy():
    changed = {str(ROOT / name) for name in changed_files() if name.endswith(".c")}
    if not changed:
        return []
    if not (ROOT / LINT_BUILD / "build.ninja").exists():
        done = subprocess.run(["meson", "setup", LINT_BUILD], cwd=ROOT, capture_output=True,
                              text=True, env={**os.environ, "CC": "clang"})
        if done.returncode:
            return [done.stdout + done.stderr]
    # Headers and tables that the build generates must be there before anything is read.
    generate = subprocess.run(["ninja", "-C", LINT_BUILD, "-t", "targets", "rule", "CUSTOM_COMMAND"],
                              cwd=ROOT, capture_output=True, text=True)
    made = [t for t in generate.stdout.split() if t.endswith((".h", ".c", ".inc"))]
    if made:
        subprocess.run(["ninja", "-C", LINT_BUILD, *made], cwd=ROOT, capture_output=True)
    known = (ROOT / LINT_BUILD / "compile_commands.json").read_text()
    wanted = sorted(c for c in changed if f'../{pathlib.Path(c).relative_to(ROOT)}"' in known)
    return in_parallel([["clang-tidy", "--quiet", "-p", LINT_BUILD, c] for c in wanted])


def main():
    failed = False
    for name, check in (("layers", check_layers), ("style", check_style),
                        ("clang-format", check_format), ("clang-tidy", check_tidy)):
        problems = check()
        print(f"lint: {name}: {'ok' if not problems else 'see below'}", flush=True)
        for problem in problems:
            print(problem)
        failed |= bool(problems)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
