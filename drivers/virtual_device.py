# SPDX-License-Identifier: Apache-2.0
"""What every virtual device on the bus has: register bytes and the rules for reading and writing them."""

from abc import ABC, abstractmethod

from drivers.control_table import ControlTable, Item
from drivers.protocol import ErrorNumber, FactoryReset
from drivers.units import RETURN_DELAY_UNIT_NS
from drivers.virtual_plan import POINTERS, ROUTES, ReadPlan, WritePlan, read_plan, write_plan

BOOT_NS = 200_000_000
"""How long a device is deaf after a reboot or power-on; ours, the order of an X-series servo."""

_CLEAR_MULTI_TURN = b"\x01\x44\x58\x4c\x22"
_CLEAR_ERROR = b"\x02\x45\x52\x43\x4c"
_BACKUP_STORE = b"\x01CTRL"
_BACKUP_RESTORE = b"\x02CTRL"
_ROUTING = frozenset(("ID", "Secondary ID", "Status Return Level", "Return Delay Time"))
"""Registers that decide who answers what and when."""


class Heard:
    """When the last instruction packet was on the line: one for all devices that hear it."""

    __slots__ = ("ns",)

    def __init__(self, ns: int = 0) -> None:
        self.ns = ns


class Routes:
    """Whether who answers what may have changed since the bus last looked."""

    __slots__ = ("stale",)

    def __init__(self) -> None:
        self.stale = True


class VirtualDevice(ABC):
    """Registers, access rules, indirect addressing, staged writes, reboot. Time comes in as ``now_ns``.

    A write is checked as a whole before any byte changes. Order of the checks: undefined, read-only or locked
    register (Access), part of a register (Data Length), range (Data Range), a limit set in another register (Data
    Limit). Through indirect data a part of a register may be written, as ROBOTIS's hand does with 16-bit goals.
    Reads of undefined bytes inside the table give 0.

    Attributes:
        heard: when an instruction was last on the line; shared by all devices of a bus that hear it.
        routes: shared with the bus.
    """

    checked: frozenset[str] = frozenset()
    """Registers that `_check` has a rule for."""

    def __init__(self, table: ControlTable, id: int, firmware: int, baud: int) -> None:  # noqa: A002
        self.table = table
        self.heard, self.routes = Heard(), Routes()
        self.baud_register = "Baud Rate" if "Baud Rate" in table else "Baud Rate (Bus)"
        self._bytes = bytearray(table.size)
        self._has_secondary_id = "Secondary ID" in table
        self._pointers: dict[int, int] = {}
        self._pointer_slots = {b.address + 2 * n: b.data + n for b in table.indirect for n in range(b.count)}
        self._indirect_data = frozenset(self._pointer_slots.values())
        self._reads: dict[int, ReadPlan] = {}
        self._writes: dict[int, WritePlan] = {}
        self._staged: tuple[int, bytes] | None = None
        self._ready_ns = 0
        self._silent, self._powered = False, True
        self._backup: dict[Item, bytes] | None = None
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

    @property
    def silent(self) -> bool:
        """A fault: it neither hears nor answers."""
        return self._silent

    @silent.setter
    def silent(self, silent: bool) -> None:
        self._silent = silent
        self.routes.stale = True

    @property
    def powered(self) -> bool:
        """False while its supply is gone."""
        return self._powered

    @property
    def ready_ns(self) -> int:
        """When it will have booted."""
        return self._ready_ns

    def is_up(self, now_ns: int) -> bool:
        """False while it boots, without power, and while a fault keeps it silent."""
        return now_ns >= self._ready_ns and not self._silent and self._powered

    # --- instructions ---------------------------------------------------------------------------------------------

    def feed(self, now_ns: int) -> None:
        """An instruction packet was on the bus, whoever it is for."""
        self.watch(now_ns)
        self.heard.ns = max(self.heard.ns, now_ns)

    @abstractmethod
    def watch(self, now_ns: int) -> None:
        """Let the watchdog find that nothing was heard up to ``now_ns``."""

    def read(self, address: int, length: int, now_ns: int) -> tuple[ErrorNumber, bytes]:
        """Bytes of the control table, through indirect data where they lie there."""
        plan = self._reads.get(address << 16 | length)
        if plan is None:
            plan = read_plan(self.table, self._pointers, address, length, self._need)
            self._reads[address << 16 | length] = plan
        if plan.error:
            return plan.error, b""
        self._advance(now_ns)
        if plan.need:
            self._refresh(plan.need)
        return ErrorNumber.NONE, plan.gather(self._bytes)

    def write(self, address: int, data: bytes, now_ns: int) -> ErrorNumber:
        """Write registers, all or none."""
        self._advance(now_ns)
        plan = self._plan(address, len(data))
        if plan.error or (plan.locks and self._eeprom_locked):
            return ErrorNumber.ACCESS if plan.locks and self._eeprom_locked else plan.error
        values = []
        for part in plan.parts:
            raw = data[part.start : part.end] if part.start >= 0 else self._merged(part.bytes_of, part.item, data)
            item = part.item
            value = int.from_bytes(raw, "little", signed=item.signed)
            if not part.low <= value <= part.high:
                return ErrorNumber.DATA_RANGE
            if part.checked and (error := self._check(item, value)):
                return error
            values.append((item, raw))
        for item, raw in values:
            self._bytes[item.address : item.end] = raw
        if plan.effect:
            self._take_effect(plan, now_ns)
        return ErrorNumber.NONE

    def stage(self, address: int, data: bytes, now_ns: int) -> ErrorNumber:
        """Reg write: check now, keep until `act`."""
        self._advance(now_ns)
        plan = self._plan(address, len(data))
        if plan.error or (plan.locks and self._eeprom_locked):
            return ErrorNumber.ACCESS if plan.locks and self._eeprom_locked else plan.error
        for part in plan.parts:
            value = part.item.decode(self._merged(part.bytes_of, part.item, data))
            if not part.low <= value <= part.high:
                return ErrorNumber.DATA_RANGE
            if part.checked and (error := self._check(part.item, value)):
                return error
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
        self.routes.stale = True

    def set_power(self, on: bool, now_ns: int) -> None:
        """A fault: the supply goes; torque and RAM are lost. When it returns the device boots."""
        if on != self._powered:
            self.reboot(now_ns)
            self._powered = on

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
        """Clear instruction: multi-turn position; with a Y also its error."""
        self._advance(now_ns)
        if params == _CLEAR_MULTI_TURN:
            return self._clear_multi_turn(now_ns)
        if params == _CLEAR_ERROR:
            return self._clear_error(now_ns)
        return ErrorNumber.DATA_RANGE

    def backup(self, params: bytes, now_ns: int) -> ErrorNumber:
        """Control table backup: store or restore the EEPROM; a restore reboots. Torque must be off."""
        self._advance(now_ns)
        if params not in (_BACKUP_STORE, _BACKUP_RESTORE):
            return ErrorNumber.DATA_RANGE
        if self._eeprom_locked or (params == _BACKUP_RESTORE and self._backup is None):
            return ErrorNumber.RESULT_FAIL
        if params == _BACKUP_STORE:
            eeprom = (item for item in self.table.items if item.area == "eeprom")
            self._backup = {item: bytes(self._bytes[item.address : item.end]) for item in eeprom}
        elif self._backup is not None:
            for item, raw in self._backup.items():
                self._bytes[item.address : item.end] = raw
            self._follow_pointers()
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
        if name in _ROUTING or name == self.baud_register:
            self.routes.stale = True

    # --- for the devices ------------------------------------------------------------------------------------------

    @property
    def _eeprom_locked(self) -> bool:
        return False

    @abstractmethod
    def _advance(self, now_ns: int) -> None:
        """Bring the device to the present."""

    def _need(self, names: frozenset[str]) -> int:
        """What a read of these registers wants brought up to date, for `_refresh`; 0: nothing."""
        return 1

    @abstractmethod
    def _refresh(self, need: int) -> None:
        """Store the present values in their registers."""

    @abstractmethod
    def _check(self, item: Item, value: int) -> ErrorNumber:
        """Whether a value within the register's own range may be written now."""

    def _effect(self, names: frozenset[str]) -> int:
        """What a write to these registers does, for `_written`: bits from `virtual_plan.OWN` on."""
        return 0

    @abstractmethod
    def _written(self, plan: WritePlan, now_ns: int) -> None:
        """Act on registers that have just been written."""

    def _take_effect(self, plan: WritePlan, now_ns: int) -> None:
        if plan.effect & ROUTES:
            self.routes.stale = True
        if plan.effect & POINTERS:
            for part in plan.parts:
                if part.item.address in self._pointer_slots:
                    self._point(self._pointer_slots[part.item.address], self.peek(part.item.name))
        self._written(plan, now_ns)

    @abstractmethod
    def _started(self, now_ns: int) -> None:
        """After power-on, with RAM at its defaults."""

    def _clear_multi_turn(self, now_ns: int) -> ErrorNumber:
        return ErrorNumber.INSTRUCTION

    def _clear_error(self, now_ns: int) -> ErrorNumber:
        return ErrorNumber.DATA_RANGE

    def _load_defaults(self, area: str) -> None:
        for item in self.table.items:
            if item.area == area:
                self._bytes[item.address : item.end] = item.encode(item.default)
        self._follow_pointers()

    def _follow_pointers(self) -> None:
        """Take every indirect address from the registers."""
        self._pointers.clear()
        for address, data in self._pointer_slots.items():
            self._point(data, self._bytes[address] | self._bytes[address + 1] << 8)

    def _point(self, data_address: int, target: int) -> None:
        """Only one step: a pointer into indirect data is plain storage, so that pointers can't run in circles."""
        if target in self.table.by_byte and target not in self._indirect_data:
            self._pointers[data_address] = target
        else:
            self._pointers.pop(data_address, None)
        self._reads.clear()
        self._writes.clear()

    def _plan(self, address: int, length: int) -> WritePlan:
        plan = self._writes.get(address << 16 | length)
        if plan is None:
            plan = write_plan(self.table, self._pointers, address, length, self.checked, self._effects)
            self._writes[address << 16 | length] = plan
        return plan

    def _effects(self, names: frozenset[str]) -> int:
        routes = not _ROUTING.isdisjoint(names) or self.baud_register in names
        pointers = any(self.table[name].address in self._pointer_slots for name in names)
        return (ROUTES if routes else 0) | (POINTERS if pointers else 0) | self._effect(names)

    def _merged(self, bytes_of: tuple[tuple[int, int], ...], item: Item, data: bytes) -> bytes:
        """A register's bytes with some of them written."""
        raw = bytearray(self._bytes[item.address : item.end])
        for offset, index in bytes_of:
            raw[offset] = data[index]
        return bytes(raw)
