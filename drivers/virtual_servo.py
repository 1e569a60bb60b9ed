# SPDX-License-Identifier: Apache-2.0
"""A virtual servo of the X or P series: the rules of one DYNAMIXEL. `virtual_servo_y` has the Y.

Simplifications, all ours: no gravity, no contact, and a load that nothing but `set_load` changes; the modes 0, 1 and 16
are accepted but don't move the shaft; Present Current grows with velocity and acceleration; Velocity Limit is also the
fastest that the shaft can turn. A goal written while torque is off is followed when torque comes on, which is the
unforgiving reading of the e-Manual: a driver must write the measured position first.
"""

from drivers.control_table import Item
from drivers.hardware_error import BITS, Cause
from drivers.protocol import ErrorNumber
from drivers.virtual_plan import OWN, WritePlan
from drivers.virtual_servo_motion import (
    CURRENT_BASED_POSITION_MODE,
    EXTENDED_POSITION_MODE,
    POSITION_MODE,
    REVERSE,
    TIME_BASED_PROFILE,
    TORQUE_ON_BY_GOAL,
    MovingServo,
)
from drivers.virtual_watchdog import BusWatchdog

__all__ = [
    "CURRENT_BASED_POSITION_MODE",
    "ELECTRICAL_SHOCK_ERROR",
    "ENCODER_ERROR",
    "EXTENDED_POSITION_MODE",
    "GOALS",
    "HALL_SENSOR_ERROR",
    "INPUT_VOLTAGE_ERROR",
    "OVERHEATING_ERROR",
    "OVERLOAD_ERROR",
    "POSITION_MODE",
    "REVERSE",
    "TIME_BASED_PROFILE",
    "TORQUE_ON_BY_GOAL",
    "VirtualServo",
]

GOALS = frozenset(("Goal PWM", "Goal Current", "Goal Velocity", "Goal Position"))
_CAPS = {"Profile Velocity": "Velocity Limit", "Profile Acceleration": "Acceleration Limit"}
"""Profile registers that the P and Y series hold below a limit."""
GOAL_POSITION_EFFECT, GOAL_CURRENT_EFFECT, TORQUE_EFFECT, WATCHDOG_EFFECT, MEANING_EFFECT, SETTING_EFFECT = (
    OWN << n for n in range(6)
)
VOLTAGE_EFFECT = OWN << 6
_EFFECTS = {
    "Goal Position": GOAL_POSITION_EFFECT,
    "Goal Current": GOAL_CURRENT_EFFECT,
    "Torque Enable": TORQUE_EFFECT,
    "Bus Watchdog": WATCHDOG_EFFECT,
    "Operating Mode": MEANING_EFFECT | SETTING_EFFECT,
    "Drive Mode": MEANING_EFFECT | SETTING_EFFECT,
    "Homing Offset": MEANING_EFFECT | SETTING_EFFECT,
    "Min Voltage Limit": VOLTAGE_EFFECT | SETTING_EFFECT,
    "Max Voltage Limit": VOLTAGE_EFFECT | SETTING_EFFECT,
}
_HEAT_NS = 50_000_000
"""How often the temperature is looked at while somebody looks at the servo."""
_BRIEF_NS = 500_000_000
"""After this long without a look the shaft has arrived, and only the load still takes current."""

INPUT_VOLTAGE_ERROR, HALL_SENSOR_ERROR, OVERHEATING_ERROR, ENCODER_ERROR = 0x01, 0x02, 0x04, 0x08
ELECTRICAL_SHOCK_ERROR, OVERLOAD_ERROR = 0x10, 0x20


class VirtualServo(MovingServo):
    """One servo, see `MovingServo` for its arguments. ``shaft`` is the encoder's position, not the register's."""

    checked = GOALS | {"Bus Watchdog", "Torque Enable", "Operating Mode", *_CAPS}

    # --- state -----------------------------------------------------------------------------------------------

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
        if self.model.family != "y":
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
        if effect & VOLTAGE_EFFECT:
            self.set_voltage(self._volt, now_ns)
        if effect & MEANING_EFFECT:
            self._reset_goals()
        if effect & GOAL_CURRENT_EFFECT and not self._stale:
            self._take_strength()
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
