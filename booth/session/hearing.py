# SPDX-License-Identifier: Apache-2.0
"""What a state of the recorder means for the session: its word and its keys (`graph.topics.RECORDER_STATE`)."""

from collections.abc import Mapping
from dataclasses import dataclass

from booth.session.machine import Happened, State
from booth.session.phases import Event, Order, Phase

GONE = "GONE"
"""In place of a state word: the recorder's process has ended."""

NONE_WANTED = (Phase.CHOOSE, Phase.DONE, Phase.TRAINING)
"""Takes that others make then are not the session's."""

FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Saved:
    """What the recorder tells of a take that is over."""

    take: str
    episode: str
    verdict: str
    findings: tuple[str, ...]
    rows: int


def saved(message: str, values: Mapping[str, str]) -> Saved | None:
    """A take that is over, where that is what a state tells; one without an episode has failed."""
    take = values.get("take", "")
    if message not in ("SAVED", "FAILED") or not take:
        return None
    findings = tuple(item.strip() for item in values.get("findings", "").split(",") if item.strip())
    rows = values.get("rows", "0")
    verdict = values.get("verdict", "") or (FAILED if message == "FAILED" else "")
    return Saved(take, values.get("episode", ""), verdict, findings, int(rows) if rows.isdigit() else 0)


def hear(state: State, seen: str, before: str, message: str, values: Mapping[str, str]) -> tuple[Happened, ...]:
    """The events that a state of the recorder is.

    Args:
        state: of the session.
        seen: the take that the recorder's states told of last: an older state than that says nothing about it.
        before: the take of the state before this one; empty: it had none.
    """
    take, reason = values.get("take", ""), values.get("reason", "")
    at_work = state.doing in (Phase.RECORDING, Phase.SAVING)
    if message == GONE:
        return _gone(state) if at_work else ()
    if message == "RECORDING":
        return _recording(state, take)
    if take and take == state.take and at_work:
        told = saved(message, values)
        if told is not None:
            why = reason if message == "FAILED" else ""
            return (Happened(Event.SAVED, take=take, verdict=told.verdict, said=why),)
        unasked = state.phase is Phase.RECORDING and state.asked is not Order.STOP
        return (Happened(Event.ENDED, said=reason if unasked and reason != "stopped" else ""),)
    if state.thrown is not None and message in ("SAVED", "FAILED") and take == state.thrown.take != before:
        return (Happened(Event.RESTORED),)
    if state.take and message == "READY" and reason.startswith(f"{state.take} was moved"):
        return (Happened(Event.TRASHED, said=reason),)
    if at_work and state.take and seen == state.take:
        return (Happened(Event.LOST, said=f"the recorder does not know {state.take} any longer: {_again(state)}"),)
    return ()


def _gone(state: State) -> tuple[Happened, ...]:
    if state.phase is Phase.RECORDING and not state.take:
        return (Happened(Event.REFUSED, said="the recorder has ended: nothing was recorded"),)
    return (Happened(Event.LOST, said=f"the recorder has ended, {state.take} is cut short: {_again(state)}"),)


def _recording(state: State, take: str) -> tuple[Happened, ...]:
    """A take runs: the one that was asked for, one that is found again after a crash, or somebody else's."""
    if not take or state.doing in NONE_WANTED:
        return ()
    if take == state.take and state.phase is not Phase.PAUSED:
        return ()
    started = Happened(Event.STARTED, take=take)
    if state.phase in (Phase.RECORDING, Phase.SAVING) and state.take:
        return Happened(Event.LOST, said=f"another take was started: {_again(state)}"), started
    return (started,)


def _again(state: State) -> str:
    return f"episode {state.number} is recorded again"
