# SPDX-License-Identifier: Apache-2.0
"""The columns of a LeRobot data set and where an episode's rows for them come from.

Columns that learners are meant to see have LeRobot's names; everything else starts with ``booth.``, so that no policy
takes it for an observation or an action. No column holds NaN that a good episode brings: LeRobot's own tools that merge
or convert data sets turn NaN in a vector into null, and its loader then fails. What was not known has a flag instead.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.hands_cloud import HANDS
from recorder.episode import Episode
from recorder.export_plan import Item, Job
from recorder.schema import STREAMS

OURS = "booth."
PICTURES = "observation.images."
Rows = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: type and shape as ``info.json`` tells them, and its (T, …) values in an open episode."""

    dtype: str
    shape: tuple[int, ...]
    names: list[str] | None
    read: Callable[[Episode, Item], Rows]

    def feature(self) -> dict[str, Any]:
        """The entry of ``info.json``."""
        return {"dtype": self.dtype, "shape": list(self.shape), "names": self.names}


def columns(job: Job) -> dict[str, Column]:
    """Every column but the pictures, in the order of the file."""
    layout, joints = job.layout, list(job.layout.joint_names)
    found = {"observation.state": _vector(joints, _dataset("/observations/qpos"))}
    if layout.velocity:
        found["observation.velocity"] = _vector(joints, _dataset("/observations/qvel"))
    if layout.effort:
        found["observation.effort"] = _vector(joints, _dataset("/observations/effort"))
    found["action"] = _vector(joints, lambda episode, item: action_rows(episode, job.settings.action))
    limited = ["limited"] if "/actions/limited" in layout.holds else []
    for kind in ("requested", *limited, "sent"):
        found[f"booth.action_{kind}"] = _vector(joints, _in_force(kind))
        found[f"booth.action_{kind}_known"] = Column("bool", (len(joints),), joints, _known(f"/actions/{kind}"))
    if job.settings.landmarks:
        names = [f"{hand}_{point}_{axis}" for hand in HANDS for point in range(21) for axis in "xyz"]
        found["booth.landmarks"] = _vector(names, lambda episode, item: np.nan_to_num(episode["/operator/landmarks"]))
        found["booth.hand_seen"] = Column("bool", (2,), list(HANDS), _known("/operator/score"))
    found["booth.engaged"] = Column("bool", (1,), None, _dataset("/operator/engaged"))
    found["booth.dropped"] = Column("bool", (1,), None, _dataset("/health/dropped"))
    if "/operator/paused" in layout.holds:
        found["booth.paused"] = Column("bool", (1,), None, _dataset("/operator/paused"))
    found["booth.tick_ns"] = Column("int64", (1,), None, _dataset("/time/tick_ns"))
    found["booth.monotonic_ns"] = Column("int64", (1,), None, _dataset("/time/monotonic_ns"))
    streams = [stream for stream in STREAMS if f"/time/{stream}/stamp_ns" in layout.holds]
    for stream in (*streams, *(name for name, _, _ in layout.cameras)):
        for value in ("stamp_ns", "age_ns"):
            found[f"{OURS}{stream}_{value}"] = Column("int64", (1,), None, _dataset(f"/time/{stream}/{value}"))
    return found | _counters(job)


def _counters(job: Job) -> dict[str, Column]:
    """LeRobot's own columns; its loader looks for the picture of a row at ``timestamp``."""
    rate = job.layout.rate_hz

    def counted(number: Callable[[Item, NDArray[np.int64]], Rows]) -> Callable[[Episode, Item], Rows]:
        return lambda episode, item: number(item, np.arange(episode.rows))

    def same(name: str) -> Callable[[Episode, Item], Rows]:
        return lambda episode, item: np.full(episode.rows, getattr(item, name), np.int64)

    return {
        "timestamp": Column("float32", (1,), None, counted(lambda item, row: row / rate)),
        "frame_index": Column("int64", (1,), None, counted(lambda item, row: row)),
        "episode_index": Column("int64", (1,), None, same("index")),
        "index": Column("int64", (1,), None, counted(lambda item, row: item.first_row + row)),
        "task_index": Column("int64", (1,), None, same("task_index")),
    }


def _vector(names: list[str], read: Callable[[Episode, Item], Rows]) -> Column:
    return Column("float32", (len(names),), names, read)


def _dataset(path: str) -> Callable[[Episode, Item], Rows]:
    return lambda episode, item: episode[path]


def _known(path: str) -> Callable[[Episode, Item], Rows]:
    return lambda episode, item: ~np.isnan(episode[path])


def _in_force(kind: str) -> Callable[[Episode, Item], Rows]:
    """The action in force at the tick; the measured position where there was none, as the flag beside it says."""

    def read(episode: Episode, item: Item) -> Rows:
        told = episode[f"/actions/{kind}"]
        return np.where(np.isnan(told), episode["/observations/qpos"], told)

    return read


def action_rows(episode: Episode, kind: str) -> NDArray[np.float32]:
    """(T, J) what answers observation t [rad].

    ``learner`` is ``/action``. ``requested``, ``limited`` and ``sent`` are those of row t+1 (the last row's own in
    the last row), because row t holds what was in force *at* the tick; where they are unknown, ``/action`` stands in.
    """
    learner: NDArray[np.float32] = episode["/action"]
    if kind == "learner":
        return learner
    told = episode[f"/actions/{kind}"]
    following = np.concatenate([told[1:], told[-1:]])
    return np.where(np.isnan(following), learner, following).astype(np.float32)
