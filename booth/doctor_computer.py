# SPDX-License-Identifier: Apache-2.0
"""What `booth doctor` looks at without a graph: this computer, its programs, devices and permissions."""

import grp
import os
import shutil
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from booth.clock_sync import synchronised
from booth.selfcheck_item import Item, Verdict, failed, ok, warn
from booth.selfcheck_judge import judge_disk
from booth.supervisor import LAST_DOMAIN
from graph.errors import BoothError
from graph.nodes import bus_ports
from robots import Robot
from teleop.models import ModelError, hand_model, pose_model
from teleop.pedal_device import find_pedal

NEEDED = (
    *("cv2", "dynamixel_sdk", "fastcrc", "h5py", "matplotlib", "mcap", "mediapipe", "numba", "numpy"),
    *("PIL", "pydantic", "rosbags", "ruckig", "serial", "yaml", "zmq"),
)
ROS = ("rclpy", "diagnostic_msgs", "sensor_msgs", "std_msgs", "std_srvs", "trajectory_msgs")
PAGE = ("aiohttp", "segno", "viser")
TRIED = ((3, 11), (3, 12))
LATENCY_MS = 1
GROUPS = {"dialout": "serial ports", "video": "cameras"}
GB = 1e9


def look_at_computer(robot: Robot, directory: Path, real: bool, port: str, pedal: str) -> list[Item]:
    """Everything, in the order in which things depend on each other.

    Args:
        robot: which one is to be driven.
        directory: where episodes go.
        real: whether real servos are driven; ``port``: over this serial port, empty for the robot's own.
        pedal: device of a foot pedal; empty for none.
    """
    verdicts = {
        "python": judge_python((sys.version_info.major, sys.version_info.minor)),
        "packages": judge_modules(NEEDED, "pip install humanoid_booth"),
        "ros": judge_modules(ROS, "pip install 'humanoid_booth[ros]', or source /opt/ros/jazzy/setup.bash"),
        "page": as_warning(judge_modules(PAGE, "pip install 'humanoid_booth[page]', the operator's page needs it")),
        "models": judge_models(),
        "disk_room": judge_room(directory),
        "groups": judge_groups(os.geteuid(), _group_names()),
        "cameras": judge_cameras(sorted(Path("/dev").glob("video*"))),
        "serial_ports": judge_ports(list(bus_ports(robot, port).values()) if real else []),
        "latency_timer": judge_latency_timers(),
        "domain": judge_domain(os.environ.get("ROS_DOMAIN_ID", "")),
        "time_service": judge_time_service(synchronised()),
    }
    if pedal:
        verdicts["pedal_device"] = judge_pedal_device(pedal)
    return [Item(name, *verdict) for name, verdict in verdicts.items()]


def judge_python(version: tuple[int, int]) -> Verdict:
    """The interpreter's version."""
    text = f"Python {version[0]}.{version[1]}"
    if version < TRIED[0]:
        return failed(f"{text}: 3.11 or 3.12 is needed")
    return ok(text) if version in TRIED else warn(f"{text}: tried with 3.11 and 3.12 only")


def judge_modules(modules: Sequence[str], remedy: str) -> Verdict:
    """Whether Python finds them."""
    missing = [name for name in modules if find_spec(name) is None]
    return failed(f"{', '.join(missing)} not found: {remedy}") if missing else ok(f"all {len(modules)} found")


def as_warning(verdict: Verdict) -> Verdict:
    """The same, but a session can begin without it."""
    return warn(verdict.text) if verdict.state == "failed" else verdict


def judge_models() -> Verdict:
    """The landmark models."""
    try:
        return ok(f"{hand_model().name} and {pose_model().name} are there")
    except ModelError as error:
        return failed(f"{error}")


def judge_room(directory: Path) -> Verdict:
    """Free room where episodes go, or would go."""
    there = next(path for path in (directory.resolve(), *directory.resolve().parents) if path.exists())
    verdict = judge_disk(None, shutil.disk_usage(there).free / GB)
    return Verdict(verdict.state, f"{verdict.text} ({there})")


def judge_groups(user: int, names: set[str]) -> Verdict:
    """Whether this user may open devices."""
    if user == 0:
        return ok("root may open every device")
    missing = [name for name in GROUPS if name not in names]
    if not missing:
        return ok(f"member of {', '.join(GROUPS)}")
    what = ", ".join(f"{name} ({GROUPS[name]})" for name in missing)
    return warn(f"not a member of {what}: sudo usermod -aG {','.join(missing)} $USER, then log in again")


def judge_cameras(devices: Sequence[Path]) -> Verdict:
    """Camera devices of this computer; a film or a camera of another computer needs none."""
    if not devices:
        return warn("no /dev/video*: plug a camera in, or use a film or topic:/name as --source")
    closed = [path.name for path in devices if not os.access(path, os.R_OK | os.W_OK)]
    if closed:
        return failed(f"no permission to open {', '.join(closed)}: sudo usermod -aG video $USER, then log in again")
    return ok(", ".join(path.name for path in devices))


def judge_ports(ports: Sequence[str]) -> Verdict:
    """Serial ports that the robot needs."""
    present = [str(path) for pattern in ("ttyUSB*", "ttyACM*") for path in sorted(Path("/dev").glob(pattern))]
    found = f"found: {', '.join(present)}" if present else "none found"
    if not ports:
        return ok(f"a virtual robot needs none; {found}")
    missing = [port for port in ports if not Path(port).exists()]
    if missing:
        return failed(f"{', '.join(missing)} not there; {found}: check cable and power, or give --port")
    closed = [port for port in ports if not os.access(port, os.R_OK | os.W_OK)]
    if closed:
        return failed(f"no permission to open {', '.join(closed)}: sudo usermod -aG dialout $USER, then log in again")
    return ok(", ".join(ports))


def judge_latency_timers(directory: Path = Path("/sys/bus/usb-serial/devices")) -> Verdict:
    """How long FTDI adapters wait before they hand bytes on [ms]; others have no such timer."""
    timers = {path.parent.name: int(path.read_text()) for path in sorted(directory.glob("*/latency_timer"))}
    slow = {name: timer for name, timer in timers.items() if timer > LATENCY_MS}
    if slow:
        told = ", ".join(f"{name} {timer} ms" for name, timer in slow.items())
        return warn(f"{told}, {LATENCY_MS} ms is needed: see the udev rule in docs/install.md")
    return ok(f"{len(timers)} adapters at {LATENCY_MS} ms" if timers else "no adapter with one")


def judge_domain(text: str) -> Verdict:
    """ROS_DOMAIN_ID."""
    if text and (not text.isdigit() or int(text) > LAST_DOMAIN):
        return failed(f"ROS_DOMAIN_ID should be a number from 0 to {LAST_DOMAIN}, found {text!r}: change or unset it")
    return ok(f"ROS_DOMAIN_ID {text}" if text else "ROS_DOMAIN_ID is not set: 0")


def judge_time_service(kept: bool | None) -> Verdict:
    """Whether something keeps the clock right."""
    if kept is None:
        return warn("whether a time service keeps the clock right is not known")
    if not kept:
        return warn("no time service keeps the clock right: sudo apt install chrony; dates of episodes may be wrong")
    return ok("the clock is kept right")


def judge_pedal_device(device: str) -> Verdict:
    """The foot pedal's device file."""
    try:
        path = find_pedal(device)
    except BoothError as error:
        return failed(str(error))
    if not os.access(path, os.R_OK):
        return failed(f"no permission to read {path}: install config/99-booth-pedal.rules, see docs/pedal.md")
    return ok(path.name)


def _group_names() -> set[str]:
    names = set()
    for number in os.getgroups():
        try:
            names.add(grp.getgrgid(number).gr_name)
        except KeyError:  # a group without a name
            continue
    return names
