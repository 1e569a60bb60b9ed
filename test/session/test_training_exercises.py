# SPDX-License-Identifier: Apache-2.0
"""Every exercise asks for what can be done, and its score falls with the error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_people import PALM, SHOWN, pinched

from booth.session.training import FOLLOWED_POSES, HELD_POSES
from booth.session.training_exercise import SECOND, TEXTS, Sight, phrase
from booth.session.training_follow import GOOD, LEG_S, Course, Follow
from booth.session.training_ghost import Ghosts
from booth.session.training_grip import RobotGrip, grip_sides, operator_pinch
from booth.session.training_hold import HOLD_S, LIMIT_S, TOLERANCE_RAD, Hold, pose_score
from booth.session.training_pinch import PINCHES, Pinch
from booth.session.training_posture import Postures, apart
from booth.session.training_reach import CIRCLES, Reach
from booth.session.training_score import DELAY_S, EXERCISES, exercises_of, quality
from graph.errors import InputError
from robots import load_robot
from robots.hand_reach import hand_points_m
from robots.load_kinematics import load_kinematics

STEP_NS = SECOND // 30
HAND = load_robot("xl330_hand")
GHOSTS, POSTURES = Ghosts(HAND), Postures(HAND)
READY = np.array(HAND.ready_rad)
share = st.floats(0.0, 1.0)


# ---- the law ----------------------------------------------------------------------------------------------


@given(st.floats(-10, 10), st.floats(0, 5), st.floats(0.01, 5), st.floats(0, 5))
def test_quality_falls_with_the_value_and_stays_a_share(value, good, width, more):
    bad = good + width
    assert 0.0 <= quality(value + more, good, bad) <= quality(value, good, bad) <= 1.0
    assert quality(good, good, bad) == 1.0 and quality(bad, good, bad) == 0.0


def test_what_is_not_a_number_has_no_quality():
    assert quality(float("nan"), 0.1, 1.0) == 0.0


@given(share, share, share, share, st.sampled_from(["hand", "arm"]))
def test_a_held_pose_scores_less_for_a_larger_error_and_a_shakier_hand(error, more, shake, shakier, part):
    best = pose_score(error, shake, part)
    assert 40.0 <= pose_score(error + more, shake + shakier, part) <= best <= 100.0
    assert pose_score(0.0, 0.0, part) == 100.0 and pose_score(9.0, 9.0, part) == 40.0


def test_every_instruction_has_a_text():
    for key in TEXTS:
        assert phrase(key) == {"key": key, "args": {}, "text": TEXTS[key]} and TEXTS[key].endswith(".")


# ---- reach ------------------------------------------------------------------------------------------------


def reach(late_s, seed=0, sides=("right",), aspect=4 / 3):
    """The exercise as done by a hand that is in every circle so long after it appears."""
    exercise, at_ns, circle, since_ns = Reach(sides, np.random.default_rng(seed), aspect), 0, None, 0
    seen = []
    place = {side: np.array([0.4, 0.5]) for side in sides}
    while not exercise.done:
        assert at_ns < exercise.limit_ns + SECOND
        at_ns += STEP_NS
        side = exercise.asks.rsplit("_", 1)[1]
        now = next((each for each in exercise.targets if not each.hit), None)
        if now is not circle:
            circle, since_ns = now, at_ns
            seen += [] if now is None else [(side, now)]
        if circle is not None and at_ns - since_ns >= late_s * SECOND:
            place[side] = np.array([circle.u, circle.v])
        hands = {}
        for each in sides:
            points = SHOWN["open"][each].image
            hands[each] = points - points[PALM].mean(axis=0) + place[each]
        exercise.see(Sight(hands, READY, at_ns))
    return exercise, seen


def test_reaching_later_scores_less():
    scores = [reach(late_s)[0].score for late_s in (0.5, 2.0, 3.5, 5.0, 7.0)]
    assert scores[0] == 100.0 and scores[-1] == 0.0
    assert scores == sorted(scores, reverse=True) and len(set(scores)) == 5


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sides", [("right",), ("right", "left")])
def test_circles_lie_in_the_image_apart_from_the_hand_and_within_a_short_way(seed, sides):
    exercise, circles = reach(0.3, seed, sides)
    palm = 0.75 * np.hypot(*((SHOWN["open"]["right"].image[9] - SHOWN["open"]["right"].image[0]) * [4 / 3, 1.0]))
    assert len(circles) == CIRCLES and [side for side, _ in circles] == [sides[k % len(sides)] for k in range(CIRCLES)]
    before = dict.fromkeys(sides, (0.4, 0.5))
    for side, circle in circles:
        assert circle.r < circle.u < 1 - circle.r and 0.1 < circle.v < 0.9
        way = np.hypot(circle.u - before[side][0], (circle.v - before[side][1]) * 0.75)
        assert palm < way < 4.6 * palm
        before[side] = circle.u, circle.v
    assert exercise.details["reached"] == CIRCLES and len(exercise.targets) == CIRCLES


def test_a_hand_that_only_flies_through_has_not_arrived():
    exercise = Reach(("right",), np.random.default_rng(0), 4 / 3)
    points = SHOWN["open"]["right"].image
    for k in range(60):
        circle = exercise.targets[-1] if exercise.targets else None
        inside = circle is not None and k % 6 == 0
        centre = np.array([circle.u, circle.v]) if inside else np.array([0.4, 0.5])
        exercise.see(Sight({"right": points - points[PALM].mean(axis=0) + centre}, READY, k * STEP_NS))
    assert exercise.details["reached"] == 0


# ---- pinch ------------------------------------------------------------------------------------------------


def pinch(robot, pause_s, follows=True, hand_follows=True):
    """The exercise as done by somebody who opens and closes after such pauses; the robot may not follow."""
    side = grip_sides(robot)[0]
    exercise, at_ns, since_ns, asks = Pinch(robot, (side,), 4 / 3), 0, 0, ""
    closed_rad, open_rad = pinched(robot), np.array(robot.home_rad)
    shows, robot_rad = "open", open_rad
    while not exercise.done:
        assert at_ns < exercise.limit_ns + SECOND
        at_ns += STEP_NS
        if exercise.asks != asks:
            asks, since_ns = exercise.asks, at_ns
        if at_ns - since_ns >= pause_s * SECOND:
            wanted = "pinch index" if "pinch" in asks else "open"
            shows = wanted if hand_follows else shows
            robot_rad = (closed_rad if wanted != "open" else open_rad) if follows else robot_rad
        exercise.see(Sight({side: SHOWN[shows][side].image}, robot_rad, at_ns))
    return exercise


@pytest.mark.parametrize("name", ["xl330_hand", "hx5_d20_left", "ffw_sg2"])
def test_pinching_more_slowly_scores_less(name):
    robot = load_robot(name)
    scores = [pinch(robot, pause_s).score for pause_s in (0.3, 1.8, 3.0, 5.0)]
    assert scores[0] == 100.0 and scores[-1] == 0.0
    assert scores == sorted(scores, reverse=True) and len(set(scores)) == 4


def test_a_pinch_that_the_robot_does_not_follow_is_none():
    exercise = pinch(HAND, 0.3, follows=False)
    assert exercise.score == 0.0 and exercise.details == {"times_s": [8.0] * 6, "followed": 0, "of": PINCHES}


def test_a_robot_that_pinches_by_itself_is_no_pinch_either():
    assert pinch(HAND, 0.3, hand_follows=False).score == 0.0


def test_a_landmark_that_jumps_for_a_frame_is_no_pinch():
    exercise = Pinch(HAND, ("right",), 4 / 3)
    closed_rad, open_rad = pinched(HAND), np.array(HAND.home_rad)
    for k in range(120):
        jumps = k % 4 == 0
        shown = SHOWN["pinch index" if jumps else "open"]["right"].image
        exercise.see(Sight({"right": shown}, closed_rad if jumps else open_rad, k * STEP_NS))
    assert exercise.progress == 0.0


@pytest.mark.parametrize("name", ["xl330_hand", "hx5_d20_left", "ffw_sg2", "ffw_sh5"])
def test_a_grip_is_read_from_the_image_and_from_the_robots_joints(name):
    robot = load_robot(name)
    for side in grip_sides(robot):
        grip = RobotGrip(robot, side)
        assert grip.closed(np.array(robot.home_rad)) < 0.2 and grip.closed(pinched(robot)) > 0.9
        assert operator_pinch(SHOWN["open"][side].image, 4 / 3) == 0.0
        assert operator_pinch(SHOWN["pinch index"][side].image, 4 / 3) > 0.9


def test_a_robot_without_hands_has_no_pinch():
    op3 = load_robot("op3")
    assert exercises_of(op3) == ("reach", "hold", "follow") and exercises_of(HAND) == EXERCISES
    with pytest.raises(InputError, match="op3"):
        RobotGrip(op3, "right")


# ---- hold -------------------------------------------------------------------------------------------------


def hold(offset_rad=0.0, shake_rad=0.0, late_s=0.0):
    """The exercise as done by a robot so far away from the shown pose, that gets there so late."""
    exercise, at_ns, rng = (
        Hold([GHOSTS.pose(name) for name in HELD_POSES["hand"]], POSTURES),
        0,
        np.random.default_rng(3),
    )
    since_ns, shown = 0, None
    while not exercise.done:
        assert at_ns < exercise.limit_ns + SECOND
        at_ns += STEP_NS
        if exercise.ghost_rad is not shown:
            shown, since_ns = exercise.ghost_rad, at_ns
        there = at_ns - since_ns >= late_s * SECOND
        away = offset_rad + rng.normal(0.0, shake_rad, len(shown)) if shake_rad else offset_rad
        exercise.see(Sight({}, shown + away if there else READY + 5.0, at_ns))
    return exercise


def test_a_larger_error_scores_less_and_one_beyond_the_tolerance_nothing():
    scores = [hold(offset).score for offset in (0.0, 0.25, 0.32, 0.4, 0.5)]
    assert scores[0] == 100.0 and scores[3] >= 60.0 and scores[4] == 0.0
    assert scores == sorted(scores, reverse=True)


def test_a_shaky_hand_scores_less():
    scores = [hold(shake_rad=shake).score for shake in (0.0, 0.05, 0.1)]
    assert scores == sorted(scores, reverse=True) and len(set(scores)) == 3


def test_who_is_too_late_has_nothing_of_that_pose():
    assert hold(late_s=LIMIT_S - HOLD_S - 0.5).score == 100.0
    late = hold(late_s=LIMIT_S - HOLD_S + 0.5)
    assert late.score == 0.0 and late.details["held"] == 0


def test_leaving_the_pose_begins_the_holding_anew_and_a_slip_does_not():
    for out_frames, done in ((6, True), (15, False)):
        exercise = Hold([GHOSTS.pose("fist")], POSTURES)
        for k in range(round(30 * HOLD_S) + 3):
            out = 45 <= k < 45 + out_frames
            exercise.see(Sight({}, exercise.ghost_rad + (1.0 if out else 0.0), k * STEP_NS))
        assert exercise.done is done


# ---- follow -----------------------------------------------------------------------------------------------


def follow(lag_s=DELAY_S["hand"], share_of_motion=1.0, offset_rad=0.0, ghosts=GHOSTS, postures=POSTURES):
    """The exercise as done by a robot that lags so much and makes such a share of the motion."""
    course = Course([ghosts.pose(name) for name in FOLLOWED_POSES[postures.part]])
    way = np.array([course.at(t) for t in np.linspace(0.0, course.seconds, 121)])
    exercise, at_ns, middle = Follow(course, postures), 0, way.mean(axis=0)
    begun_ns = None
    while not exercise.done:
        assert at_ns <= exercise.limit_ns + SECOND
        at_ns += STEP_NS
        begun_ns = at_ns if begun_ns is None and exercise.asks == "training.follow" else begun_ns
        time_s = 0.0 if begun_ns is None else (at_ns - begun_ns) / SECOND
        shown = course.at(time_s - lag_s)
        exercise.see(Sight({}, middle + share_of_motion * (shown - middle) + offset_rad, at_ns))
    return exercise


def test_the_robots_own_delay_costs_nothing_and_more_costs_more():
    scores = [follow(lag_s).score for lag_s in (0.2, 0.6, 1.0, 1.6, 2.5)]
    assert scores[0] == 100.0 and scores == sorted(scores, reverse=True) and len(set(scores)) == 5


def test_standing_still_in_the_middle_scores_nothing():
    still = follow(share_of_motion=0.0)
    assert still.score == pytest.approx(0.0, abs=3.0) and still.error == pytest.approx(1.0, abs=0.05)


def test_half_the_motion_is_half_the_error():
    assert follow(share_of_motion=0.5).error == pytest.approx(0.5, abs=0.05)
    assert 50.0 < follow(share_of_motion=0.5).score < 100.0 > follow(offset_rad=0.3).score > 0.0
    assert follow(share_of_motion=1.0 - 0.8 * GOOD).score == 100.0


def test_the_pale_robot_waits_for_one_who_is_not_there_but_not_for_ever():
    exercise = Follow(Course([GHOSTS.pose("open"), GHOSTS.pose("fist")]), POSTURES)
    for k in range(30 * 7):
        exercise.see(Sight({}, GHOSTS.pose("fist"), k * STEP_NS))
        assert exercise.asks == "training.follow_begin" and exercise.progress == 0.0
        np.testing.assert_array_equal(exercise.ghost_rad, GHOSTS.pose("open"))
    for k in range(30 * 7, 30 * 30):
        exercise.see(Sight({}, GHOSTS.pose("fist"), k * STEP_NS))
    assert exercise.done and exercise.score < 50.0


@given(st.floats(-2.0, 20.0))
def test_the_way_is_slow_and_without_jumps(time_s):
    course = Course([GHOSTS.pose(name) for name in FOLLOWED_POSES["hand"]])
    assert course.seconds == LEG_S * 4
    reach_rad = max(np.abs(np.diff([GHOSTS.pose(name) for name in FOLLOWED_POSES["hand"]], axis=0)).max(), 1e-9)
    speed = np.abs(course.at(time_s + 0.01) - course.at(time_s)).max() / 0.01
    assert speed <= 1.876 * reach_rad / LEG_S + 1e-6


# ---- what is shown can be done ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["xl330_hand", "hx5_d20_right", "hx5_d20_left", "op3", "ffw_sg2", "ffw_sh5"])
def test_limits_and_fences_allow_all_that_the_pale_robot_shows(name):
    robot = load_robot(name)
    ghosts, postures, tree = Ghosts(robot), Postures(robot), load_kinematics(robot)
    limits = np.array([(joint.min_rad, joint.max_rad) for joint in robot.joints])
    course = Course([ghosts.pose(each) for each in FOLLOWED_POSES[ghosts.part]])
    shown = [course.at(t) for t in np.linspace(0.0, course.seconds, 49)]
    shown += [ghosts.pose(each) for each in HELD_POSES[ghosts.part]]
    for pose in shown:
        assert (pose >= limits[:, 0] - 1e-9).all() and (pose <= limits[:, 1] + 1e-9).all()
        known = {joint: rad for joint, rad in zip(robot.joint_names, pose, strict=True) if joint in tree.joint_names}
        for arm in robot.imitation.arms:
            points = hand_points_m(tree, arm, known)
            assert (points > arm.fence_m.lower).all() and (points < arm.fence_m.upper).all()
    assert (
        np.abs(np.diff([course.at(t) for t in np.arange(0, course.seconds, 0.1)], axis=0)).max(axis=0) * 10.0
        < 0.6 * np.array(robot.velocity_rad_s)
    ).all()
    named = [postures.of(ghosts.pose(each)) for each in (*HELD_POSES[ghosts.part], FOLLOWED_POSES[ghosts.part][0])]
    for k, one in enumerate(named):
        for other in named[:k]:
            assert apart(one, other) > 1.25 * TOLERANCE_RAD[ghosts.part], "no pose is held by standing in another"


def test_poses_are_made_a_frame_at_a_time_and_always_the_same():
    slowly, at_once = Ghosts(HAND), Ghosts(HAND)
    for _ in range(1000):
        slowly.work()
    for name in ("open", "grasp", "fist", "point"):
        np.testing.assert_allclose(slowly.pose(name), at_once.pose(name), atol=1e-9)
    with pytest.raises(ValueError):
        slowly.pose("fist")[0] = 1.0
    with pytest.raises(KeyError):
        slowly.pose("salute")
