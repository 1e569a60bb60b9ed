# SPDX-License-Identifier: Apache-2.0
"""A whole virtual robot: every line on a pseudo-terminal of its own, faults through a control socket."""

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from threading import Event

from drivers.virtual_build import build_virtual_buses
from drivers.virtual_control import ControlSocket, ControlTakenError
from drivers.virtual_fault_words import FaultWords
from drivers.virtual_faults import FaultPanel
from drivers.virtual_pty import VirtualRobotError
from drivers.virtual_server import VirtualRobotServer, serve_all
from robots.robot import Robot

__all__ = ["VirtualRobotError", "VirtualRobotServer", "link_paths", "run_virtual_robot", "serve_all"]

_log = logging.getLogger("virtual_robot")


def link_paths(robot: Robot, link: Path) -> dict[str, Path]:
    """The link of every line: ``link`` itself where there is one line, else with the line's name appended."""
    if len(robot.buses) == 1:
        return {robot.buses[0].name: link}
    return {bus.name: link.with_name(f"{link.name}-{bus.name}") for bus in robot.buses}


def run_virtual_robot(
    robot: Robot,
    link: Path | None,
    strict_baud: bool,
    ready: Callable[[Mapping[str, str]], None],
    stop: Event,
    control: Path | None = None,
    *,
    control_required: bool = False,
) -> None:
    """Serve ``robot`` until ``stop`` is set.

    Args:
        robot: which robot.
        link: stable path of its port; of several lines each gets its name appended.
        strict_baud: devices are deaf to a host at another baud.
        ready: is told the path to open of every line, by the lines' names.
        stop: ends it.
        control: where to listen for faults; None: nowhere.
        control_required: whether it is an error that another virtual robot listens there; otherwise a warning.

    Raises:
        VirtualRobotError: a link can't be made.
        ControlTakenError: ``control`` is somebody else's, and it was required.
        ControlTableError: the robot has a model or baud that no table knows.
    """
    links = link_paths(robot, link) if link is not None else {}
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(VirtualRobotServer(bus, links.get(name), strict_baud=strict_baud))
            for name, bus in build_virtual_buses(robot).items()
        }
        panel = FaultPanel(robot, {name: server.bus for name, server in servers.items()}, servers)
        if control is not None:
            try:
                stack.enter_context(ControlSocket(control, FaultWords(panel).answer))
            except ControlTakenError as error:
                if control_required:
                    raise
                _log.warning("no faults on demand: %s", error)
        for name, server in servers.items():
            _log.info("virtual %s, bus %s: %d devices at %s", robot.name, name, len(server.bus.devices), server.path)
        ready({name: server.path for name, server in servers.items()})
        serve_all(list(servers.values()), stop)
