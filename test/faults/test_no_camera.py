# SPDX-License-Identifier: Apache-2.0
"""Fault: there is no camera, or the video can't be read."""

from pathlib import Path

import pytest
from booth_cli import assert_answer, booth


def test_a_missing_camera_is_a_device_fault_with_advice() -> None:
    assert_answer(booth("track", "--source", "/dev/video99"), 3, "no camera at /dev/video99", "--source FILE")


def test_a_missing_video_is_named() -> None:
    assert_answer(booth("track", "--source", "no-such-video.mp4"), 2, "no video file at no-such-video.mp4")


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("not a video")
    assert_answer(booth("track", "--source", text), 2, "can't be read as a video", "expected MP4")


def test_the_demo_refuses_an_unreadable_video_before_it_starts_anything(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("not a video")
    ran = booth("demo", "--source", text, "--out", tmp_path / "out")
    assert_answer(ran, 2, "can't be read as a video")
    assert not (tmp_path / "out").exists()


@pytest.mark.ros
def test_booth_up_without_a_camera_ends_with_exit_code_3_and_nothing_moved(tmp_path: Path) -> None:
    ran = booth("up", "--source", "/dev/video99", "--directory", tmp_path)
    assert_answer(ran, 3, "no camera at /dev/video99", "tracker ended with exit code 3")
    assert "ENGAGED" not in ran.err
