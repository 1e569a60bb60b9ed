# SPDX-License-Identifier: Apache-2.0
"""Control tables of the devices we drive, by the model strings of robots/*.yaml: the one place to import them from.

The tables are in `control_table_{x,p,y,hx5}`. Values are raw servo units; `drivers.servo_model` and `drivers.units`
turn them into SI.
"""

from collections.abc import Mapping
from types import MappingProxyType

from drivers.control_table_hx5 import (
    HX5_CONTROLLER_LEFT,
    HX5_CONTROLLER_RIGHT,
    HX5_VOLT_PER_UNIT,
    SYNC_TABLE_SLOTS,
    SYNC_TABLES,
    sync_table_address,
)
from drivers.control_table_p import PH42_020_S300, RH_P12_RN
from drivers.control_table_types import Access, Area, ControlTable, ControlTableError, Family, IndirectBlock, Item
from drivers.control_table_x import (
    POSITION_MAX_EXTENDED,
    XH430_V210,
    XH540_V150,
    XL330_M288,
    XL330_M288_FIRMWARE_52,
    XM335_T323,
    XM430_W350,
)
from drivers.control_table_y import ERROR_HISTORY, YM070_210_R099, YM080_230_B001, YM080_230_R099

__all__ = [
    "ERROR_HISTORY",
    "HX5_CONTROLLER_LEFT",
    "HX5_CONTROLLER_RIGHT",
    "HX5_VOLT_PER_UNIT",
    "PH42_020_S300",
    "POSITION_MAX_EXTENDED",
    "RH_P12_RN",
    "SYNC_TABLES",
    "SYNC_TABLE_SLOTS",
    "TABLES",
    "XH430_V210",
    "XH540_V150",
    "XL330_M288",
    "XL330_M288_FIRMWARE_52",
    "XM335_T323",
    "XM430_W350",
    "YM070_210_R099",
    "YM080_230_B001",
    "YM080_230_R099",
    "Access",
    "Area",
    "ControlTable",
    "ControlTableError",
    "Family",
    "IndirectBlock",
    "Item",
    "control_table",
    "sync_table_address",
]

TABLES: Mapping[str, ControlTable] = MappingProxyType(
    {
        table.model_name: table
        for table in (
            XL330_M288,
            XM335_T323,
            XM430_W350,
            XH430_V210,
            XH540_V150,
            PH42_020_S300,
            RH_P12_RN,
            YM070_210_R099,
            YM080_230_R099,
            YM080_230_B001,
            HX5_CONTROLLER_RIGHT,
            HX5_CONTROLLER_LEFT,
        )
    }
)
"""The table of current firmware of every model; `drivers.servo_model` knows the older ones."""


def control_table(model: str) -> ControlTable:
    """The table of a model string as used in robots/*.yaml.

    Raises:
        ControlTableError: unknown model; lists the known ones.
    """
    if model not in TABLES:
        raise ControlTableError(f"unknown model {model!r}: expected one of {', '.join(sorted(TABLES))}")
    return TABLES[model]
