# SPDX-License-Identifier: Apache-2.0
"""Fault: somebody presses the emergency stop, which cuts the servos' power; releasing it moves nothing (row 25)."""

import numpy as np
import pytest
from counted import counted
from invariants import FaultRig, assert_invariants

from drivers.safety import State
from graph.faults import FaultCode

PRESSES = counted(4, 50)


@pytest.mark.parametrize("name", ["op3", "hx5_d20_right", "ffw_sh5"])
def test_releasing_it_is_no_restart(name: str) -> None:
    rig, rng = FaultRig(name), np.random.default_rng(25)
    for _ in range(PRESSES if name == "op3" else counted(1, 50)):
        rig.moving(int(rng.integers(5, 80)))
        rig.panel.set_power("all", on=False)
        rig.until_stopped(200)
        rig.swing(int(rng.integers(rig.robot.rate_hz, 2 * rig.robot.rate_hz)))
        assert rig.loop.status.state is State.STOPPED
        assert rig.loop.status.code is FaultCode.BUS_SILENT, "software sees it as a silent bus"
        rig.panel.set_power("all", on=True)
        stood = rig.shafts()
        rig.swing(3 * rig.robot.rate_hz)
        assert rig.loop.status.state is State.STOPPED, "the reset was a restart"
        assert (np.abs(rig.shafts() - stood) <= 1).all()
        assert not any(rig.torque())
        assert rig.ask_home() != "", "homing needs a set-up, and so an engage"
        rig.engage()
        assert rig.run(50, rig.home).status.state is State.ENGAGED, rig.loop.status
        rig.loop.request_release()
        rig.run(1)
    assert_invariants(rig)


def test_an_engage_while_it_is_pressed_is_answered_with_power() -> None:
    rig = FaultRig("op3")
    rig.moving()
    rig.panel.set_power("all", on=False)
    rig.swing(rig.robot.rate_hz)
    rig.run(1, rig.home)
    rig.ask_engage()
    rig.run(3, rig.home)
    assert rig.loop.status.state is State.STOPPED
    assert "is the robot powered" in rig.loop.status.reason
    rig.panel.set_power("all", on=True)
    rig.run(2 * rig.robot.rate_hz, rig.home)
    assert rig.loop.status.state is State.STOPPED, "the failed engage must not be remembered"
    assert not any(rig.torque())
