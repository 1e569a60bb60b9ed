# SPDX-License-Identifier: Apache-2.0
"""Current, warmth and overload of virtual servos: enough for warnings, in closed form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registers import get, put

from drivers.hardware_error import Cause, causes
from drivers.servo_model import servo_model
from drivers.virtual_build import FIRMWARE, virtual_servo
from drivers.virtual_heat import AMBIENT_DEGC, OVERLOAD_NS, RISE_DEGC, Heat

MS = 1_000_000
S = 1_000_000_000


def servo_of(name="xm430_w350"):
    servo = virtual_servo(servo_model(name), 1, firmware=FIRMWARE[name], baud=1_000_000)
    put(servo, "Torque Enable", 1)
    return servo


def error_of(servo, now_ns):
    return causes(servo.model.family, get(servo, servo.model.error_register, now_ns))


@given(st.floats(0, 0.9), st.lists(st.integers(0, 60_000), max_size=10))
def test_how_often_somebody_looks_changes_no_temperature(share, looks_ms):
    seldom, often = Heat(), Heat()
    for ms in sorted(looks_ms):
        often.run(ms * MS, share, 1000.0)
    for heat in (seldom, often):
        heat.run(60 * S, share, 1000.0)
    assert often.degc == pytest.approx(seldom.degc)
    assert AMBIENT_DEGC <= seldom.degc <= AMBIENT_DEGC + RISE_DEGC


def test_current_follows_motion_and_load():
    servo = servo_of()
    assert get(servo, "Present Current", S) == 0
    put(servo, "Goal Position", 4000, S)
    assert get(servo, "Present Current", S + 100 * MS) > 50
    assert get(servo, "Present Current", 5 * S) == 0
    servo.set_load(269.0, 5 * S)
    assert get(servo, "Present Current", 6 * S) == 100
    put(servo, "Torque Enable", 0, 7 * S)
    assert get(servo, "Present Current", 8 * S) == 0


def test_an_idle_servo_stays_as_warm_as_its_surroundings():
    assert get(servo_of(), "Present Temperature", 3600 * S) == 30


@pytest.mark.parametrize("name", ["xm430_w350", "ph42_020_s300", "ym080_230_r099"])
def test_a_load_warms_a_servo_into_the_warning_zone_and_then_shuts_it_down(name):
    servo = servo_of(name)
    model = servo.model
    limit = model.temperature_limit_degc
    servo.set_load(0.85 * model.current_limit_ma, 0)
    seen = [get(servo, model.temperature_register, t * S) for t in range(0, 60, 2)]
    assert any(limit - 10 <= degc <= limit for degc in seen)
    assert not causes("x", 0) and error_of(servo, 60 * S)[0] in (Cause.OVERHEATING, Cause.MOTOR_OVERHEATING)
    assert get(servo, "Torque Enable", 60 * S) == (1 if servo.model.family == "p" else 0), "P: Shutdown 58 lets it run"
    if model.family != "p":
        assert get(servo, model.temperature_register, 600 * S) == 30, "without torque it cools down"


def test_half_the_current_is_borne_for_ever():
    servo = servo_of()
    servo.set_load(0.5 * servo.model.current_limit_ma, 0)
    assert get(servo, "Hardware Error Status", 3600 * S) == 0
    assert get(servo, "Present Temperature", 3600 * S) == pytest.approx(60, abs=1)


@pytest.mark.parametrize("look_ms", [10, 100, 5000])
def test_staying_at_the_current_limit_is_an_overload_whoever_looks(look_ms):
    servo = servo_of()
    servo.set_load(2 * servo.model.current_limit_ma, 0)
    for t in range(0, 5001, look_ms):
        get(servo, "Present Position", t * MS)
    assert error_of(servo, 5 * S) == (Cause.OVERLOAD,)
    assert get(servo, "Torque Enable", 5 * S) == 0


def test_a_short_overload_is_none():
    servo = servo_of()
    servo.set_load(2 * servo.model.current_limit_ma, 0)
    get(servo, "Present Position", OVERLOAD_NS - 100 * MS)
    servo.set_load(0, OVERLOAD_NS - 50 * MS)
    assert get(servo, "Hardware Error Status", 20 * S) == 0


def test_an_overload_stops_the_shaft_where_it_was():
    servo = servo_of()
    servo.set_load(2 * servo.model.current_limit_ma, 0)
    put(servo, "Profile Velocity", 5)
    put(servo, "Goal Position", 4000)
    there = get(servo, "Present Position", 60 * S)
    assert 2048 < there < 2048 + 5 * 15.7 * 2.3, "it ran for two seconds, not for a minute"


def test_present_current_never_exceeds_the_limit():
    servo = servo_of("ym080_230_r099")
    servo.set_load(1e6, 0)
    assert get(servo, "Present Current", 100 * MS) == 2080
