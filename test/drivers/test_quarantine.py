# SPDX-License-Identifier: Apache-2.0
"""Laws of the quarantine, in any order of events."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from drivers.quarantine import MISSES, PROBE_EVERY_NS, Quarantine

IDS = (1, 2, 3)
SOME = st.sets(st.sampled_from(IDS), min_size=1)


class Model(RuleBasedStateMachine):
    """Three misses in a row, no more and no less, put a device aside; only a release brings it back."""

    def __init__(self) -> None:
        super().__init__()
        self.quarantine, self.now_ns = Quarantine(IDS), 10**12
        self.misses, self.aside = dict.fromkeys(IDS, 0), set()
        self.asked_ns: dict[int, int] = {}

    @rule(step_ms=st.integers(1, 700))
    def time_passes(self, step_ms: int) -> None:
        self.now_ns += step_ms * 1_000_000

    @rule(ids=SOME)
    def missed(self, ids: set[int]) -> None:
        ids -= self.aside  # nobody asks those
        for servo in ids:
            self.misses[servo] += 1
        new = {servo for servo in ids if self.misses[servo] >= MISSES}
        assert self.quarantine.missed(ids, self.now_ns) == bool(new)
        for servo in new:
            self.asked_ns[servo] = self.now_ns
        self.aside |= new

    @rule(ids=SOME)
    def heard(self, ids: set[int]) -> None:
        ids -= self.aside
        self.quarantine.heard(ids)
        self.misses |= dict.fromkeys(ids, 0)

    @rule()
    def ask(self) -> None:
        servo = self.quarantine.due(self.now_ns)
        ripe = {one for one in self.aside if self.now_ns - self.asked_ns[one] >= PROBE_EVERY_NS}
        assert (servo in ripe) if ripe else servo is None
        if servo is not None:
            self.asked_ns[servo] = self.now_ns

    @rule(servo=st.sampled_from(IDS))
    def release(self, servo: int) -> None:
        self.quarantine.release(servo)
        self.aside.discard(servo)
        self.misses[servo] = 0

    @rule()
    def clear(self) -> None:
        self.quarantine.clear()
        self.aside, self.misses = set(), dict.fromkeys(IDS, 0)

    @invariant()
    def the_same_are_aside(self) -> None:
        assert self.quarantine.silent == self.aside


TestQuarantine = Model.TestCase
TestQuarantine.settings = settings(max_examples=100, deadline=None)


def test_one_that_is_put_aside_is_asked_at_once() -> None:
    quarantine = Quarantine(IDS)
    quarantine.put_aside(2, 5)
    assert quarantine.due(5) == 2
    assert quarantine.due(5 + PROBE_EVERY_NS - 1) is None
