# SPDX-License-Identifier: Apache-2.0
"""The shell that every ROS node of the graph shares: QoS, stamps, parameters, states, a clean way out.

The name ends in ``_node`` because only such files may import rclpy.
"""

import json
import logging
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from threading import Timer
from types import FrameType
from typing import Any

import rclpy
from builtin_interfaces.msg import Duration, Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.callback_groups import CallbackGroup
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rclpy.subscription import Subscription
from std_msgs.msg import String

from graph.errors import EXIT_INPUT, BoothError, InputError
from graph.stamps import ENV_OFFSET, graph_clock, join, split
from graph.topics import DIAGNOSTICS, Qos, Topic

OK, WARN, ERROR = 0, 1, 2

CLOSE_WITHIN_S = 4.0
"""A node that can't close within this time is ended all the same; nothing may hang behind a Ctrl-C."""

_FIGURES = re.compile(r"[\d.]+")
_DEPTH = {Qos.SENSOR: 5, Qos.COMMAND: 1, Qos.STATE: 1, Qos.EVENT: 20}


def qos_profile(qos: Qos) -> QoSProfile:
    """The rclpy profile of one of the graph's four QoS classes."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=_DEPTH[qos],
        reliability=ReliabilityPolicy.BEST_EFFORT if qos is Qos.SENSOR else ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if qos is Qos.STATE else DurabilityPolicy.VOLATILE,
    )


def to_msg_time(stamp_ns: int) -> Time:
    """Graph time [ns] as a message stamp."""
    sec, nanosec = split(stamp_ns)
    return Time(sec=sec, nanosec=nanosec)


def to_msg_duration(duration_ns: int) -> Duration:
    """A duration [ns] as a message field."""
    sec, nanosec = split(duration_ns)
    return Duration(sec=sec, nanosec=nanosec)


def from_msg_time(stamp: Time | Duration) -> int:
    """Nanoseconds of a message stamp or duration."""
    return join(stamp.sec, stamp.nanosec)


class Unwaited(CallbackGroup):
    """Subscriptions that nobody waits for: the node looks at them itself, at many messages at once.

    Waiting for each message anew is most of what rclpy costs.
    """

    def can_execute(self, entity: object) -> bool:
        """Never by the executor."""
        return False

    def beginning_execution(self, entity: object) -> bool:
        """Never by the executor."""
        return False

    def ending_execution(self, entity: object) -> None:
        """Nothing was begun."""


def waiting_messages(subscription: Subscription, most: int) -> Iterator[tuple[Any, dict[str, Any]]]:
    """What has arrived, at most so many: messages (bytes where the subscription is raw), each with its info."""
    with subscription.handle:
        for _ in range(most):
            taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
            if taken is None:
                return
            yield taken


class BoothNode(Node):
    """A node with graph time, described parameters and one published state.

    ``set_state`` publishes on the node's own state topic and on /diagnostics, at once when something changes and once a
    second otherwise.
    """

    wait_s = 0.1
    """How long to wait for something to do before ``look`` is called again [s]."""

    def __init__(self, name: str, state_topic: Topic) -> None:
        super().__init__(name)
        self.graph_clock = graph_clock()
        if not self.graph_clock.shared:
            self.get_logger().warning(
                f"{ENV_OFFSET} is not set: this process measured its own clock offset; start nodes with `booth up` or "
                "`ros2 launch`, or stamps of different processes may disagree after a step of the wall clock"
            )
        self._title = f"humanoid_booth: {name}"
        self._state = DiagnosticStatus(name=self._title, message="STARTING", hardware_id=name)
        self._state_publisher = self.create_publisher(DiagnosticStatus, state_topic.name, qos_profile(state_topic.qos))
        self._diagnostics = self.create_publisher(DiagnosticArray, DIAGNOSTICS.name, qos_profile(DIAGNOSTICS.qos))
        self._facts_publisher: Publisher | None = None
        self.create_timer(1.0, self._publish_diagnostics)

    def declare(self, name: str, default: Any, description: str) -> Any:
        """Declare a read-only parameter and return its value.

        Raises:
            InputError: a parameter file or argument gives it another type.
        """
        descriptor = ParameterDescriptor(description=description, read_only=True)
        try:
            return self.declare_parameter(name, default, descriptor).value
        except InvalidParameterTypeException as error:
            raise InputError(
                f"parameter {name} of {self.get_name()} ({description}) should be like {default!r}: {error}"
            ) from error

    def set_state(self, message: str, level: int = OK, **values: object) -> None:
        """Publish the node's state; a changed message, level or wording of ``reason`` goes to /diagnostics at
        once."""
        before = (self._state.message, self._state.level, _wording(self._reason()))
        self._state = DiagnosticStatus(
            level=bytes([level]),
            name=self._title,
            message=message,
            hardware_id=self.get_name(),
            values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
        )
        self._state_publisher.publish(self._state)
        if before != (message, self._state.level, _wording(self._reason())):
            self.get_logger().info(f"{message}: {self._reason()}" if self._reason() else message)
            self._publish_diagnostics()

    def tell_facts(self, topic: Topic, facts: Mapping[str, object]) -> None:
        """Publish what is known of device and settings, as JSON; late joiners get the last."""
        if self._facts_publisher is None:
            self._facts_publisher = self.create_publisher(String, topic.name, qos_profile(topic.qos))
        self._facts_publisher.publish(String(data=json.dumps(facts)))

    def look(self) -> None:
        """Called after every wait; overridden by nodes that look at something themselves."""

    def close(self) -> None:
        """Called once before the node is destroyed; overridden by nodes that hold something."""

    def _reason(self) -> str:
        return next((item.value for item in self._state.values if item.key == "reason"), "")

    def _publish_diagnostics(self) -> None:
        stamp = to_msg_time(self.graph_clock.now_ns())
        array = DiagnosticArray(status=[self._state])
        array.header.stamp = stamp
        self._diagnostics.publish(array)


def _wording(reason: str) -> str:
    """A reason without its figures: one whose figures change is told once."""
    return _FIGURES.sub("", reason)


def state_values(status: DiagnosticStatus) -> dict[str, str]:
    """The key/value pairs of a state message."""
    return {item.key: item.value for item in status.values}


def spin_node(node_class: Callable[[], BoothNode]) -> None:
    """The ``main`` of a node process: run until SIGINT or SIGTERM, close, exit with a meaningful code.

    A BoothError ends the process with its message in the log and its exit code, without a traceback.
    """
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", stream=sys.stderr)
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    except rclpy_implementation.RCLError as error:
        logging.getLogger("booth").error("ROS could not start; is the parameter file right? %s", error)
        sys.exit(EXIT_INPUT)
    code = 0
    node: BoothNode | None = None
    try:
        node = node_class()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        while not stopping and rclpy.ok():
            executor.spin_once(timeout_sec=node.wait_s)
            node.look()
    except ExternalShutdownException:
        pass
    except SystemExit as finished:
        code = finished.code if isinstance(finished.code, int) else 1
    except BoothError as error:
        logging.getLogger("booth").error("%s", error)
        code = error.exit_code
    finally:
        last_resort = Timer(CLOSE_WITHIN_S, os._exit, [code or 1])
        last_resort.daemon = True
        last_resort.start()
        if node is not None:
            node.close()
            node.destroy_node()
        rclpy.try_shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # all is closed; the interpreter's own end could still wait for a native library's thread
