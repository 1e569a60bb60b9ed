# SPDX-License-Identifier: Apache-2.0
"""Fault: the tracker calls a right hand left, or both hands the same; or hands cross. Sides never change places."""

import numpy as np
import pytest
from counted import counted
from operator_scenes import FRAME_NS, OTHER, body, called, hand, walk

from teleop.identity import HandIdentity

SEQUENCES = counted(60, 500)
FRAMES = 90


def labels(rng, kind):
    """(FRAMES, 2) whether the label of the right and the left hand is wrong."""
    wrong = np.zeros((FRAMES, 2), bool)
    start, length = int(rng.integers(20, 50)), int(rng.integers(1, 31))
    if kind == "flip":
        wrong[start : start + length] = True
    elif kind == "both left":
        wrong[start : start + length, 0] = True
    elif kind == "both right":
        wrong[start : start + length, 1] = True
    elif kind == "flicker":
        wrong[20:] = rng.random((FRAMES - 20, 2)) < 0.4
    return wrong


def whose(view, right, left):
    """Which of the two true hands this is."""
    return "right" if np.abs(view.image - right.image).max() < np.abs(view.image - left.image).max() else "left"


@pytest.mark.parametrize("kind", ["flip", "both left", "both right", "flicker"])
@pytest.mark.parametrize("with_body", [True, False])
def test_wrong_labels_never_exchange_the_hands(kind, with_body):
    for seed in range(SEQUENCES // 8 + 1):
        rng = np.random.default_rng(seed)
        identity, wrong = HandIdentity(4 / 3), labels(rng, kind)
        right_at, left_at = walk(rng, (-0.25, 0.0, 1.3), FRAMES), walk(rng, (0.25, 0.0, 1.3), FRAMES)
        given = 0
        for k in range(FRAMES):
            right, left = hand("right", right_at[k], rng=rng), hand("left", left_at[k], rng=rng)
            shown = [called(one, OTHER[one.side]) if wrong[k, n] else one for n, one in enumerate((right, left))]
            rng.shuffle(shown)
            stamp_ns = (k + 1) * FRAME_NS
            found = identity.see(shown, body(stamp_ns, right, left) if with_body else None, stamp_ns)
            for side, view in found.items():
                assert whose(view, right, left) == side, (seed, k)
            given += len(found)
        assert given > 1.6 * (FRAMES - 20), seed


def test_hands_that_cross_are_themselves_afterwards_or_held():
    for seed in range(SEQUENCES // 4):
        rng = np.random.default_rng(seed)
        identity = HandIdentity(4 / 3)
        across = 0.2 * np.cos(np.linspace(0, 2 * np.pi, FRAMES))
        up = rng.uniform(0.02, 0.08)
        for k in range(FRAMES):
            right = hand("right", (-across[k], up, 1.25), rng=rng)
            left = hand("left", (across[k], -up, 1.35), rng=rng)
            stamp_ns = (k + 1) * FRAME_NS
            found = identity.see([right, left], body(stamp_ns, right, left), stamp_ns)
            for side, view in found.items():
                assert whose(view, right, left) == side, (seed, k)
        assert set(found) == {"right", "left"}, seed


def test_a_mirrored_image_is_told_by_the_bundled_clip_before_anything_starts():
    """See test_tracker: the self-test refuses a tracker that calls the clip's right hand left."""
    identity = HandIdentity(4 / 3)
    for k in range(30):
        found = identity.see([hand("left", (0.1, 0.0, 1.2))], None, (k + 1) * FRAME_NS)
    assert set(found) == {"left"}
