# SPDX-License-Identifier: Apache-2.0
"""A reboot: torque off, RAM at its defaults, everything in EEPROM as it was. In the multi-turn modes turns are lost."""

import pytest
from bench_servo import Servo


def test_reboot_is_acknowledged_and_switches_torque_off(servo: Servo) -> None:
    servo.hold()
    servo.reboot()
    assert servo.get("Torque Enable") == 0


def test_reboot_restores_ram_defaults(device: Servo) -> None:
    if "Startup Configuration" in device.table and device.get("Startup Configuration"):
        pytest.skip("its Startup Configuration says otherwise")
    led = "LED" if "LED" in device.table else "LED Red"
    changed = {led: 1, "Bus Watchdog": 50}
    if device.known.servo is not None and device.model.family == "x":
        changed |= {"Profile Velocity": 33, "Profile Acceleration": 11, "Position P Gain": 555}
    for name, value in changed.items():
        device.set(name, value)
    device.reboot()
    assert {name: device.get(name) for name in changed} == {name: device.table[name].default for name in changed}


def test_reboot_clears_a_fired_watchdog(servo: Servo) -> None:
    servo.hold()
    servo.set("Bus Watchdog", 3)
    servo.line.be_silent(0.12)
    assert servo.get("Bus Watchdog") == -1
    servo.reboot()
    assert servo.get("Bus Watchdog") == 0
    assert servo.get(servo.error_register) == 0


def test_position_is_the_same_after_a_reboot(servo: Servo) -> None:
    before = servo.get("Present Position")
    servo.reboot()
    assert abs(servo.get("Present Position") - before) <= servo.jitter_ticks
