# SPDX-License-Identifier: Apache-2.0
"""What a recorder is asked to do, and what it says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from graph.topics import Topic
from recorder.encode import JPEG_QUALITY
from recorder.errors import TakeError
from recorder.preroll import MAX_SECONDS


@dataclass(frozen=True, slots=True)
class Settings:
    """What the recorder was asked to record; fields as in ``TakeMetadata``, and

    Attributes:
        cameras: extra cameras, dataset name to the topic of their JPEGs.
        raw: topic of raw images to the topic of JPEGs that are made of them.
        topics: name to further topics that go into the take as they are.
        preroll_s: so much of what came before the start is written, too, at most 30 s.
        jpeg_quality: of the JPEGs that are made here, 1 to 100.

    Raises:
        TakeError: a pre-roll that makes no sense.
    """

    robot: str
    directory: Path
    rate_hz: float
    task: str
    operator: str
    booth: str
    virtual: bool
    cameras: dict[str, str]
    raw: Mapping[str, str] = field(default_factory=dict)
    topics: Mapping[str, Topic] = field(default_factory=dict)
    preroll_s: float = 0.0
    jpeg_quality: int = JPEG_QUALITY

    def __post_init__(self) -> None:
        if not 0.0 <= self.preroll_s <= MAX_SECONDS:
            raise TakeError(f"preroll_s should lie in 0 … {MAX_SECONDS:g}, found {self.preroll_s:g}")


@dataclass(frozen=True, slots=True)
class State:
    """What the recorder says of itself: READY, RECORDING, SAVING, SAVED or FAILED, and about which take.

    Attributes:
        verdict: what the check said of the last episode.
        findings: codes of what it did not like, comma-separated.
        paused: whether the operator paused the running take.
        left_out: messages of the take that this computer was too slow for.
        free_gb: room on the disk.
        rate_mb_s: how fast a take grows.
        minutes_left: for how long the room lasts at that rate; None while nothing comes.
        warning: what to know while all goes on.
        code: the fault's name, for docs/faults; empty for none.
    """

    message: str = "READY"
    take: str = ""
    episode: str = ""
    rows: int = 0
    dropped_rows: int = 0
    reason: str = ""
    verdict: str = ""
    findings: str = ""
    paused: bool = False
    left_out: int = 0
    free_gb: float = 0.0
    rate_mb_s: float = 0.0
    minutes_left: float | None = None
    warning: str = ""
    code: str = ""

    def values(self) -> dict[str, object]:
        """As the keys of a state message."""
        left = "" if self.minutes_left is None else f"{self.minutes_left:.1f}"
        return {
            "take": self.take,
            "episode": self.episode,
            "rows": self.rows,
            "dropped_rows": self.dropped_rows,
            "reason": self.reason or self.warning,
            "code": self.code,
            "verdict": self.verdict,
            "findings": self.findings,
            "paused": str(self.paused).lower(),
            "left_out": self.left_out,
            "free_gb": f"{self.free_gb:.1f}",
            "rate_mb_s": f"{self.rate_mb_s:.1f}",
            "minutes_left": left,
        }
