# SPDX-License-Identifier: MIT
"""Fixtures of the suites that talk to a real server. One module is one process: what is shared in
a module is shared by nothing else."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from support.engines import ENGINES  # noqa: E402
from support.origin import Origin, make_certificates  # noqa: E402
from support.server import Server  # noqa: E402


LOG_SHOWN = 1500  # characters of each server's log


def pytest_configure(config):
    config.addinivalue_line("markers", "sanitized: also run against the sanitized server")
    config.addinivalue_line("markers", "every_engine: there too with each of the module's engines")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A test that fails shows what its servers said last."""
    report = (yield).get_result()
    if report.failed and hasattr(report.longrepr, "addsection"):
        for server in Server.started:
            report.longrepr.addsection(f"log of {server.data}", server.log()[-LOG_SHOWN:])


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def origin(certificates):
    _, certificate, key = certificates
    with Origin(certificate, key) as o:
        yield o


def pytest_generate_tests(metafunc):
    """A module with `ENGINES = (name, ..)` has its tests of what paints run with each of them. On
    the sanitized server those with the mark `every_engine`, the others with the first alone:
    matrices take it seconds."""
    engines = getattr(metafunc.module, "ENGINES", ())
    if "ASAN_OPTIONS" in os.environ and not metafunc.definition.get_closest_marker("every_engine"):
        engines = engines[:1]
    if engines and "engine" in metafunc.fixturenames:
        metafunc.parametrize("engine", engines, indirect=True, scope="module")


@pytest.fixture(scope="module")
def engine(request, tmp_path_factory):
    return ENGINES[getattr(request, "param", "look")](tmp_path_factory.mktemp("engine"))


@pytest.fixture(scope="module")
def server(tmp_path_factory, certificates, engine):
    """A server that may fetch from this machine."""
    data = tmp_path_factory.mktemp("server") / "data"
    with Server(data, fetch_allow="127.0.0.0/8", fetch_ca=certificates[0],
                first_points=10_000_000, **engine.settings) as s:
        yield s


@pytest.fixture(scope="module")
def idle(tmp_path_factory):
    """A server that accepts jobs and renders none: what is posted stays as it was."""
    data = tmp_path_factory.mktemp("idle") / "data"
    with Server(data, workers=0, first_points=10_000_000) as s:
        yield s


@pytest.fixture
def fresh(tmp_path):
    """Servers with settings of one's own, stopped at the end: fresh(name=value, ...)."""
    servers = []

    def make(start=True, **settings):
        s = Server(tmp_path / f"data{len(servers)}", **settings)
        servers.append(s)
        return s.start() if start else s

    yield make
    for s in servers:
        if s.process and s.process.poll() is None:
            s.kill()
