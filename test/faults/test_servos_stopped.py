# SPDX-License-Identifier: Apache-2.0
"""Fault: servos have stopped by themselves: their bus watchdog fired, or they lost torque without an error."""

import pytest
from invariants import FaultRig, assert_invariants
from two_lines import PAIR

from drivers.safety import State
from graph.faults import FaultCode

NOTICED_MS = 2500


@pytest.mark.parametrize("name", ["op3", "hx5_d20_right", "ffw_sh5", PAIR], ids=str)
def test_a_pause_longer_than_the_watchdog_is_found_out_at_once(name) -> None:
    rig = FaultRig(name)
    rig.moving()
    rig.pass_time(rig.robot.bus_watchdog_ms / 1e3 + 0.1)
    rig.run(2, rig.home)
    assert rig.loop.status.state is State.STOPPED, rig.loop.status
    assert rig.loop.status.code is FaultCode.SERVOS_STOPPED
    assert "bus watchdog or lost torque" in rig.loop.status.reason
    stood = rig.shafts()
    rig.swing(rig.robot.rate_hz)
    assert (abs(rig.shafts() - stood) <= 1).all()
    rig.engage()
    assert rig.run(rig.robot.rate_hz, rig.home).status.state is State.ENGAGED, rig.loop.status
    assert_invariants(rig)


@pytest.mark.parametrize("servo", [1, 2, 3])
def test_torque_that_went_off_behind_the_drivers_back_is_noticed(servo: int) -> None:
    rig = FaultRig(PAIR)
    rig.moving()
    rig.device(servo).poke("Torque Enable", 0)
    rig.until(lambda: rig.loop.status.state is State.STOPPED, NOTICED_MS, rig.home)
    assert rig.loop.status.code is FaultCode.SERVOS_STOPPED
    assert next(joint.name for joint in rig.robot.joints if joint.id == servo) in rig.loop.status.reason
    assert_invariants(rig)


def test_a_watchdog_that_fired_on_one_line_does_not_keep_the_driver_from_finding_another_lines_adapter() -> None:
    """A Y goes on reporting its watchdog as an error: there must be time left for everybody else."""
    rig = FaultRig(PAIR)
    rig.moving()
    rig.lines["left"].unplugged = True
    rig.run(2, rig.home)
    rig.device(2).raise_hardware_error(18, rig.clock.now_ns)
    rig.run(50, rig.home)
    rig.lines["left"].unplugged = False
    rig.until(lambda: not rig.link.lines[0].port_lost, 2000, rig.home)
    assert rig.loop.status.state is State.STOPPED


def test_homing_asks_for_a_set_up_first() -> None:
    rig = FaultRig("op3")
    rig.moving()
    rig.pass_time(1.0)
    rig.run(2, rig.home)
    assert "engage first" in rig.ask_home()
    assert_invariants(rig)
