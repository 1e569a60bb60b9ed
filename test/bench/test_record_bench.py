# SPDX-License-Identifier: Apache-2.0
"""The recording benchmark's own arithmetic; what it measures is no test's business."""

from itertools import islice
from pathlib import Path

import pytest

from bench import record_lerobot
from bench.record_lerobot import ENV_PYTHON, lerobot_cpu_ratio
from bench.record_path import JOINTS_EVERY_ROW, row, row_cost_p99_ms, write_over_plain_write


def test_a_row_holds_what_comes_in_a_thirtieth_of_a_second() -> None:
    messages = row(3, 7)
    assert len(messages) == 2 * JOINTS_EVERY_ROW + 4
    assert len({(message.topic, message.sequence) for message in messages}) == len(messages)


def test_the_write_path_is_compared_with_plain_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.record_path.WRITE_S", 2.0)
    monkeypatch.setattr("bench.record_path.ROW_COST_S", 0.5)
    assert write_over_plain_write(tmp_path) > 0.5
    assert (tmp_path / "path.mcap").stat().st_size == pytest.approx((tmp_path / "path.bin").stat().st_size, rel=0.05)
    assert row_cost_p99_ms(tmp_path) > 0.0
    assert len(list((tmp_path / "rows" / "trash").glob("*.mcap"))) == 1


def test_no_peer_is_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENV_PYTHON, raising=False)
    monkeypatch.setattr(record_lerobot, "find_spec", lambda _: None)
    assert lerobot_cpu_ratio(tmp_path, 0.3) is None


@pytest.mark.parametrize(("script", "ratio"), [("echo noise; echo '{\"cpu_s_per_s\": 2.0}'", 0.15), ("exit 1", None)])
def test_the_peer_runs_in_its_own_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, ratio: float | None
) -> None:
    peer = tmp_path / "python"
    peer.write_text(f"#!/bin/sh\n{script}\n")
    peer.chmod(0o755)
    monkeypatch.setenv(ENV_PYTHON, str(peer))
    assert lerobot_cpu_ratio(tmp_path, 0.3) == ratio


@pytest.mark.ros
def test_every_topic_is_sent_at_its_rate_and_cameras_take_turns() -> None:
    from bench.record import CAMERAS as TOLD
    from bench.record import ROBOT as SAME
    from bench.record_node import CAMERAS, ROBOT, schedule, sounds
    from robots import load_robot

    assert (CAMERAS, ROBOT) == (TOLD, SAME)
    heard = sounds(load_robot(ROBOT))
    second = [item for item in islice(schedule(heard), 2000) if item[0] < 1.0]
    for sound in heard:
        assert sum(sent is sound for _, _, sent in second) == sound.hz
    assert [due for due, _, _ in second] == sorted(due for due, _, _ in second)
    frames = [due for due, _, sound in second if sound.topic.name in CAMERAS.values()]
    assert len(set(frames)) == len(frames)
