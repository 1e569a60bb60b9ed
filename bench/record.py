# SPDX-License-Identifier: Apache-2.0
"""What recording costs: a whole humanoid at 200 Hz and four cameras, heard by the real recorder node.

Another process speaks for robot and operator. The figures of the write path alone are taken without ROS.
"""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from std_srvs.srv import Trigger

from bench.record_lerobot import lerobot_cpu_ratio
from bench.record_path import row_cost_p99_ms, write_over_plain_write
from booth.client_node import GraphClient
from booth.output import Progress, say
from booth.supervisor import StopRequest, Supervisor, choose_domain, graph_environment
from graph.errors import BoothError
from graph.nodes import GraphOptions, ProcessSpec, recorder_process
from graph.topics import SERVICE_RECORD_DISCARD, SERVICE_RECORD_START, SERVICE_RECORD_STOP
from recorder.episode import Episode

ROBOT = "ffw_sh5"
CAMERAS = {f"cam_{name}": f"/bench/{name}/compressed" for name in ("left", "right", "chest")}
"""As in ``bench.record_node``, which needs no import here."""

START_S = 60.0
SETTLE_S = 5.0
SAVE_S = 600.0
QUIET_S = 3.0
LEAST_MB_S = 2.0
AT_REST = ("SAVED", "FAILED")
STOP_AND_START = (SERVICE_RECORD_STOP, SERVICE_RECORD_START)


def measure(seconds: float = 60.0) -> dict[str, float | None]:
    """Record for this long, beside a directory of its own in the current one (the disk counts).

    Raises:
        BoothError: the recorder did not start, or could not save.
    """
    directory = Path(tempfile.mkdtemp(prefix=".bench-record-", dir=Path.cwd()))
    try:
        figures = _live(directory, seconds)
        row_ms = row_cost_p99_ms(directory)
        ratio = write_over_plain_write(directory)
        peer = lerobot_cpu_ratio(directory, figures["recorder_cpu_percent"] / 100.0)
        return {**figures, "row_cost_p99_ms": row_ms, "write_over_plain_write": ratio, "lerobot_cpu_ratio": peer}
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def describe(figures: dict[str, float | None]) -> str:
    """The figures for people."""
    peer = figures["lerobot_cpu_ratio"]
    return "\n".join(
        [
            "57 joints at 200 Hz, commands, hands and four 640 x 480 JPEG cameras at 30 Hz",
            f"rows dropped {figures['dropped_rows']:.0f}, frames dropped {figures['dropped_frames']:.0f}",
            f"recorder: {figures['recorder_cpu_percent']:.1f} % of one core, memory grew by"
            f" {figures['memory_growth_mb']:.1f} MB",
            f"one row's messages cost the graph's thread {figures['row_cost_p99_ms']:.2f} ms (p99)",
            f"stop to ready for the next take: {figures['stop_to_ready_s']:.3f} s",
            f"take to finished episode: {figures['finalize_x_realtime']:.0f} x real time",
            f"write path: {figures['write_over_plain_write']:.2f} x the processor time of plain write() and fsync",
            "LeRobot is not installed here: nothing to compare with"
            if peer is None
            else f"processor time per recorded second: LeRobot needs {1 / peer:.1f} x as much",
        ]
    )


def _live(directory: Path, seconds: float) -> dict[str, float]:
    domain = choose_domain()
    options = GraphOptions(
        driver="external", directory=str(directory), cameras=tuple(f"{name}={topic}" for name, topic in CAMERAS.items())
    )
    specs = [recorder_process(ROBOT, options), ProcessSpec("graph", "bench.record_node")]
    supervisor = Supervisor(specs, graph_environment(domain), say)
    with StopRequest() as stopping, GraphClient(domain, "bench_record") as client, _running(supervisor):
        bench = _Bench(client, supervisor, stopping)
        bench.until(lambda: bench.rate_mb_s() > LEAST_MB_S, START_S, "waiting for the graph")
        return bench.record(seconds)


@contextmanager
def _running(supervisor: Supervisor) -> Iterator[None]:
    supervisor.start()
    try:
        yield
    finally:
        supervisor.stop()


class _Bench:
    """Drives the recorder and watches its process."""

    def __init__(self, client: GraphClient, supervisor: Supervisor, stopping: StopRequest) -> None:
        self._client, self._supervisor, self._stopping = client, supervisor, stopping

    def record(self, seconds: float) -> dict[str, float]:
        """One long take and the way to the next."""
        self._call(SERVICE_RECORD_START)
        self._spin(min(SETTLE_S, seconds / 4), "settling")
        pid = self._pid()
        cpu, memory, began = cpu_seconds(pid), memory_mb(pid), time.monotonic()
        self._spin(seconds, "recording")
        took = time.monotonic() - began
        cpu, grown = cpu_seconds(pid) - cpu, memory_mb(pid) - memory
        stopped = time.monotonic()
        self._call(SERVICE_RECORD_STOP)
        self.until(lambda: self._client.state("recorder") in AT_REST, SAVE_S, "saving")
        saved = time.monotonic() - stopped
        figures = self._episode()
        figures |= {"recorder_cpu_percent": 100 * cpu / took, "memory_growth_mb": grown}
        figures["finalize_x_realtime"] = (took + min(SETTLE_S, seconds / 4)) / saved
        figures["stop_to_ready_s"] = self._stop_to_ready()
        return figures

    def until(self, done: Callable[[], bool], timeout_s: float, note: str) -> None:
        """Spin until ``done()``.

        Raises:
            BoothError: it takes longer than that.
        """
        deadline = time.monotonic() + timeout_s
        while not done():
            self._look()
            if time.monotonic() > deadline:
                raise BoothError(f"{note} took longer than {timeout_s:.0f} s: {self._client.values('recorder')}")
            self._client.spin(0.05)

    def rate_mb_s(self) -> float:
        """What the recorder says it hears."""
        return float(self._client.values("recorder").get("rate_mb_s") or 0.0)

    def _episode(self) -> dict[str, float]:
        values = self._client.values("recorder")
        if self._client.state("recorder") != "SAVED":
            raise BoothError(f"the recorder could not save: {values.get('reason')}")
        with Episode.open(values["episode"]) as episode:
            lost = json.loads(str(episode.attribute("lost_messages")))
            dropped = int(episode.attribute("dropped_rows"))
        frames = sum(number for stream, number in lost.items() if stream.startswith("cam_"))
        return {"dropped_rows": float(dropped), "dropped_frames": float(frames)}

    def _stop_to_ready(self) -> float:
        """From asking for the stop to the moment at which the next take runs."""
        stop, start = (self._client.node.create_client(Trigger, name) for name in STOP_AND_START)
        self._call(SERVICE_RECORD_START)
        self._spin(QUIET_S, "next take")
        began = time.monotonic()
        self._ask(stop)
        self._ask(start)
        ready = time.monotonic() - began
        self._call(SERVICE_RECORD_DISCARD)
        return ready

    def _ask(self, service: Any) -> None:
        """Call a service whose client is there already; looking for it is no part of what is measured."""
        future = service.call_async(Trigger.Request())
        deadline = time.monotonic() + START_S
        while not future.done() and time.monotonic() < deadline:
            self._client.spin(0.001)
        if not future.done() or not future.result().success:
            raise BoothError(f"{service.srv_name}: {future.result().message if future.done() else 'no answer'}")

    def _call(self, service: str) -> None:
        success, message = self._client.call(service)
        if not success:
            raise BoothError(f"{service}: {message}")

    def _spin(self, seconds: float, note: str) -> None:
        progress = Progress(note)
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            self._look()
            self._client.spin(min(0.2, seconds - passed))
            progress.show(passed / seconds, f"{self.rate_mb_s():.1f} MB/s")
        progress.done()

    def _look(self) -> None:
        if self._stopping():
            raise KeyboardInterrupt
        outcome = self._supervisor.poll()
        if outcome is not None:
            raise BoothError(outcome.reason)

    def _pid(self) -> int:
        pid = self._supervisor.pid("recorder")
        if pid is None:
            raise BoothError("the recorder is not running")
        return pid


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """Resident memory of a process that is its own, without mapped files."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) / 1024
