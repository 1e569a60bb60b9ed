# SPDX-License-Identifier: Apache-2.0
"""A pedal that is a named pipe: it can be pressed, unplugged and plugged in again."""

import os
from pathlib import Path

from teleop.pedal import DOWN, EV_KEY, EV_SYN, EVENT, UP

NAME = "usb-PCsensor_FootSwitch-event-kbd"


class FakePedal:
    """Its device file lies in a directory that takes the place of /dev/input/by-id."""

    def __init__(self, directory: Path, name: str = NAME) -> None:
        self.path = directory / name
        self._fd = -1
        self.plug_in()

    def plug_in(self) -> None:
        """The file appears under a name of its own first, so that nobody finds it without its other end."""
        coming = self.path.with_name("coming")
        os.mkfifo(coming)
        self._fd = os.open(coming, os.O_RDWR | os.O_NONBLOCK)
        coming.rename(self.path)

    def unplug(self) -> None:
        """The file goes, and readers see the end."""
        self.path.unlink()
        os.close(self._fd)

    def press(self) -> None:
        """A foot comes down."""
        self._write(DOWN)

    def let_go(self) -> None:
        """It goes up again."""
        self._write(UP)

    def _write(self, value: int) -> None:
        os.write(self._fd, EVENT.pack(0, 0, EV_KEY, 30, value) + EVENT.pack(0, 0, EV_SYN, 0, 0))
