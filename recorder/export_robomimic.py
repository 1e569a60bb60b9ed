# SPDX-License-Identifier: Apache-2.0
"""robomimic and IsaacLab: all demonstrations in one HDF5 file.

Each episode is written to a file of its own first; the merge copies them, in order, into one.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from recorder.episode import Episode
from recorder.export_act import bytes_a_row, fitted, picture_dataset, refuse_small_disk, write_pictures
from recorder.export_columns import action_rows
from recorder.export_errors import ExportError
from recorder.export_files import finished_file
from recorder.export_plan import Job, Plan
from robots.robot import parse_robot

NAME = "demos.hdf5"
PARTS = "booth_export/demos"
GYM = 2
"""robomimic's number for the environment type that promises least; it has none for a real robot."""


def check(plan: Plan, root: Path) -> Plan:
    """Refuse what can't be stored.

    Raises:
        ExportInputError: the disk is too small: the parts and the whole need room at the same time.
    """
    copies = 2 if plan.settings.next_obs else 1
    refuse_small_disk(root, 2 * copies * plan.rows * bytes_a_row(plan))
    return plan


def files(job: Job) -> list[str]:
    """Where the episode waits for the merge."""
    return [_part(job.item.index)]


def _part(index: int) -> str:
    return f"{PARTS}/{index:06d}.hdf5"


def write_episode(job: Job, tell: Any) -> dict[str, Any]:
    """Write one demonstration.

    Raises:
        ExportError, EpisodeError: it can't be read, or the disk refuses.
    """
    rows = job.item.rows
    target = Path(job.root, *files(job))
    with Episode.open(job.item.source.path) as episode, finished_file(target) as part, h5py.File(part, "w") as file:
        demo = file.create_group("demo")
        demo.attrs["num_samples"] = rows
        demo.attrs["episode_id"] = job.item.source.episode_id
        demo.attrs["task"] = job.item.task
        actions = action_rows(episode, job.settings.action)
        demo["actions"] = normalised(actions, *limits(episode)) if job.settings.normalise else actions
        demo["dones"] = (np.arange(rows) == rows - 1).astype(np.int64)
        shifts = {"obs": 0, "next_obs": 1} if job.settings.next_obs else {"obs": 0}
        for group, shift in shifts.items():
            for name in ("qpos", "qvel", "effort"):
                demo[f"{group}/{name}"] = fitted(episode[f"/observations/{name}"][shift:], rows)
        for number, camera in enumerate(job.layout.cameras):
            datasets = [picture_dataset(demo, f"{group}/{camera[0]}", rows, camera) for group in shifts]
            for row in write_pictures(datasets, list(shifts.values()), episode, camera, rows):
                tell((number + row / rows) / len(job.layout.cameras))
        if job.settings.normalise:
            demo.attrs["action_min"], demo.attrs["action_max"] = limits(episode)
    tell(1.0)
    return {}


def limits(episode: Episode) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(J,) lowest and highest position of each joint, by the robot's description in the episode [rad or m]."""
    robot = parse_robot(str(episode.attribute("robot_yaml")), f"the robot in {episode.path.name}")
    joints = {joint.name: joint for joint in robot.joints}
    ordered = [joints[name] for name in episode.joint_names]
    return np.array([joint.min_rad for joint in ordered]), np.array([joint.max_rad for joint in ordered])


def normalised(
    actions: NDArray[np.float32], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float32]:
    """(T, J) -1 at the lower joint limit, 1 at the upper one; what lies outside is cut."""
    scaled: NDArray[np.float32] = np.clip(2 * (actions - low) / (high - low) - 1, -1, 1).astype(np.float32)
    return scaled


def merge(plan: Plan, root: Path, records: Sequence[Mapping[str, Any]]) -> str:
    """Copy all demonstrations into one file; those that it holds already come from its last version.

    Raises:
        ExportError: a part is gone, or the disk refuses.
    """
    target = root / NAME
    try:
        with finished_file(target) as part, h5py.File(part, "w") as file:
            data = file.create_group("data")
            data.attrs["total"] = plan.rows
            data.attrs["env_args"] = json.dumps(_environment(plan))
            for item in plan.items:
                _copy_demo(root, item.index, data)
            for split, names in _masks(plan).items():
                file.create_dataset(f"/mask/{split}", data=np.array(names, dtype="S"))
    except OSError as error:
        raise ExportError(f"can't write {target}: {error}. Is the disk full? Run the same command again") from error
    for item in plan.items:
        (root / _part(item.index)).unlink(missing_ok=True)
    return f"{len(plan.items)} demonstrations in {target}"


def _copy_demo(root: Path, index: int, data: h5py.Group) -> None:
    own, whole = root / _part(index), root / NAME
    origin, name = (own, "demo") if own.exists() else (whole, f"data/demo_{index}")
    with h5py.File(origin, "r") as file:
        if name not in file:
            raise ExportError(f"demonstration {index} is neither in {own} nor in {whole}: export into a new folder")
        file.copy(name, data, f"demo_{index}")


def _environment(plan: Plan) -> dict[str, Any]:
    facts = {"robot": plan.layout.robot, "rate_hz": plan.layout.rate_hz, "joint_names": list(plan.layout.joint_names)}
    facts["actions"] = "-1 … 1 between the joint limits" if plan.settings.normalise else "rad"
    return {"env_name": plan.tasks[0] or "humanoid_booth", "type": GYM, "env_kwargs": facts}


def _masks(plan: Plan) -> dict[str, list[str]]:
    masks: dict[str, list[str]] = {}
    for item in plan.items:
        if item.split:
            name = "valid" if item.split == "val" else item.split
            masks.setdefault(name, []).append(f"demo_{item.index}")
    return masks
