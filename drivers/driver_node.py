# SPDX-License-Identifier: Apache-2.0
"""Driver node: the only process that may move anything. The bus loop is a thread of its own."""

import contextlib
import json
import os
import sys
import time
from collections import deque
from functools import partial
from threading import Condition, Event, Thread

from diagnostic_msgs.msg import DiagnosticStatus
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from drivers.command import CommandError, read_command
from drivers.connect import open_loop
from drivers.control_loop import Cycle
from drivers.lease import Lease
from drivers.maintenance_feed import MaintenanceFeed
from drivers.pacer import Pacer
from drivers.port import wait_for_port
from drivers.safety import LONGEST_TTL_NS, MS, State, Status
from drivers.servo_list import ServoList
from graph.errors import DeviceError, InputError
from graph.faults import FaultCode
from graph.nodes import bus_ports
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
    DRIVER_FACTS,
    DRIVER_SERVOS,
    DRIVER_STATE,
    JOINT_STATES,
    SENT,
    SERVICE_ENGAGE,
    SERVICE_HOME,
    SERVICE_READY,
    SERVICE_REBOOT,
    SERVICE_STOP,
    TELEOP_STATE,
    command,
)
from robots import load_robot

LEVELS = {State.HOLD: WARN, State.STOPPED: ERROR}

SWITCH_INTERVAL_S = 0.0005
"""Other threads of this process give the interpreter back to the bus thread within this time."""


class DriverNode(BoothNode):
    """Bus thread → cycles → publisher thread; the executor takes commands and requests."""

    def __init__(self) -> None:
        super().__init__("driver", DRIVER_STATE)
        self._robot = load_robot(self.declare("robot", "hx5_d20_right", "robot name or YAML file"))
        path = self.declare("port", "", "serial port; empty: the robot's own")
        baud = self.declare("baud", 0, "baud rate; 0: the robot's own")
        wait_s = self.declare("port_wait_s", 0.0, "how long to wait for the port to appear [s]")
        feed_forward = self.declare("feed_forward", True, "follow moving targets at their speed")
        ttl_ms = self.declare("command_ttl_ms", 100, "how old a command may be [ms], 50 to 140")
        if not 50 <= ttl_ms <= LONGEST_TTL_NS // MS:
            raise InputError(
                f"parameter command_ttl_ms should lie between 50 and {LONGEST_TTL_NS // MS}, found {ttl_ms}"
            )
        self._ttl_ns = ttl_ms * MS
        maintenance = self.declare("maintenance_log", True, "keep hours, temperatures and errors of every servo")
        ports = bus_ports(self._robot, path)
        for port in ports.values():
            wait_for_port(port, wait_s)
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
        self._lease = Lease()
        self._rejected, self._reject_reason = 0, ""
        self._latency_ns = 0
        self._last_capture_ns = 0
        self._joint_states = self.create_publisher(JointState, JOINT_STATES.name, qos_profile(JOINT_STATES.qos))
        self._sent = self.create_publisher(JointTrajectory, SENT.name, qos_profile(SENT.qos))
        self._servos = self.create_publisher(String, DRIVER_SERVOS.name, qos_profile(DRIVER_SERVOS.qos))
        for group, (name, _) in enumerate(self._robot.groups):
            topic = command(name)
            on_command = partial(self._on_command, group=group)
            self.create_subscription(JointTrajectory, topic.name, on_command, qos_profile(topic.qos))
        self.create_subscription(DiagnosticStatus, TELEOP_STATE.name, self._on_teleop, qos_profile(TELEOP_STATE.qos))
        self.create_service(SetBool, SERVICE_ENGAGE, self._on_engage)
        self.create_service(Trigger, SERVICE_STOP, self._on_stop)
        self.create_service(Trigger, SERVICE_HOME, partial(self._on_home, ready=False))
        self.create_service(Trigger, SERVICE_READY, partial(self._on_home, ready=True))
        self.create_service(Trigger, SERVICE_REBOOT, self._on_reboot)
        self.create_timer(0.05, self._watch)
        self._link, self._loop = open_loop(
            self._robot, path, baud, feed_forward=feed_forward, command_ttl_ns=self._ttl_ns
        )
        self._maintenance = MaintenanceFeed(self._robot, self._link, ports, wanted=maintenance, warn=self._warn)
        self._servo_list = ServoList(self._robot, self._link)
        self._pacer = Pacer(self._robot.rate_hz, self._loop.least_period_s)
        self._threads = [
            Thread(target=self._drive, name="bus", daemon=True),
            Thread(target=self._publish_cycles, name="publisher", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        where = ", ".join(ports.values())
        self.tell_facts(DRIVER_FACTS, {"ports": ports, "devices": self._link.facts()})
        self.get_logger().info(f"{self._robot.title} on {where}: {len(self._robot.joints)} joints, torque on, holding")

    def close(self) -> None:
        """Hold, release softly, torque off, close the ports."""
        self._stopping.set()
        ended = self._finished.wait(timeout=self._robot.motion.release_s + 1.0)
        if self._failure is not None or not ended:
            self.get_logger().error(f"torque may still be on: {self._failure or 'the bus did not answer in time'}")
        self._maintenance.close()
        if ended:
            self._link.close()

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
        """Stand still, take the strength away, then torque off."""
        self._loop.request_stop("the driver is shutting down")
        steps = int(self._robot.motion.release_s * self._robot.rate_hz)
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
                self._maintenance.see(cycle)
                servos = self._servo_list.see(cycle)
                if servos is not None:
                    self._servos.publish(String(data=json.dumps(servos)))

    def _publish_joint_states(self, cycle: Cycle) -> None:
        reading, names = cycle.reading, self._robot.joint_names
        position, velocity, effort = reading.position_rad, reading.velocity_rad_s, reading.current_ma
        fresh = reading.fresh
        if not fresh.all():
            if not fresh.any():
                return
            names = [name for name, good in zip(names, fresh, strict=True) if good]
            position, velocity, effort = position[fresh], velocity[fresh], effort[fresh]
        message = JointState(name=names)
        message.header.stamp = to_msg_time(cycle.read_ns + self.graph_clock.offset_ns)
        message.position, message.velocity, message.effort = position.tolist(), velocity.tolist(), effort.tolist()
        self._joint_states.publish(message)

    def _publish_sent(self, cycle: Cycle) -> None:
        cause_ns = cycle.written_ns if cycle.capture_ns is None else cycle.capture_ns
        message = JointTrajectory(joint_names=self._robot.joint_names)
        message.header.stamp = to_msg_time(cause_ns + self.graph_clock.offset_ns)
        point = JointTrajectoryPoint(time_from_start=to_msg_duration(cycle.written_ns - cause_ns))
        point.positions, point.velocities = cycle.sent_rad.tolist(), cycle.velocity_rad_s.tolist()
        limited = JointTrajectoryPoint(positions=cycle.goal_rad.tolist(), time_from_start=point.time_from_start)
        message.points = [point, limited]
        self._sent.publish(message)
        if cycle.capture_ns is not None and cycle.capture_ns != self._last_capture_ns:
            self._last_capture_ns, self._latency_ns = cycle.capture_ns, cycle.written_ns - cycle.capture_ns

    def _on_command(self, message: JointTrajectory, group: int) -> None:
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
                self._loop.last_command(group),
                point.velocities,
                self._ttl_ns,
            )
        except CommandError as error:
            self._refuse(str(error))
            return
        mine = self._lease.ask(message.header.frame_id, now_ns)
        self._loop.set_strangers(self._lease.strangers(now_ns))
        if not mine:
            self._refuse(f"{message.header.frame_id or 'somebody'} commands while {self._lease.holder(now_ns)} does")
            return
        self._loop.offer(accepted, group)
        self._pacer.hurry()

    def _refuse(self, reason: str) -> None:
        self._rejected, self._reject_reason = self._rejected + 1, reason
        self._warn(f"command refused: {reason}")

    def _warn(self, text: str) -> None:
        self.get_logger().warning(text, throttle_duration_sec=1.0)

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

    def _on_home(self, _request: Trigger.Request, response: Trigger.Response, ready: bool) -> Trigger.Response:
        refusal = self._loop.request_home(ready)
        response.success, response.message = not refusal, refusal or "moving slowly; /driver/stop stops it"
        self._watch()
        return response

    def _on_reboot(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        refusal = self._loop.request_reboot()
        if not refusal:
            self._maintenance.rebooted()
        response.success, response.message = not refusal, refusal or "restarted; engage sets them up anew"
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
        """Publish the state when it changes and twice a second; end the process when the bus thread is gone."""
        if self._failure is None and self._finished.is_set() and not self._stopping.is_set():
            self._failure = DeviceError("the bus thread ended unexpectedly; its traceback stands above")
        if self._failure is not None:
            raise self._failure
        self._loop.set_strangers(self._lease.strangers(self.graph_clock.monotonic_ns()))
        status = self._loop.status
        now = time.monotonic()
        note = self._note if status == self._published else ""
        if status.state is State.HOLD and status.code is FaultCode.COMMAND_STALE and not note and self._why_silent:
            note = f" ({self._why_silent})"
        if status == self._published and note == self._note and now - self._published_at < 0.5:
            return
        self._published, self._published_at = status, now
        self._note = note
        self._tell(status)

    def _tell(self, status: Status) -> None:
        punctuality = self._pacer.punctuality()
        counters = [line.bus.counters for line in self._link.lines]
        faults, warnings = self._loop.faults, self._link.warnings()
        level = LEVELS.get(status.state, WARN if faults or warnings else OK)
        self.set_state(
            status.state.value,
            level,
            reason=status.reason + self._note,
            code=status.code.value if status.code is not None else "",
            faults="; ".join(f"{fault.code.value}: {fault.text}" for fault in faults),
            warnings="; ".join(warning.text for warning in warnings),
            stamp_ns=self.graph_clock.now_ns(),
            robot=self._robot.name,
            commander=self._lease.holder(self.graph_clock.monotonic_ns()) or "",
            loop_rate_hz=f"{punctuality.rate_hz:.2f}",
            loop_period_p50_ms=f"{punctuality.period_p50_ms:.3f}",
            loop_period_p99_ms=f"{punctuality.period_p99_ms:.3f}",
            overruns=punctuality.overruns,
            bus_timeouts=sum(counter.timeouts for counter in counters),
            bus_crc_failures=sum(counter.crc_failures for counter in counters),
            refused_commands=self._rejected,
            refused_because=self._reject_reason,
            glass_to_wire_ms=f"{self._latency_ns * 1e-6:.1f}",
        )


def main() -> None:
    """Entry point of the driver process."""
    spin_node(DriverNode)


if __name__ == "__main__":
    main()
