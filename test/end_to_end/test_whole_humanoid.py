# SPDX-License-Identifier: Apache-2.0
"""A virtual FFW-SH5 with all its 57 joints: follows at 200 Hz, and no fault moves it."""

import time
from collections.abc import Iterator

import numpy as np
import pytest
from live_graph import LiveGraph

from bench.bus_node import Follower
from drivers.virtual_control import control_path, request
from graph.nodes import GraphOptions, driver_processes, virtual_port
from graph.topics import SERVICE_ENGAGE, SERVICE_REBOOT
from robots import load_robot

ROBOT = load_robot("ffw_sh5")
FAULTS = {
    "silent 3 on": "servo_silent",
    "silent 110 on": "servo_silent",
    "silent 118 on": "servo_silent",
    "power-off arm_l": "branch_power_lost",
    "power-off all": "bus_silent",
    "noise 1e-3": "bus_noise",
    "overload 4": "hardware_error",
    "error 7 4": "hardware_error",
    "unplug": "port_lost",
}
"""What is done to the robot, and the name that the driver gives it."""


class Humanoid:
    """The live robot with somebody who sends it a sine."""

    def __init__(self, graph: LiveGraph) -> None:
        self.graph = graph
        self.follower = Follower(ROBOT, graph.client)

    def fault(self, line: str) -> None:
        answer = request(control_path(virtual_port(ROBOT)), line)
        assert answer.startswith("ok"), answer

    def engage(self) -> None:
        """Ask until the driver agrees: after a fault the servos need their time to boot."""
        deadline = time.monotonic() + 20
        self.follower.follow(0.3, still=True)
        while True:
            done, why = self.graph.client.call(SERVICE_ENGAGE, True)
            self.follower.follow(0.5, still=True)
            if done and self.graph.client.state("driver") == "ENGAGED":
                return
            assert time.monotonic() < deadline, why or self.graph.client.values("driver").get("reason")

    def follow_engaged(self, first_s: float, seconds: float = 0.0) -> None:
        """Follow the sine, and remember the last ``seconds`` of it.

        A computer that stands still for 100 ms in between is a reason to HOLD; then once more.
        """
        for _ in range(5):
            if self.graph.client.state("driver") != "ENGAGED":
                self.engage()
            self.follower.follow(first_s)
            self.follower.states.clear()
            self.follower.targets.clear()
            self.follower.follow(seconds)
            values = self.graph.client.values("driver")
            if values["code"] != "command_stale":
                break
        assert self.graph.client.state("driver") == "ENGAGED", values

    def wait_for_its_name(self, name: str, timeout_s: float) -> None:
        """At first one servo is silent; that its whole branch is, takes a moment more to find out."""
        deadline = time.monotonic() + timeout_s
        while True:
            values = self.graph.client.values("driver")
            if name == values["code"] or f"{name}:" in values["faults"]:
                return
            self.follower.follow(0.1, still=True)
            assert time.monotonic() < deadline, values

    def stand_still_for(self, first_s: float, seconds: float) -> float:
        """Let some time pass, then watch: how far any joint moves, rad."""
        self.follower.follow(first_s, still=True)
        self.follower.states.clear()
        self.follower.follow(seconds, still=True)
        positions = [position for _, position in self.follower.states]
        return float(np.ptp(np.array(positions), axis=0).max()) if positions else 0.0

    def follow_until(self, states: tuple[str, ...], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while self.graph.client.state("driver") not in states:
            self.follower.follow(0.05)
            assert time.monotonic() < deadline, self.graph.client.values("driver")


@pytest.fixture(scope="module")
def humanoid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Humanoid]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        patch.setenv("BOOTH_MAINTENANCE_DB", str(tmp_path_factory.mktemp("log") / "maintenance.sqlite"))
        with LiveGraph(ROBOT, driver_processes(ROBOT, ROBOT.name, GraphOptions(driver="virtual"))) as graph:
            graph.until(graph.driver_is("READY"), 60, "ready")
            yield Humanoid(graph)


@pytest.fixture(autouse=True)
def own_run_directory() -> None:
    """Keep the module's run directory."""


@pytest.mark.ros
@pytest.mark.slow
def test_all_57_joints_follow_a_sine_at_200_hz(humanoid: Humanoid) -> None:
    humanoid.follow_engaged(4.0, 6.0)
    states = humanoid.follower.states
    stamps = np.array([stamp for stamp, _ in states])
    measured = np.array([position for _, position in states])
    assert measured.shape[1] == 57
    assert (len(stamps) - 1) * 1e9 / (stamps[-1] - stamps[0]) >= 195
    assert (np.diff(stamps) > 0).all()
    asked_ns = np.array([at for at, _ in humanoid.follower.targets])
    asked = np.array([target for _, target in humanoid.follower.targets])
    swing = np.ptp(asked, axis=0)
    for joint in range(57):
        wanted = np.interp(stamps, asked_ns, asked[:, joint])
        error = np.sqrt(np.mean((measured[:, joint] - wanted) ** 2))
        assert error < 0.25 * swing[joint], ROBOT.joints[joint].name
        assert np.ptp(measured[:, joint]) > 0.7 * swing[joint], ROBOT.joints[joint].name


@pytest.mark.ros
@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_holds_the_robot_is_named_and_only_a_fresh_engage_moves_it_again(
    humanoid: Humanoid, fault: str
) -> None:
    humanoid.follow_engaged(1.2)
    humanoid.fault(fault)
    try:
        humanoid.follow_until(("HOLD", "STOPPED"), 4.0)
        humanoid.wait_for_its_name(FAULTS[fault], 2.0)
    finally:
        held = humanoid.stand_still_for(0.4, 0.8)
        for mend in ("clear", "plug", "power-on all"):
            request(control_path(virtual_port(ROBOT)), mend)
    assert held < 0.01
    if FAULTS[fault] == "hardware_error":
        assert humanoid.graph.client.call(SERVICE_REBOOT)[0]
    assert humanoid.stand_still_for(0.0, 1.0) < 0.01
    assert humanoid.graph.client.state("driver") in ("HOLD", "STOPPED")
    humanoid.follow_engaged(0.5)
