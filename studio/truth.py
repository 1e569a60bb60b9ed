# SPDX-License-Identifier: Apache-2.0
"""The truth of a clip: every array of its .npz file. The layout is described in `LAYOUT`."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from studio.body_landmarks import BODY_LANDMARKS, body_landmarks_m
from studio.film import Film
from studio.look import described
from studio.operator_model import HEAD, JOINT_NAMES, SIDES, posture

Array = NDArray[np.float64]

TRUTH_VERSION = 1

LAYOUT = """
N frames; hands are ordered right, left (the operator's own); camera axes are optical (x right, y down, z away).

truth_version                         ()           1
fps, time_s                           (), (N,)     frames per second; time of each frame [s]
segment                               (N,)         label of the script's step
joint_names, joint_angles_rad         (60,), (N, 60)
sides                                 (2,)         right, left
hands_in_camera_m                     (N, 2, 21, 3)  landmarks [m] from the camera
hands_px                              (N, 2, 21, 2)  their image points [px], pixel centres are integers
hands_inside                          (N, 2, 21)   the image point lies in the image
hands_seen                            (N, 2, 21)   … and shows this hand, not something before it
rotation_camera_from_palm             (N, 2, 3, 3) palm frames as in teleop.hand_geometry
body_names                            (33,)        MediaPipe's pose landmarks
body_in_camera_m, body_px, body_inside  (N, 33, 3), (N, 33, 2), (N, 33)
head_angles_rad                       (N, 3)       yaw (to the left), pitch (down), roll (to the right) on the trunk
rotation_camera_from_head             (N, 3, 3)    head axes x forward, y left, z up
rotation_camera_from_torso            (N, 3, 3)    likewise
guest_in_camera_m, guest_px, guest_inside  (N, 21, 3), (N, 21, 2), (N, 21)  a bystander's right hand; NaN where away
camera_matrix                         (3, 3)       pinhole intrinsics [px]
image_size                            (2,)         width, height
rotation_camera_from_operator, operator_in_camera_m  (3, 3), (3,)  operator frame: x forward, y left, z up, at the hips
size_names, sizes                     (K,), (K,)   lengths of the operator [m] and scales
script, look, seed, digest            ()           how it was made: script name, look as JSON, seed, content hash
"""


def truth(film: Film, seen: NDArray[np.bool_], name: str, digest: str) -> dict[str, NDArray[np.generic]]:
    """Everything a measurement needs to know about each frame.

    Args:
        film: the clip.
        seen: (N, 2, 21) as the shots tell it.
        name: of the script.
        digest: content hash of script, look and code.
    """
    performance, camera = film.performance, film.camera
    body = posture(performance.angles_rad, film.sizes)
    hands = camera.place(np.stack([body.limbs[side].hand_m for side in SIDES], axis=1))
    hands_px = camera.pixels(hands)
    skeleton = camera.place(body_landmarks_m(body, film.sizes))
    skeleton_px = camera.pixels(skeleton)
    guest = film.guest_landmarks(performance)
    guest_px = camera.pixels(guest)
    palms = np.stack([body.limbs[side].rotation_operator_from_palm for side in SIDES], axis=1)
    sizes = film.sizes.named()
    return {
        "truth_version": np.array(TRUTH_VERSION),
        "fps": np.array(film.fps),
        "time_s": performance.time_s,
        "segment": performance.segment,
        "joint_names": np.array(JOINT_NAMES),
        "joint_angles_rad": performance.angles_rad,
        "sides": np.array(SIDES),
        "hands_in_camera_m": hands,
        "hands_px": hands_px,
        "hands_inside": camera.inside(hands_px),
        "hands_seen": seen,
        "rotation_camera_from_palm": camera.turn(palms),
        "body_names": np.array(BODY_LANDMARKS),
        "body_in_camera_m": skeleton,
        "body_px": skeleton_px,
        "body_inside": camera.inside(skeleton_px),
        "head_angles_rad": performance.angles_rad[:, HEAD],
        "rotation_camera_from_head": camera.turn(body.rotation_operator_from_head),
        "rotation_camera_from_torso": camera.turn(body.rotation_operator_from_torso),
        "guest_in_camera_m": guest,
        "guest_px": guest_px,
        "guest_inside": camera.inside(guest_px),
        "camera_matrix": camera.matrix,
        "image_size": np.array([camera.width, camera.height]),
        "rotation_camera_from_operator": camera.rotation_camera_from_operator,
        "operator_in_camera_m": camera.operator_in_camera_m,
        "size_names": np.array(list(sizes)),
        "sizes": np.array(list(sizes.values())),
        "script": np.array(name),
        "look": np.array(json.dumps(described(film.look), sort_keys=True)),
        "seed": np.array(film.seed),
        "digest": np.array(digest),
    }
