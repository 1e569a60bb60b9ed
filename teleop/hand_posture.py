# SPDX-License-Identifier: Apache-2.0
"""The posture of the operator's fingers as joint angles: where a solver starts from, and what it leans on.

A finger bends in one plane, which holds the palm's normal. Its trace in the palm, y cos(a) + z sin(a) = 0, is fitted
to all three phalanges by least squares, so abduction stays known while the first phalanx points out of the palm.
"""

import numpy as np

from robots.frames import Array, read_only

STRAIGHT_PRIOR = 1.0
"""Weight of "no abduction" against the squared lengths of the (unit) phalanges' projections into the palm."""

FARTHEST_BACK_RAD = 1.6
"""A joint reads between this much hyperextension and a full turn less: no finger bends by more than 130 degrees, while
a tracker does read one bent far back."""

FULL_BEND_RAD = np.pi / 2
"""A joint bent by this much needs no correction."""

LEAST_BEND_RAD = read_only(np.array([-0.35, -0.1, -0.1]))
"""How far MCP, PIP and DIP bend back."""

DIP_PER_PIP, COUPLED = 2.0 / 3.0, 0.5
"""A DIP that moves freely bends by two thirds of its PIP (Rijpkema and Girard, SIGGRAPH 1991). Trackers read DIPs to 10
to 30 degrees, about what hands differ from the rule: both count the same."""


def finger_posture(directions: Array) -> Array:
    """Abduction, MCP, PIP and DIP flexion of fingers.

    Args:
        directions: (f, 3, 3) unit vectors of the phalanges in the palm frame: finger, phalanx, xyz.

    Returns:
        (f, 4) [rad]; positive abduction leans towards -y, positive flexion bends to the palm.
    """
    across, along = directions[:, :, 1], directions[:, :, 2]
    mixed = 2.0 * (across * along).sum(1)
    lead = (along * along - across * across).sum(1) + STRAIGHT_PRIOR
    angles = np.empty((len(directions), 4))
    angles[:, 0] = abduction = -0.5 * np.arctan2(mixed, lead)
    ahead = np.cos(abduction)[:, None] * along - np.sin(abduction)[:, None] * across
    lean = np.arctan2(directions[:, :, 0], ahead)
    angles[:, 1] = lean[:, 0]
    angles[:, 2:] = lean[:, 1:] - lean[:, :-1]
    angles[:, 1:] = (angles[:, 1:] + FARTHEST_BACK_RAD) % (2.0 * np.pi) - FARTHEST_BACK_RAD
    return angles


def thumb_bends(directions: Array) -> Array:
    """MP and IP flexion of the thumb, (2,) [rad], never negative: the angles between its three bones (3, 3)."""
    cosine = (directions[1:] * directions[:-1]).sum(1)
    return np.asarray(np.arccos(np.minimum(np.maximum(cosine, -1.0), 1.0)))


def straighten(directions: Array, posture_rad: Array, flat_rad: Array) -> Array:
    """Phalanges as they are on a hand whose flat fingers read ``flat_rad``.

    Flat reads as straight, and a joint that is bent by a right angle or more stays as it is; in between the correction
    fades out linearly, because the error of a flat hand is not there in a fist. Then a DIP is drawn to what its PIP
    tells of it, and no joint bends back farther than a hand's.

    Args:
        directions: (f, 3, 3) unit vectors: finger, phalanx, xyz.
        posture_rad: (f, 4) of `finger_posture`.
        flat_rad: (f, 3) MCP, PIP, DIP.

    Returns:
        (f, 3, 3) directions, turned in the finger's plane.
    """
    seen = posture_rad[:, 1:]
    fade = np.minimum(np.maximum((FULL_BEND_RAD - seen) / (FULL_BEND_RAD - flat_rad), 0.0), 1.0)
    bends = seen - flat_rad * fade
    bends[:, 2] += COUPLED * (DIP_PER_PIP * np.maximum(bends[:, 1], 0.0) - bends[:, 2])
    turn = np.cumsum(np.maximum(bends, LEAST_BEND_RAD) - seen, axis=1)[:, :, None]
    axis = np.zeros((len(directions), 1, 3))
    axis[:, 0, 1], axis[:, 0, 2] = np.cos(posture_rad[:, 0]), np.sin(posture_rad[:, 0])
    sine, cosine = np.sin(turn), np.cos(turn)
    within = (directions * axis).sum(2, keepdims=True)
    return np.asarray(cosine * directions + sine * np.cross(axis, directions) + (1.0 - cosine) * within * axis)
