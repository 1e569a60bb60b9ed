# SPDX-License-Identifier: Apache-2.0
"""The formats by name: what each checks, how it writes an episode, and how it ends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recorder import (
    export_act,
    export_lerobot,
    export_lerobot_meta,
    export_mcap,
    export_rlds,
    export_rlds_meta,
    export_robomimic,
)
from recorder.export_plan import Job, Plan

Tell = Callable[[float], None]
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        about: a line for people.
        check: refuses what the format can't hold; may change the plan's rows.
        files: what an episode's files are called, relative to the folder.
        write: one episode; told the share that is done; returns what the merge needs, as plain JSON.
        merge: what is written when all episodes are there; returns a line for people.
    """

    about: str
    check: Callable[[Plan, Path], Plan]
    files: Callable[[Job], Sequence[str]]
    write: Callable[[Job, Tell], dict[str, Any]]
    merge: Callable[[Plan, Path, Sequence[Record]], str]


FORMATS = {
    "lerobot": Format(
        "LeRobotDataset v3.0: Parquet and video",
        export_lerobot.check,
        export_lerobot.files,
        export_lerobot.write_episode,
        export_lerobot_meta.merge_v3,
    ),
    "lerobot-v2.1": Format(
        "LeRobotDataset v2.1, for openpi and other tools that read no newer one",
        export_lerobot.check,
        export_lerobot.files,
        export_lerobot.write_episode,
        export_lerobot_meta.merge_v2,
    ),
    "act": Format(
        "ACT/ALOHA: episode_0.hdf5 …, raw pictures, equally long",
        export_act.check,
        export_act.files,
        export_act.write_episode,
        export_act.merge,
    ),
    "robomimic": Format(
        "robomimic and IsaacLab: all demonstrations in one HDF5 file, raw pictures",
        export_robomimic.check,
        export_robomimic.files,
        export_robomimic.write_episode,
        export_robomimic.merge,
    ),
    "rlds": Format(
        "RLDS for TensorFlow Datasets: TFRecord files, the cameras' own JPEGs",
        export_rlds.check,
        export_rlds.files,
        export_rlds.write_episode,
        export_rlds_meta.merge,
    ),
    "mcap": Format(
        "MCAP for Foxglove and ROS tools: the takes, or what the episodes still know of them",
        export_mcap.check,
        export_mcap.files,
        export_mcap.write_episode,
        export_mcap.merge,
    ),
}
