# SPDX-License-Identifier: Apache-2.0
"""Fault: nobody answers, though the port is open: the robot's power is off, or the bus cable is out (row 2)."""

import numpy as np
import pytest
from counted import counted
from invariants import FaultRig, assert_invariants

from drivers.safety import State
from graph.faults import FaultCode

CUTS = counted(4, 50)


@pytest.mark.parametrize("name", ["op3", "hx5_d20_right", "ffw_sh5"])
def test_one_fault_says_that_nobody_answers_and_an_engage_brings_the_robot_back(name: str) -> None:
    rig, rng = FaultRig(name), np.random.default_rng(3)
    for _ in range(CUTS if name == "op3" else counted(1, 50)):
        rig.moving(int(rng.integers(5, 60)))
        rig.panel.set_power("all", on=False)
        assert rig.until_stopped(200) <= 200
        assert rig.loop.status.code is FaultCode.BUS_SILENT
        assert [fault.code for fault in rig.loop.faults] == [FaultCode.BUS_SILENT], "one fault, not one a servo"
        assert "check robot power" in rig.loop.status.reason
        rig.until(lambda: rig.loop.status.state is State.STOPPED, 800, rig.home)
        assert not rig.swing(5).reading.fresh.any()
        rig.panel.set_power("all", on=True)
        rig.swing(2 * rig.robot.rate_hz)
        assert rig.loop.status.state is State.STOPPED
        assert not any(rig.torque())
        rig.engage(rig.home)
        assert rig.run(40, rig.home).status.state is State.ENGAGED, rig.loop.status
        assert all(rig.torque())
        rig.loop.request_release()
        rig.run(1)
    assert_invariants(rig)


def test_a_bus_that_is_silent_for_less_than_50_ms_is_no_fault() -> None:
    rig = FaultRig("op3")
    rig.moving()
    rig.panel.set_power("all", on=False)
    for device in rig.line.virtual.devices:  # a bad contact, not a power cut: nothing is lost
        device.set_power(True, rig.clock.now_ns - 10_000_000_000)
        device.silent = True
    rig.swing(1)
    for device in rig.line.virtual.devices:
        device.silent = False
    assert all(fault.code is not FaultCode.BUS_SILENT for fault in rig.link.faults())


def test_a_computer_that_stands_still_between_two_lost_answers_blames_nobody() -> None:
    rig = FaultRig("op3")
    rig.moving()
    for device in rig.line.virtual.devices:
        device.silent = True
    rig.swing(2)  # a joint frame that did not come, and a plain read
    rig.pass_time(0.08)
    assert rig.swing(1).status.state is State.ENGAGED, rig.last.status
    for device in rig.line.virtual.devices:
        device.silent = False
    assert rig.swing(10).status.state is State.ENGAGED, rig.last.status
    assert_invariants(rig)


def test_one_of_several_lines_that_falls_silent_is_named() -> None:
    from two_lines import PAIR

    rig = FaultRig(PAIR)
    rig.engage(rig.home)
    rig.run(5, rig.home)
    for device in rig.lines["right"].virtual.devices:
        device.silent = True
    rig.until(lambda: rig.loop.status.state is State.HOLD, 200, rig.home)
    assert rig.loop.status.code is FaultCode.BUS_SILENT
    assert "bus right" in rig.loop.status.reason
    assert rig.last.reading.fresh[0]
    assert_invariants(rig)
