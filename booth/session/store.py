# SPDX-License-Identifier: Apache-2.0
"""The store: who works on what, and what came of it. One SQLite file of this computer."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from booth.session.database import Database
from booth.session.operators import Operators
from booth.session.records import Operator, Score, checked
from booth.session.scores import Scores
from booth.session.sessions import Sessions
from booth.session.tasks import Tasks
from graph.stamps import graph_clock

ENV_STORE = "BOOTH_STORE"


def wall_now_ns() -> int:
    """Wall time now [ns since the epoch]."""
    clock = graph_clock()
    return clock.now_ns() + clock.drift_ns()


def store_path(environ: Mapping[str, str] | None = None) -> Path:
    """``$BOOTH_STORE``, else ``$XDG_DATA_HOME/humanoid_booth/booth.sqlite``, else that below ``~/.local/share``."""
    variables = os.environ if environ is None else environ
    if variables.get(ENV_STORE):
        return Path(variables[ENV_STORE])
    home = variables.get("XDG_DATA_HOME") or str(Path(variables.get("HOME", "~")).expanduser() / ".local" / "share")
    return Path(home) / "humanoid_booth" / "booth.sqlite"


class Store:
    """Use as a context manager, or call ``close``. Times are wall time [ns since the epoch].

    Args:
        path: the file; None: `store_path`.
        now_ns: wall time, for what is told without one.

    Raises:
        StoreError: it can't be used; it is never overwritten.
    """

    def __init__(self, path: Path | None = None, now_ns: Callable[[], int] = wall_now_ns) -> None:
        self.now_ns = now_ns
        self._database = Database(path or store_path())
        self.path = self._database.path
        self.operators = Operators(self._database)
        self.tasks = Tasks(self._database)
        self.sessions = Sessions(self._database)
        self._scores = Scores(self._database)

    @property
    def stamp(self) -> tuple[int, int]:
        """Differs whenever something was changed, also by another process."""
        return self._database.stamp

    def add_score(
        self, operator: str, exercise: str, score: float, details: Mapping[str, object], wall_ns: int | None = None
    ) -> None:
        """Keep how well an operator did an exercise of the training.

        Args:
            score: 0 … 100.
            details: anything JSON can hold.
            wall_ns: when; None: now.

        Raises:
            SessionError: no such operator, or no such score.
        """
        self.operators.get(operator)
        when_ns = self.now_ns() if wall_ns is None else wall_ns
        self._scores.add(Score(operator, exercise, score, when_ns, details))

    def scores(self, operator: str) -> list[Score]:
        """All scores of an operator, the oldest first."""
        return self._scores.of(operator)

    def set_language(self, operator: str, language: str) -> None:
        """The language of an operator's page.

        Raises:
            SessionError: no such operator or language.
        """
        self.operators.put(checked(Operator, {**self.operators.get(operator).model_dump(), "language": language}))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything within is kept, or nothing is."""
        with self._database.transaction():
            yield

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
