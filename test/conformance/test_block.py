# SPDX-License-Identifier: Apache-2.0
"""The driver's 20 bytes of indirect data (`drivers.servo_block`): the same values in one place in every family."""

import numpy as np
from bench_servo import Servo

from drivers import protocol
from drivers.protocol import ErrorNumber
from drivers.servo_block import GOAL_OFFSET, HEALTH, STATE, STATE_BYTES
from drivers.servo_model import BLOCK_BYTES

STATE_REGISTERS = {"current": "Present Current", "velocity": "Present Velocity", "position": "Present Position"}


def block(servo: Servo) -> dict[str, int]:
    """All 20 bytes in one read, taken apart."""
    raw = servo.line.bus.read(servo.id, servo.block, BLOCK_BYTES)
    state, health = np.frombuffer(raw[:STATE_BYTES], STATE)[0], np.frombuffer(raw[14:], HEALTH)[0]
    values = {name: int(state[name]) for name in STATE.names or ()} | {
        name: int(health[name]) for name in HEALTH.names or ()
    }
    return values | {"goal": int.from_bytes(raw[GOAL_OFFSET:14], "little", signed=True)}


def test_block_gives_what_direct_reads_give(servo: Servo) -> None:
    servo.point()
    found = block(servo)
    model = servo.model
    slack = {"position": servo.jitter_ticks, "velocity": round(0.1 / model.rad_s_per_unit), "current": 30}
    for name, register in STATE_REGISTERS.items():
        assert abs(found[name] - servo.get(register)) <= slack[name], name
    exact = {
        "goal": "Goal Position",
        "torque": "Torque Enable",
        "error": model.error_register,
        "watchdog": "Bus Watchdog",
    }
    assert {name: found[name] for name in exact} == {name: servo.get(register) for name, register in exact.items()}
    assert abs(found["temperature"] - servo.get(model.temperature_register)) <= 1
    assert abs(model.volts(found["voltage"]) - model.volts(servo.get("Present Input Voltage"))) <= 0.5


def test_every_pointer_is_read_back(servo: Servo) -> None:
    servo.point()
    assert servo.points()


def test_block_shows_torque_goal_and_watchdog_as_they_change(servo: Servo) -> None:
    servo.point()
    goal = servo.hold()
    servo.set("Bus Watchdog", 100)
    found = block(servo)
    assert (found["torque"], found["goal"], found["watchdog"]) == (1, goal, 100)


def test_block_survives_torque_on_and_off(servo: Servo) -> None:
    servo.point()
    servo.hold()
    assert servo.points()
    servo.set("Torque Enable", 0)
    assert servo.points()


def test_goal_written_through_the_block_is_the_goal_register(servo: Servo) -> None:
    servo.point()
    goal = servo.hold()
    nearby = goal + (1 if goal < servo.get("Max Position Limit") else -1)
    item = servo.table["Goal Position"]
    assert not servo.ask(protocol.write(servo.id, servo.block + GOAL_OFFSET, item.encode(nearby))).error_number
    assert servo.get("Goal Position") == nearby


def test_rules_of_a_register_hold_through_the_block(servo: Servo) -> None:
    """Present Current is read-only there, too."""
    servo.point()
    assert servo.ask(protocol.write(servo.id, servo.block, b"\x01")).error_number == ErrorNumber.ACCESS


def test_pointers_are_lost_at_a_reboot_where_they_are_ram(servo: Servo) -> None:
    servo.point()
    servo.reboot()
    assert servo.points() == servo.pointers_are_eeprom


def test_pointers_in_eeprom_are_locked_while_torque_is_on(servo: Servo) -> None:
    """P and Y: the driver must set them before torque; X takes them at any time."""
    servo.point()
    servo.hold()
    first = servo.table.by_byte[servo.model.block_for(servo.identity.firmware).address]
    wanted = ErrorNumber.ACCESS if servo.pointers_are_eeprom else ErrorNumber.NONE
    assert servo.try_write(first.name, servo.get(first.name)) == wanted
