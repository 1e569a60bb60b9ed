# SPDX-License-Identifier: Apache-2.0
"""The sync write of the cyclic path: a frame made once, of which only data and CRC change."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drivers import protocol
from drivers.protocol_frame import BODY_OFFSET, crc16

DATA_OFFSET = 12
"""Header 4, ID, length 2, instruction, address 2, length 2."""


class SyncWrite:
    """A sync write of ``length`` bytes at ``address`` to fixed devices."""

    def __init__(self, address: int, length: int, ids: Sequence[int]) -> None:
        self.ids, self._address, self._length = tuple(ids), address, length
        plain = [(servo, b"\0" * length) for servo in ids]
        self._frame = bytearray(protocol.sync_write(address, length, plain))
        self.frame_bytes = len(self._frame)
        body = np.frombuffer(self._frame, np.uint8)[DATA_OFFSET:-2].reshape(len(ids), 1 + length)
        self._data = body[:, 1:]

    def encode(self, data: NDArray[np.uint8]) -> bytes:
        """The frame with ``data`` (devices, length)."""
        self._data[:] = data
        frame = self._frame
        if b"\xff\xff\xfd" in memoryview(frame)[BODY_OFFSET:-2].tobytes():
            rows = [(servo, row.tobytes()) for servo, row in zip(self.ids, data, strict=True)]
            return protocol.sync_write(self._address, self._length, rows)
        crc = crc16(bytes(memoryview(frame)[:-2]))
        frame[-2:] = crc.to_bytes(2, "little")
        return bytes(frame)
