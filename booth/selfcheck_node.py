# SPDX-License-Identifier: Apache-2.0
"""The graph's topics as the facts of a self-check; for any node that runs one."""

import json

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Bool, String

from booth.clock_sync import synchronised
from booth.selfcheck import SelfCheck, number
from graph import hands_cloud
from graph.ros_node import from_msg_time, qos_profile, state_values
from graph.stamps import GraphClock
from graph.topics import (
    DIAGNOSTICS,
    DRIVER_SERVOS,
    HANDS,
    PEDAL,
    PEDAL_EVENT,
    PEDAL_STATE,
    RECORDER_STATE,
    TRACKER_STATE,
)

OURS = "humanoid_booth: "


class SelfCheckFeed:
    """Listens all the time; what it hears goes to the check that `look` was given, if any.

    Args:
        node: whose subscriptions these are.
        clock: of this process.
    """

    def __init__(self, node: Node, clock: GraphClock) -> None:
        self._clock, self._name = clock, node.get_name()
        self._check: SelfCheck | None = None
        self._ages_ns: dict[str, int] = {}
        self._pedal: tuple[str, str] | None = None
        for topic, kind, receive in (
            (TRACKER_STATE, DiagnosticStatus, self._on_tracker),
            (HANDS, PointCloud2, self._on_hands),
            (DRIVER_SERVOS, String, self._on_servos),
            (RECORDER_STATE, DiagnosticStatus, self._on_recorder),
            (DIAGNOSTICS, DiagnosticArray, self._on_diagnostics),
            (PEDAL_STATE, DiagnosticStatus, self._on_pedal_state),
            (PEDAL, Bool, self._on_pedal),
            (PEDAL_EVENT, String, self._on_pedal_event),
        ):
            node.create_subscription(kind, topic.name, receive, qos_profile(topic.qos))

    def look(self, check: SelfCheck | None) -> None:
        """Facts go to this check from now on; call it regularly, also with the same one."""
        self._check = check
        if check is None:
            self._ages_ns.clear()
            return
        now_ns = self._clock.monotonic_ns()
        if self._pedal is not None:
            check.saw_pedal(*self._pedal, now_ns)
        if self._ages_ns:
            check.saw_clock(self._drift_ns(), self._relative(), synchronised(), now_ns)

    def _drift_ns(self) -> int:
        """A process that was started on its own knows the graph's offset only by what the others say."""
        return self._clock.drift_ns() if self._clock.shared else self._reference_ns()

    def _relative(self) -> dict[str, int]:
        reference_ns = 0 if self._clock.shared else self._reference_ns()
        return {name: age_ns - reference_ns for name, age_ns in self._ages_ns.items()}

    def _reference_ns(self) -> int:
        return int(np.median(list(self._ages_ns.values())))

    def _on_tracker(self, status: DiagnosticStatus) -> None:
        if self._check is not None:
            values = state_values(status)
            figures = (number(values.get("rate_hz")) or 0.0, number(values.get("brightness")))
            self._check.saw_camera(status.message, *figures, values.get("reason", ""), self._clock.monotonic_ns())

    def _on_hands(self, message: PointCloud2) -> None:
        if self._check is None:
            return
        try:
            cloud = hands_cloud.from_bytes(bytes(message.data))
        except ValueError:  # not made by our tracker: it can't be found on it
            return
        sides = {side for side, row in zip(hands_cloud.HANDS, cloud, strict=True) if np.isfinite(row["x"]).all()}
        self._check.saw_hands(sides, self._clock.monotonic_ns())

    def _on_servos(self, message: String) -> None:
        if self._check is not None:
            self._check.saw_servos(json.loads(message.data), self._clock.monotonic_ns())

    def _on_recorder(self, status: DiagnosticStatus) -> None:
        if self._check is not None:
            self._check.saw_recorder(state_values(status), self._clock.monotonic_ns())

    def _on_diagnostics(self, array: DiagnosticArray) -> None:
        for status in array.status:
            if status.name.startswith(OURS) and status.hardware_id != self._name:
                age_ns = self._clock.now_ns() - from_msg_time(array.header.stamp)
                before_ns = self._ages_ns.get(status.hardware_id, age_ns)
                self._ages_ns[status.hardware_id] = min(age_ns, before_ns, key=abs)

    def _on_pedal_state(self, status: DiagnosticStatus) -> None:
        self._pedal = (status.message, state_values(status).get("reason", ""))

    def _on_pedal(self, message: Bool) -> None:
        if message.data and self._check is not None:
            self._check.saw_pedal_pressed(self._clock.monotonic_ns())

    def _on_pedal_event(self, _: String) -> None:
        if self._check is not None:
            self._check.saw_pedal_pressed(self._clock.monotonic_ns())
