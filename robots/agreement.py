# SPDX-License-Identifier: Apache-2.0
"""How the parts of a robot file must fit together.

The checks read the raw mapping and skip what is not of its type: the schema tells that, and so a file gets its
wrong fields and its contradictions in one answer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import isnan, pi
from typing import Any

from pydantic import TypeAdapter, ValidationError

HAND_JOINTS = 20
MAX_JOINTS = 253
MAX_PATTERN = 64

Place = tuple[str | int, ...]
Problem = tuple[Place, str]

_INT, _FLOAT, _BOOL = TypeAdapter(int), TypeAdapter(float), TypeAdapter(bool)


@dataclass(frozen=True, slots=True)
class _Part:
    """One item of a list in the file, with its place; a value that is missing or of another type is None."""

    where: Place
    fields: Mapping[Any, Any]

    def text(self, key: str) -> str | None:
        value = self.fields.get(key)
        return value if isinstance(value, str) else None

    def whole(self, key: str) -> int | None:
        try:
            return _INT.validate_python(self.fields.get(key))
        except ValidationError:
            return None

    def real(self, key: str) -> float | None:
        try:
            value = _FLOAT.validate_python(self.fields.get(key))
        except ValidationError:
            return None
        return None if isnan(value) else value

    def corner(self, key: str) -> tuple[float | None, float | None, float | None]:
        items = self.fields.get(key)
        x, y, z = items if isinstance(items, list | tuple) and len(items) == 3 else (None, None, None)
        one = _Part(self.where, {"x": x, "y": y, "z": z})
        return one.real("x"), one.real("y"), one.real("z")

    def on(self, key: str) -> bool:
        try:
            return _BOOL.validate_python(self.fields.get(key))
        except ValidationError:
            return False

    def at(self, key: str) -> Place:
        return (*self.where, key)

    @property
    def called(self) -> str:
        return self.text("name") or ".".join(str(step) for step in self.where)


def disagreements(data: Mapping[Any, Any]) -> list[Problem]:
    """Everything in a robot file that contradicts something else in it, each with its place."""
    joints = _parts(data, "joints")
    found: list[Problem] = []
    for section, one in (("buses", "bus"), ("commands", "command topic"), ("joints", "joint")):
        if isinstance(data.get(section), list | tuple) and not data[section]:
            found.append(((section,), f"a robot has at least one {one}"))
    for joint in joints:
        found += _limits(joint)
    found += _lines(data, joints)
    found += _commands(data, joints)
    for controller in _parts(data, "controllers"):
        found += _hand(controller, joints)
    found += _fences(data)
    return found


def _parts(data: Mapping[Any, Any], section: str) -> list[_Part]:
    items = data.get(section)
    if not isinstance(items, list | tuple):
        return []
    return [_Part((section, index), item) for index, item in enumerate(items[:MAX_JOINTS]) if isinstance(item, Mapping)]


def _limits(joint: _Part) -> Iterator[Problem]:
    """A joint's limits are in order and its poses inside them."""
    low, high = joint.real("min_rad"), joint.real("max_rad")
    if low is None or high is None:
        return
    if low >= high:
        yield joint.at("min_rad"), f"{joint.called}: min_rad {low} must be below max_rad {high}"
        return
    for key in ("home_rad", "ready_rad"):
        pose = joint.real(key)
        if key == "home_rad" and key not in joint.fields:
            pose = 0.0
        if pose is not None and not low <= pose <= high:
            yield joint.at(key), f"{joint.called}: {key} {pose} lies outside its limits {low} … {high}"
    if not joint.on("prismatic") and joint.real("metres_per_rad") not in (None, 1.0):
        yield joint.at("metres_per_rad"), f"{joint.called}: metres_per_rad is for a joint with prismatic: true"


def _repeated(what: str, values: list[tuple[Place, object]]) -> Iterator[Problem]:
    """One problem for each value that occurs more than once, at its second place."""
    places: dict[object, list[Place]] = {}
    for where, value in values:
        if value is not None:
            places.setdefault(value, []).append(where)
    for value, wheres in places.items():
        if len(wheres) > 1:
            yield wheres[1], f"{what} {value} is used {len(wheres)} times"


def _lines(data: Mapping[Any, Any], joints: list[_Part]) -> Iterator[Problem]:
    """Lines and controllers that are named must exist; no name and no ID twice."""
    buses, controllers = _parts(data, "buses"), _parts(data, "controllers")
    known = {bus.text("name") if "name" in bus.fields else "bus" for bus in buses}
    yield from _repeated("bus name", [(bus.at("name"), bus.fields.get("name", "bus")) for bus in buses if _named(bus)])
    yield from _repeated("joint name", [(joint.at("name"), joint.text("name")) for joint in joints])
    yield from _repeated("servo ID", [(joint.at("id"), joint.whole("id")) for joint in joints])
    yield from _repeated("controller ID", [(one.at("id"), one.whole("id")) for one in controllers])
    ids = {controller.whole("id") for controller in controllers} - {None}
    for device in [*joints, *controllers]:
        bus = device.text("bus")
        if bus is not None and known and None not in known and bus not in known:
            names = ", ".join(sorted(str(name) for name in known))
            yield device.at("bus"), f"{device.called}: no bus {bus!r}: expected one of {names}"
    for joint in joints:
        behind = joint.whole("controller")
        if behind is not None and behind not in ids:
            expected = ", ".join(str(one) for one in sorted(ids, key=str)) or "no controller at all"
            yield joint.at("controller"), f"{joint.called}: no controller {behind}: expected {expected}"
        if joint.whole("id") in ids:
            yield joint.at("id"), f"servo ID {joint.whole('id')} is used by a controller and by {joint.called}"


def _named(bus: _Part) -> bool:
    return "name" not in bus.fields or bus.text("name") is not None


def _commands(data: Mapping[Any, Any], joints: list[_Part]) -> Iterator[Problem]:
    """Every joint is commanded on exactly one topic."""
    groups = _parts(data, "commands")
    yield from _repeated("command topic", [(group.at("topic"), group.text("topic")) for group in groups])
    owners: dict[Place, int] = {joint.where: 0 for joint in joints}
    unsure = not groups
    for group in groups:
        patterns = group.fields.get("joints")
        if not isinstance(patterns, list | tuple) or not all(isinstance(p, str) for p in patterns):
            unsure = True
            continue
        usable = [pattern for pattern in patterns[:MAX_JOINTS] if len(pattern) <= MAX_PATTERN]
        members = [joint for joint in joints if any(fnmatchcase(joint.text("name") or "", p) for p in usable)]
        for joint in members:
            owners[joint.where] += 1
        if not members and joints:
            yield (
                group.at("joints"),
                f"{group.text('topic')}: no joint matches {', '.join(usable[:5]) or 'an empty list'}",
            )
    for joint in joints:
        count = owners[joint.where]
        if joint.text("name") is not None and count > 1:
            yield joint.at("name"), f"{joint.called} is commanded on {count} topics"
        elif joint.text("name") is not None and count == 0 and not unsure:
            yield joint.at("name"), f"{joint.called} is on no command topic"


def _hand(controller: _Part, joints: list[_Part]) -> Iterator[Problem]:
    """A hand behind one controller has 20 joints within one turn, on their controller's line."""
    servo_id = controller.whole("id")
    behind = [joint for joint in joints if servo_id is not None and joint.whole("controller") == servo_id]
    if servo_id is not None and len(behind) != HAND_JOINTS:
        where = controller.at("id")
        yield where, f"controller {servo_id} has {HAND_JOINTS} joints behind it, here {len(behind)}"
    for joint in behind:
        low, high = joint.real("min_rad"), joint.real("max_rad")
        if (low is not None and low < -pi) or (high is not None and high > pi):
            key = "min_rad" if low is not None and low < -pi else "max_rad"
            yield joint.at(key), f"{joint.called}: limits must lie within one turn, -{pi:.2f} … {pi:.2f} rad"
        if joint.fields.get("bus") is not None:
            yield joint.at("bus"), f"{joint.called}: its bus is its controller's, leave it out"


def _fences(data: Mapping[Any, Any]) -> Iterator[Problem]:
    """Every fence of an arm has room between its walls."""
    imitation = data.get("imitation")
    for arm in _parts(imitation, "arms") if isinstance(imitation, Mapping) else []:
        fence = arm.fields.get("fence_m")
        if not isinstance(fence, Mapping):
            continue
        box = _Part(("imitation", *arm.at("fence_m")), fence)
        for axis, low, high in zip("xyz", box.corner("lower"), box.corner("upper"), strict=True):
            if low is not None and high is not None and low >= high:
                yield box.at("lower"), f"{arm.text('side')} arm: {axis} {low} must be below upper's {axis} {high}"
