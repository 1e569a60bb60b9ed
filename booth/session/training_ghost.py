# SPDX-License-Identifier: Apache-2.0
"""Poses to copy: what the robot itself does when a drawn person shows them, worked out little by little.

One frame of the retargeting takes some milliseconds, a whole set of poses a second: the training lets a frame be done
whenever it is called, and has all poses long before it needs the first.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np

from booth.session.training_exercise import SECOND, Array
from booth.session.training_person import ARMS, arms_pose, frame, hand_pose
from robots import Robot
from robots.frames import read_only
from teleop.limbs import Limb, build_limbs

MOVING, FRAMES = 20, 60
"""From where people engage the drawn person needs so many frames to get into a pose: a solver that begins elsewhere may
find another thumb, or another elbow. Then they stand still until filters and paces are through."""

HAND_POSES = ("open", "grasp", "fist", "point", "victory")
"""What hands alone practise with; robots with arms practise with `training_person.ARMS`."""


class Ghosts:
    """The poses of one robot.

    Attributes:
        part: "arm" or "hand": what is practised.
        driving: the hands that drive the robot.
    """

    def __init__(self, robot: Robot) -> None:
        """Take a robot.

        Raises:
            InputError: nothing of it copies a person.
        """
        self._limbs: Sequence[Limb] = build_limbs(robot, "hands+arms")
        self._ready = np.array(robot.ready_rad)
        self.part = "arm" if robot.imitation.arms else "hand"
        shown = {limb.side for limb in self._limbs if limb.name.endswith(self.part)}
        self.driving = tuple(side for side in ("right", "left") if side in shown)
        self._waiting = deque(ARMS if self.part == "arm" else HAND_POSES)
        self._rest = hand_pose("open")
        self._person: Array | None = None
        self._frames = 0
        self._found: dict[str, Array] = {}
        self._begin()

    def work(self) -> None:
        """Do a little: one frame of one pose."""
        if not self._waiting:
            return
        if self._person is None:
            name = self._waiting[0]
            self._person = arms_pose(name) if self.part == "arm" else hand_pose(name)
        share = min(1.0, self._frames / MOVING)
        seen = frame(self._rest + share * (self._person - self._rest), self._frames * SECOND // 30)
        for limb in self._limbs:
            self._pose[limb.joints] = limb.see(seen, self._pose[limb.joints])
        self._frames += 1
        if self._frames == FRAMES:
            self._found[self._waiting.popleft()] = read_only(self._pose)
            self._begin()

    def pose(self, name: str) -> Array:
        """(n,) the robot's pose of this name; joints that copy nobody are as when ready.

        Raises:
            KeyError: there is no such pose.
        """
        while name not in self._found and self._waiting:
            self.work()
        return self._found[name]

    def _begin(self) -> None:
        self._pose, self._frames, self._person = self._ready.copy(), 0, None
        for limb in self._limbs:
            limb.reset()
