# SPDX-License-Identifier: Apache-2.0
"""The robot's description file, checked completely before anything opens a port."""

from collections import Counter
from fnmatch import fnmatchcase
from functools import cached_property
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
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
ServoModelName = Literal[
    "xl330_m288",
    "xm335_t323",
    "xm430_w350",
    "xh430_v210",
    "xh540_v150",
    "ph42_020_s300",
    "rh_p12_rn",
    "ym070_210_r099",
    "ym080_230_r099",
    "ym080_230_b001",
]
"""Servos that the driver has a control table for; a test holds both lists together."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Bus(_Section):
    """One serial line; several lines of a robot run in parallel."""

    name: Name = "bus"
    port: str
    baud: Annotated[int, Field(ge=9600, le=10_500_000)]


class HandController(_Section):
    """A device that mirrors the servos behind it in one block to read and one to write (HX5-D20).

    ``goal_current_ma``: strength of every finger servo; a hand does not move without.
    """

    id: ServoId
    model: Literal["hx5_d20_right", "hx5_d20_left"]
    bus: Name | None = None
    branch: Name | None = None
    goal_current_ma: Annotated[int, Field(gt=0, le=5000)]


class Motion(_Section):
    """Caps of every joint that has none of its own, and how the robot starts and stops.

    Attributes:
        engage_distance_rad: how far from the operator's command a joint may be when the robot is engaged.
        stop_hold_s: after a protective stop the robot holds this long, then lets go softly; 0: it holds for ever.
        release_s: a soft release takes the servos' strength away over this long.
    """

    velocity_rad_s: Positive
    acceleration_rad_s2: Positive
    jerk_rad_s3: Positive
    engage_distance_rad: Positive
    stop_hold_s: Annotated[float, Field(ge=0), AfterValidator(_finite)] = 0.0
    release_s: Annotated[float, Field(gt=0, le=30)] = 1.0


class Joint(_Section):
    """One joint: name as in the robot's URDF, servo ID and model, limits, caps and poses in rad.

    Attributes:
        bus: name of its line; the robot's first one when absent.
        controller: ID of the hand controller in front of it.
        branch: what loses power together with it, for example ``arm_r``; its controller's or bus's name when absent.
        prismatic: it slides. Its ``_rad`` values are metres then, and one radian of the servo counts as one metre, as
            in ROBOTIS's own description of the lift; nobody has measured that scale.
        velocity_rad_s, acceleration_rad_s2, jerk_rad_s3, engage_distance_rad: caps; those of ``motion`` when absent.
        ready_rad: pose in front of the operator before engaging; home when absent.
        goal_current_ma: strength in current-based position mode; plain position mode when absent.
    """

    name: Name
    id: ServoId
    model: ServoModelName
    min_rad: Finite
    max_rad: Finite
    home_rad: Finite = 0.0
    ready_rad: Finite | None = None
    reverse: bool = False
    homing_offset_ticks: int = 0
    bus: Name | None = None
    controller: ServoId | None = None
    branch: Name | None = None
    prismatic: bool = False
    velocity_rad_s: Positive | None = None
    acceleration_rad_s2: Positive | None = None
    jerk_rad_s3: Positive | None = None
    engage_distance_rad: Positive | None = None
    goal_current_ma: Annotated[int, Field(gt=0, le=10_000)] | None = None
    label: str = ""

    @model_validator(mode="after")
    def _limits_agree(self) -> "Joint":
        if self.min_rad >= self.max_rad:
            raise ValueError(f"{self.name}: min_rad {self.min_rad} must be below max_rad {self.max_rad}")
        for what, pose in (("home_rad", self.home_rad), ("ready_rad", self.ready_rad)):
            if pose is not None and not self.min_rad <= pose <= self.max_rad:
                raise ValueError(f"{self.name}: {what} {pose} lies outside its limits {self.min_rad} … {self.max_rad}")
        return self


class CommandGroup(_Section):
    """Joints that are commanded together on one trajectory topic; ``joints`` may hold wildcards, as in ``arm_l_*``."""

    topic: Annotated[str, Field(pattern=r"^/[A-Za-z0-9_/]+$")]
    joints: tuple[str, ...]


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

    name: Name
    title: str
    sources: tuple[str, ...]
    rate_hz: Annotated[int, Field(ge=10, le=500)] = 100
    bus_watchdog_ms: Annotated[int, Field(ge=20, le=2540, multiple_of=20)] = 400
    buses: Annotated[tuple[Bus, ...], Field(min_length=1)]
    controllers: tuple[HandController, ...] = ()
    commands: Annotated[tuple[CommandGroup, ...], Field(min_length=1)]
    retarget: Literal["hx5_d20"] | None = None
    hand: Literal["right", "left"] | None = None
    motion: Motion
    joints: Annotated[tuple[Joint, ...], AfterValidator(_some_and_told_apart)]

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names in the file's order; every vector of this robot has this order."""
        return tuple(joint.name for joint in self.joints)

    @cached_property
    def groups(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Every command topic with the indices of its joints."""
        return tuple((group.topic, _members(group, self.joint_names)) for group in self.commands)

    @property
    def velocity_rad_s(self) -> tuple[float, ...]:
        """Velocity cap of every joint."""
        return tuple(joint.velocity_rad_s or self.motion.velocity_rad_s for joint in self.joints)

    @property
    def acceleration_rad_s2(self) -> tuple[float, ...]:
        """Acceleration cap of every joint."""
        return tuple(joint.acceleration_rad_s2 or self.motion.acceleration_rad_s2 for joint in self.joints)

    @property
    def jerk_rad_s3(self) -> tuple[float, ...]:
        """Jerk cap of every joint."""
        return tuple(joint.jerk_rad_s3 or self.motion.jerk_rad_s3 for joint in self.joints)

    @property
    def engage_distance_rad(self) -> tuple[float, ...]:
        """How far every joint may be from the operator's command at an engage."""
        return tuple(joint.engage_distance_rad or self.motion.engage_distance_rad for joint in self.joints)

    @property
    def home_rad(self) -> tuple[float, ...]:
        """Where every joint rests."""
        return tuple(joint.home_rad for joint in self.joints)

    @property
    def ready_rad(self) -> tuple[float, ...]:
        """Where every joint waits for the operator."""
        return tuple(joint.home_rad if joint.ready_rad is None else joint.ready_rad for joint in self.joints)

    def bus_of(self, device: Joint | HandController) -> str:
        """Name of the line that a joint or controller is on."""
        if isinstance(device, Joint) and device.controller is not None:
            return self.bus_of(self.controller(device.controller))
        return device.bus or self.buses[0].name

    def branch_of(self, device: Joint | HandController) -> str:
        """What loses power together with a joint or controller."""
        if device.branch is not None:
            return device.branch
        if isinstance(device, Joint) and device.controller is not None:
            return self.branch_of(self.controller(device.controller))
        return self.bus_of(device)

    def controller(self, servo_id: int) -> HandController:
        """The hand controller with this ID."""
        return next(controller for controller in self.controllers if controller.id == servo_id)

    @model_validator(mode="after")
    def _sections_agree(self) -> "Robot":
        problems = _bus_problems(self) + _command_problems(self)
        for controller in self.controllers:
            problems += _hand_problems(self, controller)
        if self.retarget is not None and self.hand is None:
            problems.append("retarget needs hand: right or left")
        if problems:
            raise ValueError("; ".join(problems))
        return self


def _members(group: CommandGroup, names: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(k for k, name in enumerate(names) if any(fnmatchcase(name, pattern) for pattern in group.joints))


def _bus_problems(robot: Robot) -> list[str]:
    """Lines and controllers that joints name must exist; no ID twice on one line."""
    problems = _repeated("bus name", [bus.name for bus in robot.buses])
    known = {bus.name for bus in robot.buses}
    controllers = {controller.id for controller in robot.controllers}
    problems += _repeated("controller ID", [controller.id for controller in robot.controllers])
    devices: list[Joint | HandController] = [*robot.joints, *robot.controllers]
    for device in devices:
        if device.bus is not None and device.bus not in known:
            what = device.name if isinstance(device, Joint) else f"controller {device.id}"
            problems.append(f"{what}: no bus {device.bus!r}: expected one of {', '.join(sorted(known))}")
        if isinstance(device, Joint) and device.controller is not None and device.controller not in controllers:
            problems.append(f"{device.name}: no controller {device.controller}")
    taken = {joint.id for joint in robot.joints} & controllers
    return problems + [f"servo ID {servo_id} is used by a controller and by a joint" for servo_id in sorted(taken)]


def _command_problems(robot: Robot) -> list[str]:
    """Every joint is commanded on exactly one topic."""
    names = robot.joint_names
    problems = _repeated("command topic", [group.topic for group in robot.commands])
    owners = Counter(index for group in robot.commands for index in _members(group, names))
    problems += [f"{names[index]} is commanded on {count} topics" for index, count in owners.items() if count > 1]
    problems += [f"{name} is on no command topic" for index, name in enumerate(names) if index not in owners]
    problems += [f"{group.topic}: no joint matches" for group in robot.commands if not _members(group, names)]
    return problems


def _hand_problems(robot: Robot, controller: HandController) -> list[str]:
    """A hand behind one controller has 20 joints within one turn, on their controller's line."""
    joints = [joint for joint in robot.joints if joint.controller == controller.id]
    problems = []
    if len(joints) != HAND_JOINTS:
        problems.append(f"controller {controller.id} has {HAND_JOINTS} joints behind it, here {len(joints)}")
    problems += [
        f"{joint.name}: limits must lie within one turn, -{pi:.2f} … {pi:.2f} rad"
        for joint in joints
        if joint.min_rad < -pi or joint.max_rad > pi
    ]
    problems += [f"{joint.name}: its bus is its controller's, leave it out" for joint in joints if joint.bus]
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
