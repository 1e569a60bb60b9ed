# SPDX-License-Identifier: Apache-2.0
"""Replay node: an episode's requested actions through the same driver as a live operator, and how well that went."""

import json
import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.task import Future
from sensor_msgs.msg import JointState
from std_msgs.msg import Header, String
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from graph.ros_node import BoothNode, from_msg_time, qos_profile, spin_node, state_values, to_msg_time
from graph.topics import (
    DRIVER_FACTS,
    DRIVER_STATE,
    JOINT_STATES,
    REPLAY_STATE,
    SERVICE_ENGAGE,
    SERVICE_REPLAY_PAUSE,
    SERVICE_REPLAY_RESUME,
    SERVICE_REPLAY_STOP,
    command,
)
from recorder.episode import Episode
from recorder.errors import ReplayError
from recorder.replay import Phase, ReplayPlan, farthest_joints, plan_replay
from recorder.replay_identity import refuse_other_robot
from recorder.replay_playback import Playback
from recorder.replay_report import replay_report, save_trace
from robots import load_robot
from robots.robot import by_topic

RATE_HZ = 50
WAIT_S = 20.0
"""How long joint states and the driver may take to appear."""

FACTS_S = 2.0
"""How long a driver that is there may take to say what its devices are; somebody else's driver never does."""

SILENCE_S = 0.5
"""Without joint states for this long the driver is taken for dead."""

SETTLE_S = 1.0
"""Measured for this long after the last action, so that a lagging joint is compared, too."""

TOLD_EVERY_S = 5.0


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
        self._force = self.declare("force", False, "play although the robot's file or firmware has changed")
        self._virtual = self.declare("virtual", False, "the servos are simulated")
        self._episode = Episode.open(self._episode_path)
        refuse_other_robot(self._episode, self._robot, force=self._force)
        home = np.array([joint.home_rad for joint in self._robot.joints])
        plan_replay(self._episode, self._robot, home, self._speed)  # refuse before the robot is asked for anything
        self._plan: ReplayPlan | None = None
        self._playback: Playback | None = None
        self._pose: np.ndarray | None = None
        self._facts: dict[str, Any] | None = None
        self._notes: list[str] = []
        self._step = Step.WAITING
        self._since_ns = self._heard_ns = self.graph_clock.monotonic_ns()
        self._ready_ns = self._engaged_ns = 0
        self._completed = False
        self._sender = f"replay-{os.getpid()}"
        self._measured: list[tuple[int, np.ndarray]] = []
        topics = [command(name) for name, _ in self._robot.groups]
        self._commands = {t.name: self.create_publisher(JointTrajectory, t.name, qos_profile(t.qos)) for t in topics}
        self._engage = self.create_client(SetBool, SERVICE_ENGAGE)
        self.create_subscription(JointState, JOINT_STATES.name, self._on_joints, qos_profile(JOINT_STATES.qos))
        self.create_subscription(DiagnosticStatus, DRIVER_STATE.name, self._on_driver, qos_profile(DRIVER_STATE.qos))
        self.create_subscription(String, DRIVER_FACTS.name, self._on_facts, qos_profile(DRIVER_FACTS.qos))
        for name, act in (
            (SERVICE_REPLAY_PAUSE, self._pause),
            (SERVICE_REPLAY_RESUME, self._resume),
            (SERVICE_REPLAY_STOP, self._stop),
        ):
            self.create_service(Trigger, name, self._answering(act))
        self.create_timer(1.0 / RATE_HZ, self._on_timer)
        self._go(Step.WAITING)

    def _go(self, step: Step) -> None:
        self._step, self._since_ns = step, self.graph_clock.monotonic_ns()
        self.set_state(step.value, reason=Path(self._episode_path).name)

    def _elapsed_s(self) -> float:
        return (self.graph_clock.monotonic_ns() - self._since_ns) / 1e9

    # --- the driver --------------------------------------------------------------------------------------------

    def _on_joints(self, message: JointState) -> None:
        self._heard_ns = self.graph_clock.monotonic_ns()
        position = dict(zip(message.name, message.position, strict=False))
        if all(name in position for name in self._robot.joint_names):
            self._pose = np.array([position[name] for name in self._robot.joint_names])
            if self._step is Step.REPLAYING:
                stamp_ns = from_msg_time(message.header.stamp) - self.graph_clock.offset_ns
                self._measured.append((stamp_ns, self._pose))

    def _on_facts(self, message: String) -> None:
        try:
            self._facts = dict(json.loads(message.data))
        except (ValueError, TypeError) as error:
            self.get_logger().warning(f"{DRIVER_FACTS.name} is no JSON object ({error}): devices are not compared")

    def _on_driver(self, status: DiagnosticStatus) -> None:
        if self._step is not Step.REPLAYING or status.message == "ENGAGED":
            return
        values = state_values(status)
        if int(values.get("stamp_ns", "0")) >= self._engaged_ns:
            raise ReplayError(
                f"the driver stopped following: {status.message} ({values.get('reason', 'no reason given')})"
            )

    # --- from the first look to the end ------------------------------------------------------------------------

    def _on_timer(self) -> None:
        if self._step is Step.WAITING:
            self._wait()
        elif self._plan is not None and self._step is Step.ENGAGING:
            self._publish(self._plan.start)
            if self._elapsed_s() > WAIT_S:
                raise ReplayError(f"{SERVICE_ENGAGE} did not answer within {WAIT_S:g} s: is the driver alive?")
        elif self._playback is not None and self._step is Step.REPLAYING:
            self._play(self._playback)
        elif self._elapsed_s() > WAIT_S:
            raise ReplayError(f"{SERVICE_ENGAGE} did not answer the release within {WAIT_S:g} s")

    def _wait(self) -> None:
        if self._pose is not None and self._engage.service_is_ready():
            self._ready_ns = self._ready_ns or self.graph_clock.monotonic_ns()
            waited_s = (self.graph_clock.monotonic_ns() - self._ready_ns) / 1e9
            if self._facts is not None or waited_s > FACTS_S:
                self._begin(self._pose)
        elif self._elapsed_s() > WAIT_S:
            missing = SERVICE_ENGAGE if self._pose is not None else f"complete {JOINT_STATES.name}"
            raise ReplayError(f"no {missing} within {WAIT_S:g} s: start the driver for {self._robot.name} first")

    def _begin(self, pose: np.ndarray) -> None:
        """Look once more whether this is the robot, say what is going to happen, ask the driver."""
        self._notes = refuse_other_robot(self._episode, self._robot, self._facts, self._virtual, self._force)
        for note in self._notes:
            self.get_logger().warning(note)
        plan = self._plan = plan_replay(self._episode, self._robot, pose, self._speed)
        self.get_logger().info(
            f"farthest from the first pose: {farthest_joints(plan, self._robot)}; ramp there {plan.ramp_s:.1f} s, then"
            f" {plan.duration_s - plan.ramp_s:.1f} s of motion at speed {self._speed:g}"
        )
        self._publish(plan.start)
        self._go(Step.ENGAGING)
        self._engage.call_async(SetBool.Request(data=True)).add_done_callback(self._on_engaged)

    def _on_engaged(self, future: Future) -> None:
        response = future.result()
        if not response.success:
            raise ReplayError(f"the driver refuses to engage: {response.message}")
        assert self._plan is not None
        self._engaged_ns = self.graph_clock.now_ns()
        self._go(Step.REPLAYING)
        self._playback = Playback(self._plan, self._since_ns)

    def _play(self, playback: Playback) -> None:
        now_ns = self.graph_clock.monotonic_ns()
        if now_ns - self._heard_ns > SILENCE_S * 1e9:
            raise ReplayError(f"{JOINT_STATES.name} fell silent: is the driver alive? The robot holds where it is")
        position, phase = playback.step(now_ns)
        self._publish(position)
        if phase is Phase.REPLAY:
            share = playback.share(now_ns)
            self.get_logger().info(f"{share:.0%} played", throttle_duration_sec=TOLD_EVERY_S)
        if playback.over(now_ns, SETTLE_S):
            self._completed = True
            self._release(playback)

    def _release(self, playback: Playback) -> None:
        playback.end(self.graph_clock.monotonic_ns())
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
        assert self._plan is not None and self._playback is not None
        along_s = self._playback.along_s(np.array([stamp for stamp, _ in self._measured], np.int64))
        played = np.isfinite(along_s)
        poses = np.array([pose for _, pose in self._measured]).reshape(-1, len(self._plan.joint_names))[played]
        told = (self._notes, self._playback.pauses, self._completed)
        try:
            report = replay_report(self._episode, self._plan, self._speed, poses, along_s[played], *told)
        except ReplayError as error:
            if self._completed:
                raise
            raise ReplayError(f"stopped before there was anything to report: {error}") from error
        if self._report_path:
            save_trace(Path(self._report_path), self._episode, self._plan, self._speed, poses, along_s[played])
            Path(self._report_path).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        self.set_state("DONE", reason=f"{report['comparison']['rmse_deg']} degrees RMS")
        raise SystemExit(0)

    # --- what people say meanwhile -----------------------------------------------------------------------------

    def _answering(self, act: Callable[[Playback], str]) -> Callable[..., Trigger.Response]:
        def answer(_request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            try:
                if self._playback is None or self._step is not Step.REPLAYING:
                    raise ReplayError(f"nothing is being played: the replay is {self._step.value}")
                response.message, response.success = act(self._playback), True
            except ReplayError as error:
                response.message, response.success = str(error), False
            return response

        return answer

    def _pause(self, playback: Playback) -> str:
        playback.pause(self.graph_clock.monotonic_ns())
        self.set_state("PAUSED", reason=f"paused by {SERVICE_REPLAY_PAUSE}")
        return "the robot stands still; resume or stop"

    def _resume(self, playback: Playback) -> str:
        ramp_s = playback.resume(self.graph_clock.monotonic_ns())
        self.set_state(Step.REPLAYING.value, reason="resumed")
        return f"back to the pose of the interruption within {ramp_s:.1f} s, then on"

    def _stop(self, playback: Playback) -> str:
        self.get_logger().info("stopped on request: the robot holds and is released")
        self._release(playback)
        return "the robot holds and is released"

    def close(self) -> None:
        """Let go of the robot if it still follows, and close the episode."""
        if self._step is Step.REPLAYING and self._engage.service_is_ready():
            self._engage.call_async(SetBool.Request(data=False))
        self._episode.close()


def main() -> None:
    """Entry point of the replay process."""
    spin_node(ReplayNode)


if __name__ == "__main__":
    main()
