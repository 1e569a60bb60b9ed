# SPDX-License-Identifier: Apache-2.0
"""The replay node over real DDS: pause, resume, stop, a driver that stops following, a robot that is another one.

The driver is played by this process, so that nothing depends on how busy the machine is.
"""

import json

import h5py
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from live_graph import LiveGraph
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool
from takes import Script, make_take, robot

from graph.nodes import GraphOptions, replay_processes
from graph.ros_node import qos_profile, state_values, to_msg_time
from graph.topics import (
    DRIVER_FACTS,
    DRIVER_STATE,
    JOINT_STATES,
    REPLAY_STATE,
    SERVICE_ENGAGE,
    SERVICE_REPLAY_PAUSE,
    SERVICE_REPLAY_RESUME,
    SERVICE_REPLAY_STOP,
)
from recorder.finalise import finalise

pytestmark = [pytest.mark.ros, pytest.mark.slow]

SECONDS = 4.0


def devices(homing_offset_ticks):
    """What a driver tells of its servos."""
    names = robot().joint_names
    return {"devices": [{"joint": name, "homing_offset_ticks": homing_offset_ticks, "firmware": 52} for name in names]}


class ReplayGraph(LiveGraph):
    """A replay, and a driver that does at once what it is told."""

    def __init__(self, tmp_path, changes=None):
        path = finalise(make_take(tmp_path / "a.mcap", Script(seconds=SECONDS, engage_at_s=0.1))).path
        if changes:
            with h5py.File(path, "r+") as file:
                file.attrs.update(changes)
        self.report = tmp_path / "report.json"
        options = GraphOptions(driver="external")
        super().__init__(robot(), replay_processes(robot(), robot().name, options, str(path), str(self.report)))
        self.states, self.state, self.reason = [], "READY", ""
        node = self.client.node
        self._joints = node.create_publisher(JointState, JOINT_STATES.name, qos_profile(JOINT_STATES.qos))
        self._states = node.create_publisher(DiagnosticStatus, DRIVER_STATE.name, qos_profile(DRIVER_STATE.qos))
        self._facts = node.create_publisher(String, DRIVER_FACTS.name, qos_profile(DRIVER_FACTS.qos))
        self._facts.publish(String(data=json.dumps(devices(5))))
        node.create_service(SetBool, SERVICE_ENGAGE, self._on_engage)
        node.create_timer(0.01, self._publish_joints)
        node.create_timer(0.05, self._publish_state)
        self.client.subscribe(REPLAY_STATE, DiagnosticStatus, self._on_replay)

    def _publish_joints(self):
        asked = self.commands[-1].points[0].positions if self.commands else list(robot().home_rad)
        message = JointState(name=list(robot().joint_names), position=asked)
        message.header.stamp = to_msg_time(self.now_ns())
        self._joints.publish(message)

    def _publish_state(self):
        values = {"reason": self.reason, "stamp_ns": str(self.now_ns())}
        pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
        self._states.publish(DiagnosticStatus(message=self.state, values=pairs))

    def _on_engage(self, request, response):
        self.state, response.success = ("ENGAGED" if request.data else "READY"), True
        self._publish_state()
        return response

    def _on_replay(self, status):
        self.states.append((status.message, state_values(status).get("reason", "")))

    def replay_is(self, word):
        return lambda: bool(self.states) and self.states[-1][0] == word

    def playing(self):
        """Until the ramp is over and the recorded motion runs."""
        self.until(self.replay_is("REPLAYING"), 40.0, "replaying")
        self.until(lambda: any("% played" in line for line in self.log), 20.0, "on the way")

    def ended(self):
        """Until the replay ends: its outcome."""
        for _ in range(3000):
            outcome = self.spin(0.02)
            if outcome is not None:
                return outcome
        raise AssertionError("\n".join(self.log[-20:]))


def test_a_pause_stands_still_and_a_resume_goes_on_to_the_end(tmp_path):
    with ReplayGraph(tmp_path) as graph:
        graph.playing()
        done, _ = graph.client.call(SERVICE_REPLAY_PAUSE)
        assert done
        graph.until(graph.replay_is("PAUSED"), 5.0, "paused")
        graph.spin(0.2)
        seen = len(graph.commands)
        graph.spin(0.8)
        during = np.array([message.points[0].positions for message in graph.commands[seen:]])
        assert len(during) > 10, "a paused robot is still told where to stand"
        assert np.ptp(during, axis=0).max() == 0.0
        assert graph.state == "ENGAGED"
        again, why = graph.client.call(SERVICE_REPLAY_PAUSE)
        assert (again, "paused already" in why) == (False, True)
        seen = len(graph.commands)
        assert graph.client.call(SERVICE_REPLAY_RESUME)[0]
        graph.spin(0.6)
        ramp = np.array([message.points[0].positions for message in graph.commands[seen:]])
        assert np.abs(ramp[:20] - during[-1]).max() < 1e-9, "first back to where it was interrupted"
        outcome = graph.ended()
    assert outcome.exit_code == 0, "\n".join(graph.log[-20:])
    report = json.loads(graph.report.read_text())
    assert (report["completed"], report["pauses"]) == (True, 1)
    assert any("farthest from the first pose: finger_r_joint" in line and "ramp there" in line for line in graph.log)


def test_a_stop_holds_releases_and_reports_what_was_played(tmp_path):
    with ReplayGraph(tmp_path) as graph:
        graph.playing()
        graph.spin(1.2)
        assert graph.client.call(SERVICE_REPLAY_STOP)[0]
        outcome = graph.ended()
        assert graph.state == "READY"
    assert outcome.exit_code == 0, "\n".join(graph.log[-20:])
    assert json.loads(graph.report.read_text())["completed"] is False


@pytest.mark.parametrize("paused", [False, True])
def test_a_driver_that_stops_following_ends_the_replay_with_its_reason(tmp_path, paused):
    with ReplayGraph(tmp_path) as graph:
        graph.playing()
        if paused:
            assert graph.client.call(SERVICE_REPLAY_PAUSE)[0]
        graph.state, graph.reason = "HOLD", "finger_r_joint3 is silent"
        outcome = graph.ended()
    assert outcome.exit_code == 1
    assert any("the driver stopped following: HOLD (finger_r_joint3 is silent)" in line for line in graph.log)
    assert not graph.report.exists()


def test_another_calibration_moves_nothing(tmp_path):
    recorded = {"provenance": json.dumps({"driver": devices(99)}), "sim": False}
    with ReplayGraph(tmp_path, recorded) as graph:
        outcome = graph.ended()
        assert not graph.commands and graph.state == "READY"
    assert outcome.exit_code == 1
    assert any("homing offset in ticks 99 when recorded, 5 now" in line for line in graph.log)


def test_an_episode_of_a_changed_robot_moves_nothing(tmp_path):
    text = robot().model_dump(mode="json")
    text["joints"][3]["max_rad"] -= 0.2
    with ReplayGraph(tmp_path, {"robot_yaml": json.dumps(text)}) as graph:
        outcome = graph.ended()
        assert not graph.commands
    assert outcome.exit_code == 1
    assert any("joints[finger_r_joint4].max_rad" in line and "--force" in line for line in graph.log)
