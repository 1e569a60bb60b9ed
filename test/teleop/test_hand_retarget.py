# SPDX-License-Identifier: Apache-2.0
"""The whole way from landmarks to joints: laws that hold for every hand, every operator and every bad frame."""

import numpy as np
import pytest
from counted import counted
from hypothesis import example, given, settings
from synthetic_hands import (
    FIST,
    FRAME_NS,
    LOWER,
    OPEN,
    POINTING,
    UPPER,
    VICTORY,
    joint_angles,
    mirrored,
    rotations,
    seen,
    turned,
)
from test_plausible_hand import FAULTS

from robots import load_robot
from robots.robot import RobotFileError
from teleop.hand_calibration import calibrate_hand
from teleop.hand_geometry import HandGeometryError
from teleop.hand_retarget import HandRetargeter, HandSettings
from teleop.hand_solver import SolverSettings

UNPACED = HandSettings(solver=SolverSettings(time_ns=10**12), pace=None)
PACED = HandSettings(solver=SolverSettings(time_ns=10**12))
ROBOTS = [("hx5_d20_right", "right"), ("hx5_d20_left", "left"), ("xl330_hand", "right"), ("ffw_sh5", "left")]
each_robot = pytest.mark.parametrize(("name", "side"), ROBOTS)


def hand(name: str = "hx5_d20_right", side: str = "right", settings_: HandSettings = UNPACED) -> HandRetargeter:
    return HandRetargeter(load_robot(name), side, settings_)


def shown(retargeter: HandRetargeter, points, frames: int = 40, start: int = 0):
    """Joints after a hand was held still."""
    for frame in range(start, start + frames):
        position = retargeter.see(points, frame * FRAME_NS)
    return position


def of_side(points, side: str):
    return points if side == "right" else mirrored(points)


def tips_of(retargeter: HandRetargeter, position):
    return retargeter.model.place(position).tip_m


@each_robot
def test_joints_are_indices_into_the_robots_joints_and_limits_lie_in_its_own(name: str, side: str) -> None:
    robot, retargeter = load_robot(name), hand(name, side)
    assert len(set(retargeter.joints.tolist())) == len(retargeter.joints) == len(retargeter.model.joint_names)
    assert tuple(robot.joint_names[k] for k in retargeter.joints) == retargeter.model.joint_names
    for lower, upper, k in zip(retargeter.model.lower_rad, retargeter.model.upper_rad, retargeter.joints, strict=True):
        joint = robot.joints[k]
        assert joint.min_rad <= lower <= joint.home_rad <= upper <= joint.max_rad
        assert upper - lower <= 2.8, "no thumb turns farther"
    assert retargeter.side == side


@each_robot
def test_an_open_hand_stretches_and_a_fist_folds_every_finger(name: str, side: str) -> None:
    retargeter = hand(name, side)
    opened = tips_of(retargeter, shown(retargeter, of_side(seen(OPEN), side)))
    closed = tips_of(retargeter, shown(retargeter, of_side(seen(FIST), side), start=40))
    assert (opened[1:, 2] > closed[1:, 2] + 0.03).all()
    assert (closed[1:, 0] > 0.02).all()  # folded to the palm's side


def test_a_first_hand_seen_end_on_does_not_shut_out_the_others() -> None:
    retargeter = hand()
    for frame in range(10):
        points = seen(OPEN)
        points[10:13] -= 0.8 * (points[10] - points[9])
        retargeter.see(points, frame * FRAME_NS)
    shown(retargeter, seen(OPEN), start=20)


@pytest.mark.parametrize("digits", [("thumb", "index"), ("index", "middle"), ("little",)])
def test_a_hand_with_fewer_digits_copies_those(digits: tuple[str, ...]) -> None:
    robot = load_robot("hx5_d20_right")
    (whole,) = robot.imitation.hands
    part = whole.model_copy(update={"tips": {digit: whole.tips[digit] for digit in digits}})
    robot = robot.model_copy(update={"imitation": robot.imitation.model_copy(update={"hands": (part,)})})
    retargeter = HandRetargeter(robot, "right", UNPACED)
    assert len(retargeter.joints) == 4 * len(digits)
    opened = tips_of(retargeter, shown(retargeter, seen(OPEN)))
    closed = tips_of(retargeter, shown(retargeter, seen(FIST), start=40))
    assert np.linalg.norm(opened - closed, axis=1).min() > 0.02


def test_a_robot_without_that_hand_is_refused() -> None:
    with pytest.raises(RobotFileError, match="no left hand to copy with"):
        hand("hx5_d20_right", "left")
    with pytest.raises(RobotFileError, match="found none"):
        hand("op3", "right")


def garbage(rng: np.random.Generator) -> np.ndarray:
    """Anything that can arrive: noise, holes, infinities, degenerate and huge hands, and now and then a hand."""
    points = seen(OPEN + rng.uniform(0.0, 1.0) * (FIST - OPEN))
    kind = rng.integers(10)
    if kind == 0:
        return rng.normal(0.0, 10.0 ** rng.uniform(-6, 6), (21, 3))
    if kind == 1:
        points[rng.integers(21), rng.integers(3)] = rng.choice([np.nan, np.inf, -np.inf, 1e300, -1e300])
    elif kind == 2:
        points[rng.integers(21, size=5)] = points[rng.integers(21)]
    elif kind == 3:
        points *= 10.0 ** rng.uniform(-8, 8)
    elif kind == 4:
        points[:, rng.integers(3)] = 0.0
    elif kind == 5:
        points = mirrored(points)
    elif kind == 6:
        return np.zeros((21, 3))
    elif kind == 7:
        points = points + rng.normal(0.0, 0.03, (21, 3))
    return points + rng.normal(0.0, 0.003, (21, 3))


@pytest.mark.timeout(counted(180, 3600))
@each_robot
def test_whatever_arrives_the_output_is_finite_inside_the_limits_and_below_the_caps(name: str, side: str) -> None:
    robot, retargeter, rng = load_robot(name), hand(name, side, PACED), np.random.default_rng(20)
    low, high = retargeter.model.lower_rad, retargeter.model.upper_rad
    caps = np.array(robot.velocity_rad_s)[retargeter.joints]
    before = None
    for frame in range(counted(10_000, 1_000_000) // len(ROBOTS)):
        points = of_side(garbage(rng), side)
        try:
            position = retargeter.see(points, frame * FRAME_NS)
        except HandGeometryError:
            continue
        assert np.isfinite(position).all()
        assert ((position >= low) & (position <= high)).all()
        assert (np.abs(retargeter.velocity_rad_s) <= caps).all()
        if before is not None and before[0] == frame - 1:
            assert (np.abs(position - before[1]) <= caps * FRAME_NS * 1e-9 + 1e-9).all()
        before = (frame, position)


@pytest.mark.parametrize("name", FAULTS)
def test_a_refused_frame_is_a_lost_frame_and_nothing_else(name: str) -> None:
    disturbed, undisturbed = hand(settings_=PACED), hand(settings_=PACED)
    spoil, good = FAULTS[name][0], seen(OPEN)
    for frame in range(60):
        if frame == 30:
            with pytest.raises(HandGeometryError):
                disturbed.see(spoil(good), frame * FRAME_NS)
            continue
        ours = disturbed.see(good, frame * FRAME_NS)
        np.testing.assert_array_equal(ours, undisturbed.see(good, frame * FRAME_NS))


@pytest.mark.parametrize("name", FAULTS)
def test_after_a_burst_of_faults_the_hand_is_followed_within_half_a_second(name: str) -> None:
    retargeter, spoil = hand(), FAULTS[name][0]
    wanted = shown(retargeter, seen(FIST))
    retargeter.reset(None)
    shown(retargeter, seen(OPEN))
    for frame in range(40, 55):
        with pytest.raises(HandGeometryError):
            retargeter.see(spoil(seen(OPEN)), frame * FRAME_NS)
    followed = shown(retargeter, seen(FIST), frames=15, start=55)
    assert np.abs(tips_of(retargeter, followed) - tips_of(retargeter, wanted)).max() < 0.008


@given(angles=joint_angles)
@settings(max_examples=15)
def test_both_hands_of_the_operator_give_mirrored_robot_hands(angles) -> None:
    right, left = hand(), hand("hx5_d20_left", "left")
    a = tips_of(right, shown(right, seen(angles), frames=6))
    b = tips_of(left, shown(left, mirrored(seen(angles)), frames=6))
    np.testing.assert_allclose(a, b * np.array([1.0, -1.0, 1.0]), atol=1e-6)


AT_A_LIMIT = LOWER + np.where(np.arange(20) == 1, 0.109375, 0.953125) * (UPPER - LOWER)


@given(angles=joint_angles, rotation=rotations)
@example(angles=AT_A_LIMIT, rotation=turned(np.eye(3), 1, 90.0))
@settings(max_examples=15)
def test_where_the_palm_looks_does_not_matter(angles, rotation) -> None:
    one, other = hand(), hand()
    a, b = shown(one, seen(angles), frames=6), shown(other, seen(angles, rotation), frames=6)
    np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("scale", [0.8, 1.2])
def test_large_and_small_operators_get_the_same_posture(scale: float) -> None:
    """Per digit, robot length over human length: a smaller hand that is stretched stretches the robot's as far."""
    for angles in (OPEN, FIST, POINTING, VICTORY):
        usual, scaled = hand(), hand()
        a, b = shown(usual, seen(angles)), shown(scaled, seen(angles) * scale)
        assert np.abs(a - b).max() < np.radians(1.5)


def test_a_short_finger_that_is_straight_gives_a_straight_robot_finger() -> None:
    """One digit's length is its own matter: the scale is per digit."""
    points = seen(OPEN)
    points[18:] = points[17] + 0.7 * (points[18:] - points[17])
    retargeter = hand()
    position = shown(retargeter, points)
    pose = retargeter.model.place(position)
    stretch = np.linalg.norm(pose.tip_m - pose.knuckle_m, axis=1) / retargeter.model.length_m
    human = np.linalg.norm(points[20] - points[17]) / np.linalg.norm(np.diff(points[17:], axis=0), axis=1).sum()
    assert stretch[4] == pytest.approx(human, abs=0.02)


def test_a_reset_starts_from_the_given_pose_and_moves_from_there_at_the_pace() -> None:
    retargeter, robot = hand(settings_=PACED), load_robot("hx5_d20_right")
    start = 0.5 * (retargeter.model.lower_rad + retargeter.model.upper_rad)
    retargeter.reset(start)
    np.testing.assert_array_equal(retargeter.see(seen(OPEN), 0), start)
    moved = retargeter.see(seen(OPEN), FRAME_NS) - start
    assert 0.0 < np.abs(moved).max() <= max(robot.velocity_rad_s) / 30 + 1e-9


def test_the_velocity_is_that_of_the_positions() -> None:
    retargeter = hand(settings_=PACED)
    shown(retargeter, seen(OPEN), 30)
    before = None
    for frame in range(30, 60):
        position = retargeter.see(seen(OPEN + (FIST - OPEN) * (frame - 30) / 60), frame * FRAME_NS)
        if frame > 45:
            np.testing.assert_allclose((position - before) * 30.0, retargeter.velocity_rad_s, atol=0.25)
        before = position


def test_the_same_frames_give_the_same_joints() -> None:
    rng = np.random.default_rng(3)
    frames = [seen(OPEN + (FIST - OPEN) * rng.uniform(0, 1)) + rng.normal(0, 0.002, (21, 3)) for _ in range(30)]

    def run():
        retargeter = hand(settings_=PACED)
        return np.array([retargeter.see(points, k * FRAME_NS) for k, points in enumerate(frames)])

    np.testing.assert_array_equal(run(), run())


def test_a_calibrated_flat_hand_straightens_the_robots_fingers() -> None:
    bent = OPEN + np.array([0.0] * 4 + [0.0, 0.2, 0.35, 0.25] * 4)
    plain, calibrated = hand(), hand()
    calibrated.calibration = calibrate_hand(np.array([seen(bent)] * 12), "right")
    flexions = [k for k in range(4, 20) if (k - 4) % 4 > 1]
    before, after = shown(plain, seen(bent)), shown(calibrated, seen(bent))
    assert before[flexions].mean() > np.radians(12.0)
    assert after[flexions].mean() < np.radians(5.0)
    fist = shown(hand(), seen(FIST))
    np.testing.assert_allclose(shown(calibrated, seen(FIST), start=40)[flexions], fist[flexions], atol=0.2)


def test_a_still_hand_with_tracking_noise_moves_the_joints_by_less_than_half_a_degree() -> None:
    for seed, angles in ((1, OPEN), (2, 0.7 * OPEN + 0.3 * FIST)):
        rng, retargeter = np.random.default_rng(seed), hand()
        shown(retargeter, seen(angles), 60)
        out = []
        for frame in range(60, 210):
            noise = rng.normal(0.0, 0.002, (21, 3))
            noise[0] = 0.0
            out.append(retargeter.see(seen(angles) + noise, frame * FRAME_NS))
        assert np.degrees(np.array(out).std(0)).mean() < 0.5


def test_an_opening_hand_is_followed_within_two_frames() -> None:
    retargeter = hand()
    start = shown(retargeter, seen(OPEN), 60)
    path = np.array([retargeter.see(seen(FIST), frame * FRAME_NS) for frame in range(60, 160)])
    covered = np.linalg.norm(path - start, axis=1) / np.linalg.norm(path[-1] - start)
    assert covered[1] > 0.63
    assert covered[3] > 0.90


def test_a_turning_hand_keeps_its_posture() -> None:
    retargeter = hand()
    still = shown(retargeter, seen(OPEN), 60)
    for frame in range(60, 90):
        position = retargeter.see(turned(seen(OPEN), 1, (frame - 59) * 2.0), frame * FRAME_NS)
    assert np.degrees(np.abs(position - still)).max() < 4.0
