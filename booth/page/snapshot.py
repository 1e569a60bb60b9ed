# SPDX-License-Identifier: Apache-2.0
"""All that the page shows, as one JSON object: a pure function of what was heard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from booth.page.booth_word import NodeState, Standing
from booth.page.phrases import recognise

Json = dict[str, object]

SUFFIX = "_reason"


@dataclass(frozen=True, slots=True)
class Heard:
    """What came from the graph and the session.

    Attributes:
        robot: its name. virtual: whether its servos are simulated. booth: which booth.
        driver, teleop, tracker, recorder, pedal: the nodes' states.
        streams: name to rate [Hz] and OK, SLOW or STALLED.
        servos: as `graph.topics.DRIVER_SERVOS` has them.
        session, training: as `booth.session` shows them; training is None outside training.
        check: name, state and text of every item of the self-check.
        last: verdict, findings and rows of the last take; None before the first.
        robot3d: whether the 3D view is there.
    """

    robot: str
    virtual: bool
    booth: str
    driver: NodeState
    teleop: NodeState
    tracker: NodeState
    recorder: NodeState
    pedal: NodeState
    streams: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    servos: Sequence[Mapping[str, object]] = ()
    session: Mapping[str, object] = field(default_factory=dict)
    training: Mapping[str, object] | None = None
    check: Sequence[tuple[str, str, str]] = ()
    last: Mapping[str, object] | None = None
    robot3d: bool = False


def snapshot(heard: Heard, standing: Standing) -> Json:
    """The page's state without the lease's part; reasons are phrases, so that each browser shows its own language."""
    latency_ms = heard.driver.number("glass_to_wire_ms") if heard.driver.message == "ENGAGED" else None
    return {
        "robot": heard.robot,
        "virtual": heard.virtual,
        "booth": heard.booth,
        "word": standing.word.value,
        "reason": phrase(standing.reason),
        "todo": phrase(standing.todo),
        "fault": standing.fault,
        "engage": _engage(heard.teleop),
        "limbs": _limbs(heard.teleop),
        "session": {**heard.session, "reason": phrase(str(heard.session.get("reason") or ""))},
        "training": heard.training,
        "check": [{"name": name, "state": state, "text": phrase(text)} for name, state, text in heard.check],
        "last": heard.last,
        "recorder": _recorder(heard.recorder),
        "latency_ms": round(latency_ms) if latency_ms else None,
        "streams": [{"name": name, "hz": round(hz), "health": health} for name, (hz, health) in heard.streams.items()],
        "servos": list(heard.servos),
        "far": _far(heard.tracker),
        "pedal": {"state": heard.pedal.message, "role": heard.pedal.get("role")},
        "robot3d": heard.robot3d,
    }


def phrase(text: str) -> Json | None:
    """A sentence of a node as key, arguments and English text; None for an empty one."""
    return dict(recognise(text)) if text else None


def last_take(recorder: NodeState) -> Json | None:
    """Verdict of the take that was saved last, as the recorder tells it."""
    if recorder.message not in ("SAVED", "FAILED"):
        return None
    findings = [item.strip() for item in recorder.get("findings").split(",")]
    return {
        "take": recorder.get("take"),
        "verdict": recorder.get("verdict") or ("failed" if recorder.message == "FAILED" else ""),
        "findings": [item for item in findings if item],
        "rows": int(recorder.number("rows") or 0),
    }


def _far(tracker: NodeState) -> Json | None:
    """An operator who drives from another machine, and the network's round trip; None: the camera is here."""
    name = tracker.get("link_operator")
    return {"operator": name, "round_trip_ms": tracker.number("link_round_trip_ms")} if name else None


def _engage(teleop: NodeState) -> Json:
    return {
        "state": teleop.message,
        "progress": teleop.number("progress") or 0.0,
        "sign": teleop.get("sign"),
        "sign_progress": teleop.number("sign_progress") or 0.0,
    }


def _limbs(teleop: NodeState) -> list[Json]:
    names = [key.removesuffix(SUFFIX) for key in teleop.values if key.endswith(SUFFIX)]
    return [
        {"name": name, "state": teleop.get(name), "reason": phrase(teleop.get(name + SUFFIX))}
        for name in names
        if name in teleop.values
    ]


def _recorder(recorder: NodeState) -> Json:
    troubled = recorder.get("code") or recorder.message == "FAILED"
    return {
        "state": recorder.message,
        "minutes_left": recorder.number("minutes_left"),
        "free_gb": recorder.number("free_gb"),
        "warning": phrase(recorder.get("reason")) if troubled else None,
    }
