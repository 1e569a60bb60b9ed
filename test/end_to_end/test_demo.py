# SPDX-License-Identifier: Apache-2.0
"""The whole loop on real pixels, real ROS, real DYNAMIXEL bytes and real HDF5."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from booth_cli import assert_answer, booth

from recorder.check import check_episode
from recorder.finding import Level

KEYS = {
    *("frames", "hand_found_share", "engaged_s", "loop_rate_hz", "loop_period_p50_ms", "loop_period_p99_ms", "rows"),
    *("dropped_rows", "joint_error_mean_deg", "replay_rmse_deg", "episode"),
}


def stood_still(log: str, out: Path) -> bool:
    """Whether the computer paused for 100 ms or more: a replay is then held, and an episode says so of its rows."""
    findings = [found for file in out.glob("*.h5") for found in check_episode(file).findings]
    failed = {found.code for found in findings if found.level is Level.FAIL}
    held = "HOLD: no fresh command" in log.rpartition("3/4 replaying")[2]
    return held or (bool(failed) and failed <= {"stale", "skew"})


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Twelve seconds of the bundled clip through everything."""
    out = tmp_path_factory.mktemp("demo")
    for attempt in range(3):
        ran = booth("demo", "--seconds", "12", "--out", out / str(attempt), "--json", timeout_s=170)
        if ran.code == 0 or not stood_still(ran.err, out / str(attempt)):
            break
    assert_answer(ran, 0)
    return ran.json


@pytest.mark.ros
@pytest.mark.slow
def test_the_demo_prints_every_figure_and_they_are_sound(demo: dict) -> None:
    assert set(demo) >= KEYS
    assert demo["frames"] > 200
    assert 0.8 < demo["hand_found_share"] <= 1.0
    assert demo["engaged_s"] > 3.0
    assert demo["rows"] > 100
    assert demo["dropped_rows"] == 0
    assert 0.5 < demo["joint_error_mean_deg"] < 15.0
    assert demo["replay_rmse_deg"] < 5.0


@pytest.mark.ros
@pytest.mark.slow
def test_the_episode_opens_with_plain_h5py_and_the_action_moves_with_the_hand(demo: dict) -> None:
    with h5py.File(demo["episode"]) as file:
        rows = demo["rows"]
        assert file["/action"].shape == (rows, 20)
        assert file["/observations/qpos"].shape == (rows, 20)
        assert file["/observations/images/cam_operator"].shape[0] == rows
        assert file["/operator/landmarks"].shape == (rows, 2, 21, 3)
        assert np.ptp(np.degrees(file["/action"][:, 6])) > 40, "the index finger's PIP"
        assert np.nanmax(np.abs(file["/action"][:] - file["/observations/qpos"][:])) < 2.5
    assert Path(demo["picture"]).stat().st_size > 50_000


@pytest.mark.ros
@pytest.mark.slow
def test_info_and_check_accept_what_the_demo_recorded(demo: dict) -> None:
    info = booth("episode", "info", demo["episode"], "--json").json
    assert len(info["joints"]) == 20
    assert info["cameras"] == ["cam_operator"]
    assert booth("episode", "check", demo["episode"]).code == 0
