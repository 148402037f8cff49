#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds a running service against its own description with schemathesis: requests of every kind that
docs/openapi.yaml allows and does not allow, answers judged by it. schemathesis comes from PyPI into
build/schemathesis; the service runs on a folder of its own and renders nothing.

Usage: tools/fuzz_api.py [--examples N]       (wants build/patina; `make fuzz-api` does it all)
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.pictures import jpeg  # noqa: E402
from support.server import KEY, Server  # noqa: E402

VENV = ROOT / "build/schemathesis"
VERSION = "4.32.5"


def program():
    """schemathesis, installed when it is not there."""
    path = VENV / "bin/schemathesis"
    if not path.exists():
        # Debian's Python may lack venv; virtualenv from PyPI or another python3 will do.
        for python in ("/usr/bin/python3", "python3"):
            if subprocess.run([python, "-m", "venv", VENV], stderr=subprocess.DEVNULL).returncode == 0:
                break
        else:
            sys.exit("python3 -m venv does not work here: install python3-venv")
        subprocess.run([VENV / "bin/pip", "-q", "install", f"schemathesis=={VERSION}"], check=True)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--examples", type=int, default=50, help="requests of each kind")
    options = parser.parse_args()
    schemathesis = program()
    with tempfile.TemporaryDirectory() as folder:
        with Server(pathlib.Path(folder) / "data", workers=0, first_points=10**12,
                    queue_limit=1000000, fetch_http=1) as server:
            server.submit(server.upload(jpeg()))
            done = subprocess.run(
                [schemathesis, "run", str(ROOT / "docs/openapi.yaml"), "--url", server.base,
                 "--header", f"x-api-key: {KEY}", "--max-examples", str(options.examples),
                 "--request-timeout", "20", "--exclude-path", "/api/v1/job/{job_id}/events",
                 # Bodies are read as JSON whatever Content-Type says, keys that are not known are
                 # ignored, and a URL is judged by rules that a schema cannot say: what schemathesis
                 # holds for invalid may be accepted, and the other way round.
                 "--exclude-checks", "unsupported_method,negative_data_rejection,"
                                     "positive_data_acceptance"],
                cwd=folder, env={**os.environ, "COLUMNS": "100"})
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
