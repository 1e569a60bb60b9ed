# SPDX-License-Identifier: Apache-2.0
"""Who of a line's devices is silent: judged by what every read brought, or did not bring.

Devices answer a group read in turn, each after the one before it, and behind a silent one many models say nothing
either (ROBOTIS, DynamixelSDK issue 364). So not everybody who is missing is to blame.
"""

from collections import deque
from collections.abc import Callable, Iterable

import numpy as np

from drivers.group_read import MISSING, Answers, GroupRead, Kind
from drivers.quarantine import Quarantine

FAST_FAILURES = 10
"""So many broken joint frames in a row while plain reads succeed: this bus can't do fast reads."""
CONTINUE_AT_MOST = 3
"""So many times in a cycle the devices behind a silent one are asked again."""
LOOK_AROUND_NS = 30_000_000
"""Nobody has answered for this long: everybody is asked singly."""
MUTE_NS = 500_000_000
"""Nobody has answered for this long: everybody is put aside."""
PINGS = 2
"""A suspect that misses so many is silent."""


class RollCall:
    """Judges read by read, and settles at the end of a cycle.

    Args:
        ids: the line's devices.
        branch: what loses power together with a device.
        ping: whether a device answers one ping; may raise PortError.
        changed: called when other devices, or other reads, are to be asked from now on.
        clock_ns: monotonic clock.

    Attributes:
        careful: ask with plain reads: a joint frame came broken, and only they tell who is silent.
        fast_works: joint frames arrive on this line.
        mute_since_ns: since when nobody at all has answered; 0: somebody does.
        mute_cycles: so many cycles in a row.
    """

    def __init__(
        self,
        ids: Iterable[int],
        branch: Callable[[int], str],
        ping: Callable[[int], bool],
        changed: Callable[[], None],
        clock_ns: Callable[[], int],
    ) -> None:
        self._ids, self._branch, self._ping = tuple(ids), branch, ping
        self._changed, self._clock_ns = changed, clock_ns
        self.quarantine = Quarantine(self._ids)
        self.careful = False
        self.fast_works = True
        self.mute_since_ns = self.mute_cycles = 0
        self._fast_failures = 0
        self._suspects: deque[tuple[int, int]] = deque()
        self._unheard: list[int] = []
        self._somebody_answered = False
        self.begin()

    @property
    def calm(self) -> bool:
        """Nobody has to be asked about anything."""
        return not (self.careful or self._suspects or self.mute_since_ns)

    def forget(self) -> None:
        """Every device was checked and configured: ask them all."""
        self.quarantine.clear()
        self._suspects.clear()
        self.careful = False
        self.mute_since_ns = self.mute_cycles = self._fast_failures = 0

    def doubt_everybody(self) -> None:
        """The port is another one: everybody is asked singly before anything is believed."""
        self._suspects.clear()
        self.mute_since_ns = self.mute_cycles = 0
        for servo in self._ids:
            self.quarantine.put_aside(servo, 0)

    # --- one cycle ---------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """A new cycle."""
        self._missing: list[int] = []
        self._heard_bytes = self._continued = 0
        self._broken_frame = False

    def judge(self, read: GroupRead, answers: Answers, received_bytes: int) -> GroupRead | None:
        """Note who was not heard in a read, and who was merely not understood.

        Returns:
            a read for those behind a silent device, who may have waited in vain; None: nobody did.
        """
        missing = [] if answers.complete else [read.ids[int(k)] for k in np.flatnonzero(answers.error == MISSING)]
        self._heard_bytes += received_bytes
        silent = len(missing) > answers.crc_failures and received_bytes < read.answer_bytes
        if not silent:
            self.quarantine.heard(read.ids)
        elif read.kind.fast:  # a joint frame ends at the first device that is silent: ask everybody singly
            self._broken_frame = True
        else:
            return self._blame(read, set(missing))
        return None

    def settle(self, now_ns: int, *, was_careful: bool, may_ping: bool) -> None:
        """The cycle is over: put aside who has been silent for too long, unless the whole line was.

        Args:
            now_ns: when the last answer came.
            was_careful: the cycle's reads were plain ones for want of a whole joint frame.
            may_ping: the line is free; False while the next burst is on it.

        Raises:
            PortError: the port is gone.
        """
        if self._broken_frame:
            self.careful = True
            self._count_fast_failure()
        elif not self._missing:
            self.careful = False
            self.mute_since_ns = self.mute_cycles = 0
            self._fast_failures = self._fast_failures if was_careful else 0
        elif not self._heard_bytes:
            self.mute_since_ns = self.mute_since_ns or now_ns
            self.mute_cycles += 1
            self._look_around_when_mute(now_ns)
        else:
            self.mute_since_ns = self.mute_cycles = 0
            before = self.quarantine.silent
            if self.quarantine.missed(self._missing, now_ns):
                self._put_aside(self.quarantine.silent - before, may_ping)

    def ask_a_suspect(self) -> bool:
        """Ping one device whose silence is suspected; True when there was one.

        A device that misses its pings is put aside as soon as anybody else is known to answer.

        Raises:
            PortError: the port is gone.
        """
        if not self._suspects:
            return False
        servo, misses = self._suspects.popleft()
        if servo in self.quarantine.silent:
            return True
        if self._ping(servo):
            self._somebody_answered = True
        elif misses + 1 < PINGS:
            self._suspects.append((servo, misses + 1))
        else:
            self._unheard.append(servo)
        if self._unheard and (self._somebody_answered or not self.mute_since_ns):
            for gone in self._unheard:
                self.quarantine.put_aside(gone, self._clock_ns())
            self._unheard = []
            self._changed()
        return True

    # --- who is to blame -----------------------------------------------------------------------------------------

    def _blame(self, read: GroupRead, missing: set[int]) -> GroupRead | None:
        """Of those missing at the end only the first is to blame; the others are asked at once, those of other branches
        first, so that they stay fresh. Who is missing although somebody behind answered is silent."""
        answered = [place for place, servo in enumerate(read.ids) if servo not in missing]
        end = answered[-1] + 1 if answered else 0
        self.quarantine.heard(read.ids[place] for place in answered)
        self._missing += [servo for servo in read.ids[:end] if servo in missing]
        if end == len(read.ids):
            return None
        first, rest = read.ids[end], list(read.slots[end + 1 :])
        self._missing.append(first)
        if not rest or self._continued >= (CONTINUE_AT_MOST if self._heard_bytes else 1):
            return None
        self._continued += 1
        rest.sort(key=lambda slot: self._branch(slot.id) == self._branch(first))
        alike = len({(slot.address, slot.length) for slot in rest}) == 1
        return GroupRead(rest, Kind.SYNC if alike else Kind.BULK)

    def _put_aside(self, newly: Iterable[int], may_ping: bool) -> None:
        """Put aside who missed three times; those of the same branch may be next.

        One ping before that where the line is free: on a noisy line three answers in a row get lost.
        """
        gone = []
        for servo in newly:
            if may_ping and self._ping(servo):
                self.quarantine.release(servo)
            else:
                gone.append(servo)
        if gone:
            self.careful, self._fast_failures = False, 0
            hit = {self._branch(servo) for servo in gone}
            self._suspect(servo for servo in self._ids if self._branch(servo) in hit)
            self._changed()

    def _look_around_when_mute(self, now_ns: int) -> None:
        """Nobody answers: ask everybody singly, because a few silent ones in front can hide the others; after half a
        second put everybody aside."""
        mute_ns = now_ns - self.mute_since_ns
        if mute_ns > MUTE_NS:
            self._suspects.clear()
            for servo in set(self._ids) - self.quarantine.silent:
                self.quarantine.put_aside(servo, now_ns)
            self._changed()
        elif mute_ns > LOOK_AROUND_NS and not self._suspects:
            self._suspect(self._ids)

    def _suspect(self, servos: Iterable[int]) -> None:
        """Ask these singly, one a cycle."""
        self._suspects.extend((servo, 0) for servo in servos if servo not in self.quarantine.silent)
        self._somebody_answered = False
        self._unheard = []

    def _count_fast_failure(self) -> None:
        self._fast_failures += 1
        if self._fast_failures >= FAST_FAILURES:
            self.fast_works = False
            self._changed()
