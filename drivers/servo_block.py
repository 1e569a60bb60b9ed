# SPDX-License-Identifier: Apache-2.0
"""The 20 bytes of indirect data in which the driver keeps all that it needs of a servo, whatever its model.

    +0  present current   int16    read in every cycle
    +2  present velocity  int32
    +6  present position  int32
    +10 goal position     int32    written in every cycle
    +14 torque enable     uint8    read now and then
    +15 error             uint8    Hardware Error Status, or the Y series' Error Code
    +16 bus watchdog      uint8    255 when it has fired
    +17 temperature       uint8
    +18 input voltage     uint16

Registers lie elsewhere in every family; behind indirect addresses one group instruction suits servos of all families.
XL330 with old firmware has exactly 20 indirect addresses.
"""

import struct

import numpy as np

from drivers.control_table import IndirectBlock
from drivers.servo_model import BLOCK_BYTES, ServoModel

STATE_OFFSET, STATE_BYTES = 0, 10
GOAL_OFFSET, GOAL_BYTES = 10, 4
HEALTH_OFFSET, HEALTH_BYTES = 14, 6

STATE = np.dtype([("current", "<i2"), ("velocity", "<i4"), ("position", "<i4")])
HEALTH = np.dtype([("torque", "u1"), ("error", "u1"), ("watchdog", "u1"), ("temperature", "u1"), ("voltage", "<u2")])

WATCHDOG_FIRED = 0xFF


def pointers(model: ServoModel, firmware: int) -> tuple[int, bytes]:
    """Where the indirect addresses of a servo start, and what to write there (40 bytes)."""
    table, block = model.table_for(firmware), model.block_for(firmware)
    layout = (
        ("Present Current", 2),
        ("Present Velocity", 4),
        ("Present Position", 4),
        ("Goal Position", 4),
        ("Torque Enable", 1),
        (model.error_register, 1),
        ("Bus Watchdog", 1),
        (model.temperature_register, 1),
        ("Present Input Voltage", 2),
    )
    sources = [table[name].address + k for name, size in layout for k in range(size)]
    assert len(sources) == BLOCK_BYTES
    return block.address, struct.pack(f"<{BLOCK_BYTES}H", *sources)


def data_address(model: ServoModel, firmware: int) -> int:
    """Where the block's first byte is read and written."""
    block: IndirectBlock = model.block_for(firmware)
    return block.data
