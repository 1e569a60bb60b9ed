# SPDX-License-Identifier: Apache-2.0
"""A node in a process of its own: says whom it has heard until it and all others have heard each other, then tells how
DDS carried it.

Arguments: its name, seconds of patience, the names to hear. One line of JSON to standard output: the names heard, the
sockets (address, bytes of receive buffer), the mapped pieces of shared memory.
"""

import json
import os
import socket
import sys
import time
from pathlib import Path

import rclpy
from std_msgs.msg import String

LAST_WORDS_S = 2.0
"""It goes on for so long after it knows that all have heard it, so that they know it, too."""


def datagram_sockets() -> list[tuple[str, int]]:
    """Address and receive buffer [bytes, the kernel's double] of every UDP socket that is bound."""
    found = []
    for link in list(Path("/proc/self/fd").iterdir()):
        if not link.is_socket():
            continue
        with socket.socket(fileno=os.dup(int(link.name))) as opened:
            if opened.family == socket.AF_INET and opened.type == socket.SOCK_DGRAM and opened.getsockname()[1]:
                room = opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
                found.append((opened.getsockname()[0], room))
    return found


def main(name: str, patience_s: float, others: list[str]) -> None:
    rclpy.init()
    node = rclpy.create_node(name)
    told: dict[str, set[str]] = {}
    node.create_subscription(String, "chatter", lambda word: told.update([_parsed(word.data)]), 10)
    publisher = node.create_publisher(String, "chatter", 10)
    end = time.monotonic() + patience_s
    known = False
    while time.monotonic() < end:
        publisher.publish(String(data=" ".join([name, *told])))
        rclpy.spin_once(node, timeout_sec=0.1)
        if not known and all({name, *others} <= told.get(other, set()) | {other} for other in others):
            known, end = True, time.monotonic() + LAST_WORDS_S
    shared = [line for line in Path("/proc/self/maps").read_text().splitlines() if "/dev/shm/fastrtps" in line]
    facts = {"heard": sorted({*told} - {name}), "sockets": datagram_sockets(), "shared_memory": shared}
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
    os._exit(0)


def _parsed(text: str) -> tuple[str, set[str]]:
    """Who speaks, and whom they have heard."""
    speaker, *heard = text.split(" ")
    return speaker, set(heard)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3:])
