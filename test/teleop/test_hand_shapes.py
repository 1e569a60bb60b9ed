# SPDX-License-Identifier: Apache-2.0
"""Shapes that people look at first: a fist is a fist, and a pinch is closed."""

import numpy as np
import pytest
from synthetic_hands import FIST, OPEN, seen
from test_hand_retarget import ROBOTS, hand, of_side, shown, tips_of

from teleop.hand_calibration import calibrate_hand


@pytest.mark.parametrize("flat_rad", [0.0, 0.3])
def test_a_fist_is_a_fist_joint_by_joint(flat_rad: float) -> None:
    """Whatever a flat hand reads: no joint of a closed fist is opened for the sake of another, nor leans sideways."""
    retargeter = hand()
    if flat_rad:
        offset = np.array([0.0] * 4 + [0.0, flat_rad, flat_rad, flat_rad] * 4)
        retargeter.calibration = calibrate_hand(np.array([seen(OPEN + offset)] * 12), "right")
    off_deg = np.degrees(np.abs(shown(retargeter, seen(FIST)) - FIST))[4:].reshape(4, 4)
    assert off_deg[:, :3].max() < 6.0
    assert off_deg[:, 3].max() < (15.0 if flat_rad else 6.0)


def pinched(finger: int):
    """A hand whose thumb tip touches a finger's: the thumb is put there, bones and all."""
    angles = OPEN.copy()
    first = 4 + 4 * finger
    angles[first + 1 : first + 4] = 0.9, 0.9, 0.4
    points = seen(angles)
    tip, base = points[8 + 4 * finger], points[1]
    bones = np.linalg.norm(np.diff(points[1:5], axis=0), axis=1)
    for _ in range(200):  # FABRIK (Aristidou and Lasenby 2011)
        points[4] = tip
        for k in (3, 2, 1):
            step = points[k] - points[k + 1]
            points[k] = points[k + 1] + step / np.linalg.norm(step) * bones[k - 1]
        points[1] = base
        for k in (2, 3, 4):
            step = points[k] - points[k - 1]
            points[k] = points[k - 1] + step / np.linalg.norm(step) * bones[k - 2]
    return points


@pytest.mark.parametrize(("name", "side"), ROBOTS[:2])
@pytest.mark.parametrize("finger", range(4))
def test_a_pinch_closes_on_the_robot(name: str, side: str, finger: int) -> None:
    points = pinched(finger)
    assert np.linalg.norm(points[4] - points[8 + 4 * finger]) < 0.004
    retargeter = hand(name, side)
    tips = tips_of(retargeter, shown(retargeter, of_side(points, side)))
    assert np.linalg.norm(tips[0] - tips[1 + finger]) < 0.008
    opened = tips_of(retargeter, shown(retargeter, of_side(seen(OPEN), side), start=40))
    assert np.linalg.norm(opened[0] - opened[1 + finger]) > 0.05


@pytest.mark.parametrize("finger", range(4))
def test_a_pinching_finger_bends_as_the_operators(finger: int) -> None:
    """Many shapes meet the thumb; the operator's is meant, and it is the shortest way."""
    joints = slice(5 + 4 * finger, 8 + 4 * finger)
    off_deg = np.degrees(np.abs(shown(hand(), pinched(finger))[joints] - (0.9, 0.9, 0.4)))
    assert off_deg.mean() < 18.0
    assert off_deg[2] < 10.0
