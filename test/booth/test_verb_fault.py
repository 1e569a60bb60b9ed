# SPDX-License-Identifier: Apache-2.0
"""`booth fault` against a running `booth virtual-robot`."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from booth_cli import assert_answer, booth

from drivers.virtual_fault_words import FAULTS
from graph.errors import EXIT_DEVICE, EXIT_INPUT, EXIT_OK


@pytest.fixture
def robot(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A virtual OP3 in a runtime directory of its own; gives the environment that finds it."""
    environ = {"XDG_RUNTIME_DIR": str(tmp_path), "ROS_DOMAIN_ID": "77"}
    command = [sys.executable, "-m", "booth", "virtual-robot", "op3", "--json", "--link", str(tmp_path / "op3")]
    command += ["--control", str(tmp_path / f"humanoid_booth-{os.getuid()}" / "op3-77.control")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | environ)
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert told["ports"] == [{"bus": "body", "port": str(tmp_path / "op3"), "baud": 2_000_000}]
    assert told["pty"].startswith("/dev/pts/")
    yield environ
    process.terminate()
    assert process.wait(timeout=10) == 0


def test_a_fault_is_made_seen_and_taken_back(robot: dict[str, str]) -> None:
    assert booth("fault", "--robot", "op3", "silent", 5, "on", **robot).code == EXIT_OK
    status = booth("fault", "--robot", "op3", "status", **robot)
    assert [(device["id"], device["silent"]) for device in status.json["devices"]] == [(5, True)]
    assert booth("fault", "--robot", "op3", "clear", **robot).code == EXIT_OK
    assert booth("fault", "--robot", "op3", "status", **robot).json["devices"] == []
    refused = booth("fault", "--robot", "op3", "explode", **robot)
    assert_answer(refused, EXIT_INPUT, "unknown fault 'explode'", "silent, noise, power-off")
    assert_answer(booth("fault", "--robot", "op3", "load", 99, -5, **robot), EXIT_INPUT, "no device '99'")


def test_no_running_robot_is_a_missing_device(tmp_path: Path) -> None:
    ran = booth("fault", "--robot", "op3", "status", XDG_RUNTIME_DIR=str(tmp_path))
    assert_answer(ran, EXIT_DEVICE, "no virtual robot listens at", str(tmp_path))


def test_unknown_robot_lists_the_known_ones() -> None:
    assert_answer(booth("fault", "--robot", "op33", "status"), EXIT_INPUT, "op3")


def test_help_explains_every_fault_in_one_line() -> None:
    lines = booth("fault", "--help").out.splitlines()
    for word, fault in FAULTS.items():
        assert any(line.strip().startswith(word) and line.endswith(fault.help) for line in lines), word
