# SPDX-License-Identifier: Apache-2.0
"""Executes the launch files: with ROS 2's own launch where it is installed, else with stand-ins that only remember."""

import importlib.util
import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "launch"
REAL = importlib.util.find_spec("launch_ros") is not None


class Remembered:
    """Any action: its arguments, by position and by name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs


class LaunchConfiguration:
    """Reads an argument from the context, as the real one does."""

    def __init__(self, name: str) -> None:
        self.name = name

    def perform(self, context: Any) -> str:
        return context.launch_configurations[self.name]


NAMES = {
    "launch": ["LaunchDescription"],
    "launch.actions": [
        *("DeclareLaunchArgument", "OpaqueFunction", "EmitEvent", "ExecuteProcess", "RegisterEventHandler"),
        "SetEnvironmentVariable",
    ],
    "launch.substitutions": ["LaunchConfiguration"],
    "launch.event_handlers": ["OnProcessExit"],
    "launch.events": ["Shutdown"],
    "launch_ros": [],
    "launch_ros.actions": ["Node"],
}


@pytest.fixture(autouse=True)
def launch_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real packages, or stand-ins; either way the modules that import them are fresh."""
    monkeypatch.delitem(sys.modules, "graph.launching", raising=False)
    if REAL:
        return
    for module_name, names in NAMES.items():
        module = ModuleType(module_name)
        for name in names:
            kind = LaunchConfiguration if name == "LaunchConfiguration" else type(name, (Remembered,), {})
            setattr(module, name, kind)
        monkeypatch.setitem(sys.modules, module_name, module)


def started(file: str, **chosen: str) -> list[Any]:
    """The actions that a launch file starts with these arguments and defaults for all others."""
    context = SimpleNamespace(launch_configurations={})
    if REAL:
        from launch import LaunchContext

        context = LaunchContext()
    description = runpy.run_path(str(FOLDER / file))["generate_launch_description"]()
    entities = description.entities if REAL else description.args[0]
    actions: list[Any] = []
    for entity in entities:
        kind = type(entity).__name__
        if kind == "DeclareLaunchArgument":
            name = entity.name if REAL else entity.args[0]
            default = _default(entity, context)
            context.launch_configurations[name] = chosen.get(name, default)
        elif kind == "OpaqueFunction":
            actions += entity.execute(context) if REAL else entity.kwargs["function"](context)
    return actions


def _default(entity: Any, context: Any) -> str:
    if not REAL:
        return entity.kwargs.get("default_value", "")
    from launch.utilities import perform_substitutions

    return perform_substitutions(context, entity.default_value) if entity.default_value else ""


def kinds(actions: list[Any]) -> list[str]:
    return [type(action).__name__ for action in actions]


@pytest.mark.parametrize(
    ("file", "chosen", "nodes", "programs", "shutdowns"),
    [
        ("booth.launch.py", {}, 4, 1, 2),
        ("booth.launch.py", {"driver": "external"}, 3, 0, 0),
        ("booth.launch.py", {"driver": "dynamixel", "record": "off"}, 3, 0, 1),
        ("booth.launch.py", {"robot": "op3", "parts": "head"}, 4, 1, 2),
        ("robot.launch.py", {}, 1, 1, 2),
        ("robot.launch.py", {"driver": "dynamixel"}, 1, 0, 1),
        ("replay.launch.py", {"episode": "/episode.h5"}, 2, 1, 3),
    ],
)
def test_each_choice_starts_its_processes(file: str, chosen: dict, nodes: int, programs: int, shutdowns: int) -> None:
    found = kinds(started(file, **chosen))
    assert found.count("Node") == nodes
    assert found.count("ExecuteProcess") == programs
    assert found.count("RegisterEventHandler") == shutdowns


def test_a_wrong_robot_is_refused_before_anything_starts() -> None:
    with pytest.raises(Exception, match="unknown robot 'op4'"):
        started("booth.launch.py", robot="op4")
