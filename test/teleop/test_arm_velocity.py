# SPDX-License-Identifier: Apache-2.0
"""What an arm says of its speed: a share of its joints' own, nothing at rest, never near a cap."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standing_body import body
from synthetic_bodies import FRAME_NS, SIDES, body_view
from synthetic_hands import OPEN, seen

from robots import load_robot
from teleop.arm_retarget import MET_SHARE, ArmRetargeter
from teleop.body_geometry import BodyGeometryError
from teleop.clutch import ClutchSettings
from teleop.limb_clutch import LimbClutch
from teleop.limbs import build_limbs
from teleop.operator_view import HandView, OperatorFrame

ROBOT = load_robot("ffw_sh5")
STEP_S = FRAME_NS * 1e-9


def raised(angle_rad):
    """Limbs of an arm that hangs, its forearm raised forward by an angle."""
    return np.array([[0.0, 0.0, -1.0], [np.sin(angle_rad), 0.0, -np.cos(angle_rad)]])


def path(angles_rad, side="right"):
    arm = ArmRetargeter(ROBOT, side)
    found = []
    for k, angle_rad in enumerate(angles_rad, 1):
        joints = arm.see(body_view({side: raised(angle_rad)}, stamp_ns=k * FRAME_NS), None, k * FRAME_NS)
        found.append((joints, arm.velocity_rad_s))
    return [np.array(each) for each in zip(*found, strict=True)]


@pytest.mark.parametrize("side", SIDES)
def test_steady_motion_is_told_by_its_share(side) -> None:
    joints, velocity = path(0.5 + 0.8 * STEP_S * np.arange(45), side)
    speed = np.diff(joints, axis=0)[-1] / STEP_S
    elbow = int(np.argmax(np.abs(speed)))
    assert abs(speed[elbow]) > 0.6
    assert velocity[-1][elbow] == pytest.approx(MET_SHARE * speed[elbow], rel=0.1)


def test_the_first_frame_and_an_arm_at_rest_have_no_speed() -> None:
    joints, velocity = path([*np.linspace(0.5, 1.2, 20), *[1.2] * 60])
    assert not velocity[0].any()
    assert np.abs(velocity[-1]).max() < 0.02
    assert len(joints) == 80


@settings(max_examples=20)
@given(angles=st.lists(st.floats(0.0, 2.2), min_size=2, max_size=12))
def test_no_speed_is_told_above_its_share_of_the_caps(angles) -> None:
    arm = ArmRetargeter(ROBOT, "left")
    caps = np.array(ROBOT.velocity_rad_s)[arm.joints]
    for k, angle_rad in enumerate(angles, 1):
        with suppress(BodyGeometryError):
            arm.see(body_view({"left": raised(angle_rad)}, stamp_ns=k * FRAME_NS), None, k * FRAME_NS)
        assert (np.abs(arm.velocity_rad_s) <= MET_SHARE * caps + 1e-9).all()


def test_the_clutch_passes_it_on_once_the_blend_is_over() -> None:
    limb = next(limb for limb in build_limbs(ROBOT, "hands+arms") if limb.name == "right_arm")
    clutch = LimbClutch(ROBOT, limb, ClutchSettings())
    clutch.watch(np.array(ROBOT.ready_rad)[limb.joints])
    hand = HandView(seen(OPEN), np.full((21, 2), 0.5), 1.0)
    for k in range(1, 150):
        stamp_ns = 10**10 + k * FRAME_NS
        clutch.see(OperatorFrame(stamp_ns, {"right": hand}, body(stamp_ns, "down")))
        if k == 5:
            clutch.engage(stamp_ns)
        clutch.step(stamp_ns)
        assert (clutch.velocity_rad_s is None) == (k < 5 or clutch.blending)
    assert clutch.velocity_rad_s is not None
