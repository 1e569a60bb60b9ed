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


def available(robot: Robot) -> bool:
    """Whether a robot can be shown: viser is installed (extra ``page``), and the robot has geometry."""
    return robot.urdf is not None and find_spec("viser") is not None


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
        self._measured = self._ready
        self._ghosts: list[Array | None] = [None, None]
        self._lock = threading.Lock()
        self._layers: Layers | None = Layers(scene, self._ready)
        self.port = self._layers.port

    def show(self, measured_rad: Array | None, goal_rad: Array | None, ghost_rad: Array | None = None) -> None:
        """Draw these poses, each (n,) of the robot's joints [rad, or m when prismatic]. From any thread.

        Args:
            measured_rad: where the joints are; None: where they were last.
            goal_rad: where they are asked to be, a translucent robot; None: nothing is asked.
            ghost_rad: where training wants them, a translucent robot of another colour; None: no training.

        A value that isn't finite leaves its joint where it was drawn last; of a goal that is new, where it is measured.
        """
        with self._lock:
            now_ns = self._now_ns()
            if self._layers is None or not self._due(now_ns):
                return
            measured = self._measured
            if measured_rad is not None:
                measured = self._next(measured, measured_rad, measured)
            ghosts = [
                None if asked is None else self._next(shown, asked, measured)
                for shown, asked in zip(self._ghosts, (goal_rad, ghost_rad), strict=True)
            ]
            changed = [measured is not self._measured]
            changed += [ghost is not shown for ghost, shown in zip(ghosts, self._ghosts, strict=True)]
            if any(changed):
                self._layers.draw([measured, *ghosts], changed)
                self._measured, self._ghosts, self._due_ns = measured, ghosts, now_ns + PERIOD_NS

    @property
    def due(self) -> bool:
        """Whether `show` would look at a pose now: somebody watches, and the last picture is old enough."""
        return self._due(self._now_ns())

    def _due(self, now_ns: int) -> bool:
        layers = self._layers
        return layers is not None and now_ns >= self._due_ns and layers.watched

    def _next(self, shown: Array | None, asked: Array, otherwise: Array) -> Array:
        """What a layer shows next: the very array it shows now where nothing moved enough to be seen."""
        if asked.shape != self._ready.shape:
            raise ValueError(f"a pose has {len(self._ready)} joints, found an array of shape {asked.shape}")
        pose = np.where(np.isfinite(asked), asked, otherwise if shown is None else shown)
        return shown if shown is not None and (np.abs(pose - shown) < self._moved).all() else pose

    def close(self) -> None:
        """End the server; browsers are disconnected. Once is enough, more often does no harm."""
        with self._lock:
            layers, self._layers = self._layers, None
        if layers is not None:
            layers.close()
