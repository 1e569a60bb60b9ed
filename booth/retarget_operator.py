# SPDX-License-Identifier: Apache-2.0
"""The operator as an episode recorded them: camera frames with landmarks, when they counted, and their calibration."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from graph.errors import InputError
from recorder.episode import Episode
from recorder.operator_layer import OperatorLayer, operator_layer
from teleop.body_calibration import BodyCalibration
from teleop.hand_calibration import HandCalibration, HandCalibrationError
from teleop.hand_geometry import Side
from teleop.limbs import ArmLimb, HandLimb, HeadLimb, Limb, learn_body
from teleop.operator_profile import OperatorProfile
from teleop.operator_view import BodyView, HandView, OperatorFrame

Int64 = NDArray[np.int64]

SIDES: tuple[Side, Side] = ("right", "left")
USUAL_ASPECT = 4 / 3
LATENCY_NS = 30_000_000
"""From a frame's capture to its command where the episode does not tell."""


@dataclass(frozen=True, slots=True)
class RecordedFrame:
    """One camera frame, and when the command that followed from it was issued [ns, graph time]."""

    frame: OperatorFrame
    issued_ns: int


@dataclass(frozen=True, slots=True)
class RecordedOperator:
    """All that retargeting needs of an episode.

    Attributes:
        frames: in order.
        engaged: (start, end) graph times [ns] between which the robot followed.
        settings: what teleop told: parts, prediction_ms …; empty for episodes that don't tell.
        calibration: by limb, as teleop told.
        source: ``take`` when every frame of the recording is here, ``rows`` when only those that rows hold.
    """

    frames: tuple[RecordedFrame, ...]
    engaged: tuple[tuple[int, int], ...]
    settings: Mapping[str, Any]
    calibration: Mapping[str, Mapping[str, Any]]
    source: str

    def engaged_at(self, stamp_ns: int) -> bool:
        """Whether the robot followed at a moment."""
        return any(start <= stamp_ns < end for start, end in self.engaged)


def recorded_operator(episode: Episode) -> RecordedOperator:
    """Read the operator's layer of an episode: from its take where that lies beside it, else from its rows.

    Raises:
        InputError: no landmarks were recorded, or the robot never followed.
    """
    told = json.loads(str(episode.attribute("provenance"))).get("teleop", {})
    layer = operator_layer(episode)
    frames = _frames(episode, layer)
    engaged = engaged_intervals(episode)
    if not frames:
        raise InputError(f"{episode.path.name} holds no landmarks: was the tracker running when it was recorded?")
    if not engaged:
        raise InputError(f"the robot never followed in {episode.path.name}: there is nothing to retarget")
    settings = {name: value for name, value in told.items() if name != "calibration"}
    return RecordedOperator(frames, engaged, settings, told.get("calibration", {}), layer.source)


def engaged_intervals(episode: Episode) -> tuple[tuple[int, int], ...]:
    """(start, end) [ns] of every engagement: exact where the change was told during the episode, else to a row."""
    ticks, engaged = episode["/time/tick_ns"], episode["/operator/engaged"].astype(np.int8)
    edges = np.diff(np.concatenate([[0], engaged, [0]]))
    source = str(episode.attribute("engaged_source"))
    told = np.array([stamp for stamp, stream, _ in episode.events() if stream == source], np.int64)
    last_ns = int(ticks[-1]) + 1
    starts = [_exact(told, ticks, row) for row in np.flatnonzero(edges == 1).tolist()]
    ends = [_exact(told, ticks, row) if row < len(ticks) else last_ns for row in np.flatnonzero(edges == -1).tolist()]
    return tuple(zip(starts, ends, strict=True))


def _exact(told: Int64, ticks: Int64, row: int) -> int:
    """When a change that shows in a row happened: the last word between the row before and this one."""
    after = int(ticks[row - 1]) if row else -1
    within = told[(told > after) & (told <= ticks[row])]
    return int(within[-1]) if len(within) else int(ticks[row])


def _frames(episode: Episode, layer: OperatorLayer) -> tuple[RecordedFrame, ...]:
    bodies = _bodies(layer, _aspect(episode))
    heard_ns = np.array([heard for heard, _ in bodies], np.int64)
    frames = []
    for place, stamp in enumerate(layer.hands_ns.tolist()):
        hands = {
            side: HandView(layer.landmarks[place, k], layer.landmarks_uv[place, k], float(layer.score[place, k]))
            for k, side in enumerate(SIDES)
            if not np.isnan(layer.landmarks[place, k]).all()
        }
        newest = int(np.searchsorted(heard_ns, layer.hands_received_ns[place], side="right")) - 1
        frame = OperatorFrame(stamp, hands, bodies[newest][1] if newest >= 0 else None)
        frames.append(RecordedFrame(frame, layer.issued.get(stamp, stamp + LATENCY_NS)))
    return tuple(frames)


def _bodies(layer: OperatorLayer, aspect: float) -> list[tuple[int, BodyView | None]]:
    """(arrival, body) in order; a frame in which nobody was seen takes the body away."""
    seen = [bool(np.isfinite(points).any()) for points in layer.body]
    return [
        (
            int(layer.body_received_ns[k]),
            BodyView(layer.body[k], layer.body_uv[k], layer.body_visibility[k], stamp, aspect) if seen[k] else None,
        )
        for k, stamp in enumerate(layer.body_ns.tolist())
    ]


def _aspect(episode: Episode) -> float:
    """Width over height of the tracker's image, as its recorded picture has it."""
    for row in range(episode.rows if "cam_operator" in episode.cameras else 0):
        if data := episode.image("cam_operator", row):
            with Image.open(io.BytesIO(data)) as picture:
                return picture.width / picture.height
    return USUAL_ASPECT


def calibrate(limbs: tuple[Limb, ...], operator: RecordedOperator, profile: OperatorProfile | None) -> list[str]:
    """Give limbs what is known of the operator: the stored profile, else what was measured at the recording.

    Returns:
        what people should know.

    Raises:
        InputError: the episode's calibration is none.
    """
    notes = []
    body = profile is not None and profile.body is not None
    for limb in limbs:
        stored = None if profile is None or not isinstance(limb, HandLimb) else profile.hands.get(limb.side)
        recorded = operator.calibration.get(limb.name)
        try:
            if isinstance(limb, HandLimb) and (stored or recorded):
                limb.learn(stored.calibration() if stored else HandCalibration(**_tuples(recorded or {})))
            elif isinstance(limb, ArmLimb | HeadLimb) and recorded:
                limb.retargeter.calibration = BodyCalibration(**_tuples(recorded))
            elif isinstance(limb, HandLimb) or (isinstance(limb, ArmLimb | HeadLimb) and not body):
                notes.append(f"{limb.name}: no calibration was recorded: an average adult is taken")
        except (TypeError, HandCalibrationError) as error:
            raise InputError(f"the episode's calibration of {limb.name} can't be used: {error}") from error
    if profile is not None and profile.body is not None:
        learn_body(limbs, profile.body.calibration())
    return notes


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON's lists as the tuples that they were."""
    return {
        name: tuple(value)
        if isinstance(value, list)
        else {key: tuple(entry) for key, entry in value.items()}
        if isinstance(value, dict)
        else value
        for name, value in values.items()
    }
