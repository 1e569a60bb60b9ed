# SPDX-License-Identifier: Apache-2.0
"""Scores of the training in the store; what they mean is the training's business."""

import json
from collections.abc import Mapping

from booth.session.database import Database
from booth.session.errors import SessionError
from booth.session.records import Score


class Scores:
    """Every score of every operator."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, score: Score) -> None:
        """One more.

        Raises:
            SessionError: it is not 0 … 100.
        """
        if not 0.0 <= score.score <= 100.0:
            raise SessionError(f"a score lies in 0 … 100, found {score.score:g} for {score.exercise}")
        self._database.change(
            "INSERT INTO scores (operator, exercise, score, details, wall_ns) VALUES (?, ?, ?, ?, ?)",
            (score.operator, score.exercise, score.score, _json(score.details), score.wall_ns),
        )

    def of(self, operator: str) -> list[Score]:
        """All of an operator, the oldest first."""
        rows = self._database.rows("SELECT * FROM scores WHERE operator = ? ORDER BY wall_ns, rowid", (operator,))
        return [
            Score(row["operator"], row["exercise"], row["score"], row["wall_ns"], json.loads(row["details"]))
            for row in rows
        ]


def _json(details: Mapping[str, object]) -> str:
    return json.dumps(dict(details), ensure_ascii=False, allow_nan=False)
