# SPDX-License-Identifier: Apache-2.0
"""Every state of the page, drawn, without graph or robot: to look at, to show, to take pictures of."""

import time

from booth.output import say
from booth.page.access import Access, load_token, parse_address, token_path
from booth.page.ask import Ask
from booth.page.scripted import Scene, scenes
from booth.page.server import PageServer
from booth.page_invitation import invite
from booth.supervisor import StopRequest
from graph.errors import EXIT_OK, InputError

PICTURE_EVERY_S = 0.1


def chosen_scenes(name: str) -> list[Scene]:
    """One scene by its name, or all.

    Raises:
        InputError: no scene of that name.
    """
    known = scenes()
    wanted = [scene for scene in known if not name or scene.name == name]
    if not wanted:
        raise InputError(f"no state {name!r}; there are: {', '.join(scene.name for scene in known)}")
    return wanted


def show(server: PageServer, scene: Scene) -> None:
    """Put a scene on the page."""
    server.show_state(scene.state)
    server.show_picture(scene.picture)


def serve_demo(address: str, name: str, every_s: float) -> int:
    """Serve scenes, one after the other, until Ctrl-C.

    Raises:
        InputError: no such scene, or a token file that can't be used.
        DeviceError: the address is taken.
    """
    wanted = chosen_scenes(name)
    if every_s < 0.5:
        raise InputError(f"--every should be 0.5 s or more, found {every_s:g}")
    server = PageServer(Access(load_token(token_path()), parse_address(address)), _hear)
    server.start()
    invite(address)
    say(f"booth: {len(wanted)} states, nothing moves; Ctrl-C ends")
    with StopRequest() as stopping:
        begin = time.monotonic()
        while not stopping():
            show(server, wanted[int((time.monotonic() - begin) / every_s) % len(wanted)])
            time.sleep(PICTURE_EVERY_S)
    server.close()
    return EXIT_OK


def _hear(ask: Ask) -> None:
    say(f"booth: the page asks for {ask.kind} {ask.values or ''}".rstrip())
