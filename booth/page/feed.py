# SPDX-License-Identifier: Apache-2.0
"""What one browser is still to be sent: of states and pictures only the newest, of words a few."""

import asyncio
from collections import deque

MOST_WORDS = 20


class Feed:
    """Slots of one browser; lives in the server's event loop.

    A browser that can't keep up skips states and pictures; its memory here is one of each.
    """

    def __init__(self) -> None:
        self._words: deque[str] = deque(maxlen=MOST_WORDS)
        self._state: str | None = None
        self._picture: bytes | None = None
        self._news = asyncio.Event()
        self.skipped_pictures = 0

    def say(self, text: str) -> None:
        """A word that must not be replaced by the next one, such as a sound or a refusal."""
        self._words.append(text)
        self._news.set()

    def show_state(self, text: str) -> None:
        """The newest state."""
        self._state = text
        self._news.set()

    def show_picture(self, data: bytes) -> None:
        """The newest camera picture."""
        self.skipped_pictures += self._picture is not None
        self._picture = data
        self._news.set()

    async def next(self) -> str | bytes:
        """What to send next: words, then the state, then the picture."""
        while True:
            if self._words:
                return self._words.popleft()
            if self._state is not None:
                state, self._state = self._state, None
                return state
            if self._picture is not None:
                picture, self._picture = self._picture, None
                return picture
            self._news.clear()
            await self._news.wait()
