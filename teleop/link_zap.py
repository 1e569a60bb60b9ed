# SPDX-License-Identifier: Apache-2.0
"""Who may connect: the robot's answer to libzmq's question about every CURVE handshake (ZAP, ZeroMQ RFC 27)."""

from collections.abc import Sequence

from teleop.link_allowed import AllowedKeys

ENDPOINT = "inproc://zeromq.zap.01"
DOMAIN = b"humanoid_booth"
VERSION = b"1.0"
KEY_BYTES = 32


def zap_answer(request: Sequence[bytes], allowed: AllowedKeys) -> tuple[list[bytes], bool]:
    """The reply to one request, and whether it lets somebody in. The user's id is the public key, in hexadecimal.

    A request is version, id, domain, address, routing id, mechanism, credentials.
    """
    known = len(request) == 7 and request[0] == VERSION and request[2] == DOMAIN and request[5] == b"CURVE"
    if known and len(request[6]) == KEY_BYTES and allowed.name(request[6]):
        return [VERSION, request[1], b"200", b"OK", request[6].hex().encode(), b""], True
    return [VERSION, request[1] if len(request) > 1 else b"", b"400", b"key not allowed", b"", b""], False
