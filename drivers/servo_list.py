# SPDX-License-Identifier: Apache-2.0
"""Every servo in a line, once a second, for people: from what the driver knows anyway, nothing is asked for it."""

from collections.abc import Set
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from drivers.control_loop import Cycle
from drivers.hardware_error import describe
from drivers.joint_health import JointHealth
from drivers.robot_link import STALE_NS, RobotLink
from robots import Robot

EVERY_NS = 1_000_000_000

SILENT = "does not answer: check its cable, plug and power"
LET_GO = "let go by the driver because it was overloaded"
STOPPED = "has stopped by itself"


def servo_list(
    robot: Robot, health: JointHealth, silent: Set[int], stopped: Set[int], age_ns: NDArray[np.int64]
) -> list[dict[str, object]]:
    """One entry a joint, in the robot's order: the content of ``/driver/servos``.

    Args:
        robot: whose servos.
        health: what was read of them beside their motion.
        silent: indices of joints whose servo does not answer.
        stopped: indices of those that have stopped without being told.
        age_ns: (n,) time since a credible position of each came [ns].
    """
    told: list[dict[str, object]] = []
    for k, joint in enumerate(robot.joints):
        words = list(describe(health.family(k), int(health.error[k])))
        words += [SILENT] if k in silent else []
        words += [LET_GO] if k in health.released else []
        words += [STOPPED] if k in stopped and k not in silent else []
        told.append(
            {
                "name": joint.name,
                "id": joint.id,
                "fresh": k not in silent and bool(age_ns[k] <= STALE_NS),
                "temperature_c": _whole(health.temperature_degc[k]),
                "limit_c": _whole(health.limits[k].temperature_degc),
                "fault": ", ".join(words),
            }
        )
    return told


def silent_joints(link: RobotLink) -> set[int]:
    """Joints whose servo, hand controller or port does not answer. For threads other than the bus thread, which may
    put a servo aside at any time.

    Raises:
        RuntimeError: it has just done so.
    """
    found = set(link.care.silent_fingers)
    for line in link.lines:
        everybody = bool(line.port_lost)
        found |= {servo.index for servo in line.servos if everybody or servo.id in line.silent}
        for hand in line.hands:
            if everybody or hand.id in line.silent:
                found |= {int(k) for k in hand.indices}
    return found


class ServoList:
    """Belongs to the publisher thread: sees every cycle, has a list once a second."""

    def __init__(self, robot: Robot, link: RobotLink) -> None:
        self._robot, self._link = robot, link
        self._fresh_ns = np.zeros(len(robot.joints), np.int64)
        self._told_ns = 0
        self._silent: set[int] = set()

    def see(self, cycle: Cycle) -> list[dict[str, object]] | None:
        """One cycle; the list where one is due."""
        self._fresh_ns[cycle.reading.fresh] = cycle.read_ns
        if self._told_ns and cycle.read_ns - self._told_ns < EVERY_NS:
            return None
        self._told_ns = cycle.read_ns
        with suppress(RuntimeError):
            self._silent = silent_joints(self._link)
        stopped = set(self._link.stopped_joints())
        return servo_list(self._robot, self._link.health, self._silent, stopped, cycle.read_ns - self._fresh_ns)


def _whole(degc: float) -> int | None:
    return None if np.isnan(degc) else round(degc)
