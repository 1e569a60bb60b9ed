# SPDX-License-Identifier: Apache-2.0
"""A virtual servo of the Y series: an error code with a history, a gentle stop, turns that outlive the power.

Sources: ROBOTIS e-Manual, dxl/y, "Error Code(153)", "Bus Watchdog(8)", "Clear Packet", "Controller State(152)", "Moving
Status(541)". What no page states and we chose: a new error takes the place of an older one only when it is graver, that
is when it takes the torque; goals that are refused while an error holds are Data Range errors, as with the watchdog;
the brake's torque-on takes Brake Delay plus Goal Update Delay; both ways of counting Present Input Voltage are in use,
see `ServoModel.volts`, and this one counts 0.1 V.
"""

from math import floor

from drivers.control_table import ERROR_HISTORY
from drivers.hardware_error import Y_ERRORS, Cause
from drivers.protocol import ErrorNumber
from drivers.virtual_heat import AMBIENT_DEGC
from drivers.virtual_servo import VirtualServo

_MOVING_UNIT_TICKS_S = 5000.0
"""Moving Threshold counts 5 ticks/ms."""
_INVERTER_OFF, _PROCESS_TORQUE_ON, _RUNNING, _HW_FAULT = 2, 4, 5, 8
"""Controller State."""
_IN_POSITION, _PROFILE_ONGOING, _MOVING, _IN_RANGE = 0x01, 0x02, 0x04, 0x40
_RECTANGLE, _TRAPEZOID = 0x10, 0x30
_WATCHDOG_CODE = 18
_CODES = {error.cause: code for code, error in Y_ERRORS.items()} | {Cause.OVERHEATING: 4}


class VirtualServoY(VirtualServo):
    """One Y. ``raise_hardware_error`` takes an error code, not bits."""

    _settled_ns = 0
    """When switching torque on will be complete: until then goals are refused."""

    # --- errors ----------------------------------------------------------------------------------------------

    @property
    def error_code(self) -> int:
        """Error Code."""
        return self._bytes[self._error_at]

    @property
    def _holds(self) -> bool:
        """Torque stays on, goals are refused."""
        error = Y_ERRORS.get(self.error_code)
        return error is not None and error.holds

    def _set_error_bits(self, bits: int, now_ns: int) -> None:
        """``bits`` is an error code here."""
        known = Y_ERRORS.get(bits)
        keeps_torque = known is not None and known.keeps_torque
        if not (keeps_torque and self._shut_down):
            self._bytes[self._error_at] = bits
        first = self._error_at + 1
        self._bytes[first : first + ERROR_HISTORY] = bytes((bits,)) + self._bytes[first : first + ERROR_HISTORY - 1]
        if not keeps_torque:
            self._shut_down = True
            self._set_torque(False, now_ns)
        elif known is not None and known.holds:
            self.shaft.brake(self.peek("Safe Stop Time") * 1e-3)

    def _error_of(self, cause: Cause) -> int:
        return _CODES[cause]

    def _voltage_cause(self, tenth_volts: int) -> Cause:
        return Cause.OVER_VOLTAGE if tenth_volts > self.peek("Max Voltage Limit") else Cause.LOW_VOLTAGE

    def _clear_error(self, now_ns: int) -> ErrorNumber:
        """Error Clear packet: ends an error that may be cleared and whose cause is gone."""
        code = self.error_code
        known = Y_ERRORS.get(code)
        if code and (known is None or not known.clearable or self._still_there(known.cause)):
            return ErrorNumber.RESULT_FAIL
        self._forget_error()
        if code == _WATCHDOG_CODE:
            self.poke("Bus Watchdog", 0)
            self.watchdog.set(0, now_ns)
        return ErrorNumber.NONE

    def _still_there(self, cause: Cause) -> bool:
        volt = self._volt
        return {
            Cause.MOTOR_OVERHEATING: self.heat.degc > self.peek("Motor Temperature Limit"),
            Cause.INVERTER_OVERHEATING: self._inverter_degc() > self.peek("Inverter Temperature Limit"),
            Cause.OVER_VOLTAGE: volt > self.peek("Max Voltage Limit"),
            Cause.LOW_VOLTAGE: volt < self.peek("Min Voltage Limit"),
        }.get(cause, False)

    def _forget_error(self) -> None:
        self._bytes[self._error_at] = 0
        self._shut_down = False

    # --- rules -----------------------------------------------------------------------------------------------

    def _watchdog_expired(self, expired_ns: int) -> None:
        self.shaft.advance(expired_ns)
        self.poke("Bus Watchdog", self.watchdog.value)
        self._set_error_bits(_WATCHDOG_CODE, expired_ns)

    def _watchdog_written(self, now_ns: int) -> None:
        super()._watchdog_written(now_ns)
        if self.watchdog.value == 0 and self.error_code == _WATCHDOG_CODE:
            self._forget_error()

    def _check_goal(self, name: str, value: int) -> ErrorNumber:
        if self._holds:
            return ErrorNumber.DATA_RANGE
        if self.shaft.time_ns < self._settled_ns:
            return ErrorNumber.RESULT_FAIL
        return super()._check_goal(name, value)

    def _set_torque(self, on: bool, now_ns: int) -> None:
        super()._set_torque(on, now_ns)
        self._settled_ns = 0
        if on:
            self._settled_ns = now_ns + (self.peek("Brake Delay") + self.peek("Goal Update Delay")) * 1_000_000

    def _start_profile(self) -> None:
        if not self._holds:
            super()._start_profile()

    def _started(self, now_ns: int) -> None:
        self._settled_ns = 0
        super()._started(now_ns)

    def _lose_turns(self) -> None:
        """It counts its turns while it has no power."""

    def _clear_multi_turn(self, now_ns: int) -> ErrorNumber:
        """Needs torque off; the servo reboots afterwards."""
        if self.torque_on:
            return ErrorNumber.RESULT_FAIL
        self._wrap()
        self.reboot(now_ns)
        return ErrorNumber.NONE

    def _moving_threshold(self) -> float:
        return self.peek("Moving Threshold") * _MOVING_UNIT_TICKS_S

    # --- registers -------------------------------------------------------------------------------------------

    def _inverter_degc(self) -> float:
        """Half as much above its surroundings as the motor; ours."""
        return AMBIENT_DEGC + (self.heat.degc - AMBIENT_DEGC) / 2.0

    def _refresh_temperature(self) -> None:
        self.poke("Present Motor Temperature", floor(self.heat.degc))
        self.poke("Present Inverter Temperature", floor(self._inverter_degc()))

    def _refresh_motion(self) -> None:
        shaft = self.shaft
        self.poke("Realtime Tick", (shaft.time_ns - self._booted_ns) // 1_000_000 % 32_768)
        self.poke("Moving Status", self._moving_status())
        self.poke("Present PWM", self._present_pwm())
        self.poke("Velocity Trajectory", round(self._sign * shaft.reference_velocity))
        self.poke("Position Trajectory", self._register_ticks(shaft.reference))
        self.poke("Controller State", self._controller_state())

    def _moving_status(self) -> int:
        shaft = self.shaft
        position = self._register_ticks(shaft.position)
        status = _IN_RANGE if self._low <= position <= self._high else 0
        if abs(position - self.peek("Goal Position")) <= self.peek("In-Position Threshold"):
            status |= _IN_POSITION
        if shaft.profile_runs:
            status |= _PROFILE_ONGOING | (_TRAPEZOID if self._profile_acceleration else _RECTANGLE)
        return status | (_MOVING if self._is_moving() else 0)

    def _controller_state(self) -> int:
        if self._shut_down:
            return _HW_FAULT
        if not self.torque_on:
            return _INVERTER_OFF
        return _PROCESS_TORQUE_ON if self.shaft.time_ns < self._settled_ns else _RUNNING
