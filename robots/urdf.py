# SPDX-License-Identifier: Apache-2.0
"""Reads the joints of a URDF: names, frames, axes, limits, mimics. No meshes, no inertia, no XML entities."""

import xml.etree.ElementTree as ElementTree
from math import isfinite

import numpy as np

from graph.errors import InputError
from robots.frames import Array, identity, read_only, rotation_rpy
from robots.kinematics import KINDS, KinematicJoint, Mimic

MAX_URDF_BYTES = 1024 * 1024


class UrdfError(InputError):
    """A URDF that can't be used. Scenarios: not there, not XML, a joint without a child, two roots, a mimic of a joint
    that is not there. The message lists every problem."""


def parse_urdf(text: str, origin: str) -> tuple[KinematicJoint, ...]:
    """All joints of a URDF in the file's order.

    Args:
        text: XML.
        origin: what errors call it.

    Raises:
        UrdfError: with every problem.
    """
    if len(text) > MAX_URDF_BYTES:
        raise UrdfError(f"{origin} has {len(text)} characters: a URDF has at most {MAX_URDF_BYTES}")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UrdfError(f"{origin} declares a document type: entities are not allowed in a URDF")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise UrdfError(f"{origin} is not valid XML: {error}") from error
    if root.tag != "robot":
        raise UrdfError(f"{origin} should hold <robot>, found <{root.tag}>")
    joints, problems = [], []
    for index, element in enumerate(root.findall("joint")):
        try:
            joints.append(_joint(element))
        except ValueError as error:
            problems.append(f"joint {element.get('name') or index}: {error}")
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise UrdfError(f"{origin}: {len(problems)} problem(s)\n{listed}")
    return tuple(joints)


def _joint(element: ElementTree.Element) -> KinematicJoint:
    kind = _attribute(element, "type")
    if kind not in KINDS:
        raise ValueError(f"type {kind!r}: expected one of {', '.join(KINDS)}")
    axis = _vector(element.find("axis"), "xyz", (1.0, 0.0, 0.0))
    length = float(np.linalg.norm(axis))
    if length < 1e-9:
        raise ValueError("its axis has no direction")
    limit, mimic = element.find("limit"), element.find("mimic")
    lower = upper = 0.0
    if kind in ("revolute", "prismatic"):
        if limit is None:
            raise ValueError("needs <limit lower= upper=>")
        lower, upper = _number(limit, "lower", 0.0), _number(limit, "upper", 0.0)
        if lower > upper:
            raise ValueError(f"limits are the wrong way round: {lower} … {upper}")
    return KinematicJoint(
        name=_attribute(element, "name"),
        kind=kind,
        parent=_attribute(element.find("parent"), "link"),
        child=_attribute(element.find("child"), "link"),
        origin=_frame(element.find("origin")),
        axis=read_only(axis / length),
        lower=lower,
        upper=upper,
        mimic=None
        if mimic is None
        else Mimic(_attribute(mimic, "joint"), _number(mimic, "multiplier", 1.0), _number(mimic, "offset", 0.0)),
    )


def _attribute(element: ElementTree.Element | None, key: str) -> str:
    value = None if element is None else element.get(key)
    if not value:
        raise ValueError(f"no {key}" if element is None else f"no {key} in <{element.tag}>")
    return value


def _number(element: ElementTree.Element, key: str, absent: float) -> float:
    value = float(element.get(key, absent))
    if not isfinite(value):
        raise ValueError(f"{key} must be a finite number, found {value}")
    return value


def _vector(element: ElementTree.Element | None, key: str, absent: tuple[float, float, float]) -> Array:
    text = None if element is None else element.get(key)
    if text is None:
        return np.array(absent)
    values = np.array([float(word) for word in text.split()])
    if values.shape != (3,) or not np.isfinite(values).all():
        raise ValueError(f"{key} should be three finite numbers, found {text!r}")
    return values


def _frame(element: ElementTree.Element | None) -> Array:
    """The (4, 4) pose of <origin>: fixed-axis roll, pitch, yaw."""
    pose = identity()
    pose[:3, :3] = rotation_rpy(*_vector(element, "rpy", (0.0, 0.0, 0.0)))
    pose[:3, 3] = _vector(element, "xyz", (0.0, 0.0, 0.0))
    return read_only(pose)
