# SPDX-License-Identifier: Apache-2.0
"""Fault: somebody sends what is no message of the link (row 15). All of it is refused and counted, nothing of it moves
anything, and it costs no memory."""

import os
import re
import socket
import struct
import time
from pathlib import Path
from zlib import crc32

import link_ends
import numpy as np
import pytest
import zmq
from counted import counted
from hypothesis import given, settings
from hypothesis import strategies as st
from link_clouds import body, hands

from graph.faults import FaultCode
from teleop.link_gate import LinkGate
from teleop.link_keys import KeyPair, new_key
from teleop.link_source import LinkSource
from teleop.link_wire import LONGEST, Beat, Head, Landmarks, RobotStatus, WireError, decode, encode

MIXED = counted(20_000, 1_000_000)
CONNECTIONS = counted(300, 100_000)
LARGEST_GROWTH = 10 * 1024 * 1024
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def own_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def resident_bytes() -> int:
    """Memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def valid(rng: np.random.Generator) -> bytes:
    """A message of some kind, as an operator or a robot would send it."""
    head = Head(*(int(each) for each in rng.integers(1, 2**40, 3)), 10**12, 10**12, 5)
    contents = (Beat(), Landmarks(10**11, hands(rng)), Landmarks(10**11, body(rng)), RobotStatus("READY", "why"))
    return encode(head, contents[rng.integers(len(contents))])


def mutated(rng: np.random.Generator, data: bytes) -> bytes:
    """Cut, longer, with other bytes, and every other time with a check sum that is right for what it became."""
    bad = bytearray(data)
    for _ in range(int(rng.integers(1, 8))):
        bad[rng.integers(len(bad))] = rng.integers(256)
    if rng.random() < 0.2:
        bad = bad[: rng.integers(len(bad))]
    if rng.random() < 0.1:
        bad += rng.bytes(int(rng.integers(1, 2000)))
    if rng.random() < 0.5 and len(bad) > 4:
        bad[-4:] = struct.pack("<I", crc32(bytes(bad[:-4])))
    return bytes(bad)


def test_mutated_messages_are_refused_by_name_or_are_possible_ones() -> None:
    """Whatever is read can be written again, and means the same."""
    rng, seeds = np.random.default_rng(15), [valid(np.random.default_rng(k)) for k in range(200)]
    words: set[str] = set()
    for k in range(MIXED):
        data = mutated(rng, seeds[k % len(seeds)])
        try:
            head, content = decode(data)
        except WireError as error:
            words.add(error.kind)
        else:
            again = encode(head, content)
            assert len(again) == len(data)
            assert encode(*decode(again)) == again
    assert words >= {"length", "magic", "version", "crc", "range"}


@settings(max_examples=counted(300, 100_000))
@given(st.binary(max_size=2 * LONGEST))
def test_any_bytes_at_all_are_refused_by_name(data: bytes) -> None:
    with pytest.raises(WireError):
        decode(data)


def test_nothing_of_it_counts_at_the_gate_and_all_of_it_is_counted() -> None:
    rng, gate, beats = np.random.default_rng(1), LinkGate(), 0
    times = counted(2000, 100_000)
    for k in range(times):
        data = mutated(rng, valid(rng)) if k % 2 else rng.bytes(int(rng.integers(1500)))
        head, arrival = gate.see(data, "ana", 10**12 + k)
        assert arrival is None
        beats += head is not None
    assert gate.refused.total() >= times - beats > 0.8 * times
    assert gate.accepted == 0


def test_garbage_on_the_port_reaches_nobody_and_costs_no_memory() -> None:
    rng = np.random.default_rng(2)
    with link_ends.robot() as robot, link_ends.operator(robot.port, robot.ana, robot.key.public) as ana:
        frame = 0

        def passes() -> bool:
            nonlocal frame
            frame += 1
            ana.put(hands(rng, frame), time.monotonic_ns())
            return bool(robot.arrivals) and robot.arrivals[-1][1].cloud["frame"][0, 0] > frame - 50

        link_ends.until(passes, "landmarks")
        for k in range(min(200, CONNECTIONS)):
            garbage(rng, robot.port, k)
        before = resident_bytes()
        for k in range(CONNECTIONS):
            garbage(rng, robot.port, k)
            if k % 100 == 0:
                link_ends.until(passes, "landmarks beside the garbage")
        link_ends.until(lambda: robot.link.report.garbage >= CONNECTIONS, "the count of it")
        assert resident_bytes() - before < LARGEST_GROWTH
        assert all(arrival.cloud["frame"][0, 0] <= frame for _, arrival in robot.arrivals)
        assert dict(robot.link.report.refused).keys() <= {"late"}
        link_ends.until(passes, "landmarks after the garbage")


def garbage(rng: np.random.Generator, port: int, number: int) -> None:
    """One connection of somebody who speaks something else, or a little of ZMTP."""
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00" + (b"NULL" if number % 2 else b"CURVE").ljust(20, b"\0") + bytes(32)
    openings = (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x01\x00", greeting, greeting + b"\x04\x26\x05READY", b"\xff" * 64)
    with socket.create_connection(("127.0.0.1", port)) as stranger:
        if number % 8:  # most are reset, so that a hundred thousand leave no ports waiting
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            stranger.sendall(openings[number % len(openings)] + rng.bytes(int(rng.integers(0, 4096))))
        except OSError:
            return


class Peer:
    """Somebody with a socket of their own who sends what they like."""

    def __init__(self, port: int, key: KeyPair | None, server: bytes) -> None:
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        if key is not None:
            self.socket.curve_serverkey = server
            self.socket.curve_publickey, self.socket.curve_secretkey = key.public, key.secret
        self.socket.connect(f"tcp://127.0.0.1:{port}")

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close(0)
        self.context.term()


def test_a_key_that_is_not_allowed_and_no_key_are_refused_and_counted() -> None:
    with link_ends.robot() as robot:
        stranger = new_key("stranger")
        with Peer(robot.port, stranger, robot.key.public) as peer:
            peer.socket.send(valid(np.random.default_rng(0)))
            link_ends.until(lambda: robot.link.report.keys_refused, "the refused key")
        with Peer(robot.port, None, b"") as peer:
            peer.socket.send(valid(np.random.default_rng(0)))
            link_ends.until(lambda: robot.link.report.garbage >= 2, "the connection without a key")
        with Peer(robot.port, robot.ana, new_key("other_robot").public) as peer:
            peer.socket.send(valid(np.random.default_rng(0)))
            link_ends.until(lambda: robot.link.report.garbage >= 3, "the wrong robot's key")
        assert robot.arrivals == []
        assert robot.link.report.refused == ()


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "length"),
        (b"x" * (LONGEST + 1), "length"),
        (b"PIKL" + valid(np.random.default_rng(1))[4:], "magic"),
        (valid(np.random.default_rng(1))[:4] + b"\x02" + valid(np.random.default_rng(1))[5:], "version"),
        (valid(np.random.default_rng(1))[:-1] + b"\0", "crc"),
        (encode(Head(1, 2, 3, 4), RobotStatus("ENGAGED")), "kind"),
        (encode(Head(1, 2, 3, 4), Landmarks(3, hands(np.random.default_rng(1)))), "session"),
    ],
    ids=["empty", "long", "magic", "version", "crc", "kind", "session"],
)
def test_an_allowed_key_that_sends_nonsense_is_counted_by_what_was_wrong(data: bytes, word: str) -> None:
    with link_ends.robot() as robot, Peer(robot.port, robot.ana, robot.key.public) as peer:
        peer.socket.send(data)
        link_ends.until(lambda: dict(robot.link.report.refused).get(word) == 1, word)
        assert robot.arrivals == []


def test_what_is_longer_than_any_message_ends_its_connection() -> None:
    with link_ends.robot() as robot, Peer(robot.port, robot.ana, robot.key.public) as peer:
        peer.socket.send(b"x" * 100_000)
        link_ends.until(lambda: robot.link.report.connections == 2, "a new connection after it")
        peer.socket.send_multipart([b"two", b"frames"])
        link_ends.until(lambda: dict(robot.link.report.refused).get("shape") == 1, "what came on it")
        assert robot.arrivals == []
        assert "length" not in dict(robot.link.report.refused)


def test_the_tracker_names_it_and_goes_on() -> None:
    robot_key, ana = new_key("robot"), new_key("ana")
    link_ends.allow(ana.public, "ana")
    port, rng = link_ends.free_port(), np.random.default_rng(3)
    source = LinkSource(f"tcp://:{port}", "robot", lambda _arrival: None)
    source.start()
    try:
        assert source.state().code == ""
        for k in range(5):
            garbage(rng, port, k)
        link_ends.until(lambda: source.state().code == FaultCode.LINK_GARBAGE.value, "the fault's name")
        state = source.state()
        assert state.reason == ""
        assert re.search(r"refused: [1-9]\d* connections without a key", str(state.values["warning"]))
        with link_ends.operator(port, ana, robot_key.public) as operator:
            link_ends.until(lambda: operator.view.connected, "an operator all the same")
    finally:
        source.close()


def test_no_source_of_the_link_could_execute_what_it_reads() -> None:
    sources = [*ROOT.glob("teleop/link_*.py"), *ROOT.glob("booth/*keys.py"), ROOT / "booth/track_far.py"]
    assert len(sources) >= 12
    for path in sources:
        banned = re.search(r"pickle|\beval\b|\bexec\b|yaml|marshal|recv_pyobj|recv_json|shelve", path.read_text())
        assert banned is None, f"{path}: {banned}"
