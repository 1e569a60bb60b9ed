# SPDX-License-Identifier: Apache-2.0
"""Headless Chromium for pictures, benchmarks and tests: found on this machine, closed again, never on the network."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from graph.errors import InputError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
SOFTWARE_3D = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")


def chromium_program(wanted: str = "") -> str:
    """Path of a Chromium.

    Raises:
        InputError: none is installed.
    """
    found = shutil.which(wanted) if wanted else next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        raise InputError(
            f"no {wanted or 'Chromium'} found on this machine: install it (Debian, Ubuntu: sudo apt install chromium)"
        )
    return found


@contextmanager
def chromium(program: str = "", with_3d: bool = False) -> Iterator[Any]:
    """A playwright browser; its pages come from ``browser.new_page()``.

    Raises:
        InputError: no Chromium or no playwright on this machine.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise InputError("playwright is needed: pip install 'humanoid_booth[test]'") from error
    path = chromium_program(program)
    flags = [flag for flag in FLAGS if not (with_3d and flag == "--disable-gpu")]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*flags, *(SOFTWARE_3D if with_3d else ())])
        try:
            yield browser
        finally:
            browser.close()
