# SPDX-License-Identifier: Apache-2.0
"""Teleop node: hand landmarks in, joint trajectories out on the real robot's topic."""

import os
from dataclasses import asdict

import numpy as np
from builtin_interfaces.msg import Duration
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.task import Future
from sensor_msgs.msg import JointState, PointCloud2
from std_msgs.msg import Bool, Header, Int64MultiArray, String
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from graph import body_cloud, hands_cloud
from graph.errors import InputError
from graph.faults import FaultCode
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
    BODY,
    DRIVER_STATE,
    HANDS,
    JOINT_STATES,
    PEDAL,
    PEDAL_STATE,
    SERVICE_ENGAGE,
    SERVICE_RELEASE,
    SESSION_LABELS,
    TELEOP_EVENT,
    TELEOP_FACTS,
    TELEOP_STATE,
    TELEOP_TIMING,
    TRACKER_STATE,
    command,
)
from robots import load_robot
from robots.limiter import MotionLimiter
from teleop.clutch import ClutchSettings
from teleop.clutch_table import LimbState, State
from teleop.imitation_session import ImitationSession, Target
from teleop.limbs import build_limbs
from teleop.operator_clouds import body_of, hands_of
from teleop.operator_view import BodyView, OperatorFrame
from teleop.profile_choice import ProfileChoice, load_by_name

ASK_TIMEOUT_NS = 1_000_000_000
STALE_NS = 100_000_000
"""Older joint states are no pose to start from, older targets nothing to follow."""

STOP_ASKED = "protective stop requested"
EXTERNAL_RATE_HZ = 100
EXTERNAL_HORIZON_NS = 20_000_000
COAST_NS = 100_000_000


class TeleopNode(BoothNode):
    """Shell around ImitationSession.

    With our own driver, every camera frame gives one command on each topic of the limbs that copy the operator, stamped
    with its capture time. With an external driver the motion limiter runs here and commands go out at 100 Hz with stamp
    zero ("now"), as ROBOTIS's controllers expect.
    """

    def __init__(self) -> None:
        super().__init__("teleop", TELEOP_STATE)
        self._robot = load_robot(self.declare("robot", "hx5_d20_right", "robot name or YAML file"))
        self._external = self.declare("driver", "dynamixel", "virtual, dynamixel or external") == "external"
        parts = self.declare(
            "parts", "hands+arms+head", "what copies the operator: hands, hands+arms, hands+arms+head …"
        )
        profile = self.declare("profile", "", "whose calibration to use; empty: only what the open palm shows")
        pedal = self.declare("pedal", False, f"hold to run: a pedal on {PEDAL.name} must be pressed")
        dwell_s = self.declare("dwell_s", 0.6, "how long the open palm is held to engage [s]")
        if not 0.1 <= dwell_s <= 10.0:
            raise InputError(f"parameter dwell_s should lie between 0.1 and 10 s, found {dwell_s}")
        prediction_ms = self.declare(
            "prediction_ms", 0.0, "hands and arms are asked to be where they will be then [ms]"
        )
        self._limbs = build_limbs(self._robot, parts)
        self._settings = {"parts": parts, "dwell_s": dwell_s, "prediction_ms": prediction_ms}
        self._session = ImitationSession(
            self._robot,
            self._limbs,
            ClutchSettings(dwell_ns=round(dwell_s * 1e9)),
            load_by_name(profile) if profile else None,
            prediction_ms,
        )
        self._profile = ProfileChoice(self._session)
        self._profile_told = ""
        active = set(self._session.active_joints.tolist())
        topics = [command(name) for name, members in self._robot.groups if active & set(members)]
        self._commands = {t.name: self.create_publisher(JointTrajectory, t.name, qos_profile(t.qos)) for t in topics}
        self._timing = self.create_publisher(Int64MultiArray, TELEOP_TIMING.name, qos_profile(TELEOP_TIMING.qos))
        self._events = self.create_publisher(String, TELEOP_EVENT.name, qos_profile(TELEOP_EVENT.qos))
        self._engage = self.create_client(SetBool, SERVICE_ENGAGE)
        self.create_service(Trigger, SERVICE_RELEASE, self._on_release)
        self._asking: Future | None = None
        self._asked_ns = 0
        self._sender = f"teleop-{os.getpid()}"
        self._engaged_since_ns = 0
        self._body: BodyView | None = None
        self._image_problem = self._image_code = ""
        self._measured: np.ndarray | None = None
        self._measured_ns = 0
        self.create_subscription(PointCloud2, HANDS.name, self._on_hands, qos_profile(HANDS.qos))
        self.create_subscription(PointCloud2, BODY.name, self._on_body, qos_profile(BODY.qos))
        self.create_subscription(DiagnosticStatus, DRIVER_STATE.name, self._on_driver, qos_profile(DRIVER_STATE.qos))
        self.create_subscription(DiagnosticStatus, TRACKER_STATE.name, self._on_tracker, qos_profile(TRACKER_STATE.qos))
        self.create_subscription(JointState, JOINT_STATES.name, self._on_joints, qos_profile(JOINT_STATES.qos))
        self.create_subscription(String, SESSION_LABELS.name, self._on_labels, qos_profile(SESSION_LABELS.qos))
        self._holds_to_run, self._unplugged = pedal, False
        self.create_subscription(DiagnosticStatus, PEDAL_STATE.name, self._on_pedal_state, qos_profile(PEDAL_STATE.qos))
        if pedal:
            self._pressed, self._pressed_ns = False, 0
            self._session.press(False, 0)
            self.create_subscription(Bool, PEDAL.name, self._on_pedal, qos_profile(PEDAL.qos))
            self.create_timer(0.02, self._watch_pedal)
        self.create_timer(0.04, self._on_timer)
        if self._external:
            self._limiter = MotionLimiter(self._robot, 1.0 / EXTERNAL_RATE_HZ)
            self._braking = 0
            self.create_timer(1.0 / EXTERNAL_RATE_HZ, self._publish_limited)
        self._tell_settings()
        self._report()

    # --- the operator ------------------------------------------------------------------------------------------

    def _on_hands(self, message: PointCloud2) -> None:
        received_ns = self.graph_clock.monotonic_ns()
        capture_ns = from_msg_time(message.header.stamp) - self.graph_clock.offset_ns
        try:
            cloud = hands_cloud.from_bytes(bytes(message.data))
        except ValueError as error:
            self.get_logger().error(str(error), throttle_duration_sec=5.0)
            return
        before = self._session.target
        target = self._session.see(OperatorFrame(capture_ns, hands_of(cloud), self._body))
        if target is not None and target is not before and not self._external:
            tracked_ns = capture_ns + round(float(cloud["tracked_ms"][0, 0]) * 1e6)
            self._publish(target, (tracked_ns, received_ns, self.graph_clock.monotonic_ns()))
        self._after()

    def _on_body(self, message: PointCloud2) -> None:
        capture_ns = from_msg_time(message.header.stamp) - self.graph_clock.offset_ns
        try:
            self._body = body_of(body_cloud.from_bytes(bytes(message.data)), capture_ns)
        except ValueError as error:
            self.get_logger().error(str(error), throttle_duration_sec=5.0)

    def _on_tracker(self, status: DiagnosticStatus) -> None:
        values = state_values(status)
        self._image_problem, self._image_code = values.get("reason", ""), values.get("code", "")

    def _on_pedal(self, message: Bool) -> None:
        self._pressed, self._pressed_ns = message.data, self.graph_clock.monotonic_ns()
        self._watch_pedal()

    def _watch_pedal(self) -> None:
        """A pedal that says nothing any more is not pressed; one that is unplugged is not even there."""
        now_ns = self.graph_clock.monotonic_ns()
        pressed = self._pressed and now_ns - self._pressed_ns < STALE_NS
        self._session.press(None if self._unplugged else pressed, now_ns)
        self._after()

    def _on_pedal_state(self, status: DiagnosticStatus) -> None:
        was, self._unplugged = self._unplugged, status.message == "UNPLUGGED"
        if self._holds_to_run:
            self._watch_pedal()
        elif self._unplugged and not was:
            self._session.unplug(self.graph_clock.monotonic_ns())
            self._after()

    def _on_labels(self, message: String) -> None:
        self._profile.hear(message.data)
        self._after()

    def _on_timer(self) -> None:
        self._session.tick(self.graph_clock.monotonic_ns())
        self._after()

    # --- commands ----------------------------------------------------------------------------------------------

    def _publish(self, target: Target, stamps_ns: tuple[int, ...]) -> None:
        """Send a target, and the stamps of its way here."""
        now_ns, offset_ns = self.graph_clock.monotonic_ns(), self.graph_clock.offset_ns
        header = Header(stamp=to_msg_time(target.capture_ns + offset_ns), frame_id=self._sender)
        after = to_msg_duration(max(0, now_ns - target.capture_ns))
        self._send(header, target.position_rad, after, target.velocity_rad_s)
        stamps = [stamp + offset_ns for stamp in (target.capture_ns, *stamps_ns, now_ns)]
        self._timing.publish(Int64MultiArray(data=stamps))

    def _send(
        self, header: Header, position_rad: np.ndarray, after: Duration, velocity_rad_s: np.ndarray | None = None
    ) -> None:
        """One message for each command topic of the limbs that copy; all of them have the same stamps. Velocities where
        they are known of a whole topic; the driver derives the others."""
        active = set(self._session.active_joints.tolist())
        for topic, members in self._robot.groups:
            asked = [index for index in members if index in active]
            if not asked:
                continue
            names = [self._robot.joint_names[index] for index in asked]
            point = JointTrajectoryPoint(positions=position_rad[asked].tolist(), time_from_start=after)
            if velocity_rad_s is not None and np.isfinite(velocity_rad_s[asked]).all():
                point.velocities = velocity_rad_s[asked].tolist()
            self._commands[topic].publish(JointTrajectory(header=header, joint_names=names, points=[point]))

    def _publish_limited(self) -> None:
        """One period of the limiter; after the engagement as many as it takes to brake."""
        target = self._session.target if self._session.clutch.following else None
        if target is not None and self.graph_clock.monotonic_ns() - target.capture_ns > STALE_NS + COAST_NS:
            target = None
        self._braking = EXTERNAL_RATE_HZ // 2 if target is not None else max(0, self._braking - 1)
        if not self._braking:
            return
        step = self._limiter.hold() if target is None else self._limiter.follow(target.position_rad)
        self._send(Header(), step.position_rad, to_msg_duration(EXTERNAL_HORIZON_NS))

    def _on_release(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Somebody asks for it; with somebody else's driver this is the only stop there is."""
        self._session.drop(STOP_ASKED, self.graph_clock.monotonic_ns())
        response.success, response.message = True, "released; a fresh open palm is needed to move again"
        self._after()
        return response

    # --- the driver --------------------------------------------------------------------------------------------

    def _after(self) -> None:
        """Act on what has changed: ask the driver, tell everybody."""
        if self._asking is not None and self.graph_clock.monotonic_ns() - self._asked_ns > ASK_TIMEOUT_NS:
            self._asking.cancel()
            self._asking = None
            self._session.answer(False, "it did not answer", self.graph_clock.monotonic_ns())
        if self._session.state is State.ASKING and self._asking is None:
            self._ask()
        if self._session.take_release() and not self._external and self._engage.service_is_ready():
            self._engage.call_async(SetBool.Request(data=False))
        for event in self._session.take_events():
            self._events.publish(String(data=event))
            if event == "engaged":  # the palms have just been measured
                self._tell_settings()
        if self._profile.name != self._profile_told:
            self._tell_settings()
        self._report()

    def _tell_settings(self) -> None:
        """What is needed to retarget a recording again: parts, settings, the operator's calibration of every limb."""
        retargeters = {limb.name: getattr(limb, "retargeter", None) for limb in self._limbs}
        calibrations = {name: getattr(each, "calibration", None) for name, each in retargeters.items()}
        known = {name: asdict(each) for name, each in calibrations.items() if each is not None}
        self._profile_told = self._profile.name
        self.tell_facts(TELEOP_FACTS, {**self._settings, "profile": self._profile_told, "calibration": known})

    def _ask(self) -> None:
        now_ns = self.graph_clock.monotonic_ns()
        if self._external:
            fresh = self._measured is not None and now_ns - self._measured_ns <= STALE_NS
            if fresh and self._measured is not None:
                self._limiter.start(self._measured)
            self._session.answer(fresh, "" if fresh else f"no complete, fresh pose on {JOINT_STATES.name}", now_ns)
        elif not self._engage.service_is_ready():
            self._session.answer(False, "the driver is not running", now_ns)
        else:
            self._asked_ns = now_ns
            self._asking = self._engage.call_async(SetBool.Request(data=True))
            self._asking.add_done_callback(self._on_answer)

    def _on_answer(self, future: Future) -> None:
        if future.cancelled():
            return
        self._asking = None
        response = future.result()
        self._engaged_since_ns = self.graph_clock.now_ns()
        self._session.answer(response.success, response.message, self.graph_clock.monotonic_ns())
        self._after()

    def _on_driver(self, status: DiagnosticStatus) -> None:
        values = state_values(status)
        if not self._session.clutch.following or status.message == "ENGAGED":
            return
        if int(values.get("stamp_ns", "0")) > self._engaged_since_ns:
            reason = values.get("reason") or status.message
            self._session.drop(f"the driver holds: {reason}", self.graph_clock.monotonic_ns())
            self._after()

    def _on_joints(self, message: JointState) -> None:
        position = dict(zip(message.name, message.position, strict=False))
        measured = np.array([position.get(name, np.nan) for name in self._robot.joint_names])
        self._session.measure(measured)
        if np.isfinite(measured).all():
            self._measured, self._measured_ns = measured, self.graph_clock.monotonic_ns()

    # --- state -------------------------------------------------------------------------------------------------

    def _report(self) -> None:
        status = self._session.status(self.graph_clock.monotonic_ns())
        reason = str(status.pop("reason"))
        if self._image_problem and not self._session.clutch.following:
            reason = self._image_problem
        held = any(limb.state is LimbState.HELD for limb in self._session.limbs.values())
        lost = FaultCode.HAND_LOST if held or "lost" in reason else None
        lost = FaultCode.PEDAL_LOST if self._unplugged and "pedal" in reason else lost
        of_image = FaultCode.LINK_LOST if self._image_code == FaultCode.LINK_LOST.value else FaultCode.CAMERA_FROZEN
        code = of_image if self._image_problem else lost
        troubled = code is not None or "no camera frame" in reason
        status["code"] = "" if code is None else code.value
        status["profile"] = self._profile.name
        status["notes"] = "; ".join(filter(None, (self._profile.note, str(status["notes"]))))
        self.set_state(str(status.pop("state")), WARN if troubled else 0, reason=reason, **status)


def main() -> None:
    """Entry point of the teleop process."""
    spin_node(TeleopNode)


if __name__ == "__main__":
    main()
