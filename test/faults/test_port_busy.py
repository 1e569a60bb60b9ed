# SPDX-License-Identifier: Apache-2.0
"""Fault: another driver already has the port."""

import os
import threading
from pathlib import Path

import pytest

from drivers.errors import PortError
from drivers.port import SerialPort, wait_for_port
from drivers.virtual_robot import run_virtual_robot
from robots import load_robot


def test_a_second_driver_on_one_port_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    link, stop = tmp_path / "op3", threading.Event()
    robot = load_robot("op3")
    server = threading.Thread(target=run_virtual_robot, args=(robot, link, False, lambda _: None, stop))
    server.start()
    try:
        wait_for_port(str(link), 10)
        with (
            SerialPort(str(link), robot.buses[0].baud),
            pytest.raises(PortError, match=r"in use.*one bus has one driver"),
        ):
            SerialPort(str(link), robot.buses[0].baud)
        with SerialPort(str(link), robot.buses[0].baud):
            assert os.getpid()
    finally:
        stop.set()
        server.join()
