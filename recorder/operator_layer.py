# SPDX-License-Identifier: Apache-2.0
"""What was seen of the operator: every frame of the take where it still lies beside its episode, else those of rows."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graph.topics import BODY, HANDS
from recorder import streams
from recorder.command_groups import merged_commands
from recorder.episode import Episode
from recorder.errors import TakeError
from recorder.take_reader import Take, read_take

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

TAKE_SUFFIX = ".mcap"


@dataclass(frozen=True, slots=True)
class OperatorLayer:
    """Frames of N looks at the hands and M at the body, by their ascending stamps; NaN where nothing was seen.

    Attributes:
        source: ``take`` or ``rows``.
        hands_ns, hands_received_ns: (N,) capture and arrival [ns, graph time]; body_ns, body_received_ns: (M,).
        landmarks: (N, 2, 21, 3) [m]; landmarks_uv: (N, 2, 21, 2); score: (N, 2); right hand first.
        body: (M, 33, 3) [m]; body_uv: (M, 33, 2); body_visibility: (M, 33).
        issued: capture stamp of a frame to the moment its command was issued [ns].
    """

    source: str
    hands_ns: Int64
    hands_received_ns: Int64
    landmarks: Float64
    landmarks_uv: Float64
    score: Float64
    body_ns: Int64
    body_received_ns: Int64
    body: Float64
    body_uv: Float64
    body_visibility: Float64
    issued: dict[int, int]


def operator_layer(episode: Episode) -> OperatorLayer:
    """The best there is."""
    path = episode.path.with_suffix(TAKE_SUFFIX)
    take = _take_of(episode, path) if path.is_file() else None
    return _from_rows(episode) if take is None else _from_take(take)


def _take_of(episode: Episode, path: Path) -> Take | None:
    """The take, if it is this episode's and whole."""
    try:
        take = read_take(path)
    except TakeError:
        return None
    same = take.metadata.episode_id == str(episode.attribute("episode_id"))
    return take if same and take.complete else None


def _from_take(take: Take) -> OperatorLayer:
    robot = take.metadata.description()
    hands, body = streams.hand_samples(take, HANDS.name), streams.body_samples(take, BODY.name)
    commands = merged_commands(take, robot.groups, robot.joint_names)
    return OperatorLayer(
        "take",
        hands.samples.stamp_ns,
        hands.samples.receive_ns,
        hands.landmarks.astype(np.float64),
        hands.landmarks_uv.astype(np.float64),
        hands.score.astype(np.float64),
        body.samples.stamp_ns,
        body.samples.receive_ns,
        body.landmarks.astype(np.float64),
        body.landmarks_uv.astype(np.float64),
        body.visibility.astype(np.float64),
        _issued(commands.capture_ns, commands.samples.stamp_ns),
    )


def _from_rows(episode: Episode) -> OperatorLayer:
    hands, body = _looks(episode, "hands"), _looks(episode, "body")
    return OperatorLayer(
        "rows",
        episode["/time/hands/stamp_ns"][hands],
        episode["/time/hands/receive_ns"][hands],
        episode["/operator/landmarks"][hands].astype(np.float64),
        episode["/operator/landmarks_uv"][hands].astype(np.float64),
        episode["/operator/score"][hands].astype(np.float64),
        episode["/time/body/stamp_ns"][body],
        episode["/time/body/receive_ns"][body],
        episode["/operator/body"][body].astype(np.float64),
        episode["/operator/body_uv"][body].astype(np.float64),
        episode["/operator/body_visibility"][body].astype(np.float64),
        _issued(episode["/time/requested/capture_ns"], episode["/time/requested/stamp_ns"]),
    )


def _looks(episode: Episode, stream: str) -> Int64:
    """The first row of each different sample."""
    known, rows = np.unique(episode[f"/time/{stream}/stamp_ns"], return_index=True)
    return rows[known >= 0].astype(np.int64)


def _issued(capture_ns: Int64, issued_ns: Int64) -> dict[int, int]:
    told = zip(capture_ns.tolist(), issued_ns.tolist(), strict=True)
    return {frame: at for frame, at in told if 0 <= frame < at}
