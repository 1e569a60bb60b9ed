# SPDX-License-Identifier: Apache-2.0
"""Changing a device safely: say what would be written, refuse what would do harm, write, read back."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from drivers.bus import Bus, Port
from drivers.control_table import Item
from drivers.errors import BusTimeoutError
from drivers.servo_tools import Device, RefusedError
from drivers.servo_tools_line import ping_one

OpenLine = Callable[[int], AbstractContextManager[Port]]
"""Opens the line at a speed."""

ID_REGISTER = "ID"
LAST_WRITTEN = ("Gain", "Profile")
"""A new Operating Mode resets gains and profiles (e-Manual, Operating Mode), so these come after it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One register of one device, raw values."""

    servo_id: int
    item: Item
    old: int
    new: int

    @property
    def needed(self) -> bool:
        """Whether it changes anything."""
        return self.old != self.new

    @property
    def survives_power_off(self) -> bool:
        """Whether the register lies in EEPROM."""
        return self.item.area == "eeprom"


def plan(device: Device, wanted: Mapping[str, int]) -> list[Change]:
    """What would be written: every register with its present and its wanted value, in the order of writing.

    Raises:
        RefusedError: a register is read-only.
    """
    changes = []
    for name, value in wanted.items():
        item = device.model.table[name]
        if item.access == "r":
            raise RefusedError(f"{item.name} of {device.model.name} is read-only: nothing to write")
        changes.append(Change(device.id, item, device.get(name), value))
    return sorted(changes, key=_turn)


def refuse_locked(device: Device, changes: Sequence[Change]) -> None:
    """EEPROM can't be written while torque is on (e-Manual, EEPROM area); nor should it be.

    Raises:
        RefusedError: with the command that switches it off.
    """
    if not any(change.needed and change.survives_power_off for change in changes):
        return
    locked = device.lock()
    if locked is not None:
        name, off = locked
        raise RefusedError(
            f"ID {device.id}: {name} is on, so {changes[0].item.name} in EEPROM is locked. Support the joint (it goes "
            f'limp), then booth servo write {device.id} "{name}" {off} --apply, and try again'
        )


def apply(device: Device, changes: Sequence[Change]) -> None:
    """Write what differs and read it back.

    Raises:
        RefusedError: torque is on, or a register reads back another value.
        ServoStatusError: the device refuses a value.
    """
    refuse_locked(device, changes)
    for change in changes:
        if device.get(change.item.name) != change.new:  # read again: a new mode may have reset it meanwhile
            device.put(change.item.name, change.new)
            verify(device, change)


def verify(device: Device, change: Change) -> None:
    """Read one register back."""
    found = device.get(change.item.name)
    if found != change.new:
        raise RefusedError(
            f"ID {device.id}: {change.item.name} was written as {change.new} and reads back {found}: "
            f"before it was {change.old}; the servo does not keep this value"
        )


def plan_id(port: Port, device: Device, new: int) -> Change:
    """A new ID for a device.

    Raises:
        RefusedError: the ID is taken, two devices share the old one, or torque is on.
    """
    old = device.id
    if new == old:
        raise RefusedError(f"ID {old} has this ID already")
    taken = [heard for heard in (ping_one(port, new) for _ in range(2)) if heard.sightings or heard.garbled_bytes]
    if taken:
        raise RefusedError(
            f"ID {new} is taken: a device answers there. Give that one another ID first, or unplug it; "
            "booth servo scan shows who is on the line"
        )
    twin = ping_one(port, old)
    if twin.garbled_bytes or len(twin.sightings) > 1:
        raise RefusedError(f"several devices answer on ID {old}: all of them would change. Leave only one connected")
    change = Change(old, device.model.table[ID_REGISTER], device.get(ID_REGISTER), new)
    refuse_locked(device, [change])
    return change


def apply_id(device: Device, change: Change) -> Device:
    """Write the new ID; it holds at once. Returns the device under its new ID, read back."""
    device.put(ID_REGISTER, change.new)
    moved = Device(device.bus, change.new)
    verify(moved, change)
    return moved


def plan_baud(device: Device, baud: int) -> Change:
    """A new speed for a device.

    Raises:
        ControlTableError: the model has no such speed; lists those it has.
        RefusedError: torque is on.
    """
    name = "Baud Rate" if "Baud Rate" in device.model.table else "Baud Rate (Bus)"
    item = device.model.table[name]
    change = Change(device.id, item, device.get(name), device.model.table.baud_index(baud))
    refuse_locked(device, [change])
    return change


def apply_baud(open_line: OpenLine, old_baud: int, new_baud: int, change: Change) -> None:
    """Write the new speed and find the device there.

    The port is tried at the new speed first: a servo at a speed that this adapter can't make would be lost.

    Raises:
        PortError: this port can't talk at ``new_baud``; nothing has been written.
        RefusedError: the device does not answer at the new speed.
    """
    with open_line(new_baud):
        pass
    with open_line(old_baud) as port:
        data = change.item.encode(change.new)
        device = Device(Bus(port), change.servo_id)
        refuse_locked(device, [change])
        _write_unconfirmed(device, change, data)
    with open_line(new_baud) as port:
        try:
            verify(Device(Bus(port), change.servo_id), change)
        except BusTimeoutError as error:
            raise RefusedError(
                f"ID {change.servo_id} does not answer at {new_baud} baud after the change: "
                "find it with booth servo scan --baud all"
            ) from error


def _write_unconfirmed(device: Device, change: Change, data: bytes) -> None:
    """The confirmation may come at either speed, so it is not waited for in vain."""
    try:
        device.bus.write(device.id, change.item.address, data)
    except BusTimeoutError:
        return


def _turn(change: Change) -> tuple[int, int]:
    late = any(word in change.item.name for word in LAST_WRITTEN)
    return (0 if change.item.name == "Operating Mode" else 2 if late else 1, change.item.address)
