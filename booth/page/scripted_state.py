# SPDX-License-Identifier: Apache-2.0
"""The page's state message in pieces, to be put together to scenes."""

from collections.abc import Mapping
from typing import Any

from booth.page.phrases import recognise

State = dict[str, Any]

LIMBS = ("right_hand", "left_hand", "right_arm", "left_arm", "head")
OPERATORS: tuple[State, ...] = (
    {"id": "ana", "name": "Ana", "language": "en", "handedness": "right", "consent": True, "ready": True},
    {"id": "minjun", "name": "김민준", "language": "ko", "handedness": "right", "ready": True},
    {"id": "dilnoza", "name": "Dilnoza", "language": "uz", "handedness": "left", "ready": False},
    {"id": "ivan", "name": "Иван", "language": "ru", "handedness": "right", "ready": None},
)
TASKS: tuple[State, ...] = (
    {"id": "cups", "name": "Cups", "instruction": "Put the red cup on the blue plate", "target": 20},
    {"id": "cubes", "name": "Cubes", "instruction": "Stack three cubes, the largest one below", "target": 50},
    {"id": "towel", "name": "Towel", "instruction": "Fold the towel in half, twice", "target": 30},
)
SERVOS = tuple(f"arm_{side}_joint{k}" for side in "rl" for k in range(1, 8))
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "check": ("pause", "finish"),
    "warm_up": ("next", "skip", "pause", "finish"),
    "ready": ("record", "skip", "pause", "finish"),
    "recording": ("stop", "redo"),
    "review": ("keep", "redo", "skip", "pause", "finish"),
    "reset": ("next", "undo", "pause", "finish"),
    "paused": ("resume", "finish"),
    "done": ("next",),
    "training": ("pause", "finish"),
}


def phrase(text: str) -> State | None:
    """A sentence as the page takes it; None for an empty one."""
    return dict(recognise(text)) if text else None


def base(language: str) -> State:
    """All well, nothing moves, the next episode may begin."""
    return {
        "type": "state",
        "robot": "ffw_sh5",
        "virtual": True,
        "booth": "B2",
        "word": "READY",
        "reason": None,
        "fault": "",
        "todo": phrase("show the open palms of both hands to the camera and hold still"),
        "engage": {"state": "WAITING", "progress": 0.0, "sign": "", "sign_progress": 0.0},
        "limbs": [{"name": name, "state": "off", "reason": None} for name in LIMBS],
        "session": session(language),
        "last": {"take": "0002", "verdict": "ok", "findings": [], "rows": 412},
        "recorder": {"state": "READY", "minutes_left": 214.0, "free_gb": 80.1, "warning": None},
        "latency_ms": 31.0,
        "streams": streams(),
        "servos": servos(),
        "check": [],
        "training": None,
        "far": None,
        "pedal": {"state": "PRESENT", "role": "record"},
        "lease": {"mine": True, "taken": True, "epoch": 4},
        "robot3d": True,
    }


def session(language: str, phase: str = "ready", countdown_s: float | None = None, **changes: Any) -> State:
    """The session's part; operator is whoever speaks the language."""
    operator = next(each for each in OPERATORS if each["language"] == language)
    return {
        "phase": phase,
        "operator": {key: operator[key] for key in ("id", "name", "language", "handedness")},
        "task": {key: TASKS[0][key] for key in ("id", "name", "instruction")},
        "episode": 3,
        "target": 20,
        "kept": 2,
        "redone": 1,
        "skipped": 0,
        "countdown_s": countdown_s,
        "actions": list(ACTIONS.get(phase, ())),
        "operators": [dict(each) for each in OPERATORS],
        "tasks": [dict(each) for each in TASKS],
        "progress": {"booth_kept": 128, "operator_kept": 22, "good_per_hour": 41.5, "redo_rate": 0.12},
        "source": "page",
        **changes,
    }


def streams(**health: str) -> list[State]:
    """Streams of the graph; those named have another health."""
    rates = {"camera": 29.9, "hands": 29.7, "joints": 100.0, "commands": 100.0}
    slow = {"OK": 1.0, "SLOW": 0.5, "STALLED": 0.0}
    return [
        {"name": name, "hz": hz * slow[health.get(name, "OK")], "health": health.get(name, "OK")}
        for name, hz in rates.items()
    ]


def servos(hottest_c: int = 47, fault: str = "") -> list[State]:
    """Servos of an arm, the elbow's the hottest."""
    warm = {"arm_r_joint4": hottest_c, "arm_l_joint4": 45, "finger_r_joint6": 43, "arm_r_joint2": 39, "head_joint1": 33}
    return [
        {"name": name, "id": 31 + k, "temperature_c": degc, "limit_c": 70, "fresh": True, "fault": "" if k else fault}
        for k, (name, degc) in enumerate(warm.items())
    ]


def following(state: str = "following") -> list[State]:
    """All limbs in one state."""
    return [{"name": name, "state": state, "reason": None} for name in LIMBS]


def check(**changed: tuple[str, str]) -> list[State]:
    """The self-check; those named have another state and a reason."""
    names = ("camera", "light", "right_hand", "left_hand", *SERVOS, "temperatures", "disk", "clock", "estop")
    return [
        {"name": name, "state": changed.get(name, ("ok", ""))[0], "text": phrase(changed.get(name, ("ok", ""))[1])}
        for name in names
    ]


def training(exercise: str, number: int, **changes: Any) -> State:
    """One exercise of the practice."""
    return {
        "exercise": exercise,
        "number": number,
        "of": 4,
        "progress": 0.4,
        "seconds_left": 14.0,
        "score": None,
        "targets": [],
        "scores": [],
        "ready": False,
        "ghost": False,
        "actions": ["next", "redo", "finish"],
        **changes,
    }
