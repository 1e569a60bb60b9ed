# SPDX-License-Identifier: Apache-2.0
"""LeRobot v3 export: how many times real time on one core, what a second worker brings, whether memory stays.

The episode is made of the bundled clip: one 640x480 JPEG camera at 30 Hz and the joints of one hand. One core's figure
counts CPU time, so that neighbours on the machine do not change it; the workers' figure counts wall time on clusters
that have started and warmed up, so it needs two idle cores.
"""

import logging
import os
import tempfile
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from booth.output import Progress
from recorder.assemble import EpisodeTables, ImageRows
from recorder.episode import expected_datasets
from recorder.episode_writer import write_episode
from recorder.export_errors import library
from recorder.export_plan import Plan, Settings, make_plan
from recorder.export_run import run_plan
from recorder.export_source import Source, episode_files, select
from recorder.metadata import robot_description
from recorder.schema import ROOT_ATTRIBUTES, SCHEMA_NAME, SCHEMA_VERSION, STREAMS
from robots import load_robot
from teleop.camera import bundled_clip

ROBOT, CAMERA = "hx5_d20_right", "cam_operator"
RATE_HZ = 30
HEIGHT, WIDTH = 480, 640
CLUSTER_EPISODES, ROUNDS = 6, 2
WARM_S = 2.0
SETTLED = 0.2
"""Memory is compared with what was in use when this share of the episode was done."""


def measure(seconds: float) -> dict[str, float]:
    """Export an episode of this length here, and six of them on one and on two workers."""
    progress = Progress("measuring")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        warm, source = (
            _source(_make_episode(folder / f"{name}.h5", length)) for name, length in (("w", WARM_S), ("e", seconds))
        )
        run_plan(_plan([warm]), folder / "warm")
        progress.show(0.1, "one process")
        figures = _alone(source, folder / "alone")
        walls = {}
        for workers in (1, 2):
            progress.show(0.2 + 0.3 * workers, f"{workers} worker(s)")
            walls[workers] = _on_cluster(workers, source, warm, folder / f"on{workers}")
        progress.done()
    return figures | {
        "speedup_2_workers": walls[1] / walls[2],
        "seconds_1_worker": walls[1],
        "seconds_2_workers": walls[2],
        "episode_s": seconds,
        "cluster_episodes": CLUSTER_EPISODES,
    }


def describe(figures: dict[str, float]) -> str:
    """The figures for people."""
    many, length = figures["cluster_episodes"], figures["episode_s"]
    return "\n".join(
        [
            f"LeRobot v3.0 export of {length:g} s with one 640x480 camera",
            f"one core            {figures['x_realtime_per_core']:6.1f} x real time (CPU time)",
            f"memory growth       {figures['memory_growth_mb']:6.1f} MB from a fifth of the episode to its end",
            f"1 worker            {figures['seconds_1_worker']:6.1f} s for {many:.0f} episodes",
            f"2 workers           {figures['seconds_2_workers']:6.1f} s: {figures['speedup_2_workers']:.2f} x as fast",
        ]
    )


def _alone(source: Source, root: Path) -> dict[str, float]:
    resident: list[int] = []

    def watch(share: float, note: str) -> None:
        if share >= SETTLED:
            resident.append(_resident_bytes())

    begun = time.process_time()
    plan = _plan([source])
    run_plan(plan, root, watch)
    used = time.process_time() - begun
    return {"x_realtime_per_core": plan.seconds / used, "memory_growth_mb": (max(resident) - resident[0]) / 1e6}


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _on_cluster(workers: int, source: Source, warm: Source, root: Path) -> float:
    """Wall seconds for the episodes, the better of two rounds; the file is one, the ids differ."""
    distributed = library("distributed")
    options = {"threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with distributed.LocalCluster(n_workers=workers, silence_logs=logging.CRITICAL, **options) as cluster:
        run_plan(_plan(_as_many(warm, 2 * workers)), root / "warm", scheduler=cluster.scheduler_address)
        plan = _plan(_as_many(source, CLUSTER_EPISODES))
        walls = []
        for number in range(ROUNDS):
            begun = time.monotonic()
            run_plan(plan, root / f"round{number}", scheduler=cluster.scheduler_address)
            walls.append(time.monotonic() - begun)
    return min(walls)


def _plan(sources: list[Source]) -> Plan:
    return make_plan(replace(select([]), sources=tuple(sources)), Settings("lerobot"))


def _as_many(source: Source, count: int) -> list[Source]:
    return [replace(source, episode_id=str(UUID(int=number))) for number in range(count)]


def _source(path: Path) -> Source:
    return select(episode_files([path])).sources[0]


def _make_episode(path: Path, seconds: float) -> Path:
    """An episode with moving joints and the clip's pictures, as far as an export can see."""
    rows, robot = round(seconds * RATE_HZ), load_robot(ROBOT)
    joints = len(robot.joint_names)
    sizes = {"T": rows, "J": joints}
    datasets: dict[str, np.ndarray] = {}
    for name, item in expected_datasets((), (*STREAMS, CAMERA)).items():
        shape = tuple(sizes[size] if isinstance(size, str) else size for size in item.shape)
        if item.dtype != "object":
            datasets[name] = np.zeros(shape, item.dtype)
    swing = 0.3 * np.sin(np.arange(rows)[:, None] / 20 + np.arange(joints))
    for name in ("/observations/qpos", "/action", "/actions/requested", "/actions/sent"):
        datasets[name] = swing.astype(datasets[name].dtype)
    datasets["/time/tick_ns"] = 10**18 + np.arange(rows) * 10**9 // RATE_HZ
    attributes: dict[str, Any] = dict.fromkeys(ROOT_ATTRIBUTES, "")
    attributes |= {"schema_name": SCHEMA_NAME, "schema_version": SCHEMA_VERSION, "robot": ROBOT, "rate_hz": RATE_HZ}
    attributes |= {"episode_id": str(UUID(int=rows)), "robot_yaml": robot_description(ROBOT), "verdict": "ok"}
    attributes |= {"complete": True, "sim": True, "compress": True, "rows": rows, "lost_messages": "{}"}
    images = {CAMERA: ImageRows(_clip_jpegs(rows), np.arange(rows))}
    write_episode(path, EpisodeTables(robot.joint_names, datasets, images, (), attributes, {}))
    return path


def _clip_jpegs(count: int) -> tuple[memoryview, ...]:
    """The clip's frames as a camera sends them, from the beginning again when it ends."""
    av = library("av")
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
    encoder.time_base, encoder.options = Fraction(1, RATE_HZ), {"qmin": "3", "qmax": "3"}
    jpegs: list[memoryview] = []
    while len(jpegs) < count:
        with av.open(str(bundled_clip())) as clip:
            for frame in clip.decode(video=0):
                picture = frame.reformat(WIDTH, HEIGHT, "yuvj420p")
                picture.pts = len(jpegs)
                picture.time_base = Fraction(1, RATE_HZ)
                jpegs += [memoryview(bytes(packet)) for packet in encoder.encode(picture)]
                if len(jpegs) >= count:
                    break
    return tuple(jpegs)
