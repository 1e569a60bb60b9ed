# SPDX-License-Identifier: Apache-2.0
"""An operator far away as a source of landmarks: the link's state in the words of the tracker's node."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict

from graph.faults import FaultCode
from teleop.link_address import listening
from teleop.link_allowed import AllowedKeys, allowed_path
from teleop.link_gate import Arrival
from teleop.link_keys import ROBOT, load_key
from teleop.link_receiver import LinkReceiver, LinkReport
from teleop.link_wire import RobotStatus
from teleop.operator_source import SourceState
from teleop.rates import TrackerCounts

MS = 1_000_000
LOST_NS = 150 * MS
"""Without landmarks for so long the link is called lost."""
GARBAGE_NS = 2_000 * MS
"""A refused message or connection is told for so long."""
HARMLESS = ("busy", "late", "clock")
"""What an operator's own program may cause: one that waits, packets that came too late, a laptop that slept."""


def check_link(address: str, key: str = ROBOT) -> None:
    """Make sure that a robot could listen, before anything starts.

    Raises:
        InputError: address, key, or list of allowed keys can't be used.
    """
    listening(address)
    load_key(key)
    allowed = AllowedKeys(allowed_path())
    allowed.require()


class LinkSource:
    """Listens at ``address`` with the key pair of that name; ``deliver`` is called in the link's thread."""

    def __init__(self, address: str, key: str, deliver: Callable[[Arrival], None]) -> None:
        """Open the address.

        Raises:
            InputError: address, key, or list of allowed keys can't be used.
        """
        self._address = listening(address)
        self._deliver = deliver
        self._counts, self._body_counts = TrackerCounts(), TrackerCounts()
        self._refused, self._refused_ns = 0, 0
        self._receiver = LinkReceiver(self._address, load_key(key), AllowedKeys(allowed_path()), self._see)

    @property
    def report(self) -> LinkReport:
        """The link now."""
        return self._receiver.report

    def start(self) -> None:
        """Begin."""
        self._receiver.start()

    def close(self) -> None:
        """Stop listening; may be called again."""
        self._receiver.close()

    def tell(self, word: str, reason: str) -> None:
        """What the operator is told of the robot."""
        self._receiver.tell(RobotStatus(word, reason))

    def facts(self) -> Mapping[str, object]:
        """Who operates from where, and how well the clocks agree, for provenance."""
        report = self.report
        offset = None if report.offset is None else asdict(report.offset)
        return {"source": str(self._address), "link": {"operator_key": report.user, "clock": offset}}

    def state(self) -> SourceState:
        """How it goes."""
        self._receiver.check()
        report, now_ns = self.report, time.monotonic_ns()
        silent_ns = now_ns - report.good_ns if report.good_ns else 0
        refused = _refused(report)
        if refused != self._refused:
            self._refused, self._refused_ns = refused, now_ns
        garbage = self._refused_ns > 0 and now_ns - self._refused_ns < GARBAGE_NS
        values = {**self._values(report), "warning": _warning(report) if garbage or report.problem else ""}
        if silent_ns > LOST_NS:
            reason = f"no landmarks from {report.user} for {silent_ns // MS} ms: network, or a covered camera there?"
            return SourceState("NO_IMAGE", reason, FaultCode.LINK_LOST.value, values)
        code = FaultCode.LINK_GARBAGE.value if garbage else ""
        return SourceState("TRACKING" if report.good_ns else "STARTING", "", code, values)

    def _see(self, arrival: Arrival) -> None:
        cloud = arrival.cloud
        counts = self._counts if arrival.hands else self._body_counts
        found = not bool((cloud["x"] != cloud["x"]).all())
        counts.add(arrival.capture_ns, found, float(cloud["inference_ms"][0, 0]))
        self._deliver(arrival)

    def _values(self, report: LinkReport) -> dict[str, object]:
        offset = report.offset
        return {
            **self._counts.summary(),
            "body_frames": self._body_counts.frames,
            "link_operator": report.user,
            "link_round_trip_ms": f"{report.round_trip_ns * 1e-6:.1f}",
            "link_clock_offset_ns": "" if offset is None else offset.offset_ns,
            "link_clock_uncertainty_ms": "" if offset is None else f"{offset.uncertainty_ns * 1e-6:.2f}",
            "link_clock_steps": report.clock_steps,
            "link_accepted": report.accepted,
            "link_repeated": report.repeated,
            "link_refused": ", ".join(f"{word} {count}" for word, count in report.refused),
            "link_connections": report.connections,
            "link_garbage_connections": report.garbage,
            "link_keys_refused": report.keys_refused,
        }


def _refused(report: LinkReport) -> int:
    """Everything that did not come from an operator who may."""
    return report.garbage + report.keys_refused + sum(n for word, n in report.refused if word not in HARMLESS)


def _warning(report: LinkReport) -> str:
    if report.problem:
        return report.problem
    return (
        f"refused: {report.garbage} connections without a key, {report.keys_refused} keys that are not allowed, "
        f"{sum(n for word, n in report.refused if word not in HARMLESS)} messages"
    )
