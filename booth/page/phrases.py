# SPDX-License-Identifier: Apache-2.0
"""From the nodes' English sentences to phrases that a browser can say in the operator's language.

The table is ``languages/en.json`` itself: the texts of `FAMILIES` are the sentences of the nodes, word by word, with
{places} for what changes. Whoever changes a sentence in a node changes it there; a test reads the sources and tells.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

LANGUAGES_DIR = Path(__file__).parent / "languages"

FAMILIES = ("reason", "servo_error")
"""First words of the keys whose English text is a sentence of a node."""

NUMBERS = frozenset({"n", "of", "ms", "s", "hz", "deg", "far", "least", "most", "degc", "volt", "limit", "gb", "id"})
NESTED = frozenset({"why", "how"})
NAMED: Mapping[str, Mapping[str, str]] = {
    "side": {"right": "side.right", "left": "side.left"},
    "palms": {"right palm": "palm.right", "left palm": "palm.left", "palms of both hands": "palm.both"},
    "limb": {
        name.replace("_", " "): f"limb.{name}"
        for name in ("right_hand", "left_hand", "right_arm", "left_arm", "head", "lift", "body")
    },
    "verdict": {name: f"verdict.{name}" for name in ("ok", "degraded", "failed")},
}
"""Places that hold one of a few words, which have keys of their own."""

LONGEST = 1000
DEEPEST = 4
MOST_PARTS = 12
REMEMBERED = 512
SEPARATOR = "; "

Phrase = dict[str, object]
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """One sentence: its key, its pattern, and how much of it is fixed."""

    key: str
    pattern: re.Pattern[str]
    fixed: int


@lru_cache(maxsize=REMEMBERED)
def recognise(text: str) -> Phrase:
    """A sentence, or several that are joined by "; ", as key, arguments and the text itself; not to be changed.

    An argument is text, or a phrase where it is a sentence or a word that has a key itself. A sentence that nobody
    knows has the key None; where only some of several are known, those that are not stay English.
    """
    return _recognise(text, DEEPEST)


def plain(text: str) -> Phrase:
    """A text that is shown as it is."""
    return {"key": None, "args": {}, "text": text}


def _recognise(text: str, depth: int) -> Phrase:
    if depth == 0 or len(text) > LONGEST:
        return plain(text)
    parts = text.split(SEPARATOR)
    if 1 < len(parts) <= MOST_PARTS:
        found = _joined(parts, depth)
        if len(found) > 1 and any(each["key"] for each in found):
            return {"key": "join", "args": {"parts": found}, "text": text}
    return _one(text, depth) or plain(text)


def _joined(parts: list[str], depth: int) -> list[Phrase]:
    """The way to read parts as sentences, each of one part or more, that leaves the fewest parts unknown."""
    best: list[tuple[int, int, list[Phrase]]] = [(0, 0, [])]
    for end in range(1, len(parts) + 1):
        ways = []
        for begin in range(end):
            unknown, count, before = best[begin]
            text = SEPARATOR.join(parts[begin:end])
            found = _one(text, depth)
            if found is None:
                ways.append((unknown + end - begin, count + 1, [*before, plain(text)]))
            else:
                ways.append((unknown + _unknown(found), count + 1, [*before, found]))
        best.append(min(ways, key=lambda way: (way[0], -way[1])))
    return best[-1][2]


def _unknown(found: Phrase) -> int:
    """How many sentences inside a phrase nobody knows."""
    arguments = found["args"]
    assert isinstance(arguments, dict)
    inside = [each for name, each in arguments.items() if name in NESTED]
    return sum(1 if each["key"] is None else _unknown(each) for each in inside if "parts" not in each["args"])


def _one(text: str, depth: int) -> Phrase | None:
    """One sentence; None: unknown. Line breaks count as spaces."""
    line = " ".join(text.split())
    for template in _templates():
        match = template.pattern.fullmatch(line)
        if match:
            arguments = {name: _argument(name, found, depth) for name, found in match.groupdict().items()}
            return {"key": template.key, "args": arguments, "text": text}
    return None


def _argument(name: str, found: str, depth: int) -> object:
    if name in NAMED:
        return {"key": NAMED[name][found], "args": {}, "text": found}
    return _recognise(found, depth - 1) if name in NESTED else found


@cache
def _templates() -> tuple[Template, ...]:
    """All sentences, those with most fixed letters first: the more special one is right."""
    words: dict[str, str] = json.loads((LANGUAGES_DIR / "en.json").read_text(encoding="utf-8"))
    made = [_template(key, text) for key, text in words.items() if key.split(".")[0] in FAMILIES]
    return tuple(sorted(made, key=lambda template: -template.fixed))


def _template(key: str, text: str) -> Template:
    pieces = _PLACE.split(text)
    seen: set[str] = set()
    pattern = "".join(_place(piece, seen) if k % 2 else re.escape(piece) for k, piece in enumerate(pieces))
    return Template(key, re.compile(pattern), sum(len(piece) for piece in pieces[::2]))


def _place(name: str, seen: set[str]) -> str:
    if name in seen:
        return f"(?P={name})"
    seen.add(name)
    if name in NUMBERS:
        return rf"(?P<{name}>[-−+]?\d[\d.,]*(?: ?rad)?)"
    if name in NAMED:
        return rf"(?P<{name}>{'|'.join(NAMED[name])})"
    return rf"(?P<{name}>.+)" if name in NESTED else rf"(?P<{name}>.+?)"
