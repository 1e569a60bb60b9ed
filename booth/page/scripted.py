# SPDX-License-Identifier: Apache-2.0
"""Every state of the page as a scene: to look at, to test, to take pictures of; no graph and no robot."""

from dataclasses import dataclass
from typing import Any

from booth.page.scripted_picture import SIDES, picture_message
from booth.page.scripted_state import (
    State,
    base,
    check,
    following,
    phrase,
    servos,
    session,
    streams,
    training,
)

HAND_LOST = "right hand lost, show the open right palm to go on (the camera does not see the right hand)"
INTERRUPTED = "this session was interrupted: resume it, or finish it"
FROZEN = "the camera shows the same image again and again: unplug it and plug it in again"
TOO_FAR = (
    "right arm too far from the robot's: arm_r_joint4 by 1.21 rad, at most 0.90; "
    "bring the right arm nearer to the robot's posture"
)


@dataclass(frozen=True, slots=True)
class Scene:
    """One state of the page.

    Attributes:
        name: to ask for it.
        state: the state message.
        pose: of the drawn operator; empty: a plain picture.
        sides: hands that are found. hint: where to stand. dark: low light.
        presses: buttons that somebody has pressed before it looks so.
    """

    name: str
    state: State
    pose: str = "open"
    sides: tuple[str, ...] = SIDES
    hint: str = ""
    dark: bool = False
    presses: tuple[str, ...] = ()

    @property
    def picture(self) -> bytes:
        """The camera message; drawing the first one takes some seconds."""
        return picture_message(self.pose, self.sides, self.hint, self.dark)


def scenes(language: str = "en") -> list[Scene]:
    """All of them, with an operator of this language, in the order of a day."""
    return [
        *_before(language),
        *_engaging(language),
        *_episode(language),
        *_trouble(language),
        *_practice(language),
    ]


def _state(language: str, **changes: Any) -> State:
    return {**base(language), **changes}


def _before(language: str) -> list[Scene]:
    nobody = session(language, "choose", operator=None, task=None, actions=[])
    empty = {**nobody, "operators": [], "tasks": []}
    new = {"id": "nodira", "name": "Nodira", "language": language, "consent": False, "ready": None}
    consent = {**nobody, "operators": [new]}
    show = "show the {} hand to the camera, palm to the front"
    waiting = check(
        right_hand=("waiting", show.format("right")), left_hand=("waiting", show.format("left")), estop=("waiting", "")
    )
    failing = check(
        camera=("failed", FROZEN),
        light=("warn", "brightness 61 of 255 is dim: 90 or more is better, switch a lamp on"),
        arm_r_joint4=("failed", "ID 34 does not answer: check its cable, plug and power"),
        disk=("warn", "the disk has room for 12 more minutes: free some space"),
        estop=("waiting", ""),
    )
    starting = phrase("the robot's driver is starting")
    return [
        Scene("starting", _state(language, word="IDLE", reason=starting, todo=None, session=nobody), "", ()),
        Scene("choose", _state(language, session=nobody, last=None)),
        Scene("choose_empty", _state(language, session=empty, last=None)),
        Scene("consent", _state(language, session=consent, last=None), presses=("practise",)),
        Scene("check", _state(language, session=session(language, "check"), check=waiting, last=None), "raised"),
        Scene(
            "check_failing",
            _state(
                language,
                word="IDLE",
                reason=phrase(FROZEN),
                fault="camera_frozen",
                todo=None,
                session=session(language, "check"),
                check=failing,
                last=None,
            ),
        ),
        Scene("view_only", _state(language, lease={"mine": False, "taken": True, "epoch": 5})),
    ]


def _engaging(language: str) -> list[Scene]:
    def engage(state: str, progress: float, **sign: Any) -> State:
        return {"state": state, "progress": progress, "sign": "", "sign_progress": 0.0, **sign}

    holding = phrase("hold the open palms of both hands still")
    ready = session(language, "ready")
    drives = {"word": "ENGAGED", "todo": None, "limbs": following()}
    return [
        Scene("warm_up", _state(language, session=session(language, "warm_up", 4.2)), hint="closer"),
        Scene("ready", _state(language)),
        Scene(
            "ready_far",
            _state(language, far={"operator": "ana", "round_trip_ms": 7.0}, pedal={"state": "", "role": ""}),
            "",
        ),
        Scene("holding_sign", _state(language, todo=holding, engage=engage("HOLDING_SIGN", 0.65))),
        Scene("aligning", _state(language, todo=phrase(TOO_FAR), engage=engage("ALIGNING", 1.0)), "raised"),
        Scene("ramping", _state(language, **drives, engage=engage("RAMPING", 1.0))),
        Scene("engaged", _state(language, **drives, engage=engage("ENGAGED", 1.0), session=ready), "work"),
        Scene(
            "sign_record",
            _state(language, **drives, engage=engage("ENGAGED", 1.0, sign="record_start", sign_progress=0.55)),
            "raised",
        ),
    ]


def _episode(language: str) -> list[Scene]:
    drives = {"todo": None, "limbs": following(), "engage": {"state": "ENGAGED", "progress": 1.0}}
    bad = ["hand_lost", "frozen", "lag", "saturated", "gaps", "jerk"]

    def during(phase: str, countdown_s: float | None = None, **changes: Any) -> State:
        return _state(language, **{**drives, "session": session(language, phase, countdown_s), **changes})

    def verdict(word: str, findings: list[str], rows: int = 412) -> State:
        return {"take": "0003", "verdict": word, "findings": findings, "rows": rows}

    done = session(language, "done", kept=20, episode=20)
    return [
        Scene("recording", during("recording", 12.3, word="REC", recorder=_recorder("RECORDING")), "work"),
        Scene("saving", during("saving", word="ENGAGED", recorder=_recorder("SAVING")), "work"),
        Scene("review_ok", during("review", 17.0, word="READY", last=verdict("ok", []))),
        Scene("review_degraded", during("review", 9.0, word="READY", last=verdict("degraded", ["late", "light"]))),
        Scene("review_failed", during("review", None, word="READY", last=verdict("failed", bad, 57))),
        Scene("reset", during("reset", 8.0, word="READY"), "raised"),
        Scene("paused", during("paused", word="READY")),
        Scene("interrupted", _state(language, session=session(language, "paused", reason=phrase(INTERRUPTED)))),
        Scene("done", _state(language, session=done)),
    ]


def _recorder(state: str, minutes_left: float = 213.0, warning: str = "") -> State:
    return {"state": state, "minutes_left": minutes_left, "free_gb": 80.0, "warning": phrase(warning)}


def _trouble(language: str) -> list[Scene]:
    lost = [{**limb, "state": "held" if limb["name"].startswith("right") else "following"} for limb in following()]
    room = "the disk has room for 3 more minutes: free some space"

    def trouble(word: str, reason: str, fault: str, **changes: Any) -> State:
        return _state(language, **{"word": word, "reason": phrase(reason), "fault": fault, "todo": None, **changes})

    stale = f"no fresh command for 100 ms ({HAND_LOST})"
    silent = (
        "arm_r_joint4 (ID 34) does not answer: check the cable before it in the chain, and its power; "
        "arm_r_joint5 (ID 35) does not answer: check the cable before it in the chain, and its power"
    )
    hot = "hardware error: arm_r_joint4 (ID 34): overheated; see booth servo read"
    nobody = "none of the 57 devices answers, the ports are open: is the robot's power on?"
    gone = "the driver has ended: nothing can move; look at the terminal of booth up"
    unplugged = {"state": "UNPLUGGED", "role": "run"}
    return [
        Scene("limb_held", trouble("ENGAGED", HAND_LOST, "hand_lost", limbs=lost), "work", ("left",), "right"),
        Scene("hold_hand_lost", trouble("HOLD", stale, "hand_lost", limbs=lost), "work", ("left",), "left"),
        Scene("hold_camera", trouble("HOLD", FROZEN, "camera_frozen", streams=streams(camera="STALLED")), "work"),
        Scene("hold_servo", trouble("HOLD", silent, "servo_silent", streams=streams(joints="SLOW", hands="SLOW"))),
        Scene(
            "hold_pedal",
            trouble("HOLD", "the pedal does not answer: plug it in again", "pedal_lost", pedal=unplugged),
        ),
        Scene("stopped", trouble("STOPPED", "protective stop requested", "stop_requested")),
        Scene("stopped_power", trouble("STOPPED", nobody, "bus_silent")),
        Scene("stopped_hot", trouble("STOPPED", hot, "hardware_error", servos=servos(71, "overheated"))),
        Scene("stopped_driver", trouble("STOPPED", gone, "driver_killed", servos=[], latency_ms=None)),
        Scene("disk_low", _state(language, recorder=_recorder("READY", 3.2, room), servos=servos(64))),
        Scene("dark", _state(language), "raised", ("right",), "light", dark=True),
    ]


def _practice(language: str) -> list[Scene]:
    def practice(name: str, exercise: State, pose: str = "open", **changes: Any) -> Scene:
        state = {"word": "ENGAGED", "todo": None, "limbs": following(), "training": exercise, **changes}
        return Scene(name, _state(language, **state, session=session(language, "training", episode=0)), pose)

    circles = [
        {"u": 0.24, "v": 0.34, "r": 0.07, "hit": True},
        {"u": 0.78, "v": 0.30, "r": 0.07, "hit": True},
        {"u": 0.33, "v": 0.74, "r": 0.07, "hit": False},
    ]
    two = [{"exercise": "reach", "score": 92}, {"exercise": "pinch", "score": 78}]
    four = [*two, {"exercise": "hold", "score": 88}, {"exercise": "follow", "score": 64}]
    reach, pinch = _asks("training.reach_right"), _asks("training.pinch_left")
    return [
        practice("training_begin", training("reach", 1, progress=0.0, **_asks("training.engage")), word="READY"),
        practice("training_reach", training("reach", 1, targets=circles, **reach), "raised"),
        practice("training_pinch", training("pinch", 2, scores=two[:1], **pinch), "pinch"),
        practice("training_hold", training("hold", 3, scores=two, ghost=True, **_asks("training.hold")), "work"),
        practice(
            "training_done",
            training("follow", 4, progress=1.0, seconds_left=0.0, score=64, scores=four, ready=True)
            | _asks("training.done"),
        ),
    ]


def _asks(key: str) -> State:
    return {"instruction": {"key": key, "args": {}, "text": ""}}
