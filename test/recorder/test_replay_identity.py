# SPDX-License-Identifier: Apache-2.0
"""Replay refuses a robot that is not the recorded one, and names the difference."""

import json

import h5py
import pytest
from takes import Script, make_take, robot

from recorder.episode import Episode
from recorder.errors import ReplayError
from recorder.finalise import finalise
from recorder.replay_identity import changed_description, changed_devices, refuse_other_robot
from robots import load_robot

NAME = robot().joint_names[3]


def driver_facts(**changes):
    devices = [
        {
            "bus": "hand",
            "id": 111 + k,
            "firmware": 52,
            "joint": name,
            "model": "xm335_t323",
            "reverse": False,
            "homing_offset_ticks": 10,
        }
        for k, name in enumerate(robot().joint_names)
    ]
    devices[3].update(changes)
    return {"ports": {"hand": "/dev/x"}, "devices": devices}


@pytest.fixture
def episode(tmp_path):
    """Recorded on servos that said what they are."""
    path = finalise(make_take(tmp_path / "a.mcap", Script(seconds=1.0))).path
    with h5py.File(path, "r+") as file:
        file.attrs["provenance"] = json.dumps({"driver": driver_facts()})
        file.attrs["sim"] = False
    with Episode.open(path) as opened:
        yield opened


def altered(**changes):
    joints = list(robot().joints)
    joints[3] = joints[3].model_copy(update=changes)
    return robot().model_copy(update={"joints": tuple(joints)})


def test_the_same_robot_is_welcome(episode):
    assert refuse_other_robot(episode, robot(), driver_facts()) == []


def test_a_port_or_a_title_is_no_difference(episode):
    assert changed_description(episode, robot().model_copy(update={"title": "another wording"})) == []


def test_a_changed_file_is_refused_with_the_joint_then_and_now(episode):
    recorded, now = robot().joints[3].max_rad, robot().joints[3].max_rad - 0.25
    with pytest.raises(ReplayError, match="changed since the recording") as refused:
        refuse_other_robot(episode, altered(max_rad=now))
    for word in (NAME, "max_rad", str(recorded)[:6], str(now)[:6], "--force"):
        assert word in str(refused.value)


def test_force_is_for_a_changed_file_and_says_so(episode):
    (note,) = refuse_other_robot(episode, altered(max_rad=1.0), force=True)
    assert NAME in note


def test_force_is_not_for_other_joints(episode):
    other = robot().model_copy(update={"joints": robot().joints[::-1]})
    with pytest.raises(ReplayError, match="the joints differ"):
        refuse_other_robot(episode, other, force=True)
    with pytest.raises(ReplayError, match="this is 'op3'"):
        refuse_other_robot(episode, load_robot("op3"), force=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"homing_offset_ticks": 190}, "homing offset in ticks 10 when recorded, 190 now"),
        ({"reverse": True}, "reversed direction False when recorded, True now"),
        ({"model": "xl330_m288"}, "model xm335_t323 when recorded, xl330_m288 now"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_another_calibration_is_refused_even_by_force(episode, change, words, force):
    with pytest.raises(ReplayError, match="calibration is not that of the recording") as refused:
        refuse_other_robot(episode, robot(), driver_facts(**change), force=force)
    assert f"{NAME}: {words}" in str(refused.value)


def test_other_firmware_needs_force(episode):
    newer = driver_facts(firmware=53)
    with pytest.raises(ReplayError, match=f"{NAME}: firmware 52 when recorded, 53 now"):
        refuse_other_robot(episode, robot(), newer)
    assert "firmware" in refuse_other_robot(episode, robot(), newer, force=True)[0]


def test_a_joint_that_is_gone_is_a_difference():
    fewer = driver_facts()
    del fewer["devices"][3]
    assert changed_devices(driver_facts(), fewer)[0] == [f"{NAME}: was there when recorded, is not now"]


def test_virtual_servos_have_no_calibration_to_compare(episode):
    (note,) = refuse_other_robot(episode, robot(), driver_facts(homing_offset_ticks=190), simulated=True)
    assert note.startswith("recorded on real servos, played on virtual ones")


def test_many_differences_are_counted(episode):
    joints = tuple(joint.model_copy(update={"max_rad": joint.max_rad - 0.01}) for joint in robot().joints)
    with pytest.raises(ReplayError, match="and 16 more"):
        refuse_other_robot(episode, robot().model_copy(update={"joints": joints}))
