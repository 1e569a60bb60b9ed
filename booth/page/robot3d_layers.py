# SPDX-License-Identifier: Apache-2.0
"""What viser draws: one set of instances for each shape of the measured robot, one for each translucent one."""

import logging
from typing import Any

import numpy as np
import rich
import viser

from booth.page.robot3d_scene import FIELD_OF_VIEW_RAD, Bodies, Framing, RobotScene, linear
from booth.page.robot3d_shapes import Mesh, box, drum
from robots.frames import Array

GOAL, TRAINING = (64, 156, 255), (255, 176, 32)
OPACITY = 0.4
INSIDE = 0.985
"""A translucent robot is this much thinner: where both are in one place, only the measured one is seen."""
GRID, GRID_SECTION = (38, 44, 53), (52, 60, 72)


class _Server(viser.ViserServer):  # type: ignore[misc]
    """viser without its public tunnel: a browser must not be able to ask for an address in the internet."""

    def request_share_url(self, verbose: bool = True) -> None:
        """Refuse: None is viser's own answer where there is no tunnel."""


class Layers:
    """The scene in viser: layer 0 is the measured robot, 1 the commanded one, 2 training's.

    Attributes:
        port: of 127.0.0.1, for HTTP and WebSocket.
    """

    def __init__(self, scene: RobotScene, ready_rad: Array) -> None:
        rich.get_console().quiet = True  # viser greets and takes leave on standard output, which is the page's
        logging.getLogger("websockets").setLevel(logging.ERROR)
        self._scene = scene
        self._server = _Server(host="127.0.0.1", port=0, verbose=False)
        self.port: int = self._server.get_port()
        self._server.gui.configure_theme(dark_mode=True, show_logo=False, show_share_button=False)
        self._light()
        self._look(scene.framing())
        boxes, drums = scene.place(ready_rad[None])
        box_mesh = box()
        self._boxes = [self._add("measured/boxes", box_mesh, scene.boxes, boxes)]
        self._boxes += [
            self._add(name, box_mesh, scene.boxes, boxes, colour)
            for name, colour in (("goal", GOAL), ("training", TRAINING))
        ]
        self._drums = self._add("measured/drums", drum(), scene.drums, drums)

    @property
    def watched(self) -> bool:
        """Whether any browser looks."""
        return bool(self._server.get_clients())

    def draw(self, poses_rad: list[Array | None], changed: list[bool]) -> None:
        """Put every changed layer where its pose says; a pose of None hides it."""
        moved = [k for k, pose in enumerate(poses_rad) if changed[k] and pose is not None]
        with self._server.atomic():
            for k, handle in enumerate(self._boxes):
                if handle.visible != (poses_rad[k] is not None):
                    handle.visible = poses_rad[k] is not None
            if not moved:
                return
            boxes, drums = self._scene.place(np.array([poses_rad[k] for k in moved]))
            for row, k in enumerate(moved):
                self._boxes[k].batched_positions = boxes.centres_m[row]
                self._boxes[k].batched_wxyzs = boxes.turns[row]
            if moved[0] == 0:
                self._drums.batched_positions = drums.centres_m[0]
                self._drums.batched_wxyzs = drums.turns[0]

    def close(self) -> None:
        """Disconnect all browsers and end viser's thread."""
        self._server.stop()

    def _add(
        self, name: str, mesh: Mesh, bodies: Bodies, placed: Any, ghost: tuple[int, int, int] | None = None
    ) -> Any:
        return self._server.scene.add_batched_meshes_simple(
            f"/{name}",
            mesh.vertices,
            mesh.faces,
            placed.turns[0],
            placed.centres_m[0],
            batched_scales=bodies.size_m * (1.0 if ghost is None else INSIDE),
            batched_colors=bodies.colour if ghost is None else linear(np.array(ghost)),
            opacity=None if ghost is None else OPACITY,
            lod="off",
            cast_shadow=False,
            receive_shadow=False,
            visible=ghost is None,
        )

    def _light(self) -> None:
        self._server.scene.configure_default_lights(enabled=True, cast_shadow=False)

    def _look(self, framing: Framing) -> None:
        camera = self._server.initial_camera
        camera.position, camera.look_at, camera.up = framing.eye_m, framing.target_m, (0.0, 0.0, 1.0)
        camera.fov = FIELD_OF_VIEW_RAD
        if framing.floor_m is not None:
            self._server.scene.add_grid(
                "/floor",
                width=4.0,
                height=4.0,
                plane="xy",
                cell_color=GRID,
                section_color=GRID_SECTION,
                position=(0.0, 0.0, framing.floor_m),
            )
