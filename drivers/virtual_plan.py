# SPDX-License-Identifier: Apache-2.0
"""How a read or write of a virtual device's registers goes, worked out once for each address and length.

Behind indirect addresses a read is a walk through pointers; a bus of 57 servos is asked for ten such bytes each, a
hundred times a second. The walk's result stays right until a pointer changes, so it is kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter

from drivers.control_table import ControlTable, Item
from drivers.protocol import ErrorNumber

Gather = Callable[[bytearray], bytes]
ROUTES, POINTERS, OWN = 1, 2, 4
"""Effects of a write that every device knows: it changes who answers what; it changes an indirect address."""


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """Attributes:
    error: why this can't be read.
    gather: the wanted bytes out of the device's.
    names: the registers that they belong to.
    need: what the device must bring up to date first; the device's own code.
    """

    error: ErrorNumber
    gather: Gather
    names: frozenset[str]
    need: int


@dataclass(frozen=True, slots=True)
class Part:
    """What a write does to one register.

    Attributes:
        item: the register; ``low`` and ``high`` are its range.
        start, end: the written bytes that make up the whole register; ``start`` is negative when they don't lie side
            by side or are only some of it. Then ``bytes_of`` says which written byte goes where in the register.
        checked: the device has a rule for it beyond its range.
    """

    item: Item
    low: int
    high: int
    start: int
    end: int
    bytes_of: tuple[tuple[int, int], ...]
    checked: bool


@dataclass(frozen=True, slots=True)
class WritePlan:
    """Attributes:
    error: why this can never be written.
    parts: registers in the order of their first byte.
    locks: one of them lies in the EEPROM area.
    names: the registers.
    effect: what the device must do afterwards; ROUTES, POINTERS and the device's own bits from OWN on.
    """

    error: ErrorNumber
    parts: tuple[Part, ...]
    locks: bool
    names: frozenset[str]
    effect: int


def read_plan(
    table: ControlTable, pointers: Mapping[int, int], address: int, length: int, need: Callable[[frozenset[str]], int]
) -> ReadPlan:
    """The plan of a read; undefined bytes inside the table read as 0."""
    if length == 0:
        return ReadPlan(ErrorNumber.DATA_LENGTH, bytes, frozenset(), 0)
    if address + length > table.size:
        return ReadPlan(ErrorNumber.ACCESS, bytes, frozenset(), 0)
    targets = [pointers.get(at, at) for at in range(address, address + length)]
    items = table.by_byte
    names = frozenset(items[at].name for at in targets if at in items)
    return ReadPlan(ErrorNumber.NONE, _gather(targets), names, need(names))


def _gather(targets: list[int]) -> Gather:
    first, count = targets[0], len(targets)
    if targets == list(range(first, first + count)):
        piece = slice(first, first + count)
        return lambda raw: bytes(raw[piece])
    pick = itemgetter(*targets)
    return lambda raw: bytes(pick(raw))


def write_plan(
    table: ControlTable,
    pointers: Mapping[int, int],
    address: int,
    length: int,
    checked: frozenset[str],
    effect: Callable[[frozenset[str]], int],
) -> WritePlan:
    """The plan of a write. Through indirect data a part of a register may be written, directly it may not."""
    if length == 0:
        return WritePlan(ErrorNumber.DATA_LENGTH, (), False, frozenset(), 0)
    places: dict[int, dict[int, int]] = {}
    direct: dict[int, int] = {}
    items = table.by_byte
    for index in range(length):
        at = address + index
        target = pointers.get(at, at)
        item = items.get(target)
        if item is None or item.access == "r":
            return WritePlan(ErrorNumber.ACCESS, (), False, frozenset(), 0)
        places.setdefault(item.address, {})[target - item.address] = index
        if target == at:
            direct[item.address] = direct.get(item.address, 0) + 1
    parts = tuple(_part(items[start], where, checked) for start, where in places.items())
    locks = any(part.item.area == "eeprom" for part in parts)
    torn = any(count < items[start].size for start, count in direct.items())
    names = frozenset(part.item.name for part in parts)
    return WritePlan(ErrorNumber.DATA_LENGTH if torn else ErrorNumber.NONE, parts, locks, names, effect(names))


def _part(item: Item, where: dict[int, int], checked: frozenset[str]) -> Part:
    """``where``: offset in the register -> index of the written byte."""
    low = (-(1 << (8 * item.size - 1)) if item.signed else 0) if item.minimum is None else item.minimum
    high = (1 << (8 * item.size - item.signed)) - 1 if item.maximum is None else item.maximum
    start = where.get(0, 0)
    whole = where == {offset: start + offset for offset in range(item.size)}
    at = start if whole else -1
    return Part(item, low, high, at, at + item.size, tuple(where.items()), item.name in checked)
