# SPDX-License-Identifier: Apache-2.0
"""Every test run has its own ROS domain and run directory, so that graphs of two runs never meet.

Laws are checked however slow the machine is: how fast things are is the benchmarks' business.
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


@pytest.fixture(autouse=True)
def own_run_directory(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Links to virtual robots go to a directory of this test."""
    path = tmp_path_factory.mktemp("run")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(path))
    monkeypatch.setenv("BOOTH_MAINTENANCE_DB", str(path / "maintenance.sqlite"))
    return path
