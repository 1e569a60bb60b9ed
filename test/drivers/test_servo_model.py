# SPDX-License-Identifier: Apache-2.0
"""What the driver knows of every servo model."""

from math import pi
from typing import get_args

import pytest

from drivers.control_table import ControlTableError
from drivers.servo_model import BLOCK_BYTES, SERVO_MODELS, servo_model
from robots.robot import ServoModelName

MODELS = pytest.mark.parametrize("model", SERVO_MODELS.values(), ids=lambda model: model.name)


def test_a_robot_file_may_name_every_model_we_know_and_no_other():
    assert set(SERVO_MODELS) == set(get_args(ServoModelName))


@MODELS
def test_units_agree_with_the_registers_own_ranges(model):
    """A servo at its Velocity Limit turns at a few rad/s at the joint; a gearless Y at some hundred."""
    top_rad_s = model.table["Velocity Limit"].default * model.rad_s_per_unit
    assert 1.5 < top_rad_s < (330 if model.name == "ym080_230_b001" else 12)
    assert model.rad_per_tick * model.ticks_per_revolution == pytest.approx(2.0 * pi)
    assert model.ticks_s_per_unit * model.rad_per_tick == pytest.approx(model.rad_s_per_unit)
    assert model.ticks_s2_per_unit * model.rad_per_tick == pytest.approx(model.rad_s2_per_unit)


@MODELS
def test_every_supply_lies_within_its_limits(model):
    low, high = model.voltage_limits_v
    assert low < model.nominal_v < high


@MODELS
def test_every_operating_mode_fits_its_register(model):
    item = model.table["Operating Mode"]
    assert item.default in model.operating_modes
    assert all(item.allows(mode) for mode in model.operating_modes)


@MODELS
def test_every_model_has_an_indirect_block_for_the_driver(model):
    for firmware in (1, 255):
        assert model.block_for(firmware).count >= BLOCK_BYTES


def test_the_drivers_block_lies_at_634_in_every_large_servo():
    at = {name: model.block_for(255).data for name, model in SERVO_MODELS.items()}
    assert {name for name, data in at.items() if data != 634} == {"xl330_m288", "xm335_t323"}


def test_old_xl330_has_another_layout():
    model = servo_model("xl330_m288")
    assert [model.block_for(firmware).data for firmware in (52, 53)] == [208, 224]


def test_known_figures_of_the_manuals():
    assert servo_model("xm430_w350").current_limit_ma == pytest.approx(3209, abs=1)
    assert servo_model("xh430_v210").current_limit_ma == pytest.approx(923, abs=1)
    assert servo_model("ym080_230_r099").current_limit_ma == 20_800
    assert servo_model("ph42_020_s300").rad_per_tick == pytest.approx(1.0342691863670101e-05)
    assert servo_model("ym070_210_r099").rad_per_tick == pytest.approx(1.1984224905356572e-05)
    assert servo_model("xm430_w350").ticks_s2_per_unit == pytest.approx(214.577 / 3600 * 4096)
    assert servo_model("ym080_230_r099").temperature_limit_degc == 60
    assert servo_model("xl330_m288").voltage_limits_v == pytest.approx((3.5, 7.0))


@pytest.mark.parametrize("raw", [240, 2400])
def test_a_y_may_count_its_voltage_either_way(raw):
    assert servo_model("ym070_210_r099").volts(raw) == pytest.approx(24.0)


def test_other_families_count_tenths_of_a_volt():
    assert servo_model("ph42_020_s300").volts(240) == pytest.approx(24.0)


def test_unknown_model_lists_the_known_ones():
    with pytest.raises(ControlTableError, match="ph42_020_s300, rh_p12_rn"):
        servo_model("xm540")
