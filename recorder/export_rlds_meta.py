# SPDX-License-Identifier: Apache-2.0
"""What an RLDS data set says about itself, and its files' names: both hold the number of episodes, so both come last.

``dataset_info.json`` is removed before a name changes and written when all are right: without it TFDS finds nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recorder.export_columns import Column
from recorder.export_errors import ExportError
from recorder.export_files import read_json, write_json
from recorder.export_plan import Job, Plan
from recorder.export_rlds import METADATA, OBSERVATION, STAGE, STEPS, TEXTS, dataset_name, stage, step_columns

VERSION = "1.0.0"
PLACED = f"{STAGE}/placed.json"
"""Which episode each file in the version's folder is; written before the first one goes there."""

SHARD = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
"""TFDS's own pattern of file names."""

CLASSES = "tensorflow_datasets.core.features."
Feature = dict[str, Any]


def merge(plan: Plan, root: Path, records: Sequence[Mapping[str, Any]]) -> str:
    """Name the files and describe them; returns what was made, for people.

    Raises:
        ExportError: an episode's file is gone.
    """
    folder = root / VERSION
    folder.mkdir(exist_ok=True)
    (folder / "dataset_info.json").unlink(missing_ok=True)
    _take_back(root)
    places = _places(plan, dataset_name(root))
    gone = [stage(index) for index in places.values() if not (root / stage(index)).is_file()]
    if gone:
        raise ExportError(f"{len(gone)} finished episodes are gone, such as {root / gone[0]}: export into a new folder")
    write_json(root / PLACED, places, indent=1)
    for name, index in places.items():
        (root / stage(index)).rename(folder / name)
    write_json(folder / "features.json", features(plan.job(root, plan.items[0])), indent=1)
    write_json(folder / "dataset_info.json", _info(plan, root, records), indent=1)
    return f"RLDS data set: tfds.builder_from_directory({str(folder.resolve())!r})"


def _take_back(root: Path) -> None:
    """Bring the files of an earlier merge to where they waited for it; one that was written anew meanwhile wins."""
    for name, index in (read_json(root / PLACED) or {}).items():
        placed, waits = root / VERSION / name, root / stage(index)
        if placed.is_file():
            placed.unlink() if waits.is_file() else placed.rename(waits)


def _places(plan: Plan, name: str) -> dict[str, int]:
    """File name -> number of the episode in it; each split counts its own files."""
    totals = Counter(_split(item.split) for item in plan.items)
    counted: Counter[str] = Counter()
    found = {}
    for item in plan.items:
        split = _split(item.split)
        found[f"{name}-{split}.tfrecord-{counted[split]:05d}-of-{totals[split]:05d}"] = item.index
        counted[split] += 1
    return found


def _split(part: str) -> str:
    return part or "train"


def _info(plan: Plan, root: Path, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    sizes: dict[str, list[int]] = {}
    for item, record in zip(plan.items, records, strict=True):
        sizes.setdefault(_split(item.split), []).append(int(record["bytes"]))
    splits = [
        {"filepathTemplate": SHARD, "name": split, "numBytes": str(sum(own)), "shardLengths": ["1"] * len(own)}
        for split, own in sizes.items()
    ]
    return {
        "description": _description(plan),
        "fileFormat": "tfrecord",
        "moduleName": "humanoid_booth",
        "name": dataset_name(root),
        "releaseNotes": {VERSION: "Exported by booth export"},
        "splits": splits,
        "version": VERSION,
    }


def _description(plan: Plan) -> str:
    joints = ", ".join(plan.layout.joint_names)
    return (
        f"Teleoperated {plan.layout.robot}, {plan.layout.rate_hz:g} steps a second. observation/state and action are"
        f" joint positions in rad (m for joints that slide), in this order: {joints}."
        " What is below booth/ is not meant for learning."
    )


def features(job: Job) -> Feature:
    """The content of ``features.json``: what each key of a record is."""
    found: dict[str, Feature] = {name: _number(column) for name, column in step_columns(job).items()}
    found |= {STEPS + name: _scalar("bool") for name in ("is_first", "is_last", "is_terminal")}
    found |= {STEPS + name: _scalar("float32") for name in ("reward", "discount")}
    found |= {STEPS + "language_instruction": _text()}
    found |= {OBSERVATION + name: _image(height, width) for name, height, width in job.layout.cameras}
    found |= {METADATA + name: _text() for name in (*TEXTS, "file_path")}
    found |= {METADATA + "complete": _scalar("bool"), METADATA + "rate_hz": _scalar("float32")}
    tree = _tree(found)
    content = tree["featuresDict"]["features"]
    content["steps"] = {
        "pythonClassName": CLASSES + "dataset_feature.Dataset",
        "sequence": {"feature": content["steps"], "length": "-1"},
    }
    return tree


def _tree(found: Mapping[str, Feature]) -> Feature:
    """Features by path -> features in features."""
    heads = dict.fromkeys(path.partition("/")[0] for path in sorted(found))
    content = {}
    for head in heads:
        below = {path.removeprefix(head + "/"): value for path, value in found.items() if path.startswith(head + "/")}
        content[head] = _tree(below) if below else found[head]
    return {"featuresDict": {"features": content}, "pythonClassName": CLASSES + "features_dict.FeaturesDict"}


def _number(column: Column) -> Feature:
    if column.shape == (1,) and column.names is None:
        return _scalar(column.dtype)
    tensor = {"dtype": column.dtype, "encoding": "none", "shape": _shape(*column.shape)}
    return {"pythonClassName": CLASSES + "tensor_feature.Tensor", "tensor": tensor}


def _scalar(kind: str) -> Feature:
    return {"pythonClassName": CLASSES + "scalar.Scalar", "tensor": {"dtype": kind, "encoding": "none", "shape": {}}}


def _text() -> Feature:
    return {"pythonClassName": CLASSES + "text_feature.Text", "text": {}}


def _image(height: int, width: int) -> Feature:
    image = {"dtype": "uint8", "encodingFormat": "jpeg", "shape": _shape(height, width, 3)}
    return {"image": image, "pythonClassName": CLASSES + "image_feature.Image"}


def _shape(*sizes: int) -> Feature:
    return {"dimensions": [str(size) for size in sizes]}
