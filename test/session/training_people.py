# SPDX-License-Identifier: Apache-2.0
"""People who do the training's exercises, without camera and robot: how well is a number each."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from booth.session.training import Training
from booth.session.training_exercise import SECOND
from booth.session.training_grip import grip_sides
from booth.session.training_person import frame, hand_pose
from robots import load_robot
from teleop.limbs import build_limbs

STEP_NS = SECOND // 30
START_NS = 50 * SECOND
SHOWN = {name: frame(hand_pose(name), 0).hands for name in ("open", "pinch index")}
PALM = [0, 5, 9, 13, 17]


@dataclass(frozen=True)
class Skill:
    """How somebody does it.

    Attributes:
        lag_s: from what is shown to what the robot does.
        offset_rad: how far joints are from where they should be, alternating up and down.
        shake_rad: standard deviation of every joint.
        speed: of the hand in the image, widths a second.
        pinches: whether the robot's hand follows a pinch.
    """

    lag_s: float
    offset_rad: float
    shake_rad: float
    speed: float
    pinches: bool = True


PERFECT = {"hand": Skill(0.20, 0.0, 0.0, 0.6), "arm": Skill(0.30, 0.0, 0.0, 0.6)}
LAGGING = {"hand": Skill(0.85, 0.15, 0.03, 0.05), "arm": Skill(0.95, 0.12, 0.03, 0.05)}
BAD = {part: Skill(1.8, 0.6, 0.05, 0.008, pinches=False) for part in ("hand", "arm")}


class Trainee:
    """Does one training in virtual time."""

    def __init__(self, robot_name, skills=PERFECT, seed=1, start_ns=START_NS):
        self.robot = load_robot(robot_name)
        self.now_ns = start_ns
        self.training = Training(self.robot, self.now_ns, seed)
        self.part = "arm" if self.robot.imitation.arms else "hand"
        self.skill = skills[self.part]
        self.rng = np.random.default_rng(7)
        self.sign = np.where(np.arange(len(self.robot.joints)) % 2, 1.0, -1.0)
        self.ready = np.array(self.robot.ready_rad)
        self.wanted = [self.ready]
        self.closed = self._closed() if grip_sides(self.robot) else self.ready
        self.at = {"right": np.array([0.35, 0.5]), "left": np.array([0.65, 0.5])}
        self.scores = []

    def _closed(self):
        closed = self.ready.copy()
        for gripper in self.robot.imitation.grippers:
            closed[self.robot.joint_names.index(gripper.joint)] = gripper.closed_rad
        return pinched(self.robot) if self.robot.imitation.hands else closed

    def step(self, engaged=True):
        """One camera frame."""
        self.now_ns += STEP_NS
        asks = str(self.training.view(self.now_ns)["instruction"]["key"])
        ghost = self.training.ghost_rad
        pinching = asks.startswith("training.pinch")
        wanted = ghost if ghost is not None else self.closed if pinching and self.skill.pinches else self.open
        self.wanted.append(wanted)
        late = self.wanted[max(0, len(self.wanted) - 1 - round(self.skill.lag_s * SECOND / STEP_NS))]
        noise = self.rng.normal(0.0, self.skill.shake_rad, len(late)) if self.skill.shake_rad else 0.0
        measured = late + self.skill.offset_rad * self.sign + noise
        self.training.see(self._hands(pinching), measured, engaged, self.now_ns)
        self.scores += self.training.take_scores()

    @property
    def open(self):
        return np.array(self.robot.home_rad)

    def _hands(self, pinching):
        circle = next((each for each in self.training.exercise.targets if not each.hit), None)
        shown = {}
        for side in ("right", "left"):
            points = SHOWN["pinch index" if pinching else "open"][side].image
            centre = SHOWN["open"][side].image[PALM].mean(axis=0)
            if circle is not None and self.training.exercise.asks.endswith(side):
                way = np.array([circle.u, circle.v]) - self.at[side]
                far = float(np.hypot(*way))
                self.at[side] = self.at[side] + way * min(1.0, self.skill.speed * STEP_NS / SECOND / max(far, 1e-9))
            shown[side] = points - centre + self.at[side]
        return shown

    def do(self, seconds=400.0):
        """The whole training; returns exercise -> score. What was not passed is left behind."""
        end_ns = self.now_ns + round(seconds * SECOND)
        while not self.training.done:
            assert self.now_ns < end_ns, self.training.view(self.now_ns)
            self.step()
            if self.training.view(self.now_ns)["instruction"]["key"] == "training.failed":
                self.training.act("next", self.now_ns)
        return {each.exercise: each.score for each in self.scores}


def pinched(robot):
    """A robot's joints (n,) when its hands pinch."""
    return _pinched(robot.name)


@cache
def _pinched(name):
    robot, person = load_robot(name), hand_pose("pinch index")
    pose, limbs = np.array(robot.ready_rad), build_limbs(robot, "hands")
    for k in range(60):
        seen = frame(person, k * STEP_NS)
        for limb in limbs:
            pose[limb.joints] = limb.see(seen, pose[limb.joints])
    pose.setflags(write=False)
    return pose
