# SPDX-License-Identifier: Apache-2.0
"""Hands viser's page and its WebSocket on, so that the 3D view has the address, the cookie and the checks of our page.

viser answers HTTP and WebSocket on one port. Its client asks for the WebSocket at its own address without the last
slash, so a page at ``/robot3d/`` talks to ``/robot3d``.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress

from aiohttp import (
    ClientConnectionError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    WSCloseCode,
    WSMsgType,
    web,
)

PREFIX = "/robot3d"
CHUNK_BYTES = 64 * 1024
MAX_FROM_VIEWER_BYTES = 64 * 1024
MAX_FROM_VISER_BYTES = 16 * 1024 * 1024
"""Longest messages: a browser only tells where its camera is; viser sends the whole scene in pieces of at most 1 MB."""
MOST_VIEWERS = 16
ANSWER_S = 5.0
HEARTBEAT_S = 15.0

GONE = "The 3D view does not answer: everything else of the page works. Restart the booth to have it again.\n"
ABSENT = "There is no 3D view here: install humanoid_booth[page] for it, or give the robot a urdf.\n"
LOCKED = "The 3D view opens only from the booth's own page.\n"
FULL = f"{MOST_VIEWERS} browsers look at the robot already: close one.\n"

HEAD = b"<head>"
EXTRA = (
    b"<script>document.hasFocus=()=>true</script>"
    b"<style>"
    b"html,body,#root,#root div{background:#151c25!important;margin:0;overflow:hidden}"
    b'[class*="mantine-"]{display:none!important}'
    b"</style>"
)
"""viser's client, inside our page: it looks for a lost server again without having been clicked at, on our background,
with none of its panels and notes, every one of which is a Mantine component."""

PortGetter = Callable[[], int | None]
Allowed = Callable[[web.Request], bool]


def add_routes(app: web.Application, port_getter: PortGetter, allowed: Allowed) -> None:
    """Serve the 3D view below `PREFIX`.

    Args:
        app: gets the routes, and a client session for as long as it runs.
        port_getter: viser's port on 127.0.0.1; None: there is no 3D view.
        allowed: whether a request may see it.
    """
    proxy = _Proxy(port_getter, allowed)
    app.cleanup_ctx.append(proxy.session)
    app.on_shutdown.append(proxy.end)
    app.router.add_get(PREFIX, proxy.bare)
    app.router.add_get(PREFIX + "/{path:.*}", proxy.page)


class _Proxy:
    def __init__(self, port_getter: PortGetter, allowed: Allowed) -> None:
        self._port_getter = port_getter
        self._allowed = allowed
        self._session: ClientSession | None = None
        self._viewers: set[web.WebSocketResponse] = set()

    async def session(self, _app: web.Application) -> AsyncIterator[None]:
        """Holds the client session while the application runs."""
        async with ClientSession(auto_decompress=False) as self._session:
            yield

    async def end(self, _app: web.Application) -> None:
        """Says good-bye to every browser."""
        for viewer in list(self._viewers):
            await viewer.close(code=WSCloseCode.GOING_AWAY)

    async def bare(self, request: web.Request) -> web.StreamResponse:
        """The address without the last slash: the WebSocket, or a way to the page."""
        if _talks(request):
            return await self._talk(request, self._port(request))
        raise web.HTTPFound(PREFIX + "/")

    async def page(self, request: web.Request) -> web.StreamResponse:
        """A file of viser's; its page with `EXTRA`."""
        port = self._port(request)
        if _talks(request):
            return await self._talk(request, port)
        address = f"http://127.0.0.1:{port}/"
        try:
            answer = await self._client.get(
                address + request.match_info["path"],
                headers={"Accept-Encoding": "identity"},
                timeout=ClientTimeout(total=None, sock_connect=ANSWER_S, sock_read=ANSWER_S),
                allow_redirects=False,
            )
        except (ClientError, TimeoutError) as error:
            raise web.HTTPBadGateway(text=GONE) from error
        kind = answer.headers.get("Content-Type", "application/octet-stream")
        return web.Response(status=answer.status, body=_body(answer), headers={"Content-Type": kind})

    def _port(self, request: web.Request) -> int:
        if not self._allowed(request):
            raise web.HTTPForbidden(text=LOCKED)
        port = self._port_getter()
        if port is None:
            raise web.HTTPNotFound(text=ABSENT)
        return port

    @property
    def _client(self) -> ClientSession:
        if self._session is None:
            raise web.HTTPBadGateway(text=GONE)
        return self._session

    async def _talk(self, request: web.Request, port: int) -> web.WebSocketResponse:
        """Passes messages on between a browser and viser until either ends."""
        if len(self._viewers) >= MOST_VIEWERS:
            raise web.HTTPServiceUnavailable(text=FULL)
        protocols = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if name]
        try:
            async with asyncio.timeout(ANSWER_S):
                viser = await self._client.ws_connect(
                    f"http://127.0.0.1:{port}/", protocols=protocols, max_msg_size=MAX_FROM_VISER_BYTES
                )
        except (ClientError, TimeoutError) as error:
            raise web.HTTPBadGateway(text=GONE) from error
        async with viser:
            viewer = web.WebSocketResponse(
                protocols=[viser.protocol] if viser.protocol else [],
                max_msg_size=MAX_FROM_VIEWER_BYTES,
                heartbeat=HEARTBEAT_S,
                compress=False,
            )
            await viewer.prepare(request)
            self._viewers.add(viewer)
            try:
                await _until_either(_pass_on(viser, viewer), _pass_on(viewer, viser))
            finally:
                self._viewers.discard(viewer)
                await viewer.close(code=_code(viser.close_code))
        return viewer


def _talks(request: web.Request) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"


async def _body(answer: ClientResponse) -> AsyncIterator[bytes]:
    """A file chunk by chunk; a page with our `EXTRA` first in its head."""
    with suppress(ClientConnectionError):  # the browser sees a short file
        async with answer:
            if answer.content_type == "text/html":
                start = await answer.content.readuntil(HEAD)
                yield start + EXTRA if start.endswith(HEAD) else start
            async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                yield chunk


Socket = web.WebSocketResponse | ClientWebSocketResponse


async def _pass_on(source: Socket, sink: Socket) -> None:
    """Binary messages, one after the other: a sink that is slow makes the source wait, nothing piles up here."""
    with suppress(ConnectionError, ClientError):
        async for message in source:
            if message.type is not WSMsgType.BINARY:
                return
            await sink.send_bytes(message.data)


async def _until_either(*ways: Coroutine[None, None, None]) -> None:
    """Runs all until the first has ended; the others are cancelled."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _code(viser: int | None) -> int:
    """What to close a browser's socket with: viser's own code where it is one that may be sent."""
    return viser if viser in {WSCloseCode.OK, WSCloseCode.PROTOCOL_ERROR} else WSCloseCode.GOING_AWAY
