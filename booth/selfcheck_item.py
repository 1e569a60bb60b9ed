# SPDX-License-Identifier: Apache-2.0
"""One line of the self-check: what was looked at, how it stands, and the sentence that says so."""

from enum import StrEnum
from typing import NamedTuple


class ItemState(StrEnum):
    """``warn`` lets a session begin, ``failed`` does not; ``waiting`` becomes failed when the time is up."""

    WAITING = "waiting"
    OK = "ok"
    WARN = "warn"
    FAILED = "failed"


class Verdict(NamedTuple):
    """How something stands, and an English sentence with figures and what to do."""

    state: ItemState
    text: str


class Item(NamedTuple):
    """A verdict with the name of what it is about: camera, light, right_hand, a joint's name, temperatures …"""

    name: str
    state: ItemState
    text: str


def waiting(text: str) -> Verdict:
    """Not known yet."""
    return Verdict(ItemState.WAITING, text)


def ok(text: str) -> Verdict:
    """As it should be."""
    return Verdict(ItemState.OK, text)


def warn(text: str) -> Verdict:
    """Good enough to begin, but to be looked at."""
    return Verdict(ItemState.WARN, text)


def failed(text: str) -> Verdict:
    """Nothing may begin before this is put right."""
    return Verdict(ItemState.FAILED, text)
