# SPDX-License-Identifier: Apache-2.0
"""An answer that comes after its time-out is not taken for the answer to the next question."""

import time

import pytest

from drivers.bus import Bus
from drivers.latency import CEILING_NS
from drivers.virtual_build import build_virtual_bus
from robots import load_robot

ROBOT = load_robot("op3")
SERVO = 19
TOO_LATE_NS, LATE_NS = CEILING_NS + 2_000_000, CEILING_NS // 2
SPEED_LIMIT, MAX_LIMIT, MIN_LIMIT = (44, 4), (48, 4), (52, 4)


class LatePort:
    """A virtual bus whose first few answers are late, each by its own time, in the order of the questions."""

    baud = 2_000_000

    def __init__(self, late_ns: list[int]) -> None:
        self.virtual, self.late_ns = build_virtual_bus(ROBOT), late_ns
        self.coming: list[tuple[int, bytes]] = []

    def write(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        due_ns = now_ns + (self.late_ns.pop(0) if self.late_ns else 0)
        self.coming += [(due_ns, answer.data) for answer in self.virtual.handle(data, now_ns)]

    def read(self, deadline_ns: int) -> bytes:
        if not self.coming or self.coming[0][0] > deadline_ns:
            time.sleep(max(0, deadline_ns - time.monotonic_ns()) * 1e-9)
            return b""
        due_ns, data = self.coming.pop(0)
        time.sleep(max(0, due_ns - time.monotonic_ns()) * 1e-9)
        return data

    def discard(self) -> None:
        now_ns = time.monotonic_ns()
        self.coming = [one for one in self.coming if one[0] > now_ns]

    def close(self) -> None:
        pass


@pytest.mark.parametrize("late_ns", [[], [TOO_LATE_NS], [TOO_LATE_NS, LATE_NS], [TOO_LATE_NS, TOO_LATE_NS, LATE_NS]])
def test_every_register_has_its_own_value(late_ns: list[int]) -> None:
    device = next(one for one in build_virtual_bus(ROBOT).devices if one.id == SERVO)
    expected = [device.peek(name) for name in ("Velocity Limit", "Min Position Limit", "Max Position Limit")]
    assert len(set(expected)) == 3
    times_out = TOO_LATE_NS in late_ns
    bus = Bus(LatePort(late_ns))
    found = [int.from_bytes(bus.read(SERVO, *register), "little") for register in (SPEED_LIMIT, MIN_LIMIT, MAX_LIMIT)]
    assert found == expected
    assert bool(bus.counters.timeouts) == times_out
