# SPDX-License-Identifier: Apache-2.0
"""The frame that is made once is always the one that the protocol would make anew."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from drivers import protocol
from drivers.group_write import SyncWrite

IDS = st.lists(st.integers(0, 252), min_size=1, max_size=20, unique=True)
BYTES = st.sampled_from([0x00, 0xFD, 0xFF, 0x55])


@given(IDS, st.sampled_from([1, 4, 80]), st.data())
def test_it_is_the_protocols_own_sync_write_time_after_time(ids: list[int], length: int, data) -> None:
    write = SyncWrite(644, length, ids)
    for values in (BYTES, st.integers(0, 255)):  # also with headers inside, then without again
        raw = np.array(
            data.draw(st.lists(values, min_size=len(ids) * length, max_size=len(ids) * length)), np.uint8
        ).reshape(len(ids), length)
        rows = [(servo, row.tobytes()) for servo, row in zip(ids, raw, strict=True)]
        assert write.encode(raw) == protocol.sync_write(644, length, rows)
    assert write.frame_bytes == len(protocol.sync_write(644, length, [(servo, bytes(length)) for servo in ids]))
