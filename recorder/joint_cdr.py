# SPDX-License-Identifier: Apache-2.0
"""Quick decoding of the messages that name every joint: names that were seen a moment ago are not read again.

A take holds hundreds of them a second. Whatever is unusual about a message (byte order, many points, a length that
does not fit) is left to the general decoder.
"""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

LITTLE_ENDIAN = b"\x00\x01"
ORIGIN = 4
"""CDR aligns from behind its encapsulation header."""

MOST_POINTS = 2
"""Teleop asks for one; the driver tells what was sent and what its limiter had asked for."""

_TWO = struct.Struct("<iI")
_COUNT = struct.Struct("<I")


class UnusualError(ValueError):
    """A message for the general decoder."""


class JointDecoder:
    """Decodes JointState and JointTrajectory messages.

    Args:
        types: message classes by ROS type.
    """

    def __init__(self, types: Any) -> None:
        self._types = types
        self._block = b""
        self._names: tuple[str, ...] = ()
        self.by_type: dict[str, Callable[[memoryview], Any]] = {
            "sensor_msgs/msg/JointState": self._joint_state,
            "trajectory_msgs/msg/JointTrajectory": self._trajectory,
        }

    def _joint_state(self, data: memoryview) -> Any:
        header, names, at = self._head(data)
        position, at = _doubles(data, at)
        velocity, at = _doubles(data, at)
        effort, at = _doubles(data, at)
        _expect(at == len(data))
        return self._types["sensor_msgs/msg/JointState"](header, names, position, velocity, effort)

    def _trajectory(self, data: memoryview) -> Any:
        header, names, at = self._head(data)
        (count,) = _COUNT.unpack_from(data, at)
        _expect(1 <= count <= MOST_POINTS)
        points, at = [], at + 4
        for _ in range(count):
            point, at = self._point(data, at)
            points.append(point)
        _expect(at == len(data))
        return self._types["trajectory_msgs/msg/JointTrajectory"](header, names, points)

    def _point(self, data: memoryview, at: int) -> tuple[Any, int]:
        """One point of a trajectory, and where the message goes on."""
        values = []
        for _ in range(4):
            sequence, at = _doubles(data, at)
            values.append(sequence)
        at = _aligned(at, 4)
        after = self._types["builtin_interfaces/msg/Duration"](*_TWO.unpack_from(data, at))
        return self._types["trajectory_msgs/msg/JointTrajectoryPoint"](*values, after), at + 8

    def _head(self, data: memoryview) -> tuple[Any, tuple[str, ...], int]:
        """Header, joint names, and where the message goes on."""
        _expect(data[:2] == LITTLE_ENDIAN)
        stamp = self._types["builtin_interfaces/msg/Time"](*_TWO.unpack_from(data, ORIGIN))
        frame, at = _text(data, ORIGIN + 8)
        at = _aligned(at, 4)
        header = self._types["std_msgs/msg/Header"](stamp, frame)
        end = at + len(self._block)
        if not self._block or data[at:end] != self._block:
            end = self._read_names(data, at)
        return header, self._names, _aligned(end, 4)

    def _read_names(self, data: memoryview, begin: int) -> int:
        (count,) = _COUNT.unpack_from(data, begin)
        names, at = [], begin + 4
        for _ in range(count):
            name, at = _text(data, _aligned(at, 4))
            names.append(name)
        self._block, self._names = bytes(data[begin:at]), tuple(names)
        return at


def _text(data: memoryview, at: int) -> tuple[str, int]:
    (length,) = _COUNT.unpack_from(data, at)
    end = at + 4 + length
    _expect(length > 0 and end <= len(data) and data[end - 1] == 0)
    return str(data[at + 4 : end - 1], "utf-8"), end


def _doubles(data: memoryview, at: int) -> tuple[NDArray[np.float64], int]:
    at = _aligned(at, 4)
    (count,) = _COUNT.unpack_from(data, at)
    begin = _aligned(at + 4, 8) if count else at + 4
    _expect(begin + 8 * count <= len(data))
    return np.frombuffer(data, "<f8", count, begin) if count else np.zeros(0), begin + 8 * count


def _aligned(at: int, size: int) -> int:
    return at + (ORIGIN - at) % size


def _expect(usual: bool) -> None:
    if not usual:
        raise UnusualError
