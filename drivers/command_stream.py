# SPDX-License-Identifier: Apache-2.0
"""Commands of all groups of joints as one moving target: the newest of each group, with its velocity."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drivers.command import Command
from drivers.safety import COMMAND_TTL_NS

Array = NDArray[np.float64]

LEAD, FEED = 0.5, 0.8
"""How far a target runs ahead of its last command, in command periods, and how much of its velocity is met; chosen by
trying, see docs/decisions.md."""
HORIZON_NS = 50_000_000
"""A target moves on at its velocity for one command period, but never longer than this."""
LONGEST_PERIOD_NS = 150_000_000
"""Commands farther apart tell no velocity."""
SMOOTHING = 0.6
"""Share of the newest difference in the velocity that is derived from positions."""


class CommandStream:
    """The commands of one group of joints."""

    def __init__(
        self,
        members: Sequence[int],
        lower: Array,
        upper: Array,
        fastest: Array,
        ttl_ns: int = COMMAND_TTL_NS,
    ) -> None:
        self.members = np.array(members)
        self._ttl_ns = ttl_ns
        self._lower, self._upper, self._fastest = lower, upper, fastest
        count = len(lower)
        self.last: Command | None = None
        self._velocity = np.zeros(count)
        self._period_ns = 0

    def offer(self, command: Command) -> None:
        """A new accepted command.

        Its velocity is what the sender says, or else the difference to the command before, both clipped to limits and
        caps: a jump of the tracker is no throw.
        """
        before, self.last = self.last, command
        self._period_ns = 0 if before is None else command.issued_ns - before.issued_ns
        if command.velocity_rad_s is not None:
            self._velocity = np.nan_to_num(command.velocity_rad_s)
        elif before is None or not 0 < self._period_ns <= LONGEST_PERIOD_NS:
            self._velocity[:] = 0.0
        else:
            elapsed_s = (command.capture_ns - before.capture_ns) * 1e-9
            elapsed_s = elapsed_s if 0.25 < elapsed_s / (self._period_ns * 1e-9) < 4.0 else self._period_ns * 1e-9
            newest = np.nan_to_num((self._within(command) - self._within(before)) / elapsed_s)
            self._velocity = SMOOTHING * newest + (1.0 - SMOOTHING) * self._velocity
        self._velocity = np.clip(self._velocity, -self._fastest, self._fastest)

    def _within(self, command: Command) -> Array:
        inside: Array = np.clip(command.position_rad, self._lower, self._upper)
        return inside

    def age_ns(self, now_ns: int) -> int | None:
        """Since the newest command was issued; None when there is none."""
        return None if self.last is None else max(0, now_ns - self.last.issued_ns)

    def fresh(self, now_ns: int) -> bool:
        """Whether it may move anything now."""
        age_ns = self.age_ns(now_ns)
        return age_ns is not None and age_ns <= self._ttl_ns

    def target(self, now_ns: int, feed_forward: bool) -> tuple[Array, Array]:
        """Position and velocity (count,) that this group asks for now; NaN and 0 for joints it does not mention."""
        assert self.last is not None
        if not feed_forward:
            return self.last.position_rad, np.zeros(len(self.last.position_rad))
        ahead_ns = min(max(0, now_ns - self.last.issued_ns), HORIZON_NS, max(self._period_ns, 0))
        over = now_ns - self.last.issued_ns > min(HORIZON_NS, max(2 * self._period_ns, 1))
        velocity = np.zeros(len(self._velocity)) if over else FEED * self._velocity
        return self.last.position_rad + self._velocity * (LEAD * ahead_ns * 1e-9), velocity


class CommandStreams:
    """All groups of a robot. ``live`` are those that the operator engaged with; others are held where they are."""

    def __init__(
        self,
        groups: Sequence[Sequence[int]],
        lower: Array,
        upper: Array,
        fastest: Array,
        feed_forward: bool,
        ttl_ns: int = COMMAND_TTL_NS,
    ) -> None:
        self.streams = [CommandStream(members, lower, upper, fastest, ttl_ns) for members in groups]
        self._count, self._feed_forward = len(lower), feed_forward
        self._live: tuple[CommandStream, ...] = ()

    def engage(self, now_ns: int) -> None:
        """The groups that are fresh now are the ones to follow from now on."""
        self._live = tuple(stream for stream in self.streams if stream.fresh(now_ns))

    def age_ns(self, now_ns: int, engaged: bool) -> int | None:
        """Age of the oldest live stream while engaged, of the newest stream otherwise; None: no command."""
        streams = self._live if engaged else self.streams
        ages = [age for stream in streams if (age := stream.age_ns(now_ns)) is not None]
        if not ages:
            return None
        return max(ages) if engaged else min(ages)

    def fresh_target(self, now_ns: int) -> Array:
        """Where the streams that are fresh now want the joints (count,); NaN for joints without a fresh command."""
        wanted = np.full(self._count, np.nan)
        for stream in self.streams:
            if stream.fresh(now_ns) and stream.last is not None:
                wanted[stream.members] = stream.last.position_rad[stream.members]
        return wanted

    def target(self, now_ns: int) -> tuple[Array, Array, int] | None:
        """Position (count,) with NaN where nobody asks, velocity (count,), and the newest capture stamp.

        None when a live stream is not fresh: then nothing moves.
        """
        position, velocity, capture_ns = np.full(self._count, np.nan), np.zeros(self._count), 0
        for stream in self._live:
            if not stream.fresh(now_ns) or stream.last is None:
                return None
            wanted, speed = stream.target(now_ns, self._feed_forward)
            position[stream.members], velocity[stream.members] = wanted[stream.members], speed[stream.members]
            capture_ns = max(capture_ns, stream.last.capture_ns)
        return (position, velocity, capture_ns) if self._live else None
