# SPDX-License-Identifier: Apache-2.0
"""A node in a process of its own: says its name until it has heard the others, then tells how DDS carried it.

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

LAST_WORDS = 10
"""Said after it has heard all, so that the others hear it, too."""


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
    heard: set[str] = set()
    node.create_subscription(String, "chatter", lambda word: heard.add(word.data), 10)
    publisher = node.create_publisher(String, "chatter", 10)
    deadline, last_words = time.monotonic() + patience_s, LAST_WORDS
    while last_words and time.monotonic() < deadline:
        publisher.publish(String(data=name))
        rclpy.spin_once(node, timeout_sec=0.1)
        last_words -= heard >= set(others)
    shared = [line for line in Path("/proc/self/maps").read_text().splitlines() if "/dev/shm/fastrtps" in line]
    told = {"heard": sorted(heard), "sockets": datagram_sockets(), "shared_memory": shared}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3:])
