# SPDX-License-Identifier: Apache-2.0
"""Libraries for tests: real episodes, each a copy of one small one with facts of its own."""

import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import UUID

import h5py
from takes import Script, make_take

from recorder.finalise import finalise
from recorder.identity import uuid7, wall_iso
from recorder.manifest import ATTRIBUTE, make_manifest

START_S = 1_800_000_000
"""Wall time of the first episode [s]: 2027-01-15T08:00:00Z."""


@cache
def small_episode() -> Path:
    """An episode of 18 rows that every library copies from."""
    return finalise(make_take(Path(mkdtemp()) / "a.mcap", Script(seconds=0.6, jpeg_bytes=80, engage_at_s=0.1))).path


@cache
def wave_episode() -> Path:
    """An episode of 90 rows with losses, so that its sums are not all zero."""
    lose = (("/tracker/hands", 40), ("/tracker/hands", 41), ("/tracker/hands", 42), ("/joint_states", 100))
    return finalise(make_take(Path(mkdtemp()) / "a.mcap", Script(seconds=3.0, lose=lose))).path


def identity(number: int) -> str:
    """The id of the episode of this number."""
    return str(uuid7((START_S + number) * 10**9, number.to_bytes(10, "big")))


def state_manifest(file: h5py.File) -> None:
    """Have an episode that was changed state its hashes anew, so that it is another episode and not a damaged one."""
    file.attrs[ATTRIBUTE] = json.dumps(make_manifest(file))


def add_episode(folder: Path, number: int, after_s: float = 0.0, same_data: bool = False, **facts: Any) -> Path:
    """Put episode ``number`` into a folder, recorded ``after_s`` seconds after the first one.

    Args:
        same_data: whether it holds the rows of every other one with ``same_data``.
        facts: attributes of the root.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"e{number:04}.h5"
    path.write_bytes(small_episode().read_bytes())
    with h5py.File(path, "r+") as file:
        created = wall_iso(int((START_S + after_s) * 1e9))
        file.attrs.update({"episode_id": identity(number), "created": created, "operator": "ada", **facts})
        if not same_data:
            file["/observations/qpos"][0, 0] = number + 1
        state_manifest(file)
    return path


def facts_row(number: int, **facts: Any) -> dict[str, Any]:
    """A row of the index, for logic that needs no files."""
    row: dict[str, Any] = {
        "path": f"e{number:04}.h5",
        "episode_id": str(UUID(int=number)),
        "task": "wave",
        "operator": "ada",
        "booth": "booth-1",
        "robot": "hx5_d20_right",
        "session": f"s{number}",
        "created_s": 1000.0 * number,
        "length_s": 10.0,
        "verdict": "ok",
        "complete": 1,
        "success": None,
        "derived_from": "[]",
        "content_sha256": f"{number:064}",
    }
    return {**row, **facts}
