# SPDX-License-Identifier: Apache-2.0
"""The robot in 3D as a browser shows it through our own server: it is there, and nothing comes from outside."""

import asyncio
import io
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from aiohttp import web
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from booth.page.doors import ROBOT3D_POLICY
from booth.page.robot3d import Robot3D
from booth.page.robot3d_proxy import add_routes
from robots import load_robot

OPTIONS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
BACKGROUND = np.array([0x15, 0x1C, 0x25])
PATIENCE_MS = 60_000.0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program is not None, "tests of the page need a Chromium: sudo apt install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield browser
        browser.close()


async def framed(_request: web.Request) -> web.Response:
    """A page with the 3D view in it, as ours has."""
    return web.Response(
        text="<!doctype html><input autofocus><iframe src=/robot3d/></iframe>", content_type="text/html"
    )


@contextmanager
def served(port: Callable[[], int]) -> Iterator[str]:
    """Address of our server in front of viser, with the page's own rules for what the 3D view may load."""
    loop, ready, address = asyncio.new_event_loop(), threading.Event(), ""

    @web.middleware
    async def rules(request: web.Request, handler: object) -> web.StreamResponse:
        answer: web.StreamResponse = await handler(request)  # type: ignore[operator]
        if not answer.prepared:
            answer.headers["Content-Security-Policy"] = ROBOT3D_POLICY
        return answer

    async def serve(stop: asyncio.Event) -> None:
        nonlocal address
        app = web.Application(middlewares=[rules])
        app.router.add_get("/", framed)
        add_routes(app, port, lambda _request: True)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        await stop.wait()
        await runner.cleanup()

    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(stop),), daemon=True)
    thread.start()
    assert ready.wait(10.0)
    try:
        yield address
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def pixels(page: Page) -> NDArray[np.int64]:
    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)


def until(page: Page, robot3d: Robot3D, seen: object, *poses: NDArray[np.float64] | None) -> NDArray[np.int64]:
    """The picture once it is as asked and stands still, showing these poses meanwhile."""
    last = pixels(page)
    for _ in range(int(PATIENCE_MS / 200)):
        robot3d.show(*poses)
        page.wait_for_timeout(200)
        picture = pixels(page)
        if seen(picture) and np.array_equal(picture, last):  # type: ignore[operator]
            return picture
        last = picture
    raise AssertionError(f"not seen within {PATIENCE_MS / 1000:.0f} s")


def bright(picture: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Pixels of the measured robot's casing, in whatever light: the room around it is loaded later."""
    return (picture.min(axis=-1) > 95) & (np.ptp(picture, axis=-1) < 40)


def blue(picture: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Pixels of the commanded robot."""
    return picture[..., 2] - picture[..., 0] > 55


@pytest.mark.slow
def test_robot_is_seen_and_follows_and_nothing_is_asked_of_the_internet(browser: Browser) -> None:
    robot = load_robot("ffw_sh5")
    ready = np.array(robot.ready_rad)
    raised = ready.copy()
    raised[robot.joint_names.index("arm_r_joint2")] -= 1.2
    robot3d = Robot3D(robot)
    page = browser.new_page(viewport={"width": 240, "height": 180})
    page.set_default_timeout(PATIENCE_MS)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    try:
        with served(lambda: robot3d.port) as address:
            page.goto(f"{address}/robot3d/")
            still = until(page, robot3d, lambda picture: bright(picture).mean() > 0.02, ready, None)
            assert not blue(still).any()
            assert (np.abs(still[:15, :15] - BACKGROUND) < 3).all()
            assert (np.abs(still[:15, -15:] - BACKGROUND) < 3).all()  # no panel of viser's
            half = still.shape[1] // 2
            both = until(page, robot3d, lambda picture: blue(picture).mean() > 0.002, ready, raised)
            right, left = blue(both)[:, half:].sum(), blue(both)[:, :half].sum()
            assert right > 5 * left  # as in a mirror: the right arm is on the right
            until(page, robot3d, lambda picture: not blue(picture).any(), ready, None)
            moved = until(page, robot3d, lambda now: (bright(now) ^ bright(still)).mean() > 0.01, raised, None)
            changed = bright(moved) ^ bright(still)
            assert changed[:, half:].sum() > 5 * changed[:, :half].sum()
            host = address.removeprefix("http://")
            ours = (f"http://{host}/", f"ws://{host}/robot3d", f"blob:http://{host}/", "data:")
            assert [url[:80] for url in asked if not url.startswith(ours)] == []
            page.close()
    finally:
        robot3d.close()


@pytest.mark.slow
def test_view_inside_a_page_finds_a_restarted_server_again(browser: Browser) -> None:
    robot = load_robot("hx5_d20_right")
    views = [Robot3D(robot)]
    page = browser.new_page(viewport={"width": 240, "height": 180})
    page.set_default_timeout(PATIENCE_MS)
    try:
        with served(lambda: views[-1].port) as address:
            page.goto(address)
            page.focus("input")
            until_watched(page, views[-1])
            views[-1].close()
            views.append(Robot3D(robot))
            until_watched(page, views[-1])
            page.close()
    finally:
        for view in views:
            view.close()


def until_watched(page: Page, robot3d: Robot3D) -> None:
    for _ in range(int(PATIENCE_MS / 100)):
        if robot3d.due:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"no browser came within {PATIENCE_MS / 1000:.0f} s")
