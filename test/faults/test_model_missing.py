# SPDX-License-Identifier: Apache-2.0
"""Fault: the hand model is missing, damaged, or not the known one."""

import zipfile
from pathlib import Path

import pytest
from booth_cli import assert_answer, booth


def test_the_tracker_says_how_to_get_it(tmp_path: Path) -> None:
    ran = booth("models", "--from", tmp_path / "nothing.whl", BOOTH_MODELS=str(tmp_path))
    assert_answer(ran, 2, "nothing.whl", "expected a mediapipe==0.10.21 wheel")


def test_a_foreign_model_is_refused_by_its_hash(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.task"
    with zipfile.ZipFile(foreign, "w") as bundle:
        bundle.writestr("hand_detector.tflite", b"other")
        bundle.writestr("hand_landmarks_detector.tflite", b"other")
    ran = booth("models", "--from", foreign, BOOTH_MODELS=str(tmp_path / "cache"))
    assert_answer(ran, 2, "is not the known model", "SHA-256")


@pytest.mark.ros
def test_a_tracker_node_with_a_damaged_model_ends_and_is_not_restarted(tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    (tmp_path / "hand_landmarker.task").write_bytes(b"damaged")
    result = subprocess.run(
        [sys.executable, "-m", "teleop.tracker_node", "--ros-args", "-p", "source:=clip"],
        env=os.environ | {"BOOTH_MODELS": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert "booth models --force" in result.stderr
    assert "Traceback" not in result.stderr
