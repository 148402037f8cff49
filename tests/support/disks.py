# SPDX-License-Identifier: MIT
"""File systems of a test's own."""

import contextlib
import subprocess

import pytest


@contextlib.contextmanager
def mounted(path, *options):
    """A tmpfs in the new folder `path`, while it lasts; the test is skipped where that is not allowed."""
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", path], capture_output=True,
                          text=True)
    if done.returncode:
        pytest.skip(f"mounting a tmpfs is not allowed here: {done.stderr.strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", path], check=False)
