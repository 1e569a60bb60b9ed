# SPDX-License-Identifier: Apache-2.0
"""One virtual servo of every family, with a hand, on one pseudo-terminal."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from drivers.bus import Identity
from drivers.control_table import control_table
from drivers.hardware_error import Cause
from drivers.servo_model import servo_model
from drivers.virtual_build import FIRMWARE, virtual_servo
from drivers.virtual_bus import VirtualBus
from drivers.virtual_hand import VirtualHandController
from drivers.virtual_robot import VirtualRobotServer

BAUD = 1_000_000
SERVOS = (
    (1, "xm430_w350", 50, 2148),
    (2, "xm430_w350", 44, 1948),
    (3, "xl330_m288", 52, 2300),
    (4, "xl330_m288", 53, 1800),
    (5, "xh540_v150", 50, 2100),
    (6, "ph42_020_s300", 14, 12_345),
    (7, "rh_p12_rn", 14, 345),
    (8, "ym080_230_r099", 10, -23_456),
    (9, "ym080_230_b001", 10, 34_567),
)
"""ID, model, firmware, position. One X430 is from before fast reads."""
HAND, HAND_ID, FINGER, FINGER_ID = "hx5_d20_right", 110, "xm335_t323", 111


def identities() -> dict[int, Identity]:
    """Who will answer a ping."""
    found = {number: Identity(servo_model(name).table.model_number, firmware) for number, name, firmware, _ in SERVOS}
    found[HAND_ID] = Identity(control_table(HAND).model_number, FIRMWARE[HAND])
    found[FINGER_ID] = Identity(servo_model(FINGER).table.model_number, FIRMWARE[FINGER])
    return found


@contextmanager
def virtual_line() -> Iterator[tuple[str, Callable[[int], None]]]:
    """The pseudo-terminal, and a way to break a servo: an overload, as from outside."""
    servos = [
        virtual_servo(servo_model(name), number, firmware=firmware, baud=BAUD, position_ticks=position)
        for number, name, firmware, position in SERVOS
    ]
    finger = virtual_servo(
        servo_model(FINGER), FINGER_ID, firmware=FIRMWARE[FINGER], baud=BAUD, operating_mode=5, drive_mode=12
    )
    hand = VirtualHandController(control_table(HAND), HAND_ID, [finger], firmware=FIRMWARE[HAND], baud=BAUD)
    bus, stop = VirtualBus([*servos, finger, hand], BAUD), threading.Event()
    by_id = {servo.id: servo for servo in [*servos, finger]}

    def break_it(servo_id: int) -> None:
        with bus.lock:
            by_id[servo_id].fail(Cause.OVERLOAD, time.monotonic_ns())

    with VirtualRobotServer(bus, strict_baud=True) as server:
        thread = threading.Thread(target=server.serve, args=(stop,), name="virtual-line")
        thread.start()
        try:
            yield server.path, break_it
        finally:
            stop.set()
            thread.join()
