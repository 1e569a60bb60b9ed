# SPDX-License-Identifier: Apache-2.0
"""Replay node: an episode's requested actions through the same driver as a live operator, and how well that went."""

import json
import os
from enum import Enum
from pathlib import Path

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.task import Future
from sensor_msgs.msg import JointState
from std_msgs.msg import Header
from std_srvs.srv import SetBool
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from graph.ros_node import BoothNode, from_msg_time, qos_profile, spin_node, state_values, to_msg_time
from graph.topics import DRIVER_STATE, JOINT_STATES, SERVICE_ENGAGE, Qos, Topic, command
from recorder.episode import Episode
from recorder.errors import ReplayError
from recorder.replay import Phase, ReplayPlan, plan_replay
from recorder.replay_report import replay_report
from robots import load_robot
from robots.robot import by_topic

REPLAY_STATE = Topic("/replay/state", "diagnostic_msgs/msg/DiagnosticStatus", Qos.STATE)
"""``message`` is WAITING, ENGAGING, REPLAYING, RELEASING, DONE or FAILED; key ``reason``."""

RATE_HZ = 50
WAIT_S = 20.0
"""How long joint states and the driver may take to appear."""

SILENCE_S = 0.5
"""Without joint states for this long the driver is taken for dead."""

SETTLE_S = 1.0
"""Measured for this long after the last action, so that a lagging joint is compared, too."""


class Step(Enum):
    """What the node does now."""

    WAITING = "WAITING"
    ENGAGING = "ENGAGING"
    REPLAYING = "REPLAYING"
    RELEASING = "RELEASING"


class ReplayNode(BoothNode):
    """Waits for the robot, engages, plays the plan, releases, reports, ends the process."""

    def __init__(self) -> None:
        super().__init__("replay", REPLAY_STATE)
        self._robot = load_robot(self.declare("robot", "hx5_d20_right", "robot name or YAML file"))
        self._episode_path = self.declare("episode", "", "the .h5 file to replay")
        self._speed = float(self.declare("speed", 1.0, "factor on the recorded speed"))
        self._report_path = self.declare("report", "", "where to write the JSON report; empty: nowhere")
        self._episode = Episode.open(self._episode_path)
        home = np.array([joint.home_rad for joint in self._robot.joints])
        plan_replay(self._episode, self._robot, home, self._speed)  # refuse before the robot is asked for anything
        self._plan: ReplayPlan | None = None
        self._pose: np.ndarray | None = None
        self._step = Step.WAITING
        self._since_ns = self._heard_ns = self.graph_clock.monotonic_ns()
        self._engaged_ns = 0
        self._sender = f"replay-{os.getpid()}"
        self._replay_from_ns = 0
        self._measured: list[tuple[int, np.ndarray]] = []
        topics = [command(name) for name, _ in self._robot.groups]
        self._commands = {t.name: self.create_publisher(JointTrajectory, t.name, qos_profile(t.qos)) for t in topics}
        self._engage = self.create_client(SetBool, SERVICE_ENGAGE)
        self.create_subscription(JointState, JOINT_STATES.name, self._on_joints, qos_profile(JOINT_STATES.qos))
        self.create_subscription(DiagnosticStatus, DRIVER_STATE.name, self._on_driver, qos_profile(DRIVER_STATE.qos))
        self.create_timer(1.0 / RATE_HZ, self._on_timer)
        self._go(Step.WAITING)

    def _go(self, step: Step) -> None:
        self._step, self._since_ns = step, self.graph_clock.monotonic_ns()
        self.set_state(step.value, reason=Path(self._episode_path).name)

    def _elapsed_s(self) -> float:
        return (self.graph_clock.monotonic_ns() - self._since_ns) / 1e9

    def _on_joints(self, message: JointState) -> None:
        self._heard_ns = self.graph_clock.monotonic_ns()
        position = dict(zip(message.name, message.position, strict=False))
        if all(name in position for name in self._robot.joint_names):
            self._pose = np.array([position[name] for name in self._robot.joint_names])
            if self._replay_from_ns:
                self._measured.append((from_msg_time(message.header.stamp), self._pose))

    def _on_driver(self, status: DiagnosticStatus) -> None:
        if self._step is not Step.REPLAYING or status.message == "ENGAGED":
            return
        values = state_values(status)
        if int(values.get("stamp_ns", "0")) >= self._engaged_ns:
            raise ReplayError(
                f"the driver stopped following: {status.message} ({values.get('reason', 'no reason given')})"
            )

    def _on_timer(self) -> None:
        if self._step is Step.WAITING:
            self._wait()
        elif self._plan is not None and self._step is Step.ENGAGING:
            self._publish(self._plan.start)
            if self._elapsed_s() > WAIT_S:
                raise ReplayError(f"{SERVICE_ENGAGE} did not answer within {WAIT_S:g} s: is the driver alive?")
        elif self._plan is not None and self._step is Step.REPLAYING:
            self._play(self._plan)
        elif self._elapsed_s() > WAIT_S:
            raise ReplayError(f"{SERVICE_ENGAGE} did not answer the release within {WAIT_S:g} s")

    def _wait(self) -> None:
        ready = self._engage.service_is_ready()
        if self._pose is not None and ready:
            self._plan = plan_replay(self._episode, self._robot, self._pose, self._speed)
            self._publish(self._plan.start)
            self._go(Step.ENGAGING)
            self._engage.call_async(SetBool.Request(data=True)).add_done_callback(self._on_engaged)
        elif self._elapsed_s() > WAIT_S:
            missing = SERVICE_ENGAGE if self._pose is not None else f"complete {JOINT_STATES.name}"
            raise ReplayError(f"no {missing} within {WAIT_S:g} s: start the driver for {self._robot.name} first")

    def _on_engaged(self, future: Future) -> None:
        response = future.result()
        if not response.success:
            raise ReplayError(f"the driver refuses to engage: {response.message}")
        self._engaged_ns = self.graph_clock.now_ns()
        self._go(Step.REPLAYING)

    def _play(self, plan: ReplayPlan) -> None:
        if self.graph_clock.monotonic_ns() - self._heard_ns > SILENCE_S * 1e9:
            raise ReplayError(f"{JOINT_STATES.name} fell silent: is the driver alive? The robot holds where it is")
        position, phase = plan.target(self._elapsed_s())
        self._publish(position)
        if phase is not Phase.RAMP and not self._replay_from_ns:
            self._replay_from_ns = self._engaged_ns + round(plan.ramp_s * 1e9)
        if self._elapsed_s() > plan.duration_s + SETTLE_S:
            self._go(Step.RELEASING)
            self._engage.call_async(SetBool.Request(data=False)).add_done_callback(self._on_released)

    def _publish(self, position: np.ndarray) -> None:
        """One message for each of the robot's command topics; all of them have the same stamp."""
        header = Header(stamp=to_msg_time(self.graph_clock.now_ns()), frame_id=self._sender)
        for topic, names, positions in by_topic(self._robot, position.tolist()):
            point = JointTrajectoryPoint(positions=positions)
            self._commands[topic].publish(JointTrajectory(header=header, joint_names=names, points=[point]))

    def _on_released(self, future: Future) -> None:
        response = future.result()
        if not response.success:
            raise ReplayError(f"the driver did not release: {response.message}")
        assert self._plan is not None
        stamps = (np.array([stamp for stamp, _ in self._measured]) - self._replay_from_ns) / 1e9
        poses = np.array([pose for _, pose in self._measured])
        report = replay_report(self._episode, self._plan, self._speed, poses, stamps)
        if self._report_path:
            Path(self._report_path).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        self.set_state("DONE", reason=f"{report['comparison']['rmse_deg']} degrees RMS")
        raise SystemExit(0)

    def close(self) -> None:
        """Close the episode."""
        self._episode.close()


def main() -> None:
    """Entry point of the replay process."""
    spin_node(ReplayNode)


if __name__ == "__main__":
    main()
