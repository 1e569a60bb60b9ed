# SPDX-License-Identifier: Apache-2.0
"""Warning: a servo is about to switch itself off: temperature, voltage, current (row 5)."""

import pytest
from invariants import FaultRig, assert_invariants
from two_lines import PAIR

from drivers.joint_health import STRAINED_SHARE, VOLT_MARGIN, WARM_DEGC
from drivers.safety import State
from graph.faults import FaultCode

POLLED_MS = 2500


def texts(rig: FaultRig) -> list[str]:
    return [fault.text for fault in rig.link.warnings() if fault.code is FaultCode.NEAR_LIMIT]


@pytest.mark.parametrize("servo", [1, 2, 3])
def test_ten_degrees_below_the_limit_it_warns_and_the_robot_goes_on(servo: int) -> None:
    rig = FaultRig(PAIR)
    device = rig.device(servo)
    limit = device.peek(device.model.temperature_limit_register)
    rig.moving(10)
    device.set_temperature(limit - WARM_DEGC - 1, rig.clock.now_ns)
    rig.swing(100)
    assert texts(rig) == []
    device.set_temperature(limit - WARM_DEGC, rig.clock.now_ns)
    rig.until(lambda: texts(rig), POLLED_MS, rig.home)
    name = next(joint.name for joint in rig.robot.joints if joint.id == servo)
    assert texts(rig) == [f"{name} (ID {servo}): {limit - WARM_DEGC} °C, switches off above {limit}: let it rest"]
    assert rig.loop.status.state is State.ENGAGED
    device.set_temperature(limit - WARM_DEGC - 1, rig.clock.now_ns)
    rig.until(lambda: not texts(rig), POLLED_MS, rig.home)
    assert_invariants(rig)


@pytest.mark.parametrize("servo", [1, 2, 3])
@pytest.mark.parametrize("side", ["Min Voltage Limit", "Max Voltage Limit"])
def test_half_a_volt_before_either_voltage_limit_it_warns(servo: int, side: str) -> None:
    rig = FaultRig(PAIR)
    device = rig.device(servo)
    limit, margin = device.peek(side), round(10 * VOLT_MARGIN)
    inwards = 1 if side.startswith("Min") else -1
    rig.moving(10)
    device.set_voltage(limit + inwards * (margin + 1), rig.clock.now_ns)
    rig.run(100, rig.home)
    assert texts(rig) == []
    device.set_voltage(limit + inwards * (margin - 1), rig.clock.now_ns)
    rig.until(lambda: texts(rig), POLLED_MS, rig.home)
    assert f"V, switches off {'below' if inwards > 0 else 'above'} {limit / 10:.1f}" in texts(rig)[0]
    assert rig.loop.status.state is State.ENGAGED


@pytest.mark.parametrize("servo", [1, 3])
def test_a_joint_that_works_near_its_largest_current_for_seconds_is_named_as_maybe_blocked(servo: int) -> None:
    rig = FaultRig(PAIR)
    device = rig.device(servo)
    limit_ma = device.peek("Current Limit") * device.model.ma_per_unit
    rig.moving(10)
    device.set_load(0.7 * limit_ma, rig.clock.now_ns)
    rig.run(8 * rig.robot.rate_hz, rig.home)
    assert not [text for text in texts(rig) if "blocked" in text]
    device.set_load((STRAINED_SHARE + 0.1) * limit_ma, rig.clock.now_ns)
    rig.until(lambda: [text for text in texts(rig) if "blocked" in text], 12_000, rig.home)
    assert rig.loop.status.state is State.ENGAGED
