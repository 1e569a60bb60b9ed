# SPDX-License-Identifier: Apache-2.0
"""Loads a robot's description file and checks it completely before anything opens a port."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from graph.errors import InputError
from robots.agreement import HAND_JOINTS, Place, disagreements
from robots.schema import (
    ArmCopy,
    Bus,
    CommandGroup,
    Fence,
    GripperCopy,
    HandController,
    HandCopy,
    HeadCopy,
    Imitation,
    Joint,
    Motion,
    Robot,
    ServoModelName,
)
from robots.yaml_text import YamlTextError, parse_yaml

__all__ = [
    "HAND_JOINTS",
    "MAX_FILE_BYTES",
    "Bus",
    "CommandGroup",
    "HandController",
    "Joint",
    "Motion",
    "Robot",
    "RobotFileError",
    "ServoModelName",
    "by_topic",
    "load_robot",
    "parse_robot",
    "robot_names",
]

MAX_FILE_BYTES = 256 * 1024
MAX_PROBLEMS = 50
MAX_SHOWN = 60

_SECTIONS: dict[str, type[BaseModel]] = {
    "buses": Bus,
    "controllers": HandController,
    "commands": CommandGroup,
    "imitation": Imitation,
    "hands": HandCopy,
    "grippers": GripperCopy,
    "arms": ArmCopy,
    "fence_m": Fence,
    "head": HeadCopy,
    "motion": Motion,
    "joints": Joint,
}


class RobotFileError(InputError):
    """A robot file that can't be used. Scenarios: unknown robot name, malformed YAML, contradicting limits, two joints
    on one ID. The message lists every problem that was found, with its key and line."""


def by_topic(robot: Robot, position_rad: Sequence[float]) -> list[tuple[str, list[str], list[float]]]:
    """A pose as commands: every command topic with the names of its joints and their positions."""
    names = robot.joint_names
    return [(topic, [names[k] for k in members], [position_rad[k] for k in members]) for topic, members in robot.groups]


def robot_names() -> tuple[str, ...]:
    """Names of the robots that come with the package."""
    return tuple(sorted(Path(item.name).stem for item in files("robots").iterdir() if item.name.endswith(".yaml")))


def load_robot(name_or_path: str) -> Robot:
    """Load a robot by name, or from a YAML file of your own (anything that ends in .yaml or .yml).

    Raises:
        RobotFileError: with every problem of the file, one a line.
    """
    if name_or_path.endswith((".yaml", ".yml")):
        path = Path(name_or_path)
        return parse_robot(_read(path), str(path), path.parent)
    if name_or_path not in robot_names():
        raise RobotFileError(
            f"unknown robot {name_or_path!r}: expected one of {', '.join(robot_names())}, or a .yaml file"
        )
    return parse_robot(files("robots").joinpath(f"{name_or_path}.yaml").read_text(encoding="utf-8"), name_or_path)


def _read(path: Path) -> str:
    try:
        if not path.is_file():
            raise RobotFileError(
                f"no robot file at {path}: expected a YAML file; booth robot list names the built-in robots"
            )
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise RobotFileError(f"{path} has {size} bytes: a robot file has at most {MAX_FILE_BYTES}")
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise RobotFileError(f"{path} can't be read: {error.strerror}") from error


def parse_robot(text: str, origin: str, folder: Path | None = None) -> Robot:
    """Parse a robot file's text.

    Args:
        text: YAML.
        origin: what errors call it.
        folder: where a relative ``urdf`` path starts; None: in the package's own robots.

    Raises:
        RobotFileError: with every problem, its key and its line.
    """
    try:
        data, lines = parse_yaml(text)
    except YamlTextError as error:
        raise RobotFileError(f"{origin} is not valid YAML: {error}") from error
    if not isinstance(data, dict):
        raise RobotFileError(f"{origin} should hold a mapping (name:, buses:, joints: …), found {type(data).__name__}")
    if folder is not None and isinstance(data.get("urdf"), str):
        data["urdf"] = str(folder.absolute() / data["urdf"])
    if "based_on" in data:
        data = {**_built_in(data.pop("based_on"), origin), **data}
    try:
        robot = Robot.model_validate(data)
    except ValidationError as error:
        raise RobotFileError(_answer(origin, error, data, lines)) from error
    return robot


def _built_in(name: object, origin: str) -> dict[Any, Any]:
    """The keys of a robot that comes with the package, for another one that differs from it in some."""
    if name not in robot_names():
        raise RobotFileError(f"{origin}: based_on should be one of {', '.join(robot_names())}, found {name!r}")
    keys, _ = parse_yaml(files("robots").joinpath(f"{name}.yaml").read_text(encoding="utf-8"))
    if not isinstance(keys, dict) or "based_on" in keys:
        raise RobotFileError(f"{origin}: based_on {name} is based on another robot itself: name that one")
    return keys


def _answer(origin: str, error: ValidationError, data: dict[Any, Any], lines: dict[Place, int]) -> str:
    """Every problem of the file, one a line: key, what was expected, what was found, line number."""
    problems = [(tuple(item["loc"]), _in_words(item)) for item in error.errors() if item["loc"]]
    problems += disagreements(data)
    told = [f"  - {'.'.join(map(str, where))}: {what}{_line(where, lines)}" for where, what in problems[:MAX_PROBLEMS]]
    if len(problems) > MAX_PROBLEMS:
        told.append(f"  - … and {len(problems) - MAX_PROBLEMS} more")
    return f"{origin}: {len(problems)} problem(s)\n" + "\n".join(told)


def _in_words(item: Any) -> str:
    found = repr(item.get("input"))
    shown = found if len(found) <= MAX_SHOWN else found[:MAX_SHOWN] + "…"
    if item["type"] == "missing":
        return str(item["msg"])
    if item["type"] == "extra_forbidden":
        section = next((_SECTIONS[step] for step in reversed(item["loc"][:-1]) if step in _SECTIONS), Robot)
        return f"unknown key (found {shown}); expected one of {', '.join(section.model_fields)}"
    said = str(item["msg"]).removeprefix("Value error, ")
    return f"{said[:1].upper()}{said[1:]} (found {shown})"


def _line(where: Place, lines: dict[Place, int]) -> str:
    """The line of a key; of what it belongs to when the key is missing."""
    while where:
        if where in lines:
            return f" [line {lines[where]}]"
        where = where[:-1]
    return ""
