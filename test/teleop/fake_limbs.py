# SPDX-License-Identifier: Apache-2.0
"""Limbs that show what a test says, and frames of an operator for them."""

import numpy as np
from hand_scene import Person
from synthetic_hands import NS_PER_S

from teleop.limbs import LimbLostError
from teleop.operator_view import HandView, OperatorFrame

START = 1_000 * NS_PER_S
FRAME_NS = NS_PER_S // 30


class FakeLimb:
    """A limb of any joints; ``shows`` (k,) is the operator's pose, None: lost."""

    def __init__(self, name, side, joints, relative=False):
        self.name, self.side, self.relative = name, side, relative
        self.joints = np.array(joints)
        self.shows = np.zeros(len(self.joints))
        self.resets = 0

    def reset(self):
        self.resets += 1

    def see(self, frame, position_rad):
        if self.shows is None or (self.name.endswith("hand") and self.side not in frame.hands):
            raise LimbLostError(f"the camera does not see the {self.name.replace('_', ' ')}")
        return np.array(self.shows, dtype=np.float64)


def operator_frame(stamp_ns, rng=None, body=None, **poses):
    """What the camera shows of an operator whose hands have these poses (20,); a hand without one is not in view."""
    person = Person(pose=poses, hidden=frozenset({"right", "left"} - set(poses)))
    hands = person.hands(rng or np.random.default_rng(0), noise=0.0 if rng is None else 0.3)
    views = {hand.side: HandView(hand.world_m - hand.world_m[0], hand.image, hand.score) for hand in hands}
    return OperatorFrame(stamp_ns, views, body)
