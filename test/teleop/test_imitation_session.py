# SPDX-License-Identifier: Apache-2.0
"""One operator session from what the camera shows to joint targets and events."""

from dataclasses import replace

import numpy as np
import pytest
from fake_limbs import FRAME_NS, START, FakeLimb, operator_frame
from hand_scene import Person
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from synthetic_hands import FIST, NS_PER_S, OPEN, POINTING, THUMB_ABOVE, THUMB_UP, VICTORY, mirrored, seen

from clips.choreography import POSES_RAD
from clips.hand_model import rotation
from robots import load_robot
from teleop.clutch import MS, ClutchSettings
from teleop.clutch_table import LimbState, State
from teleop.frame_pace import SILENCE_NS
from teleop.hand_calibration import HandCalibration, calibrate_hand
from teleop.identity import HandIdentity
from teleop.imitation_session import ImitationSession
from teleop.limb_clutch import LONGEST_STEP_NS
from teleop.limbs import HandLimb, build_limbs
from teleop.operator_profile import OperatorProfile, hand_profile
from teleop.operator_view import BodyView, HandView, OperatorFrame

ROBOT = load_robot("ffw_sh5")
NAMES = ROBOT.joint_names
MEASURED = np.array(ROBOT.ready_rad)
FULL = ClutchSettings()
ALLOWED = np.array(ROBOT.engage_distance_rad)
SIDE = {"right_hand": "right", "left_hand": "left", "right_arm": "right", "left_arm": "left", "head": None}
PATTERN = {"right_hand": "finger_r", "left_hand": "finger_l", "right_arm": "arm_r", "left_arm": "arm_l", "head": "head"}
INDICES = {limb: [k for k, name in enumerate(NAMES) if name.startswith(part)] for limb, part in PATTERN.items()}
THUMB_BELOW = rotation(2, np.pi) @ THUMB_ABOVE
LOWER = np.array([joint.min_rad for joint in ROBOT.joints])
UPPER = np.array([joint.max_rad for joint in ROBOT.joints])


def far(share, factor):
    """A left arm that is so far from the robot's, as a share of what is allowed; towards the middle of its range."""
    joints = INDICES["left_arm"]
    inwards = np.where(MEASURED[joints] < (LOWER + UPPER)[joints] / 2, 1.0, -1.0)
    return MEASURED[joints] + inwards * share * factor * ALLOWED[joints]


def body_view(stamp_ns, wrists=0.4, hips=0.7, visibility=1.0):
    """A body of which only heights in the image matter."""
    image = np.full((33, 2), 0.5)
    image[[15, 16], 1], image[[23, 24], 1] = wrists, hips
    return BodyView(np.zeros((33, 3)), image, np.full(33, visibility), stamp_ns)


def hand_view(side, pose=OPEN, rotation_camera=None, v=0.5):
    """One hand in the middle of the image, or at another height of it."""
    points = seen(pose) if rotation_camera is None else seen(pose, rotation_camera)
    points = points if side == "right" else mirrored(points)
    image = points[:, :2] * 1.5 + np.array([0.3 if side == "right" else 0.7, v])
    return HandView(points, image, 0.95)


SHOWN = {
    "open": (OPEN, None),
    "fist": (FIST, None),
    "pointing": (POINTING, None),
    "victory": (VICTORY, None),
    "up": (THUMB_UP, THUMB_ABOVE),
    "down": (THUMB_UP, THUMB_BELOW),
    "index": (POSES_RAD["index"], None),
}
VIEWS = {(side, name): hand_view(side, *shown) for side in ("right", "left") for name, shown in SHOWN.items()}


class Film:
    """A session of fake limbs, and the frames that it has been shown."""

    def __init__(self, *limbs, settings=FULL, measured=MEASURED, prediction_ms=0.0):
        self.fakes = {
            name: FakeLimb(name, SIDE[name], INDICES[name], relative=name.endswith("arm"))
            for name in limbs or ("right_hand", "left_hand", "right_arm", "left_arm", "head")
        }
        for fake in self.fakes.values():
            fake.shows = MEASURED[fake.joints]
        self.session = ImitationSession(ROBOT, list(self.fakes.values()), settings, prediction_ms=prediction_ms)
        self.now_ns = START
        if measured is not None:
            self.session.measure(measured)
        self.targets, self.events, self.body = [], [], None

    @property
    def state(self):
        return self.session.state

    def show(self, right=None, left=None, frames=1, frame_ns=FRAME_NS):
        """Show gestures by name (None: that hand is not in view); returns the last target."""
        for _ in range(frames):
            self.now_ns += frame_ns
            hands = {side: VIEWS[side, name] for side, name in (("right", right), ("left", left)) if name}
            body = None if self.body is None else replace(self.body, stamp_ns=self.now_ns)
            target = self.session.see(OperatorFrame(self.now_ns, hands, body))
            self.targets.append(target)
            self.events += self.session.take_events()
        return target

    def palms(self, frames=1, **more):
        return self.show("open", "open", frames, **more)

    def ask(self):
        while self.state is not State.ASKING:
            assert self.now_ns < START + 20 * NS_PER_S, self.session.reason
            self.palms()
        return self

    def engage(self):
        self.ask().session.answer(True, "", self.now_ns)
        assert self.state is State.RAMPING
        while self.state is State.RAMPING:
            self.palms()
        assert self.state is State.ENGAGED and self.session.reason == ""
        return self

    def of(self, limb):
        return self.targets[-1].position_rad[INDICES[limb]]


# ---- the way in -------------------------------------------------------------------------------------------


def test_open_palms_held_ask_the_driver_and_his_yes_blends_and_engages():
    film = Film()
    assert film.session.reason == "show the open palms of both hands to the camera and hold still"
    assert film.palms() is None and film.state is State.HOLDING_SIGN
    begun = film.now_ns
    film.ask()
    assert 0 <= film.now_ns - begun - FULL.dwell_ns < FRAME_NS
    film.session.answer(True, "", film.now_ns)
    accepted = film.now_ns
    while film.state is State.RAMPING:
        film.palms()
    assert film.now_ns - accepted >= FULL.ramp_ns
    assert film.events == ["engaged"]


@pytest.mark.parametrize(("right", "left"), [("open", None), (None, "open"), ("open", "fist"), ("index", "open")])
def test_one_open_palm_is_not_enough_where_both_hands_drive(right, left):
    film = Film()
    film.show(right, left, 90)
    assert film.state is State.WAITING
    assert "palm too" in film.session.reason
    film.show(None, None, 6)
    assert film.session.reason == "show the open palms of both hands to the camera and hold still"


def test_one_open_palm_is_enough_where_one_hand_drives():
    film = Film("right_hand")
    film.show("open", None, 20)
    assert film.state is State.ASKING
    assert Film("left_hand").show("open", None, 60) is None


def test_progress_is_that_of_the_hand_that_began_last():
    film = Film()
    film.show("open", None, 9)
    film.palms(7)
    assert film.session.progress(film.now_ns) == pytest.approx(6 * FRAME_NS / FULL.dwell_ns, abs=0.01)
    assert film.session.status(film.now_ns)["progress"] == pytest.approx(0.33, abs=0.01)


def test_letting_go_too_early_begins_anew():
    film = Film()
    film.palms(15)
    film.show("open", "fist", 6)
    assert film.state is State.WAITING
    assert film.session.reason in ("show the open left palm too", "the open left palm was not held long enough")


def test_a_flicker_is_tolerated():
    film = Film()
    film.palms(9)
    film.show("index", "open", 2)
    assert film.state is State.HOLDING_SIGN


def test_the_driver_is_asked_with_the_robots_own_pose():
    film = Film()
    for fake in film.fakes.values():
        fake.shows = fake.shows + 0.05
    film.ask()
    assert film.session.target.position_rad == pytest.approx(MEASURED, abs=0)
    assert film.session.target.capture_ns == film.now_ns


def test_nothing_is_asked_of_a_robot_whose_pose_is_not_known():
    film = Film(measured=None)
    film.palms(60)
    assert film.state is State.ALIGNING and "pose is not known" in film.session.reason
    unknown = MEASURED.copy()
    unknown[3] = np.nan
    film.session.measure(unknown)
    film.palms(2)
    assert film.state is State.ALIGNING
    film.session.measure(MEASURED)
    film.palms()
    assert film.state is State.ASKING
    film.session.measure(unknown)
    assert film.session.target.position_rad == pytest.approx(MEASURED, abs=0)


def test_a_limb_that_is_too_far_is_named_and_may_come_nearer():
    film = Film()
    film.fakes["left_arm"].shows = far(1.1, FULL.align_factor)
    film.palms(30)
    assert film.state is State.ALIGNING
    assert film.session.reason.startswith("left arm too far from the robot's")
    assert "bring the left arm nearer" in film.session.reason
    film.fakes["left_arm"].shows = far(0.9, FULL.align_factor)
    film.show("fist", "fist")
    assert film.state is State.ASKING


def test_who_does_not_come_nearer_in_time_must_show_the_palms_again():
    film = Film()
    film.fakes["left_arm"].shows = far(1.1, FULL.align_factor)
    film.palms(30)
    film.show("fist", "fist", 9 * 30)
    assert film.state is State.WAITING
    assert film.session.reason.startswith("left arm too far")
    assert film.session.reason.endswith("then show the open palms of both hands again")


def test_a_limb_that_is_not_seen_is_named():
    film = Film()
    film.fakes["right_arm"].shows = None
    film.palms(30)
    assert (film.state, film.session.reason) == (State.ALIGNING, "the camera does not see the right arm")


def test_one_who_goes_away_while_aligning_is_waited_for_anew():
    film = Film("right_hand", "left_hand", measured=None)
    film.palms(30)
    assert film.state is State.ALIGNING
    film.show(None, None, 5)
    assert film.state is State.WAITING


def test_a_refusal_is_told_and_the_next_try_waits():
    film = Film().ask()
    film.session.answer(False, "too hot", film.now_ns)
    refused = film.now_ns
    assert (film.state, film.session.reason) == (State.WAITING, "the driver refused: too hot")
    assert film.session.target is None
    while film.now_ns < refused + FULL.retry_ns - FRAME_NS:
        film.palms()
        assert film.state is State.WAITING
    film.palms(2)
    assert film.state is State.ASKING


def test_hands_lost_while_the_driver_is_asked_are_lost_and_a_late_yes_moves_nothing():
    film = Film().ask()
    film.show(None, None, 5)
    assert film.state is State.WAITING
    film.session.answer(True, "", film.now_ns)
    assert film.state is State.WAITING and film.session.target is None
    assert film.events == []


@pytest.mark.parametrize("way", ["answer", "answer while showing"])
def test_the_driver_cannot_engage_one_who_did_not_ask(way):
    film = Film()
    film.palms(1 if way == "answer" else 10)
    film.session.answer(True, "", film.now_ns)
    assert film.state in (State.WAITING, State.HOLDING_SIGN)


# ---- following --------------------------------------------------------------------------------------------


def test_active_limbs_follow_and_all_other_joints_stay():
    film = Film("right_hand", "left_hand").engage()
    film.fakes["right_hand"].shows = MEASURED[INDICES["right_hand"]] + 0.3
    film.show("fist", "fist", 60)
    wanted = np.clip(MEASURED[INDICES["right_hand"]] + 0.3, LOWER[INDICES["right_hand"]], UPPER[INDICES["right_hand"]])
    assert film.of("right_hand") == pytest.approx(wanted)
    others = np.setdiff1d(np.arange(len(NAMES)), film.session.active_joints)
    assert film.targets[-1].position_rad[others] == pytest.approx(MEASURED[others], abs=0)
    assert set(film.session.active_joints) == {*INDICES["right_hand"], *INDICES["left_hand"]}


def test_a_target_names_the_frame_that_every_limb_follows():
    film = Film().engage()
    target = film.show("fist", "fist")
    assert target.capture_ns == film.now_ns
    assert target.stamps == dict.fromkeys(film.fakes, film.now_ns)
    last = film.now_ns
    target = film.show("fist", None, 6)
    assert target.stamps["left_hand"] == last and target.stamps["right_hand"] == film.now_ns


def test_targets_cannot_be_changed_afterwards():
    target = Film().engage().palms()
    with pytest.raises(ValueError):
        target.position_rad[0] = 1.0


def test_an_engaged_operator_may_show_any_sign_but_the_ones_that_end_it():
    film = Film().engage()
    for sign in ("fist", "pointing", "victory", "up", "index", "open"):
        film.show(sign, sign, 40)
        assert film.state is State.ENGAGED


# ---- limbs that are lost ----------------------------------------------------------------------------------


def test_one_lost_hand_is_held_with_its_grasp_while_the_others_go_on():
    film = Film().engage()
    grasp = MEASURED[INDICES["left_hand"]] + 0.4
    film.fakes["left_hand"].shows = grasp
    film.show("fist", "fist", 60)
    grasp = film.of("left_hand")
    film.fakes["left_hand"].shows = MEASURED[INDICES["left_hand"]]
    film.show("fist", None, 5)
    film.fakes["right_hand"].shows = MEASURED[INDICES["right_hand"]] + 0.2
    film.show("fist", None, 60)
    assert film.of("left_hand") == pytest.approx(grasp, abs=0)
    assert film.of("right_hand").max() > MEASURED[INDICES["right_hand"]].max()
    assert film.state is State.ENGAGED
    assert film.session.limbs["left_hand"].state is LimbState.HELD
    assert film.session.reason.startswith("left hand lost, show the open left palm to go on")
    assert [event.split(":")[:2] for event in film.events[1:]] == [["held", " left_hand"]]


def test_a_held_hand_does_not_go_on_by_coming_back_into_view():
    film = Film().engage()
    film.show("fist", None, 6)
    film.fakes["left_hand"].shows = MEASURED[INDICES["left_hand"]] + 0.3
    before = film.of("left_hand")
    film.show("fist", "fist", 60)
    assert film.of("left_hand") == pytest.approx(before, abs=0)


def test_a_held_hand_goes_on_after_its_own_open_palm_and_without_a_jump():
    film = Film().engage()
    film.show("fist", None, 6)
    film.show("fist", "fist", 6)
    film.fakes["left_hand"].shows = MEASURED[INDICES["left_hand"]] + 0.3
    before = film.of("left_hand")
    film.show("fist", "open", 20)
    assert film.events[-1] == "resumed: left_hand"
    assert film.of("left_hand") == pytest.approx(before, abs=0.02)
    film.show("fist", "fist", 60)
    assert film.of("left_hand").sum() > before.sum() + 1.0
    assert film.session.reason == "" and film.state is State.ENGAGED


def test_the_other_hands_palm_does_not_let_a_held_hand_in():
    film = Film().engage()
    film.show("fist", None, 6)
    film.show("open", "fist", 60)
    assert film.session.limbs["left_hand"].state is LimbState.HELD


def test_a_palm_that_was_shown_before_the_loss_does_not_count():
    film = Film().engage()
    film.palms(60)
    film.fakes["left_arm"].shows = None
    film.palms(5)
    film.fakes["left_arm"].shows = MEASURED[INDICES["left_arm"]]
    film.palms(10)
    assert film.session.limbs["left_arm"].state is LimbState.HELD
    film.palms(10)
    assert film.session.limbs["left_arm"].state is LimbState.FOLLOWING


def test_a_held_arm_that_is_far_away_is_asked_to_come_nearer():
    film = Film().engage()
    film.fakes["left_arm"].shows = None
    film.show("fist", "fist", 5)
    film.fakes["left_arm"].shows = far(1.1, FULL.reengage_factor)
    film.show("fist", "open", 30)
    assert film.session.limbs["left_arm"].state is LimbState.HELD
    assert "bring the left arm nearer" in film.session.reason
    film.fakes["left_arm"].shows = far(0.9, FULL.reengage_factor)
    film.show("fist", "open")
    assert film.session.limbs["left_arm"].state is LimbState.FOLLOWING


def test_a_palm_without_its_arm_in_view_says_what_is_missing():
    film = Film().engage()
    film.fakes["left_arm"].shows = None
    film.show("fist", "open", 40)
    assert "left arm lost and not seen yet" in film.session.reason


def test_either_palm_lets_the_head_in_again():
    for right, left in (("open", "fist"), ("fist", "open")):
        film = Film().engage()
        film.fakes["head"].shows = None
        film.show("fist", "fist", 5)
        film.fakes["head"].shows = MEASURED[INDICES["head"]]
        film.show(right, left, 20)
        assert film.session.limbs["head"].state is LimbState.FOLLOWING


def test_all_lost_is_the_end_and_the_driver_holds_by_itself():
    film = Film("right_hand", "left_hand").engage()
    film.show(None, None, 5)
    assert film.state is State.WAITING and film.session.target is None
    assert film.events[-1].startswith("released: ") and "hand lost" in film.session.reason
    assert film.session.take_release() is False


@pytest.mark.parametrize("limb", ["right_hand", "left_arm", "head"])
def test_a_position_that_is_no_number_is_a_lost_limb(limb):
    film = Film().engage()
    before = film.of(limb)
    film.fakes[limb].shows = np.full(len(INDICES[limb]), np.nan)
    film.show("fist", "fist", 10)
    assert film.session.limbs[limb].state is LimbState.HELD
    assert film.of(limb) == pytest.approx(before, abs=0)


# ---- the way out ------------------------------------------------------------------------------------------


def test_both_thumbs_down_for_a_second_let_go_on_purpose():
    film = Film().engage()
    film.show("down", "down", 29)
    assert film.state is State.ENGAGED
    film.show("down", "down", 3)
    assert film.state is State.WAITING and film.session.target is None
    assert film.session.take_release() is True and film.session.take_release() is False
    assert film.events[-1] == "released: released by the sign: show the open palm to go on"


@pytest.mark.parametrize(("right", "left"), [("down", "fist"), ("down", None), ("down", "up"), ("fist", "fist")])
def test_nothing_less_lets_go(right, left):
    film = Film().engage()
    film.show(right, left, 90)
    assert film.state is State.ENGAGED


def test_where_one_hand_drives_the_free_one_lets_go():
    film = Film("right_hand")
    film.show("open", None, 20)
    film.session.answer(True, "", film.now_ns)
    film.show("down", None, 60)
    assert film.state is State.ENGAGED
    film.show("fist", "down", 32)
    assert film.state is State.WAITING and film.session.take_release()


def test_wrists_below_the_hips_let_go():
    film = Film().engage()
    film.body = body_view(0, wrists=0.8)
    film.show("fist", "fist", 9)
    assert film.state is State.ENGAGED
    film.show("fist", "fist", 3)
    assert film.state is State.WAITING and film.session.take_release()
    assert film.session.reason == "hands lowered: show the open palm to go on"


def test_wrists_that_only_pass_the_hips_or_are_hidden_do_not():
    film = Film().engage()
    for low in range(12):
        film.body = body_view(0, wrists=0.8 if low % 6 < 3 else 0.4)
        film.show("fist", "fist", 2)
    film.body = body_view(0, wrists=0.8, visibility=0.3)
    film.show("fist", "fist", 30)
    assert film.state is State.ENGAGED


def test_hands_that_leave_by_the_lower_edge_let_go_on_purpose():
    film = Film("right_hand", "left_hand").engage()
    for v in (0.6, 0.8, 1.0):
        film.now_ns += FRAME_NS
        hands = {side: hand_view(side, FIST, v=v) for side in ("right", "left")}
        film.session.see(OperatorFrame(film.now_ns, hands, None))
    film.show(None, None, 5)
    assert film.state is State.WAITING and film.session.take_release()
    assert "lowered" in film.session.reason


def test_hands_that_leave_by_the_lower_edge_let_go_although_the_arms_are_still_seen():
    film = Film().engage()
    for v in (0.8, 1.0):
        film.now_ns += FRAME_NS
        hands = {side: hand_view(side, FIST, v=v) for side in ("right", "left")}
        film.session.see(OperatorFrame(film.now_ns, hands, None))
    film.show(None, None, 5)
    assert film.state is State.WAITING and "lowered" in film.session.reason


def test_the_driver_that_holds_ends_it():
    film = Film().engage()
    film.session.drop("the driver holds: bus silent", film.now_ns)
    assert (film.state, film.session.reason) == (State.WAITING, "the driver holds: bus silent")
    assert film.session.target is None and not film.session.take_release()


@pytest.mark.parametrize("end", ["drop", "pedal", "stall"])
def test_palms_that_are_shown_on_and_on_do_not_engage_again(end):
    film = Film().engage()
    if end == "drop":
        film.session.drop("bus silent", film.now_ns)
    elif end == "stall":
        film.session.tick(film.now_ns + SILENCE_NS + 1)
    else:
        film.session.press(False, film.now_ns)
        film.session.press(True, film.now_ns)
    film.palms(120)
    assert film.state is State.WAITING
    assert film.session.reason.endswith("close the hands first, then show the open palms anew")
    film.show("fist", "fist", 6)
    film.palms(20)
    assert film.state is State.ASKING


# ---- the pedal --------------------------------------------------------------------------------------------


def test_a_pedal_that_is_let_go_ends_it_at_once():
    film = Film()
    film.session.press(True, film.now_ns)
    film.engage()
    film.session.press(False, film.now_ns)
    assert film.state is State.WAITING and film.session.target is None and film.session.take_release()
    assert "pedal released" in film.session.reason


def test_without_the_pedal_pressed_no_sign_counts():
    film = Film()
    film.session.press(False, film.now_ns)
    film.palms(60)
    assert film.state is State.WAITING and "press it" in film.session.reason
    film.session.press(True, film.now_ns)
    film.show("fist", "fist", 6)
    film.palms(20)
    assert film.state is State.ASKING


@pytest.mark.parametrize("side", ["right", "left"])
def test_palms_that_are_up_when_the_pedal_is_pressed_must_be_shown_anew(side):
    film = Film()
    film.session.press(False, film.now_ns)
    film.palms(60)
    film.session.press(True, film.now_ns)
    film.palms(120)
    assert film.state is State.WAITING
    assert film.session.reason.endswith("close the hands first, then show the open palms anew")
    film.show(**{"right": "open", "left": "open"} | {side: "fist"}, frames=6)
    film.palms(60)
    assert film.state is State.WAITING, "one hand has not been let go"
    film.show("fist", "fist", 6)
    film.palms(20)
    assert film.state is State.ASKING


def test_palms_that_are_raised_after_the_press_count_at_once():
    film = Film()
    film.session.press(False, film.now_ns)
    film.show("fist", "fist", 30)
    film.session.press(True, film.now_ns)
    assert film.session.reason == "show the open palms of both hands to the camera and hold still"
    film.palms(20)
    assert film.state is State.ASKING


def test_a_pedal_that_is_pressed_on_and_on_is_pressed_once():
    film = Film()
    film.session.press(False, film.now_ns)
    film.show("fist", "fist", 6)
    for _ in range(20):
        film.session.press(True, film.now_ns)
        film.palms()
    assert film.state is State.ASKING


def test_a_pedal_for_the_session_that_is_unplugged_ends_it_and_a_fresh_sign_is_needed():
    film = Film().engage()
    film.session.unplug(film.now_ns)
    assert film.state is State.WAITING and film.session.target is None and film.session.take_release()
    assert film.session.reason.startswith("the pedal was unplugged")
    film.palms(60)
    assert film.state is State.WAITING
    film.show("fist", "fist", 6)
    film.engage()


def test_a_pedal_that_is_unplugged_is_a_pedal_that_is_up():
    film = Film()
    film.session.press(True, film.now_ns)
    film.engage()
    film.session.press(None, film.now_ns)
    assert film.state is State.WAITING and "pedal does not answer" in film.session.reason
    film.session.press(None, film.now_ns)
    film.show("fist", "fist", 6)
    film.palms(60)
    assert film.state is State.WAITING


def test_who_has_no_pedal_needs_none():
    film = Film()
    film.session.press(None, film.now_ns)
    film.engage()


# ---- frames -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("back_ns", [0, 1, FRAME_NS, NS_PER_S])
def test_a_frame_out_of_order_changes_nothing(back_ns):
    film = Film().engage()
    film.palms(3)
    before = film.session.target
    assert film.session.see(OperatorFrame(film.now_ns - back_ns, {}, None)) is None
    assert film.session.target is before and film.session.out_of_order == 1
    assert film.state is State.ENGAGED


def test_a_camera_that_falls_silent_ends_it():
    film = Film().engage()
    film.session.tick(film.now_ns + SILENCE_NS)
    assert film.state is State.ENGAGED
    film.session.tick(film.now_ns + SILENCE_NS + 1)
    assert film.session.target is None
    assert film.state is State.WAITING and "no camera frame" in film.session.reason
    film.now_ns += NS_PER_S
    film.show(None, None)
    assert "show the open palms" in film.session.reason


def test_a_gap_between_frames_ends_it_even_if_nobody_ticks():
    film = Film().engage()
    assert film.palms(frame_ns=SILENCE_NS + 1) is None
    assert film.state is State.WAITING


def test_a_palm_that_was_shown_before_a_gap_begins_anew_after_it():
    film = Film()
    film.show("open", None, 15)
    film.show("open", "open", frame_ns=SILENCE_NS + 1)
    film.palms(10)
    assert film.session.progress(film.now_ns) == pytest.approx(10 * FRAME_NS / FULL.dwell_ns)


def test_a_session_without_a_first_frame_is_not_silent():
    film = Film()
    film.session.tick(START + 100 * NS_PER_S)
    assert "show the open palms" in film.session.reason


def test_a_camera_of_5_hz_says_why_it_cannot_be_followed():
    film = Film()
    film.palms(20, frame_ns=NS_PER_S // 5)
    assert film.state is State.ALIGNING
    assert film.session.reason.startswith("the camera gives 5 frames a second, at least 7 are needed")


def test_a_camera_of_8_hz_is_followed():
    film = Film()
    film.palms(20, frame_ns=NS_PER_S // 8)
    assert film.state is State.ASKING
    film.session.answer(True, "", film.now_ns)
    film.palms(20, frame_ns=NS_PER_S // 8)
    assert film.state is State.ENGAGED


def test_a_hand_that_is_none_is_counted_and_shows_nothing():
    film = Film()
    film.now_ns += FRAME_NS
    broken = replace(VIEWS["right", "open"], world_m=np.full((21, 3), np.nan))
    film.session.see(OperatorFrame(film.now_ns, {"right": broken}, None))
    assert film.session.status(film.now_ns)["rejected_hands"] == 1


# ---- recording --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sign", "said"), [("victory", ["record_start"]), ("up", ["yes", "record_stop"])])
def test_two_driving_hands_speak_together(sign, said):
    film = Film().engage()
    film.show(sign, "fist", 60)
    film.show(sign, sign, 29)
    assert film.events == ["engaged"]
    film.show(sign, sign, 90)
    assert film.events == ["engaged", *said]
    film.show("fist", "index", 6)
    film.show(sign, sign, 40)
    assert film.events == ["engaged", *said, *said]


@pytest.mark.parametrize(("sign", "event"), [("victory", "record_start"), ("fist", "record_stop")])
def test_the_free_hand_speaks_alone(sign, event):
    film = Film("right_hand", "right_arm")
    film.show(None, sign, 40)
    assert film.events == [event]
    film.show("victory", None, 60)
    assert film.events == [event]


@pytest.mark.parametrize(("sign", "answer"), [("up", "yes"), ("down", "no")])
def test_thumbs_answer_a_question_while_nothing_is_engaged(sign, answer):
    two, one = Film(), Film("right_hand")
    two.show(sign, None, 60)
    one.show(sign, None, 60)
    assert two.events == one.events == []
    two.show(sign, sign, 29)
    one.show(None, sign, 29)
    assert two.events == one.events == []
    two.show(sign, sign, 90)
    one.show(None, sign, 90)
    assert (two.state, one.state) == (State.WAITING, State.WAITING)
    assert two.events[0] == answer and two.events.count(answer) == 1
    assert one.events == [answer]


def test_a_thumb_down_that_lets_go_is_an_answer_too():
    film = Film().engage()
    film.show("down", "down", 60)
    assert film.events == ["engaged", "no", "released: released by the sign: show the open palm to go on"]


@pytest.mark.parametrize(
    ("sign", "name"), [("victory", "victory"), ("up", "thumb up"), ("down", "thumb down"), ("fist", "fist")]
)
def test_a_ring_fills_for_whatever_the_free_hand_holds(sign, name):
    film = Film("right_hand")
    assert ring(film) == ("", 0.0)
    film.show(None, sign, 16)
    assert ring(film) == (name, pytest.approx(0.5, abs=0.01))
    film.show(None, sign, 14)
    assert ring(film)[1] > 0.95
    film.show(None, sign, 2)
    assert film.events != [] and ring(film) == ("", 0.0)
    film.show(None, "index", 6)
    film.show(None, sign, 4)
    film.show(None, "index", 6)
    assert ring(film) == ("", 0.0)


def test_a_ring_fills_for_open_palms_where_they_mean_something():
    film = Film()
    film.show("open", None, 9)
    assert ring(film) == ("", 0.0)
    film.palms(7)
    assert ring(film) == ("open palm", pytest.approx(6 * FRAME_NS / FULL.dwell_ns, abs=0.01))
    film = Film().engage()
    film.palms(9)
    assert ring(film) == ("", 0.0)
    film.show("open", None, 6)
    film.palms(7)
    assert ring(film) == ("open palm", pytest.approx(0.4, abs=0.1))


def test_no_ring_stays_when_the_camera_falls_silent():
    film = Film()
    film.show("up", "up", 16)
    assert ring(film)[0] == "thumb up"
    film.now_ns += SILENCE_NS + 1
    film.session.tick(film.now_ns)
    assert ring(film) == ("", 0.0)


def ring(film):
    """The sign that the state names, and how much of its time is done."""
    status = film.session.status(film.now_ns)
    return status["sign"], status["sign_progress"]


def test_fists_of_both_hands_are_work_and_no_sign():
    film = Film().engage()
    film.show("fist", "fist", 120)
    assert film.events == ["engaged"]


# ---- status -----------------------------------------------------------------------------------------------


def test_status_tells_of_every_limb():
    film = Film().engage()
    film.show("fist", None, 2)
    status = film.session.status(film.now_ns)
    assert status["state"] == "ENGAGED" and status["rate_hz"] == pytest.approx(30, abs=0.1)
    assert (status["right_hand"], status["left_hand"]) == ("following", "coasting")
    film.show("fist", None, 4)
    status = film.session.status(film.now_ns)
    assert status["left_hand"] == "held" and "open left palm" in status["left_hand_reason"]
    assert all(isinstance(value, str | int | float) for value in status.values())
    assert Film().session.status(START)["head"] == "off"


# ---- real hands -------------------------------------------------------------------------------------------

HAND = load_robot("hx5_d20_right")
HOME = np.array(HAND.home_rad)
RNG = np.random.default_rng(3)
PALM_CALIBRATION = calibrate_hand(
    np.array([Person().hands(RNG, 0.3)[0].world_m for _ in range(20)]),
    "right",
)


def real_hand(profile=None):
    """A session of the real retargeter that is asked to engage."""
    (limb,) = build_limbs(HAND, "right_hand")
    session = ImitationSession(HAND, [limb], profile=profile)
    session.measure(HOME)
    rng = np.random.default_rng(5)
    for k in range(40):
        session.see(operator_frame(START + k * FRAME_NS, rng, right=OPEN))
    assert session.state is State.ASKING
    return session, limb


def test_the_open_palm_that_engages_measures_the_hand():
    _, limb = real_hand()
    assert isinstance(limb, HandLimb)
    assert limb.retargeter.calibration != HandCalibration()
    assert limb.retargeter.calibration.length_m[8] == pytest.approx(0.092, abs=0.004)


def test_a_known_hand_keeps_its_own_measures():
    known = OperatorProfile(name="anna", hands={"right": hand_profile(PALM_CALIBRATION)})
    session, limb = real_hand(known)
    assert limb.retargeter.calibration == known.hands["right"].calibration()
    assert session.notes == ()


def test_another_hand_than_the_known_one_is_told_and_measured_anew():
    small = replace(PALM_CALIBRATION, length_m=tuple(0.75 * each for each in PALM_CALIBRATION.length_m))
    session, limb = real_hand(OperatorProfile(name="anna", hands={"right": hand_profile(small)}))
    assert "does not look like anna's" in session.status(START)["notes"]
    assert limb.retargeter.calibration.length_m[8] == pytest.approx(0.092, abs=0.004)


def test_a_palm_that_moves_is_told_so_and_asked_for_again():
    (limb,) = build_limbs(HAND, "right_hand")
    session = ImitationSession(HAND, [limb])
    session.measure(HOME)
    reasons = set()
    for k in range(60):
        pose = OPEN + 0.5 * (k % 2) * (np.arange(20) % 4 == 1)
        session.see(operator_frame(START + k * FRAME_NS, right=pose))
        reasons.add(session.reason)
        assert session.state is not State.ASKING
    assert any("hold the open palm still" in reason for reason in reasons)


def test_a_real_fist_closes_the_robots_hand():
    session, _ = real_hand()
    session.answer(True, "", START)
    for k in range(40, 120):
        target = session.see(operator_frame(START + k * FRAME_NS, np.random.default_rng(k), right=FIST))
    flexions = [index for index in range(4, 20) if index % 4]
    assert target.position_rad[flexions].mean() > 1.0
    assert session.state is State.ENGAGED


# ---- other people -----------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(0, 40), st.integers(1, 80))
def test_a_bystander_never_takes_the_robot_over(seed, hide_at, hidden):
    """Both hands of a bystander hover over the operator's, larger; the operator's right one hides for a while.

    Only who holds an open palm at the operator's own wrist, more than a second after that hand was seen, could.
    """
    limbs = [FakeLimb(name, SIDE[name], INDICES[name]) for name in ("right_hand", "left_hand")]
    for limb in limbs:
        limb.shows = MEASURED[limb.joints]
    session, identity, rng = ImitationSession(ROBOT, limbs), HandIdentity(), np.random.default_rng(seed)
    session.measure(MEASURED)
    pose = OPEN if hidden < 29 else FIST
    operator = Person()
    bystander = Person("bystander", (-0.9, 0.0, 0.6), (0.9, 0.0, 0.6), pose={"right": pose, "left": pose})
    goals = rng.uniform([-0.4, -0.1, 0.4], [0.4, 0.3, 0.6], (2, 3))
    starts, followed = np.array([bystander.right, bystander.left]), set()
    for k in range(200):
        now_ns = START + k * FRAME_NS
        hands = operator.hands(rng, 0.3)
        if k >= 60:
            share = min(1.0, (k - 60) / 30)
            bystander.right, bystander.left = map(tuple, (1 - share) * starts + share * goals)
            operator.hidden = frozenset({"right"}) if hide_at <= k - 60 < hide_at + hidden else frozenset()
            hands = operator.hands(rng, 0.3) + bystander.hands(rng, 0.3)
        body = operator.body(now_ns)
        views = identity.see(hands, body, now_ns)
        target = session.see(OperatorFrame(now_ns, views, body))
        session.answer(True, "", now_ns)
        assert k < 59 or session.state in (State.ENGAGED, State.RAMPING)
        owners = {id(hand.world_m): hand.owner for hand in hands}
        for side, view in views.items():
            if target is not None and target.stamps[f"{side}_hand"] == now_ns:
                followed.add((side, owners[id(view.world_m)]))
    assert followed == {("right", "operator right"), ("left", "operator left")}


# ---- in any order -----------------------------------------------------------------------------------------

LIMBS = ("right_hand", "left_hand", "left_arm", "head")


class AnyOperator(RuleBasedStateMachine):
    """Any order of frames, answers, drops, pedal and pauses; what it remembers is only what it has shown."""

    def __init__(self):
        super().__init__()
        self.film = Film(*LIMBS)
        self.before, self.before_ns = None, 0
        self.palms_since_ns, self.act_ns = None, None
        self.last_palms_ns, self.were_palms = 0, False
        self.held = {}

    def _frames(self, right, left, count, frame_ns=FRAME_NS):
        for _ in range(count):
            film = self.film
            was = film.state
            target = film.show(right, left, frame_ns=frame_ns)
            self._remember_palms((right, left) == ("open", "open"))
            if film.state in (State.ASKING, State.ALIGNING) and was in (State.HOLDING_SIGN, State.WAITING):
                assert self.palms_since_ns is not None
                assert film.now_ns - self.palms_since_ns >= FULL.dwell_ns
                self.act_ns = film.now_ns
            self._check(target)

    def _remember_palms(self, both):
        if both:
            gap_ns = self.film.now_ns - self.last_palms_ns
            if gap_ns > SILENCE_NS or (gap_ns > FULL.flicker_ns and not self.were_palms):
                self.palms_since_ns = self.film.now_ns
            self.last_palms_ns = self.film.now_ns
        self.were_palms = both

    def _check(self, target):
        film = self.film
        assert (target is not None) == (film.state in (State.ASKING, State.RAMPING, State.ENGAGED))
        if target is None:
            self.before, self.held = None, {}
            return
        assert self.act_ns is not None, "engaged without a fresh act"
        assert np.isfinite(target.position_rad).all()
        if self.before is not None:
            seconds = min(film.now_ns - self.before_ns, LONGEST_STEP_NS) * 1e-9
            step = np.abs(target.position_rad - self.before)
            assert (step <= np.array(ROBOT.velocity_rad_s) * seconds + 1e-9).all()
        others = np.setdiff1d(np.arange(len(NAMES)), film.session.active_joints)
        assert (target.position_rad[others] == MEASURED[others]).all()
        for name, limb in film.session.limbs.items():
            joints = INDICES[name]
            if limb.state is not LimbState.HELD:
                self.held.pop(name, None)
            elif name in self.held:
                assert (target.position_rad[joints] == self.held[name]).all()
            else:
                self.held[name] = target.position_rad[joints]
        self.before, self.before_ns = target.position_rad, film.now_ns

    @rule(count=st.integers(1, 30), wait_ms=st.sampled_from([16, 33, 66, 120]))
    def palms(self, count, wait_ms):
        self._frames("open", "open", count, wait_ms * MS)

    @rule(
        right=st.sampled_from([*SHOWN, None]),
        left=st.sampled_from([*SHOWN, None]),
        count=st.integers(1, 40),
    )
    def any_signs(self, right, left, count):
        self._frames(right, left, count)

    @rule(count=st.integers(1, 8))
    def nobody(self, count):
        self._frames(None, None, count)

    @rule(limb=st.sampled_from(LIMBS), offset=st.floats(-3, 3))
    def limb_moves(self, limb, offset):
        self.film.fakes[limb].shows = MEASURED[INDICES[limb]] + offset

    @rule(limb=st.sampled_from(LIMBS), what=st.sampled_from(["lost", "nan", "inf", "back"]))
    def limb_is_lost_or_comes_back(self, limb, what):
        pose = MEASURED[INDICES[limb]].copy()
        pose[0] = {"nan": np.nan, "inf": np.inf}.get(what, pose[0])
        self.film.fakes[limb].shows = None if what == "lost" else pose

    @precondition(lambda self: self.film.state is State.WAITING)
    @rule()
    def operator_engages(self):
        film = self.film
        film.session.press(True, film.now_ns)
        for name, fake in film.fakes.items():
            fake.shows = MEASURED[INDICES[name]]
        self._frames("fist", "fist", 6)
        for _ in range(60):
            self._frames("open", "open", 1)
            film.session.answer(True, "", film.now_ns)
        assert film.state in (State.RAMPING, State.ENGAGED)

    @rule(wait_ms=st.integers(1, 600), accepted=st.booleans(), what=st.sampled_from(["pause", "answer", "end"]))
    def something_else_happens(self, wait_ms, accepted, what):
        {"pause": self.pause, "answer": self.answer, "end": self.end}[what](wait_ms, accepted)

    def pause(self, wait_ms, _):
        self.film.now_ns += wait_ms * MS
        if wait_ms * MS > SILENCE_NS:
            self.film.session.tick(self.film.now_ns)
            assert self.film.state is State.WAITING
            assert self.film.session.target is None
            self._end()

    def answer(self, _, accepted):
        before = self.film.state
        self.film.session.answer(accepted, "no", self.film.now_ns)
        if before is not State.ASKING:
            assert self.film.state is before
        elif accepted:
            assert self.film.state is State.RAMPING
        else:
            self._end()

    def end(self, wait_ms, by_the_driver):
        session = self.film.session
        if by_the_driver:
            session.drop("dropped", self.film.now_ns)
        else:
            session.press(wait_ms > 300, self.film.now_ns)
        if by_the_driver or wait_ms <= 300:
            assert self.film.state is State.WAITING
            self._end()

    def _end(self):
        self.before, self.act_ns, self.held = None, None, {}

    @invariant()
    def waiting_operators_are_told_what_to_do(self):
        if self.film.state in (State.WAITING, State.HOLDING_SIGN, State.ALIGNING, State.ASKING):
            assert self.film.session.reason
        assert 0.0 <= self.film.session.progress(self.film.now_ns) <= 1.0

    @invariant()
    def a_waiting_operator_must_act_anew(self):
        if self.film.state in (State.WAITING, State.HOLDING_SIGN):
            self.act_ns = None


TestAnyOperator = AnyOperator.TestCase
TestAnyOperator.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


# ---- prediction -------------------------------------------------------------------------------------------


def moved(prediction_ms, frames=12, speed_rad_s=0.3):
    """A film in which all limbs move steadily, and where they were asked to be at its end, by limb."""
    film = Film(prediction_ms=prediction_ms).engage()
    begin = {name: fake.shows.copy() for name, fake in film.fakes.items()}
    inwards = {name: np.sign((LOWER + UPPER)[fake.joints] / 2 - begin[name]) for name, fake in film.fakes.items()}
    for count in range(1, frames + 1):
        for name, fake in film.fakes.items():
            fake.shows = begin[name] + inwards[name] * speed_rad_s * count * FRAME_NS / NS_PER_S
        film.palms()
    return film, {name: (film.of(name), inwards[name]) for name in film.fakes}


@pytest.mark.parametrize("prediction_ms", [50.0, 100.0])
def test_hands_and_arms_are_asked_to_be_where_they_will_be_and_the_head_is_not(prediction_ms):
    (_, plain), (film, ahead) = moved(0.0), moved(prediction_ms)
    for name, (there, inwards) in ahead.items():
        lead = 0.0 if name == "head" else 0.3 * prediction_ms * 1e-3
        np.testing.assert_allclose(there, plain[name][0] + inwards * lead, atol=1e-6, err_msg=name)
    film.palms(10)
    for name, fake in film.fakes.items():
        np.testing.assert_allclose(film.of(name), fake.shows, atol=1e-9)


def test_nothing_is_predicted_unless_it_is_asked_for():
    film, plain = moved(0.0)
    for name, fake in film.fakes.items():
        np.testing.assert_array_equal(plain[name][0], np.clip(fake.shows, LOWER[fake.joints], UPPER[fake.joints]))


def test_a_limb_that_is_lost_goes_back_to_where_it_was_seen_last():
    film, _ = moved(100.0)
    last = film.fakes["left_arm"].shows.copy()
    film.fakes["left_arm"].shows = None
    film.palms(10)
    assert film.session.limbs["left_arm"].state is LimbState.HELD
    np.testing.assert_allclose(film.of("left_arm"), last, atol=1e-9)
