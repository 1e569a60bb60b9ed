# SPDX-License-Identifier: Apache-2.0
"""Exports on Dask: the same bytes as in one process, and a killed worker costs nothing but time."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import pytest

pytest.importorskip("av")
pytest.importorskip("pyarrow")
distributed = pytest.importorskip("distributed")

import export_episodes as made  # noqa: E402

from recorder.export_errors import ExportError, ExportInputError  # noqa: E402
from recorder.export_run import run_plan  # noqa: E402

EPISODES = 6


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("in")
    first = made.make_episode(folder / "a.h5")
    return [made.copy_of(folder / f"copies/{number}.h5", first, number) for number in range(EPISODES)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two workers of somebody else's cluster."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as running:
        yield running


def assert_same_files(one: Path, other: Path) -> None:
    names = [path.relative_to(one) for path in one.rglob("*") if path.is_file() and "booth_export" not in path.parts]
    assert len(names) == 2 * EPISODES + 4
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_a_killed_worker_costs_no_episode(sources: list[Path], cluster: Any, tmp_path: Path) -> None:
    killed = []

    def kill_one(share: float, note: str) -> None:
        if not killed:
            worker = next(iter(cluster.workers.values()))
            killed.append(worker.process.pid)
            os.kill(worker.process.pid, signal.SIGKILL)

    root = tmp_path / "out"
    outcome = run_plan(made.plan_of(sources, root), root, kill_one, scheduler=cluster.scheduler_address)
    assert killed and outcome.written == EPISODES
    made.export(sources, tmp_path / "here")
    assert_same_files(root, tmp_path / "here")


def test_a_broken_episode_is_named_and_the_others_are_kept(sources: list[Path], cluster: Any, tmp_path: Path) -> None:
    broken = made.copy_of(tmp_path / "in/broken.h5", sources[0], 40)
    with h5py.File(broken, "r+") as file:
        file["/observations/images/cam_operator"][3, :] = 0
    root = tmp_path / "out"
    with pytest.raises(ExportError, match=rf"(?s)1 of {EPISODES + 1} episodes.*broken\.h5: .*row 3"):
        run_plan(made.plan_of([*sources, broken], root), root, scheduler=cluster.scheduler_address)
    outcome = made.export(sources, root)
    assert (outcome.kept, outcome.written) == (EPISODES, 0)


def test_a_scheduler_that_is_not_there_is_named(
    sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recorder.export_cluster.PATIENCE_S", 0.5)
    with pytest.raises(ExportInputError, match=r"no Dask scheduler answers at 'tcp://127.0.0.1:9'"):
        run_plan(made.plan_of(sources, tmp_path), tmp_path / "out", scheduler="tcp://127.0.0.1:9")
