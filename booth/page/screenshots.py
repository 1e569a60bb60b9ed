# SPDX-License-Identifier: Apache-2.0
"""Pictures of every state of the page on a tablet and on a monitor, for docs/page.md and for who changes the page."""

import io
from pathlib import Path
from typing import Any

from PIL import Image

from booth.browsers import chromium
from booth.output import Progress
from booth.page.access import Access, Address
from booth.page.scripted import Scene, scenes
from booth.page.server import PageServer
from booth.page.words import LANGUAGES
from graph.errors import InputError

SIZES = {"tablet": (1280, 800), "monitor": (1920, 1080)}
WIDTH_PX, QUALITY = 960, 55
"""Pictures are kept small: there are many, and they are made anew with every change of the page."""
TOKEN = "for-these-pictures-only"
SETTLE_MS = 350.0
PATIENCE_MS = 20_000.0


def take_screenshots(directory: Path, language: str = "en", program: str = "") -> list[Path]:
    """Write ``DIRECTORY/SIZE/SCENE.webp`` of every scene in every size; returns the files.

    Raises:
        InputError: no such language, no Chromium, or a directory that can't be written.
    """
    if language not in LANGUAGES:
        raise InputError(f"the page speaks {', '.join(LANGUAGES)}, found {language!r}")
    for size in SIZES:
        try:
            (directory / size).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"can't write pictures to {directory}: {error.strerror}") from error
    written: list[Path] = []
    server = PageServer(Access(TOKEN, Address("127.0.0.1", 0)), lambda _: None)
    url = server.start().url(f"/?token={TOKEN}")
    progress = Progress("pictures")
    wanted = scenes(language)
    try:
        with chromium(program) as browser:
            for size, (width, height) in SIZES.items():
                page = browser.new_page(viewport={"width": width, "height": height})
                server.show_state(wanted[0].state)
                page.goto(url)
                for scene in wanted:
                    written.append(_take(server, page, scene, directory / size))
                    progress.show(len(written) / (len(wanted) * len(SIZES)), scene.name)
                page.close()  # the next one is to have the say
    finally:
        progress.done()
        server.close()
    return written


def _take(server: PageServer, page: Any, scene: Scene, directory: Path) -> Path:
    """One picture, after the page has settled."""
    picture = scene.picture  # the first one takes seconds, and a page that hears no state meanwhile says so
    before = page.evaluate("() => window.__booth?.paints.length ?? 0")
    server.show_state(scene.state)
    server.show_picture(picture)
    page.wait_for_function("count => window.__booth?.paints.length > count", arg=before, timeout=PATIENCE_MS)
    for button in scene.presses:
        page.click(f'button[data-id="{button}"]')
    page.wait_for_timeout(SETTLE_MS)
    server.show_state(scene.state)
    server.show_picture(picture)
    page.wait_for_timeout(SETTLE_MS)
    path = directory / f"{scene.name}.webp"
    with Image.open(io.BytesIO(page.screenshot())) as shot:
        height = round(shot.height * WIDTH_PX / shot.width)
        shot.convert("RGB").resize((WIDTH_PX, height), Image.Resampling.LANCZOS).save(path, quality=QUALITY)
    return path
