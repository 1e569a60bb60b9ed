# SPDX-License-Identifier: Apache-2.0
"""Pedal node: a foot pedal of this computer onto the graph. It says what the foot does; others decide what follows."""

from std_msgs.msg import Bool, String

from graph.errors import InputError
from graph.faults import FaultCode
from graph.ros_node import OK, WARN, BoothNode, qos_profile, spin_node
from graph.topics import PEDAL, PEDAL_EVENT, PEDAL_STATE
from teleop.pedal import Role
from teleop.pedal_reader import PedalReader

PERIOD_S = 0.02


class PedalNode(BoothNode):
    """Shell around PedalReader: polls it 50 times a second.

    Role ``run``: publishes whether it is pressed, as long as there is a pedal. Role ``record``: publishes taps and
    holds.
    """

    def __init__(self) -> None:
        super().__init__("pedal", PEDAL_STATE)
        device = self.declare("device", "auto", "path under /dev/input/by-id, or auto")
        role = self.declare("role", "record", "run: hold to run; record: tap and hold speak to the session")
        if role not in list(Role):
            raise InputError(f"parameter role should be {' or '.join(Role)}, found {role!r}")
        self._role, self._name = Role(role), device
        self._pressed = self.create_publisher(Bool, PEDAL.name, qos_profile(PEDAL.qos))
        self._events = self.create_publisher(String, PEDAL_EVENT.name, qos_profile(PEDAL_EVENT.qos))
        self._reader = PedalReader(device)
        self._told: tuple[str, str] | None = None
        self.create_timer(PERIOD_S, self._poll)
        self._poll()

    def close(self) -> None:
        """Give the device back to the desktop."""
        self._reader.close()

    def _poll(self) -> None:
        self._reader.poll(self.graph_clock.monotonic_ns())
        self._tell_state()
        events = self._reader.pedal.take_events()
        if self._role is Role.RECORD:
            for event in events:
                self._events.publish(String(data=event))
        elif not self._reader.problem:
            self._pressed.publish(Bool(data=self._reader.pedal.pressed))

    def _tell_state(self) -> None:
        gone = bool(self._reader.problem)
        state = "UNPLUGGED" if gone else "PRESENT"
        if self._told == (state, self._reader.reason):
            return
        self._told = (state, self._reader.reason)
        self.set_state(
            state,
            WARN if gone else OK,
            reason=self._reader.reason,
            role=self._role.value,
            device=str(self._reader.path or self._name),
            code=FaultCode.PEDAL_LOST.value if gone else "",
        )


def main() -> None:
    """Entry point of the pedal process."""
    spin_node(PedalNode)


if __name__ == "__main__":
    main()
