# SPDX-License-Identifier: MIT
"""What the suites of a whole service know about the engines that they are run with."""

import dataclasses
import os
import subprocess

from support.server import BUILD, PATINA

TINY = BUILD / "tiny-model"  # made by the build, see tests/golden/flux2/README.md
SANITIZED = "ASAN_OPTIONS" in os.environ


@dataclasses.dataclass
class Engine:
    name: str
    settings: dict  # of a server with it: PATINA_ENGINE and what the engine needs
    long_pixels: int  # at this size a job takes seconds
    deaths: int  # how often the crash test kills the service


def look(_folder):
    return Engine("look", {"engine": "look"}, 2_000_000, 50)


def flux2(folder):
    """The tiny model of the goldens, packed as an operator would."""
    model = folder / "tiny.patina"
    subprocess.run([PATINA, "model", "pack", TINY, model], check=True, capture_output=True)
    side = 256 if SANITIZED else 512
    return Engine("flux2", {"engine": "flux2", "model": model}, side * side, 15)


ENGINES = {"look": look, "flux2": flux2}
