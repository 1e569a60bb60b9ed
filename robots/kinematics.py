# SPDX-License-Identifier: Apache-2.0
"""Where every link of a robot is for given joint positions: a tree of joints and its forward kinematics."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from robots.frames import Array, identity, read_only, shifted, turned

KINDS = ("fixed", "revolute", "continuous", "prismatic")


@dataclass(frozen=True, slots=True)
class Mimic:
    """A joint that another one drives: position = ``multiplier`` × position of ``joint`` + ``offset``."""

    joint: str
    multiplier: float
    offset: float


@dataclass(frozen=True, slots=True)
class KinematicJoint:
    """One joint of the tree.

    Attributes:
        name, kind: as in the URDF; kind is one of `KINDS`.
        parent, child: links.
        origin: (4, 4) parent_from_child at position 0 [m], read-only.
        axis: (3,) unit vector in the child's frame, read-only: turns about it, or slides along it.
        lower, upper: limits [rad, or m when prismatic]; 0 for fixed and continuous joints.
        mimic: the joint that drives it, or None.
    """

    name: str
    kind: str
    parent: str
    child: str
    origin: Array
    axis: Array
    lower: float
    upper: float
    mimic: Mimic | None = None

    @property
    def moves(self) -> bool:
        """Whether it takes a position of its own: neither fixed nor driven by another joint."""
        return self.kind != "fixed" and self.mimic is None

    def parent_from_child(self, position: float) -> Array:
        """(4, 4) pose of the child in the parent at a position [rad, or m when prismatic]."""
        if self.kind == "fixed":
            return self.origin
        step = shifted(self.axis, position) if self.kind == "prismatic" else turned(self.axis, position)
        return self.origin @ step


class KinematicTree:
    """Joints from one root link outwards; every parent comes before its children.

    Attributes:
        root: name of the root link.
        joints: all joints, ordered; ``links`` are their children after the root, so ``links[k + 1]`` is moved by
            ``joints[k]``.
        joint_names: joints that take a position, in this order.
        origins: (n, 4, 4) parent_from_child at position 0 [m]; ``axes``: (n, 3) in the child's frame; ``parents``: (n,)
            index of every joint's parent link in ``links``. All read-only.
    """

    def __init__(self, joints: Iterable[KinematicJoint]) -> None:
        """Order the joints.

        Raises:
            ValueError: not one tree: lists every problem.
        """
        listed = list(joints)
        problems = _not_a_tree(listed)
        if problems:
            raise ValueError("; ".join(problems))
        children = {joint.child for joint in listed}
        self.root = next(joint.parent for joint in listed if joint.parent not in children)
        self.joints = _from_root(self.root, listed)
        self.links = (self.root, *(joint.child for joint in self.joints))
        self.joint_names = tuple(joint.name for joint in self.joints if joint.moves)
        self.origins = read_only(np.array([joint.origin for joint in self.joints]))
        self.axes = read_only(np.array([joint.axis for joint in self.joints]))
        index = {link: k for k, link in enumerate(self.links)}
        self.parents = np.array([index[joint.parent] for joint in self.joints])
        self.parents.setflags(write=False)

    def joint(self, name: str) -> KinematicJoint:
        """The joint of this name.

        Raises:
            ValueError: there is none; lists the joints.
        """
        for joint in self.joints:
            if joint.name == name:
                return joint
        raise ValueError(f"no joint {name!r}: expected one of {', '.join(joint.name for joint in self.joints)}")

    def forward(self, positions: Mapping[str, float]) -> dict[str, Array]:
        """Pose of every link, root_from_link, (4, 4) [m].

        Args:
            positions: [rad, or m when prismatic] by joint name; a joint that is not named stands at 0.

        Raises:
            ValueError: a name that takes no position (unknown, fixed or driven by another joint).
        """
        unknown = sorted(set(positions) - set(self.joint_names))
        if unknown:
            raise ValueError(f"no moving joint {', '.join(unknown)}: expected {', '.join(self.joint_names)}")
        poses = {self.root: identity()}
        for joint in self.joints:
            poses[joint.child] = poses[joint.parent] @ joint.parent_from_child(_position(joint, positions))
        return poses

    def chain(self, link: str) -> tuple[KinematicJoint, ...]:
        """Joints between the root and a link, root first.

        Raises:
            ValueError: there is no such link.
        """
        if link not in self.links:
            raise ValueError(f"no link {link!r}: expected one of {', '.join(self.links)}")
        found: list[KinematicJoint] = []
        at = self.links.index(link)
        while at > 0:
            found.insert(0, self.joints[at - 1])
            at = int(self.parents[at - 1])
        return tuple(found)

    @property
    def tips(self) -> tuple[str, ...]:
        """Links at which the tree ends."""
        inner = {joint.parent for joint in self.joints}
        return tuple(link for link in self.links if link not in inner)


def _position(joint: KinematicJoint, positions: Mapping[str, float]) -> float:
    if joint.mimic is not None:
        return joint.mimic.multiplier * positions.get(joint.mimic.joint, 0.0) + joint.mimic.offset
    return positions.get(joint.name, 0.0)


def _not_a_tree(joints: list[KinematicJoint]) -> list[str]:
    if not joints:
        return ["there is no joint"]
    problems = []
    for what, names in (("joint", [j.name for j in joints]), ("child link", [j.child for j in joints])):
        problems += [f"{what} {name} occurs {count} times" for name, count in Counter(names).items() if count > 1]
    children = {joint.child for joint in joints}
    roots = list(dict.fromkeys(joint.parent for joint in joints if joint.parent not in children))
    if len(roots) != 1:
        problems.append(f"expected one root link, found {', '.join(roots) or 'a loop'}")
    elif not problems:
        reached = {joint.child for joint in _from_root(roots[0], joints)}
        problems += [f"link {link} is in a loop" for link in sorted(children - reached)]
    moving = {joint.name for joint in joints if joint.moves}
    for joint in joints:
        if joint.mimic is not None and joint.mimic.joint not in moving:
            problems.append(f"{joint.name} mimics {joint.mimic.joint}, which is no joint that moves by itself")
    return problems


def _from_root(root: str, joints: list[KinematicJoint]) -> tuple[KinematicJoint, ...]:
    """Joints that hang on the root, parents first; siblings in the file's order."""
    by_parent: dict[str, list[KinematicJoint]] = {}
    for joint in joints:
        by_parent.setdefault(joint.parent, []).append(joint)
    ordered: list[KinematicJoint] = []
    waiting = list(reversed(by_parent.get(root, [])))
    while waiting:
        joint = waiting.pop()
        ordered.append(joint)
        waiting += reversed(by_parent.get(joint.child, []))
    return tuple(ordered)
