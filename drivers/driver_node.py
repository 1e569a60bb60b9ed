# SPDX-License-Identifier: Apache-2.0
"""Driver node: the only process that may move anything. The bus loop is a thread of its own."""

import contextlib
import os
import sys
import time
from collections import deque
from threading import Condition, Event, Thread

from diagnostic_msgs.msg import DiagnosticStatus
from sensor_msgs.msg import JointState
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from drivers.command import CommandError, read_command
from drivers.connect import open_loop
from drivers.control_loop import RELEASE_S, Cycle
from drivers.pacer import Pacer
from drivers.port import wait_for_port
from drivers.safety import State, Status
from graph.errors import DeviceError
from graph.ros_node import (
    ERROR,
    OK,
    WARN,
    BoothNode,
    from_msg_time,
    qos_profile,
    spin_node,
    state_values,
    to_msg_duration,
    to_msg_time,
)
from graph.topics import (
    DRIVER_STATE,
    JOINT_STATES,
    SENT,
    SERVICE_ENGAGE,
    SERVICE_STOP,
    TELEOP_STATE,
    command,
)
from robots import load_robot

LEVELS = {State.IDLE: OK, State.READY: OK, State.ENGAGED: OK, State.HOLD: WARN, State.STOPPED: ERROR}
SENDER_MEMORY_NS = 500_000_000
"""A commander counts as long as it was heard within this time. Commanders tell themselves apart by frame_id."""

SWITCH_INTERVAL_S = 0.0005
"""Other threads of this process give the interpreter back to the bus thread within this time."""


class DriverNode(BoothNode):
    """Bus thread → cycles → publisher thread; the executor takes commands and requests."""

    def __init__(self) -> None:
        super().__init__("driver", DRIVER_STATE)
        self._robot = load_robot(self.declare("robot", "hx5_d20_right", "robot name or YAML file"))
        path = self.declare("port", "", "serial port; empty: the robot's own") or self._robot.buses[0].port
        baud = self.declare("baud", 0, "baud rate; 0: the robot's own")
        wait_for_port(path, self.declare("port_wait_s", 0.0, "how long to wait for the port to appear [s]"))
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        with contextlib.suppress(OSError):
            os.nice(-10)
        self._why_silent, self._note = "", ""
        self._stopping, self._finished = Event(), Event()
        self._failure: DeviceError | None = None
        self._cycles: deque[Cycle] = deque(maxlen=50)
        self._new_cycle = Condition()
        self._published: Status | None = None
        self._published_at = 0.0
        self._senders: dict[str, int] = {}
        self._rejected, self._reject_reason = 0, ""
        self._latency_ns = 0
        self._last_capture_ns = 0
        self._topic = command(self._robot.groups[0][0])
        self._joint_states = self.create_publisher(JointState, JOINT_STATES.name, qos_profile(JOINT_STATES.qos))
        self._sent = self.create_publisher(JointTrajectory, SENT.name, qos_profile(SENT.qos))
        self.create_subscription(JointTrajectory, self._topic.name, self._on_command, qos_profile(self._topic.qos))
        self.create_subscription(DiagnosticStatus, TELEOP_STATE.name, self._on_teleop, qos_profile(TELEOP_STATE.qos))
        self.create_service(SetBool, SERVICE_ENGAGE, self._on_engage)
        self.create_service(Trigger, SERVICE_STOP, self._on_stop)
        self.create_timer(0.02, self._watch)
        self._port, self._bus, self._loop = open_loop(self._robot, path, baud)
        self._pacer = Pacer(self._robot.rate_hz)
        self._threads = [
            Thread(target=self._drive, name="bus", daemon=True),
            Thread(target=self._publish_cycles, name="publisher", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self.get_logger().info(f"{self._robot.title} on {path}: {len(self._robot.joints)} joints, torque on, holding")

    def close(self) -> None:
        """Hold, release softly, torque off, close the port."""
        self._stopping.set()
        self._finished.wait(timeout=RELEASE_S + 1.0)
        if self._failure is not None:
            self.get_logger().error(f"torque may still be on: {self._failure}")
        self._port.close()

    def _drive(self) -> None:
        """The bus thread."""
        try:
            while not self._stopping.is_set():
                self._pacer.wait()
                cycle = self._loop.cycle()
                with self._new_cycle:
                    self._cycles.append(cycle)
                    self._new_cycle.notify()
            self._release_softly()
        except DeviceError as error:
            self._failure = error
        finally:
            self._finished.set()

    def _release_softly(self) -> None:
        """Stand still, take the strength away within a second, then torque off."""
        self._loop.request_stop("the driver is shutting down")
        steps = int(RELEASE_S * self._robot.rate_hz)
        for step in range(steps):
            self._pacer.wait()
            self._loop.let_go(1.0 - (step + 1) / steps)
        self._loop.disconnect()

    def _publish_cycles(self) -> None:
        while not self._stopping.is_set():
            with self._new_cycle:
                if not self._cycles and not self._new_cycle.wait(timeout=0.2):
                    continue
                cycles = list(self._cycles)
                self._cycles.clear()
            for cycle in cycles:
                self._publish_joint_states(cycle)
                self._publish_sent(cycle)

    def _publish_joint_states(self, cycle: Cycle) -> None:
        fresh = cycle.reading.fresh
        if not fresh.any():
            return
        message = JointState(name=[n for n, good in zip(self._robot.joint_names, fresh, strict=True) if good])
        message.header.stamp = to_msg_time(cycle.read_ns + self.graph_clock.offset_ns)
        message.position = cycle.reading.position_rad[fresh].tolist()
        message.velocity = cycle.reading.velocity_rad_s[fresh].tolist()
        message.effort = cycle.reading.current_ma[fresh].tolist()
        self._joint_states.publish(message)

    def _publish_sent(self, cycle: Cycle) -> None:
        cause_ns = cycle.written_ns if cycle.capture_ns is None else cycle.capture_ns
        message = JointTrajectory(joint_names=list(self._robot.joint_names))
        message.header.stamp = to_msg_time(cause_ns + self.graph_clock.offset_ns)
        point = JointTrajectoryPoint(time_from_start=to_msg_duration(cycle.written_ns - cause_ns))
        point.positions, point.velocities = cycle.sent_rad.tolist(), cycle.velocity_rad_s.tolist()
        message.points = [point]
        self._sent.publish(message)
        if cycle.capture_ns is not None and cycle.capture_ns != self._last_capture_ns:
            self._last_capture_ns, self._latency_ns = cycle.capture_ns, cycle.written_ns - cycle.capture_ns

    def _on_command(self, message: JointTrajectory) -> None:
        now_ns = self.graph_clock.monotonic_ns()
        if not message.points:
            return
        point = message.points[0]
        capture_ns = from_msg_time(message.header.stamp) - self.graph_clock.offset_ns
        if message.header.stamp.sec == 0:
            capture_ns = now_ns
        try:
            accepted = read_command(
                message.joint_names,
                point.positions,
                capture_ns,
                capture_ns + from_msg_time(point.time_from_start),
                now_ns,
                self._robot.joint_names,
                self._loop.last_command,
            )
        except CommandError as error:
            self._rejected, self._reject_reason = self._rejected + 1, str(error)
            self.get_logger().warning(f"command refused: {error}", throttle_duration_sec=1.0)
            return
        self._senders[message.header.frame_id] = now_ns
        heard = [sender for sender, heard_ns in self._senders.items() if now_ns - heard_ns < SENDER_MEMORY_NS]
        self._loop.set_commanders(len(heard))
        self._loop.offer(accepted)

    def _on_engage(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        if request.data:
            refusal = self._loop.request_engage()
            response.success, response.message = not refusal, refusal or "following"
            if refusal:
                self.get_logger().warning(f"engage refused: {refusal}")
        else:
            self._loop.request_release()
            response.success, response.message = True, "holding"
        self._watch()
        return response

    def _on_stop(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._loop.request_stop("protective stop requested")
        response.success, response.message = True, "stopped; a fresh engage is needed to move again"
        self._watch()
        return response

    def _on_teleop(self, status: DiagnosticStatus) -> None:
        """Teleop knows why commands stopped (hand lost, tracker silent); what it repeats after us is no reason."""
        reason = "" if status.message == "ENGAGED" else state_values(status).get("reason", "")
        self._why_silent = "" if reason.startswith("the driver ") else reason

    def _watch(self) -> None:
        """Publish the state when it changes and twice a second; end the process when the bus is gone."""
        if self._failure is None and self._finished.is_set() and not self._stopping.is_set():
            self._failure = DeviceError("the bus thread ended unexpectedly; its traceback stands above")
        if self._failure is not None:
            raise self._failure
        status = self._loop.status
        now = time.monotonic()
        note = self._note if status == self._published else ""
        if status.state is State.HOLD and not note and self._why_silent:
            note = f" ({self._why_silent})"
        if status == self._published and note == self._note and now - self._published_at < 0.5:
            return
        self._published, self._published_at = status, now
        self._note = note
        punctuality = self._pacer.punctuality()
        counters = self._bus.counters
        self.set_state(
            status.state.value,
            LEVELS[status.state],
            reason=status.reason + self._note,
            stamp_ns=self.graph_clock.now_ns(),
            robot=self._robot.name,
            loop_rate_hz=f"{punctuality.rate_hz:.2f}",
            loop_period_p50_ms=f"{punctuality.period_p50_ms:.3f}",
            loop_period_p99_ms=f"{punctuality.period_p99_ms:.3f}",
            overruns=punctuality.overruns,
            bus_timeouts=counters.timeouts,
            bus_crc_failures=counters.crc_failures,
            refused_commands=self._rejected,
            refused_because=self._reject_reason,
            glass_to_wire_ms=f"{self._latency_ns * 1e-6:.1f}",
        )


def main() -> None:
    """Entry point of the driver process."""
    spin_node(DriverNode)


if __name__ == "__main__":
    main()
