# SPDX-License-Identifier: Apache-2.0
"""The safety states of the driver: one table, pure functions.

    IDLE ──connected──> READY ──engage──> ENGAGED ──release──> READY
                                            │
                     HOLD(reason) <─────────┤  command stale, hardware error, a second commander
                     STOPPED(reason) <──────┘  bus silent, bus watchdog expired, protective stop (also from READY, HOLD)

Into ENGAGED only by a fresh act of the operator, and never out of a fault by itself. In every state but ENGAGED
the goal stands still. A software stop is a protective stop, not an emergency stop.
"""

from dataclasses import dataclass, replace
from enum import Enum

MS = 1_000_000
COMMAND_TTL_NS = 100 * MS
BUS_HOLD_NS = 50 * MS
BUS_HOLD_MISSES = 3
"""So many incomplete reads in a row, because one alone may be a pause of the whole computer."""
BUS_STOP_NS = 500 * MS
PAUSE_LIMIT_NS = 150 * MS


class State(Enum):
    """Where the driver is."""

    IDLE = "IDLE"
    READY = "READY"
    ENGAGED = "ENGAGED"
    HOLD = "HOLD"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class Status:
    """State and, where somebody should know, why."""

    state: State
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What one control cycle knows.

    Attributes:
        command_age_ns: since the newest accepted command was issued; None when there is none.
        bus_silent_ns: since all joints last answered; bus_misses: incomplete reads in a row.
        watchdog_expired: the servos have stopped by themselves.
        alert: hardware errors in words; empty when none.
        commanders: publishers on the command topic.
        pause_ns: how long this computer has just paused (at most PAUSE_LIMIT_NS), so that commands on their way are
            still to be read. Nothing moves on an old command meanwhile, but it is no fault yet.
    """

    command_age_ns: int | None = None
    bus_silent_ns: int = 0
    bus_misses: int = 0
    watchdog_expired: bool = False
    alert: str = ""
    commanders: int = 1
    pause_ns: int = 0


def watch(status: Status, facts: Facts) -> Status:
    """The state after a cycle with these facts; only ever towards less motion."""
    if status.state in (State.IDLE, State.STOPPED):
        return status
    if facts.watchdog_expired and not facts.alert:
        return Status(
            State.STOPPED,
            "servos stopped by themselves (bus watchdog or lost torque): was the driver too slow, or power cut?",
        )
    if facts.bus_silent_ns > BUS_STOP_NS and facts.bus_misses >= BUS_HOLD_MISSES:
        return Status(
            State.STOPPED, f"the bus is silent for {facts.bus_silent_ns // MS} ms: check robot power and bus cable"
        )
    if status.state is State.ENGAGED:
        reason = _why_hold(facts)
        if reason:
            return Status(State.HOLD, reason)
    return status


def engage(status: Status, facts: Facts, distance_rad: float, farthest: str, allowed_rad: float) -> tuple[Status, str]:
    """An operator's fresh request to follow.

    Args:
        distance_rad: largest difference between where a joint is and where the command wants it.
        farthest: name of that joint.
        allowed_rad: largest distance from which engaging is allowed.

    Returns:
        the new status, and why it was refused (empty when it was not).
    """
    if status.state is State.ENGAGED:
        return status, ""
    refusal = ""
    if status.state is State.IDLE:
        refusal = f"the driver is not ready: {status.reason or 'starting'}"
    elif facts.watchdog_expired:
        refusal = "servos have stopped by themselves"
    else:
        refusal = _why_hold(replace(facts, pause_ns=0))
    if not refusal and distance_rad > allowed_rad:
        refusal = (
            f"{farthest} is {distance_rad:.2f} rad away from the operator's hand, at most {allowed_rad:.2f} allowed: "
            "bring the hand nearer to the robot's posture"
        )
    return (status, refusal) if refusal else (Status(State.ENGAGED), "")


def release(status: Status) -> Status:
    """The operator lets go on purpose: the robot stands still and may be engaged again."""
    return Status(State.READY) if status.state is State.ENGAGED else status


def stop(status: Status, reason: str) -> Status:
    """A protective stop."""
    return status if status.state is State.IDLE else Status(State.STOPPED, reason)


def _why_hold(facts: Facts) -> str:
    """Why these facts don't allow motion; empty when they do."""
    if facts.alert:
        return f"hardware error: {facts.alert}"
    if facts.commanders > 1:
        return f"{facts.commanders} nodes publish commands, one is allowed: stop the others"
    if facts.bus_silent_ns > BUS_HOLD_NS and facts.bus_misses >= BUS_HOLD_MISSES:
        return f"not all servos answered for {facts.bus_silent_ns // MS} ms"
    if facts.command_age_ns is None:
        return "no command has come yet"
    if facts.command_age_ns > COMMAND_TTL_NS + min(facts.pause_ns, PAUSE_LIMIT_NS):
        return f"no fresh command for {COMMAND_TTL_NS // MS} ms"
    return ""
