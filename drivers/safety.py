# SPDX-License-Identifier: Apache-2.0
"""The safety states of the driver: one table, pure functions.

    IDLE ──connected──> READY ──engage──> ENGAGED ──release──> READY
                          └─────home────> HOMING ──arrived───> READY
                                            │
                     HOLD(reason) <─────────┤  command stale, a silent servo, hardware error, a second commander …
                     STOPPED(reason) <──────┘  what only a new set-up mends, protective stop (also from READY, HOLD)

Into ENGAGED and HOMING only by a fresh act of the operator, and never out of a fault by itself. In every other state
the goal stands still. A software stop is a protective stop, not an emergency stop.
"""

from dataclasses import dataclass, replace
from enum import Enum

from graph.faults import Fault, FaultCode

MS = 1_000_000
COMMAND_TTL_NS = 100 * MS
LONGEST_TTL_NS = 140 * MS
"""Where the operator is far away commands may be older, so that the network may stumble; with a cycle of the slowest
robot the hold still comes within 150 ms."""
PAUSE_LIMIT_NS = 150 * MS


class State(Enum):
    """Where the driver is."""

    IDLE = "IDLE"
    READY = "READY"
    HOMING = "HOMING"
    ENGAGED = "ENGAGED"
    HOLD = "HOLD"
    STOPPED = "STOPPED"


MOVING = (State.ENGAGED, State.HOMING)


@dataclass(frozen=True, slots=True)
class Status:
    """State and, where somebody should know, why: in words and as the name of a page in docs/faults."""

    state: State
    reason: str = ""
    code: FaultCode | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What one control cycle knows.

    Attributes:
        command_age_ns: since the oldest of the live command streams was renewed; None when there is none.
        faults: what is wrong with joints, buses and ports, worst first.
        strangers: who else sends commands, besides the one who has the lease.
        pause_ns: how long this computer has just paused (at most PAUSE_LIMIT_NS counts), so that commands on their
            way are still to be read. Nothing moves on an old command meanwhile, but it is no fault yet.
        command_ttl_ns: how old a command may be.
    """

    command_age_ns: int | None = None
    faults: tuple[Fault, ...] = ()
    strangers: tuple[str, ...] = ()
    pause_ns: int = 0
    command_ttl_ns: int = COMMAND_TTL_NS


def watch(status: Status, facts: Facts) -> Status:
    """The state after a cycle with these facts; only ever towards less motion."""
    if status.state in (State.IDLE, State.STOPPED):
        return status
    for fault in facts.faults:
        if fault.stops:
            return Status(State.STOPPED, fault.text, fault.code)
    if status.state in MOVING:
        why = _why_hold(facts, homing=status.state is State.HOMING)
        if why is not None:
            return Status(State.HOLD, why.text, why.code)
    return status


def engage(status: Status, facts: Facts, distance_rad: float, farthest: str, allowed_rad: float) -> tuple[Status, str]:
    """An operator's fresh request to follow.

    Args:
        distance_rad: difference between where a joint is and where the command wants it, of the joint that is farthest
            by its own measure.
        farthest: name of that joint.
        allowed_rad: largest distance from which engaging is allowed for it.

    Returns:
        the new status, and why it was refused (empty when it was not).
    """
    if status.state is State.ENGAGED:
        return status, ""
    refusal = _refusal(status, facts, homing=False)
    if not refusal and distance_rad > allowed_rad:
        refusal = (
            f"{farthest} is {distance_rad:.2f} rad away from the operator's hand, at most {allowed_rad:.2f} allowed: "
            "bring the hand nearer to the robot's posture"
        )
    return (status, refusal) if refusal else (Status(State.ENGAGED), "")


def home(status: Status, facts: Facts) -> tuple[Status, str]:
    """An operator's request to move slowly to a pose of the robot's file; also out of HOLD, never while engaged."""
    if status.state is State.ENGAGED:
        return status, "the operator is engaged: release first"
    refusal = _refusal(status, facts, homing=True)
    return (status, refusal) if refusal else (Status(State.HOMING), "")


def arrived(status: Status) -> Status:
    """The pose is reached."""
    return Status(State.READY) if status.state is State.HOMING else status


def release(status: Status) -> Status:
    """The operator lets go on purpose: the robot stands still and may be engaged again."""
    return Status(State.READY) if status.state in MOVING else status


def stop(status: Status, reason: str, code: FaultCode = FaultCode.STOP_REQUESTED) -> Status:
    """A protective stop."""
    return status if status.state is State.IDLE else Status(State.STOPPED, reason, code)


def _refusal(status: Status, facts: Facts, homing: bool) -> str:
    if status.state is State.IDLE:
        return f"the driver is not ready: {status.reason or 'starting'}"
    if facts.faults:
        return facts.faults[0].text
    fault = _why_hold(replace(facts, pause_ns=0), homing)
    return "" if fault is None else fault.text


def _why_hold(facts: Facts, homing: bool) -> Fault | None:
    """Why these facts don't allow motion; None when they do."""
    if facts.faults:
        return facts.faults[0]
    if facts.strangers:
        return Fault(
            FaultCode.SECOND_COMMANDER,
            f"{' and '.join(facts.strangers)} sends commands too, one commander is allowed: stop the other",
        )
    if homing:
        return None
    if facts.command_age_ns is None:
        return Fault(FaultCode.COMMAND_STALE, "no command has come yet")
    if facts.command_age_ns > facts.command_ttl_ns + min(facts.pause_ns, PAUSE_LIMIT_NS):
        return Fault(FaultCode.COMMAND_STALE, f"no fresh command for {facts.command_ttl_ns // MS} ms")
    return None
