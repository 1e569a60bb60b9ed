# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C on `booth up`: everything ends cleanly within five seconds, a running take becomes an episode."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from recorder.check import check_episode
from recorder.finding import Level

STOOD_STILL = {"stale", "skew"}
"""What a take of a quarter of a second shows when the computer stood still in it; the file is whole all the same."""


@pytest.mark.ros
@pytest.mark.slow
def test_one_interrupt_ends_everything_and_saves_the_take(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "booth", "up", "--source", "clip", "--record", "start", "--json"]
    process = subprocess.Popen(
        [*command, "--directory", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    lines: list[str] = []
    recording = threading.Event()

    def read() -> None:
        for line in process.stderr:
            lines.append(line)
            if "[driver] INFO: ENGAGED" in line:
                recording.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert recording.wait(60), "".join(lines)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    code = process.wait(timeout=15)
    took_s = time.monotonic() - begin
    reader.join()
    log = "".join(lines)
    assert code == 0, log
    assert took_s < 5.5, log
    assert "Traceback" not in log
    assert not [process for process in Path("/proc").glob("[0-9]*") if str(tmp_path) in _command(process)]
    episodes = list(tmp_path.glob("*.h5"))
    takes = list(tmp_path.glob("*.mcap"))
    assert len(episodes) == 1 or takes, log
    if episodes:
        report = check_episode(episodes[0])
        failed = {finding.code for finding in report.findings if finding.level is Level.FAIL}
        assert failed <= STOOD_STILL, report
        assert not {"complete", "manifest"} & {finding.code for finding in report.reasons}


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_text()
    except OSError:
        return ""
