# SPDX-License-Identifier: Apache-2.0
"""All joints over all lines: order of faults, who is asked when, what a cycle may cost."""

import pytest
from invariants import FaultRig
from two_lines import PAIR
from virtual_line import VirtualLine

from drivers.care import POLLS_PER_S
from drivers.errors import PortError
from drivers.robot_link import RobotLink
from graph.faults import FaultCode


@pytest.mark.parametrize("name", ["op3", "hx5_d20_right", "ffw_sh5", PAIR], ids=str)
def test_every_joint_is_asked_after_its_health_in_turn(name) -> None:
    rig = FaultRig(name)
    count = len(rig.robot.joints)
    rig.run(rig.robot.rate_hz * (2 + count // POLLS_PER_S))
    assert (rig.link.health.torque == 1).all()
    assert (rig.link.health.temperature_degc > 0).all()
    assert (rig.link.health.voltage_v > 0).all()
    assert rig.link.faults() == ()


def test_faults_that_stop_come_first() -> None:
    rig = FaultRig(PAIR)
    rig.run(5)
    rig.lines["left"].unplugged = True
    rig.device(2).silent = True
    rig.run(20)
    faults = rig.link.faults()
    assert faults[0].code is FaultCode.PORT_LOST
    assert [fault.stops for fault in faults] == sorted((fault.stops for fault in faults), reverse=True)


def test_a_port_that_can_not_be_opened_gives_the_others_back() -> None:
    rig = FaultRig(PAIR)
    left, right = rig.lines["left"], rig.lines["right"]
    right.unplugged = True
    opened = left.opened
    with pytest.raises(PortError):
        RobotLink(PAIR, {"left": left.open, "right": right.open}, rig.clock)
    assert left.opened == opened


def test_closing_twice_is_closing_once() -> None:
    rig = FaultRig("op3")
    opened = rig.line.opened
    rig.link.close()
    rig.link.close()
    assert rig.line.opened == opened - 1


def test_a_cycle_asks_at_most_one_slow_question() -> None:
    rig = FaultRig("ffw_sh5")
    line: VirtualLine = rig.line
    for joint in rig.robot.joints[:10]:
        line.virtual.set_silent(joint.id, True)
    rig.run(50)
    for _ in range(2 * rig.robot.rate_hz):
        begin = len(line.instructions)
        rig.run(1)
        cyclic = 1 + len(rig.link.lines[0].reads)
        assert len(line.instructions) - begin <= cyclic + 4, "the probe of one device takes up to four"


def test_torque_goes_off_on_the_lines_that_are_left() -> None:
    rig = FaultRig(PAIR)
    rig.run(5)
    rig.lines["left"].unplugged = True
    rig.run(3)
    rig.loop.disconnect()
    assert not rig.device(2).peek("Torque Enable")
    assert not rig.device(3).peek("Torque Enable")
