# SPDX-License-Identifier: Apache-2.0
"""Fault: the tracker sends NaN, infinity or nonsense. The hand counts as lost; nothing non-finite is ever commanded."""

import numpy as np
import pytest
from counted import counted

from clips.hand_model import landmarks_m
from robots import load_robot
from teleop.clutch_table import State
from teleop.imitation_session import ImitationSession
from teleop.limbs import build_limbs
from teleop.operator_view import HandView, OperatorFrame

FRAME_NS = 33_333_333
ROBOT = load_robot("hx5_d20_right")
IMAGE = np.full((21, 2), 0.5)
SETS = counted(3_000, 1_000_000)


def frame(points: np.ndarray, stamp_ns: int) -> OperatorFrame:
    """One right hand and nothing else."""
    return OperatorFrame(stamp_ns, {"right": HandView(points, IMAGE, 0.9)}, None)


def open_palm() -> np.ndarray:
    """An open right hand held up in front of the camera: palm to the camera, fingers up."""
    palm_to_camera = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
    return landmarks_m(np.array([0.75, -0.25, 0.1, 0.1] + [0.0] * 16)) @ palm_to_camera.T


def engaged_session() -> tuple[ImitationSession, int]:
    session = ImitationSession(ROBOT, build_limbs(ROBOT, "right_hand"))
    session.measure(np.array(ROBOT.home_rad))
    stamp = FRAME_NS
    while session.state is not State.ENGAGED:
        session.see(frame(open_palm(), stamp))
        if session.state is State.ASKING:
            session.answer(True, "", stamp)
        stamp += FRAME_NS
        assert stamp < 120 * FRAME_NS, session.reason
    return session, stamp


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, 0.0])
def test_bad_frames_never_reach_the_robot_and_end_the_engagement(value: float) -> None:
    session, stamp = engaged_session()
    bad = np.full((21, 3), value)
    for _ in range(12):
        target = session.see(frame(bad, stamp))
        stamp += FRAME_NS
        assert target is None or np.isfinite(target.position_rad).all()
    assert session.state is State.WAITING
    assert target is None


def test_one_bad_frame_is_bridged_with_the_last_target() -> None:
    session, stamp = engaged_session()
    before = session.see(frame(open_palm(), stamp))
    points = open_palm()
    points[8] = np.nan
    during = session.see(frame(points, stamp + FRAME_NS))
    after = session.see(frame(open_palm(), stamp + 2 * FRAME_NS))
    assert before is not None and during is not None and after is not None
    assert (during.position_rad == before.position_rad).all()
    assert np.abs(after.position_rad - before.position_rad).max() < 0.05
    assert session.state is State.ENGAGED


def random_points(rng: np.random.Generator) -> np.ndarray:
    """A real hand made worse in one of many ways, or no hand at all."""
    points = open_palm() + rng.normal(0, rng.choice([0.0, 1e-3, 1e-2, 0.1]), (21, 3))
    kind = rng.integers(8)
    if kind == 0:
        points = np.full((21, 3), rng.choice([0.0, 1e-310, 1.0, 1e30, np.nan, np.inf]))
    elif kind == 1:
        points[rng.integers(21), rng.integers(3)] = rng.choice([np.nan, np.inf, -np.inf, 1e30, -1e30, 1e-310])
    elif kind == 2:
        points = rng.normal(0, 10.0 ** rng.uniform(-6, 6), (21, 3))
    elif kind == 3:
        points = points * rng.choice([-1.0, 1.0], 3)
    elif kind == 4:
        points[rng.integers(21)] += rng.normal(0, 0.3, 3)
    elif kind == 5:
        points *= 10.0 ** rng.uniform(-3, 3)
    return points


def test_whatever_the_landmarks_targets_are_finite_inside_the_limits_and_no_faster_than_the_joints() -> None:
    rng = np.random.default_rng(7)
    lower = np.array([joint.min_rad for joint in ROBOT.joints])
    upper = np.array([joint.max_rad for joint in ROBOT.joints])
    reach = np.array(ROBOT.velocity_rad_s) * FRAME_NS * 1e-9 + 1e-9
    session, stamp = engaged_session()
    before, moved = None, 0
    for _ in range(SETS):
        target = session.see(frame(random_points(rng), stamp))
        stamp += FRAME_NS
        if target is None:
            before = None
            if session.state is not State.ENGAGED and rng.random() < 0.1:
                session, stamp = engaged_session()
            continue
        position = target.position_rad
        assert np.isfinite(position).all()
        assert (lower <= position).all() and (position <= upper).all()
        if before is not None:
            assert (np.abs(position - before) <= reach).all()
            moved += bool((position != before).any())
        before = position
    assert moved > SETS // 50
