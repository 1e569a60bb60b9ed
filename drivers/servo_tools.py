# SPDX-License-Identifier: Apache-2.0
"""What a technician does with one device: know its model, read and write registers by name, change nothing unseen.

Neighbours: `servo_tools_line` (conversations on the line), `_scan`, `_values` (units and words), `_change` (dry run,
write, read back), `_backup`, `_calibrate`, `_blink`, `_where` (which port for which joint).
"""

from dataclasses import dataclass

from drivers.bus import Bus, Identity
from drivers.control_table import TABLES, ControlTable, ControlTableError, Item
from drivers.errors import BusTimeoutError
from drivers.servo_model import SERVO_MODELS, ServoModel
from graph.errors import BoothError


class RefusedError(BoothError):
    """A request that would do harm. Scenarios: EEPROM while torque is on, an ID that is taken, a backup of another
    model, a joint that is not held still. The message says what to do instead."""


class UnknownModelError(BoothError):
    """A device whose model number no control table has: it can be pinged and scanned, not read by register name."""


@dataclass(frozen=True, slots=True)
class Known:
    """A model that we have a control table for; ``servo`` is None for a device that is no servo (HX5 controller)."""

    name: str
    table: ControlTable
    servo: ServoModel | None


def known_model(model_number: int, firmware: int = 255) -> Known | None:
    """The model with this number, with the table of this firmware; None when no table has it."""
    for name, servo in SERVO_MODELS.items():
        if servo.table.model_number == model_number:
            return Known(name, servo.table_for(firmware), servo)
    for name, table in TABLES.items():
        if table.model_number == model_number:
            return Known(name, table, None)
    return None


def model_words(model_number: int) -> str:
    """Name of a model number for a table of people; an unknown one says so."""
    known = known_model(model_number)
    return known.name if known is not None else f"unknown model {model_number}"


class Device:
    """One device that answered a ping.

    Raises:
        BusTimeoutError: nobody answers on this ID.
        UnknownModelError: by the register methods, when no table fits.
    """

    def __init__(self, bus: Bus, servo_id: int) -> None:
        self.bus, self.id = bus, servo_id
        self.identity: Identity = bus.ping(servo_id)
        self.known = known_model(self.identity.model_number, self.identity.firmware)

    @property
    def model(self) -> Known:
        """Model and table."""
        if self.known is None:
            raise UnknownModelError(
                f"ID {self.id} is of model number {self.identity.model_number}, firmware {self.identity.firmware}: "
                f"no control table here has it, expected one of {', '.join(sorted([*SERVO_MODELS, *TABLES]))}. "
                "booth servo ping and scan work with it; for its registers use ROBOTIS's DYNAMIXEL Wizard"
            )
        return self.known

    def item(self, text: str) -> Item:
        """The register that a person means: its e-Manual name in any case, ``_`` for space, or its address.

        Raises:
            ControlTableError: lists the nearest names.
        """
        return find_item(self.model.table, text)

    def get(self, name: str) -> int:
        """Raw value of a register."""
        item = self.model.table[name]
        try:
            return item.decode(self.bus.read(self.id, item.address, item.size))
        except BusTimeoutError as error:
            raise BusTimeoutError(
                f"ID {self.id} answers a ping but does not answer a read: its Status Return Level may be 0 "
                "(switch its power off and on), or the line is disturbed"
            ) from error

    def put(self, name: str, value: int) -> None:
        """Write a raw value and wait for the confirmation."""
        item = self.model.table[name]
        self.bus.write(self.id, item.address, item.encode(value))

    def lock(self) -> tuple[str, int] | None:
        """The register that keeps EEPROM locked now, with the value that unlocks it; None when it is not locked."""
        for name in ("Torque Enable", "Table Sync Enable"):
            if name in self.model.table:
                return (name, 0) if self.get(name) else None
        return None


def find_item(table: ControlTable, text: str) -> Item:
    """The register that a person means, see `Device.item`."""
    wanted = _folded(text)
    for item in table.items:
        if _folded(item.name) == wanted:
            return item
    if wanted.isdecimal():
        for item in table.items:
            if item.address == int(wanted):
                return item
        raise ControlTableError(f"{table.model_name} has no register that begins at address {wanted}")
    return table[text]


def split_registers(table: ControlTable, words: list[str]) -> list[Item]:
    """Registers in a list of shell words, where names may have been left unquoted: ``goal position "LED" 132``."""
    items, at = [], 0
    while at < len(words):
        for end in range(min(len(words), at + 5), at, -1):
            try:
                items.append(find_item(table, " ".join(words[at:end])))
            except ControlTableError:
                continue
            at = end
            break
        else:
            find_item(table, " ".join(words[at:]))
            at = len(words)
    return items


def _folded(text: str) -> str:
    return " ".join(text.replace("_", " ").replace("-", " ").casefold().split())
