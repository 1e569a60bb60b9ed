# SPDX-License-Identifier: Apache-2.0
"""The command's own ROS client: watches states, calls services, records latencies. No node logic lives here."""

import os
import time
from collections.abc import Callable
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import SetBool, Trigger

from graph.errors import BoothError
from graph.middleware import middleware
from graph.ros_node import qos_profile, state_values
from graph.topics import DRIVER_STATE, RECORDER_STATE, TELEOP_STATE, TRACKER_STATE, Topic

STATES = {"driver": DRIVER_STATE, "teleop": TELEOP_STATE, "tracker": TRACKER_STATE, "recorder": RECORDER_STATE}


class GraphClient:
    """A context manager around one client node on a ROS domain."""

    def __init__(self, domain: int | None = None, name: str = "booth_client") -> None:
        os.environ.update(middleware(os.environ))
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
        self.node = Node(name, context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._states: dict[str, tuple[str, dict[str, str]]] = {}
        for source, topic in STATES.items():
            self.subscribe(topic, DiagnosticStatus, self._keeper(source))

    def __enter__(self) -> "GraphClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def subscribe(self, topic: Topic, kind: type, receive: Callable[[Any], None]) -> None:
        """Listen to one topic of the graph."""
        self.node.create_subscription(kind, topic.name, receive, qos_profile(topic.qos))

    def spin(self, seconds: float) -> None:
        """Handle what arrives during this time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    def state(self, source: str) -> str:
        """The last state word of driver, teleop, tracker or recorder; empty when none has come."""
        return self._states.get(source, ("", {}))[0]

    def values(self, source: str) -> dict[str, str]:
        """The last state's keys and values."""
        return self._states.get(source, ("", {}))[1]

    def call(self, service: str, data: bool | None = None, timeout_s: float = 5.0) -> tuple[bool, str]:
        """Call a Trigger (or with ``data`` a SetBool) service; returns success and message.

        Raises:
            BoothError: nobody offers the service, or it does not answer.
        """
        kind = Trigger if data is None else SetBool
        client = self.node.create_client(kind, service)
        try:
            deadline = time.monotonic() + timeout_s
            while not client.service_is_ready():
                if time.monotonic() > deadline:
                    raise BoothError(
                        f"nobody offers {service}: is the graph running (booth up), on this ROS_DOMAIN_ID?"
                    )
                self.spin(0.05)
            request = kind.Request() if data is None else kind.Request(data=data)
            future = client.call_async(request)
            self._executor.spin_until_future_complete(future, timeout_sec=timeout_s)
            response = future.result()
            if response is None:
                raise BoothError(f"{service} did not answer within {timeout_s:.0f} s")
            return bool(response.success), str(response.message)
        finally:
            self.node.destroy_client(client)

    def _keeper(self, source: str) -> Callable[[DiagnosticStatus], None]:
        def keep(status: DiagnosticStatus) -> None:
            self._states[source] = (status.message, state_values(status))

        return keep
