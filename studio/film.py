# SPDX-License-Identifier: Apache-2.0
"""A clip before it is written: script, operator, camera and light together, any frame on demand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clips.choreography import REST_ROTATION
from clips.hand_model import landmarks_m, rotation
from studio.backdrop import backdrop
from studio.body_shape import add_guest, body_solids
from studio.camera import Camera, aimed_camera
from studio.frame import Exposure, Image, Scene, develop, expose
from studio.look import LIGHTS, Look
from studio.operator_model import HAND, posture
from studio.performance import Performance, Timeline, guest_is_away
from studio.script import Script
from studio.solid import Frame, Part, Solids

Array = NDArray[np.float64]

FPS = 30.0
_BLUR_STEP_PX, _MOST_BLUR_STEPS = 3.0, 5
_GUEST_ELBOW_M: Array = np.array([0.0, 0.0, -0.27])


@dataclass(frozen=True, slots=True)
class Shot:
    """One finished frame: BGR picture, and which of the operator's hand landmarks (2, 21) lie on their own hand."""

    picture: Image
    seen: NDArray[np.bool_]


class Film:
    """Everything about one clip; frames are independent of each other."""

    def __init__(self, script: Script, look: Look, seed: int, fps: float = FPS) -> None:
        self.look, self.seed, self.fps = look, seed, fps
        self.sizes, self.camera = look.sizes(), camera_of(look)
        self._timeline = Timeline(script, self.sizes, look.speed, seed)
        count = max(round(self._timeline.duration_s * fps), 1)
        self.performance: Performance = self._timeline.at(np.arange(count) / fps)
        light = LIGHTS[look.light]
        self._scene = Scene(
            self.camera, light, look.palette(), backdrop(look.background, look.width, look.height, light)
        )

    def shoot(self, index: int) -> Shot:
        """Draw frame `index`; the same pixels on every run."""
        performance = self._timeline.at(self._instants(index))
        exposures = [self._expose(performance, k) for k in range(len(performance.time_s))]
        linear = exposures[0].linear
        if len(exposures) > 1:
            linear = np.mean([exposure.linear for exposure in exposures], axis=0, dtype=np.float32)
        picture = develop(linear, self.look.softness_px, self.look.noise, self.seed * 100_003 + index)
        return Shot(picture, self._seen(index, exposures[len(exposures) // 2]))

    def guest_frame(self, guest: Array) -> Frame:
        """The guest's palm frame in the camera for its place and roll (4,)."""
        right, up, away, roll = guest
        return Frame(rotation(2, roll) @ REST_ROTATION, np.array([right, -up, away]))

    def guest_landmarks(self, performance: Performance) -> Array:
        """(N, 21, 3) landmarks of the guest's hand in camera axes; NaN without a guest."""
        points = landmarks_m(performance.guest_hand_rad)
        for row, guest in enumerate(performance.guest):
            away = not performance.has_guest or guest_is_away(guest)
            points[row] = np.nan if away else self.guest_frame(guest).to_camera(points[row])
        return points

    def _instants(self, index: int) -> Array:
        """Moments around a frame's own at which the open shutter is sampled: as many as motion asks for."""
        middle, half = index / self.fps, self.look.exposure_ms / 2000.0
        if half <= 0.0:
            return np.array([middle])
        ends = self._timeline.at(np.array([middle - half, middle + half]))
        body = posture(ends.angles_rad, self.sizes)
        tips = np.concatenate([limb.hand_m for limb in body.limbs.values()], axis=1)
        moved = np.linalg.norm(np.diff(self.camera.pixels(self.camera.place(tips)), axis=0), axis=-1).max()
        count = int(np.clip(np.ceil(moved / _BLUR_STEP_PX), 1, _MOST_BLUR_STEPS))
        return middle + half * (2.0 * (np.arange(count) + 0.5) / count - 1.0)

    def _expose(self, performance: Performance, row: int) -> Exposure:
        angles = performance.angles_rad[row]
        look = (self.look.sleeves == "short", self.look.hair_length == "long")
        solids = body_solids(posture(angles, self.sizes), angles, self.sizes, self.camera, look)
        hands = {int(Part.RIGHT_HAND): angles[HAND["right"]], int(Part.LEFT_HAND): angles[HAND["left"]]}
        if performance.has_guest and not guest_is_away(performance.guest[row]):
            hands[int(Part.GUEST_HAND)] = performance.guest_hand_rad[row]
            self._add_guest(solids, performance, row)
        return expose(solids, hands, self._scene)

    def _add_guest(self, solids: Solids, performance: Performance, row: int) -> None:
        palm = self.guest_frame(performance.guest[row])
        add_guest(solids, performance.guest_hand_rad[row], palm, palm.to_camera(_GUEST_ELBOW_M))

    def _seen(self, index: int, exposure: Exposure) -> NDArray[np.bool_]:
        """Which landmarks (2, 21) of the operator's hands lie in the image on their own hand, not behind something."""
        body = posture(self.performance.angles_rad[index], self.sizes)
        points = np.stack([limb.hand_m for limb in body.limbs.values()])
        pixels = self.camera.pixels(self.camera.place(points))
        inside = self.camera.inside(pixels)
        column, row = np.where(inside[..., None], np.nan_to_num(np.round(pixels)), 0).astype(int).transpose(2, 0, 1)
        first = np.array([[Part.RIGHT_HAND], [Part.LEFT_HAND]])
        part = exposure.parts[row, column]
        return np.asarray(inside & (part >= first) & (part < first + 6))


def camera_of(look: Look) -> Camera:
    """The camera of a look: before the operator, aimed at the chest."""
    sizes = look.sizes()
    target = np.array([0.0, 0.0, sizes.shoulder_height_m - 0.03])
    chin = sizes.skull_height_m - 0.04
    position = np.array([look.camera_distance_m, look.camera_side_m, chin + look.camera_height_m])
    return aimed_camera(position_m=position, target_m=target, fov_deg=look.fov_deg, size=(look.width, look.height))
