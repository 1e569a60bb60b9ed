# SPDX-License-Identifier: Apache-2.0
"""What the store holds: operators, tasks, sessions, episodes, scores. Times are wall time [ns since the epoch]."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from booth.session.consent import CONSENT_VERSION
from booth.session.errors import SessionError
from teleop.operator_profile import NAME_PATTERN

Language = Literal["en", "ko", "uz", "ru"]
Handedness = Literal["right", "left", "both"]


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds characters that can't be shown")
    return text.strip()


Identity = Annotated[str, Field(pattern=NAME_PATTERN)]
Text = Annotated[str, AfterValidator(_printable)]
Seconds = Annotated[float, Field(ge=0.0, le=3600.0, allow_inf_nan=False)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Operator(_Entry):
    """Somebody who demonstrates.

    Attributes:
        id: what episodes call them: small letters, digits, _ and -.
        name: what the page calls them.
        badge: number or text of a badge; empty: none.
        language: of the page while they operate.
        handedness: the hand that they do things with.
        profile: name of their stored calibration (`booth calibrate`); empty: none.
        consent_version: of the text that they agreed to; empty: they did not, or withdrew.
        consent_ns: when; 0: never.
        removed_ns: when they were removed; 0: they were not.
    """

    id: Identity
    name: Annotated[Text, Field(min_length=1, max_length=100)]
    badge: Annotated[Text, Field(max_length=64)] = ""
    language: Language = "en"
    handedness: Handedness = "right"
    profile: Annotated[str, Field(pattern=rf"^$|{NAME_PATTERN}")] = ""
    consent_version: str = ""
    consent_ns: int = 0
    removed_ns: int = 0

    @property
    def consented(self) -> bool:
        """Whether they agreed to what is asked today."""
        return self.consent_version == CONSENT_VERSION


class Task(_Entry):
    """What is to be demonstrated, how often, and how long each part takes.

    Attributes:
        id: small letters, digits, _ and -.
        instruction: the sentence that goes into every episode.
        target: good episodes in a session.
        warm_up_s: to get used to the robot, once.
        record_s: after this long a take ends by itself.
        reset_s: to put the things back.
        review_s: a take that is ok keeps itself after this long.
        removed_ns: when it was removed; 0: it was not.
    """

    id: Identity
    name: Annotated[Text, Field(min_length=1, max_length=100)]
    instruction: Annotated[Text, Field(min_length=1, max_length=500)]
    target: Annotated[int, Field(ge=1, le=100_000)] = 20
    warm_up_s: Seconds = 60.0
    record_s: Annotated[Seconds, Field(ge=1.0)] = 60.0
    reset_s: Seconds = 15.0
    review_s: Seconds = 20.0
    removed_ns: int = 0


Entry = TypeVar("Entry", Operator, Task)


def checked(kind: type[Entry], values: Mapping[str, object]) -> Entry:
    """An operator or a task of what somebody wrote.

    Raises:
        SessionError: it can't be one; the message lists every problem.
    """
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        named = str(values.get("id", ""))
        problems = [f"{'.'.join(map(str, each['loc']))}: {_words(each)}" for each in error.errors()]
        raise SessionError(f"{kind.__name__.lower()} {named!r} can't be used: {'; '.join(problems)}") from error


def _words(problem: ErrorDetails) -> str:
    if problem["type"] == "string_pattern_mismatch":
        return f"small letters, digits, _ and -, at most 63, found {problem['input']!r}"
    return f"{problem['msg']}, found {problem['input']!r}"


class Decision(Enum):
    """What became of an attempt."""

    KEPT = "kept"
    REDONE = "redone"
    SKIPPED = "skipped"
    UNDECIDED = "undecided"


class Discard(Enum):
    """How far the discarding of an attempt's take is."""

    NO = ""
    ASKED = "asked"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Session:
    """One operator's work on one task.

    Attributes:
        id: UUIDv7 as text.
        task: as it was when the session began.
        ended_ns: 0: it goes on.
        end_reason: why it ended.
    """

    id: str
    operator: str
    task: Task
    booth: str
    robot: str
    started_ns: int
    ended_ns: int = 0
    end_reason: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One take of an episode of a session; a number that was left out without a take is one, too.

    Attributes:
        session: its id.
        number: of the episode in the session, from 1.
        attempt: at this number, from 1.
        take: its name; empty: none was made.
        episode: path of the finished file; empty: not finished.
        verdict: ok, degraded, failed, or empty as long as nobody knows.
        findings: codes of what the check did not like.
        rows: of the episode.
        decision: kept, redone, skipped, undecided.
        source: who decided: page, gesture, pedal, service, timer …
        discard: how far the discarding of its take is.
        started_ns: when the take began.
        decided_ns: 0: it is not decided.
    """

    session: str
    number: int
    attempt: int
    take: str
    started_ns: int
    episode: str = ""
    verdict: str = ""
    findings: tuple[str, ...] = ()
    rows: int = 0
    decision: Decision = Decision.UNDECIDED
    source: str = ""
    discard: Discard = Discard.NO
    decided_ns: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    """How well an operator did an exercise of the training, 0 … 100."""

    operator: str
    exercise: str
    score: float
    wall_ns: int
    details: Mapping[str, object] = field(default_factory=dict)
