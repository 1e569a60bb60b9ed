# SPDX-License-Identifier: Apache-2.0
"""Control tables and the conversion of raw units."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import units
from drivers.control_table import (
    HX5_CONTROLLER_RIGHT,
    PH42_020_S300,
    RH_P12_RN,
    TABLES,
    XH430_V210,
    XH540_V150,
    XL330_M288,
    XL330_M288_FIRMWARE_52,
    XM335_T323,
    XM430_W350,
    YM070_210_R099,
    YM080_230_B001,
    YM080_230_R099,
    ControlTableError,
    control_table,
    sync_table_address,
)
from drivers.servo_model import SERVO_MODELS
from robots import load_robot, robot_names

X_ADDRESSES = {
    "ID": (7, 1),
    "Return Delay Time": (9, 1),
    "Drive Mode": (10, 1),
    "Operating Mode": (11, 1),
    "Homing Offset": (20, 4),
    "Torque Enable": (64, 1),
    "Hardware Error Status": (70, 1),
    "Bus Watchdog": (98, 1),
    "Goal Current": (102, 2),
    "Profile Acceleration": (108, 4),
    "Profile Velocity": (112, 4),
    "Goal Position": (116, 4),
    "Present Current": (126, 2),
    "Present Velocity": (128, 4),
    "Present Position": (132, 4),
    "Present Input Voltage": (144, 2),
    "Present Temperature": (146, 1),
    "Indirect Address 1": (168, 2),
    "Indirect Data 28": (251, 1),
}

P_ADDRESSES = {
    "ID": (7, 1),
    "Return Delay Time": (9, 1),
    "Operating Mode": (11, 1),
    "Homing Offset": (20, 4),
    "Max Position Limit": (48, 4),
    "Torque Enable": (512, 1),
    "Hardware Error Status": (518, 1),
    "Bus Watchdog": (546, 1),
    "Goal PWM": (548, 2),
    "Goal Current": (550, 2),
    "Goal Velocity": (552, 4),
    "Profile Acceleration": (556, 4),
    "Profile Velocity": (560, 4),
    "Goal Position": (564, 4),
    "Present Current": (574, 2),
    "Present Velocity": (576, 4),
    "Present Position": (580, 4),
    "Present Input Voltage": (592, 2),
    "Present Temperature": (594, 1),
    "Indirect Address 1": (168, 2),
    "Indirect Address 128": (422, 2),
    "Indirect Data 1": (634, 1),
    "Indirect Data 128": (761, 1),
}

Y_ADDRESSES = {
    "ID": (7, 1),
    "Bus Watchdog": (8, 2),
    "Return Delay Time": (13, 1),
    "Drive Mode": (32, 1),
    "Operating Mode": (33, 1),
    "Homing Offset": (52, 4),
    "Max Position Limit": (76, 4),
    "Min Position Limit": (84, 4),
    "Error Code": (153, 1),
    "Error Code History 16": (169, 1),
    "Profile Acceleration": (240, 4),
    "Profile Velocity": (244, 4),
    "Profile Acceleration Time": (248, 4),
    "Profile Time": (252, 4),
    "Torque Enable": (512, 1),
    "Goal PWM": (524, 2),
    "Goal Current": (526, 2),
    "Goal Velocity": (528, 4),
    "Goal Position": (532, 4),
    "Present Current": (546, 2),
    "Present Velocity": (548, 4),
    "Present Position": (552, 4),
    "Present Input Voltage": (568, 2),
    "Present Inverter Temperature": (570, 1),
    "Present Motor Temperature": (571, 1),
    "Indirect Address 1": (256, 2),
    "Indirect Data 128": (761, 1),
}

NEEDED = (
    "Torque Enable",
    "Goal Position",
    "Goal PWM",
    "Goal Current",
    "Goal Velocity",
    "Present Position",
    "Present Velocity",
    "Present Current",
    "Present Input Voltage",
    "Bus Watchdog",
    "Operating Mode",
    "Homing Offset",
    "Return Delay Time",
    "Min Position Limit",
    "Max Position Limit",
    "Profile Acceleration",
    "Profile Velocity",
)
"""What a driver uses, by the same name in every family."""

HX5_ADDRESSES = {
    "Bus Watchdog": (8, 1),
    "Max Voltage Limit": (60, 2),
    "Table Sync Enable": (70, 1),
    "Hardware Error Status": (71, 1),
    "Indirect Address Read 1": (122, 2),
    "Indirect Address Read 165": (450, 2),
    "Indirect Address Write 1": (452, 2),
    "Indirect Data Read 1": (634, 1),
    "Indirect Data Write 1": (799, 1),
    "Indirect Data Write 80": (878, 1),
    "SyncTable 1 ID 1": (1024, 1),
    "SyncTable 2 Read Address 1": (1228, 2),
    "SyncTable 2 Read Size 1": (1240, 2),
    "SyncTable 2 Write Address 1": (1252, 2),
    "SyncTable 2 Write Size 6": (1274, 2),
    "SyncTable 2 Read Data 1": (1276, 1),
    "SyncTable 2 Write Data 1": (1348, 1),
    "SyncTable 5 Write Data 72": (2013, 1),
}


def where_in(table, names):
    return {name: (table[name].address, table[name].size) for name in names}


@pytest.mark.parametrize("table", [XM430_W350, XM335_T323, XH430_V210, XH540_V150, XL330_M288], ids=str)
def test_x_series_registers_lie_where_the_manual_says(table):
    assert where_in(table, X_ADDRESSES) == X_ADDRESSES


@pytest.mark.parametrize("table", [PH42_020_S300, RH_P12_RN], ids=str)
def test_p_series_registers_lie_where_the_manual_says(table):
    assert where_in(table, P_ADDRESSES) == P_ADDRESSES


@pytest.mark.parametrize("table", [YM070_210_R099, YM080_230_R099, YM080_230_B001], ids=str)
def test_y_series_registers_lie_where_the_manual_says(table):
    assert where_in(table, Y_ADDRESSES) == Y_ADDRESSES


def test_old_xl330_has_twenty_indirect_data_at_208():
    assert XL330_M288_FIRMWARE_52["Indirect Data 20"].address == 227
    assert "Indirect Data 21" not in XL330_M288_FIRMWARE_52
    assert XL330_M288["Indirect Data 1"].address == 224


@pytest.mark.parametrize("model", SERVO_MODELS.values(), ids=lambda model: model.name)
def test_what_a_driver_uses_has_one_name_in_every_family(model):
    for name in (*NEEDED, model.error_register, *(name for pair in model.temperatures for name in pair)):
        assert name in model.table, name


@pytest.mark.parametrize("table", [PH42_020_S300, RH_P12_RN, YM070_210_R099], ids=str)
def test_pointers_of_the_large_series_lie_in_the_eeprom(table):
    assert table["Indirect Address 1"].area == "eeprom"
    assert XM430_W350["Indirect Address 1"].area == "ram"


@pytest.mark.parametrize(("name", "where"), HX5_ADDRESSES.items())
def test_hand_controller_registers_lie_where_robotis_configures_them(name, where):
    assert (HX5_CONTROLLER_RIGHT[name].address, HX5_CONTROLLER_RIGHT[name].size) == where


@pytest.mark.parametrize("table", TABLES.values(), ids=str)
def test_no_two_registers_share_a_byte(table):
    assert len(table.by_byte) == sum(item.size for item in table.items)


@pytest.mark.parametrize("table", TABLES.values(), ids=str)
def test_every_default_fits_its_register_and_its_own_range(table):
    for item in table.items:
        assert item.decode(item.encode(item.default)) == item.default
        assert item.access == "r" or item.allows(item.default), item


def test_model_numbers():
    assert {name: table.model_number for name, table in TABLES.items()} == {
        "xl330_m288": 1200,
        "xm335_t323": 1710,
        "xm430_w350": 1020,
        "xh430_v210": 1050,
        "xh540_v150": 1150,
        "ph42_020_s300": 2000,
        "rh_p12_rn": 35074,
        "ym070_210_r099": 4030,
        "ym080_230_r099": 4150,
        "ym080_230_b001": 4130,
        "hx5_d20_right": 260,
        "hx5_d20_left": 261,
    }


@pytest.mark.parametrize("name", robot_names())
def test_every_model_and_baud_of_every_robot_is_known(name):
    robot = load_robot(name)
    bauds = {bus.name: bus.baud for bus in robot.buses}
    for joint in robot.joints:
        table = control_table(joint.model)
        baud = bauds[robot.bus_of(joint)]
        assert joint.controller is not None or table.baud_rates[table.baud_index(baud)] == baud
    for controller in robot.controllers:
        assert control_table(controller.model).baud_index(bauds[robot.bus_of(controller)]) >= 0


def test_unknown_register_names_the_nearest():
    with pytest.raises(ControlTableError, match="Goal Position"):
        XM430_W350["goal_postion"]


def test_unknown_model_lists_the_known_ones():
    with pytest.raises(ControlTableError, match="xm335_t323, xm430_w350, ym070"):
        control_table("xm540")


def test_unknown_baud_lists_the_known_ones():
    with pytest.raises(ControlTableError, match="4000000"):
        XM335_T323.baud_index(4_500_000)


def test_sync_tables_are_198_bytes_apart():
    assert [sync_table_address(n) for n in (1, 2, 5)] == [1024, 1222, 1816]


@given(st.integers(-units.TICKS_PER_REVOLUTION * 256, units.TICKS_PER_REVOLUTION * 256))
def test_ticks_survive_the_way_to_rad_and_back(ticks):
    assert units.ticks_from_rad(units.rad_from_ticks(ticks)) == ticks


def test_known_values_of_the_scales():
    assert units.rad_from_ticks([2048, 3072, 0]) == pytest.approx([0.0, np.pi / 2, -np.pi])
    assert units.rad_s_from_raw(1) == pytest.approx(0.0239808, rel=1e-4)
    assert pytest.approx(0.0015339807878856412) == units.RAD_PER_TICK


@pytest.mark.parametrize(
    "convert",
    [
        lambda: units.watchdog_raw(30),
        lambda: units.watchdog_raw(2560),
        lambda: units.watchdog_raw(0),
    ],
)
def test_what_does_not_fit_a_register_is_refused(convert):
    with pytest.raises(ValueError, match=r"."):
        convert()


def test_watchdog_counts_20_ms():
    assert units.watchdog_raw(200) == 10
