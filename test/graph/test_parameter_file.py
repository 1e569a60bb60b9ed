# SPDX-License-Identifier: Apache-2.0
"""config/booth.yaml: names only parameters that the nodes declare, with their defaults."""

import ast
from pathlib import Path

import pytest
import yaml

from graph.errors import InputError
from graph.nodes import ALL_PARTS, GraphOptions, booth_processes
from recorder.encode import JPEG_QUALITY
from robots import load_robot
from teleop.clutch import ClutchSettings

ROOT = Path(__file__).parents[2]
FILE = ROOT / "config" / "booth.yaml"


def declared(node: str) -> dict[str, object]:
    """Names and defaults in ``self.declare("name", default, …)`` of a node."""
    (path,) = ROOT.glob(f"[tr]e*/{node}_node.py")
    tree = ast.parse(path.read_text())
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    calls = [call for call in calls if call.func.attr == "declare"]
    return {ast.literal_eval(call.args[0]): ast.literal_eval(call.args[1]) for call in calls}


def test_every_parameter_of_the_file_is_declared_by_its_node_with_that_default() -> None:
    for node, section in yaml.safe_load(FILE.read_text()).items():
        assert section["ros__parameters"].items() <= declared(node).items(), node


def test_the_defaults_are_those_of_the_code() -> None:
    teleop = yaml.safe_load(FILE.read_text())["teleop"]["ros__parameters"]
    assert teleop["dwell_s"] * 1e9 == ClutchSettings().dwell_ns
    assert teleop["parts"] == ALL_PARTS
    recorder = yaml.safe_load(FILE.read_text())["recorder"]["ros__parameters"]
    assert recorder["jpeg_quality"] == JPEG_QUALITY


def test_tracker_teleop_and_recorder_are_started_with_the_file_before_what_was_chosen() -> None:
    robot = load_robot("hx5_d20_right")
    processes = {spec.name: spec for spec in booth_processes(robot, robot.name, GraphOptions(params=str(FILE)))}
    for name in ("tracker", "teleop", "recorder"):
        argv = processes[name].command()
        assert argv[argv.index("--params-file") + 1] == str(FILE)
        assert argv.index("--params-file") < argv.index("-p")


def test_a_missing_file_is_refused() -> None:
    robot = load_robot("hx5_d20_right")
    with pytest.raises(InputError, match=r"no parameter file at nothing\.yaml"):
        booth_processes(robot, robot.name, GraphOptions(params="nothing.yaml"))
