# SPDX-License-Identifier: Apache-2.0
"""From who is silent to what is broken: laws for every set of silent devices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.diagnosis import silent_faults, stopped_fault
from graph.faults import FaultCode
from robots import load_robot

ROBOTS = {name: load_robot(name) for name in ("op3", "ffw_sh5")}


def devices(robot):
    return [joint for joint in robot.joints if joint.controller is None] + list(robot.controllers)


@pytest.mark.parametrize("name", list(ROBOTS))
@given(data=st.data())
def test_every_silent_device_is_explained_exactly_once(name: str, data) -> None:
    robot = ROBOTS[name]
    everybody = devices(robot)
    quiet = data.draw(st.sets(st.sampled_from(range(len(everybody)))))
    silent = {(robot.bus_of(everybody[k]), everybody[k].id) for k in quiet}
    faults = silent_faults(robot, silent, set())
    if len(quiet) == len(everybody):
        assert [fault.code for fault in faults] == [FaultCode.BUS_SILENT]
        return
    dead = {}
    for k in quiet:
        dead.setdefault(robot.branch_of(everybody[k]), []).append(everybody[k])
    whole = {
        branch
        for branch, gone in dead.items()
        if len(gone) > 1 and len(gone) == sum(robot.branch_of(device) == branch for device in everybody)
    }
    branches = [fault for fault in faults if fault.code is FaultCode.BRANCH_POWER_LOST]
    assert {fault.text.split()[0] for fault in branches} == whole
    assert all(fault.stops for fault in branches)
    singles = [fault for fault in faults if fault.code is FaultCode.SERVO_SILENT]
    assert len(singles) == sum(len(gone) for branch, gone in dead.items() if branch not in whole)
    assert not any(fault.stops for fault in singles)


def test_a_silent_finger_is_named_by_its_joint() -> None:
    robot = ROBOTS["ffw_sh5"]
    index = robot.joint_names.index("finger_l_joint6")
    (fault,) = silent_faults(robot, set(), {index})
    assert "finger_l_joint6 (ID 147)" in fault.text


@given(st.integers(1, 60))
def test_stopped_servos_are_counted_not_all_listed(count: int) -> None:
    text = stopped_fault([f"joint{k}" for k in range(count)]).text
    assert text.count("joint") <= 3
    assert (f"and {count - 3} more" in text) == (count > 3)
