# SPDX-License-Identifier: Apache-2.0
"""A virtual X-series servo: the registers, rules and motion of one DYNAMIXEL.

Simplifications, all ours: no load and no gravity; the modes 0, 1 and 16 are accepted but don't move the shaft; Present
Current grows with velocity. A goal written while torque is off is followed when torque comes on, which is the
unforgiving reading of the e-Manual: a driver must write the measured position first.
"""

from collections.abc import Callable
from math import floor
from struct import Struct

from drivers.control_table import ControlTable, Item
from drivers.protocol import ErrorNumber
from drivers.units import TICKS_PER_REVOLUTION, TICKS_S2_PER_UNIT, TICKS_S_PER_UNIT
from drivers.virtual_device import VirtualDevice
from drivers.virtual_motion import Phase, Shaft, plan_by_time, plan_by_velocity
from drivers.virtual_watchdog import BusWatchdog

REVERSE = 0x01
"""Drive Mode bit 0: the position register counts the other way. The homing offset keeps its sign."""
TIME_BASED_PROFILE = 0x04
"""Drive Mode bit 2: profile registers are milliseconds."""
TORQUE_ON_BY_GOAL = 0x08
"""Drive Mode bit 3: writing a goal position switches torque on."""

POSITION_MODE = 3
EXTENDED_POSITION_MODE = 4
CURRENT_BASED_POSITION_MODE = 5
_OPERATING_MODES = frozenset((0, 1, POSITION_MODE, EXTENDED_POSITION_MODE, CURRENT_BASED_POSITION_MODE, 16))
_POSITION_MODES = frozenset((POSITION_MODE, EXTENDED_POSITION_MODE, CURRENT_BASED_POSITION_MODE))
_GOALS = frozenset(("Goal PWM", "Goal Current", "Goal Velocity", "Goal Position"))
_PRESENT = Struct("<HBBhhiiiiHB")
_PRESENT_ADDRESS = 120
"""Realtime Tick … Present Temperature lie side by side in every X-series table."""
_FAST_READ_FIRMWARE = 45
"""Fast Sync Read and Fast Bulk Read came with this firmware (e-Manual, Fast Bulk Read)."""
_SINGLE_TURN_OFFSET = 1024
"""Larger homing offsets are ignored in position mode."""

INPUT_VOLTAGE_ERROR, OVERHEATING_ERROR, ENCODER_ERROR = 0x01, 0x04, 0x08
ELECTRICAL_SHOCK_ERROR, OVERLOAD_ERROR = 0x10, 0x20


class VirtualServo(VirtualDevice):
    """One servo. ``shaft_ticks`` is the encoder's position (0 … 4095 within the first turn), not the register's."""

    def __init__(
        self,
        table: ControlTable,
        id: int,  # noqa: A002 - the protocol's word
        *,
        firmware: int,
        baud: int,
        homing_offset_ticks: int = 0,
        drive_mode: int = 0,
        operating_mode: int = POSITION_MODE,
        return_delay: int = 0,
        position_ticks: int = 2048,
    ) -> None:
        super().__init__(table, id, firmware, baud)
        self.poke("Homing Offset", homing_offset_ticks)
        self.poke("Drive Mode", drive_mode)
        self.poke("Operating Mode", operating_mode)
        self.poke("Return Delay Time", return_delay)
        self.shaft = Shaft(0.0)
        self.watchdog = BusWatchdog()
        self.inner_bus: Callable[[int], int] | None = None
        """Behind a hand controller: when that last spoke on its inner bus, not after the time given."""
        self._volt = 120
        self._degc = 30
        self._shut_down = False
        self._booted_ns = 0
        self.turn_to(position_ticks)
        self.poke("Goal Position", position_ticks)

    # --- state -----------------------------------------------------------------------------------------------

    @property
    def torque_on(self) -> bool:
        """Torque Enable."""
        return bool(self.peek("Torque Enable"))

    @property
    def alert(self) -> bool:
        return self.peek("Hardware Error Status") != 0

    @property
    def supports_fast_read(self) -> bool:
        return self.peek("Firmware Version") >= _FAST_READ_FIRMWARE

    def position_ticks(self, now_ns: int) -> int:
        """Present Position at ``now_ns``."""
        self._advance(now_ns)
        return self._register_ticks(self.shaft.position)

    def feed(self, now_ns: int) -> None:
        if self.watchdog.value > 0:
            self._advance_watchdog(now_ns)
        self.watchdog.feed(now_ns)

    # --- what happens to a servo from outside ----------------------------------------------------------------

    def turn_to(self, position_ticks: int) -> None:
        """Somebody turns the shaft until Present Position reads ``position_ticks``; the goal stays where it was."""
        self.shaft.put(self._shaft_ticks(position_ticks))

    def stop(self, now_ns: int) -> None:
        """Stand still where the shaft is at ``now_ns``."""
        self.shaft.advance(now_ns)
        self.shaft.stop()

    def raise_hardware_error(self, bits: int, now_ns: int) -> None:
        """Set Hardware Error Status bits; those that Shutdown names switch torque off until a reboot."""
        self._advance(now_ns)
        self.poke("Hardware Error Status", self.peek("Hardware Error Status") | bits)
        if bits & self.peek("Shutdown"):
            self._shut_down = True
            self._set_torque(False, now_ns)

    def set_temperature(self, degc: int, now_ns: int) -> None:
        """Change the temperature; above the limit it is an overheating error."""
        self._degc = degc
        if degc > self.peek("Temperature Limit"):
            self.raise_hardware_error(OVERHEATING_ERROR, now_ns)

    def set_voltage(self, tenth_volts: int, now_ns: int) -> None:
        """Change the supply, 0.1 V; outside of the limits it is an input voltage error."""
        self._volt = tenth_volts
        if not self.peek("Min Voltage Limit") <= tenth_volts <= self.peek("Max Voltage Limit"):
            self.raise_hardware_error(INPUT_VOLTAGE_ERROR, now_ns)

    # --- the rules of the device -----------------------------------------------------------------------------

    @property
    def _eeprom_locked(self) -> bool:
        return self.torque_on

    def _advance(self, now_ns: int) -> None:
        self._advance_watchdog(now_ns)
        self.shaft.advance(now_ns)

    def _advance_watchdog(self, now_ns: int) -> None:
        if self.inner_bus is not None:
            self.watchdog.feed(self.inner_bus(now_ns))
        expired_ns = self.watchdog.expiry_ns(now_ns)
        if expired_ns is None:
            return
        self.stop(expired_ns)
        for name in ("Profile Acceleration", "Profile Velocity"):
            self.poke(name, 0)
        self.poke("Bus Watchdog", self.watchdog.value)

    def _check(self, item: Item, value: int) -> ErrorNumber:
        name = item.name
        if name == "Bus Watchdog" and not self.watchdog.accepts(value):
            return ErrorNumber.DATA_RANGE
        if name in _GOALS:
            return ErrorNumber.DATA_RANGE if self.watchdog.expired else self._check_goal(name, value)
        if name == "Torque Enable" and value and self._shut_down:
            return ErrorNumber.RESULT_FAIL
        if name == "Operating Mode" and value not in _OPERATING_MODES:
            return ErrorNumber.DATA_RANGE
        return ErrorNumber.NONE

    def _check_goal(self, name: str, value: int) -> ErrorNumber:
        if name == "Goal Position":
            limited = self.peek("Operating Mode") == POSITION_MODE
            low, high = self.peek("Min Position Limit"), self.peek("Max Position Limit")
            return ErrorNumber.DATA_LIMIT if limited and not low <= value <= high else ErrorNumber.NONE
        limit = self.peek(name.replace("Goal", "").strip() + " Limit")
        return ErrorNumber.DATA_LIMIT if abs(value) > limit else ErrorNumber.NONE

    def _written(self, names: set[str], now_ns: int) -> None:
        if names & {"Operating Mode", "Drive Mode", "Homing Offset"}:
            self._reset_goals()
        if "Bus Watchdog" in names:
            self.watchdog.set(self.peek("Bus Watchdog"), now_ns)
        if "Torque Enable" in names:
            self._set_torque(self.torque_on, now_ns)
        if not names & {"Goal Position", "Goal Current"}:
            return
        by_goal = self.peek("Drive Mode") & TORQUE_ON_BY_GOAL and "Goal Position" in names
        if by_goal and not self.torque_on and not self._shut_down:
            self._set_torque(True, now_ns)
        elif "Goal Position" in names or not self.shaft.profile_runs:
            self._start_profile()

    def _started(self, now_ns: int) -> None:
        self.watchdog = BusWatchdog()
        self._shut_down = False
        self._booted_ns = now_ns
        self.shaft.stop()
        self._wrap()
        self._reset_goals()
        self.set_temperature(self._degc, now_ns)
        self.set_voltage(self._volt, now_ns)

    def _clear_multi_turn(self) -> ErrorNumber:
        if self._is_moving():
            return ErrorNumber.RESULT_FAIL
        self._wrap()
        self._reset_goals()
        return ErrorNumber.NONE

    # --- motion ----------------------------------------------------------------------------------------------

    def _set_torque(self, on: bool, now_ns: int) -> None:
        self.poke("Torque Enable", int(on))
        self.watchdog.arm(on, now_ns)
        if on:
            self._start_profile()
        else:
            self.shaft.stop()

    def _start_profile(self) -> None:
        """Set out for the goal registers; a new profile begins at every goal write."""
        mode = self.peek("Operating Mode")
        powerless = mode == CURRENT_BASED_POSITION_MODE and self.peek("Goal Current") == 0
        if not self.torque_on or mode not in _POSITION_MODES or self.watchdog.expired:
            return
        if powerless:
            self.shaft.stop()
            return
        goal = self._shaft_ticks(self.peek("Goal Position"))
        self.shaft.follow(goal, self._profile(goal - self.shaft.reference))

    def _profile(self, distance: float) -> tuple[Phase, ...]:
        top = max(self.peek("Velocity Limit"), 1) * TICKS_S_PER_UNIT
        velocity, acceleration = self.peek("Profile Velocity"), self.peek("Profile Acceleration")
        start = self.shaft.reference_velocity
        if self.peek("Drive Mode") & TIME_BASED_PROFILE:
            return plan_by_time(distance, start, top, velocity / 1000.0, acceleration / 1000.0)
        wanted = min(top, velocity * TICKS_S_PER_UNIT) if velocity else top
        return plan_by_velocity(distance, start, wanted, acceleration * TICKS_S2_PER_UNIT)

    def _reset_goals(self) -> None:
        for name in ("Goal PWM", "Goal Current", "Goal Velocity"):
            self.poke(name, self.table[name].default)
        self.poke("Goal Position", self._register_ticks(self.shaft.position))

    def _wrap(self) -> None:
        """The encoder knows its place within one revolution only."""
        self.shaft.put(self.shaft.position % TICKS_PER_REVOLUTION)

    def _is_moving(self) -> bool:
        return abs(self.shaft.velocity) > self.peek("Moving Threshold") * TICKS_S_PER_UNIT

    # --- registers -------------------------------------------------------------------------------------------

    def _offset_ticks(self) -> int:
        offset = self.peek("Homing Offset")
        ignored = self.peek("Operating Mode") == POSITION_MODE and abs(offset) > _SINGLE_TURN_OFFSET
        return 0 if ignored else offset

    def _sign(self) -> int:
        return -1 if self.peek("Drive Mode") & REVERSE else 1

    def _register_ticks(self, shaft_ticks: float) -> int:
        """Encoder to position register: reverse mirrors about the centre, then the offset is added."""
        counted = TICKS_PER_REVOLUTION - shaft_ticks if self._sign() < 0 else shaft_ticks
        return floor(counted + 0.5) + self._offset_ticks()

    def _shaft_ticks(self, register_ticks: int) -> float:
        counted = float(register_ticks - self._offset_ticks())
        return TICKS_PER_REVOLUTION - counted if self._sign() < 0 else counted

    def _refresh(self) -> None:
        sign, shaft = self._sign(), self.shaft
        velocity = sign * round(shaft.velocity / TICKS_S_PER_UNIT)
        _PRESENT.pack_into(
            self._bytes,
            _PRESENT_ADDRESS,
            (shaft.time_ns - self._booted_ns) // 1_000_000 % 32_768,
            self._is_moving(),
            0x02 if shaft.profile_runs else 0x01,
            max(-885, min(885, 2 * velocity)),
            self._present_current(velocity),
            velocity,
            self._register_ticks(shaft.position),
            sign * round(shaft.reference_velocity / TICKS_S_PER_UNIT),
            self._register_ticks(shaft.reference),
            self._volt,
            self._degc,
        )

    def _present_current(self, velocity: int) -> int:
        """Friction that grows with velocity, within the current the mode allows; raw units."""
        mode = self.peek("Operating Mode")
        limit = self.peek("Current Limit") if mode != CURRENT_BASED_POSITION_MODE else abs(self.peek("Goal Current"))
        return max(-limit, min(limit, velocity // 2 if velocity >= 0 else -(-velocity // 2)))
