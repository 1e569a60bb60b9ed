# SPDX-License-Identifier: Apache-2.0
"""The 3D view's proxy against a stand-in for viser: what passes, what does not, who learns that one is gone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError, web
from aiohttp.test_utils import TestClient, TestServer, unused_port

from booth.page.robot3d_proxy import (
    ABSENT,
    EXTRA,
    GONE,
    LOCKED,
    MAX_FROM_VIEWER_BYTES,
    MOST_VIEWERS,
    add_routes,
)

PAGE = b"<!doctype html><html><head><title>v</title></head><body>" + b"x" * 300_000 + b"</body></html>"
VERSION = "viser-v9.9"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Viser:
    """Answers like viser: a page, and a WebSocket that repeats what it hears, whatever the path."""

    def __init__(self) -> None:
        self.sockets: list[web.WebSocketResponse] = []
        self.paths: list[str] = []
        self.ended = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path_qs)
        if request.headers.get("Upgrade") != "websocket":
            if request.path not in ("/", "/logo.svg"):
                raise web.HTTPNotFound
            kind = "text/html" if request.path == "/" else "image/svg+xml"
            return web.Response(body=PAGE, content_type=kind)
        socket = web.WebSocketResponse(protocols=[VERSION])
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            await socket.send_bytes(message.data)
        self.ended.set()
        return socket


@asynccontextmanager
async def booth(allowed: bool = True, there: bool = True) -> AsyncIterator[tuple[TestClient, Viser]]:
    viser = Viser()
    upstream = web.Application()
    upstream.router.add_get("/{path:.*}", viser.answer)
    async with TestServer(upstream) as server:
        app = web.Application()
        add_routes(app, lambda: server.port if there else None, lambda _request: allowed)
        async with TestClient(TestServer(app)) as client:
            yield client, viser


def run(test: Callable[[], Coroutine[None, None, None]]) -> Callable[[], None]:
    """A test that runs in an event loop of its own, ten seconds at most."""

    @wraps(test)
    def runner() -> None:
        asyncio.run(asyncio.wait_for(test(), 10.0))

    return runner


async def talk(client: TestClient, path: str = "/robot3d") -> ClientWebSocketResponse:
    return await client.ws_connect(path, protocols=[VERSION])


@run
async def test_page_comes_whole_with_our_words_first_in_its_head() -> None:
    async with booth() as (client, _):
        answer = await client.get("/robot3d/")
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert await answer.read() == PAGE.replace(b"<head>", b"<head>" + EXTRA, 1)


@run
async def test_other_files_and_missing_ones_come_as_viser_answers() -> None:
    async with booth() as (client, viser):
        picture = await client.get("/robot3d/logo.svg?x=1")
        assert (picture.content_type, await picture.read()) == ("image/svg+xml", PAGE)
        assert (await client.get("/robot3d/nothing")).status == 404
        assert viser.paths == ["/logo.svg", "/nothing"]


@run
async def test_address_without_its_slash_leads_to_the_page() -> None:
    async with booth() as (client, _):
        answer = await client.get("/robot3d", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (302, "/robot3d/")


@run
async def test_response_is_not_begun_before_middlewares_have_seen_it() -> None:
    viser, begun = Viser(), []
    upstream = web.Application()
    upstream.router.add_get("/{path:.*}", viser.answer)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        begun.append(answer.prepared)
        return answer

    async with TestServer(upstream) as server:
        app = web.Application(middlewares=[guard])
        add_routes(app, lambda: server.port, lambda _request: True)
        async with TestClient(TestServer(app)) as client:
            await (await client.get("/robot3d/")).read()
    assert begun == [False]


@run
async def test_messages_pass_both_ways_with_viser_s_protocol() -> None:
    async with booth() as (client, _):
        for path in ("/robot3d", "/robot3d/"):
            socket = await talk(client, path)
            assert socket.protocol == VERSION
            for data in (b"camera", b"", bytes(50_000)):
                await socket.send_bytes(data)
                assert await socket.receive_bytes() == data
            await socket.close()


@run
async def test_whoever_may_not_look_sees_neither_page_nor_socket() -> None:
    async with booth(allowed=False) as (client, viser):
        answer = await client.get("/robot3d/")
        assert (answer.status, await answer.text()) == (403, LOCKED)
        with pytest.raises(WSServerHandshakeError) as refused:
            await talk(client)
        assert (refused.value.status, viser.paths) == (403, [])


@run
async def test_booth_without_a_3d_view_says_so() -> None:
    async with booth(there=False) as (client, _):
        answer = await client.get("/robot3d/")
        assert (answer.status, await answer.text()) == (404, ABSENT)


@run
async def test_viser_that_is_gone_is_told_in_words() -> None:
    app, nobody = web.Application(), unused_port()
    add_routes(app, lambda: nobody, lambda _request: True)
    async with TestClient(TestServer(app)) as client:
        answer = await client.get("/robot3d/")
        assert (answer.status, await answer.text()) == (502, GONE)
        with pytest.raises(WSServerHandshakeError) as refused:
            await talk(client)
        assert refused.value.status == 502


@run
async def test_browser_that_leaves_ends_viser_s_socket() -> None:
    async with booth() as (client, viser):
        socket = await talk(client)
        await socket.close()
        await viser.ended.wait()


@run
async def test_viser_that_ends_closes_the_browser_s_socket_with_its_code() -> None:
    for said, told in ((1002, 1002), (1011, 1001), (1000, 1000)):
        async with booth() as (client, viser):
            socket = await talk(client)
            await socket.send_bytes(b"hello")
            await socket.receive_bytes()
            await viser.sockets[0].close(code=said)
            assert (await socket.receive()).type is WSMsgType.CLOSE
            assert socket.close_code == told


@run
async def test_text_and_messages_that_are_too_long_end_the_talk() -> None:
    async with booth() as (client, viser):
        for message in ("text", bytes(MAX_FROM_VIEWER_BYTES + 1)):
            socket = await talk(client)
            await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))
            assert (await socket.receive()).type is WSMsgType.CLOSE
            await viser.ended.wait()
            viser.ended.clear()


@run
async def test_too_many_viewers_are_refused_and_a_place_becomes_free_again() -> None:
    async with booth() as (client, viser):
        sockets = [await talk(client) for _ in range(MOST_VIEWERS)]
        with pytest.raises(WSServerHandshakeError) as refused:
            await talk(client)
        assert refused.value.status == 503
        await sockets[0].close()
        await viser.ended.wait()
        await (await talk(client)).close()


@run
async def test_browser_that_reads_nothing_holds_viser_up_instead_of_filling_memory() -> None:
    sent, stuck = [], asyncio.Event()

    async def flood(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        while True:
            try:
                async with asyncio.timeout(1.0):
                    await socket.send_bytes(bytes(1_000_000))
            except TimeoutError:
                stuck.set()
                return socket
            sent.append(1)

    upstream = web.Application()
    upstream.router.add_get("/", flood)
    async with TestServer(upstream) as server:
        app = web.Application()
        add_routes(app, lambda: server.port, lambda _request: True)
        async with TestServer(app) as front:
            reader, writer = await asyncio.open_connection("127.0.0.1", front.port, limit=1024)
            reader._transport.pause_reading()
            writer.write(
                b"GET /robot3d HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            await stuck.wait()
            writer.close()
    assert len(sent) < 40
