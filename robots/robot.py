# SPDX-License-Identifier: Apache-2.0
"""The robot's description file, checked completely before anything opens a port."""

from collections import Counter
from importlib.resources import files
from math import isfinite, pi
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from graph.errors import InputError

HAND_JOINTS = 20
MAX_FILE_BYTES = 256 * 1024

_LEAKED_BY_YAML = (ValueError, TypeError, KeyError, AttributeError)
"""What PyYAML's constructors let through for impossible dates and numbers, wrong tags and lists as keys."""


class RobotFileError(InputError):
    """A robot file that can't be used. Scenarios: unknown robot name, malformed YAML, contradicting limits, two joints
    on one ID. The message lists every problem that was found."""


def _finite(value: float) -> float:
    if not isfinite(value):
        raise ValueError("must be a finite number")
    return value


Finite = Annotated[float, AfterValidator(_finite)]
Positive = Annotated[float, Field(gt=0), AfterValidator(_finite)]
ServoId = Annotated[int, Field(ge=0, le=252)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Bus(_Section):
    """One serial line.

    ``servos``: every joint is a servo that is read and written by group instructions.
    ``hand_controller``: the joints' servos sit behind one controller that mirrors them in one block (HX5-D20).
    """

    kind: Literal["servos", "hand_controller"]
    port: str
    baud: Annotated[int, Field(ge=9600, le=10_500_000)]
    rate_hz: Annotated[int, Field(ge=10, le=500)] = 100
    bus_watchdog_ms: Annotated[int, Field(ge=20, le=2540, multiple_of=20)] = 400
    minimum_firmware: Annotated[int, Field(ge=0, le=255)] = 0
    controller_id: ServoId | None = None
    controller_model: str | None = None
    goal_current_ma: Annotated[int, Field(ge=0, le=5000)] | None = None

    @model_validator(mode="after")
    def _controller_is_named(self) -> "Bus":
        if self.kind == "hand_controller" and (self.controller_id is None or self.controller_model is None):
            raise ValueError("a hand_controller bus needs controller_id and controller_model")
        return self


class Motion(_Section):
    """Caps of every joint, and how far from the operator's hand a joint may be when the robot is engaged."""

    velocity_rad_s: Positive
    acceleration_rad_s2: Positive
    jerk_rad_s3: Positive
    engage_distance_rad: Positive


class Joint(_Section):
    """One joint: name as in the robot's URDF, servo ID and model, limits and poses in rad."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    id: ServoId
    model: str
    min_rad: Finite
    max_rad: Finite
    home_rad: Finite = 0.0
    reverse: bool = False
    homing_offset_ticks: int = 0
    label: str = ""

    @model_validator(mode="after")
    def _limits_agree(self) -> "Joint":
        if self.min_rad >= self.max_rad:
            raise ValueError(f"{self.name}: min_rad {self.min_rad} must be below max_rad {self.max_rad}")
        if not self.min_rad <= self.home_rad <= self.max_rad:
            raise ValueError(
                f"{self.name}: home_rad {self.home_rad} lies outside its limits {self.min_rad} … {self.max_rad}"
            )
        return self


def _some_and_told_apart(joints: tuple[Joint, ...]) -> tuple[Joint, ...]:
    if not joints:
        raise ValueError("a robot has at least one joint")
    problems = _repeated("joint name", [joint.name for joint in joints])
    problems += _repeated("servo ID", [joint.id for joint in joints])
    if problems:
        raise ValueError("; ".join(problems))
    return joints


def _repeated(what: str, values: list[str] | list[int]) -> list[str]:
    counts = Counter(values)
    return [f"{what} {value} is used {count} times" for value, count in counts.items() if count > 1]


class Robot(_Section):
    """Everything the rest of the product knows about one robot."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: str
    sources: tuple[str, ...]
    command_topic: Annotated[str, Field(pattern=r"^/[A-Za-z0-9_/]+$")]
    retarget: Literal["hx5_d20"] | None = None
    hand: Literal["right", "left"] | None = None
    bus: Bus
    motion: Motion
    joints: Annotated[tuple[Joint, ...], AfterValidator(_some_and_told_apart)]

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names in bus order; every vector of this robot has this order."""
        return tuple(joint.name for joint in self.joints)

    @model_validator(mode="after")
    def _sections_agree(self) -> "Robot":
        problems = []
        if self.bus.controller_id in {joint.id for joint in self.joints}:
            problems.append(f"servo ID {self.bus.controller_id} is used by the controller and by a joint")
        if self.bus.kind == "hand_controller":
            problems += _hand_problems(self)
        if len({joint.model for joint in self.joints}) > 1:
            problems.append("joints have several servo models: one bus has servos of one model so far")
        if self.retarget is not None and self.hand is None:
            problems.append("retarget needs hand: right or left")
        if problems:
            raise ValueError("; ".join(problems))
        return self


def _hand_problems(robot: Robot) -> list[str]:
    """What a hand behind one controller needs beyond its sections: 20 joints within one turn, and a goal current."""
    problems = []
    if len(robot.joints) != HAND_JOINTS:
        problems.append(f"a hand_controller has {HAND_JOINTS} joints, this one {len(robot.joints)}")
    if not robot.bus.goal_current_ma:
        problems.append("a hand_controller needs goal_current_ma above 0: the hand does not move without")
    problems += [
        f"{joint.name}: limits must lie within one turn, -{pi:.2f} … {pi:.2f} rad"
        for joint in robot.joints
        if joint.min_rad < -pi or joint.max_rad > pi
    ]
    return problems


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
        try:
            if not path.is_file():
                raise RobotFileError(
                    f"no robot file at {path}: expected a YAML file; booth robot list names the built-in robots"
                )
            size = path.stat().st_size
            if size > MAX_FILE_BYTES:
                raise RobotFileError(f"{path} has {size} bytes: a robot file has at most {MAX_FILE_BYTES}")
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise RobotFileError(f"{path} can't be read: {error.strerror}") from error
        return parse_robot(text, str(path))
    if name_or_path not in robot_names():
        raise RobotFileError(
            f"unknown robot {name_or_path!r}: expected one of {', '.join(robot_names())}, or a .yaml file"
        )
    return parse_robot(files("robots").joinpath(f"{name_or_path}.yaml").read_text(encoding="utf-8"), name_or_path)


def parse_robot(text: str, origin: str) -> Robot:
    """Parse a robot file's text; ``origin`` names it in errors."""
    try:
        data = yaml.load(text, Loader=_NoAliasLoader)
    except RecursionError as error:
        raise RobotFileError(f"{origin} is not valid YAML: nested too deep") from error
    except (yaml.YAMLError, *_LEAKED_BY_YAML) as error:
        raise RobotFileError(f"{origin} is not valid YAML: {error}") from error
    if not isinstance(data, dict):
        raise RobotFileError(f"{origin} should hold a mapping (name:, bus:, joints: …), found {type(data).__name__}")
    try:
        return Robot.model_validate(data)
    except ValidationError as error:
        problems = [_problem(item, data) for item in error.errors()]
        raise RobotFileError(
            f"{origin}: {len(problems)} problem(s)\n" + "\n".join(f"  - {p}" for p in problems)
        ) from error


def _problem(item: object, data: dict[str, object]) -> str:
    """One validation problem in words: where it is, what was expected, what was found."""
    assert isinstance(item, dict)
    where = ".".join(str(part) for part in item["loc"]) or "file"
    found = "" if item["type"] in {"missing", "value_error"} else f" (found {item.get('input')!r})"
    if item["type"] == "extra_forbidden":
        return f"{where}: unknown key{found}"
    return f"{where}: {item['msg']}{found}"


class _NoAliasLoader(yaml.SafeLoader):  # type: ignore[misc]
    """SafeLoader that refuses aliases (alias bombs) and repeated keys."""

    def compose_node(self, parent: object, index: object) -> object:
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not allowed", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> object:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} appears twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)
