# SPDX-License-Identifier: Apache-2.0
"""Teleop node: hand landmarks in, joint trajectories out on the real robot's topic."""

import os

import numpy as np
from builtin_interfaces.msg import Duration
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.task import Future
from sensor_msgs.msg import JointState, PointCloud2
from std_msgs.msg import Header, String
from std_srvs.srv import SetBool
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from graph import hands_cloud
from graph.errors import InputError
from graph.ros_node import (
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
    HANDS,
    JOINT_STATES,
    SERVICE_ENGAGE,
    TELEOP_EVENT,
    TELEOP_STATE,
    command,
)
from robots import load_robot
from robots.limiter import MotionLimiter
from robots.robot import by_topic
from teleop.engage import EngageSettings, Phase
from teleop.filters import OneEuroSettings
from teleop.session import Target, TeleopSession

ASK_TIMEOUT_NS = 1_000_000_000
STALE_NS = 100_000_000
"""Older joint states are no pose to start from, older targets nothing to follow."""

EXTERNAL_RATE_HZ = 100
EXTERNAL_HORIZON_NS = 20_000_000
COAST_NS = 100_000_000


class TeleopNode(BoothNode):
    """Shell around TeleopSession.

    With our own driver, every camera frame gives one command on each of the robot's topics, stamped with its capture
    time. With an external driver the motion limiter runs here and commands go out at 100 Hz with stamp zero ("now"), as
    ROBOTIS's controllers expect.
    """

    def __init__(self) -> None:
        super().__init__("teleop", TELEOP_STATE)
        self._robot = load_robot(self.declare("robot", "hx5_d20_right", "robot name or YAML file"))
        self._external = self.declare("driver", "dynamixel", "virtual, dynamixel or external") == "external"
        self._session = TeleopSession(self._robot, *self._declared_settings())
        topics = [command(name) for name, _ in self._robot.groups]
        self._commands = {t.name: self.create_publisher(JointTrajectory, t.name, qos_profile(t.qos)) for t in topics}
        self._events = self.create_publisher(String, TELEOP_EVENT.name, qos_profile(TELEOP_EVENT.qos))
        self._engage = self.create_client(SetBool, SERVICE_ENGAGE)
        self._asking: Future | None = None
        self._asked_ns = 0
        self._sender = f"teleop-{os.getpid()}"
        self._engaged_since_ns = 0
        self._target: Target | None = None
        self._phase = self._session.clutch.phase
        self.create_subscription(PointCloud2, HANDS.name, self._on_hands, qos_profile(HANDS.qos))
        self.create_subscription(DiagnosticStatus, DRIVER_STATE.name, self._on_driver, qos_profile(DRIVER_STATE.qos))
        self.create_timer(0.05, self._on_timer)
        if self._external:
            self._limiter = MotionLimiter(self._robot, 1.0 / EXTERNAL_RATE_HZ)
            self._measured: np.ndarray | None = None
            self._measured_ns = 0
            self._braking = 0
            self.create_subscription(JointState, JOINT_STATES.name, self._on_joints, qos_profile(JOINT_STATES.qos))
            self.create_timer(1.0 / EXTERNAL_RATE_HZ, self._publish_limited)
        self._report()

    def _declared_settings(self) -> tuple[EngageSettings, OneEuroSettings]:
        dwell_s = self.declare("dwell_s", 0.6, "how long the open palm is held to engage [s]")
        minimum_hz = self.declare("filter_minimum_hz", 1.2, "One-Euro cut-off at rest [Hz]")
        beta = self.declare("filter_beta", 0.6, "One-Euro: cut-off per rad/s [Hz s/rad]")
        for name, value in (("dwell_s", dwell_s), ("filter_minimum_hz", minimum_hz), ("filter_beta", beta)):
            if not 0.0 < value < 100.0:
                raise InputError(f"parameter {name} should lie above 0 and below 100, found {value}")
        return EngageSettings(dwell_ns=round(dwell_s * 1e9)), OneEuroSettings(minimum_hz=minimum_hz, beta=beta)

    def _on_hands(self, message: PointCloud2) -> None:
        capture_ns = from_msg_time(message.header.stamp) - self.graph_clock.offset_ns
        try:
            cloud = hands_cloud.from_bytes(bytes(message.data))
        except ValueError as error:
            self.get_logger().error(str(error), throttle_duration_sec=5.0)
            return
        self._target, events = self._session.see(cloud, capture_ns)
        for event in events:
            self._events.publish(String(data=event))
        if self._target is not None and not self._external:
            self._publish(self._target.position_rad, self._target.capture_ns)
        self._after()

    def _publish(self, position_rad: np.ndarray, capture_ns: int) -> None:
        header = Header(stamp=to_msg_time(capture_ns + self.graph_clock.offset_ns), frame_id=self._sender)
        issued_after = to_msg_duration(max(0, self.graph_clock.monotonic_ns() - capture_ns))
        self._send(header, position_rad, issued_after)

    def _send(self, header: Header, position_rad: np.ndarray, after: Duration) -> None:
        """One message for each of the robot's command topics; all of them have the same stamps."""
        for topic, names, positions in by_topic(self._robot, position_rad.tolist()):
            point = JointTrajectoryPoint(positions=positions, time_from_start=after)
            self._commands[topic].publish(JointTrajectory(header=header, joint_names=names, points=[point]))

    def _after(self) -> None:
        """Act on a changed phase: ask the driver, tell everybody."""
        phase = self._session.clutch.phase
        if self._asking is not None and self.graph_clock.monotonic_ns() - self._asked_ns > ASK_TIMEOUT_NS:
            self._asking.cancel()
            self._asking = None
            self._session.clutch.answer(False, "it did not answer", self.graph_clock.monotonic_ns())
        if phase is Phase.ASKING and self._asking is None:
            self._ask()
            phase = self._session.clutch.phase
        if phase is not self._phase:
            if phase is Phase.ENGAGED:
                self._events.publish(String(data="engaged"))
            elif self._phase is Phase.ENGAGED:
                self._events.publish(String(data=f"released: {self._session.clutch.reason}"))
            self._phase = phase
        self._report()

    def _ask(self) -> None:
        now_ns = self.graph_clock.monotonic_ns()
        if self._external:
            refusal = self._external_refusal(now_ns)
            if not refusal and self._measured is not None:
                self._limiter.start(self._measured)
            self._session.clutch.answer(not refusal, refusal, now_ns)
        elif not self._engage.service_is_ready():
            self._session.clutch.answer(False, "the driver is not running", now_ns)
        else:
            self._asked_ns = now_ns
            self._asking = self._engage.call_async(SetBool.Request(data=True))
            self._asking.add_done_callback(self._on_answer)

    def _external_refusal(self, now_ns: int) -> str:
        """Why a robot with somebody else's driver must not follow now; empty when it may."""
        if self._measured is None or now_ns - self._measured_ns > STALE_NS:
            return f"no complete, fresh pose on {JOINT_STATES.name}"
        if self._target is None:
            return ""
        distance = np.abs(self._target.position_rad - self._measured)
        allowed = np.array(self._robot.engage_distance_rad)
        worst = int((distance - allowed).argmax())
        if distance[worst] > allowed[worst]:
            name = self._robot.joint_names[worst]
            return f"{name} is {distance[worst]:.2f} rad away, at most {allowed[worst]:.2f} allowed"
        return ""

    def _on_answer(self, future: Future) -> None:
        if future.cancelled():
            return
        self._asking = None
        response = future.result()
        now_ns = self.graph_clock.monotonic_ns()
        self._engaged_since_ns = self.graph_clock.now_ns()
        self._session.clutch.answer(response.success, response.message, now_ns)
        self._after()

    def _on_driver(self, status: DiagnosticStatus) -> None:
        values = state_values(status)
        if self._session.clutch.phase is not Phase.ENGAGED or status.message == "ENGAGED":
            return
        if int(values.get("stamp_ns", "0")) > self._engaged_since_ns:
            reason = values.get("reason") or status.message
            self._session.drop(f"the driver holds: {reason}", self.graph_clock.monotonic_ns())
            self._after()

    def _on_joints(self, message: JointState) -> None:
        position = dict(zip(message.name, message.position, strict=False))
        measured = np.array([position.get(name, np.nan) for name in self._robot.joint_names])
        if np.isfinite(measured).all():
            self._measured, self._measured_ns = measured, self.graph_clock.monotonic_ns()

    def _publish_limited(self) -> None:
        """One period of the limiter; after the engagement as many as it takes to brake."""
        target = self._target if self._session.clutch.phase is Phase.ENGAGED else None
        if target is not None and self.graph_clock.monotonic_ns() - target.capture_ns > STALE_NS + COAST_NS:
            target = None
        self._braking = EXTERNAL_RATE_HZ // 2 if target is not None else max(0, self._braking - 1)
        if not self._braking:
            return
        step = self._limiter.hold() if target is None else self._limiter.follow(target.position_rad)
        self._send(Header(), step.position_rad, to_msg_duration(EXTERNAL_HORIZON_NS))

    def _on_timer(self) -> None:
        self._session.tick(self.graph_clock.monotonic_ns())
        self._after()

    def _report(self) -> None:
        clutch = self._session.clutch
        now_ns = self.graph_clock.monotonic_ns()
        self.set_state(
            clutch.phase.value,
            WARN if "lost" in clutch.reason or "tracker" in clutch.reason else 0,
            reason=clutch.reason,
            progress=f"{clutch.progress(now_ns):.2f}",
            rejected_frames=self._session.rejected_frames,
        )


def main() -> None:
    """Entry point of the teleop process."""
    spin_node(TeleopNode)


if __name__ == "__main__":
    main()
