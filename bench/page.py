# SPDX-License-Identifier: Apache-2.0
"""The operator's page under load: what it takes of a processor with two browsers, and how soon a change is seen.

The whole loop runs on the bundled clip meanwhile. Browsers draw on the same cores here, which they do not in a booth.
"""

import os
import socket
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from booth.browsers import chromium
from booth.client_node import GraphClient
from booth.output import Progress, say
from booth.page_invitation import page_url
from booth.supervisor import StopRequest, Supervisor, choose_domain, graph_environment
from booth.verb_models import ensure_model
from graph.errors import BoothError
from graph.nodes import GraphOptions, booth_processes
from graph.ros_node import qos_profile
from graph.topics import DRIVER_STATE
from robots import load_robot

ROBOT = "hx5_d20_right"
BROWSERS = 2
START_S, PAINT_S = 60.0, 5.0
CHANGES = 60
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAINTED = "at => window.__booth.paints.find(p => p.at_ms >= at && p.word === 'STOPPED')?.at_ms"
ALIVE = "() => window.__booth && window.__booth.alive && window.__booth.state !== null"


class _Bench:
    """A graph with its page, browsers that look at it, and a voice that changes the driver's state for a moment."""

    def __init__(self, client: GraphClient, supervisor: Supervisor, stopping: StopRequest) -> None:
        self.client = client
        self.supervisor = supervisor
        self.stopping = stopping
        self._voice = client.node.create_publisher(DiagnosticStatus, DRIVER_STATE.name, qos_profile(DRIVER_STATE.qos))

    def spin(self, seconds: float) -> None:
        """Look after graph and user."""
        self.client.spin(seconds)
        if self.stopping():
            raise KeyboardInterrupt
        outcome = self.supervisor.poll()
        if outcome is not None:
            raise BoothError(outcome.reason)

    def until(self, condition: Any, timeout_s: float, what: str) -> None:
        """Wait for something."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise BoothError(f"{what}: not within {timeout_s:g} s")
            self.spin(0.01)

    def change(self, number: int) -> float:
        """Say for a moment that the robot has stopped; returns when, in ms since the epoch."""
        word = DiagnosticStatus(level=b"\2", name="bench", message="STOPPED", hardware_id="bench")
        word.values = [KeyValue(key="reason", value=f"benchmark {number}")]
        at_ms = time.time_ns() * 1e-6
        self._voice.publish(word)
        return at_ms


def measure(seconds: float) -> dict[str, float]:
    """Run graph and browsers.

    Raises:
        InputError: no Chromium or playwright.
        BoothError: graph or page did not come up.
    """
    ensure_model()
    domain = choose_domain()
    robot = load_robot(ROBOT)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder
        address = f"127.0.0.1:{_free_port()}"
        options = GraphOptions(source="clip", loop=True, directory=folder, page=address)
        options = replace(options, store=str(Path(folder) / "booth.sqlite"))
        supervisor = Supervisor(booth_processes(robot, ROBOT, options), graph_environment(domain), say)
        with StopRequest() as stopping, GraphClient(domain, "booth_page_bench") as client, chromium() as browser:
            supervisor.start()
            try:
                return _figures(_Bench(client, supervisor, stopping), browser, page_url(address), seconds)
            finally:
                supervisor.stop()


def _figures(bench: _Bench, browser: Any, url: str, seconds: float) -> dict[str, float]:
    bench.until(lambda: _answers(url), START_S, "the page is served")
    pages = [browser.new_page(viewport={"width": 1280, "height": 800}) for _ in range(BROWSERS)]
    for page in pages:
        page.goto(url)
        page.wait_for_function(ALIVE, timeout=START_S * 1e3)
    bench.until(lambda: bench.client.state("driver") == "ENGAGED", START_S, "the robot is engaged")
    pid = bench.supervisor.pid("page")
    before_s, begin = _processor_s(pid), time.monotonic()
    periods: list[float] = []
    progress = Progress("two browsers")
    while (elapsed := time.monotonic() - begin) < seconds:
        bench.spin(0.5)
        periods.append(float(bench.client.values("driver").get("loop_period_p99_ms", "nan")))
        progress.show(elapsed / seconds)
    percent = 100.0 * (_processor_s(pid) - before_s) / (time.monotonic() - begin)
    drawn = [page.evaluate("() => window.__booth.frames.drawn") for page in pages]
    progress.done()
    delays = _delays(bench, pages)
    return {
        "seconds": seconds,
        "cpu_percent_two_browsers": percent,
        "state_to_screen_p50_ms": float(np.percentile(delays, 50)),
        "state_to_screen_p99_ms": float(np.percentile(delays, 99)),
        "changes": len(delays),
        "pictures_drawn_per_s": float(np.mean(drawn)) / seconds,
        "loop_period_p99_ms": float(np.nanmedian(periods)),
    }


def _delays(bench: _Bench, pages: list[Any]) -> list[float]:
    """From a change on the graph until it is painted in each browser [ms]."""
    delays: list[float] = []
    progress = Progress("changes")
    for number in range(CHANGES):
        bench.until(lambda: all(_word(page) != "STOPPED" for page in pages), PAINT_S, "the driver's own word is back")
        bench.spin(0.05 + 0.01 * (number % 7))
        at_ms = bench.change(number)
        for page in pages:
            found = page.wait_for_function(PAINTED, arg=at_ms, timeout=PAINT_S * 1e3, polling=20)
            delays.append(float(found.json_value()) - at_ms)
        progress.show((number + 1) / CHANGES)
    progress.done()
    return delays


def _word(page: Any) -> str:
    return str(page.evaluate("() => window.__booth.state.word"))


def _answers(url: str) -> bool:
    host, _, port = url.removeprefix("http://").split("/")[0].rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _processor_s(pid: int | None) -> float:
    """Processor time that a process has taken [s]."""
    if pid is None:
        raise BoothError("the page's process has ended: look at its last words above")
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def describe(figures: dict[str, float]) -> str:
    """The figures for people."""
    return "\n".join(
        [
            f"the page's process with two browsers: {figures['cpu_percent_two_browsers']:.1f} % of one core (aim 10)",
            f"a change on the graph is painted after {figures['state_to_screen_p50_ms']:.0f} ms at the median, "
            f"{figures['state_to_screen_p99_ms']:.0f} ms at the 99th percentile (aim 150)",
            f"each browser drew {figures['pictures_drawn_per_s']:.1f} camera pictures a second; meanwhile the servo "
            f"loop's period was {figures['loop_period_p99_ms']:.1f} ms at its 99th percentile",
        ]
    )
