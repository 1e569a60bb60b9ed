# SPDX-License-Identifier: Apache-2.0
"""How far a booth and an operator have come: kept today and in all, good takes an hour, how often a take is redone."""

from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from itertools import pairwise

from booth.session.records import Decision
from booth.session.sessions import Sessions
from recorder.library_sessions import BREAK_S

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Progress:
    """Sums; the operator's are 0 or None without one.

    Attributes:
        good_per_hour: the operator's kept episodes in an hour of today's work; None before there was any.
        redo_rate: the operator's takes of today that were not kept, of all that were decided; None before the first.
    """

    booth_kept: int
    booth_kept_today: int
    operator_kept: int = 0
    operator_kept_today: int = 0
    good_per_hour: float | None = None
    redo_rate: float | None = None

    def values(self) -> dict[str, object]:
        """As the page gets it."""
        return asdict(self)


def progress(sessions: Sessions, booth: str, operator: str, wall_ns: int, zone: tzinfo | None = None) -> Progress:
    """Sums of now.

    Args:
        operator: an id; empty: nobody.
        wall_ns: now, wall time [ns].
        zone: whose midnight begins a day; None: this computer's.
    """
    today_ns = midnight_ns(wall_ns, zone)
    all_of_booth, today_of_booth = sessions.kept(0, booth=booth), sessions.kept(today_ns, booth=booth)
    if not operator:
        return Progress(all_of_booth, today_of_booth)
    kept_today = sessions.kept(today_ns, operator=operator)
    hours = worked_s(sessions.moments(operator, today_ns)) / 3600
    decided = sessions.decided(operator, today_ns)
    redone = sum(decision is not Decision.KEPT for decision in decided)
    return Progress(
        all_of_booth,
        today_of_booth,
        sessions.kept(0, operator=operator),
        kept_today,
        round(kept_today / hours, 1) if hours else None,
        round(redone / len(decided), 3) if decided else None,
    )


def worked_s(moments_ns: list[int]) -> float:
    """Time [s] between moments at which something happened, without breaks of half an hour and more."""
    gaps = [(after - before) / NS_PER_S for before, after in pairwise(moments_ns)]
    return sum(gap for gap in gaps if gap < BREAK_S)


def midnight_ns(wall_ns: int, zone: tzinfo | None = None) -> int:
    """Wall time [ns] at which the day began."""
    day = datetime.fromtimestamp(wall_ns // NS_PER_S, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return round(day.timestamp()) * NS_PER_S
