#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make test: builds what the tests need, runs all of them and counts.

Three builds: gcc as released, clang with address and undefined-behaviour sanitizers, and clang with
the thread sanitizer for the suites where threads meet. Unit tests are the rows of `unit_tests` in
meson.build; the others are pytest files in tests/cli, tests/http and tests/crash, run against the released
server and, where they say so with the mark `sanitized`, against the sanitized one at 256 pixels.

A skipped test is named with its reason and counts as neither passed nor failed. A suite that cannot
be built, started or read counts as failed. The last line is `N passed, N failed`.
"""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
SUPPORT = ROOT / "tests/support"
PYTHON = "/usr/bin/python3"
CORES = os.cpu_count() or 1

SUITE_TIMEOUT_S = 600  # the slowest suite takes a minute on two idle cores
OUTPUT_SHOWN = 6000  # characters of a failing suite's output: its end says most
WHY_SHOWN = 300  # of the line that says most
SLOWEST_SHOWN = 10
SANITIZED_PIXELS = 256 * 256


@dataclasses.dataclass
class Build:
    name: str
    folder: pathlib.Path
    compiler: str
    options: list
    environment: dict  # what its programs are run with
    unit_only: tuple = ()  # names of unit suites, when not all


@dataclasses.dataclass
class Suite:
    name: str
    command: list
    cwd: pathlib.Path
    environment: dict
    read: callable  # (report file, exit status) -> results
    timeout: int = SUITE_TIMEOUT_S


@dataclasses.dataclass
class Result:
    name: str
    state: str  # passed, failed, skipped
    seconds: float = 0.0
    text: str = ""  # why skipped, how it failed
    why: str = ""  # the line of it that says most


SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "halt_on_error=1:detect_leaks=1:detect_stack_use_after_return=1:"
                    "strict_string_checks=1:check_initialization_order=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "LSAN_OPTIONS": f"suppressions={SUPPORT}/lsan.supp:print_suppressions=0",
    "TSAN_OPTIONS": f"halt_on_error=1:second_deadlock_stack=1:suppressions={SUPPORT}/tsan.supp",
}

BUILDS = [
    Build("gcc", ROOT / "build-gcc", "gcc", [], {}),
    Build("asan", ROOT / "build-asan", "clang",
          ["-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dbuildtype=debugoptimized"],
          SANITIZER_OPTIONS),
    Build("tsan", ROOT / "build-tsan", "clang",
          ["-Db_sanitize=thread", "-Db_lundef=false", "-Dbuildtype=debugoptimized"],
          SANITIZER_OPTIONS, unit_only=("store", "worker", "http")),
]


# Building

def make(build, units):
    """Configures and compiles; what went wrong, or None. With `units` only those programs."""
    environment = {**os.environ, "CC": build.compiler}
    if shutil.which("ld.lld"):
        environment["CC_LD"] = "lld"
    steps = []
    if not (build.folder / "build.ninja").exists():
        steps.append(["meson", "setup", build.folder, "--werror", *build.options])
    steps.append(["ninja", "-C", build.folder, "--quiet"]
                 + (units if units is not None else ["all", "meson-test-prereq"]))
    for step in steps:
        done = subprocess.run(step, cwd=ROOT, env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            return done.stdout
    return None


def meson_tests(folder):
    listed = subprocess.run(["meson", "introspect", "--tests", folder], cwd=ROOT,
                            capture_output=True, text=True, check=True)
    return [t for t in json.loads(listed.stdout) if "unit" in " ".join(t["suite"])]


# Finding suites

def unit_suites(build, only):
    for test in meson_tests(build.folder):
        if only(f"{build.name}/{test['name']}") and (
                not build.unit_only or test["name"].startswith(build.unit_only)):
            yield Suite(
                name=f"{build.name}/{test['name']}",
                command=test["cmd"],
                cwd=pathlib.Path(test["workdir"] or build.folder),
                environment={
                    **build.environment, **test["env"],
                    "MESON_SOURCE_ROOT": str(ROOT), "MESON_BUILD_ROOT": str(build.folder),
                    "CMOCKA_MESSAGE_OUTPUT": "XML", "CMOCKA_XML_FILE": "{report}/%g.xml",
                },
                read=read_cmocka)


def pytest_suites(build, only):
    for path in sorted(p for part in ("cli", "http", "crash")
                       for p in ROOT.glob(f"tests/{part}/test_*.py")):
        name = f"{build.name}/{path.relative_to(ROOT / 'tests').with_suffix('')}"
        if not only(name):
            continue
        environment = {**build.environment, "PATINA_BUILD": str(build.folder)}
        marks = []
        if build.environment:
            if "sanitized" not in path.read_text():
                continue
            marks = ["-m", "sanitized"]
            environment["PATINA_TEST_PIXELS"] = str(SANITIZED_PIXELS)
        yield Suite(
            name=name,
            command=[PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", *marks,
                     "--junitxml", "{report}/pytest.xml", "--basetemp", "{scratch}", str(path)],
            cwd=ROOT,
            environment=environment,
            read=read_junit)


# Running and reading

def run_suite(suite):
    """Runs one suite in a scratch folder of its own; its results and its whole output."""
    with tempfile.TemporaryDirectory(prefix="patina-test-") as scratch:
        report = pathlib.Path(scratch) / "report"
        report.mkdir()
        (pathlib.Path(scratch) / "tmp").mkdir()

        def fill(text):
            return text.replace("{report}", str(report)).replace("{scratch}", scratch + "/pytest")

        environment = {**os.environ, "TMPDIR": scratch + "/tmp",
                       **{k: fill(v) for k, v in suite.environment.items()}}
        started = time.monotonic()
        try:
            done = subprocess.run([fill(str(c)) for c in suite.command], cwd=suite.cwd,
                                  env=environment, text=True, errors="replace",
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=suite.timeout)
            status, output = done.returncode, done.stdout
        except subprocess.TimeoutExpired as e:
            status = None
            output = (e.stdout or b"").decode(errors="replace") if isinstance(e.stdout, bytes) \
                else e.stdout or ""
            output += f"\nstill running after {suite.timeout} s"
        except OSError as e:
            status, output = None, str(e)
        took = time.monotonic() - started
        try:
            results = suite.read(report, output)
        except (ElementTree.ParseError, OSError) as e:
            results, output = [], f"{output}\nits report cannot be read: {e}"

    nothing_wanted = suite.read is read_junit and status == 5  # every test was deselected
    told = any(r.state == "failed" for r in results)
    if (status != 0 and not told or not results) and not nothing_wanted:
        what = "did not end" if status is None else f"exit status {status}"
        results.append(Result(f"[{what}]", "failed", took, output[-OUTPUT_SHOWN:],
                              worth_most(output)))
    for result in results:
        result.name = f"{suite.name}: {result.name}"
    return results


WORTH_MOST = (  # of a failing program's output, by what is found first
    r"^.*(?:runtime error|SUMMARY: \w+Sanitizer|WARNING: ThreadSanitizer).*$",
    r"^.*(?:FAILED|ERROR|[Ee]rror:|Assertion).*$",
    r"^.*\S.*$",
)


def worth_most(text):
    """The line that says why a program failed, as far as one can tell."""
    for pattern in WORTH_MOST:
        if found := re.findall(pattern, text, re.M):
            return found[-1].strip()
    return "no output"


def same_pixels(builds):
    """A picture of every look, from each of these builds: compilers and flags must not matter."""
    digests, results = {}, []
    for build in builds:
        done = subprocess.run([build.folder / "test_look_all", "digests"], text=True,
                              env={**os.environ, **build.environment}, timeout=SUITE_TIMEOUT_S,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for line in done.stdout.splitlines():
            digest, _, look = line.partition(" ")
            digests.setdefault(look, {})[build.name] = digest
    for look, of in digests.items():
        same = len(of) == len(builds) and len(set(of.values())) == 1
        results.append(Result(f"pixels: {look}", "passed" if same else "failed", text=str(of)))
    return results or [Result("pixels: [no digest]", "failed")]


def read_cmocka(report, output):
    reasons = dict(re.findall(r"^SKIP (\w+): (.*)$", output, re.M))
    results = []
    for path in sorted(report.glob("*.xml")):
        for case in ElementTree.parse(path).iter("testcase"):
            name, seconds = case.get("name"), float(case.get("time") or 0)
            if case.find("skipped") is not None:
                results.append(Result(name, "skipped", seconds, reasons.get(name, "no reason given")))
            elif (bad := case.find("failure")) is None and (bad := case.find("error")) is None:
                results.append(Result(name, "passed", seconds))
            else:
                why = " ".join((bad.text or "").split())
                results.append(Result(name, "failed", seconds, output[-OUTPUT_SHOWN:], why))
    return results


def read_junit(report, output):
    results = []
    path = report / "pytest.xml"
    if not path.exists():
        return results
    for case in ElementTree.parse(path).iter("testcase"):
        name, seconds = case.get("name"), float(case.get("time") or 0)
        skipped = case.find("skipped")
        broken = [e for e in (case.find("failure"), case.find("error")) if e is not None]
        if broken:
            text = broken[0].text or ""
            place = re.findall(r"^(\S+:\d+): ", text, re.M)[-1:]
            why = " ".join([*place, (broken[0].get("message") or "").split("\n")[0][:WHY_SHOWN]])
            results.append(Result(name, "failed", seconds, text[-OUTPUT_SHOWN:], why))
        elif skipped is not None:
            results.append(Result(name, "skipped", seconds, skipped.get("message") or "no reason"))
        else:
            results.append(Result(name, "passed", seconds))
    return results


def report(results):
    failed = [r for r in results if r.state == "failed"]
    skipped = [r for r in results if r.state == "skipped"]
    passed = sum(r.state == "passed" for r in results)
    for r in failed:
        print(f"\nFAILED {r.name}\n{r.why}\n\n{r.text.strip()}")
    if skipped:
        print("\nSkipped:")
        for r in skipped:
            print(f"  {r.name}: {r.text}")
    print("\nSlowest:")
    for r in sorted(results, key=lambda r: -r.seconds)[:SLOWEST_SHOWN]:
        print(f"  {r.seconds:6.2f} s  {r.name}")
    if failed:
        print("\nFailed:")
        for r in failed:
            print(f"  {r.name}\n    {r.why}")
    if not results:
        print("\nno test was run")
    print(f"\n{passed} passed, {len(failed)} failed", flush=True)
    return 1 if failed or not results else 0


def main():
    parser = argparse.ArgumentParser(description="Builds and runs the tests.")
    parser.add_argument("--only", default="", metavar="REGEX",
                        help="suites whose name (gcc/store, asan/http/test_post) matches")
    parser.add_argument("--quick", action="store_true", help="the released build alone")
    args = parser.parse_args()

    def only(name):
        return re.search(args.only, name) is not None

    results, suites = [], []
    for build in BUILDS[:1] if args.quick else BUILDS:
        print(f"building {build.folder.name}", flush=True)
        units = None
        if build.unit_only:
            units = sorted({pathlib.Path(t["cmd"][0]).name for t in meson_tests(BUILDS[0].folder)
                            if t["name"].startswith(build.unit_only)}) if suites else []
            if not units:
                continue
        began = time.monotonic()
        wrong = make(build, units)
        if wrong is not None:
            results.append(Result(f"{build.name}: [build]", "failed", time.monotonic() - began,
                                  wrong[-OUTPUT_SHOWN:], worth_most(wrong)))
            continue
        suites += unit_suites(build, only)
        if not build.unit_only:
            suites += pytest_suites(build, only)

    # The longest first, so that no core waits for the last one: pytest suites start servers.
    suites.sort(key=lambda s: (s.read is not read_junit, s.name))
    print(f"running {len(suites)} suites", flush=True)
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run_suite, s) for s in suites]):
            found = done.result()
            results += found
            for r in found:
                if r.state == "failed":
                    print(f"failed: {r.name}: {r.why}", flush=True)
    if not args.quick and only("pixels"):
        results += same_pixels([b for b in BUILDS if (b.folder / "test_look_all").exists()])
    sys.exit(report(results))


if __name__ == "__main__":
    main()
