# SPDX-License-Identifier: Apache-2.0
"""What the sockets of both ends have in common: short queues, short messages, quick notice of a dead connection."""

import zmq

from teleop.link_address import Address
from teleop.link_wire import LONGEST

CURVE_BYTES = 64
"""What CURVE adds to a message, with room."""
QUEUE = 4
SEND_BUFFER = 16 * 1024
"""In the kernel, bytes: what could wait there is no news any more."""
HEARTBEAT_MS, SILENT_MS = 300, 1_000


def link_socket(context: "zmq.Context[zmq.Socket[bytes]]", kind: int, address: Address) -> "zmq.Socket[bytes]":
    """A socket for this address, not bound or connected yet."""
    socket = context.socket(kind)
    socket.linger = 0
    socket.ipv6 = address.ipv6
    socket.maxmsgsize = LONGEST + CURVE_BYTES
    socket.rcvhwm = socket.sndhwm = QUEUE
    socket.sndbuf = SEND_BUFFER
    socket.heartbeat_ivl, socket.heartbeat_timeout, socket.heartbeat_ttl = HEARTBEAT_MS, SILENT_MS, SILENT_MS
    return socket
