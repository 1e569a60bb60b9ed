# SPDX-License-Identifier: Apache-2.0
"""A virtual servo of the X or P series: the registers, rules and motion of one DYNAMIXEL. `virtual_servo_y` has the Y.

Simplifications, all ours: no gravity, no contact, and a load that nothing but `set_load` changes; the modes 0, 1 and 16
are accepted but don't move the shaft; Present Current grows with velocity and acceleration; Velocity Limit is also the
fastest that the shaft can turn. A goal written while torque is off is followed when torque comes on, which is the
unforgiving reading of the e-Manual: a driver must write the measured position first.
"""

from collections.abc import Callable
from math import floor
from struct import Struct

from drivers.control_table import Item
from drivers.hardware_error import BITS, Cause
from drivers.protocol import ErrorNumber
from drivers.servo_model import ServoModel
from drivers.virtual_device import VirtualDevice
from drivers.virtual_heat import Heat
from drivers.virtual_motion import Phase, Shaft, plan_by_time, plan_by_velocity
from drivers.virtual_plan import OWN, WritePlan
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
GOALS = frozenset(("Goal PWM", "Goal Current", "Goal Velocity", "Goal Position"))
_CAPS = {"Profile Velocity": "Velocity Limit", "Profile Acceleration": "Acceleration Limit"}
"""Profile registers that the P and Y series hold below a limit."""
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
GOAL_POSITION_EFFECT, GOAL_CURRENT_EFFECT, TORQUE_EFFECT, WATCHDOG_EFFECT, MEANING_EFFECT, SETTING_EFFECT = (
    OWN << n for n in range(6)
)
_EFFECTS = {
    "Goal Position": GOAL_POSITION_EFFECT,
    "Goal Current": GOAL_CURRENT_EFFECT | SETTING_EFFECT,
    "Torque Enable": TORQUE_EFFECT,
    "Bus Watchdog": WATCHDOG_EFFECT,
    "Operating Mode": MEANING_EFFECT | SETTING_EFFECT,
    "Drive Mode": MEANING_EFFECT | SETTING_EFFECT,
    "Homing Offset": MEANING_EFFECT | SETTING_EFFECT,
}
_FRICTION_SHARE, _INERTIA_SHARE = 0.085, 0.05
"""Share of the current limit that turning at full velocity takes, and reaching it within the shaft's lag."""
_PWM_SHARE = 0.45
_HEAT_NS = 50_000_000
"""How often the temperature is looked at while somebody looks at the servo."""
_BRIEF_NS = 500_000_000
"""After this long without a look the shaft has arrived, and only the load still takes current."""

INPUT_VOLTAGE_ERROR, HALL_SENSOR_ERROR, OVERHEATING_ERROR, ENCODER_ERROR = 0x01, 0x02, 0x04, 0x08
ELECTRICAL_SHOCK_ERROR, OVERLOAD_ERROR = 0x10, 0x20


class VirtualServo(VirtualDevice):
    """One servo. ``shaft_ticks`` is the encoder's position, not the register's.

    Args:
        model: registers, units and rules.
        id, firmware, baud: as it left the technician's bench, like everything below.
        position_ticks: Present Position at power-on; joint angle 0 when absent.
        fast_read: whether it answers fast reads where no manual says so.
    """

    checked = GOALS | {"Bus Watchdog", "Torque Enable", "Operating Mode", *_CAPS}

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

    # --- state -----------------------------------------------------------------------------------------------

    @property
    def torque_on(self) -> bool:
        """Torque Enable."""
        return self._bytes[self._torque_at] != 0

    @property
    def alert(self) -> bool:
        return self._bytes[self._error_at] != 0

    @property
    def supports_fast_read(self) -> bool:
        return self._fast_read

    @property
    def load_ma(self) -> float:
        """The load that `set_load` put on it."""
        return self._load * self.model.ma_per_unit

    def position_ticks(self, now_ns: int) -> int:
        """Present Position at ``now_ns``."""
        self._advance(now_ns)
        return self._register_ticks(self.shaft.position)

    def watch(self, now_ns: int) -> None:
        if self.watchdog.value > 0:
            self._advance_watchdog(now_ns)

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
        self._set_error_bits(bits, now_ns)

    def fail(self, cause: Cause, now_ns: int) -> None:
        """The error of this cause, in the servo's own way of saying it."""
        self.raise_hardware_error(self._error_of(cause), now_ns)

    def set_temperature(self, degc: int, now_ns: int) -> None:
        """Keep it at a temperature; above the limit it is an overheating error."""
        self._advance(now_ns)
        self.heat.hold(degc)
        self._feel_temperature(now_ns)

    def release_temperature(self, now_ns: int) -> None:
        """Let it cool down and warm up by itself again, from the ambient temperature."""
        self._advance(now_ns)
        self.heat.release()

    def set_voltage(self, tenth_volts: int, now_ns: int) -> None:
        """Change the supply, 0.1 V; outside of the limits it is an input voltage error."""
        self._volt = tenth_volts
        if not self.peek("Min Voltage Limit") <= tenth_volts <= self.peek("Max Voltage Limit"):
            self.fail(self._voltage_cause(tenth_volts), now_ns)

    def set_load(self, load_ma: float, now_ns: int) -> None:
        """Put a static load on the shaft, as the current that holding it takes. The shaft doesn't give way."""
        self._advance(now_ns)
        self._advance_heat(now_ns)
        self._load = round(load_ma / self.model.ma_per_unit)

    # --- the rules of the device -----------------------------------------------------------------------------

    def poke(self, name: str, value: int) -> None:
        super().poke(name, value)
        self._stale = True

    @property
    def _eeprom_locked(self) -> bool:
        return self._bytes[self._torque_at] != 0

    def _advance(self, now_ns: int) -> None:
        if now_ns >= self._heat_ns:
            self._advance_heat(now_ns)
        if self.watchdog.value > 0:
            self._advance_watchdog(now_ns)
        self.shaft.advance(now_ns)

    def _advance_watchdog(self, now_ns: int) -> None:
        heard_ns = self.heard.ns
        if self.inner_bus is not None:
            heard_ns = max(heard_ns, self.inner_bus(now_ns))
        expired_ns = self.watchdog.expiry_ns(now_ns, heard_ns)
        if expired_ns is not None:
            self._watchdog_expired(expired_ns)

    def _watchdog_expired(self, expired_ns: int) -> None:
        self.stop(expired_ns)
        if self.model.family == "x":
            for name in ("Profile Acceleration", "Profile Velocity"):
                self.poke(name, 0)
        self.poke("Bus Watchdog", self.watchdog.value)

    def _advance_heat(self, now_ns: int) -> None:
        heat = self.heat
        self._heat_ns = now_ns + _HEAT_NS
        while heat.time_ns < now_ns:
            cause = heat.run(now_ns, self._heating_share(now_ns), self._temperature_limit())
            if cause is not None:
                self._trip(cause, heat.time_ns)

    def _heating_share(self, now_ns: int) -> float:
        """Share of the current limit that flows from the last look to now."""
        if not self.torque_on:
            return 0.0
        self._reload_when_stale()
        brief = now_ns - self.heat.time_ns < _BRIEF_NS
        return (self._present_current() if brief else self._within(self._load)) / max(self._current_limit, 1)

    def _trip(self, cause: Cause, at_ns: int) -> None:
        """An error that came by itself, while nobody looked."""
        self.shaft.advance(at_ns)
        self._set_error_bits(self._error_of(cause), at_ns)

    def _set_error_bits(self, bits: int, now_ns: int) -> None:
        self.poke(self.model.error_register, self.peek(self.model.error_register) | bits)
        if bits & self.peek("Shutdown"):
            self._shut_down = True
            self._set_torque(False, now_ns)

    def _error_of(self, cause: Cause) -> int:
        return sum(1 << bit for bit, known in BITS.items() if known is cause)

    def _voltage_cause(self, _tenth_volts: int) -> Cause:
        return Cause.INPUT_VOLTAGE

    def _temperature_limit(self) -> int:
        return self.peek(self.model.temperature_limit_register)

    def _feel_temperature(self, now_ns: int) -> None:
        if self.heat.degc > self._temperature_limit():
            self.fail(Cause.OVERHEATING, now_ns)

    def _check(self, item: Item, value: int) -> ErrorNumber:
        name = item.name
        if name in GOALS:
            return self._check_goal(name, value)
        if name == "Bus Watchdog":
            return ErrorNumber.NONE if self.watchdog.accepts(value) else ErrorNumber.DATA_RANGE
        if name == "Torque Enable":
            return ErrorNumber.RESULT_FAIL if value and self._shut_down else ErrorNumber.NONE
        if name == "Operating Mode":
            return ErrorNumber.NONE if value in self.model.operating_modes else ErrorNumber.DATA_RANGE
        return self._check_profile(name, value)

    def _check_goal(self, name: str, value: int) -> ErrorNumber:
        if self.watchdog.expired:
            return ErrorNumber.DATA_RANGE
        self._reload_when_stale()
        if name == "Goal Position":
            limited = self._limited and not self._low <= value <= self._high
            return ErrorNumber.DATA_LIMIT if limited else ErrorNumber.NONE
        limit = self.peek(name.replace("Goal", "").strip() + " Limit")
        return ErrorNumber.DATA_LIMIT if abs(value) > limit else ErrorNumber.NONE

    def _check_profile(self, name: str, value: int) -> ErrorNumber:
        self._reload_when_stale()
        unlimited = self.model.family == "x" or (self._time_based and self.model.family == "p")
        over = not unlimited and value > self.peek(_CAPS[name])
        return ErrorNumber.DATA_LIMIT if over else ErrorNumber.NONE

    def _effect(self, names: frozenset[str]) -> int:
        effect = 0
        for name in names:
            effect |= _EFFECTS.get(name, 0 if name.startswith(("Indirect", "LED")) else SETTING_EFFECT)
        return effect

    def _written(self, plan: WritePlan, now_ns: int) -> None:
        effect = plan.effect
        if effect & SETTING_EFFECT:
            self._stale = True
        if effect & MEANING_EFFECT:
            self._reset_goals()
        if effect & WATCHDOG_EFFECT:
            self._watchdog_written(now_ns)
        if effect & TORQUE_EFFECT:
            self._set_torque(self.torque_on, now_ns)
        if effect & GOAL_POSITION_EFFECT:
            if not self.torque_on and not self._shut_down and self._torque_by_goal():
                self._set_torque(True, now_ns)
            else:
                self._start_profile()
        elif effect & GOAL_CURRENT_EFFECT and not self.shaft.profile_runs:
            self._start_profile()

    def _watchdog_written(self, now_ns: int) -> None:
        self.watchdog.set(self.peek("Bus Watchdog"), now_ns)

    def _torque_by_goal(self) -> bool:
        return "Drive Mode" in self.table and bool(self.peek("Drive Mode") & TORQUE_ON_BY_GOAL)

    def _started(self, now_ns: int) -> None:
        self.watchdog = BusWatchdog()
        self._stale = True
        self._shut_down = False
        self._booted_ns = now_ns
        self.heat.rest()
        self.shaft.stop()
        self._lose_turns()
        self._reset_goals()
        self._feel_temperature(now_ns)
        self.set_voltage(self._volt, now_ns)

    def _clear_multi_turn(self, now_ns: int) -> ErrorNumber:
        if self._is_moving():
            return ErrorNumber.RESULT_FAIL
        self._wrap()
        self._reset_goals()
        return ErrorNumber.NONE

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
        self._current_limit = self._current_cap = peek("Current Limit")
        by_current = self._mode == CURRENT_BASED_POSITION_MODE
        if by_current or self._mode == CURRENT_MODE:
            self._current_cap = min(self._current_cap, abs(peek("Goal Current")))
        self._powerless = by_current and peek("Goal Current") == 0
        self._ticks_s_per_unit = model.ticks_s_per_unit
        self._moving_ticks_s = self._moving_threshold()
        self._mirror = 2 * model.centre_ticks

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
