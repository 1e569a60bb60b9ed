# SPDX-License-Identifier: Apache-2.0
"""One thing that a check has to say."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """``ok``: looked at and fine. ``warn``: usable, but know it. ``fail``: do not learn from this."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """Level, a stable code for scripts, and a sentence for people."""

    level: Level
    code: str
    text: str

    def to_json(self) -> dict[str, str]:
        """As plain values."""
        return {"level": self.level.value, "code": self.code, "text": self.text}


def ok(code: str, text: str) -> Finding:
    """A finding that all is well."""
    return Finding(Level.OK, code, text)


def warn(code: str, text: str) -> Finding:
    """A finding to know about."""
    return Finding(Level.WARN, code, text)


def fail(code: str, text: str) -> Finding:
    """A finding that spoils the episode."""
    return Finding(Level.FAIL, code, text)


def graded(code: str, text: str, *, failed: bool = False, warned: bool = False) -> Finding:
    """A finding whose level is the worst that applies."""
    if failed:
        return fail(code, text)
    return warn(code, text) if warned else ok(code, text)
