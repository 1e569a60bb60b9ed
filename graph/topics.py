# SPDX-License-Identifier: Apache-2.0
"""Topic and service names of the graph, with type and QoS.

Names and types are those of a ROBOTIS AI Worker wherever it has one, so that with an external driver the same
teleop and recorder drive and record a robot that runs ROBOTIS's own bring-up.
"""

from dataclasses import dataclass
from enum import Enum


class Qos(Enum):
    """The four quality-of-service profiles of the graph; ``graph.ros_node`` turns them into rclpy profiles."""

    SENSOR = "best effort, keep last 5"
    COMMAND = "reliable, keep last 1"
    STATE = "reliable, keep last 1, transient local: late joiners get the last value"
    EVENT = "reliable, keep last 20"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: absolute name, ROS type as ``package/msg/Type``, QoS profile."""

    name: str
    type: str
    qos: Qos


JOINT_STATES = Topic("/joint_states", "sensor_msgs/msg/JointState", Qos.EVENT)
"""Measured joints: rad, rad/s, effort in mA (servo current). 100 Hz; stamp = when the servos were read."""

DIAGNOSTICS = Topic("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", Qos.EVENT)
"""Every node once a second and at each change of state."""

HANDS = Topic("/tracker/hands", "sensor_msgs/msg/PointCloud2", Qos.SENSOR)
"""Organised cloud, height 2 (row 0 right hand, row 1 left hand), width 21 (MediaPipe's landmark order).

One message per camera frame; header.stamp is the capture stamp. A hand that is not seen is a row of NaN. Fields in
``graph.hands_cloud``.
"""

BODY = Topic("/tracker/body", "sensor_msgs/msg/PointCloud2", Qos.SENSOR)
"""Cloud of the operator's body, height 1, width 33 (MediaPipe Pose's landmark order), at a part of the camera's rate.

header.stamp is the capture stamp of its frame. Nobody seen: a row of NaN. Fields in ``graph.body_cloud``.
"""

CAMERA = Topic("/tracker/image/compressed", "sensor_msgs/msg/CompressedImage", Qos.SENSOR)
"""The operator's camera as JPEG, without a skeleton, never mirrored; header.stamp is the capture stamp.

For a webcam that is the moment at which its driver delivered the image: exposure and transfer came before.
"""

PREVIEW = Topic("/tracker/preview/compressed", "sensor_msgs/msg/CompressedImage", Qos.SENSOR)
"""The same frame with the skeleton drawn on it, for people."""

SENT = Topic("/driver/sent", "trajectory_msgs/msg/JointTrajectory", Qos.EVENT)
"""What went onto the wire, at the bus rate: in the first point rad after rounding to servo ticks, in the second what
the motion limiter asked for.

header.stamp is the capture stamp of the camera frame that caused it and ``time_from_start`` how much later the
bytes were on the wire, so header.stamp + time_from_start is the moment of writing and time_from_start is
glass-to-wire latency. Without a causing frame (hold, ramp) header.stamp is the moment of writing and time_from_start 0.
"""

DRIVER_STATE = Topic("/driver/state", "diagnostic_msgs/msg/DiagnosticStatus", Qos.STATE)
"""Safety state: ``message`` is IDLE, READY, ENGAGED, HOLD or STOPPED; key ``reason`` says why."""

TELEOP_STATE = Topic("/teleop/state", "diagnostic_msgs/msg/DiagnosticStatus", Qos.STATE)
"""Operator side: ``message`` is WAITING, HOLDING_SIGN, ALIGNING, ASKING, RAMPING or ENGAGED; keys ``reason``,
``progress``, ``sign`` (the one being held, such as "thumb up") and ``sign_progress`` (0 to 1), ``rate_hz``, ``profile``
(whose calibration counts), ``notes``, and for every limb its state and ``LIMB_reason``."""

TELEOP_TIMING = Topic("/teleop/timing", "std_msgs/msg/Int64MultiArray", Qos.EVENT)
"""The way of every command to the driver, five stamps of graph time [ns]: captured, landmarks found, received by
teleop, retargeted, sent. When its goals were on the wire, the driver's ``/driver/sent`` says."""

PEDAL = Topic("/teleop/pedal", "std_msgs/msg/Bool", Qos.COMMAND)
"""A hold-to-run pedal, at 20 Hz or more: true while it is pressed. 100 ms of silence counts as released."""

PEDAL_STATE = Topic("/teleop/pedal_state", "diagnostic_msgs/msg/DiagnosticStatus", Qos.STATE)
"""``message`` is STARTING, PRESENT or UNPLUGGED; keys ``role`` (run or record), ``device``, ``reason``, ``code``."""

PEDAL_EVENT = Topic("/teleop/pedal_event", "std_msgs/msg/String", Qos.EVENT)
"""What the foot said to the session where the pedal's role is ``record``: tap, hold."""

TELEOP_EVENT = Topic("/teleop/event", "std_msgs/msg/String", Qos.EVENT)
"""What the operator did or what became of a limb: engaged, "released: why", "held: LIMB: why", "resumed: LIMB",
record_start, record_stop, and yes or no: a thumb up or down, which answers the session's question."""

RECORDER_STATE = Topic("/recorder/state", "diagnostic_msgs/msg/DiagnosticStatus", Qos.STATE)
"""``message`` is READY, RECORDING, SAVING, SAVED or FAILED; keys ``take``, ``episode``, ``rows``, ``reason``, ``code``,
``paused``, ``free_gb``, ``rate_mb_s``, ``minutes_left`` (empty while nothing comes), ``left_out`` (messages that this
computer was too slow for), after a take ``verdict`` and ``findings`` of its check. Level WARN: little room is left, or
messages were left out."""

RECORDER_EVENT = Topic("/recorder/event", "std_msgs/msg/String", Qos.EVENT)
"""What the recorder did: record_started, paused, resumed, "mark N". In the take it is a topic of its own."""

RECORDER_MARKER = Topic("/recorder/marker", "std_msgs/msg/String", Qos.EVENT)
"""For anybody to publish: a word about this moment, such as the name of the sub-task that begins."""

TRACKER_STATE = Topic("/tracker/state", "diagnostic_msgs/msg/DiagnosticStatus", Qos.STATE)
"""``message`` is STARTING, TRACKING, NO_IMAGE or ENDED; keys ``reason``, ``source``, ``frames``, ``rate_hz``,
``brightness`` (mean of the image, 0 to 255; empty before the first), ``hand_found_frames``, ``skipped_frames``."""

REPLAY_STATE = Topic("/replay/state", "diagnostic_msgs/msg/DiagnosticStatus", Qos.STATE)
"""``message`` is WAITING, ENGAGING, REPLAYING, PAUSED, RELEASING or DONE; key ``reason``."""

DRIVER_FACTS = Topic("/driver/facts", "std_msgs/msg/String", Qos.STATE)
TRACKER_FACTS = Topic("/tracker/facts", "std_msgs/msg/String", Qos.STATE)
TELEOP_FACTS = Topic("/teleop/facts", "std_msgs/msg/String", Qos.STATE)
"""What each node knows of its device and its settings, one JSON object: firmware of every servo, camera and models,
the operator's calibration. For provenance, not for control."""

DRIVER_SERVOS = Topic("/driver/servos", "std_msgs/msg/String", Qos.STATE)
"""Every servo once a second, a JSON list: ``name``, ``id``, ``fresh``, ``temperature_c`` (null: not read yet),
``limit_c``, ``fault`` (its words; empty: none). For people, not for control."""

PAGE_STATE = Topic("/page/state", "diagnostic_msgs/msg/DiagnosticStatus", Qos.STATE)
"""``message`` is the session's phase; keys ``reason``, ``address``, ``browsers``, ``operator``, ``task``."""

SESSION_LABELS = Topic("/session/labels", "std_msgs/msg/String", Qos.STATE)
"""Who does what now, one JSON object: ``operator``, ``task`` (the sentence), ``booth``, ``session`` (an id),
``number`` (of the episode in it), ``profile`` (the operator's calibration; empty: none), ``training`` (nothing is to be
recorded). The recorder writes it into the next take, teleop takes the profile while nothing moves."""

SERVICE_ENGAGE = "/driver/engage"  # std_srvs/SetBool: true engages, false releases to READY (holding)
SERVICE_HOME = "/driver/home"  # std_srvs/Trigger: slowly to the home pose, with the operator released
SERVICE_READY = "/driver/ready"  # std_srvs/Trigger: slowly to the pose in front of the operator
SERVICE_REBOOT = "/driver/reboot_servos"  # std_srvs/Trigger: restart servos that report a hardware error
SERVICE_STOP = "/driver/stop"  # std_srvs/Trigger: protective stop; a fresh engage is needed afterwards
SERVICE_RELEASE = "/teleop/release"  # std_srvs/Trigger: let the robot go; a fresh open palm is needed afterwards
SERVICE_RECORD_START = "/recorder/start"  # std_srvs/Trigger
SERVICE_RECORD_STOP = "/recorder/stop"  # std_srvs/Trigger
SERVICE_RECORD_DISCARD = "/recorder/discard"  # std_srvs/Trigger
SERVICE_RECORD_RESTORE = "/recorder/restore"  # std_srvs/Trigger: the take that was discarded last is back
SERVICE_RECORD_PAUSE = "/recorder/pause"  # std_srvs/Trigger: mark what follows as a pause; recording goes on
SERVICE_RECORD_RESUME = "/recorder/resume"  # std_srvs/Trigger: the pause is over
SERVICE_RECORD_MARK = "/recorder/mark"  # std_srvs/Trigger: a numbered marker
SERVICE_REPLAY_PAUSE = "/replay/pause"  # std_srvs/Trigger: stand still where the motion is now
SERVICE_REPLAY_RESUME = "/replay/resume"  # std_srvs/Trigger: slowly back to that pose, then on
SERVICE_REPLAY_STOP = "/replay/stop"  # std_srvs/Trigger: stand still, release, end the replay


def session_service(action: str) -> str:
    """The std_srvs/Trigger service of one action of the session: record, stop, keep, redo, skip …"""
    return f"/session/{action}"


def command(name: str) -> Topic:
    """The trajectory topic of one joint group; its name comes from the robot's file."""
    return Topic(name, "trajectory_msgs/msg/JointTrajectory", Qos.COMMAND)
