# SPDX-License-Identifier: Apache-2.0
"""What the control loop needs of a robot's joints, whatever wiring they have."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from graph.faults import Fault

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class JointReading:
    """State of all joints, each array (n,).

    ``fresh`` says which joints answered; values of the others are NaN, never an old or a made-up number.
    """

    position_rad: Array
    velocity_rad_s: Array
    current_ma: Array
    fresh: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One cycle on the wire.

    Attributes:
        sent_rad: what the servos aim at now: goals rounded to their ticks (n,) [rad].
        written_ns: when the goals had been handed to the ports, monotonic.
        read_ns: when the joints were read (middle of the transaction), monotonic.
        reading: what they said.
    """

    sent_rad: Array
    written_ns: int
    read_ns: int
    reading: JointReading


class JointLink(Protocol):
    """All joints of a robot. Set-up methods raise DeviceError; cyclic ones report what they got and never raise."""

    lower_rad: Array
    upper_rad: Array

    def prepare(self) -> Array:
        """Check every device, configure what needs it, and return the measured positions (n,) [rad].

        Torque is switched off only where a device can't be configured otherwise.
        """

    def torque_on(self) -> Array:
        """Bus watchdogs armed; then, device by device, goal at the position measured now and torque.

        Returns:
            the positions that are held now (n,) [rad].
        """

    @property
    def wire_ns(self) -> int:
        """How long one cycle is on the wire."""

    def exchange(self, goal_rad: Array, overlap: bool = False) -> Exchange:
        """One cycle: goals out, state in; with ``overlap`` the state of the cycle before, for the shortest period."""

    def spare(self) -> None:
        """A little of what the cyclic exchange does not tell; called once in every cycle, after it."""

    def faults(self) -> tuple[Fault, ...]:
        """What is wrong with joints, buses and ports now, worst first."""

    def warnings(self) -> tuple[Fault, ...]:
        """What will go wrong soon: temperature, voltage and current near their limits."""

    def look_at_watchdogs(self) -> None:
        """After a long pause of this computer: ask whether the servos have stopped by themselves."""

    def reboot_faulty(self) -> None:
        """Restart every servo that reports a hardware error: a person has asked for it."""

    def soften(self, share: float) -> None:
        """Limit the servos' strength to a share of the normal one, 0 … 1."""

    def torque_off(self) -> None:
        """Switch torque off, as far as the buses still answer."""

    def close(self) -> None:
        """Give the ports back."""
