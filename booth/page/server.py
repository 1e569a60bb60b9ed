# SPDX-License-Identifier: Apache-2.0
"""The page's web server: a thread with an event loop of its own, between browsers and the graph.

Nothing in here waits for a browser: each has a feed in which new states and pictures replace old ones.
"""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from booth.page.access import Access, Address
from booth.page.ask import FREE, MAX_CHARACTERS, Ask, AskError, parse
from booth.page.doors import Doors
from booth.page.feed import Feed
from booth.page.lease import ControlLease
from booth.page.phrases import recognise
from booth.page.robot3d_proxy import add_routes
from booth.page.words import LANGUAGES
from graph.errors import DeviceError

STATIC = Path(__file__).parent / "static"
WORDS = Path(__file__).parent / "languages"
MOST_BROWSERS = 16
EXPIRE_EVERY_S = 0.25
START_S = 10.0

VIEW_ONLY = "this browser only looks on: press 'take control' first"
NONSENSE = "the server did not understand the page: reload it"

Asked = Callable[[Ask], None]
"""Gets what a browser asks for, in the server's thread; must not wait."""


class PageServer:
    """Serves the page until it is closed.

    Args:
        access: who may come in, and where.
        asked: told of everything that browsers may ask for.
        robot3d_port: where viser listens on this machine; None while there is no 3D view.
    """

    def __init__(self, access: Access, asked: Asked, robot3d_port: Callable[[], int | None] = lambda: None) -> None:
        self._access = access
        self._asked = asked
        self._robot3d_port = robot3d_port
        self._lease = ControlLease()
        self._feeds: dict[int, Feed] = {}
        self._state: Mapping[str, Any] = {}
        self._next_browser = 0
        self._loop = asyncio.new_event_loop()
        self._stopping: asyncio.Event | None = None
        self._started: threading.Event = threading.Event()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)
        self.address = access.address

    # --- for the graph's side, from any thread ---------------------------------------------------------------

    def start(self) -> Address:
        """Serve; returns the address with the port that was chosen.

        Raises:
            DeviceError: somebody else has the port, or the address isn't this machine's.
        """
        self._thread.start()
        self._started.wait(START_S)
        if self._failure is not None or not self._started.is_set():
            raise DeviceError(
                f"the page can't be served at {self.address.host}:{self.address.port}"
                f" ({self._failure.strerror if self._failure else 'the server did not start'}):"
                " is another booth running? choose another with --page HOST:PORT"
            )
        return self.address

    def close(self) -> None:
        """Say good-bye to all browsers and free the port; may be called again."""
        if self._thread.is_alive():
            self._soon(self._end)
            self._thread.join(timeout=3.0)

    @property
    def browsers(self) -> int:
        """How many are looking now."""
        return len(self._feeds)

    def show_state(self, state: Mapping[str, Any]) -> None:
        """The newest state for all browsers, without the lease's part."""
        self._soon(self._share_state, state)

    def show_picture(self, data: bytes) -> None:
        """The newest camera picture with its header for all browsers."""
        self._soon(self._share_picture, data)

    def say(self, message: Mapping[str, Any]) -> None:
        """A word for all browsers: a sound, or why something was refused."""
        self._soon(self._share_word, json.dumps(message))

    # --- the server's thread ------------------------------------------------------------------------------------

    def _soon(self, act: Callable[..., None], *arguments: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(act, *arguments)

    def _run(self) -> None:
        logging.getLogger("aiohttp").setLevel(logging.WARNING)
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        site = web.TCPSite(runner, self.address.host, self.address.port, reuse_address=True)
        try:
            await site.start()
        except OSError as error:
            self._failure = error
            self._started.set()
            await runner.cleanup()
            return
        self.address = Address(self.address.host, int(runner.addresses[0][1]))
        self._started.set()
        watch = asyncio.create_task(self._watch_lease())
        await self._stopping.wait()
        watch.cancel()
        await runner.cleanup()

    def _end(self) -> None:
        if self._stopping is not None:
            self._stopping.set()

    def _app(self) -> web.Application:
        doors = Doors(self._access)
        app = web.Application(middlewares=[doors.middleware], client_max_size=MAX_CHARACTERS)
        app.router.add_get("/", self._page)
        app.router.add_get("/ws", self._talk)
        app.router.add_static("/static", STATIC, append_version=False)
        app.router.add_static("/languages", WORDS)
        add_routes(app, self._robot3d_port, doors.knows)
        return app

    async def _page(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / "index.html")

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        if len(self._feeds) >= MOST_BROWSERS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_BROWSERS} browsers are looking already: close one")
        socket = web.WebSocketResponse(max_msg_size=4 * MAX_CHARACTERS, heartbeat=5.0, compress=False)
        await socket.prepare(request)
        browser, feed = self._join()
        sender = asyncio.create_task(self._send(socket, feed))
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                self._hear(browser, feed, message.data)
        finally:
            sender.cancel()
            del self._feeds[browser]
            if self._lease.leave(browser):
                self._share_state(self._state)
        return socket

    def _join(self) -> tuple[int, Feed]:
        browser, feed = self._next_browser, Feed()
        self._next_browser += 1
        self._feeds[browser] = feed
        feed.say(json.dumps({"type": "hello", "languages": list(LANGUAGES), "browser": browser}))
        if self._lease.join(browser, time.monotonic_ns()):
            self._share_state(self._state)
        elif self._state:
            feed.show_state(self._state_for(browser))
        return browser, feed

    async def _send(self, socket: web.WebSocketResponse, feed: Feed) -> None:
        try:
            while not socket.closed:
                message = await feed.next()
                if isinstance(message, bytes):
                    await socket.send_bytes(message)
                else:
                    await socket.send_str(message)
        except ConnectionError:
            await socket.close()

    def _hear(self, browser: int, feed: Feed, text: str) -> None:
        changed = self._lease.hear(browser, time.monotonic_ns())
        try:
            ask = parse(text)
        except AskError as error:
            logging.getLogger("page").warning("a browser's message was refused: %s", error)
            feed.say(_refusal(NONSENSE))
            return
        if ask.kind == "ping":
            feed.say(json.dumps({"type": "pong", "t": ask.values["t"]}))
        elif ask.kind == "lease":
            now_ns = time.monotonic_ns()
            changed |= self._lease.take(browser, now_ns) if ask.flag("take") else self._lease.leave(browser)
        elif ask.kind in FREE or browser == self._lease.holder:
            self._asked(ask)
        else:
            feed.say(_refusal(VIEW_ONLY))
        if changed:
            self._share_state(self._state)

    async def _watch_lease(self) -> None:
        while True:
            await asyncio.sleep(EXPIRE_EVERY_S)
            if self._lease.expire(time.monotonic_ns()):
                self._share_state(self._state)

    def _share_state(self, state: Mapping[str, Any]) -> None:
        self._state = state
        if not state:  # the graph's side has not spoken yet
            return
        for browser, feed in self._feeds.items():
            feed.show_state(self._state_for(browser))

    def _state_for(self, browser: int) -> str:
        lease = {
            "mine": browser == self._lease.holder,
            "taken": self._lease.holder is not None,
            "epoch": self._lease.epoch,
        }
        return json.dumps({"type": "state", **self._state, "lease": lease}, ensure_ascii=False)

    def _share_picture(self, data: bytes) -> None:
        for feed in self._feeds.values():
            feed.show_picture(data)

    def _share_word(self, text: str) -> None:
        for feed in self._feeds.values():
            feed.say(text)


def _refusal(text: str) -> str:
    return json.dumps({"type": "error", "text": recognise(text)})
