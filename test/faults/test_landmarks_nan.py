# SPDX-License-Identifier: Apache-2.0
"""Fault: the tracker sends NaN, infinity or nonsense. The hand counts as lost; nothing non-finite is ever commanded."""

import numpy as np
import pytest

from clips.hand_model import landmarks_m
from graph import hands_cloud
from robots import load_robot
from teleop.engage import Phase
from teleop.session import TeleopSession

FRAME_NS = 33_333_333


def cloud(points: np.ndarray) -> np.ndarray:
    """A hands cloud with one right hand."""
    filled = hands_cloud.empty()
    for axis, name in enumerate("xyz"):
        filled[0][name] = points[:, axis]
    return filled


def open_palm() -> np.ndarray:
    """An open right hand held up in front of the camera: palm to the camera, fingers up."""
    palm_to_camera = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
    return landmarks_m(np.array([0.75, -0.25, 0.1, 0.1] + [0.0] * 16)) @ palm_to_camera.T


def engaged_session() -> tuple[TeleopSession, int]:
    session = TeleopSession(load_robot("hx5_d20_right"))
    stamp = FRAME_NS
    while session.clutch.phase is not Phase.ASKING:
        session.see(cloud(open_palm()), stamp)
        stamp += FRAME_NS
        assert stamp < 60 * FRAME_NS
    session.clutch.answer(True, "", stamp)
    return session, stamp


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, 0.0])
def test_bad_frames_never_reach_the_robot_and_end_the_engagement(value: float) -> None:
    session, stamp = engaged_session()
    bad = np.full((21, 3), value)
    for _ in range(12):
        target, _ = session.see(cloud(bad), stamp)
        stamp += FRAME_NS
        assert target is None or np.isfinite(target.position_rad).all()
    assert session.clutch.phase is Phase.WAITING
    assert target is None


def test_one_bad_frame_is_bridged_with_the_last_target() -> None:
    session, stamp = engaged_session()
    before, _ = session.see(cloud(open_palm()), stamp)
    points = open_palm()
    points[8] = np.nan
    during, _ = session.see(cloud(points), stamp + FRAME_NS)
    after, _ = session.see(cloud(open_palm()), stamp + 2 * FRAME_NS)
    assert before is not None
    assert during is not None
    assert after is not None
    assert (during.position_rad == before.position_rad).all()
    assert np.abs(after.position_rad - before.position_rad).max() < 0.05
    assert session.clutch.phase is Phase.ENGAGED
