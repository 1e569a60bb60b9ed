# SPDX-License-Identifier: Apache-2.0
"""Fault: the serial port is not there."""

import pytest
from booth_cli import assert_answer, booth

from drivers.errors import PortError
from drivers.port import SerialPort


def test_opening_it_says_what_to_check() -> None:
    with pytest.raises(PortError, match=r"no serial port at /dev/no-such-port.*Check cable and power"):
        SerialPort("/dev/no-such-port", 4_000_000)


@pytest.mark.ros
def test_booth_up_ends_with_one_message_and_exit_code_3() -> None:
    ran = booth("up", "--source", "clip", "--port", "/dev/no-such-port", "--record", "off")
    assert_answer(ran, 3, "no serial port at /dev/no-such-port", "driver ended with exit code 3: the graph stops")
