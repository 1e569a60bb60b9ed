# SPDX-License-Identifier: Apache-2.0
"""Which processes make up a graph: the one list that `booth up` and the launch files both start."""

import os
import sys
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from graph.errors import InputError
from robots import Robot

PACKAGE = "humanoid_booth"

Parameter = bool | int | float | str | list[str]


class OnExit(Enum):
    """What the end of a process means for the rest of the graph."""

    SHUTDOWN = "the graph stops"
    RESPAWN = "it is started again while the robot holds"
    FINISH = "the graph has done its work"


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process: a ROS node when ``executable`` is set, else a plain program.

    Attributes:
        name: node name and log prefix.
        module: Python module with a ``main``.
        executable: name under lib/humanoid_booth for `ros2 run`; None for programs without ROS.
        arguments: command line before the ROS arguments.
        parameters: ROS parameters.
        on_exit: what its end means.
        params_file: a ROS parameter file that is read before ``parameters``; empty for none.
    """

    name: str
    module: str
    executable: str | None = None
    arguments: tuple[str, ...] = ()
    parameters: dict[str, Parameter] = field(default_factory=dict)
    on_exit: OnExit = OnExit.RESPAWN
    params_file: str = ""

    def command(self, python: str = sys.executable) -> list[str]:
        """The command line that starts it with this interpreter."""
        argv = [python, "-m", self.module, *self.arguments]
        if self.executable is None:
            return argv
        argv += ["--ros-args", "-r", f"__node:={self.name}"]
        argv += ["--params-file", self.params_file] if self.params_file else []
        for key, value in self.parameters.items():
            argv += ["-p", f"{key}:={_yaml(value)}"]
        return argv


@dataclass(frozen=True, slots=True)
class GraphOptions:
    """What can be chosen when a graph is started; launch arguments and `booth up` options have these names.

    Attributes:
        source: `clip` (the bundled operator clip), a camera number or device, a video file, `topic:/name`, or
            `tcp://HOST:PORT`, where an operator far away is listened for.
        driver: `virtual` (a virtual robot is started as well), `dynamixel` (real servos at ``port``) or `external`
            (somebody else's driver listens on the command topics).
        record: `off`, `manual` (service, gesture, CLI), `engage` (from the first engage on) or `start` (at once).
        port: serial port; empty: the robot's own.
        loop: play a video source over and over.
        mirrored: the camera delivers mirror images.
        booth: which booth this is; kept in every episode.
        cameras: more cameras to record, ``name=/topic`` each; ``name=raw:/topic`` where the images are not JPEG yet.
        topics: more topics to record as they are, ``name=/topic:package/msg/Type`` each.
        preroll_s: so much of what came before the start of a take is recorded, too, at most 30; 0: what the parameter
            file says, or nothing.
        parts: what copies the operator, such as `hands` or `hands+arms`; empty: all that the robot has but the lift.
        profile: the operator's stored calibration; empty: what the open palm shows.
        pedal: hold to run: a pedal that somebody else publishes must be pressed.
        pedal_device: a foot pedal of this computer, its path under /dev/input/by-id or `auto`; empty: none.
        pedal_role: what that pedal is for: `run` (hold to run) or `record` (tap and hold speak to the session).
        prediction_ms: how far ahead hands and arms are predicted, at most 100; 0: what the parameter file says, or not.
        page: where the operator's page is served, HOST:PORT; empty: no page.
        store: operators, tasks and sessions of the page; empty: this user's own.
        params: a ROS parameter file for tracker, teleop and recorder, such as config/booth.yaml; empty for none.
    """

    source: str = "clip"
    driver: str = "virtual"
    record: str = "manual"
    port: str = ""
    directory: str = "episodes"
    task: str = ""
    operator: str = ""
    rate_hz: float = 30.0
    loop: bool = False
    mirrored: bool = False
    baud: int = 0
    booth: str = ""
    cameras: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    preroll_s: float = 0.0
    params: str = ""
    parts: str = ""
    profile: str = ""
    pedal: bool = False
    pedal_device: str = ""
    pedal_role: str = "record"
    prediction_ms: float = 0.0
    page: str = ""
    store: str = ""


FAR_TTL_MS = 130
"""How old a command may be where the operator is far away: a network stumbles for longer than a camera. With the bus
cycle the robot holds within 150 ms of the last one."""

ALL_PARTS = "hands+arms+head"
"""What copies the operator unless something else is asked for; the lift only on request."""
DRIVERS = ("virtual", "dynamixel", "external")
PEDAL_ROLES = ("run", "record")
RECORD_MODES = ("off", "manual", "engage", "start")


def run_directory() -> Path:
    """Where sockets and pseudo-terminal links of this user's graphs live."""
    base = os.environ.get("XDG_RUNTIME_DIR") or "/tmp"
    return Path(base) / f"humanoid_booth-{os.getuid()}"


def virtual_port(robot: Robot) -> str:
    """The stable link to a virtual robot's pseudo-terminal, one per robot and ROS domain."""
    return str(run_directory() / f"{robot.name}-{os.environ.get('ROS_DOMAIN_ID', '0')}")


def bus_ports(robot: Robot, path: str = "") -> dict[str, str]:
    """The port of each bus. With ``path`` that is the port of a robot with one bus, and ``path-<bus>`` of each bus of
    a robot with several, as a virtual robot links them; without it the ports are those of the robot's file.
    """
    if not path:
        return {bus.name: bus.port for bus in robot.buses}
    if len(robot.buses) == 1:
        return {robot.buses[0].name: path}
    return {bus.name: f"{path}-{bus.name}" for bus in robot.buses}


def driver_processes(robot: Robot, robot_argument: str, options: GraphOptions) -> list[ProcessSpec]:
    """The robot's side: nothing for an external driver, the driver node, and a virtual robot where asked for."""
    if options.driver == "external":
        return []
    virtual = options.driver == "virtual"
    port = options.port or (virtual_port(robot) if virtual else "")
    processes = []
    far: dict[str, Parameter] = {"command_ttl_ms": FAR_TTL_MS} if is_far(options.source) else {}
    if virtual:
        processes.append(
            ProcessSpec(
                "robot", "booth", arguments=("virtual-robot", robot_argument, "--link", port), on_exit=OnExit.SHUTDOWN
            )
        )
    processes.append(
        ProcessSpec(
            "driver",
            "drivers.driver_node",
            "driver",
            parameters={
                "robot": robot_argument,
                "port": port,
                "baud": options.baud,
                "port_wait_s": 10.0 if virtual else 0.0,
                **far,
            },
            on_exit=OnExit.SHUTDOWN,
        )
    )
    return processes


def booth_processes(robot: Robot, robot_argument: str, options: GraphOptions) -> list[ProcessSpec]:
    """A whole booth: robot's side, tracker, teleop and recorder.

    A video on a real robot is played once and not again after a fault: the open palm in it would engage by itself.

    Raises:
        InputError: a looping video is to drive a real robot.
    """
    real = options.driver != "virtual" and not is_pseudo_terminal(options.port)
    if real and options.loop and is_recording(options.source):
        raise InputError("a looping video must not drive a real robot: it would engage again and again; leave out loop")
    if options.params and not Path(options.params).is_file():
        raise InputError(f"no parameter file at {options.params}: expected a ROS parameter file like config/booth.yaml")
    processes = driver_processes(robot, robot_argument, options)
    if robot.imitation.limbs:
        parts = options.parts or ALL_PARTS
        teleop: dict[str, Parameter] = {"robot": robot_argument, "driver": options.driver, "parts": parts}
        teleop |= {"profile": options.profile, "pedal": options.pedal or holds_to_run(options)}
        teleop |= {"prediction_ms": options.prediction_ms} if options.prediction_ms else {}
        tracker: dict[str, Parameter] = {"source": options.source, "loop": options.loop, "mirrored": options.mirrored}
        tracker["body"] = needs_body(robot, parts)
        once = real and is_recording(options.source)
        processes += [
            ProcessSpec("teleop", "teleop.teleop_node", "teleop", (), teleop, params_file=options.params),
            ProcessSpec(
                "tracker",
                "teleop.tracker_node",
                "tracker",
                parameters=tracker,
                on_exit=OnExit.SHUTDOWN if once else OnExit.RESPAWN,
                params_file=options.params,
            ),
        ]
    if options.record != "off":
        processes.append(recorder_process(robot_argument, options))
    if options.pedal_device:
        processes.append(pedal_process(options))
    if options.page:
        processes.append(page_process(robot_argument, options))
    return processes


def page_process(robot_argument: str, options: GraphOptions) -> ProcessSpec:
    """The operator's page with its session; when it dies the robot and a running take go on."""
    return ProcessSpec(
        "page",
        "booth.page.page_node",
        "page",
        parameters={
            "robot": robot_argument,
            "address": options.page,
            "booth": options.booth,
            "driver": options.driver,
            "store": options.store,
            "virtual": options.driver == "virtual" or is_pseudo_terminal(options.port),
            "pedal": options.pedal or bool(options.pedal_device),
            "recorder": options.record != "off",
            "parts": options.parts,
        },
    )


def holds_to_run(options: GraphOptions) -> bool:
    """Whether this computer's own pedal must be pressed for the robot to move."""
    return bool(options.pedal_device) and options.pedal_role == "run"


def pedal_process(options: GraphOptions) -> ProcessSpec:
    """The foot pedal of this computer."""
    return ProcessSpec(
        "pedal",
        "teleop.pedal_node",
        "pedal",
        parameters={"device": options.pedal_device, "role": options.pedal_role},
    )


def needs_body(robot: Robot, parts: str) -> bool:
    """Whether something that copies the operator needs more of them than the hands."""
    asked = parts.split("+")
    copied = robot.imitation
    found = {"arms": bool(copied.arms), "head": copied.head is not None, "lift": copied.lift is not None}
    return any(has and part in asked for part, has in found.items())


def is_pseudo_terminal(port: str) -> bool:
    """Whether a serial port is none: somebody's virtual robot."""
    return bool(port) and os.path.realpath(port).startswith("/dev/pts/")


def is_recording(source: str) -> bool:
    """Whether a source shows the same every time: a video, not a camera."""
    return not (source.isdigit() or source.startswith(("/dev/", "topic:")) or is_far(source))


def is_far(source: str) -> bool:
    """Whether the operator is at another computer."""
    return source.startswith("tcp://")


def recorder_process(robot_argument: str, options: GraphOptions) -> ProcessSpec:
    """The recorder alone."""
    more: dict[str, Parameter] = {"topics": list(options.topics)} if options.topics else {}
    more |= {"preroll_s": options.preroll_s} if options.preroll_s else {}
    more |= {"gestures": False} if options.page else {}  # the session hears them
    return ProcessSpec(
        "recorder",
        "recorder.recorder_node",
        "recorder",
        params_file=options.params,
        parameters={
            "robot": robot_argument,
            "directory": options.directory,
            "rate_hz": options.rate_hz,
            "task": options.task,
            "operator": options.operator,
            "booth": options.booth,
            "cameras": list(options.cameras) or [""],
            "virtual": options.driver == "virtual" or is_pseudo_terminal(options.port),
            "record_on": options.record if options.record != "off" else "manual",
            **more,
        },
    )


def replay_processes(
    robot: Robot,
    robot_argument: str,
    options: GraphOptions,
    episode: str,
    report: str,
    speed: float = 1.0,
    force: bool = False,
) -> list[ProcessSpec]:
    """The robot's side and the replay node; the graph is done when the replay ends."""
    replay: dict[str, Parameter] = {"robot": robot_argument, "episode": episode, "report": report, "speed": speed}
    replay |= {"force": force, "virtual": options.driver == "virtual" or is_pseudo_terminal(options.port)}
    return [
        *driver_processes(robot, robot_argument, options),
        ProcessSpec(
            "replay",
            "recorder.replay_node",
            "replay",
            parameters=replay,
            on_exit=OnExit.FINISH,
        ),
    ]


def _yaml(value: Parameter) -> str:
    """A parameter as the YAML that rcl parses: strings quoted, so that "0" stays a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_yaml(item) for item in value) + "]"
    if isinstance(value, str):
        if value.isprintable():
            return "'" + value.replace("'", "''") + "'"
        return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in value) + '"'
    return repr(value)
