# SPDX-License-Identifier: Apache-2.0
"""Launch files are thin: arguments in, the process list of graph.nodes out. Read, not run: ROS 2's launch system is
not on the package index."""

import ast
from dataclasses import fields
from pathlib import Path

import pytest

from graph.nodes import GraphOptions

FOLDER = Path(__file__).parents[2] / "launch"
FILES = sorted(FOLDER.glob("*.launch.py"))


def tree(name):
    return ast.parse((FOLDER / name).read_text())


def calls(name, function):
    """Calls of a function of this name in a launch file."""
    nodes = [node for node in ast.walk(tree(name)) if isinstance(node, ast.Call)]
    return [node for node in nodes if isinstance(node.func, ast.Name) and node.func.id == function]


def arguments(name):
    return {ast.literal_eval(call.args[0]): call for call in calls(name, "DeclareLaunchArgument")}


def imported_modules(name):
    nodes = list(ast.walk(tree(name)))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in nodes if isinstance(node, ast.ImportFrom)}


def test_the_package_has_the_three_launch_files():
    assert [path.name for path in FILES] == ["booth.launch.py", "replay.launch.py", "robot.launch.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_launch_file_knows_only_the_launch_system_and_the_graph(path):
    roots = {module.split(".")[0] for module in imported_modules(path.name)}
    assert roots == {"launch", "graph", "robots"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_launch_file_describes_a_launch(path):
    assert "generate_launch_description" in {node.name for node in tree(path.name).body if hasattr(node, "name")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_argument_is_read_described_and_nothing_else_is_read(path):
    declared = arguments(path.name)
    read = {ast.literal_eval(call.args[0]) for call in calls(path.name, "value")}
    assert read == set(declared)
    for name, call in declared.items():
        assert "description" in {keyword.arg for keyword in call.keywords}, name


def test_every_option_of_a_graph_is_an_argument_of_the_booth():
    options = {field.name for field in fields(GraphOptions)}
    assert options | {"robot"} == set(arguments("booth.launch.py"))


def test_every_option_of_a_graph_is_handed_on_from_the_argument_of_its_name():
    (call,) = [call for call in calls("booth.launch.py", "GraphOptions") if len(call.keywords) > 1]
    handed = {}
    for keyword in call.keywords:
        read = [node for node in ast.walk(keyword.value) if isinstance(node, ast.Call)]
        (name,) = [ast.literal_eval(n.args[0]) for n in read if isinstance(n.func, ast.Name) and n.func.id == "value"]
        handed[keyword.arg] = name
    assert handed == {field.name: field.name for field in fields(GraphOptions)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_driver_of_a_launch_is_chosen_from_known_ones(path):
    assert "choices" in {keyword.arg for keyword in arguments(path.name)["driver"].keywords}
