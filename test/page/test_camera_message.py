# SPDX-License-Identifier: Apache-2.0
"""A picture and its landmarks travel together."""

import json
import struct

import numpy as np

from booth.page.camera_message import pack


def unpack(data: bytes) -> tuple[dict, bytes]:
    (length,) = struct.unpack_from("<I", data)
    return json.loads(data[4 : 4 + length]), data[4 + length :]


def test_header_and_picture_come_apart_again() -> None:
    points, body = np.linspace(0, 1, 42).reshape(21, 2), np.linspace(0, 1, 99).reshape(33, 3)
    told = {"key": "hint.light", "args": {}, "text": "light"}
    header, jpeg = unpack(pack(b"\xff\xd8picture", {"right": (points, 0.973)}, body, told))
    assert jpeg == b"\xff\xd8picture"
    assert header["hands"]["right"]["score"] == 0.973
    np.testing.assert_allclose(header["hands"]["right"]["points"], points, atol=1e-4)
    np.testing.assert_allclose(header["body"], body, atol=1e-4)
    assert header["hint"] == told


def test_nobody_is_an_empty_header() -> None:
    header, jpeg = unpack(pack(b"", {}, None, None))
    assert (header, jpeg) == ({"hands": {}, "body": None, "hint": None}, b"")
