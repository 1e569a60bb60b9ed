# SPDX-License-Identifier: Apache-2.0
"""Fault: a servo does not take its bus watchdog, so nothing would stop it if this computer died. No torque (row 24)."""

import pytest
from two_lines import PAIR
from virtual_line import Rig

from drivers.errors import RobotMismatchError, WatchdogError
from drivers.safety import State


def torque_is_off(rig: Rig) -> bool:
    return not any(rig.device(joint.id).peek("Torque Enable") for joint in rig.robot.joints)


class Forgetful:
    """The watchdog of a servo that confirms a write and forgets it."""

    def __init__(self, device) -> None:
        self._watchdog, self._device = device.watchdog, device

    def __getattr__(self, name: str):
        return getattr(self._watchdog, name)

    def set(self, _value: int, now_ns: int) -> None:
        self._device.poke("Bus Watchdog", 0)
        self._watchdog.set(0, now_ns)


@pytest.mark.parametrize(
    ("name", "servo", "who"),
    [("op3", 5, r"ID 5 \(r_el\)"), ("hx5_d20_right", 110, "controller 110"), ("hx5_d20_right", 117, "ID 117")],
)
def test_a_watchdog_that_reads_back_otherwise_keeps_torque_off(name: str, servo: int, who: str) -> None:
    rig = Rig(name, connect=False)
    device = rig.device(servo)
    device.watchdog = Forgetful(device)
    with pytest.raises(WatchdogError, match=who + r": bus watchdog 0 after writing \d+: torque stays off"):
        rig.loop.connect()
    assert torque_is_off(rig)
    assert rig.loop.status.state is State.IDLE


@pytest.mark.parametrize("servo", [1, 2, 3])
def test_every_family_arms_its_watchdog_before_torque(servo: int) -> None:
    rig = Rig(PAIR, connect=False)
    device = rig.device(servo)
    device.watchdog = Forgetful(device)
    with pytest.raises(WatchdogError):
        rig.loop.connect()
    assert torque_is_off(rig)


def test_firmware_without_a_watchdog_is_refused_before_anything_else() -> None:
    rig = Rig("op3", connect=False)
    rig.device(5).poke("Firmware Version", 37)
    with pytest.raises(RobotMismatchError, match="firmware 37, at least 38 needed for a bus watchdog"):
        rig.loop.connect()
    assert torque_is_off(rig)


def test_a_write_that_nobody_confirms_keeps_torque_off() -> None:
    rig = Rig("op3", connect=False)
    rig.device(5).poke("Status Return Level", 1)
    with pytest.raises(Exception, match="ID 5 does not answer"):
        rig.loop.connect()
    assert torque_is_off(rig)


def test_an_engage_after_a_stop_arms_anew_or_stays_stopped() -> None:
    rig = Rig("op3")
    rig.run(3, rig.loop._home)
    device = rig.device(5)
    rig.clock.now_ns += 1_000_000_000
    rig.run(2, rig.loop._home)
    assert rig.loop.status.state is State.STOPPED
    device.watch(rig.clock.now_ns)
    device.watchdog = Forgetful(device)
    assert rig.loop.request_engage() == ""
    rig.run(3, rig.loop._home)
    assert rig.loop.status.state is State.STOPPED
    assert "bus watchdog 0 after writing" in rig.loop.status.reason
