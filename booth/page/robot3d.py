# SPDX-License-Identifier: Apache-2.0
"""The robot in 3D: a viser server for this machine only, which the page's own server hands on (`robot3d_proxy`)."""

import threading
from collections.abc import Callable
from importlib.util import find_spec
from time import monotonic_ns
from typing import TYPE_CHECKING

import numpy as np

from booth.page.robot3d_scene import RobotScene
from robots.frames import Array
from robots.load_kinematics import load_kinematics
from robots.schema import Robot

if TYPE_CHECKING:
    pass

PERIOD_NS = 100_000_000
"""At most ten pictures a second: what an eye follows, at a fraction of a core for two browsers."""
MOVED_RAD, MOVED_M = 0.0035, 0.001
"""A joint that moved less, 0.2 degrees or 1 mm, is not drawn again."""


def available() -> bool:
    """Whether viser is installed; it comes with the extra ``page``."""
    return find_spec("viser") is not None


class Robot3D:
    """Shows measured and commanded pose in every browser that looks.

    Call `show` as often as poses come: what is too early, has not moved or nobody sees costs next to nothing.
    """

    def __init__(self, robot: Robot, now_ns: Callable[[], int] = monotonic_ns) -> None:
        """Serve the robot on a free port of 127.0.0.1.

        Raises:
            UrdfError: the robot has no geometry to draw.
        """
        from booth.page.robot3d_layers import Layers  # viser is there only with the extra

        scene = RobotScene(robot, load_kinematics(robot))
        self._ready = np.array(robot.ready_rad)
        self._moved = np.array([MOVED_M if joint.prismatic else MOVED_RAD for joint in robot.joints])
        self._now_ns = now_ns
        self._due_ns = 0
        self._shown: list[Array | None] = [self._ready, None, None]
        self._lock = threading.Lock()
        self._layers: Layers | None = Layers(scene, self._ready)
        self.port = self._layers.port

    def show(self, measured_rad: Array | None, goal_rad: Array | None, ghost_rad: Array | None = None) -> None:
        """Draw these poses, each (n,) of the robot's joints [rad, or m when prismatic]. From any thread.

        Args:
            measured_rad: where the joints are; None: where they were last.
            goal_rad: where they are asked to be, a translucent robot; None: nothing is asked.
            ghost_rad: where training wants them, a translucent robot of another colour; None: no training.

        A value that isn't finite leaves its joint where it was drawn last.
        """
        with self._lock:
            now_ns = self._now_ns()
            if self._layers is None or now_ns < self._due_ns or not self._layers.watched:
                return
            asked = [self._shown[0] if measured_rad is None else measured_rad, goal_rad, ghost_rad]
            poses = [self._next(k, pose) for k, pose in enumerate(asked)]
            if all(pose is shown for pose, shown in zip(poses, self._shown, strict=True)):
                return
            self._layers.draw(poses, [pose is not shown for pose, shown in zip(poses, self._shown, strict=True)])
            self._shown = poses
            self._due_ns = now_ns + PERIOD_NS

    def _next(self, layer: int, asked: Array | None) -> Array | None:
        """What a layer shows next: the very array it shows now where nothing moved enough to be seen."""
        shown = self._shown[layer]
        if asked is None:
            return None
        if asked.shape != self._ready.shape:
            raise ValueError(f"a pose has {len(self._ready)} joints, found an array of shape {asked.shape}")
        before = self._ready if shown is None else shown
        pose = np.where(np.isfinite(asked), asked, before)
        return shown if shown is not None and (np.abs(pose - shown) < self._moved).all() else pose

    def close(self) -> None:
        """End the server; browsers are disconnected. Once is enough, more often does no harm."""
        with self._lock:
            layers, self._layers = self._layers, None
        if layers is not None:
            layers.close()
