# SPDX-License-Identifier: Apache-2.0
"""A real page server with scripted states, and pages of a headless Chromium that look at it."""

import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from booth.page.access import COOKIE, Access, Address
from booth.page.ask import Ask
from booth.page.scripted import Scene
from booth.page.server import PageServer

TOKEN = "the-token-of-this-test"
PATIENCE_S = 20.0
NEXT_LOOK_MS = 20.0


class Booth:
    """A server, what it shows, and what it was asked for."""

    def __init__(self, port: int = 0) -> None:
        self.asked: queue.Queue[Ask] = queue.Queue()
        self.access = Access(TOKEN, Address("127.0.0.1", port))
        self.server = PageServer(self.access, self.asked.put)
        self.server.start()

    @property
    def origin(self) -> str:
        """Where it serves."""
        return self.server.address.url("").rstrip("/")

    def open(self, browser: Browser, size: tuple[int, int] = (1280, 800), query: str = "?sound=off") -> Page:
        """A page of a browser of its own."""
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        context.add_cookies([{"name": COOKIE, "value": self.access.cookie, "url": self.origin}])
        page = context.new_page()
        page.goto(f"{self.origin}/{query}")
        return page

    def show(self, page: Page, scene: Scene, language: str) -> None:
        """Put a scene on a page and wait until it stands there, in its language."""
        painted = page.evaluate("window.__booth?.paints.length ?? 0")
        self.server.show_state(scene.state)
        until(page, f"__booth.paints.length > {painted} && document.documentElement.lang === '{language}'")
        for button in scene.presses:
            page.click(f"[data-id={button}]")


@contextmanager
def serving(port: int = 0) -> Iterator[Booth]:
    """A booth that is closed in the end."""
    booth = Booth(port)
    try:
        yield booth
    finally:
        booth.server.close()


def until(page: Page, condition: str, show: Callable[[], Any] = lambda: None) -> None:
    """Wait until a JavaScript expression is true; the page's rules forbid the browser to evaluate it by itself."""
    deadline = time.monotonic() + PATIENCE_S
    while not page.evaluate(f"() => Boolean(window.__booth && ({condition}))"):
        assert time.monotonic() < deadline, f"never true: {condition}"
        show()
        page.wait_for_timeout(NEXT_LOOK_MS)
