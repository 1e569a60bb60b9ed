# SPDX-License-Identifier: Apache-2.0
"""What a LeRobot data set says about itself, written when all of its episodes are there; ``info.json`` comes last."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from recorder.export_columns import PICTURES, columns
from recorder.export_errors import library
from recorder.export_files import finished_file, write_json, write_json_lines
from recorder.export_lerobot import CHUNK, DATA, VIDEO
from recorder.export_plan import Item, Job, Plan
from recorder.export_stats import together
from recorder.export_video import video_facts

EPISODES = "meta/episodes/chunk-000/file-000.parquet"
EPISODES_A_BLOCK = 256
Records = Sequence[Mapping[str, Any]]


def merge_v3(plan: Plan, root: Path, records: Records) -> str:
    """Write ``meta/`` of a v3.0 data set; returns what was made, for people."""
    _write_episodes(root / EPISODES, plan, root, records)
    _write_tasks(root / "meta/tasks.parquet", plan.tasks)
    write_json(root / "meta/stats.json", _together(records), indent=1)
    info = _info(plan, root) | {
        "codebase_version": "v3.0",
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
    }
    write_json(root / "meta/info.json", info, indent=1)
    return f"LeRobot v3.0 data set at {root}"


def merge_v2(plan: Plan, root: Path, records: Records) -> str:
    """Write ``meta/`` of a v2.1 data set; returns what was made, for people."""
    tasks = ({"task_index": index, "task": task} for index, task in enumerate(plan.tasks))
    write_json_lines(root / "meta/tasks.jsonl", tasks)
    write_json_lines(root / "meta/episodes.jsonl", (_episode(item) for item in plan.items))
    stats = ({"episode_index": item.index, "stats": r["stats"]} for item, r in zip(plan.items, records, strict=True))
    write_json_lines(root / "meta/episodes_stats.jsonl", stats)
    write_json(root / "meta/stats.json", _together(records), indent=1)
    info = _info(plan, root) | {
        "codebase_version": "v2.1",
        "total_videos": len(plan.items) * len(plan.layout.cameras),
        "total_chunks": (len(plan.items) - 1) // CHUNK + 1,
    }
    write_json(root / "meta/info.json", info, indent=1)
    return f"LeRobot v2.1 data set at {root}"


def _info(plan: Plan, root: Path) -> dict[str, Any]:
    kind = plan.settings.format
    job = plan.job(root, plan.items[0])
    return {
        "robot_type": plan.layout.robot,
        "fps": round(plan.layout.rate_hz),
        "total_episodes": len(plan.items),
        "total_frames": plan.rows,
        "total_tasks": len(plan.tasks),
        "chunks_size": CHUNK,
        "splits": _splits(plan),
        "data_path": DATA[kind],
        "video_path": VIDEO[kind] if plan.layout.cameras else None,
        "features": _features(job),
    }


def _features(job: Job) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, height, width in job.layout.cameras:
        found[PICTURES + name] = {
            "dtype": "video",
            "shape": [height, width, 3],
            "names": ["height", "width", "channels"],
            "info": video_facts(job, height, width),
        }
    return found | {name: column.feature() for name, column in columns(job).items()}


def _splits(plan: Plan) -> dict[str, str]:
    """Each part of the split is a run of episodes; without a split all are for training."""
    found: dict[str, list[int]] = {}
    for item in plan.items:
        found.setdefault(item.split or "train", []).append(item.index)
    return {part: f"{indices[0]}:{indices[-1] + 1}" for part, indices in found.items()}


def _episode(item: Item) -> dict[str, Any]:
    """What both versions say of an episode, and where it comes from."""
    source = item.source
    return {
        "episode_index": item.index,
        "tasks": [item.task],
        "length": item.rows,
        "episode_id": source.episode_id,
        "created": source.created,
        "operator": source.operator,
        "booth": source.booth,
        "verdict": source.verdict,
        "complete": source.complete,
    }


def _together(records: Records) -> dict[str, Any]:
    return {name: together([record["stats"][name] for record in records]) for name in records[0]["stats"]}


def _write_episodes(path: Path, plan: Plan, root: Path, records: Records) -> None:
    """One row an episode, a block of them at a time, so that ten thousand need no memory to speak of."""
    pa, parquet = library("pyarrow"), library("pyarrow.parquet")
    rows = _episode_rows(plan, records)
    first = next(rows)
    schema = pa.Table.from_pylist([first]).schema
    with finished_file(path) as part, parquet.ParquetWriter(part, schema, compression="snappy") as writer:
        block = [first]
        for row in rows:
            if len(block) == EPISODES_A_BLOCK:
                writer.write_table(pa.Table.from_pylist(block, schema=schema))
                block = []
            block.append(row)
        writer.write_table(pa.Table.from_pylist(block, schema=schema))


def _episode_rows(plan: Plan, records: Records) -> Iterator[dict[str, Any]]:
    for item, record in zip(plan.items, records, strict=True):
        chunk, file = divmod(item.index, CHUNK)
        row = _episode(item) | {
            "data/chunk_index": chunk,
            "data/file_index": file,
            "dataset_from_index": item.first_row,
            "dataset_to_index": item.first_row + item.rows,
        }
        for name, _, _ in plan.layout.cameras:
            key = f"videos/{PICTURES}{name}/"
            row |= {key + "chunk_index": chunk, key + "file_index": file, key + "from_timestamp": 0.0}
            row[key + "to_timestamp"] = item.rows / plan.layout.rate_hz
        for feature, stats in record["stats"].items():
            row |= {f"stats/{feature}/{name}": value for name, value in stats.items()}
        yield row | {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0}


def _write_tasks(path: Path, tasks: Sequence[str]) -> None:
    """Tasks as pandas stores a frame whose index is ``task``: the loader takes nothing else."""
    pa, parquet = library("pyarrow"), library("pyarrow.parquet")
    described = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": [
            {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy_type, "metadata": None}
            for name, kind, numpy_type in (("task_index", "int64", "int64"), ("task", "unicode", "object"))
        ],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.0.0",
    }
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "task": pa.array(tasks, pa.string())})
    with finished_file(path) as part:
        parquet.write_table(table.replace_schema_metadata({b"pandas": json.dumps(described).encode()}), part)
