# SPDX-License-Identifier: Apache-2.0
"""Every test run has its own ROS domain and run directory, so that graphs of two runs never meet.

Laws are checked however slow the machine is: how fast things are is the benchmarks' business. Tests in which real
processes keep real time are marked ``alone``: `make test` runs all others two at a time.
"""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from graph.middleware import middleware

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
os.environ.update(middleware(os.environ))


KEEP_TIME = ("ros", "slow")
"""Marks of tests that run real processes."""

ALONE = ("conformance", "end_to_end")
"""Folders of such tests; below them modules in which threads, sockets or pseudo-terminals keep real time."""

ALONE_MODULES = (
    "booth/test_supervisor.py",
    "drivers/test_pacer.py",
    "drivers/test_virtual_robot.py",
    "faults/test_recorder_killed.py",
    "recorder/test_export_cluster.py",
    "soak/test_working_day.py",
)


@pytest.hookimpl(tryfirst=True)  # before pytest selects by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what must not share the processors."""
    for item in items:
        where = item.nodeid.partition("::")[0].removeprefix("test/")
        keeps_time = any(item.get_closest_marker(name) for name in KEEP_TIME)
        if keeps_time or where.partition("/")[0] in ALONE or where in ALONE_MODULES:
            item.add_marker("alone")


@pytest.fixture(autouse=True)
def own_run_directory(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Links to virtual robots go to a directory of this test."""
    path = tmp_path_factory.mktemp("run")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(path))
    monkeypatch.setenv("BOOTH_MAINTENANCE_DB", str(path / "maintenance.sqlite"))
    return path
