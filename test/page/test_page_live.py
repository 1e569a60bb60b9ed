# SPDX-License-Identifier: Apache-2.0
"""A session from the first tap to the last episode, in a real browser on a real graph: the bundled clip is the hand.

Tracker, teleop, driver, virtual robot, recorder and page are the processes that `booth up` starts.
"""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from live_graph import LiveGraph

from booth.browsers import chromium
from booth.page_invitation import page_url
from booth.session.records import Operator, Task
from booth.session.store import Store
from graph.nodes import GraphOptions, booth_processes
from robots import load_robot

ROBOT = "hx5_d20_right"
PATIENCE_S = 90.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Booth:
    """The graph, its files, and browsers that look at its page."""

    def __init__(self, graph: LiveGraph, browser: Any, url: str, folder: Path) -> None:
        self.graph, self.browser, self.url, self.folder = graph, browser, url, folder
        self.page = self.open()

    def open(self) -> Any:
        """Another browser, with cookies and storage of its own."""
        page = self.browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(self.url)
        self.wait_for_first_state(page)
        return page

    def wait_for_first_state(self, page: Any) -> None:
        page.wait_for_function("() => window.__booth?.state", timeout=PATIENCE_S * 1e3)

    def state(self, page: Any = None) -> dict[str, Any]:
        return dict((page or self.page).evaluate("() => window.__booth.state"))

    def alive(self, page: Any = None) -> bool:
        return bool((page or self.page).evaluate("() => window.__booth.alive"))

    def until(self, condition: Callable[[], object], what: str) -> None:
        self.graph.until(condition, PATIENCE_S, f"{what}; the page shows {self.state()}")

    def phase(self, wanted: str) -> None:
        self.until(lambda: self.state()["session"]["phase"] == wanted, f"phase {wanted}")

    def word(self, wanted: str) -> None:
        self.until(lambda: self.state()["word"] == wanted, f"word {wanted}")

    def tap(self, button: str, page: Any = None) -> None:
        """A finger on a button that is there and can be pressed."""
        (page or self.page).click(f'button[data-id="{button}"]:not([disabled])', timeout=PATIENCE_S * 1e3)

    def files(self, pattern: str) -> list[Path]:
        return sorted((self.folder / "episodes").glob(pattern))


@pytest.fixture
def booth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Booth]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    store = tmp_path / "booth.sqlite"
    with Store(store) as opened:
        opened.operators.add(Operator(id="ana", name="Ana", language="en"), opened.now_ns())
        wave = Task(id="wave", name="Wave", instruction="Wave at the camera.", target=2)
        opened.tasks.add(wave.model_copy(update={"warm_up_s": 1.0, "record_s": 8.0, "reset_s": 1.0, "review_s": 600.0}))
    address = f"127.0.0.1:{free_port()}"
    options = GraphOptions(
        source="clip", loop=True, directory=str(tmp_path / "episodes"), page=address, store=str(store)
    )
    robot = load_robot(ROBOT)
    with LiveGraph(robot, booth_processes(robot, ROBOT, options)) as graph:
        graph.until(lambda: listening(address), PATIENCE_S, "the page is served")
        with chromium() as browser:
            yield Booth(graph, browser, page_url(address), tmp_path)


def listening(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_a_newcomer_records_two_good_episodes_whatever_happens_to_page_and_server(booth: Booth) -> None:
    page = booth.page
    booth.phase("choose")

    # who and what, and a question before anything is recorded
    booth.tap("operator-ana")
    booth.tap("task-wave")
    booth.tap("begin")
    booth.tap("agree")
    booth.phase("check")

    # the self-check: everything finds itself but the one thing that only a person can see
    def left() -> set[str]:
        return {item["name"] for item in booth.state()["check"] if item["state"] not in ("ok", "warn")}

    booth.until(lambda: left() == {"estop"}, "all but the emergency stop is checked")
    booth.tap("estop")
    booth.phase("ready")

    # the open palm of the clip engages, with a ring
    booth.word("ENGAGED")

    # record, look at the verdict, do it again
    booth.tap("record")
    booth.until(lambda: booth.state()["recorder"]["state"] == "RECORDING", "the recorder records")
    booth.until(lambda: booth.state()["word"] in ("REC", "HOLD"), "REC, or HOLD where this computer was too busy")
    assert booth.state()["session"]["episode"] == 1
    booth.tap("stop")
    booth.phase("review")
    assert booth.state()["last"]["verdict"] in ("ok", "degraded", "failed")
    booth.tap("redo")
    booth.phase("ready")
    assert (booth.state()["session"]["episode"], booth.state()["session"]["redone"]) == (1, 1)
    booth.until(lambda: len(booth.files("trash/*")) > 0, "the take went to the trash")

    # record to the end of the time and keep
    booth.tap("record")
    booth.phase("recording")
    booth.phase("review")
    booth.tap("keep")
    booth.phase("ready")
    assert (booth.state()["session"]["episode"], booth.state()["session"]["kept"]) == (2, 1)

    # another language
    page.select_option("#language", "ko")
    booth.until(lambda: page.evaluate("() => document.documentElement.lang") == "ko", "the page speaks Korean")
    booth.until(lambda: booth.state()["session"]["operator"]["language"] == "ko", "the operator's language is kept")

    # a reload loses nothing
    page.reload()
    booth.wait_for_first_state(page)
    booth.until(lambda: booth.state()["lease"]["mine"], "the page is back with the lease")
    assert booth.state()["session"]["kept"] == 1
    assert page.evaluate("() => document.documentElement.lang") == "ko"

    # a second browser looks on until it takes over
    second = booth.open()
    booth.until(lambda: booth.alive(second), "the second browser sees the booth")
    assert not booth.state(second)["lease"]["mine"]
    assert second.locator('button[data-id="record"]').is_disabled()
    booth.tap("take", second)
    booth.until(lambda: booth.state(second)["lease"]["mine"], "the second browser has the say")
    booth.until(lambda: not booth.state()["lease"]["mine"], "the first one looks on")
    second.close()
    booth.tap("take")
    booth.until(lambda: booth.state()["lease"]["mine"], "the first one has the say again")

    # the server is killed: the page says so, comes back by itself, and so does the session
    server = booth.graph.supervisor.pid("page")
    assert server is not None
    os.kill(server, signal.SIGKILL)
    page.wait_for_selector("#lost:not([hidden])", timeout=PATIENCE_S * 1e3)
    booth.until(booth.alive, "the page is back")
    booth.phase("paused")
    assert (booth.state()["session"]["episode"], booth.state()["session"]["kept"]) == (2, 1)

    # on, to the end
    booth.tap("resume")
    booth.tap("estop")  # after a crash everything is looked at again
    booth.phase("ready")
    booth.tap("record")
    booth.phase("review")
    booth.tap("keep")
    booth.phase("done")

    # the protective stop
    page.click("#stop")
    booth.word("STOPPED")

    with Store(booth.folder / "booth.sqlite") as store:
        decisions = [attempt.decision.value for attempt in store.sessions.attempts()]
        assert decisions == ["redone", "kept", "kept"]
    assert len(booth.files("*.h5")) == 2
