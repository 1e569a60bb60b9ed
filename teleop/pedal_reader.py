# SPDX-License-Identifier: Apache-2.0
"""A pedal that may be unplugged and plugged in again at any time; polled, handed the time."""

from pathlib import Path

from teleop.pedal import EVENT, Pedal
from teleop.pedal_device import BY_ID, PedalDevice, PedalError, find_pedal

RETRY_NS = 500_000_000
MOST_READS = 16
"""At one poll: a device gone mad must not stop what else is to be done."""
LET_GO = "the pedal is pressed: let it go once, then it counts"


class PedalReader:
    """Looks for the device until it is there, reads it, looks for it again when it is gone.

    Attributes:
        pedal: what the foot does.
        problem: why there is none, for people; empty while there is one.
        path: the device file, None while there is none.
    """

    def __init__(self, device: str, directory: Path = BY_ID) -> None:
        self._name, self._directory = device, directory
        self._device: PedalDevice | None = None
        self._retry_at_ns = 0
        self.pedal = Pedal()
        self.problem = f"looking for the pedal {device}"

    @property
    def path(self) -> Path | None:
        """Where it was found."""
        return None if self._device is None else self._device.path

    @property
    def reason(self) -> str:
        """What a person should know or do; empty when all is well."""
        return self.problem or (LET_GO if self.pedal.to_let_go else "")

    def poll(self, now_ns: int) -> None:
        """Read what has come; call it often."""
        try:
            if self._device is None:
                if now_ns < self._retry_at_ns:
                    return
                self._plug_in(self._device_of_its_name())
            self._read(now_ns)
        except PedalError as error:
            self.close()
            self.problem, self._retry_at_ns = str(error), now_ns + RETRY_NS
            return
        self.pedal.tick(now_ns)

    def close(self) -> None:
        """Give the device back; nothing is pressed any more."""
        self.pedal.unplug()
        if self._device is not None:
            self._device.close()
            self._device = None

    def _device_of_its_name(self) -> PedalDevice:
        return PedalDevice(find_pedal(self._name, self._directory))

    def _plug_in(self, device: PedalDevice) -> None:
        self._device, self.problem = device, ""
        self.pedal.plug_in(device.held())

    def _read(self, now_ns: int) -> None:
        assert self._device is not None
        for _ in range(MOST_READS):
            data = self._device.read(EVENT.size)
            if not data:
                return
            self.pedal.feed(data, now_ns)
            if self.pedal.lost_events:
                self.pedal.plug_in(self._device.held())
