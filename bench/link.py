# SPDX-License-Identifier: Apache-2.0
"""The link to a far operator: round trip, hold after a partition, a lossy network, and strangers on the port.

Two processes with the real ends of the link; the robot's has the real driver on virtual servos. Loss and partitions are
made between two network namespaces by `bench.link_network`; garbage and the round trip on the loopback interface.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any

import numpy as np

from bench.link_ends import KEYS, hurry
from bench.link_network import OPERATOR, ROBOT, BadNetwork, NetworkError
from booth.output import Progress, say
from graph.nodes import FAR_TTL_MS
from teleop.link_allowed import allow
from teleop.link_keys import new_key
from teleop.link_sender import BEAT_NS, CONNECTIONS

PORT = 5555
SETTLE_S = 3.0
LOSS, JITTER_MS = 0.05, 50.0
CUT_S, BETWEEN_S = (0.3, 0.6, 1.0, 2.0), 2.0
GARBAGE = 2000
END_S = 30.0
NS_PER_MS = 1_000_000

Figures = dict[str, object]
End = subprocess.Popen[str]


def measure(seconds: float) -> Figures:
    """All of it; ``seconds`` for the lossy network, half of it for partitions.

    Where no network namespace can be made, the figures of the bad network are None and ``network`` says why.
    """
    hurry()
    before = os.environ.get("XDG_CONFIG_HOME")
    with tempfile.TemporaryDirectory() as directory:
        os.environ["XDG_CONFIG_HOME"] = directory
        try:
            new_key(KEYS[0])
            allow(new_key(KEYS[1]).public, KEYS[1])
            return _round_trip(min(seconds, 10.0)) | _garbage() | _network(seconds)
        finally:
            os.environ.pop("XDG_CONFIG_HOME")
            if before is not None:
                os.environ["XDG_CONFIG_HOME"] = before


def describe(figures: Mapping[str, object]) -> str:
    """The figures for people."""
    rows = {
        "round trip here": f"p50 {_ms(figures, 'roundtrip_p50_ms')}, p99 {_ms(figures, 'roundtrip_p99_ms')}",
        "strangers": f"{figures['garbage_connections']} connections, {figures['garbage_delivered']} messages in",
    }
    if figures["network"] != "namespaces":
        rows["bad network"] = f"not measured: {figures['network']}"
    else:
        gaps = f"p99 {_ms(figures, 'loss5_jitter50_gap_p99_ms')}, longest {_ms(figures, 'loss5_jitter50_gap_max_ms')}"
        rows["partitions"] = (
            f"{figures['partitions']}; held {_ms(figures, 'partition_hold_p99_ms')} (p99) after the last landmarks"
        )
        rows["5 % loss, 0-50 ms each way"] = (
            f"{figures['loss5_jitter50_holds']} holds in {figures['loss5_jitter50_s']} s; between landmarks {gaps}"
        )
    return "\n".join(f"{name:30} {text}" for name, text in rows.items())


def _ms(figures: Mapping[str, object], name: str) -> str:
    value = figures[name]
    return f"{value:.1f} ms" if isinstance(value, float) else "none"


def _round_trip(seconds: float) -> Figures:
    with _ends(None, f"tcp://127.0.0.1:{_free_port()}") as (robot, operator):
        _wait("round trip", SETTLE_S + seconds)
        trips = _finish(operator)["round_trips_ms"]
        _finish(robot)
    return {"roundtrip_p50_ms": _percentile(trips, 50), "roundtrip_p99_ms": _percentile(trips, 99)}


def _garbage() -> Figures:
    """Strangers' connections to a robot that nobody operates: whatever it counts or refuses has come through."""
    port, rng = _free_port(), Random(0)
    robot = _start(None, "", ["robot", f"tcp://127.0.0.1:{port}", str(FAR_TTL_MS)])
    _wait("strangers", SETTLE_S)
    for _ in range(GARBAGE):
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.sendall(rng.randbytes(rng.randrange(1, 2000)))
    _wait("strangers", SETTLE_S + 1.0)
    report = _finish(robot)["report"]
    delivered = report["accepted"] + report["repeated"] + sum(count for _, count in report["refused"])
    return {
        "garbage_connections": report["connections"],
        "garbage_counted": report["garbage"],
        "garbage_delivered": delivered,
    }


def _network(seconds: float) -> Figures:
    names = ("partition_hold_p99_ms", "partitions", "loss5_jitter50_holds", "loss5_jitter50_s")
    nothing: Figures = dict.fromkeys(names)
    try:
        return {"network": "namespaces"} | _partitions(seconds / 2) | _lossy(seconds)
    except NetworkError as error:
        say(f"bench: the bad network can't be made: {error}")
        return nothing | {"network": str(error)}


def _partitions(seconds: float) -> Figures:
    with BadNetwork() as net, _ends(net, f"tcp://{ROBOT}:{PORT}") as (robot, operator):
        net.delay_ms = 1.0
        _wait("partitions", SETTLE_S)
        begin, count, progress = time.monotonic(), 0, Progress("partitions")
        while (passed := time.monotonic() - begin) < seconds or count < len(CUT_S):
            progress.show(min(passed / seconds, count / len(CUT_S)), f"{count} cuts")
            net.cut = True
            time.sleep(CUT_S[count % len(CUT_S)])
            net.cut = False
            count += 1
            time.sleep(BETWEEN_S)
        progress.done()
        _finish(operator)
        holds_ms = _finish(robot)["holds_ms"]
    return {"partition_hold_p99_ms": _percentile(holds_ms, 99), "partitions": count, "partition_holds": len(holds_ms)}


def _lossy(seconds: float) -> Figures:
    with BadNetwork() as net, _ends(net, f"tcp://{ROBOT}:{PORT}") as (robot, operator):
        _wait("lossy network", SETTLE_S)
        net.loss, net.jitter_ms = LOSS, JITTER_MS
        _wait("lossy network", seconds)
        trips = _finish(operator)["round_trips_ms"]
        figures = _finish(robot)
        lost = net.lost / max(1, net.lost + net.carried)
    gaps_ms = figures["gaps_ms"]
    return {
        "loss5_jitter50_holds": len(figures["holds_ms"]),
        "loss5_jitter50_s": seconds,
        "loss5_jitter50_lost_share": lost,
        "loss5_jitter50_gap_p99_ms": _percentile(gaps_ms, 99),
        "loss5_jitter50_gap_max_ms": max(gaps_ms, default=None),
        "loss5_jitter50_roundtrip_p50_ms": _percentile(trips, 50),
        "loss5_jitter50_late": dict(figures["report"]["refused"]).get("late", 0),
    }


@contextmanager
def _ends(net: BadNetwork | None, address: str) -> Iterator[tuple[End, End]]:
    """Both ends; what still runs afterwards is ended."""
    ends: list[End] = []
    try:
        ends.append(_start(net, ROBOT, ["robot", address, str(FAR_TTL_MS)]))
        ends.append(_start(net, OPERATOR, ["operator", address, str(CONNECTIONS), str(BEAT_NS / NS_PER_MS)]))
        yield ends[0], ends[1]
    finally:
        for end in ends:
            end.kill()
            end.wait()


def _start(net: BadNetwork | None, at: str, words: list[str]) -> End:
    command = [sys.executable, "-m", "bench.link_ends", *words]
    if net is not None:
        return net.start(at, command, dict(os.environ))
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _finish(end: End) -> dict[str, Any]:
    """End one side by the end of its input; what it says."""
    out, _ = end.communicate(timeout=END_S)
    figures: dict[str, Any] = json.loads(out.splitlines()[-1])
    return figures


def _wait(what: str, seconds: float) -> None:
    progress, begin = Progress(what), time.monotonic()
    while (passed := time.monotonic() - begin) < seconds:
        progress.show(passed / seconds)
        time.sleep(min(0.1, seconds - passed))
    progress.done()


def _percentile(values: object, share: float) -> float | None:
    found = np.asarray(values, np.float64)
    return float(np.percentile(found, share)) if len(found) else None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
