# SPDX-License-Identifier: Apache-2.0
"""The clutch: laws of its tables, and of one limb that begins without a jump, coasts, is held and comes back."""

import numpy as np
import pytest
from fake_limbs import FRAME_NS, START, FakeLimb, operator_frame
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from synthetic_hands import NS_PER_S

from robots import load_robot
from teleop.blend import Blend
from teleop.clutch import MS, Clutch, ClutchSettings
from teleop.clutch_table import LIMB_TABLE, TABLE, Action, Event, LimbEvent, LimbState, Move, State
from teleop.limb_clutch import LONGEST_STEP_NS, LimbClutch
from teleop.operator_view import OperatorFrame

ROBOT = load_robot("ffw_sh5")
FULL = ClutchSettings()
ENDS = (Event.RELEASE_SIGN, Event.LOWERED, Event.PEDAL_UP, Event.ALL_LOST, Event.STALLED, Event.DROPPED)


# ---- the tables -------------------------------------------------------------------------------------------


def test_every_state_has_its_row():
    assert set(TABLE) == set(State) and set(LIMB_TABLE) == set(LimbState)


def test_every_event_matters_somewhere():
    assert {event for row in TABLE.values() for event in row} == set(Event)
    assert {event for row in LIMB_TABLE.values() for event in row} == set(LimbEvent)


def test_one_way_leads_to_engaged_and_it_begins_with_the_sign():
    ways = {(state, event, move.state) for state, row in TABLE.items() for event, move in row.items()}
    inwards = {way for way in ways if way[2] is not State.WAITING}
    assert inwards == {
        (State.WAITING, Event.SIGN_SHOWN, State.HOLDING_SIGN),
        (State.HOLDING_SIGN, Event.SIGN_HELD, State.ALIGNING),
        (State.ALIGNING, Event.ALIGNED, State.ASKING),
        (State.ASKING, Event.ACCEPTED, State.RAMPING),
        (State.RAMPING, Event.RAMPED, State.ENGAGED),
    }


@pytest.mark.parametrize("state", [State.ASKING, State.RAMPING, State.ENGAGED])
@pytest.mark.parametrize("event", ENDS)
def test_whatever_ends_it_ends_it_at_once(state, event):
    assert TABLE[state][event].state is State.WAITING
    on_purpose = event in (Event.RELEASE_SIGN, Event.LOWERED, Event.PEDAL_UP)
    assert TABLE[state][event].action is (Action.RELEASE if on_purpose else Action.LET_GO)


@pytest.mark.parametrize("state", [state for state in State if state is not State.WAITING])
@pytest.mark.parametrize("event", [Event.PEDAL_UP, Event.STALLED, Event.DROPPED])
def test_pedal_silence_and_driver_end_every_state(state, event):
    assert TABLE[state][event].state is State.WAITING


def test_a_held_limb_comes_back_by_the_operators_sign_only():
    assert LIMB_TABLE[LimbState.HELD] == {
        LimbEvent.RECLUTCHED: LimbState.FOLLOWING,
        LimbEvent.STOPPED: LimbState.OFF,
    }


def test_tables_cannot_be_changed():
    with pytest.raises(TypeError):
        TABLE[State.WAITING] = {}
    with pytest.raises(TypeError):
        TABLE[State.ENGAGED][Event.ALIGNED] = Move(State.ENGAGED)


class AnyEvents(RuleBasedStateMachine):
    """Any order of events."""

    def __init__(self):
        super().__init__()
        self.clutch, self.now_ns = Clutch(), START
        self.since_waiting = []

    @rule(event=st.sampled_from(Event), wait_ms=st.integers(0, 1500))
    def happen(self, event, wait_ms):
        self.now_ns += wait_ms * MS
        before = self.clutch.state
        action = self.clutch.on(event, self.now_ns, f"because of {event.value}")
        if self.clutch.state is before and action is Action.NONE:
            return
        assert self.clutch.reason == f"because of {event.value}" and self.clutch.since_ns == self.now_ns
        self.since_waiting = [] if self.clutch.state is State.WAITING else [*self.since_waiting, event]

    @invariant()
    def engaged_means_that_all_of_it_has_happened(self):
        way = [Event.SIGN_SHOWN, Event.SIGN_HELD, Event.ALIGNED, Event.ACCEPTED, Event.RAMPED]
        assert self.since_waiting == way[: len(self.since_waiting)]
        assert (self.clutch.state is State.ENGAGED) == (len(self.since_waiting) == 5)
        assert self.clutch.following == (len(self.since_waiting) >= 4)


TestAnyEvents = AnyEvents.TestCase
TestAnyEvents.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


def test_after_a_refusal_the_sign_counts_again_after_a_pause():
    clutch = Clutch()
    for event in (Event.SIGN_SHOWN, Event.SIGN_HELD, Event.ALIGNED, Event.REFUSED):
        clutch.on(event, START)
    clutch.on(Event.SIGN_SHOWN, START + FULL.retry_ns - 1)
    assert clutch.state is State.WAITING
    clutch.on(Event.SIGN_SHOWN, START + FULL.retry_ns)
    assert clutch.state is State.HOLDING_SIGN


# ---- blends -----------------------------------------------------------------------------------------------

poses = arrays(np.float64, 3, elements=st.floats(-2, 2))


@given(poses, poses, poses, st.booleans())
def test_a_blend_begins_where_the_robot_is_and_ends_where_the_operator_is(robot, then, now, relative):
    blend = Blend(robot, robot - then, START, NS_PER_S, relative)
    assert blend.mix(then, START) == pytest.approx(robot, abs=1e-9)
    assert blend.mix(now, START + NS_PER_S) == pytest.approx(now, abs=1e-9)
    assert not blend.done(START + NS_PER_S - 1) and blend.done(START + NS_PER_S)


@given(poses, poses, poses, st.floats(0, 1))
def test_a_relative_blend_passes_the_operators_motion_on_at_once(robot, then, motion, share):
    blend = Blend(robot, robot - then, START, NS_PER_S, relative=True)
    stamp = START + int(share * NS_PER_S)
    assert blend.mix(then + motion, stamp) - blend.mix(then, stamp) == pytest.approx(motion, abs=1e-9)


# ---- one limb ---------------------------------------------------------------------------------------------

JOINTS = [ROBOT.joint_names.index(name) for name in ("arm_r_joint1", "arm_r_joint3", "arm_r_joint5")]
LOWER = np.array([ROBOT.joints[k].min_rad for k in JOINTS])
UPPER = np.array([ROBOT.joints[k].max_rad for k in JOINTS])
FASTEST = np.array(ROBOT.velocity_rad_s)[JOINTS]
INSIDE = 0.5 * (LOWER + UPPER)


class OneLimb:
    """A limb that is engaged at a pose, and the frames it is shown."""

    def __init__(self, robot_rad=INSIDE, shows=INSIDE, relative=False):
        self.fake = FakeLimb("right_hand", "right", JOINTS, relative)
        self.clutch = LimbClutch(ROBOT, self.fake, FULL)
        self.now_ns = START
        self.clutch.watch(np.array(robot_rad))
        self.show(shows)
        self.clutch.engage(self.now_ns, relative)

    def show(self, shows, frames=1, frame_ns=FRAME_NS):
        """Show a pose (None: no hand) for some frames; returns the last target."""
        self.fake.shows = shows
        for _ in range(frames):
            self.now_ns += frame_ns
            self.clutch.see(operator_frame(self.now_ns, right=np.zeros(20)))
            target = self.clutch.step(self.now_ns)
        return target


def test_a_limb_follows_within_about_a_second():
    limb = OneLimb(shows=INSIDE + 0.2)
    assert limb.clutch.blending
    assert limb.show(INSIDE + 0.2, 40) == pytest.approx(INSIDE + 0.2)
    assert not limb.clutch.blending


def test_a_far_limb_takes_longer_so_that_it_stays_slow():
    near, far = OneLimb(shows=INSIDE + 0.2), OneLimb(shows=INSIDE + 1.5)
    near.show(INSIDE + 0.2, 31)
    far.show(INSIDE + 1.5, 31)
    assert not near.clutch.blending and far.clutch.blending


@given(st.lists(st.tuples(poses, st.integers(1, 400)), min_size=1, max_size=25), st.booleans())
def test_no_step_is_longer_than_the_caps_allow_in_the_time_that_counts(shown, relative):
    limb = OneLimb(relative=relative)
    before = limb.clutch.position_rad
    for pose, wait_ms in shown:
        target = limb.show(INSIDE + pose, frame_ns=wait_ms * MS)
        seconds = min(wait_ms * MS, LONGEST_STEP_NS) * 1e-9
        assert (np.abs(target - before) <= FASTEST * seconds + 1e-12).all()
        assert (target >= LOWER).all() and (target <= UPPER).all()
        before = target


@given(poses, st.floats(-2, 2))
def test_a_blend_is_no_faster_than_its_share_of_the_caps(offset, robot):
    start = np.clip(INSIDE + robot, LOWER, UPPER)
    limb = OneLimb(start, np.clip(INSIDE + offset, LOWER, UPPER))
    before = start
    while limb.clutch.blending:
        target = limb.show(np.clip(INSIDE + offset, LOWER, UPPER))
        assert (np.abs(target - before) <= 1.02 * FULL.ramp_share * FASTEST * FRAME_NS * 1e-9 + 1e-12).all()
        before = target


def test_a_short_loss_is_bridged_and_a_longer_one_holds():
    limb = OneLimb()
    limb.show(INSIDE + 0.1, 60)
    held = limb.clutch.position_rad
    for _ in range(FULL.coast_frames):
        assert limb.show(None) == pytest.approx(held, abs=0)
        assert limb.clutch.state is LimbState.COASTING
    assert limb.show(INSIDE + 0.1) == pytest.approx(held)
    assert limb.clutch.state is LimbState.FOLLOWING
    limb.show(None, FULL.coast_frames + 1)
    assert limb.clutch.state is LimbState.HELD
    assert "does not see the right hand" in limb.clutch.reason


def test_a_held_limb_stays_where_it_is_whatever_the_operator_does():
    limb = OneLimb()
    held = limb.show(INSIDE + 0.1, 60)
    limb.show(None, 10)
    for pose in (INSIDE - 0.5, INSIDE + 0.5):
        assert limb.show(pose, 20) == pytest.approx(held, abs=0)
    assert limb.clutch.state is LimbState.HELD
    assert limb.clutch.followed_ns < limb.clutch.held_ns < limb.now_ns


@pytest.mark.parametrize("relative", [True, False])
def test_a_limb_comes_back_from_where_it_was_held(relative):
    limb = OneLimb(relative=relative)
    held = limb.show(INSIDE + 0.1, 60)
    limb.show(None, 10)
    limb.show(INSIDE - 0.4, 5)
    limb.clutch.engage(limb.now_ns, relative)
    assert limb.show(INSIDE - 0.4) == pytest.approx(held, abs=1e-3)
    assert limb.show(INSIDE - 0.4, 60) == pytest.approx(INSIDE - 0.4)


def test_a_limb_that_is_lost_for_long_starts_afresh():
    limb = OneLimb()
    resets = limb.fake.resets
    limb.show(None, FULL.coast_frames + 1)
    assert limb.fake.resets == resets
    limb.show(INSIDE)
    assert limb.fake.resets == resets + 1
    limb.show(INSIDE, 5)
    assert limb.fake.resets == resets + 1


@given(st.sampled_from([np.nan, np.inf, -np.inf]), st.integers(0, 2))
def test_what_is_not_finite_counts_as_lost(wrong, joint):
    limb = OneLimb()
    before = limb.show(INSIDE, 5)
    pose = INSIDE.copy()
    pose[joint] = wrong
    assert limb.show(pose) == pytest.approx(before, abs=0)
    assert limb.clutch.state is LimbState.COASTING
    limb.show(pose, FULL.coast_frames)
    assert limb.clutch.state is LimbState.HELD


def test_too_far_names_the_joint_and_what_to_do():
    limb = OneLimb()
    allowed = np.array(ROBOT.engage_distance_rad)[JOINTS]
    limb.show(INSIDE)
    assert limb.clutch.too_far(INSIDE + 0.99 * allowed) == ""
    robot = INSIDE.copy()
    robot[1] += 1.1 * allowed[1]
    told = limb.clutch.too_far(robot)
    assert ROBOT.joints[JOINTS[1]].label in told and "right hand nearer to the robot's posture" in told
    assert f"{1.1 * allowed[1]:.2f} rad" in told and f"{allowed[1]:.2f}" in told
    assert limb.clutch.too_far(robot, 3.0) == ""


def test_a_limb_that_is_off_moves_nothing():
    limb = OneLimb()
    limb.clutch.stop()
    before = limb.clutch.position_rad
    assert limb.show(INSIDE + 0.3, 10) == pytest.approx(before, abs=0)
    assert limb.clutch.state is LimbState.OFF


def test_one_who_was_missing_as_the_driver_agreed_is_followed_later():
    fake = FakeLimb("right_hand", "right", JOINTS)
    clutch = LimbClutch(ROBOT, fake, FULL)
    clutch.watch(INSIDE)
    fake.shows = INSIDE + 0.1
    clutch.see(operator_frame(START, right=np.zeros(20)))
    clutch.see(OperatorFrame(START + FRAME_NS, {}, None))
    clutch.engage(START + FRAME_NS)
    for k in range(2, 50):
        clutch.see(operator_frame(START + k * FRAME_NS, right=np.zeros(20)))
        clutch.step(START + k * FRAME_NS)
    assert clutch.position_rad == pytest.approx(INSIDE + 0.1)
