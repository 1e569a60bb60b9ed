# SPDX-License-Identifier: Apache-2.0
"""A browser that can't keep up gets the newest state and picture, and every word."""

import asyncio

from booth.page.feed import MOST_WORDS, Feed


def drained(feed: Feed, count: int) -> list[str | bytes]:
    async def read() -> list[str | bytes]:
        return [await asyncio.wait_for(feed.next(), 5.0) for _ in range(count)]

    return asyncio.run(read())


def test_newer_states_and_pictures_replace_older_ones() -> None:
    feed = Feed()
    for number in range(100):
        feed.show_state(f"state {number}")
        feed.show_picture(b"picture %d" % number)
    assert drained(feed, 2) == ["state 99", b"picture 99"]
    assert feed.skipped_pictures == 99


def test_words_come_in_order_before_all_else_and_are_bounded() -> None:
    feed = Feed()
    feed.show_state("state")
    for number in range(MOST_WORDS + 5):
        feed.say(str(number))
    got = drained(feed, MOST_WORDS + 1)
    assert got == [*map(str, range(5, MOST_WORDS + 5)), "state"]


def test_what_comes_while_it_waits_is_sent_at_once() -> None:
    async def both() -> str | bytes:
        feed = Feed()
        waiting = asyncio.create_task(feed.next())
        await asyncio.sleep(0)
        feed.say("now")
        return await asyncio.wait_for(waiting, 5.0)

    assert asyncio.run(both()) == "now"
