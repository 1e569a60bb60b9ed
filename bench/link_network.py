# SPDX-License-Identifier: Apache-2.0
"""A bad network of our own: two network namespaces, and between them this process, which carries every IP packet from
one TUN device to the other, later, or not at all. Real kernels' TCP on both sides; nothing leaves the machine.

`tc netem` would do the same where the kernel has it; this needs nothing but /dev/net/tun.
"""

import ctypes
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from heapq import heappop, heappush
from pathlib import Path
from random import Random
from threading import Lock, Thread

from graph.errors import BoothError

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
TUN, DEVICE = "/dev/net/tun", "link0"
OPERATOR, ROBOT = "10.77.0.1", "10.77.0.2"
MTU, MOST_WAITING = 1500, 1000
NS_PER_MS = 1_000_000


class NetworkError(BoothError):
    """No network namespace can be made here. Scenarios: not root and no user namespaces, no TUN device."""


class BadNetwork:
    """Two ends, each a process in a namespace of its own, and the wire between them; a context manager.

    Attributes:
        loss: share of the packets of either way that are lost.
        delay_ms: every packet takes so long, and up to ``jitter_ms`` more, at random; packets may overtake each other.
        cut: nothing comes through at all.
        carried, lost: packets.
    """

    def __init__(self, seed: int = 0) -> None:
        self.loss = self.delay_ms = self.jitter_ms = 0.0
        self.cut = False
        self.carried = self.lost = 0
        self._random = Random(seed)
        self._lock = Lock()
        self._processes: list[subprocess.Popen[str]] = []
        self._ends: list[int] = []
        self._stopping = False
        self._thread = Thread(target=self._carry, name="wire", daemon=True)

    def __enter__(self) -> "BadNetwork":
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(timeout=5.0)
        if self._thread.is_alive():
            self._thread.join()
        for end in self._ends:
            os.close(end)

    def start(self, address: str, command: Sequence[str], environ: dict[str, str]) -> "subprocess.Popen[str]":
        """Start a program at one end; the second one starts the wire.

        Raises:
            NetworkError: no namespace, or no device in it.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with ours, theirs:
            entry = [sys.executable, "-m", "bench.link_network", str(theirs.fileno()), address, *command]
            process = subprocess.Popen(
                entry,
                env=environ,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self._processes.append(process)
            theirs.close()
            data, handles, _, _ = socket.recv_fds(ours, 512, 1)
        if not handles:
            raise NetworkError(data.decode() or "the process of one end ended at once")
        self._ends.append(handles[0])
        if len(self._ends) == 2:
            self._thread.start()
        return process

    def _carry(self) -> None:
        """The wire: packets wait in the order in which they are due."""
        waiting: list[tuple[int, int, int, bytes]] = []
        number = 0
        while not self._stopping:
            now_ns = time.monotonic_ns()
            while waiting and waiting[0][0] <= now_ns:
                _, _, end, packet = heappop(waiting)
                os.write(end, packet)
            wait_s = min(0.02, max(0.0, (waiting[0][0] - now_ns) * 1e-9)) if waiting else 0.02
            readable, _, _ = select.select(self._ends, [], [], wait_s)
            for end in readable:
                packet = os.read(end, MTU + 100)
                if self.cut or self._random.random() < self.loss or len(waiting) >= MOST_WAITING:
                    self.lost += 1
                    continue
                number += 1
                self.carried += 1
                late_ns = round((self.delay_ms + self._random.random() * self.jitter_ms) * NS_PER_MS)
                other = self._ends[1 - self._ends.index(end)]
                heappush(waiting, (time.monotonic_ns() + late_ns, number, other, packet))


def _own_namespace() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) == 0:
        return
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        raise NetworkError(f"no network namespace: {os.strerror(ctypes.get_errno())}; run as root")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def _device(address: str) -> int:
    """A TUN device in this namespace with this address; its other end is the handle."""
    try:
        tun = os.open(TUN, os.O_RDWR)
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
        for words in (("link", "set", "lo", "up"), ("addr", "add", f"{address}/24", "dev", DEVICE)):
            subprocess.run(["ip", *words], check=True, capture_output=True)
        subprocess.run(["ip", "link", "set", DEVICE, "mtu", str(MTU), "up"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NetworkError(f"no TUN device: {error}") from error
    return tun


def main(argv: Sequence[str]) -> None:
    """At one end: make the namespace, hand the device's handle to the wire, become the program."""
    channel, address, *command = argv
    with socket.socket(fileno=int(channel)) as wire:
        try:
            _own_namespace()
            socket.send_fds(wire, [b"ok"], [_device(address)])
        except NetworkError as error:
            wire.send(str(error).encode()[:512])
            sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
