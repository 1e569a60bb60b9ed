# SPDX-License-Identifier: Apache-2.0
"""A drawn operator trains on the virtual robot: landmarks, clutch, retargeting, driver and servos in virtual time."""

import numpy as np

from booth.session.training import FOLLOWED_POSES, HELD_POSES, Training
from booth.session.training_exercise import SECOND
from booth.session.training_follow import Course
from booth.session.training_ghost import Ghosts
from booth.session.training_person import arms_pose, frame, hand_pose
from booth.session.training_score import DELAY_S
from drivers.command import Command
from drivers.safety import State as DriverState
from drivers.virtual_time import VirtualTimeDriver
from robots import load_robot
from teleop.clutch_table import State
from teleop.imitation_session import ImitationSession
from teleop.limbs import build_limbs
from teleop.operator_view import BodyView, HandView, OperatorFrame

FRAME_NS = SECOND // 30
TRACKED_AFTER_NS = 30_000_000
PALM = [0, 5, 9, 13, 17]


class Booth:
    """An operator with a delay of their own, and noise of the tracker [m], before a virtual robot."""

    def __init__(self, robot_name, reaction_s=0.2, noise_m=0.0, seed=1):
        self.robot = load_robot(robot_name)
        self.driver = VirtualTimeDriver(self.robot)
        self.driver.clock.now_ns = 10 * SECOND
        self.driver.loop.connect()
        self.period_ns = round(SECOND / self.robot.rate_hz)
        self.session = ImitationSession(self.robot, build_limbs(self.robot, "hands+arms"))
        self.at_ns = self._make_ready()
        self.training = Training(self.robot, self.at_ns, seed)
        self.part = "arm" if self.robot.imitation.arms else "hand"
        ghosts, posed = Ghosts(self.robot), arms_pose if self.part == "arm" else hand_pose
        self.poses = {name: (ghosts.pose(name), posed(name)) for name in HELD_POSES[self.part]}
        self.course = Course([posed(name) for name in FOLLOWED_POSES[self.part]])
        self.rest = hand_pose("open")
        self.reaction_s, self.noise_m, self.rng = reaction_s, noise_m, np.random.default_rng(3)
        self.shift = {"right": np.zeros(2), "left": np.zeros(2)}
        self.wishes = [self.rest]
        self.person = self.rest
        self.scores = []

    def _make_ready(self):
        assert self.driver.loop.request_home(ready=True) == ""
        at_ns = self.driver.clock.now_ns
        while self.driver.loop.status.state is not DriverState.READY or at_ns < 11 * SECOND:
            at_ns += self.period_ns
            self.driver.cycle_at(at_ns)
            assert at_ns < 40 * SECOND, self.driver.loop.status.reason
        return at_ns

    def do(self, seconds):
        """The whole training; returns exercise -> score."""
        end_ns, next_ns, coming = self.at_ns + round(seconds * SECOND), self.at_ns, []
        while not self.training.done:
            assert self.at_ns < end_ns, (self.training.view(self.at_ns), self.session.reason)
            self.at_ns += self.period_ns
            self.measured = self.driver.cycle_at(self.at_ns).reading.position_rad
            self.driver.cycles.clear()
            self.session.measure(self.measured)
            if self.at_ns >= next_ns:
                next_ns += FRAME_NS
                coming.append(self._film())
            while coming and coming[0].capture_ns + TRACKED_AFTER_NS <= self.at_ns:
                self._teleop(coming.pop(0))
            self.session.tick(self.at_ns)
            if self.session.clutch.following and self.driver.loop.status.state is not DriverState.ENGAGED:
                self.session.drop(self.driver.loop.status.reason, self.at_ns)
        return {each.exercise: each.score for each in self.scores}

    def _teleop(self, seen):
        target = self.session.see(seen)
        if target is not None:
            self._send(target)
        if self.session.state is State.ASKING:
            why_not = self.driver.loop.request_engage()
            self.session.answer(not why_not, why_not, self.at_ns)
        images = {side: hand.image for side, hand in seen.hands.items()}
        self.training.see(images, self.measured, self.session.state is State.ENGAGED, self.at_ns)
        self.scores += self.training.take_scores()
        if self.training.view(self.at_ns)["instruction"]["key"] == "training.failed":
            self.training.act("next", self.at_ns)

    def _send(self, target):
        active = self.session.active_joints
        position = np.full(len(self.robot.joints), np.nan)
        position[active] = target.position_rad[active]
        for group, (_, members) in enumerate(self.robot.groups):
            asked = [joint for joint in members if joint in set(active.tolist())]
            if asked:
                known = bool(np.isfinite(target.velocity_rad_s[asked]).all())
                velocity = np.nan_to_num(target.velocity_rad_s) if known else None
                self.driver.loop.offer(Command(position, self.at_ns, target.capture_ns, velocity), group)

    # ---- the operator -----------------------------------------------------------------------------------------

    def _film(self):
        """What the camera sees now: the operator does what was shown a reaction ago."""
        self.wishes.append(self._wish())
        late = max(0, len(self.wishes) - 1 - round(self.reaction_s * 30))
        self.person = self.person + np.clip(self.wishes[late] - self.person, -0.2, 0.2)  # 6 rad/s
        self._reach()
        seen = frame(self.person, self.at_ns)
        noise = self.noise_m
        hands = {
            side: HandView(
                hand.world_m + self.rng.normal(0.0, noise or 1e-9, (21, 3)), hand.image + self.shift[side], 1.0
            )
            for side, hand in seen.hands.items()
        }
        body = seen.body
        points = body.world_m + self.rng.normal(0.0, 4 * noise or 1e-9, (33, 3))
        return OperatorFrame(seen.capture_ns, hands, BodyView(points, body.image, body.visibility, body.stamp_ns))

    def _wish(self):
        """What the operator would like to show, from what the page shows."""
        asks = self.training.view(self.at_ns)["instruction"]["key"]
        ghost = self.training.ghost_rad
        if self.session.state is not State.ENGAGED or asks == "training.engage":
            return self.rest
        if asks.startswith("training.pinch"):
            person = self.rest.copy()
            pinch = hand_pose("pinch index")
            person[13:33], person[40:60] = pinch[13:33], pinch[40:60]
            return person
        if asks.startswith("training.follow"):
            return self.course.at(self.training.exercise.progress * (self.course.seconds + DELAY_S[self.part]))
        if ghost is not None:
            return min(self.poses.values(), key=lambda pair: np.abs(pair[0] - ghost).max())[1]
        return self.rest

    def _reach(self):
        """The hand goes to the circle: in the image only, which is all that this exercise looks at."""
        circle = next((each for each in self.training.exercise.targets if not each.hit), None)
        for side in self.shift:
            there = np.zeros(2)
            if circle is not None and self.training.exercise.asks.endswith(side):
                there = np.array([circle.u, circle.v]) - frame(self.person, 0).hands[side].image[PALM].mean(axis=0)
            self.shift[side] = self.shift[side] + np.clip(there - self.shift[side], -0.015, 0.015)
