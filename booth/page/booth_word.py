# SPDX-License-Identifier: Apache-2.0
"""The one word that says how things stand, and why: what an operator reads from three metres."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import isfinite

from graph.faults import FaultCode

SILENT_NS = 2_500_000_000
"""Every node says its state at least once a second."""

NO_DRIVER = "the driver has ended: nothing can move; look at the terminal of booth up"
DRIVER_STARTS = "the robot's driver is starting"
TRACKER_STARTS = "the tracker is starting"


class Word(Enum):
    """In the order of colours: grey, blue, green, red dot, amber, red."""

    IDLE = "IDLE"
    READY = "READY"
    ENGAGED = "ENGAGED"
    REC = "REC"
    HOLD = "HOLD"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class NodeState:
    """The last state of one node.

    Attributes:
        message: its word; empty: nothing was heard.
        values: its keys.
        heard_ns: when, monotonic time.
    """

    message: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    heard_ns: int = 0

    def alive(self, now_ns: int) -> bool:
        """Whether it still says something."""
        return bool(self.message) and now_ns - self.heard_ns < SILENT_NS

    def get(self, key: str) -> str:
        """One of its values; empty where it has none."""
        return self.values.get(key, "")

    def number(self, key: str) -> float | None:
        """A value that is a number; None where it is none."""
        try:
            value = float(self.values[key])
        except (KeyError, ValueError):
            return None
        return value if isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand.

    Attributes:
        reason: why, in the nodes' own words; empty: all is well.
        todo: what the operator can do now.
        fault: its name in docs/faults; empty: none.
    """

    word: Word
    reason: str = ""
    todo: str = ""
    fault: str = ""


def standing(
    driver: NodeState, teleop: NodeState, tracker: NodeState, recorder: NodeState, now_ns: int, external: bool = False
) -> Standing:
    """What the operator is told; with an external driver teleop's word counts for it."""
    todo = "" if _follows(teleop) else teleop.get("reason")
    recording = recorder.message == "RECORDING" and recorder.alive(now_ns)
    if external:
        moving = _follows(teleop) and teleop.alive(now_ns)
        return _quiet(Word.REC if recording else Word.ENGAGED if moving else Word.READY, teleop, tracker, todo, now_ns)
    if not driver.message:
        return Standing(Word.IDLE, DRIVER_STARTS)
    if not driver.alive(now_ns):
        return Standing(Word.STOPPED, NO_DRIVER, fault=FaultCode.DRIVER_KILLED.value)
    if driver.message == "STOPPED":
        return Standing(Word.STOPPED, driver.get("reason"), todo, driver.get("code"))
    if driver.message == "HOLD":
        return Standing(Word.HOLD, driver.get("reason"), todo, driver.get("code") or teleop.get("code"))
    if driver.message in ("ENGAGED", "HOMING"):
        reason = teleop.get("reason") if driver.message == "ENGAGED" else driver.get("reason")
        return Standing(Word.REC if recording else Word.ENGAGED, reason, "", teleop.get("code"))
    return _quiet(Word.REC if recording else Word.READY, teleop, tracker, todo, now_ns)


def _quiet(word: Word, teleop: NodeState, tracker: NodeState, todo: str, now_ns: int) -> Standing:
    """Nothing moves and nothing is wrong with the robot: is the operator's side ready, too?"""
    if not tracker.message or not teleop.message or tracker.message == "STARTING":
        return Standing(Word.REC if word is Word.REC else Word.IDLE, TRACKER_STARTS, todo)
    problem = tracker.get("reason") if tracker.alive(now_ns) else todo
    if problem and not _follows(teleop) and (tracker.message != "TRACKING" or not tracker.alive(now_ns)):
        return Standing(Word.REC if word is Word.REC else Word.IDLE, problem, todo, tracker.get("code"))
    return Standing(word, "", todo, tracker.get("code"))


def _follows(teleop: NodeState) -> bool:
    return teleop.message in ("RAMPING", "ENGAGED")
