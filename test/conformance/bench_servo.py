# SPDX-License-Identifier: Apache-2.0
"""One device under test, virtual or real: registers by name, torque without motion, and leaving it as it was found."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from bench_line import NS_PER_S, Line

from drivers import protocol
from drivers.bus import Identity
from drivers.control_table import ControlTable, Item
from drivers.protocol import ErrorNumber, Packet
from drivers.servo_block import data_address, pointers
from drivers.servo_model import ServoModel
from drivers.servo_tools import Known
from graph.errors import BoothError

KINDS = ("x430", "xl330-fw52", "xl330-fw53", "xm335", "xh540", "p", "gripper", "y", "hx5")
"""What the driver knows. A kind that isn't on the line is deselected and named, not passed."""
BOOT_S = 3.0
CHUNK_BYTES = 64
STEP_RAD = 0.05236
"""What a motion test moves: 3 degrees."""
TIME_BASED_PROFILE = 4

_NOT_KEPT = {
    "Torque Enable",
    "Table Sync Enable",
    "Bus Watchdog",
    "Hybrid Save",
    "Goal PWM",
    "Goal Current",
    "Goal Velocity",
    "Goal Position",
}
"""Switched off at the end, or gone with the torque: not put back."""


def kind_of(name: str, firmware: int) -> str:
    """Which of `KINDS` a model is."""
    if name == "xl330_m288":
        return "xl330-fw52" if firmware <= 52 else "xl330-fw53"
    heads = {"xm335": "xm335", "xh540": "xh540", "rh_p12": "gripper", "hx5": "hx5", "p": "p", "y": "y"}
    return next((kind for head, kind in heads.items() if name.startswith(head)), "x430")


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a person has allowed: everything with virtual servos."""

    motion: bool
    eeprom: bool


Found = Mapping[Item, int]
"""Registers as they were."""


@dataclass(frozen=True)
class Servo:
    """A servo, or a hand's controller.

    Attributes:
        break_it: give a virtual one a hardware error; None for a real one.
    """

    line: Line
    id: int
    identity: Identity
    known: Known
    may: Permissions
    break_it: Callable[[], None] | None = None

    # --- what it is ------------------------------------------------------------------------------------------------

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        return kind_of(self.known.name, self.identity.firmware)

    @property
    def table(self) -> ControlTable:
        """Registers of its firmware."""
        return self.known.table

    @property
    def model(self) -> ServoModel:
        """What kind of servo; not for a hand's controller."""
        assert self.known.servo is not None, f"{self.known.name} is no servo"
        return self.known.servo

    @property
    def error_register(self) -> str:
        """Its hardware error."""
        return self.known.servo.error_register if self.known.servo is not None else "Hardware Error Status"

    @property
    def block(self) -> int:
        """First byte of the driver's indirect data."""
        return data_address(self.model, self.identity.firmware)

    @property
    def step_ticks(self) -> int:
        """3 degrees."""
        return round(STEP_RAD / self.model.rad_per_tick)

    @property
    def jitter_ticks(self) -> int:
        """A shaft at rest reads the same within 0.2 degrees."""
        return max(round(self.step_ticks / 15), 2)

    # --- registers -------------------------------------------------------------------------------------------------

    def get(self, name: str) -> int:
        """Read a register."""
        item = self.table[name]
        return item.decode(self.line.bus.read(self.id, item.address, item.size))

    def set(self, name: str, value: int) -> None:
        """Write a register; it must be acknowledged."""
        item = self.table[name]
        self.line.bus.write(self.id, item.address, item.encode(value))

    def ask(self, instruction: bytes) -> Packet:
        """Exactly one answer, from this device.

        Raises:
            AssertionError: silence, or somebody else.
        """
        packets = self.line.ask(instruction)
        assert packets, f"ID {self.id} stays silent on {instruction.hex(' ')}"
        assert packets[0].is_status and packets[0].id == self.id
        return packets[0]

    def try_write(self, name: str, data: bytes | int) -> int:
        """The error number that a write is answered with."""
        item = self.table[name]
        raw = item.encode(data) if isinstance(data, int) else data
        return self.ask(protocol.write(self.id, item.address, raw)).error_number

    def write_frame(self, name: str, value: int) -> bytes:
        """The instruction that writes a register."""
        item = self.table[name]
        return protocol.write(self.id, item.address, item.encode(value))

    def read_frame(self, name: str) -> bytes:
        """The instruction that reads a register."""
        item = self.table[name]
        return protocol.read(self.id, item.address, item.size)

    def wait_until(self, wanted: Callable[[], bool], seconds: float, what: str) -> None:
        """Ask until it is so; fail when it isn't in time."""
        end_ns = time.monotonic_ns() + round(seconds * NS_PER_S)
        while not wanted():
            assert time.monotonic_ns() < end_ns, f"ID {self.id}: not within {seconds:g} s: {what}"

    def needs_eeprom(self, why: str) -> None:
        """Skip unless settings may be written."""
        if not self.may.eeprom:
            pytest.skip(f"writes EEPROM ({why}): add --allow-eeprom")

    # --- what the driver does with it ------------------------------------------------------------------------------

    def point(self) -> None:
        """Set the driver's indirect addresses."""
        address, data = pointers(self.model, self.identity.firmware)
        if self.pointers_are_eeprom:
            self.needs_eeprom(f"indirect addresses of {self.known.name}")
        self.line.bus.write(self.id, address, data)

    def points(self) -> bool:
        """Whether the indirect addresses are the driver's."""
        address, data = pointers(self.model, self.identity.firmware)
        return self.line.bus.read(self.id, address, len(data)) == data

    @property
    def pointers_are_eeprom(self) -> bool:
        """Whether indirect addresses outlive the power, and are locked while torque is on."""
        address, _ = pointers(self.model, self.identity.firmware)
        return self.table.by_byte[address].area == "eeprom"

    def hold(self) -> int:
        """Torque on where it stands, the goal written first, as the driver does; returns the goal. Nothing moves."""
        wanted = (3, 4, 5)
        mode = self.get("Operating Mode")
        if mode not in wanted:
            self.needs_eeprom(f"Operating Mode is {mode}, the driver wants one of {wanted}")
            mode = 3 if 3 in self.model.operating_modes else 5
            self.set("Operating Mode", mode)
        goal = self.get("Present Position")
        low, high = self.get("Min Position Limit"), self.get("Max Position Limit")
        if not low <= goal <= high:
            pytest.skip(f"ID {self.id} stands at {goal}, outside of its limits {low} … {high}: turn it by hand")
        self.set("Goal Position", goal)
        self.set("Torque Enable", 1)
        accepted = ErrorNumber.NONE
        self.wait_until(lambda: self.try_write("Goal Position", goal) == accepted, 1.0, "goals accepted, brake open")
        return goal

    def strengthen(self) -> None:
        """A quarter of its current, where it wouldn't move without a goal current."""
        if self.get("Operating Mode") == 5:
            self.set("Goal Current", self.get("Current Limit") // 4)

    def step_from(self, position: int) -> int:
        """A goal 3 degrees away, towards the middle of its range."""
        low, high = self.get("Min Position Limit"), self.get("Max Position Limit")
        return position + (self.step_ticks if position < (low + high) // 2 else -self.step_ticks)

    def shape(self, seconds: float) -> None:
        """A profile in which 3 degrees take about this long; 0: none, as the driver sets it up."""
        if self.model.family == "y" and not seconds:
            self.set_drive_bit(TIME_BASED_PROFILE, "a Y is streamed to by a time-based profile")
        drive = self.get("Drive Mode") if "Drive Mode" in self.table else 0
        time_ramp, time_whole = self.model.profile_time_registers
        if drive & TIME_BASED_PROFILE:
            steps = round((seconds or (0.01 if self.model.family == "y" else 0.0)) / self.model.profile_time_s)
            registers = {time_whole: steps, time_ramp: steps // 2}
        else:
            velocity = max(round(STEP_RAD / seconds / self.model.rad_s_per_unit), 1) if seconds else 0
            registers = {"Profile Velocity": velocity} | ({} if seconds else {"Profile Acceleration": 0})
        for name, value in registers.items():
            self.set(name, value)

    def set_drive_bit(self, bit: int, why: str) -> None:
        """Set a bit of Drive Mode, with torque off."""
        drive = self.get("Drive Mode")
        if not drive & bit:
            self.needs_eeprom(why)
            self.set("Drive Mode", drive | bit)

    def reboot(self) -> None:
        """Restart it, which it acknowledges, and wait until it answers again."""
        assert not self.ask(protocol.reboot(self.id)).error_number
        self._await_boot()

    # --- as found --------------------------------------------------------------------------------------------------

    def take(self) -> Found:
        """Every setting that can be written, read in runs."""
        values: dict[Item, int] = {}
        for run in _runs(item for item in self.table.items if _kept(item)):
            first = run[0].address
            raw = self.line.bus.read(self.id, first, run[-1].end - first)
            values |= {item: item.decode(raw[item.address - first : item.end - first]) for item in run}
        return values

    def refuse_unfit(self) -> None:
        """What somebody else is using is not ours to test; nothing has been written yet."""
        for name in ("Torque Enable", "Table Sync Enable"):
            if name in self.table and self.get(name):
                pytest.fail(f"ID {self.id}: {name} is on: support the joint, switch it off, and run again")
        if self.get("Status Return Level") != 2:
            pytest.fail(f"ID {self.id}: Status Return Level is not 2, which the driver needs")
        if code := self.get(self.error_register):
            pytest.fail(
                f"ID {self.id}: {self.error_register} is {code}: remove the cause, booth servo reboot {self.id}"
            )

    def put_back(self, found: Found) -> None:
        """Torque off, watchdog off, every setting as found; fails with a list of what could not be put back."""
        self._await_boot()
        for name in ("Bus Watchdog", "Table Sync Enable", "Torque Enable"):
            if name in self.table:
                self.line.ask(self.write_frame(name, 0))
        self.line.ask(self.write_frame("Status Return Level", 2))
        alert = self.get(self.error_register)
        now = self.take()
        if now != found or alert:
            self._write_differences(found, now, "eeprom")
            if alert:
                self.reboot()
            self._write_differences(found, self.take(), "ram")
            now = self.take()
        wrong = [f"{item.name}: {value} -> {now[item]}" for item, value in found.items() if now[item] != value]
        if "Torque Enable" in self.table and self.get("Torque Enable"):
            wrong.append("torque is still on")
        if self.get("Bus Watchdog"):
            wrong.append("the bus watchdog is still on")
        if wrong:
            pytest.fail(f"ID {self.id} could not be left as it was found: {'; '.join(wrong)}")

    def _write_differences(self, found: Found, now: Found, area: str) -> None:
        for item, value in found.items():
            if item.area == area and now[item] != value:
                self.line.ask(protocol.write(self.id, item.address, item.encode(value)))

    def _await_boot(self) -> None:
        end_ns = time.monotonic_ns() + round(BOOT_S * NS_PER_S)
        while not self.line.ask(protocol.ping(self.id), patience_s=0.05):
            assert time.monotonic_ns() < end_ns, f"ID {self.id} does not answer any more"


@contextmanager
def borrowed(group: Sequence[Servo]) -> Iterator[None]:
    """Devices that are left as they were found, whatever happens; one that can't be doesn't keep the others from it."""
    for one in group:
        one.refuse_unfit()
    found = {one.id: one.take() for one in group}
    try:
        yield
    finally:
        problems = [problem for one in group if (problem := _put_back(one, found[one.id]))]
        if problems:
            pytest.fail("\n".join(problems))


def _put_back(one: Servo, found: Found) -> str:
    try:
        one.put_back(found)
    except (pytest.fail.Exception, AssertionError, BoothError) as error:
        return str(error)
    return ""


def _kept(item: Item) -> bool:
    data = " Data " in item.name
    return item.access == "rw" and item.name not in _NOT_KEPT and not data


def _runs(items: Iterable[Item]) -> list[list[Item]]:
    """Registers that lie side by side, in runs that are read at once."""
    runs: list[list[Item]] = []
    for item in items:
        if runs and runs[-1][-1].end == item.address and item.end - runs[-1][0].address <= CHUNK_BYTES:
            runs[-1].append(item)
        else:
            runs.append([item])
    return runs
