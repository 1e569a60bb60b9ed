# SPDX-License-Identifier: Apache-2.0
"""LeRobot as the peer of the recording benchmark: what it needs for the frames that our recorder takes in.

It runs in an interpreter of its own, this file as its program, since it wants other packages than we do. In its favour
it gets finished pixels, and encodes while it records.
"""

import json
import os
import resource
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np

ENV_PYTHON = "BOOTH_LEROBOT_PYTHON"
"""The Python interpreter that has LeRobot, when it is not this one."""

SECONDS, FPS, JOINTS, HEIGHT, WIDTH = 10.0, 30, 57, 480, 640
CAMERAS = ("operator", "left", "right", "chest")
PATIENCE_S = 600.0


def lerobot_cpu_ratio(directory: Path, ours: float) -> float | None:
    """Our processor time per recorded second divided by LeRobot's; None where it is not installed or fails.

    Args:
        directory: on the disk that counts. ours: processor seconds of our recorder per recorded second.
    """
    python = os.environ.get(ENV_PYTHON) or (sys.executable if find_spec("lerobot") else "")
    if not python:
        return None
    ran = subprocess.run(
        [python, __file__, str(directory / "lerobot")], capture_output=True, text=True, timeout=PATIENCE_S
    )
    if ran.returncode:
        return None
    return ours / float(json.loads(ran.stdout.splitlines()[-1])["cpu_s_per_s"])


def record(root: Path) -> float:
    """Record one episode with LeRobot at real time; processor seconds per recorded second, its children's included."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset  # only in an interpreter that has it

    names = [f"joint{number}" for number in range(JOINTS)]
    vector = {"dtype": "float32", "shape": (JOINTS,), "names": names}
    image = {"dtype": "video", "shape": (HEIGHT, WIDTH, 3), "names": ["height", "width", "channels"]}
    features = {"observation.state": vector, "action": vector}
    features |= {f"observation.images.{name}": image for name in CAMERAS}
    dataset = LeRobotDataset.create("bench/record", FPS, features, root=root, streaming_encoding=True)
    random = np.random.default_rng(5)
    pictures = [
        np.kron(random.integers(0, 255, (HEIGHT // 16, WIDTH // 16, 3), np.uint8), np.ones((16, 16, 1), np.uint8))
        for _ in range(FPS)
    ]
    joints = np.zeros(JOINTS, np.float32)
    before, began = _cpu_s(), time.monotonic()
    for number in range(round(SECONDS * FPS)):
        time.sleep(max(0.0, began + number / FPS - time.monotonic()))
        frame = {"observation.state": joints, "action": joints, "task": "bench"}
        frame |= {f"observation.images.{name}": pictures[(number + k) % FPS] for k, name in enumerate(CAMERAS)}
        dataset.add_frame(frame)
    dataset.save_episode()
    dataset.finalize()
    return (_cpu_s() - before) / SECONDS


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(item.ru_utime + item.ru_stime for item in used)


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"cpu_s_per_s": record(Path(sys.argv[1]))}) + "\n")
