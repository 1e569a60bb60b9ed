# SPDX-License-Identifier: Apache-2.0
"""Commands from outside: accepted only when complete, finite, fresh and newer than the last one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.safety import COMMAND_TTL_NS

Array = NDArray[np.float64]

FUTURE_NS = 20_000_000
"""A command may be issued this much in the future (clocks of two processes); more is a clock fault."""

OLDEST_CAPTURE_NS = 500_000_000


class CommandError(ValueError):
    """A command that must not move anything. Scenarios: NaN, unknown joint, stale, out of order."""


@dataclass(frozen=True, slots=True)
class Command:
    """One accepted command.

    Attributes:
        position_rad: (n,) in the robot's joint order; NaN for joints that it does not mention.
        issued_ns: when its sender published it, monotonic clock.
        capture_ns: when the camera frame behind it was taken, monotonic clock.
        velocity_rad_s: (n,) as the sender says; None where it says nothing.
    """

    position_rad: Array
    issued_ns: int
    capture_ns: int
    velocity_rad_s: Array | None = None


def read_command(
    names: Sequence[str],
    positions: Sequence[float],
    capture_ns: int,
    issued_ns: int,
    now_ns: int,
    order: Sequence[str],
    last: Command | None,
    velocities: Sequence[float] = (),
    ttl_ns: int = COMMAND_TTL_NS,
) -> Command:
    """Check one trajectory point.

    Args:
        names: joints that the point gives.
        positions: their positions [rad].
        capture_ns: stamp of the trajectory; issued_ns: stamp plus time_from_start; now_ns: now (monotonic).
        order: the robot's joints.
        last: the command accepted before.
        velocities: of the same joints [rad/s]; empty where the sender doesn't know them.
        ttl_ns: how old it may be.

    Raises:
        CommandError: with what is wrong.
    """
    if len(names) != len(positions) or not names:
        raise CommandError(
            f"{len(names)} joint names and {len(positions)} positions: expected as many of each, at least 1"
        )
    if len(set(names)) != len(names):
        raise CommandError("a joint is named twice")
    unknown = sorted(set(names) - set(order))
    if unknown:
        raise CommandError(f"unknown joints {', '.join(unknown)}: expected names among {', '.join(order)}")
    if not np.isfinite(positions).all() or not np.isfinite(velocities).all():
        raise CommandError("a position or velocity is NaN or infinite")
    if len(velocities) not in (0, len(names)):
        raise CommandError(f"{len(names)} joint names and {len(velocities)} velocities: expected as many, or none")
    if issued_ns - now_ns > FUTURE_NS:
        raise CommandError(f"issued {(issued_ns - now_ns) / 1e6:.0f} ms in the future: clocks differ")
    if now_ns - issued_ns > ttl_ns:
        raise CommandError(f"{(now_ns - issued_ns) / 1e6:.0f} ms old, at most {ttl_ns // 1_000_000} allowed")
    if now_ns - capture_ns > OLDEST_CAPTURE_NS:
        raise CommandError(f"its camera frame is {(now_ns - capture_ns) / 1e6:.0f} ms old: the tracker can't keep up")
    if last is not None and issued_ns <= last.issued_ns:
        raise CommandError("not newer than the command before")
    position = _in_order(dict(zip(names, positions, strict=True)), order)
    velocity = _in_order(dict(zip(names, velocities, strict=True)), order) if len(velocities) else None
    return Command(position, issued_ns, capture_ns, velocity)


def _in_order(given: dict[str, float], order: Sequence[str]) -> Array:
    return np.array([given.get(name, np.nan) for name in order])
