# SPDX-License-Identifier: Apache-2.0
"""Which joint will fail next, and why we think so. A rule of thumb, not a validated model: nobody has compared these
scores with servos that really failed. It ranks what a technician would look at, and says each reason in words.

Points, added up and capped at 100; below `LOW` nothing stands out, from `HIGH` on look at the joint today:

- heat: 95 % quantile of temperature against the limit: from 75 % of it on, up to 30 points at the limit.
- hotter than its mirror joint (or, without one, than the median of at least four servos of its model): 2 a deg C beyond
  5, up to 25.
- hardware errors: 10 for each in 10 torqued hours, up to 30.
- temperature risen at equal current, latest week against all before: 3 a deg C beyond 3, up to 20.
- current risen at equal motion, last two weeks against those a month ago and older: 1 a percent beyond 10, up to 20.
- current above 80 % of what is allowed: 1 a percent of the torqued time beyond 5, up to 15.
- timeouts and quarantines: 1 for each an hour beyond 1, up to 10; that points at cables, not at the servo.

Fewer than `ENOUGH_H` powered hours: no score. Trends need `TREND_H` hours in both times at the same current or motion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from drivers.maintenance_read import History
from drivers.maintenance_schema import week_of
from drivers.maintenance_tally import COLUMNS, LOAD_BINS, SLICES, quantile_degc

Array = NDArray[np.float64]

ENOUGH_H, TREND_H = 2.0, 0.5
LOW, HIGH = 15.0, 40.0
WARM = 0.75
"""Share of the temperature limit from which on heat counts."""
HIGH_LOAD_BIN = 8
"""First current bin above 80 %."""
PEERS = 4
HARDWARE_ERROR, LINE_TROUBLE = "hardware error", ("timeout", "quarantine")
_H = 3600.0


@dataclass(frozen=True, slots=True)
class Reason:
    """Points for the score, and why."""

    points: float
    text: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """One actuator. Hours since the servo was fitted; NaN where nothing is known; ``score`` None: too few hours.

    Attributes:
        p50_degc, p95_degc, max_degc: temperature while powered.
        over_80: share of torqued time above 80 % of the allowed current.
        errors_per_h: hardware errors in a torqued hour.
        trend_degc: temperature at equal current, latest week minus before.
    """

    history: History
    hours: float
    torqued_h: float
    p50_degc: float
    p95_degc: float
    max_degc: float
    over_80: float
    errors_per_h: float
    trend_degc: float
    score: float | None
    reasons: tuple[Reason, ...]

    @property
    def joint(self) -> str:
        """Joint name."""
        return self.history.actuator.joint

    @property
    def words(self) -> str:
        """All reasons, the weightiest first."""
        if self.score is None:
            return f"not enough hours yet ({self.hours:.1f} of {ENOUGH_H:g} h)"
        return "; ".join(reason.text for reason in self.reasons) or "nothing stands out"


def assess(histories: Sequence[History], now_s: float) -> list[Assessment]:
    """Assess every actuator, the riskiest first; those with too few hours last.

    Args:
        histories: of one robot.
        now_s: wall time.
    """
    by_joint = {history.actuator.joint: history for history in histories}
    found = [_assess(history, by_joint, week_of(now_s)) for history in histories]
    return sorted(found, key=lambda one: (one.score is None, -(one.score or 0.0), -one.p95_degc))


def headline(assessments: Sequence[Assessment]) -> str:
    """Which joint will fail next and why we think so, or that there is no telling; one line."""
    judged = [one for one in assessments if one.score is not None]
    if not judged:
        most = max((one.hours for one in assessments), default=0.0)
        return f"No telling yet which joint will fail next: not enough hours, {most:.1f} of {ENOUGH_H:g} h"
    first = judged[0]
    waiting = len(assessments) - len(judged)
    joints = "1 joint has" if waiting == 1 else f"{waiting} joints have"
    rest = f" ({joints} not enough hours yet)" if waiting else ""
    score = first.score or 0.0
    if score < LOW:
        return f"Nothing stands out: the highest risk score is {score:.0f} of 100, {first.joint}{rest}"
    level = "high" if score >= HIGH else "raised"
    return f"Most likely to fail next: {first.joint}, risk {score:.0f} of 100 ({level}), because it {first.words}{rest}"


def mirror_name(name: str, names: Mapping[str, object]) -> str | None:
    """The joint on the other side: l and r, left and right exchanged between underscores."""
    for old, new in [*permutations(("l", "r"), 2), *permutations(("left", "right"), 2)]:
        parts = name.split("_")
        if old in parts:
            other = "_".join(new if part == old else part for part in parts)
            if other in names:
                return other
    return None


def _assess(history: History, by_joint: Mapping[str, History], this_week: int) -> Assessment:
    total = history.sums.sum(axis=0) if len(history.weeks) else np.zeros(len(COLUMNS))
    hours, torqued_h = total[SLICES["powered_s"]][0] / _H, total[SLICES["torqued_s"]][0] / _H
    load = total[SLICES["load_s"]]
    over_80 = float(load[HIGH_LOAD_BIN:].sum() / load.sum()) if load.sum() > 0 else float("nan")
    errors = _count(history, (HARDWARE_ERROR,))
    degc = total[SLICES["degc_s"]]
    highest = float(np.fmax.reduce(history.degc_max, initial=np.nan))
    median, p95 = (float(np.fmin(quantile_degc(degc, share), highest)) for share in (0.5, 0.95))  # bins are 5 wide
    trend = _heat_trend(history)
    enough = hours >= ENOUGH_H
    reasons: list[Reason] = []
    if enough or errors:
        reasons += _heat(history, p95)
        reasons += _hotter_than_others(history, by_joint)
        reasons += _errors(history, torqued_h)
        if trend > 3.0:
            reasons.append(
                Reason(min(3.0 * (trend - 3.0), 20.0), f"runs {trend:.0f} °C hotter than before at equal current")
            )
        reasons += _current_trend(history, this_week)
        if over_80 > 0.05:
            text = f"spends {over_80:.0%} of its time above 80 % of the current it is allowed"
            reasons.append(Reason(min(100.0 * (over_80 - 0.05), 15.0), text))
        reasons += _line_trouble(history, hours)
    reasons.sort(key=lambda reason: -reason.points)
    score = min(sum(reason.points for reason in reasons), 100.0) if enough or errors else None
    return Assessment(
        history,
        float(hours),
        float(torqued_h),
        median,
        p95,
        highest,
        over_80,
        errors / torqued_h if torqued_h > 0 else float("nan"),
        trend,
        score,
        tuple(reasons),
    )


def _heat(history: History, p95: float) -> list[Reason]:
    limit = history.actuator.limit_degc
    if limit is None or not p95 > WARM * limit:
        return []
    points = min(30.0 * (p95 / limit - WARM) / (1.0 - WARM), 30.0)
    return [Reason(points, f"is above {p95:.0f} °C for 5 % of the time, its limit is {limit:.0f} °C")]


def _hotter_than_others(history: History, by_joint: Mapping[str, History]) -> list[Reason]:
    own = mean_degc(history)
    name = mirror_name(history.actuator.joint, by_joint)
    if name is not None and _hours(by_joint[name]) >= TREND_H:
        other, whom = mean_degc(by_joint[name]), f"its mirror joint {name}"
    else:
        same = [h for h in by_joint.values() if h.actuator.model == history.actuator.model and h is not history]
        means = [mean_degc(h) for h in same if _hours(h) >= TREND_H]
        if len(means) < PEERS:
            return []
        other, whom = float(np.nanmedian(means)), f"the middle of the other {history.actuator.model}"
    above = own - other
    if not above > 5.0:
        return []
    return [Reason(min(2.0 * (above - 5.0), 25.0), f"runs {above:.0f} °C hotter than {whom}")]


def _errors(history: History, torqued_h: float) -> list[Reason]:
    causes: dict[str, int] = {}
    for event in history.events:
        if event.kind == HARDWARE_ERROR:
            causes[event.detail or HARDWARE_ERROR] = causes.get(event.detail or HARDWARE_ERROR, 0) + event.count
    if not causes:
        return []
    per_10h = sum(causes.values()) / max(torqued_h / 10.0, 1.0)
    said = ", ".join(f"{count}x {cause}" for cause, count in sorted(causes.items(), key=lambda item: -item[1]))
    return [Reason(min(10.0 * per_10h, 30.0), f"had {said} in {torqued_h:.0f} h")]


def _current_trend(history: History, this_week: int) -> list[Reason]:
    late, early = history.weeks >= this_week - 1, history.weeks <= this_week - 4
    ratio = _compare(history, late, early, "motion_s", "motion_mas", relative=True)
    if not ratio > 0.10:
        return []
    text = f"draws {ratio:.0%} more current than a month ago at equal motion"
    return [Reason(min(100.0 * (ratio - 0.10), 20.0), text)]


def _line_trouble(history: History, hours: float) -> list[Reason]:
    per_h = _count(history, LINE_TROUBLE) / hours if hours > 0 else 0.0
    if per_h <= 1.0:
        return []
    return [Reason(min(per_h - 1.0, 10.0), f"was silent {per_h:.0f} times an hour (look at its cable first)")]


def _heat_trend(history: History) -> float:
    """Temperature at equal current, latest week with enough torqued hours minus all before it; NaN: no telling."""
    enough = np.flatnonzero(history.sums[:, SLICES["torqued_s"].start] >= TREND_H * _H)
    if len(enough) < 2:
        return float("nan")
    late = np.arange(len(history.weeks)) == enough[-1]
    early = np.arange(len(history.weeks)) < enough[-1]
    return _compare(history, late, early, "heat_s", "heat_degcs", relative=False)


def _compare(
    history: History, late: NDArray[np.bool_], early: NDArray[np.bool_], time: str, amount: str, *, relative: bool
) -> float:
    """Mean of ``amount`` in late weeks against early ones, class by class, weighted by the time that both share."""
    t_late, t_early = (history.sums[which][:, SLICES[time]].sum(axis=0) for which in (late, early))
    a_late, a_early = (history.sums[which][:, SLICES[amount]].sum(axis=0) for which in (late, early))
    weight = np.minimum(t_late, t_early)
    weight[weight < 0.1 * _H] = 0.0
    if weight.sum() < TREND_H * _H:
        return float("nan")
    used = weight > 0
    mean_late, mean_early = a_late[used] / t_late[used], a_early[used] / t_early[used]
    weight = weight[used] / weight.sum()
    now, then = float(weight @ mean_late), float(weight @ mean_early)
    if relative:
        return now / then - 1.0 if then > 0 else float("nan")
    return now - then


def mean_degc(history: History) -> float:
    """Mean temperature of all torqued time; NaN when there was none."""
    time = history.sums[:, SLICES["heat_s"]].sum()
    return float(history.sums[:, SLICES["heat_degcs"]].sum() / time) if time > 0 else float("nan")


def weekly_degc(history: History) -> Array:
    """Mean torqued temperature of each week (W,); NaN where there was no torqued time."""
    time = history.sums[:, SLICES["heat_s"]].reshape(-1, LOAD_BINS).sum(axis=1)
    heat = history.sums[:, SLICES["heat_degcs"]].reshape(-1, LOAD_BINS).sum(axis=1)
    mean: Array = np.divide(heat, time, out=np.full(len(time), np.nan), where=time > 0)
    return mean


def _hours(history: History) -> float:
    return float(history.sums[:, SLICES["heat_s"]].sum() / _H)


def _count(history: History, kinds: tuple[str, ...]) -> int:
    return sum(event.count for event in history.events if event.kind in kinds)
