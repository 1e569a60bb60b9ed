# SPDX-License-Identifier: Apache-2.0
"""The clutch: only a fresh, still, open palm and a driver that agrees engage; everything else lets go."""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from synthetic_hands import FRAME_NS, NS_PER_S

from teleop.calibration import SMALLEST_SAMPLES
from teleop.engage import Clutch, EngageSettings, Phase
from teleop.gestures import Gesture

MS = 1_000_000
SETTINGS = EngageSettings()
FLAT = np.full(20, 0.2)
START = 1_000 * NS_PER_S

others = st.sampled_from([gesture for gesture in Gesture if gesture is not Gesture.OPEN_PALM])


class Operator:
    """Shows things to a clutch, a frame at a time."""

    def __init__(self, settings=SETTINGS):
        self.clutch = Clutch(settings)
        self.now_ns = START

    def show(self, gesture, seconds=0.0, angles=FLAT):
        """Show a gesture (None: no hand) for some time, at least one frame; stops when the clutch begins to ask."""
        before = self.clutch.phase
        end_ns = self.now_ns + int(seconds * NS_PER_S)
        while True:
            self.now_ns += FRAME_NS
            self.clutch.see(self.now_ns, gesture, None if gesture is None else angles)
            if self.now_ns >= end_ns or (self.clutch.phase is Phase.ASKING and before is not Phase.ASKING):
                return self.clutch.phase

    def hold_until_asking(self):
        assert self.show(Gesture.OPEN_PALM, 1.0) is Phase.ASKING
        return self

    def engage(self):
        self.hold_until_asking()
        self.clutch.answer(True, "", self.now_ns)
        assert self.clutch.phase is Phase.ENGAGED
        return self


@pytest.fixture
def operator():
    return Operator()


# ---- the way in -------------------------------------------------------------------------------------------


def test_a_held_open_palm_asks_and_an_accepting_driver_engages(operator):
    begun = operator.now_ns + FRAME_NS
    assert operator.show(Gesture.OPEN_PALM) is Phase.CALIBRATING
    operator.hold_until_asking()
    assert 0 <= operator.now_ns - begun - SETTINGS.dwell_ns < FRAME_NS
    assert operator.clutch.calibration.offset_rad[2] == pytest.approx(0.2)
    operator.clutch.answer(True, "", operator.now_ns)
    assert (operator.clutch.phase, operator.clutch.reason) == (Phase.ENGAGED, "")


@pytest.mark.parametrize("gesture", [gesture for gesture in Gesture if gesture is not Gesture.OPEN_PALM])
def test_no_other_gesture_begins_anything(operator, gesture):
    assert operator.show(gesture, 5.0) is Phase.WAITING


def test_the_driver_cannot_engage_an_operator_who_did_not_ask(operator):
    operator.clutch.answer(True, "", operator.now_ns)
    assert operator.clutch.phase is Phase.WAITING
    operator.show(Gesture.OPEN_PALM, 0.3)
    operator.clutch.answer(True, "", operator.now_ns)
    assert operator.clutch.phase is Phase.CALIBRATING


def test_letting_go_too_early_begins_anew(operator):
    operator.show(Gesture.OPEN_PALM, 0.5)
    assert operator.show(Gesture.FIST, 0.2) is Phase.WAITING
    assert "not held long enough" in operator.clutch.reason
    assert operator.show(Gesture.OPEN_PALM, 0.5) is Phase.CALIBRATING


def test_a_flicker_of_the_gesture_is_tolerated(operator):
    begun = operator.now_ns + FRAME_NS
    operator.show(Gesture.OPEN_PALM, 0.2)
    assert operator.show(Gesture.NONE, 0.06) is Phase.CALIBRATING
    operator.hold_until_asking()
    assert operator.now_ns - begun < SETTINGS.dwell_ns + FRAME_NS


def test_a_hand_that_flickers_out_of_sight_is_tolerated_for_the_coast_time(operator):
    operator.engage()
    last_seen = operator.now_ns
    operator.clutch.see(last_seen + SETTINGS.coast_ns, None, None)
    assert operator.clutch.phase is Phase.ENGAGED
    operator.clutch.see(last_seen + SETTINGS.coast_ns + 1, None, None)
    assert (operator.clutch.phase, operator.clutch.reason) == (Phase.WAITING, "hand lost")


def test_coast_time_counts_from_the_last_time_the_hand_was_seen(operator):
    operator.engage()
    for _ in range(20):
        operator.show(None)
        operator.show(None)
        assert operator.show(Gesture.FIST) is Phase.ENGAGED


def test_hand_lost_while_asking_is_lost_and_a_late_yes_does_not_engage(operator):
    operator.hold_until_asking()
    operator.show(None, 0.3)
    assert operator.clutch.phase is Phase.WAITING
    operator.clutch.answer(True, "", operator.now_ns)
    assert operator.clutch.phase is Phase.WAITING


def test_moving_fingers_do_not_calibrate_and_the_operator_is_told(operator):
    for k in range(40):
        operator.show(Gesture.OPEN_PALM, angles=FLAT + 0.3 * (k % 2))
        assert operator.clutch.phase in (Phase.WAITING, Phase.CALIBRATING)
        if operator.clutch.phase is Phase.WAITING:
            break
    assert "hold the open palm still" in operator.clutch.reason


def test_a_palm_of_bent_fingers_does_not_calibrate(operator):
    operator.show(Gesture.OPEN_PALM, 0.62, angles=np.full(20, 1.2))
    assert operator.clutch.phase is not Phase.ASKING
    assert operator.clutch.calibration is None


# ---- the way out ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way_out", ["drop", "hand lost"])
def test_after_a_loss_only_a_whole_new_dwell_engages_again(operator, way_out):
    operator.engage()
    if way_out == "drop":
        operator.clutch.drop("the driver holds: bus silent", operator.now_ns)
        assert operator.clutch.reason == "the driver holds: bus silent"
    else:
        operator.show(None, 0.3)
    begun = operator.now_ns + FRAME_NS
    assert operator.show(Gesture.OPEN_PALM) is Phase.CALIBRATING
    operator.hold_until_asking()
    assert operator.now_ns - begun >= SETTINGS.dwell_ns


def test_an_engaged_operator_may_show_anything(operator):
    operator.engage()
    for gesture in Gesture:
        assert operator.show(gesture, 1.0) is Phase.ENGAGED


def test_a_refusal_is_told_and_the_next_try_waits(operator):
    operator.hold_until_asking()
    operator.clutch.answer(False, "too far away", operator.now_ns)
    refused = operator.now_ns
    assert (operator.clutch.phase, operator.clutch.reason) == (Phase.WAITING, "the driver refused: too far away")
    while operator.now_ns + FRAME_NS < refused + SETTINGS.retry_ns:
        assert operator.show(Gesture.OPEN_PALM) is Phase.WAITING
    assert operator.show(Gesture.OPEN_PALM) is Phase.CALIBRATING


def test_a_loss_that_is_no_refusal_does_not_wait(operator):
    operator.engage()
    operator.clutch.drop("stopped", operator.now_ns)
    assert operator.show(Gesture.OPEN_PALM) is Phase.CALIBRATING


def test_dropping_one_who_waits_keeps_the_reason(operator):
    told = operator.clutch.reason
    operator.clutch.drop("nothing", operator.now_ns)
    assert operator.clutch.reason == told


def test_progress_grows_from_nothing_to_all(operator):
    assert operator.clutch.progress(operator.now_ns) == 0.0
    operator.show(Gesture.OPEN_PALM)
    begun = operator.now_ns
    shares = [operator.clutch.progress(begun + k * 100 * MS) for k in range(-3, 10)]
    assert shares == pytest.approx([0, 0, 0, 0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1, 1, 1, 1])


# ---- in any order -----------------------------------------------------------------------------------------


class AnyOperator(RuleBasedStateMachine):
    """Any order of frames, answers and drops; what it remembers is only what it has shown since it last waited."""

    def __init__(self):
        super().__init__()
        self.clutch = Clutch()
        self.now_ns = START
        self.palms_ns = []
        self.missing_since_ns = None
        self.not_before_ns = 0
        self.before = Phase.WAITING

    def _frame(self, gesture, wait_ns, angles=FLAT):
        self.now_ns += wait_ns
        self.before = self.clutch.phase
        if self.before is Phase.WAITING:
            self.palms_ns = []
        if gesture is Gesture.OPEN_PALM:
            self.palms_ns.append(self.now_ns)
        self.clutch.see(self.now_ns, gesture, None if gesture is None else angles)
        after = self.clutch.phase
        assert (self.before, after) in {
            (Phase.WAITING, Phase.WAITING),
            (Phase.WAITING, Phase.CALIBRATING),
            (Phase.CALIBRATING, Phase.CALIBRATING),
            (Phase.CALIBRATING, Phase.WAITING),
            (Phase.CALIBRATING, Phase.ASKING),
            (Phase.ASKING, Phase.ASKING),
            (Phase.ASKING, Phase.WAITING),
            (Phase.ENGAGED, Phase.ENGAGED),
            (Phase.ENGAGED, Phase.WAITING),
        }
        if (self.before, after) == (Phase.WAITING, Phase.CALIBRATING):
            assert gesture is Gesture.OPEN_PALM and self.now_ns >= self.not_before_ns
        if (self.before, after) == (Phase.CALIBRATING, Phase.ASKING):
            assert self.now_ns - self.palms_ns[0] >= SETTINGS.dwell_ns
            assert len(self.palms_ns) >= SMALLEST_SAMPLES
            assert self.now_ns - self.palms_ns[-1] <= SETTINGS.flicker_ns
            assert self.clutch.calibration is not None
        if gesture is not None:
            assert (self.before, after) not in {(Phase.ENGAGED, Phase.WAITING), (Phase.ASKING, Phase.WAITING)}

    @rule(count=st.integers(1, 25), wait_ms=st.sampled_from([16, 33, 66]))
    def palm(self, count, wait_ms):
        for _ in range(count):
            self._frame(Gesture.OPEN_PALM, wait_ms * MS)
        self.missing_since_ns = None

    @rule(count=st.integers(1, 25))
    def moving_palm(self, count):
        for k in range(count):
            self._frame(Gesture.OPEN_PALM, 33 * MS, FLAT + 0.5 * (k % 2))
        self.missing_since_ns = None

    @rule(gesture=others, count=st.integers(1, 6))
    def other_gesture(self, gesture, count):
        for _ in range(count):
            self._frame(gesture, 33 * MS)
        self.missing_since_ns = None

    @rule(count=st.integers(1, 6))
    def no_hand(self, count):
        seen_ns = self.now_ns if self.missing_since_ns is None else self.missing_since_ns
        self.missing_since_ns = seen_ns
        for _ in range(count):
            self._frame(None, 33 * MS)
            if self.now_ns - seen_ns > SETTINGS.coast_ns:
                assert self.clutch.phase is Phase.WAITING
            elif self.before is not Phase.WAITING:
                assert self.clutch.phase is self.before
        if self.clutch.phase is Phase.WAITING and self.before is Phase.ASKING:
            self.not_before_ns = self.now_ns + SETTINGS.retry_ns

    @precondition(lambda self: self.clutch.phase is Phase.ASKING)
    @rule()
    def driver_accepts(self):
        self.clutch.answer(True, "", self.now_ns)
        assert self.clutch.phase is Phase.ENGAGED

    @rule(accepted=st.booleans())
    def driver_answers_at_any_time(self, accepted):
        before = self.clutch.phase
        self.clutch.answer(accepted, "no", self.now_ns)
        if before is not Phase.ASKING:
            assert self.clutch.phase is before
        elif accepted:
            assert self.clutch.phase is Phase.ENGAGED
        else:
            assert self.clutch.phase is Phase.WAITING
            self.not_before_ns = self.now_ns + SETTINGS.retry_ns

    @rule()
    def drop(self):
        before = self.clutch.phase
        self.clutch.drop("dropped", self.now_ns)
        assert self.clutch.phase is Phase.WAITING
        if before is Phase.ASKING:
            self.not_before_ns = self.now_ns + SETTINGS.retry_ns

    @invariant()
    def progress_is_a_share_of_the_dwell(self):
        assert 0.0 <= self.clutch.progress(self.now_ns) <= 1.0

    @invariant()
    def one_who_is_not_engaged_is_told_why(self):
        assert bool(self.clutch.reason) == (self.clutch.phase is not Phase.ENGAGED)


TestAnyOperator = AnyOperator.TestCase
TestAnyOperator.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
