# SPDX-License-Identifier: Apache-2.0
"""One operator session from hands clouds to joint targets and events."""

from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from synthetic_hands import FIST, FRAME_NS, NS_PER_S, OPEN, POINTING, VICTORY, cloud_of, mirrored, seen

from clips.choreography import POSES_RAD
from robots import RobotFileError, load_robot
from teleop.engage import Phase
from teleop.gestures import Gesture
from teleop.retarget import HandRetargeter
from teleop.session import SIGN_DWELL_NS, SILENCE_NS, SignReader, TeleopSession, points_of

ROBOT = load_robot("hx5_d20_right")
LOWER = np.array([joint.min_rad for joint in ROBOT.joints])
UPPER = np.array([joint.max_rad for joint in ROBOT.joints])
PALM, NOTHING = cloud_of(right=seen(OPEN)), cloud_of()
START = 1_000 * NS_PER_S


class Film:
    """A session and the frames that it has been shown."""

    def __init__(self):
        self.session = TeleopSession(ROBOT)
        self.now_ns = START
        self.target, self.events = None, []

    @property
    def phase(self):
        return self.session.clutch.phase

    def show(self, cloud, frames=1):
        for _ in range(frames):
            self.now_ns += FRAME_NS
            self.target, events = self.session.see(cloud, self.now_ns)
            self.events += events
        return self.target

    def ask(self):
        while self.phase is not Phase.ASKING:
            assert self.now_ns < START + 2 * NS_PER_S
            self.show(PALM)
        return self

    def engage(self):
        self.ask().session.clutch.answer(True, "", self.now_ns)
        assert self.phase is Phase.ENGAGED
        return self


ENGAGED = Film().engage()


@pytest.fixture
def film():
    return Film()


@pytest.fixture
def engaged():
    return deepcopy(ENGAGED)


# ---- targets ----------------------------------------------------------------------------------------------


def test_there_is_a_target_only_while_asking_or_engaged(film):
    assert film.show(NOTHING) is None
    for _ in range(60):
        target = film.show(PALM)
        assert (target is not None) == (film.phase in (Phase.ASKING, Phase.ENGAGED))
        if film.phase is Phase.ASKING and film.now_ns > START + NS_PER_S:
            film.session.clutch.answer(True, "", film.now_ns)
    assert film.phase is Phase.ENGAGED
    film.session.drop("the driver holds", film.now_ns)
    assert film.show(PALM) is None


def test_a_refusal_takes_the_target_away(film):
    film.ask().session.clutch.answer(False, "no", film.now_ns)
    assert film.show(PALM) is None


def test_target_names_the_frame_that_asked_for_it(engaged):
    assert engaged.show(PALM).capture_ns == engaged.now_ns


def test_an_open_hand_asks_for_an_open_hand(engaged):
    """Calibrated on this very hand, every flexion reads zero."""
    assert engaged.show(PALM, 30).position_rad[5::4] == pytest.approx(np.zeros(4), abs=1e-3)
    assert engaged.target.position_rad[6::4] == pytest.approx(np.zeros(4), abs=1e-3)


@pytest.mark.parametrize("pose", ["fist", "point", "index", "little", "spread"])
def test_the_robots_fingers_take_the_operators_angles(engaged, pose):
    target = engaged.show(cloud_of(right=seen(POSES_RAD[pose])), 60)
    wanted = np.clip(POSES_RAD[pose], LOWER, UPPER)
    bent = [joint for joint in range(4, 20) if joint % 4]
    assert np.degrees(target.position_rad - wanted)[bent] == pytest.approx(np.zeros(12), abs=6)


def test_a_missing_hand_keeps_the_last_target_for_the_coast_time_and_then_lets_go(engaged):
    last = engaged.show(PALM)
    assert engaged.show(NOTHING) == last
    assert engaged.show(NOTHING) == last
    assert engaged.show(NOTHING, 3) is None
    assert (engaged.phase, engaged.session.clutch.reason) == (Phase.WAITING, "hand lost")


def test_the_other_hand_does_not_move_the_robot(engaged):
    left_fist = cloud_of(left=mirrored(seen(FIST)))
    assert engaged.show(left_fist, 5) is None
    assert engaged.phase is Phase.WAITING


def test_a_session_learns_nothing_from_a_palm_that_was_not_held(film):
    film.show(PALM, 5)
    film.show(NOTHING, 10)
    assert film.session.retargeter.calibration.offset_rad == (0.0,) * 20


def test_calibration_is_that_of_the_held_palm(engaged):
    assert engaged.session.retargeter.calibration is engaged.session.clutch.calibration
    assert max(engaged.session.retargeter.calibration.offset_rad) > 0.05


# ---- stamps -----------------------------------------------------------------------------------------------


@given(st.integers(0, 3 * NS_PER_S))
def test_a_stale_or_repeated_frame_changes_nothing(back):
    film = deepcopy(ENGAGED)
    film.show(PALM)
    assert film.session.see(cloud_of(right=seen(FIST), left=mirrored(seen(FIST))), film.now_ns - back) == (None, [])
    again = deepcopy(ENGAGED)
    again.show(PALM)
    assert film.show(PALM).position_rad == pytest.approx(again.show(PALM).position_rad, abs=0)
    assert film.phase is Phase.ENGAGED


def test_silence_of_the_tracker_lets_go_and_says_why(engaged):
    engaged.session.tick(engaged.now_ns + SILENCE_NS)
    assert engaged.phase is Phase.ENGAGED
    engaged.session.tick(engaged.now_ns + SILENCE_NS + 1)
    assert engaged.phase is Phase.WAITING
    assert "no camera frame from the tracker" in engaged.session.clutch.reason
    assert engaged.show(PALM) is None


def test_a_session_without_a_first_frame_is_not_silent(film):
    film.session.tick(START + 100 * NS_PER_S)
    assert "open palm" in film.session.clutch.reason


# ---- landmarks that are none ------------------------------------------------------------------------------


def test_a_row_of_nan_is_a_hand_that_was_not_seen():
    assert points_of(NOTHING[0]) is None
    assert points_of(PALM[0]) == pytest.approx(seen(OPEN), abs=1e-6)


def test_a_frame_with_a_broken_hand_is_counted_and_counts_as_unseen(engaged):
    broken = PALM.copy()
    broken["x"][0, 7] = np.nan
    last = engaged.show(PALM)
    assert engaged.show(broken) == last
    assert engaged.session.rejected_frames == 1
    assert engaged.show(broken, 4) is None


numbers = st.one_of(st.floats(width=32), st.floats(-0.25, 0.25, width=32))
garbage = arrays(np.float32, (2, 21, 3), elements=numbers)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(garbage, arrays(np.bool_, (2, 21)), st.integers(1, 100_000_000)), min_size=1, max_size=6),
    st.booleans(),
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_while_engaged_no_garbage_gets_out(frames, near):
    film = deepcopy(ENGAGED)
    for points, chosen, wait_ns in frames:
        cloud = cloud_of(seen(FIST), mirrored(seen(FIST)))
        for axis, name in enumerate("xyz"):
            wrong = np.clip(points[..., axis], -0.25, 0.25) if near else points[..., axis]
            cloud[name] = np.where(chosen, wrong, cloud[name])
        film.now_ns += wait_ns
        target, _ = film.session.see(cloud, film.now_ns)
        if target is not None:
            assert np.isfinite(target.position_rad).all()
            assert (target.position_rad >= LOWER).all() and (target.position_rad <= UPPER).all()
        if film.phase is Phase.ENGAGED:
            assert target is not None


@given(arrays(np.float32, (21, 3), elements=st.floats(-0.1875, 0.1875, width=32)))
def test_a_hand_with_a_sound_palm_and_wild_digits_is_followed_within_the_limits(points):
    film = deepcopy(ENGAGED)
    wild = seen(OPEN)
    digits = [k for k in range(1, 21) if k not in (5, 9, 13, 17)]
    wild[digits] = points[digits]
    target = film.show(cloud_of(right=wild))
    assert film.phase is Phase.ENGAGED and target.capture_ns == film.now_ns
    assert (target.position_rad >= LOWER).all() and (target.position_rad <= UPPER).all()


# ---- signs of the free hand -------------------------------------------------------------------------------

SECOND = SIGN_DWELL_NS // FRAME_NS + 2


@pytest.mark.parametrize(("pose", "event"), [(VICTORY, "record_start"), (FIST, "record_stop")])
def test_a_sign_held_for_a_second_is_one_event_until_it_is_released(film, pose, event):
    sign = cloud_of(left=mirrored(seen(pose)))
    film.show(sign, SECOND - 3)
    assert film.events == []
    film.show(sign, 100)
    assert film.events == [event]
    film.show(NOTHING)
    film.show(sign, SECOND)
    assert film.events == [event, event]


def test_a_sign_that_is_released_too_early_is_nothing(film):
    for _ in range(5):
        film.show(cloud_of(left=mirrored(seen(VICTORY))), SECOND // 2)
        film.show(NOTHING)
    assert film.events == []


def test_one_sign_after_the_other(film):
    film.show(cloud_of(left=mirrored(seen(VICTORY))), SECOND)
    film.show(cloud_of(left=mirrored(seen(FIST))), SECOND)
    assert film.events == ["record_start", "record_stop"]


@pytest.mark.parametrize("pose", [OPEN, POINTING])
def test_other_signs_of_the_free_hand_mean_nothing(film, pose):
    film.show(cloud_of(left=mirrored(seen(pose))), 2 * SECOND)
    assert film.events == []


@pytest.mark.parametrize("pose", [VICTORY, FIST])
def test_signs_of_the_hand_that_drives_mean_nothing(engaged, pose):
    engaged.show(cloud_of(right=seen(pose)), 2 * SECOND)
    assert engaged.events == []


def test_the_free_hand_speaks_while_the_other_drives(engaged):
    engaged.show(cloud_of(right=seen(OPEN), left=mirrored(seen(VICTORY))), SECOND)
    assert engaged.events == ["record_start"]
    assert engaged.phase is Phase.ENGAGED


@given(st.lists(st.tuples(st.sampled_from(["VICTORY", "FIST", "NONE"]), st.integers(1, 60)), max_size=12))
def test_events_are_the_signs_that_lasted_a_second(stretches):
    reader, events, wanted, now = SignReader(), [], [], START
    runs = []
    for name, frames in stretches:
        if runs and runs[-1][0] == name:
            runs[-1][1] += frames
        else:
            runs.append([name, frames])
    for name, frames in runs:
        for _ in range(frames):
            now += FRAME_NS
            event = reader.see(Gesture[name], now)
            events += [event] if event else []
        if name != "NONE" and (frames - 1) * FRAME_NS >= SIGN_DWELL_NS:
            wanted.append({"VICTORY": "record_start", "FIST": "record_stop"}[name])
    assert events == wanted


# ---- which robots -----------------------------------------------------------------------------------------


def test_a_robot_that_has_no_such_hand_is_refused_with_what_was_found():
    with pytest.raises(RobotFileError, match=r"op3 can't copy a hand yet.*retarget: None.*hand: None, 20 joints"):
        HandRetargeter(load_robot("op3"))


def test_a_left_hand_is_refused_until_there_is_one():
    left = ROBOT.model_copy(update={"hand": "left"})
    with pytest.raises(RobotFileError, match="hand: left"):
        TeleopSession(left)
