# SPDX-License-Identifier: Apache-2.0
"""The page's server as browsers and others meet it: real sockets, a server in its own thread."""

import asyncio
import json
import queue
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest

from booth.page.access import COOKIE, Access, Address
from booth.page.ask import Ask
from booth.page.server import MOST_BROWSERS, PageServer
from graph.errors import DeviceError

TOKEN = "the-token-of-this-test"
PATIENCE_S = 20.0


class Booth:
    """A server and what it was asked for."""

    def __init__(self) -> None:
        self.asked: queue.Queue[Ask] = queue.Queue()
        self.access = Access(TOKEN, Address("127.0.0.1", 0))
        self.server = PageServer(self.access, self.asked.put)
        self.server.start()

    @property
    def origin(self) -> str:
        return self.server.address.url("").rstrip("/")

    def client(self, known: bool = True) -> aiohttp.ClientSession:
        cookies = {COOKIE: self.access.cookie} if known else {}
        return aiohttp.ClientSession(cookies=cookies, cookie_jar=aiohttp.CookieJar(unsafe=True))

    def talk(self, client: aiohttp.ClientSession, origin: str | None = None) -> Any:
        headers = {"Origin": self.origin if origin is None else origin}
        return client.ws_connect(self.origin + "/ws", headers=headers)


@pytest.fixture
def booth() -> Iterator[Booth]:
    made = Booth()
    made.server.show_state({"word": "IDLE"})
    yield made
    made.server.close()


def run(act: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(act(), PATIENCE_S))


async def until(socket: aiohttp.ClientWebSocketResponse, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first message like this."""
    while True:
        message = json.loads(await socket.receive_str())
        if wanted(message):
            return message


def is_state(message: dict[str, Any]) -> bool:
    return message["type"] == "state"


def mine(message: dict[str, Any]) -> bool:
    return is_state(message) and message["lease"]["mine"]


def test_without_the_token_nothing_is_served(booth: Booth) -> None:
    async def act() -> None:
        async with booth.client(known=False) as client:
            for path in ("/", "/ws", "/static/index.html", "/languages/en.json", "/robot3d/", "/?token=wrong"):
                async with client.get(booth.origin + path) as response:
                    assert response.status == 403, path
                    assert "token" in await response.text() or path == "/ws"

    run(act)


def test_the_token_lets_in_and_is_no_longer_in_the_address(booth: Booth) -> None:
    async def act() -> None:
        async with booth.client(known=False) as client:
            async with client.get(f"{booth.origin}/?token={TOKEN}") as response:
                assert response.status == 200
                assert response.url.query_string == ""
                assert "script-src 'self'" in response.headers["Content-Security-Policy"]
                assert "unsafe" not in response.headers["Content-Security-Policy"]
            (cookie,) = client.cookie_jar
            assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
            assert TOKEN not in cookie.value

    run(act)


def test_a_foreign_site_is_refused_even_with_the_cookie(booth: Booth) -> None:
    async def act() -> None:
        async with booth.client() as client:
            for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await booth.talk(client, origin)
                assert refused.value.status == 403
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await client.ws_connect(booth.origin + "/ws")  # no browser leaves the Origin out
            async with client.get(booth.origin + "/", headers={"Host": "evil.example"}) as response:
                assert response.status == 421

    run(act)


def test_the_first_browser_may_act_and_the_second_only_looks_until_it_takes_over(booth: Booth) -> None:
    booth.server.show_state({"word": "READY"})

    async def act() -> None:
        async with booth.client() as client, booth.talk(client) as first, booth.talk(client) as second:
            assert (await until(first, mine))["word"] == "READY"
            assert not (await until(second, is_state))["lease"]["mine"]
            await second.send_json({"type": "act", "action": "record"})
            refusal = await until(second, lambda message: message["type"] == "error")
            assert "take control" in refusal["text"]["text"]
            assert booth.asked.empty()
            await second.send_json({"type": "stop"})
            await asyncio.to_thread(booth.asked.get, timeout=PATIENCE_S)
            await second.send_json({"type": "lease", "take": True})
            await until(second, mine)
            await until(first, lambda message: is_state(message) and not message["lease"]["mine"])
            await second.send_json({"type": "act", "action": "record"})
            asked = await asyncio.to_thread(booth.asked.get, timeout=PATIENCE_S)
            assert (asked.kind, asked.word("action")) == ("act", "record")

    run(act)


def test_a_closed_browser_frees_the_lease_for_the_next_one(booth: Booth) -> None:
    async def act() -> None:
        async with booth.client() as client:
            async with booth.talk(client) as first:
                await until(first, mine)
            async with booth.talk(client) as second:
                await until(second, mine)

    run(act)


def test_a_browser_that_falls_silent_loses_the_lease(booth: Booth) -> None:
    async def act() -> None:
        async with booth.client() as client, booth.talk(client) as silent, booth.talk(client) as other:
            await until(silent, mine)
            assert (await until(other, is_state))["lease"]["taken"]
            await until(other, lambda message: is_state(message) and not message["lease"]["taken"])
            await silent.send_json({"type": "ping", "t": 1.0})
            await until(silent, mine)

    run(act)


def test_nonsense_is_answered_and_the_connection_stays(booth: Booth) -> None:
    async def act() -> None:
        async with booth.client() as client, booth.talk(client) as socket:
            for text in ("", "{", '{"type":"fly"}', "x" * 3000):
                await socket.send_str(text)
                await until(socket, lambda message: message["type"] == "error")
            await socket.send_json({"type": "ping", "t": 7})
            assert (await until(socket, lambda message: message["type"] == "pong"))["t"] == 7.0
        assert booth.asked.empty()

    run(act)


def test_a_message_without_end_closes_its_connection_only(booth: Booth) -> None:
    async def act() -> None:
        async with booth.client() as client, booth.talk(client) as greedy, booth.talk(client) as other:
            await greedy.send_str("x" * 100_000)
            while not greedy.closed:
                await greedy.receive()
            await other.send_json({"type": "ping", "t": 1})
            await until(other, lambda message: message["type"] == "pong")

    run(act)


def test_before_the_graph_has_spoken_no_state_is_told() -> None:
    silent = Booth()

    async def act() -> None:
        async with silent.client() as client, silent.talk(client) as socket:
            await socket.send_json({"type": "ping", "t": 1})
            heard = [json.loads(await socket.receive_str())["type"] for _ in range(2)]
            assert heard == ["hello", "pong"]
            silent.server.show_state({"word": "READY"})
            assert (await until(socket, mine))["word"] == "READY"

    run(act)
    silent.server.close()


def test_pictures_and_words_reach_every_browser(booth: Booth) -> None:
    async def act() -> None:
        async with booth.client() as client, booth.talk(client) as first, booth.talk(client) as second:
            for socket in (first, second):
                await until(socket, lambda message: message["type"] == "hello")
            booth.server.say({"type": "sound", "name": "engage"})
            for socket in (first, second):
                await until(socket, lambda message: message["type"] == "sound")
            booth.server.show_picture(b"picture")
            for socket in (first, second):
                while (message := await socket.receive()).type is not aiohttp.WSMsgType.BINARY:
                    pass
                assert message.data == b"picture"

    run(act)


def test_there_is_room_for_so_many_browsers_and_no_more(booth: Booth) -> None:
    async def act() -> None:
        async with booth.client() as client:
            sockets = [await booth.talk(client) for _ in range(MOST_BROWSERS)]
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await booth.talk(client)
            assert refused.value.status == 503
            for socket in sockets:
                await socket.close()

    run(act)


def test_a_port_that_is_taken_is_told_with_what_to_do(booth: Booth) -> None:
    taken = PageServer(Access(TOKEN, booth.server.address), booth.asked.put)
    with pytest.raises(DeviceError, match="--page HOST:PORT"):
        taken.start()
    taken.close()


def test_a_closed_server_takes_words_without_complaint(booth: Booth) -> None:
    booth.server.close()
    booth.server.show_state({"word": "READY"})
    booth.server.close()
