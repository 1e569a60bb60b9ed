# SPDX-License-Identifier: Apache-2.0
"""The moving half of a virtual servo: what registers mean for the shaft, and the shaft for registers."""

from collections.abc import Callable
from math import floor
from struct import Struct

from drivers.servo_model import ServoModel
from drivers.virtual_device import VirtualDevice
from drivers.virtual_heat import Heat
from drivers.virtual_motion import Phase, Shaft, plan_by_time, plan_by_velocity
from drivers.virtual_watchdog import BusWatchdog

REVERSE = 0x01
"""Drive Mode bit 0: the position register counts the other way. The homing offset keeps its sign."""
TIME_BASED_PROFILE = 0x04
"""Drive Mode bit 2: profile registers are times."""
TORQUE_ON_BY_GOAL = 0x08
"""Drive Mode bit 3: writing a goal position switches torque on."""

CURRENT_MODE = 0
POSITION_MODE = 3
EXTENDED_POSITION_MODE = 4
CURRENT_BASED_POSITION_MODE = 5
_POSITION_MODES = frozenset((POSITION_MODE, EXTENDED_POSITION_MODE, CURRENT_BASED_POSITION_MODE))
_STATE = Struct("<hii")
"""Present Current, Velocity and Position lie side by side in every table."""
_U16 = Struct("<H")
_STATE_NAMES = frozenset(("Present Current", "Present Velocity", "Present Position"))
_HEALTH_NAMES = frozenset(
    ("Present Input Voltage", "Present Temperature", "Present Motor Temperature", "Present Inverter Temperature")
)
_MOTION_NAMES = frozenset(
    (
        "Realtime Tick",
        "Moving",
        "Moving Status",
        "Present PWM",
        "Velocity Trajectory",
        "Position Trajectory",
        "Controller State",
    )
)
_STATE_NEED, _HEALTH_NEED, _MOTION_NEED = 1, 2, 4
_FRICTION_SHARE, _INERTIA_SHARE = 0.085, 0.05
"""Share of the current limit that turning at full velocity takes, and reaching it within the shaft's lag."""
_PWM_SHARE = 0.45


class MovingServo(VirtualDevice):
    """Registers, units and motion of one servo; `VirtualServo` adds its rules.

    Args:
        model: registers, units and rules.
        id, firmware, baud: as it left the technician's bench, like everything below.
        position_ticks: Present Position at power-on; joint angle 0 when absent.
        fast_read: whether it answers fast reads where no manual says so.
    """

    def __init__(
        self,
        model: ServoModel,
        id: int,  # noqa: A002 - the protocol's word
        *,
        firmware: int,
        baud: int,
        homing_offset_ticks: int = 0,
        drive_mode: int = 0,
        operating_mode: int | None = None,
        return_delay: int = 0,
        position_ticks: int | None = None,
        fast_read: bool = True,
    ) -> None:
        self.model = model
        self._stale = True
        super().__init__(model.table_for(firmware), id, firmware, baud)
        self._state_at = self.table["Present Current"].address
        self._volt_at = self.table["Present Input Voltage"].address
        self._goal_at = self.table["Goal Position"].address
        self._strength_at = self.table["Goal Current"].address
        self._error_at = self.table[model.error_register].address
        self._torque_at = self.table["Torque Enable"].address
        self._fast_read = fast_read if model.fast_read_firmware is None else firmware >= model.fast_read_firmware
        self.poke("Homing Offset", homing_offset_ticks)
        if "Drive Mode" in self.table:
            self.poke("Drive Mode", drive_mode)
        if operating_mode is not None:
            self.poke("Operating Mode", operating_mode)
        self.poke("Return Delay Time", return_delay)
        self.shaft = Shaft(0.0)
        self.watchdog = BusWatchdog()
        self.heat = Heat()
        self.inner_bus: Callable[[int], int] | None = None
        """Behind a hand controller: when that last spoke on its inner bus, not after the time given."""
        self._volt = round(model.nominal_v / model.volt_per_unit)
        self._load = 0
        self._heat_ns = 0
        self._shut_down = False
        self._booted_ns = 0
        start = model.centre_ticks if position_ticks is None else position_ticks
        self.turn_to(start)
        self.poke("Goal Position", start)

    def turn_to(self, position_ticks: int) -> None:
        """Somebody turns the shaft until Present Position reads ``position_ticks``; the goal stays where it was."""
        self.shaft.put(self._shaft_ticks(position_ticks))

    @property
    def torque_on(self) -> bool:
        """Torque Enable."""
        return self._bytes[self._torque_at] != 0

    def poke(self, name: str, value: int) -> None:
        super().poke(name, value)
        self._stale = True

    # --- motion ----------------------------------------------------------------------------------------------

    def _set_torque(self, on: bool, now_ns: int) -> None:
        self.poke("Torque Enable", int(on))
        self.watchdog.arm(on, now_ns)
        self.heat.rest()
        if on:
            self._start_profile()
        else:
            self.shaft.stop()

    def _start_profile(self) -> None:
        """Set out for the goal registers; a new profile begins at every goal write."""
        self._reload_when_stale()
        if not self.torque_on or self._mode not in _POSITION_MODES or self.watchdog.expired:
            return
        if self._powerless:
            self.shaft.stop()
            return
        at, shaft = self._goal_at, self.shaft
        goal = self._shaft_ticks(int.from_bytes(self._bytes[at : at + 4], "little", signed=True))
        shaft.follow(goal, self._profile(goal - shaft.reference))

    def _profile(self, distance: float) -> tuple[Phase, ...]:
        start = self.shaft.reference_velocity
        if self._time_based:
            return plan_by_time(distance, start, self._top, self._profile_time_s, self._ramp_time_s)
        if not self._profile_velocity:  # no profile: a step, whatever Profile Acceleration says
            return plan_by_velocity(distance, start, self._top, 0.0)
        return plan_by_velocity(distance, start, min(self._top, self._profile_velocity), self._profile_acceleration)

    def _reload_when_stale(self) -> None:
        if self._stale:
            self._reload()

    def _reload(self) -> None:
        """Take from the registers what every cycle needs."""
        self._stale = False
        peek, model, table = self.peek, self.model, self.table
        drive = peek("Drive Mode") if "Drive Mode" in table else 0
        self._mode = peek("Operating Mode")
        self._sign = -1 if drive & REVERSE else 1
        offset, limit = peek("Homing Offset"), model.homing_offset_limit
        self._offset = 0 if limit is not None and self._mode == POSITION_MODE and abs(offset) > limit else offset
        single_turn = POSITION_MODE if POSITION_MODE in model.operating_modes else CURRENT_BASED_POSITION_MODE
        self._limited = self._mode == single_turn
        self._low, self._high = peek("Min Position Limit"), peek("Max Position Limit")
        self._top = max(peek("Velocity Limit"), 1) * model.ticks_s_per_unit
        self._time_based = bool(drive & TIME_BASED_PROFILE)
        ramp, time = model.profile_time_registers
        self._profile_time_s, self._ramp_time_s = peek(time) * model.profile_time_s, peek(ramp) * model.profile_time_s
        self._profile_velocity = peek("Profile Velocity") * model.ticks_s_per_unit
        self._profile_acceleration = peek("Profile Acceleration") * model.ticks_s2_per_unit
        self._current_limit = peek("Current Limit")
        self._take_strength()
        self._ticks_s_per_unit = model.ticks_s_per_unit
        self._moving_ticks_s = self._moving_threshold()
        self._mirror = 2 * model.centre_ticks

    def _take_strength(self) -> None:
        """How much current the mode allows."""
        at = self._strength_at
        strength = abs(int.from_bytes(self._bytes[at : at + 2], "little", signed=True))
        by_current = self._mode == CURRENT_BASED_POSITION_MODE
        self._powerless = by_current and strength == 0
        limited = by_current or self._mode == CURRENT_MODE
        self._current_cap = min(self._current_limit, strength) if limited else self._current_limit

    def _moving_threshold(self) -> float:
        """Ticks/s above which it moves."""
        return self.peek("Moving Threshold") * self.model.ticks_s_per_unit

    def _reset_goals(self) -> None:
        for name in ("Goal PWM", "Goal Current", "Goal Velocity"):
            self.poke(name, self.table[name].default)
        self.poke("Goal Position", self._register_ticks(self.shaft.position))

    def _lose_turns(self) -> None:
        """At a reboot: the encoder knows its place within one revolution only."""
        self._wrap()

    def _wrap(self) -> None:
        turn, centre = self.model.ticks_per_revolution, self.model.centre_ticks
        low = centre - turn // 2 if self.peek("Min Position Limit") < 0 else 0
        self.shaft.put((self.shaft.position - low) % turn + low)

    def _is_moving(self) -> bool:
        self._reload_when_stale()
        return abs(self.shaft.velocity) > self._moving_ticks_s

    # --- registers -------------------------------------------------------------------------------------------

    def _register_ticks(self, shaft_ticks: float) -> int:
        """Encoder to position register: reverse mirrors about the centre, then the offset is added."""
        self._reload_when_stale()
        counted = self._mirror - shaft_ticks if self._sign < 0 else shaft_ticks
        return floor(counted + 0.5) + self._offset

    def _shaft_ticks(self, register_ticks: int) -> float:
        self._reload_when_stale()
        counted = float(register_ticks - self._offset)
        return self._mirror - counted if self._sign < 0 else counted

    def _need(self, names: frozenset[str]) -> int:
        groups = ((_STATE_NAMES, _STATE_NEED), (_HEALTH_NAMES, _HEALTH_NEED), (_MOTION_NAMES, _MOTION_NEED))
        return sum(need for group, need in groups if not group.isdisjoint(names))

    def _refresh(self, need: int) -> None:
        self._reload_when_stale()
        if need & _STATE_NEED:
            shaft, sign = self.shaft, self._sign
            position = self._mirror - shaft.position if sign < 0 else shaft.position
            velocity = sign * round(shaft.velocity / self._ticks_s_per_unit)
            state = self._present_current(), velocity, floor(position + 0.5) + self._offset
            _STATE.pack_into(self._bytes, self._state_at, *state)
        if need & _HEALTH_NEED:
            _U16.pack_into(self._bytes, self._volt_at, self._volt)
            self._refresh_temperature()
        if need & _MOTION_NEED:
            stale = self._stale
            self._refresh_motion()
            self._stale = stale

    def _refresh_temperature(self) -> None:
        self.poke(self.model.temperature_register, floor(self.heat.degc))

    def _refresh_motion(self) -> None:
        shaft, sign = self.shaft, self._sign
        self.poke("Realtime Tick", (shaft.time_ns - self._booted_ns) // 1_000_000 % 32_768)
        self.poke("Moving", self._is_moving())
        self.poke("Moving Status", 0x02 if shaft.profile_runs else 0x01)
        self.poke("Present PWM", self._present_pwm())
        self.poke("Velocity Trajectory", sign * round(shaft.reference_velocity / self._ticks_s_per_unit))
        self.poke("Position Trajectory", self._register_ticks(shaft.reference))

    def _present_pwm(self) -> int:
        full = self.model.full_pwm
        return max(-full, min(full, round(self._sign * _PWM_SHARE * full * self.shaft.velocity / self._top)))

    def _present_current(self) -> int:
        """Load, friction that grows with velocity, and acceleration, within what the mode allows; raw units."""
        if not self._bytes[self._torque_at]:
            return 0
        if self._mode == CURRENT_MODE:
            return self.peek("Goal Current")
        shaft = self.shaft
        velocity = shaft.velocity
        motion = 0.0
        if velocity or shaft.profile_runs:
            motion = _FRICTION_SHARE * velocity + _INERTIA_SHARE * (shaft.reference_velocity - velocity)
        return self._within(self._load + round(self._sign * motion / self._top * self._current_limit))

    def _within(self, current: int) -> int:
        return max(-self._current_cap, min(self._current_cap, current))
