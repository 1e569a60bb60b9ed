# SPDX-License-Identifier: Apache-2.0
"""Poses of all links for several joint vectors at once, quick enough to draw a humanoid many times a second."""

from itertools import pairwise

import numpy as np

from robots.frames import Array
from robots.kinematics import KinematicJoint, KinematicTree
from robots.schema import Robot


class LinkPoses:
    """Forward kinematics like `KinematicTree.forward`, level by level of the tree instead of joint by joint.

    Attributes:
        links: names of the links, in the order of the poses.
    """

    def __init__(self, robot: Robot, tree: KinematicTree) -> None:
        depth = {tree.root: 0}
        for joint in tree.joints:
            depth[joint.child] = depth[joint.parent] + 1
        joints = sorted(tree.joints, key=lambda joint: depth[joint.child])
        self.links = (tree.root, *(joint.child for joint in joints))
        self._parent = np.array([self.links.index(joint.parent) for joint in joints])
        level = np.array([depth[joint.child] for joint in joints])
        edges = [*np.flatnonzero(np.diff(level, prepend=0)).tolist(), len(joints)]
        self._levels = list(pairwise(edges))
        self._origin = np.array([joint.origin for joint in joints])
        self._slide = np.array([joint.axis if joint.kind == "prismatic" else np.zeros(3) for joint in joints])
        turns = np.array([np.zeros(3) if joint.kind == "prismatic" else joint.axis for joint in joints])
        self._cross = np.cross(turns[:, None, :], np.eye(3)[None]).swapaxes(1, 2)
        self._cross_twice = self._cross @ self._cross
        drives = [_drive(joint, robot.joint_names) for joint in joints]
        self._source = np.array([source for source, _, _ in drives])
        self._gain = np.array([gain for _, gain, _ in drives])
        self._offset = np.array([offset for _, _, offset in drives])

    def __call__(self, positions_rad: Array) -> Array:
        """(m, links, 4, 4) root_from_link [m] for (m, n) positions of the robot's joints [rad, or m when prismatic]."""
        position = positions_rad[:, self._source] * self._gain + self._offset
        step = np.zeros((*position.shape, 4, 4))
        step[..., range(4), range(4)] = 1.0
        angle = position[..., None, None]
        step[..., :3, :3] += np.sin(angle) * self._cross + (1.0 - np.cos(angle)) * self._cross_twice
        step[..., :3, 3] = position[..., None] * self._slide
        local = self._origin @ step
        poses = np.empty((len(position), len(self.links), 4, 4))
        poses[:, 0] = np.eye(4)
        for first, end in self._levels:
            poses[:, first + 1 : end + 1] = poses[:, self._parent[first:end]] @ local[:, first:end]
        return poses


def quaternions(rotations: Array) -> Array:
    """(..., 4) unit quaternions w, x, y, z of (..., 3, 3) rotation matrices.

    Each from the largest of its four components, so that nothing near zero is divided by (Shepperd 1978).
    """
    r = rotations
    xx, yy, zz = r[..., 0, 0], r[..., 1, 1], r[..., 2, 2]
    wx, wy, wz = r[..., 2, 1] - r[..., 1, 2], r[..., 0, 2] - r[..., 2, 0], r[..., 1, 0] - r[..., 0, 1]
    xy, xz, yz = r[..., 0, 1] + r[..., 1, 0], r[..., 0, 2] + r[..., 2, 0], r[..., 1, 2] + r[..., 2, 1]
    ww_row = np.stack([1 + xx + yy + zz, wx, wy, wz], axis=-1)
    xx_row = np.stack([wx, 1 + xx - yy - zz, xy, xz], axis=-1)
    yy_row = np.stack([wy, xy, 1 - xx + yy - zz, yz], axis=-1)
    zz_row = np.stack([wz, xz, yz, 1 - xx - yy + zz], axis=-1)
    rows = np.stack([ww_row, xx_row, yy_row, zz_row], axis=-2)  # each is 4 q_k (w, x, y, z) for one k
    largest = np.argmax(np.diagonal(rows, axis1=-2, axis2=-1), axis=-1)
    row = np.take_along_axis(rows, largest[..., None, None], axis=-2)[..., 0, :]
    return np.asarray(row / np.linalg.norm(row, axis=-1, keepdims=True))


def _drive(joint: KinematicJoint, names: tuple[str, ...]) -> tuple[int, float, float]:
    """Index of the joint that moves it, multiplier and offset; 0, 0, 0 where nothing does."""
    if joint.mimic is not None:
        return names.index(joint.mimic.joint), joint.mimic.multiplier, joint.mimic.offset
    return (names.index(joint.name), 1.0, 0.0) if joint.kind != "fixed" else (0, 0.0, 0.0)
