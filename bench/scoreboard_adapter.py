# SPDX-License-Identifier: Apache-2.0
"""Hand retargeting as a scoreboard sees it: one call for every camera frame, landmarks in, 20 joints out.

``factory`` is the whole chain as it runs in the booth: retargeter at the camera's 30 Hz, the driver's command stream
with its feed-forward, and the motion limiter at the robot's rate. What is returned is where the joints are told to be
at the end of the frame's 33 ms, just before the next frame. A frame that is refused is a lost one: the last target goes
on being asked for. ``stage_factory`` is the retargeter alone, without pace and limiter.
"""

import numpy as np

from drivers.command import Command
from drivers.command_stream import CommandStream
from robots import load_robot
from robots.frames import Array
from robots.limiter import SOFT_START_S, MotionLimiter
from teleop.hand_geometry import HandGeometryError
from teleop.hand_retarget import HandRetargeter, HandSettings

ROBOT = "hx5_d20_right"
NS_PER_S = 1_000_000_000
CAMERA_HZ = 30

ROTATION_CAMERA_FROM_PALM = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
"""Fingers up, palm to the camera: the scoreboard's landmarks come in the palm frame."""


class Stage:
    """The retargeter alone: the joints that it asks for, as fast as the operator's hand."""

    name = "humanoid_booth, retargeter alone"

    def __init__(self, settings: HandSettings | None = None) -> None:
        robot = load_robot(ROBOT)
        self.joint_names = list(robot.joint_names)
        self.retargeter = HandRetargeter(robot, "right", settings or HandSettings(pace=None))
        self.reset()

    def reset(self) -> None:
        """A new operator in front of the robot at home."""
        self.retargeter.reset(None)
        self.frames = 0
        self.lost = False
        self.position_rad = np.array(load_robot(ROBOT).home_rad)

    def retarget(self, points_m: Array) -> Array:
        """(20,) [rad] for the next frame's landmarks (21, 3) [m] in the palm frame."""
        self.frames += 1
        try:
            stamp_ns = self.frames * NS_PER_S // CAMERA_HZ
            self.position_rad = self.retargeter.see(points_m @ ROTATION_CAMERA_FROM_PALM.T, stamp_ns)
            self.lost = False
        except HandGeometryError:
            self.lost = True
        return self.position_rad


class Chain:
    """Retargeter, command stream and limiter."""

    name = "humanoid_booth"

    def __init__(self) -> None:
        self._robot = load_robot(ROBOT)
        self._stage = Stage(HandSettings())
        self.joint_names = self._stage.joint_names
        self.reset()

    def reset(self) -> None:
        """Engaged at home, after the soft start."""
        robot = self._robot
        lower = np.array([joint.min_rad for joint in robot.joints])
        upper = np.array([joint.max_rad for joint in robot.joints])
        self._stage.reset()
        self._stream = CommandStream(range(len(robot.joints)), lower, upper, np.array(robot.velocity_rad_s))
        self._limiter = MotionLimiter(robot, 1.0 / robot.rate_hz)
        home = np.array(robot.home_rad)
        self._limiter.start(home)
        for _ in range(round(SOFT_START_S * robot.rate_hz)):
            self._limiter.follow(home)
        self._before = self._after = home
        self._ticks = 0

    def retarget(self, points_m: Array) -> Array:
        """(20,) [rad] at the end of the next frame's time, for landmarks (21, 3) [m] in the palm frame."""
        position = self._stage.retarget(points_m)
        velocity = self._stage.retargeter.velocity_rad_s * (not self._stage.lost)
        frame = self._stage.frames
        now_ns, end_ns = (frame - 1) * NS_PER_S // CAMERA_HZ, frame * NS_PER_S // CAMERA_HZ
        self._stream.offer(Command(position, now_ns, now_ns, velocity))
        period_ns = NS_PER_S // self._robot.rate_hz
        while self._ticks * period_ns < end_ns:
            target, speed = self._stream.target(self._ticks * period_ns, feed_forward=True)
            self._before, self._after = self._after, self._limiter.follow(target, speed).position_rad
            self._ticks += 1
        beyond = (self._ticks * period_ns - end_ns) / period_ns
        return np.asarray(self._after + beyond * (self._before - self._after))


def factory() -> Chain:
    """The whole chain."""
    return Chain()


def stage_factory() -> Stage:
    """The retargeter alone."""
    return Stage()
