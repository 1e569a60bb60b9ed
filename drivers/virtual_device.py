# SPDX-License-Identifier: Apache-2.0
"""What every virtual device on the bus has: register bytes and the rules for reading and writing them."""

from abc import ABC, abstractmethod

from drivers.control_table import ControlTable, Item
from drivers.protocol import ErrorNumber, FactoryReset
from drivers.units import RETURN_DELAY_UNIT_NS

BOOT_NS = 200_000_000
"""How long a device is deaf after a reboot or power-on; ours, the order of an X-series servo."""

_CLEAR_MULTI_TURN = b"\x01\x44\x58\x4c\x22"
_BACKUP_STORE = b"\x01CTRL"
_BACKUP_RESTORE = b"\x02CTRL"

Plan = list[tuple[Item, bytes]]


class VirtualDevice(ABC):
    """Registers, access rules, indirect addressing, staged writes, reboot. Time comes in as ``now_ns``.

    A write is checked as a whole before any byte changes. Order of the checks: undefined, read-only or locked
    register (Access), part of a register (Data Length), range (Data Range), a limit set in another register (Data
    Limit). Through indirect data a part of a register may be written, as ROBOTIS's hand does with 16-bit goals.
    Reads of undefined bytes inside the table give 0.
    """

    baud_register = "Baud Rate"

    def __init__(self, table: ControlTable, id: int, firmware: int, baud: int) -> None:  # noqa: A002
        self.table = table
        self._bytes = bytearray(table.size)
        self._has_secondary_id = "Secondary ID" in table
        self._pointers: dict[int, int] = {}
        self._pointer_slots = {b.address + 2 * n: b.data + n for b in table.indirect for n in range(b.count)}
        self._staged: tuple[int, bytes] | None = None
        self._ready_ns = 0
        self.silent = False
        """A fault: it neither hears nor answers."""
        self._backup: bytes | None = None
        self._load_defaults("eeprom")
        self._load_defaults("ram")
        self.poke("Firmware Version", firmware)
        self.poke("ID", id)
        self.poke(self.baud_register, table.baud_index(baud))

    # --- identity and bus settings -------------------------------------------------------------------------------

    @property
    def id(self) -> int:
        """Servo ID."""
        return self.peek("ID")

    @property
    def secondary_id(self) -> int | None:
        """Shadow ID: instructions to it are obeyed and never answered. None when unset (253 and above)."""
        if not self._has_secondary_id:
            return None
        value = self.peek("Secondary ID")
        return value if value <= 252 else None

    @property
    def baud(self) -> int:
        """Bits per second that the device listens at."""
        return self.table.baud_rates.get(self.peek(self.baud_register), 0)

    @property
    def return_delay_ns(self) -> int:
        """Pause between an instruction and the answer."""
        return self.peek("Return Delay Time") * RETURN_DELAY_UNIT_NS

    @property
    def status_return_level(self) -> int:
        """0: answers ping only; 1: ping and reads; 2: everything."""
        return self.peek("Status Return Level")

    @property
    def alert(self) -> bool:
        """Whether its answers carry the alert bit."""
        return False

    @property
    def supports_fast_read(self) -> bool:
        """Whether it knows Fast Sync Read and Fast Bulk Read."""
        return True

    def is_up(self, now_ns: int) -> bool:
        """False while it boots, and while a fault keeps it silent."""
        return now_ns >= self._ready_ns and not self.silent

    # --- instructions ---------------------------------------------------------------------------------------------

    @abstractmethod
    def feed(self, now_ns: int) -> None:
        """An instruction packet was on the bus, whoever it is for."""

    def read(self, address: int, length: int, now_ns: int) -> tuple[ErrorNumber, bytes]:
        """Bytes of the control table, through indirect data where they lie there."""
        if length == 0:
            return ErrorNumber.DATA_LENGTH, b""
        if address + length > self.table.size:
            return ErrorNumber.ACCESS, b""
        self._advance(now_ns)
        self._refresh()
        raw, pointers = self._bytes, self._pointers
        if any(address <= at < address + length for at in pointers):
            return ErrorNumber.NONE, bytes(raw[pointers.get(at, at)] for at in range(address, address + length))
        return ErrorNumber.NONE, bytes(raw[address : address + length])

    def write(self, address: int, data: bytes, now_ns: int) -> ErrorNumber:
        """Write registers, all or none."""
        self._advance(now_ns)
        plan = self._plan(address, data)
        if isinstance(plan, ErrorNumber):
            return plan
        for item, raw in plan:
            self._bytes[item.address : item.end] = raw
            if item.address in self._pointer_slots:
                self._point(self._pointer_slots[item.address], item.decode(raw))
        self._written({item.name for item, _ in plan}, now_ns)
        return ErrorNumber.NONE

    def stage(self, address: int, data: bytes, now_ns: int) -> ErrorNumber:
        """Reg write: check now, keep until `act`."""
        self._advance(now_ns)
        plan = self._plan(address, data)
        if isinstance(plan, ErrorNumber):
            return plan
        self._staged = (address, data)
        self.poke("Registered Instruction", 1)
        return ErrorNumber.NONE

    def act(self, now_ns: int) -> ErrorNumber:
        """Action: execute what was staged; an Instruction error when nothing was."""
        if self._staged is None:
            return ErrorNumber.INSTRUCTION
        (address, data), self._staged = self._staged, None
        self.poke("Registered Instruction", 0)
        return self.write(address, data, now_ns)

    def reboot(self, now_ns: int) -> None:
        """Start again: RAM back to defaults, deaf for `BOOT_NS`."""
        self._advance(now_ns)
        self._staged = None
        self._ready_ns = now_ns + BOOT_NS
        self._load_defaults("ram")
        self._started(now_ns)

    def factory_reset(self, what: int, now_ns: int) -> ErrorNumber:
        """EEPROM back to factory values, then reboot."""
        if what not in {int(kind) for kind in FactoryReset}:
            return ErrorNumber.DATA_RANGE
        if self._eeprom_locked:
            return ErrorNumber.RESULT_FAIL
        keep = {"Firmware Version": self.peek("Firmware Version")}
        if what != FactoryReset.ALL:
            keep["ID"] = self.id
        if what == FactoryReset.ALL_BUT_ID_AND_BAUD:
            keep[self.baud_register] = self.peek(self.baud_register)
        self._load_defaults("eeprom")
        for name, value in keep.items():
            self.poke(name, value)
        self.reboot(now_ns)
        return ErrorNumber.NONE

    def clear(self, params: bytes, now_ns: int) -> ErrorNumber:
        """Clear instruction: multi-turn position."""
        self._advance(now_ns)
        if params != _CLEAR_MULTI_TURN:
            return ErrorNumber.DATA_RANGE
        return self._clear_multi_turn()

    def backup(self, params: bytes, now_ns: int) -> ErrorNumber:
        """Control table backup: store or restore the EEPROM; a restore reboots. Torque must be off."""
        self._advance(now_ns)
        if params not in (_BACKUP_STORE, _BACKUP_RESTORE):
            return ErrorNumber.DATA_RANGE
        if self._eeprom_locked or (params == _BACKUP_RESTORE and self._backup is None):
            return ErrorNumber.RESULT_FAIL
        eeprom_end = max(item.end for item in self.table.items if item.area == "eeprom")
        if params == _BACKUP_STORE:
            self._backup = bytes(self._bytes[:eeprom_end])
        elif self._backup is not None:
            self._bytes[:eeprom_end] = self._backup
            self.reboot(now_ns)
        return ErrorNumber.NONE

    # --- what a technician or a test does, past the rules ----------------------------------------------------------

    def peek(self, name: str) -> int:
        """Value of a register as last stored; read through the bus for a fresh one."""
        item = self.table[name]
        start = item.address
        return int.from_bytes(self._bytes[start : start + item.size], "little", signed=item.signed)

    def poke(self, name: str, value: int) -> None:
        """Store a register's value without any check."""
        item = self.table[name]
        self._bytes[item.address : item.end] = item.encode(value)

    # --- for the devices ------------------------------------------------------------------------------------------

    @property
    def _eeprom_locked(self) -> bool:
        return False

    @abstractmethod
    def _advance(self, now_ns: int) -> None:
        """Bring the device to the present."""

    @abstractmethod
    def _refresh(self) -> None:
        """Store the present values in their registers."""

    @abstractmethod
    def _check(self, item: Item, value: int) -> ErrorNumber:
        """Whether a value within the register's own range may be written now."""

    @abstractmethod
    def _written(self, names: set[str], now_ns: int) -> None:
        """Act on registers that have just been written."""

    @abstractmethod
    def _started(self, now_ns: int) -> None:
        """After power-on, with RAM at its defaults."""

    def _clear_multi_turn(self) -> ErrorNumber:
        return ErrorNumber.INSTRUCTION

    def _load_defaults(self, area: str) -> None:
        for item in self.table.items:
            if item.area == area:
                self._bytes[item.address : item.end] = item.encode(item.default)
        if area == "ram":
            self._pointers.clear()

    def _point(self, data_address: int, target: int) -> None:
        """Only one step: a pointer into indirect data is plain storage, so that pointers can't run in circles."""
        targets = self._pointer_slots.values()
        if target in self.table.by_byte and target not in targets:
            self._pointers[data_address] = target
        else:
            self._pointers.pop(data_address, None)

    def _plan(self, address: int, data: bytes) -> Plan | ErrorNumber:
        """The new bytes of every register that a write touches, or why it is refused."""
        if not data:
            return ErrorNumber.DATA_LENGTH
        plan: dict[int, tuple[Item, bytearray]] = {}
        direct: dict[int, int] = {}
        for at, byte in enumerate(data, address):
            target = self._pointers.get(at, at)
            item = self.table.by_byte.get(target)
            if item is None or item.access == "r" or (item.area == "eeprom" and self._eeprom_locked):
                return ErrorNumber.ACCESS
            start = item.address
            if start not in plan:
                plan[start] = (item, bytearray(self._bytes[start : item.end]))
            plan[start][1][target - start] = byte
            if target == at:
                direct[start] = direct.get(start, 0) + 1
        if any(count < plan[start][0].size for start, count in direct.items()):
            return ErrorNumber.DATA_LENGTH
        decided = [(item, bytes(raw)) for item, raw in plan.values()]
        for item, raw in decided:
            error = self._judge(item, item.decode(raw))
            if error:
                return error
        return decided

    def _judge(self, item: Item, value: int) -> ErrorNumber:
        if not item.allows(value):
            return ErrorNumber.DATA_RANGE
        return self._check(item, value)
