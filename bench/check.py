# SPDX-License-Identifier: Apache-2.0
"""How much faster than real time an episode is checked: 57 joints, with one and with four VGA cameras at 30 Hz."""

import io
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from booth.output import Progress
from recorder.assemble import EpisodeTables, ImageRows
from recorder.check import Verdict, check_episode
from recorder.episode_writer import write_episode
from recorder.events import Event
from recorder.metadata import recorded_robot, robot_description
from recorder.schema import COMMANDS, DATASETS, ROOT_ATTRIBUTES, SCHEMA_NAME, SCHEMA_VERSION, STREAMS
from robots import Robot, load_robot

ROBOT = "ffw_sh5"
RATE_HZ = 30.0
CAMERAS = ("cam_operator", "cam_head", "cam_wrist_left", "cam_wrist_right")
RUNS = 5
START_NS = 1_800_000_000_000_000_000
MS = 1_000_000
SCENES = 24
"""Different pictures; every frame gets bytes of its own by a comment."""

Tables = dict[str, NDArray[np.generic]]


def measure(seconds: float) -> dict[str, float]:
    """Write two episodes of this length, check each a few times, and take the median. The files are in the page cache,
    as they are when a take was just finished.

    Raises:
        RuntimeError: the check does not find a healthy episode healthy.
    """
    progress = Progress("checking")
    figures: dict[str, float] = {"episode_s": seconds, "joints": len(load_robot(ROBOT).joints), "rate_hz": RATE_HZ}
    with tempfile.TemporaryDirectory() as scratch:
        for part, cameras in enumerate((CAMERAS[:1], CAMERAS)):
            path = Path(scratch) / f"{len(cameras)}.h5"
            write_episode(path, synthetic_tables(load_robot(ROBOT), seconds, cameras))
            times = []
            for run in range(RUNS):
                times.append(_timed(path))
                progress.show((part + (run + 1) / RUNS) / 2, f"{len(cameras)} camera(s)")
            suffix = "" if len(cameras) == 1 else f"_{len(cameras)}_cameras"
            figures[f"x_realtime{suffix}"] = seconds / float(np.median(times))
            figures[f"check_s{suffix}"] = float(np.median(times))
            figures[f"megabytes{suffix}"] = path.stat().st_size * 1e-6
    progress.done()
    return figures


def _timed(path: Path) -> float:
    recorded_robot.cache_clear()  # a check after a take runs in a process of its own
    start = perf_counter()
    report = check_episode(path)
    spent_s = perf_counter() - start
    if report.verdict is not Verdict.OK:
        raise RuntimeError(
            f"a healthy episode is {report.verdict.value}: {[finding.text for finding in report.reasons]}"
        )
    return spent_s


def describe(figures: dict[str, float]) -> str:
    """The figures for people."""
    lines = [
        f"check of {figures['episode_s']:.0f} s, {figures['joints']:.0f} joints at {figures['rate_hz']:.0f} rows/s"
    ]
    for text, suffix in (("1 VGA camera", ""), ("4 VGA cameras", "_4_cameras")):
        lines.append(
            f"{text:14} {figures[f'megabytes{suffix}']:6.0f} MB {figures[f'check_s{suffix}']:7.3f} s"
            f" {figures[f'x_realtime{suffix}']:7.0f} x real time"
        )
    return "\n".join(lines)


def synthetic_tables(robot: Robot, seconds: float, cameras: tuple[str, ...]) -> EpisodeTables:
    """A healthy episode: every joint swings, the robot follows 50 ms later, all streams come in time."""
    rows = round(seconds * RATE_HZ)
    tick = START_NS + np.rint(np.arange(rows) * 1e9 / RATE_HZ).astype(np.int64)
    datasets: Tables = {
        "/time/tick_ns": tick,
        "/time/monotonic_ns": tick - START_NS,
        "/operator/engaged": np.ones(rows, np.bool_),
        "/health/skew_ns": np.full(rows, 20 * MS),
        **_joints(robot, (tick - START_NS) * 1e-9),
        "/operator/landmarks": np.full((rows, 2, 21, 3), 0.1, np.float32),
    }
    for stream in (*STREAMS, *cameras):
        datasets |= _stream(stream, tick)
    datasets = _others(rows, len(robot.joints), datasets) | datasets
    usual = {name: round(1e9 / (100 if name in ("joint_states", "sent") else RATE_HZ)) for name in (*STREAMS, *cameras)}
    facts = {name: _stream_facts(rows, interval) for name, interval in usual.items()}
    images = {name: ImageRows(_frames(rows, number), np.arange(rows)) for number, name in enumerate(cameras)}
    events = (Event(START_NS, "driver_state", "ENGAGED"),)
    return EpisodeTables(robot.joint_names, datasets, images, events, _attributes(robot, rows), facts)


def _others(rows: int, joints: int, known: Tables) -> Tables:
    """Every dataset that the check does not judge, as zeros."""
    sizes = {"T": rows, "J": joints}
    return {
        name: np.zeros([sizes[size] if isinstance(size, str) else size for size in item.shape], item.dtype)
        for name, item in DATASETS.items()
        if name not in known and item.dtype != "object"
    }


def _joints(robot: Robot, time_s: NDArray[np.float64]) -> Tables:
    low, high = (np.array([getattr(joint, end) for joint in robot.joints]) for end in ("min_rad", "max_rad"))
    phase = np.arange(len(low))

    def pose(at_s: NDArray[np.float64]) -> NDArray[np.float64]:
        swing: NDArray[np.float64] = (low + high) / 2 + 0.1 * (high - low) * np.sin(at_s[:, None] + phase)
        return swing

    sent, measured = pose(time_s), pose(time_s - 0.05).astype(np.float32)
    return {
        "/observations/qpos": measured,
        "/observations/qvel": np.gradient(measured, axis=0),
        "/observations/effort": np.full_like(measured, 20.0),
        "/actions/requested": sent,
        "/actions/sent": sent,
        "/action": sent.astype(np.float32),
    }


def _stream(name: str, tick: NDArray[np.int64]) -> Tables:
    age = np.full(len(tick), 0 if name in COMMANDS else 5 * MS)
    tables: Tables = {
        f"/time/{name}/stamp_ns": tick - age,
        f"/time/{name}/age_ns": age,
        f"/time/{name}/receive_ns": tick - age + 2 * MS,
        f"/time/{name}/sequence": np.arange(len(tick)),
        f"/health/stale/{name}": np.zeros(len(tick), np.bool_),
        f"/health/lost/{name}": np.zeros(len(tick), np.int64),
    }
    if name in COMMANDS:
        tables[f"/time/{name}/capture_ns"] = tick - 30 * MS
    return tables


def _stream_facts(rows: int, interval_ns: int) -> dict[str, str | bool | int | float]:
    facts: dict[str, str | bool | int | float] = {"messages": rows, "undecodable_messages": 0, "incomplete_messages": 0}
    return facts | {"usual_interval_ns": interval_ns, "largest_interval_ns": interval_ns, "gaps": 0}


def _attributes(robot: Robot, rows: int) -> dict[str, str | bool | int | float]:
    return dict.fromkeys(ROOT_ATTRIBUTES, "{}") | {
        "schema_name": SCHEMA_NAME,
        "schema_version": SCHEMA_VERSION,
        "robot": robot.name,
        "robot_yaml": robot_description(ROBOT),
        "joint_units": "rad",
        "rate_hz": RATE_HZ,
        "wall_offset_ns": START_NS,
        "wall_drift_ns": 0,
        "complete": True,
        "created": "2027-01-15T08:00:00.000+00:00",
        "findings": "[]",
        "rows": rows,
        "dropped_rows": 0,
        "stale_rows": 0,
        "engaged_source": "driver_state",
        "color_order": "RGB",
        "sim": True,
        "compress": True,
    }


def _frames(count: int, seed: int) -> tuple[memoryview, ...]:
    """JPEGs of about 75 kB, the size of a webcam's: soft shapes with a sensor's noise."""
    random = np.random.default_rng(seed)
    scenes = []
    for _ in range(min(SCENES, count)):
        shapes = Image.fromarray(random.integers(40, 215, (15, 20, 3), np.uint8)).resize(
            (640, 480), Image.Resampling.BICUBIC
        )
        noisy = np.clip(np.asarray(shapes) + random.normal(0, 9, (480, 640, 1)), 0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(noisy).save(buffer, "JPEG", quality=80)
        scenes.append(buffer.getvalue())
    return tuple(_commented(scenes[frame % len(scenes)], frame) for frame in range(count))


def _commented(jpeg: bytes, number: int) -> memoryview:
    comment = b"\xff\xfe\x00\x06" + number.to_bytes(4, "big")
    return memoryview(jpeg[:2] + comment + jpeg[2:])
