# SPDX-License-Identifier: Apache-2.0
"""Blink a device's light, so that a person finds it in the robot; the light is left as it was."""

import time

from drivers.servo_tools import Device, RefusedError
from drivers.servo_tools_line import Sleep
from drivers.servo_tools_values import item_maximum

HALF_PERIOD_S = 0.25


def blink(device: Device, seconds: float, sleep: Sleep = time.sleep) -> None:
    """Switch every light of the device on and off, whatever ends it; Ctrl-C restores the light, too.

    Raises:
        RefusedError: the model has no light (XW540).
    """
    table = device.model.table
    lights = [item.name for item in table.items if item.name.split()[0] == "LED"]
    if not lights:
        raise RefusedError(f"{device.model.name} has no light: read its Present Position while you turn the joint")
    before = {name: device.get(name) for name in lights}
    try:
        for _ in range(max(1, round(seconds / (2 * HALF_PERIOD_S)))):
            for share in (1, 0):
                for name in lights:
                    device.put(name, share * item_maximum(table[name]))
                sleep(HALF_PERIOD_S)
    finally:
        for name, value in before.items():
            device.put(name, value)
