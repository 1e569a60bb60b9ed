# SPDX-License-Identifier: Apache-2.0
"""A virtual HX5-D20 hand controller: it mirrors the registers of the finger motors behind it in one block.

Setting it up (ROBOTIS robotis_hand, ros2_control): Table Sync Enable 0; each SyncTable gets the IDs, addresses and
sizes of one finger; indirect addresses point at the SyncTables' data; Table Sync Enable 1 comes last.

What no source states and we chose: the SyncTables are locked (Access) while the sync is on; switching it on copies
the write data to the motors as they stand; sync traffic feeds the motors' own watchdogs until the sync ends or the
controller's watchdog expires; an expired watchdog stops the fingers, refuses write data, and goes on reading.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from drivers.control_table import SYNC_TABLE_SLOTS, SYNC_TABLES, ControlTable, Item, sync_table_address
from drivers.protocol import ErrorNumber
from drivers.virtual_device import VirtualDevice
from drivers.virtual_plan import OWN, WritePlan
from drivers.virtual_servo import VirtualServo
from drivers.virtual_watchdog import BusWatchdog

_READ_DATA, _WRITE_DATA = 54, 126
"""Offsets in a SyncTable."""
_DATA_BYTES = 72
_NOMINAL_TENTHS = 240
_VOLTAGE_ERROR = 0x01
_WATCHDOG_EFFECT, _SYNC_EFFECT, _WRITE_DATA_EFFECT = OWN, OWN << 1, OWN << 2
_PRESENT_NEED, _MIRROR_NEED = 1, 2
_PRESENT_NAMES = frozenset(("Realtime Tick", "Present Input Voltage"))


class _Slot(NamedTuple):
    """One device of a SyncTable: ``size`` bytes at ``address`` of ``servo`` are mirrored at ``data``."""

    servo: int
    address: int
    size: int
    data: int


class _Block(NamedTuple):
    """A write that touches nothing but SyncTables' write data: written bytes ``start … end`` go to ``at``; ``slots``
    are the motors that it concerns."""

    pieces: tuple[tuple[int, int, int], ...]
    slots: tuple[_Slot, ...]


class VirtualHandController(VirtualDevice):
    """The controller; its finger motors are devices of the same bus, with IDs of their own."""

    def __init__(
        self,
        table: ControlTable,
        id: int,  # noqa: A002 - the protocol's word
        fingers: Sequence[VirtualServo],
        *,
        firmware: int,
        baud: int,
    ) -> None:
        self._blocks: dict[int, _Block | None] = {}
        super().__init__(table, id, firmware, baud)
        self.checked = frozenset(name for name in table.names if name.startswith("SyncTable")) | {"Bus Watchdog"}
        self._volt = _NOMINAL_TENTHS
        self._error_at = table["Hardware Error Status"].address
        self.fingers = tuple(fingers)
        self.watchdog = BusWatchdog()
        self.tactile: dict[int, bytes] = {}
        """Pressure cells by sensor ID, as many bytes as its SyncTable slot reads; zeros where absent."""
        self._now_ns = 0
        self._spoke_ns = 0
        self._read_slots: tuple[_Slot, ...] = ()
        self._write_slots: tuple[_Slot, ...] = ()
        for finger in self.fingers:
            finger.inner_bus = self._last_spoke_ns

    @property
    def syncing(self) -> bool:
        """Table Sync Enable."""
        return bool(self.peek("Table Sync Enable"))

    @property
    def alert(self) -> bool:
        return self._bytes[self._error_at] != 0

    def set_voltage(self, tenth_volts: int, now_ns: int) -> None:
        """Change the supply, 0.1 V; below the lower limit it is an input voltage error, which a reboot ends."""
        self._advance(now_ns)
        self._volt = tenth_volts
        if 10 * tenth_volts < self.peek("Min Voltage Limit"):
            self._bytes[self._error_at] |= _VOLTAGE_ERROR

    def watch(self, now_ns: int) -> None:
        self._advance(now_ns)

    def write(self, address: int, data: bytes, now_ns: int) -> ErrorNumber:
        """The hand's goals come as one block in every cycle; everything else goes the usual way."""
        key = address << 16 | len(data)
        if key not in self._blocks:
            self._blocks[key] = self._block(address, len(data))
        block = self._blocks[key]
        if block is None:
            return super().write(address, data, now_ns)
        self._advance(now_ns)
        if self.watchdog.expired:
            return ErrorNumber.DATA_RANGE
        for start, end, at in block.pieces:
            self._bytes[at : at + end - start] = data[start:end]
        if self.syncing:
            self._push(now_ns, block.slots)
        return ErrorNumber.NONE

    # --- the rules of the device ---------------------------------------------------------------------------

    @property
    def _eeprom_locked(self) -> bool:
        return self.syncing

    def _advance(self, now_ns: int) -> None:
        self._now_ns = max(self._now_ns, now_ns)
        expired_ns = self.watchdog.expiry_ns(now_ns, self.heard.ns)
        if expired_ns is not None:
            self._spoke_ns = expired_ns
            self.poke("Bus Watchdog", self.watchdog.value)
            for finger in self.fingers:
                finger.stop(expired_ns)

    def _last_spoke_ns(self, now_ns: int) -> int:
        """When the controller last spoke to its motors, not after ``now_ns``."""
        self._advance(now_ns)
        if self.syncing and not self.watchdog.expired and self.is_up(now_ns):
            self._spoke_ns = max(self._spoke_ns, now_ns)
        return min(self._spoke_ns, now_ns)

    def _check(self, item: Item, value: int) -> ErrorNumber:
        if item.name == "Bus Watchdog":
            return ErrorNumber.NONE if self.watchdog.accepts(value) else ErrorNumber.DATA_RANGE
        if not item.name.startswith("SyncTable"):
            return ErrorNumber.NONE
        if self._is_write_data(item.address):
            return ErrorNumber.DATA_RANGE if self.watchdog.expired else ErrorNumber.NONE
        return ErrorNumber.ACCESS if self.syncing else ErrorNumber.NONE

    def _effect(self, names: frozenset[str]) -> int:
        effect = _WATCHDOG_EFFECT if "Bus Watchdog" in names else 0
        if any(name.startswith("SyncTable") and "Write Data" in name for name in names):
            effect |= _WRITE_DATA_EFFECT
        return effect | (_SYNC_EFFECT if "Table Sync Enable" in names else 0)

    def _written(self, plan: WritePlan, now_ns: int) -> None:
        if plan.effect & _WATCHDOG_EFFECT:
            self.watchdog.set(self.peek("Bus Watchdog"), now_ns)
        if plan.effect & _SYNC_EFFECT:
            self._switch_sync(now_ns)
        elif plan.effect & _WRITE_DATA_EFFECT and self.syncing:
            touched = frozenset(part.item.address for part in plan.parts)
            self._push(now_ns, self._slots_of(touched))

    def _switch_sync(self, now_ns: int) -> None:
        self.watchdog.arm(self.syncing, now_ns)
        self._spoke_ns = max(self._spoke_ns, now_ns)
        self._read_slots = tuple(self._slots(read=True))
        self._write_slots = tuple(self._slots(read=False))
        self._blocks.clear()
        if self.syncing and not self.watchdog.expired:
            self._push(now_ns, self._write_slots)

    def _started(self, now_ns: int) -> None:
        self.watchdog = BusWatchdog()
        self._switch_sync(now_ns)
        self.set_voltage(self._volt, now_ns)

    # --- mirroring -----------------------------------------------------------------------------------------

    def _need(self, names: frozenset[str]) -> int:
        mirrored = any("Read Data" in name for name in names)
        return (0 if _PRESENT_NAMES.isdisjoint(names) else _PRESENT_NEED) | (_MIRROR_NEED if mirrored else 0)

    def _refresh(self, need: int) -> None:
        if need & _PRESENT_NEED:
            self.poke("Realtime Tick", self._now_ns // 1_000_000 % 32_768)
            self.poke("Present Input Voltage", 10 * self._volt)
        if not need & _MIRROR_NEED or not self.syncing:
            return
        now_ns = self._now_ns
        reachable = {finger.id: finger for finger in self.fingers if finger.is_up(now_ns)}
        for slot in self._read_slots:
            finger = reachable.get(slot.servo)
            if finger is not None:
                error, data = finger.read(slot.address, slot.size, now_ns)
                if not error:
                    self._bytes[slot.data : slot.data + slot.size] = data
            elif slot.servo in self.tactile:
                data = self.tactile[slot.servo][: slot.size].ljust(slot.size, b"\0")
                self._bytes[slot.data : slot.data + slot.size] = data

    def _push(self, now_ns: int, slots: tuple[_Slot, ...]) -> None:
        """Copy write data to the motors."""
        reachable = {finger.id: finger for finger in self.fingers if finger.is_up(now_ns)}
        for slot in slots:
            finger = reachable.get(slot.servo)
            if finger is not None:
                finger.write(slot.address, bytes(self._bytes[slot.data : slot.data + slot.size]), now_ns)

    def _slots_of(self, touched: frozenset[int]) -> tuple[_Slot, ...]:
        """The slots with a touched byte."""
        slots = self._write_slots
        return tuple(slot for slot in slots if not touched.isdisjoint(range(slot.data, slot.data + slot.size)))

    def _point(self, data_address: int, target: int) -> None:
        super()._point(data_address, target)
        self._blocks.clear()

    def _block(self, address: int, length: int) -> _Block | None:
        """None when a written byte goes anywhere but into write data."""
        targets = [self._pointers.get(at, at) for at in range(address, address + length)]
        if not targets or any(not self._is_write_data(target) for target in targets):
            return None
        pieces, start = [], 0
        for index in range(1, length + 1):
            if index == length or targets[index] != targets[index - 1] + 1:
                pieces.append((start, index, targets[start]))
                start = index
        return _Block(tuple(pieces), self._slots_of(frozenset(targets)))

    def _slots(self, *, read: bool) -> Iterator[_Slot]:
        """The configured slots; data of a table's slots lie side by side in the order of the slots."""
        kind = "Read" if read else "Write"
        for table in range(1, SYNC_TABLES + 1):
            base = sync_table_address(table) + (_READ_DATA if read else _WRITE_DATA)
            used = 0
            for n in range(1, SYNC_TABLE_SLOTS + 1):
                servo = self.peek(f"SyncTable {table} ID {n}")
                address = self.peek(f"SyncTable {table} {kind} Address {n}")
                size = self.peek(f"SyncTable {table} {kind} Size {n}")
                if servo and 0 < size <= _DATA_BYTES - used:
                    yield _Slot(servo, address, size, base + used)
                used += size

    @staticmethod
    def _is_write_data(address: int) -> bool:
        first, stride = sync_table_address(1), sync_table_address(2) - sync_table_address(1)
        return first <= address < first + SYNC_TABLES * stride and (address - first) % stride >= _WRITE_DATA
