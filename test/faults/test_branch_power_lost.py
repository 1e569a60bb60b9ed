# SPDX-License-Identifier: Apache-2.0
"""Fault: a fuse blows, everything behind one supply is dead while the rest of the robot answers (row 2)."""

import numpy as np
import pytest
from counted import counted
from invariants import FaultRig, assert_invariants

from drivers.safety import State
from graph.faults import FaultCode

CUTS = counted(5, 50)
BRANCHES = ("arm_r", "arm_l", "leg_r", "leg_l")


def devices_of(rig: FaultRig, branch: str) -> list[int]:
    return [k for k, joint in enumerate(rig.robot.joints) if rig.robot.branch_of(joint) == branch]


@pytest.mark.parametrize(("name", "branches"), [("op3", BRANCHES), ("ffw_sh5", ("arm_r", "head"))])
def test_one_fault_names_the_branch_and_nothing_moves_when_power_returns(name: str, branches: tuple[str, ...]) -> None:
    rig, rng = FaultRig(name), np.random.default_rng(2)
    for cut in range(CUTS if name == "op3" else counted(2, 50)):
        branch = branches[cut % len(branches)]
        members = devices_of(rig, branch)
        rig.moving(int(rng.integers(5, 40)))
        rig.panel.set_power(branch, on=False)
        rig.until(lambda: rig.loop.status.code is FaultCode.BRANCH_POWER_LOST, 200, rig.home)
        assert [fault.code for fault in rig.loop.faults] == [FaultCode.BRANCH_POWER_LOST]
        assert rig.loop.faults[0].text.startswith(f"{branch} has no power: none of its {len(members)} devices")
        assert rig.loop.status.state is State.STOPPED
        others = [k for k in range(len(rig.robot.joints)) if k not in members]
        assert rig.run(5, rig.home).reading.fresh[others].all()
        rig.panel.set_power(branch, on=True)
        stood = rig.shafts()
        rig.swing(int(1.5 * rig.robot.rate_hz))
        assert rig.loop.status.state is State.STOPPED, "it resumed by itself"
        assert not any(rig.torque()[k] for k in members), "torque came back by itself"
        assert np.abs(rig.shafts() - stood)[members].max() <= 1
        assert goals_when_torque_came_on(rig) <= 1.01
        rig.loop.request_release()
        rig.run(1)
    assert_invariants(rig)


def goals_when_torque_came_on(rig: FaultRig) -> float:
    """Engage, and how far the goals were from where the shafts stood when torque came on, in ticks."""
    before = len(rig.set_ups)
    rig.engage(rig.home)
    rig.run(1, rig.home)
    assert len(rig.set_ups) == before + 1
    _, held = rig.set_ups[-1]
    measured = np.where(rig.last.reading.fresh, rig.last.reading.position_rad, held)
    assert rig.run(30, rig.home).status.state is State.ENGAGED, rig.loop.status
    assert all(rig.torque())
    step = np.array(rig.robot.velocity_rad_s) / rig.robot.rate_hz
    return float((np.maximum(np.abs(measured - held) - step, 0.0) / rig.tick_rad).max())


@pytest.mark.parametrize("name", ["op3", "hx5_d20_right"])
def test_a_limp_joint_that_sags_during_the_set_up_is_held_where_it_is_when_torque_comes_on(name: str) -> None:
    """Checking 20 servos takes a while: what was measured at its beginning is not where a limp arm is at its end."""
    rig = FaultRig(name)
    rig.loop.disconnect()
    servo = rig.device(rig.robot.joints[5].id)
    begin = servo.position_ticks(rig.clock.now_ns)
    rig.loop._link = Sagging(rig.link, lambda: servo.turn_to(begin + 60))
    rig.loop.connect()
    rig.run(50)
    assert abs(servo.position_ticks(rig.clock.now_ns) - (begin + 60)) <= 2


class Sagging:
    """A link whose robot sags after every joint was measured for the first time."""

    def __init__(self, link, sag) -> None:
        self._link, self._sag = link, sag

    def __getattr__(self, name):
        return getattr(self._link, name)

    def prepare(self):
        measured = self._link.prepare()
        self._sag()
        return measured
