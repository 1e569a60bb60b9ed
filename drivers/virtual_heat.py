# SPDX-License-Identifier: Apache-2.0
"""How warm a virtual servo gets, and when its load becomes an overload. Closed form: nothing steps.

One body: temperature goes exponentially towards the ambient temperature plus `RISE_DEGC` times the square of the share
of the current limit. At full current a servo with a limit of 80 °C shuts down after some 20 s, at half current never.
All figures are ours, of the order of a small geared servo; they make warnings testable and predict no real servo.
"""

from math import exp, log

from drivers.hardware_error import Cause

AMBIENT_DEGC = 30.0
RISE_DEGC = 120.0
"""Above ambient at the current limit, for ever."""
TIME_CONSTANT_S = 40.0
OVERLOAD_SHARE = 0.95
"""This share of the current limit and more counts as being at the limit."""
OVERLOAD_NS = 2_000_000_000
"""At the limit for this long is an overload."""
_JUST_ABOVE_DEGC = 1e-3
_TOLD = -1
"""An overload has been told, and the load is still at the limit."""


class Heat:
    """Temperature and time at the limit; the load is constant between two calls of `run`.

    Attributes:
        degc: temperature.
        time_ns: up to when it is known.
    """

    __slots__ = ("_held", "_overload_ns", "degc", "time_ns")

    def __init__(self) -> None:
        self.degc = AMBIENT_DEGC
        self.time_ns = 0
        self._held = False
        self._overload_ns: int | None = None
        """When an overload comes of being at the limit; None: it isn't at the limit."""

    def hold(self, degc: float) -> None:
        """Somebody keeps it at this temperature."""
        self.degc, self._held = degc, True

    def release(self) -> None:
        """It is as warm as its surroundings and on its own again."""
        self.degc, self._held = AMBIENT_DEGC, False

    def rest(self) -> None:
        """No current from now on: no overload can come of what was before."""
        self._overload_ns = None

    def run(self, to_ns: int, share: float, limit_degc: float) -> Cause | None:
        """Go on to ``to_ns`` with ``share`` of the current limit, or to the first thing that happens before.

        Returns:
            OVERHEATING when it has just risen above ``limit_degc``, OVERLOAD when its load has just become one; call
            again then, with what the servo does now. None: ``to_ns`` is reached.
        """
        if to_ns <= self.time_ns:
            return None
        final = AMBIENT_DEGC + RISE_DEGC * share * share
        hot_ns = self._hot_ns(final, limit_degc)
        overload_ns = self._find_overload(share)
        first_ns = min((ns for ns in (hot_ns, overload_ns) if ns is not None), default=to_ns + 1)
        end_ns = min(first_ns, to_ns)
        if not self._held:
            self.degc = final + (self.degc - final) * exp((self.time_ns - end_ns) * 1e-9 / TIME_CONSTANT_S)
        self.time_ns = end_ns
        if first_ns > to_ns:
            return None
        if first_ns == hot_ns:
            self.degc = limit_degc + _JUST_ABOVE_DEGC
            return Cause.OVERHEATING
        self._overload_ns = _TOLD
        return Cause.OVERLOAD

    def _hot_ns(self, final: float, limit_degc: float) -> int | None:
        if self._held or self.degc > limit_degc or final <= limit_degc + _JUST_ABOVE_DEGC:
            return None
        return self.time_ns + int(TIME_CONSTANT_S * log((final - self.degc) / (final - limit_degc)) * 1e9)

    def _find_overload(self, share: float) -> int | None:
        if abs(share) < OVERLOAD_SHARE:
            self._overload_ns = None
        elif self._overload_ns is None:
            self._overload_ns = self.time_ns + OVERLOAD_NS
        return None if self._overload_ns == _TOLD else self._overload_ns
