# SPDX-License-Identifier: Apache-2.0
"""Fault: somebody else's hand comes into view. It never takes the robot over, however near and clear it is."""

import numpy as np
import pytest
from counted import counted
from operator_scenes import FRAME_NS, body, hand, walk

from teleop.identity import HandIdentity

SEQUENCES = counted(40, 200)
FRAMES = 120
ENTERS = 40


def intruder(rng, k):
    """A stranger's hand that comes in from the side, nearer to the camera and clearer than the operator's."""
    side = ["right", "left"][int(rng.integers(2))]
    at = np.array([rng.choice([-0.42, 0.42]), rng.uniform(-0.15, 0.15), rng.uniform(0.8, 1.1)])
    return lambda k: hand(side, at * [1.0 - 0.4 * min(1.0, (k - ENTERS) / 40), 1.0, 1.0], size=1.15, score=0.99)


def nearest(view, hands):
    return min(hands, key=lambda name: np.abs(view.image - hands[name].image).max())


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_the_strangers_hand_is_never_the_operators(seed):
    rng = np.random.default_rng(seed)
    identity = HandIdentity(4 / 3)
    right_at, left_at = walk(rng, (-0.2, 0.05, 1.4), FRAMES), walk(rng, (0.2, 0.05, 1.4), FRAMES)
    stranger = intruder(rng, 0)
    lost = set(rng.choice(["right", "left", "none"], 1))
    taken = 0
    for k in range(FRAMES):
        hands = {"right": hand("right", right_at[k], rng=rng), "left": hand("left", left_at[k], rng=rng)}
        operators_body = body((k + 1) * FRAME_NS, hands["right"], hands["left"])
        if k >= 70:
            hands = {side: one for side, one in hands.items() if side not in lost}
        if k >= ENTERS:
            hands["stranger"] = stranger(k)
        shown = list(hands.values())
        rng.shuffle(shown)
        found = identity.see(shown, operators_body, (k + 1) * FRAME_NS)
        for side, view in found.items():
            assert nearest(view, hands) == side, (k, side)
            taken += 1
        if k == ENTERS - 1:
            assert set(found) == {"right", "left"}
    assert taken > 100


@pytest.mark.parametrize("seed", range(SEQUENCES // 4))
def test_without_a_body_a_second_hand_of_the_same_side_is_not_believed(seed):
    rng = np.random.default_rng(seed)
    identity = HandIdentity(4 / 3)
    at = walk(rng, (-0.2, 0.0, 1.3), FRAMES)
    for k in range(FRAMES):
        own = hand("right", at[k], rng=rng)
        shown = [own] if k < ENTERS else [hand("right", (0.2, 0.0, 0.9), rng=rng, score=0.99), own]
        found = identity.see(shown, None, (k + 1) * FRAME_NS)
        if "right" in found:
            assert nearest(found["right"], {"own": own, "other": shown[0]}) == "own"
        if k >= ENTERS and "left" in found:
            pytest.fail("a right hand counts as the left one")
    assert "right" in found
