# SPDX-License-Identifier: Apache-2.0
"""Fault: a hand leaves the view, is hidden or not recognised. It coasts, then that limb is held; nothing jumps."""

import numpy as np
import pytest
from counted import counted
from operator_scenes import FRAME_NS, POSES_RAD, hand

from robots import load_robot
from teleop.clutch_table import LimbState, State
from teleop.imitation_session import ImitationSession
from teleop.limbs import build_limbs
from teleop.operator_view import HandView, OperatorFrame

ROBOT = load_robot("ffw_sh5")
LOSSES = counted(20, 200)
REACH_RAD = np.array(ROBOT.velocity_rad_s) * 0.1 + 1e-9
"""A target never goes farther between two frames than its joint can in 100 ms."""
FIST, OPEN = POSES_RAD["fist"], POSES_RAD["open"]
JOINTS = {
    side: [k for k, name in enumerate(ROBOT.joint_names) if name.startswith(f"finger_{side[0]}_")]
    for side in ("right", "left")
}


class Stage:
    """An operator with two hands, and the session that sees them."""

    def __init__(self):
        self.session = ImitationSession(ROBOT, build_limbs(ROBOT, "hands"))
        self.session.measure(np.array(ROBOT.ready_rad))
        self.stamp_ns, self.last = FRAME_NS, None

    def show(self, **angles):
        """One frame with these hands, by their joint angles. Returns the target; it must not have jumped."""
        places = {"right": (-0.2, 0.0, 1.2), "left": (0.2, 0.0, 1.2)}
        seen = {side: hand(side, places[side], pose) for side, pose in angles.items()}
        views = {side: HandView(one.world_m, one.image, one.score) for side, one in seen.items()}
        target = self.session.see(OperatorFrame(self.stamp_ns, views, None))
        self.stamp_ns += FRAME_NS
        if self.session.state is State.ASKING:
            self.session.answer(True, "", self.stamp_ns)
        if target is not None:
            assert np.isfinite(target.position_rad).all()
            if self.last is not None:
                assert (np.abs(target.position_rad - self.last) <= REACH_RAD).all()
            self.last = target.position_rad
        return target

    def engage(self):
        for _ in range(150):
            self.show(right=OPEN, left=OPEN)
            if self.session.state is State.ENGAGED:
                return
        pytest.fail(self.session.reason)


@pytest.mark.parametrize("seed", range(LOSSES))
def test_a_lost_hand_is_held_where_it_was_and_the_other_goes_on(seed):
    rng = np.random.default_rng(seed)
    stage = Stage()
    stage.engage()
    lost, stays = rng.permutation(["right", "left"])
    for _ in range(int(rng.integers(5, 30))):
        stage.show(**{lost: FIST, stays: OPEN})
    before = stage.last[JOINTS[lost]]
    frames = int(rng.integers(1, 300))
    for k in range(frames):
        target = stage.show(**{stays: FIST if k % 40 < 20 else OPEN})
        assert target is not None
        assert (target.position_rad[JOINTS[lost]] == before).all(), "a grasp is kept"
    limb = stage.session.limbs[f"{lost}_hand"]
    assert limb.state is (LimbState.COASTING if frames <= 3 else LimbState.HELD)
    for _ in range(10):  # back, with another posture: no jump, and nothing moves without the operator's sign
        target = stage.show(**{lost: POSES_RAD["point"], stays: OPEN})
    moved = np.abs(target.position_rad[JOINTS[lost]] - before).max()
    assert (moved > 0.05) == (frames <= 3)


def test_a_held_hand_follows_again_after_its_own_open_palm():
    stage = Stage()
    stage.engage()
    for _ in range(20):
        stage.show(right=FIST, left=OPEN)
    for _ in range(30):
        stage.show(left=OPEN)
    assert "left" not in stage.session.reason and "show the open right palm" in stage.session.reason
    held = stage.last[JOINTS["right"]]
    for _ in range(45):
        stage.show(right=OPEN, left=OPEN)
    for _ in range(60):
        stage.show(right=FIST, left=OPEN)
    assert stage.session.limbs["right_hand"].state is LimbState.FOLLOWING
    assert np.abs(stage.last[JOINTS["right"]] - held).max() < 0.3, "the same fist again"


def test_both_hands_lost_end_the_engagement():
    stage = Stage()
    stage.engage()
    for _ in range(6):
        target = stage.show()
    assert target is None
    assert stage.session.state is State.WAITING
    assert "released" in stage.session.take_events()[-1]
