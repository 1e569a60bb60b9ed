# SPDX-License-Identifier: Apache-2.0
"""The bad network of the link's benchmark: packets pass and are cut as asked; the figures name what is missing."""

import os
import sys

import pytest

from bench import link
from bench.link_network import OPERATOR, ROBOT, BadNetwork, NetworkError

ECHO = """
import socket
connection, _ = socket.create_server(("10.77.0.2", 7)).accept()
while data := connection.recv(99):
    connection.sendall(data)
"""
ASK = """
import socket, sys, time
for line in sys.stdin:
    while True:
        try:
            c = socket.create_connection(("10.77.0.2", 7), 1)
            break
        except OSError:
            time.sleep(0.05)
    c.settimeout(float(line))
    try:
        c.sendall(b"hi")
        print(c.recv(9).decode(), flush=True)
    except TimeoutError:
        print("nothing", flush=True)
"""


def test_two_ends_hear_each_other_until_the_wire_is_cut() -> None:
    with BadNetwork() as net:
        try:
            net.start(ROBOT, [sys.executable, "-c", ECHO], dict(os.environ))
            asking = net.start(OPERATOR, [sys.executable, "-c", ASK], dict(os.environ))
        except NetworkError as error:
            assert "network namespace" in str(error) or "TUN" in str(error)  # this machine allows none, and it is told
            return
        assert asking.stdin is not None and asking.stdout is not None
        asking.stdin.write("20\n")
        asking.stdin.flush()
        assert asking.stdout.readline() == "hi\n"
        assert net.carried > 3
        lost = net.lost
        net.cut = True
        asking.stdin.write("1\n")
        asking.stdin.flush()
        while net.lost == lost:
            assert asking.poll() is None


def test_figures_that_could_not_be_measured_are_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_seconds: float) -> dict[str, object]:
        raise NetworkError("no network namespace: not permitted; run as root")

    monkeypatch.setattr(link, "_partitions", refuse)
    found = link._network(1.0)
    assert found["loss5_jitter50_holds"] is None
    assert found["partition_hold_p99_ms"] is None
    base = {"roundtrip_p50_ms": 1.0, "roundtrip_p99_ms": None, "garbage_delivered": 0, "garbage_connections": 5}
    text = link.describe(base | found)
    assert "not measured: no network namespace" in text
    assert "p99 none" in text
