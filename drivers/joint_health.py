# SPDX-License-Identifier: Apache-2.0
"""What is known of every joint's servo beside its motion: torque, errors, watchdog, temperature, voltage, strain."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.hardware_error import Cause, causes, describe
from drivers.servo_block import WATCHDOG_FIRED
from drivers.servo_model import Family, servo_model
from graph.faults import Fault, FaultCode
from robots import Robot

Array = NDArray[np.float64]

UNKNOWN = -1
WARM_DEGC = 10
"""Warn this much below the temperature at which the servo switches off."""
VOLT_MARGIN = 0.5
"""Warn this near to the voltage limits, volts."""
STRAINED_SHARE, STRAINED_S = 0.8, 2.0
"""Warn when the mean current of about this long exceeds this share of the limit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a servo switches itself off; NaN where it has no such limit."""

    temperature_degc: float = float("nan")
    low_volt: float = float("nan")
    high_volt: float = float("nan")
    current_ma: float = float("nan")


class JointHealth:
    """One entry for every joint, (n,); -1 or NaN where not known yet."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        count = len(robot.joints)
        self._models = [servo_model(joint.model) for joint in robot.joints]
        self.limits = [Limits()] * count
        self._current_limit = np.full(count, np.nan)
        self.torque = np.full(count, UNKNOWN, np.int16)
        self.error = np.zeros(count, np.int16)
        self.watchdog_fired = np.zeros(count, bool)
        self.temperature_degc = np.full(count, np.nan)
        self.voltage_v = np.full(count, np.nan)
        self._strain = np.zeros(count)
        self._battery_low = np.zeros(count, bool)
        self.released: set[int] = set()
        """Joints that the driver itself has let go."""
        self.faults: tuple[Fault, ...] = ()
        """Hardware errors in words."""

    def note(self, index: int, torque: int, error: int, watchdog: int, temperature: int, voltage: int) -> None:
        """Raw health registers of a joint."""
        family = self._models[index].family
        why = causes(family, error)
        by_watchdog = why == (Cause.BUS_WATCHDOG,)  # a Y tells it as an error
        self._battery_low[index] = why == (Cause.BATTERY_WARNING,)
        error = 0 if by_watchdog or self._battery_low[index] else error
        self.torque[index] = torque
        self.watchdog_fired[index] = by_watchdog or watchdog == WATCHDOG_FIRED
        self.temperature_degc[index] = np.nan if temperature == 0xFF else temperature
        self.voltage_v[index] = np.nan if voltage == 0xFFFF else self._models[index].volts(voltage)
        if error != self.error[index]:
            self.error[index] = error
            self.faults = tuple(self._error_fault(int(k)) for k in np.flatnonzero(self.error))

    def forget(self, index: int) -> None:
        """A joint's servo was restarted: it is limp, and its error is gone until it tells otherwise."""
        self.note(index, 0, 0, 0, 0xFF, 0xFFFF)

    def family(self, index: int) -> Family:
        """Series of a joint's servo."""
        return self._models[index].family

    def let_go(self, index: int) -> None:
        """The driver itself has switched a joint's torque off."""
        self.released.add(index)
        self.torque[index] = 0

    def set_up(self) -> None:
        """Everything was switched on anew."""
        self._current_limit = np.array([limits.current_ma for limits in self.limits])
        self.torque[:] = UNKNOWN
        self.watchdog_fired[:] = False
        self.released.clear()

    def strain(self, current_ma: Array, period_s: float) -> None:
        """Present currents (n,) of a cycle; NaN changes nothing."""
        share = np.nan_to_num(np.abs(current_ma) / self._current_limit)
        known = ~np.isnan(current_ma)
        self._strain[known] += (share[known] - self._strain[known]) * min(period_s / STRAINED_S, 1.0)

    def stopped(self) -> list[int]:
        """Joints whose servo has stopped without being told, and doesn't report an error instead."""
        gone = ((self.torque == 0) | self.watchdog_fired) & (self.error == 0)
        return [int(k) for k in np.flatnonzero(gone) if int(k) not in self.released]

    def warnings(self) -> list[Fault]:
        """Joints near a limit, in words."""
        return [
            Fault(FaultCode.NEAR_LIMIT, f"{joint.name} (ID {joint.id}): {text}")
            for k, joint in enumerate(self._robot.joints)
            for text in self._near(k)
        ]

    def _near(self, k: int) -> list[str]:
        limits, degc, volt = self.limits[k], self.temperature_degc[k], self.voltage_v[k]
        out = []
        if self._battery_low[k]:
            out.append("its multi-turn battery is low: replace it before the position is lost")
        if degc >= limits.temperature_degc - WARM_DEGC:
            out.append(f"{degc:.0f} °C, switches off above {limits.temperature_degc:.0f}: let it rest")
        if volt <= limits.low_volt + VOLT_MARGIN:
            out.append(f"{volt:.1f} V, switches off below {limits.low_volt:.1f}: check supply and cable")
        if volt >= limits.high_volt - VOLT_MARGIN:
            out.append(f"{volt:.1f} V, switches off above {limits.high_volt:.1f}: check the supply")
        if self._strain[k] >= STRAINED_SHARE:
            out.append(f"{self._strain[k]:.0%} of its largest current for {STRAINED_S:.0f} s: is it blocked?")
        return out

    def _error_fault(self, k: int) -> Fault:
        joint = self._robot.joints[k]
        words = ", ".join(describe(self._models[k].family, int(self.error[k])))
        return Fault(
            FaultCode.HARDWARE_ERROR, f"hardware error: {joint.name} (ID {joint.id}): {words}; see booth servo read"
        )
