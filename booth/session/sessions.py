# SPDX-License-Identifier: Apache-2.0
"""Sessions and their episodes in the store: enough to go on after a crash at any moment."""

import json
import os
import sqlite3
from dataclasses import fields

from booth.session.database import Database
from booth.session.records import Attempt, Decision, Discard, Operator, Session, Task
from recorder.identity import uuid7


class Sessions:
    """The sessions of a store, and the takes that were made in them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, operator: Operator, task: Task, booth: str, robot: str, wall_ns: int) -> Session:
        """A new session of a booth with a robot, which has no unfinished one.

        Raises:
            StoreError: it has one.
        """
        made = Session(str(uuid7(wall_ns, os.urandom(10))), operator.id, task, booth, robot, wall_ns)
        self._database.change(
            "INSERT INTO sessions (id, operator, task, plan, booth, robot, started_ns) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (made.id, operator.id, task.id, task.model_dump_json(), booth, robot, wall_ns),
        )
        return made

    def end(self, session: str, reason: str, wall_ns: int) -> None:
        """A session is over."""
        self._database.change(
            "UPDATE sessions SET ended_ns = ?, end_reason = ? WHERE id = ? AND ended_ns = 0", (wall_ns, reason, session)
        )

    def unfinished(self, booth: str, robot: str) -> Session | None:
        """The session of a booth and its robot that goes on, if there is one."""
        rows = self._database.rows(
            "SELECT * FROM sessions WHERE booth = ? AND robot = ? AND ended_ns = 0", (booth, robot)
        )
        return _session(rows[0]) if rows else None

    def all(self) -> list[Session]:
        """Every session, the oldest first."""
        return [_session(row) for row in self._database.rows("SELECT * FROM sessions ORDER BY started_ns, id")]

    def attempts(self, session: str = "") -> list[Attempt]:
        """All takes of a session (of all sessions where none is named) and numbers that were left out, by time."""
        rows = self._database.rows(
            "SELECT * FROM episodes WHERE ? IN ('', session) ORDER BY started_ns, rowid", (session,)
        )
        return [_attempt(row) for row in rows]

    def last(self, session: str) -> Attempt | None:
        """The attempt that was made last."""
        rows = self._database.rows("SELECT * FROM episodes WHERE session = ? ORDER BY rowid DESC LIMIT 1", (session,))
        return _attempt(rows[0]) if rows else None

    def add(self, session: str, number: int, take: str, wall_ns: int) -> None:
        """One more attempt at this number; a take of this session that is known already is open again, at this one."""
        with self._database.transaction():
            known = self._database.rows("SELECT number FROM episodes WHERE take = ? AND session = ?", (take, session))
            if take and known and known[0]["number"] == number:
                self.reopen(take)
                return
            (before,) = self._database.rows(
                "SELECT coalesce(max(attempt), 0) FROM episodes WHERE session = ? AND number = ?", (session, number)
            )[0]
            if take and known:
                self._database.change(
                    "UPDATE episodes SET number = ?, attempt = ? WHERE take = ?", (number, before + 1, take)
                )
                self.reopen(take)
                return
            self._database.change(
                "INSERT INTO episodes (session, number, attempt, take, started_ns) VALUES (?, ?, ?, ?, ?)",
                (session, number, before + 1, take, wall_ns),
            )

    def reopen(self, take: str) -> None:
        """Whether a take that nobody discarded is kept is to be decided again."""
        self._database.change(
            "UPDATE episodes SET decision = 'undecided', source = '', decided_ns = 0, discard = ''"
            " WHERE take = ? AND discard != 'asked'",
            (take,),
        )

    def saved(self, take: str, episode: str, verdict: str, findings: tuple[str, ...], rows: int) -> None:
        """What became of a take, however late it is told."""
        self._database.change(
            "UPDATE episodes SET episode = ?, verdict = ?, findings = ?, rows = ? WHERE take = ?",
            (episode, verdict, json.dumps(findings), rows, take),
        )

    def decide(self, session: str, take: str, decision: Decision, source: str, wall_ns: int) -> None:
        """What somebody decided of the last attempt with this take."""
        self._database.change(
            "UPDATE episodes SET decision = ?, source = ?, decided_ns = ? WHERE rowid ="
            " (SELECT max(rowid) FROM episodes WHERE session = ? AND take = ?)",
            (decision.value, source, wall_ns, session, take),
        )

    def kept(self, since_ns: int = 0, booth: str | None = None, operator: str | None = None) -> int:
        """How many episodes of a booth or an operator were kept since a moment of wall time [ns]."""
        (count,) = self._database.rows(
            "SELECT count(*) FROM episodes e JOIN sessions s ON s.id = e.session WHERE e.decision = 'kept'"
            " AND e.decided_ns >= ? AND (? IS NULL OR s.booth = ?) AND (? IS NULL OR s.operator = ?)",
            (since_ns, booth, booth, operator, operator),
        )[0]
        return int(count)

    def moments(self, operator: str, since_ns: int) -> list[int]:
        """Wall times [ns] since a moment at which an operator's sessions began or ended and takes began or were
        decided."""
        rows = self._database.rows(
            "SELECT s.started_ns AS ns FROM sessions s WHERE s.operator = :o UNION ALL"
            " SELECT s.ended_ns FROM sessions s WHERE s.operator = :o UNION ALL"
            " SELECT e.started_ns FROM episodes e JOIN sessions s ON s.id = e.session WHERE s.operator = :o UNION ALL"
            " SELECT e.decided_ns FROM episodes e JOIN sessions s ON s.id = e.session WHERE s.operator = :o"
            " ORDER BY ns",
            {"o": operator},
        )
        return [int(ns) for (ns,) in rows if ns >= since_ns and ns > 0]

    def decided(self, operator: str, since_ns: int) -> list[Decision]:
        """What was decided of an operator's takes that began since a moment of wall time [ns]."""
        rows = self._database.rows(
            "SELECT e.decision FROM episodes e JOIN sessions s ON s.id = e.session"
            " WHERE s.operator = ? AND e.started_ns >= ? AND e.decided_ns > 0 AND e.take != ''",
            (operator, since_ns),
        )
        return [Decision(decision) for (decision,) in rows]

    def discard(self, take: str, discard: Discard) -> None:
        """How far the discarding of a take is."""
        self._database.change("UPDATE episodes SET discard = ? WHERE take = ?", (discard.value, take))


def _session(row: sqlite3.Row) -> Session:
    values = {item.name: row[item.name] for item in fields(Session) if item.name != "task"}
    return Session(task=Task.model_validate_json(row["plan"]), **values)


def _attempt(row: sqlite3.Row) -> Attempt:
    values = {item.name: row[item.name] for item in fields(Attempt)}
    values["findings"] = tuple(json.loads(row["findings"]))
    return Attempt(**{**values, "decision": Decision(row["decision"]), "discard": Discard(row["discard"])})
