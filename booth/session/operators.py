# SPDX-License-Identifier: Apache-2.0
"""Operators in the store, and what they consented to. Nobody is deleted: episodes refer to them."""

import sqlite3

from booth.session.consent import CONSENT_VERSION
from booth.session.database import Database
from booth.session.errors import SessionError
from booth.session.records import Operator

KEPT = ("id", "name", "badge", "language", "handedness", "profile")
"""Columns that `put` writes."""

SELECT = """SELECT o.id, o.name, o.badge, o.language, o.handedness, o.profile, o.removed_ns,
        coalesce(c.version, '') AS consent_version, coalesce(c.given_ns, 0) AS consent_ns
    FROM operators o LEFT JOIN consents c ON c.rowid =
        (SELECT max(rowid) FROM consents WHERE operator = o.id AND withdrawn_ns = 0)"""

FORGOTTEN = "(forgotten)"


class Operators:
    """The operators of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, removed: bool = False) -> list[Operator]:
        """By id; those who were removed only on request."""
        found = [_operator(row) for row in self._database.rows(f"{SELECT} ORDER BY o.id")]
        return [one for one in found if removed or not one.removed_ns]

    def get(self, identity: str, removed: bool = False) -> Operator:
        """One operator.

        Raises:
            SessionError: there is none of that id, or they were removed; the message lists those there are.
        """
        rows = self._database.rows(f"{SELECT} WHERE o.id = ?", (identity,))
        if not rows:
            raise SessionError(f"no operator {identity!r}; {self._known()}")
        found = _operator(rows[0])
        if found.removed_ns and not removed:
            raise SessionError(
                f"operator {identity} was removed: booth operator remove {identity} --undo; {self._known()}"
            )
        return found

    def add(self, operator: Operator, wall_ns: int) -> None:
        """Somebody new; consent is given separately.

        Raises:
            SessionError: the id is taken.
        """
        with self._database.transaction():
            if self._database.rows("SELECT 1 FROM operators WHERE id = ?", (operator.id,)):
                raise SessionError(
                    f"operator {operator.id} is there already: booth operator set {operator.id} changes them;"
                    " somebody else needs another id"
                )
            values = [getattr(operator, name) for name in KEPT]
            marks = ", ".join("?" * (len(KEPT) + 1))
            self._database.change(
                f"INSERT INTO operators ({', '.join(KEPT)}, added_ns) VALUES ({marks})", (*values, wall_ns)
            )

    def put(self, operator: Operator) -> None:
        """Change what is known of an operator; not the consent.

        Raises:
            SessionError: there is none of that id.
        """
        self.get(operator.id, removed=True)
        assignments = ", ".join(f"{name} = ?" for name in KEPT)
        values = [getattr(operator, name) for name in KEPT]
        self._database.change(f"UPDATE operators SET {assignments} WHERE id = ?", (*values, operator.id))

    def remove(self, identity: str, wall_ns: int) -> None:
        """Mark an operator as gone; ``wall_ns`` 0 takes that back.

        Raises:
            SessionError: there is none of that id.
        """
        self.get(identity, removed=True)
        self._database.change("UPDATE operators SET removed_ns = ? WHERE id = ?", (wall_ns, identity))

    def forget(self, identity: str, wall_ns: int) -> None:
        """Erase name, badge, calibration's name and scores, withdraw the consent, mark as gone. The id stays: episodes
        name it. This can't be taken back.

        Raises:
            SessionError: there is none of that id, or a session of theirs goes on.
        """
        with self._database.transaction():
            found = self.get(identity, removed=True)
            if self._database.rows("SELECT 1 FROM sessions WHERE operator = ? AND ended_ns = 0", (identity,)):
                raise SessionError(f"a session of {identity} goes on: finish it first")
            self.put(found.model_copy(update={"name": FORGOTTEN, "badge": "", "profile": ""}))
            self._database.change("DELETE FROM scores WHERE operator = ?", (identity,))
            self.withdraw(identity, wall_ns)
            self.remove(identity, found.removed_ns or wall_ns)
        self._database.settle()

    def consent(self, identity: str, wall_ns: int) -> None:
        """The operator agreed to today's text.

        Raises:
            SessionError: there is none of that id.
        """
        with self._database.transaction():
            if not self.get(identity).consented:
                self._database.change(
                    "INSERT INTO consents (operator, version, given_ns) VALUES (?, ?, ?)",
                    (identity, CONSENT_VERSION, wall_ns),
                )

    def withdraw(self, identity: str, wall_ns: int) -> None:
        """The operator does not agree any longer; that they once did stays known.

        Raises:
            SessionError: there is none of that id.
        """
        self.get(identity, removed=True)
        self._database.change(
            "UPDATE consents SET withdrawn_ns = ? WHERE operator = ? AND withdrawn_ns = 0", (wall_ns, identity)
        )

    def _known(self) -> str:
        names = ", ".join(one.id for one in self.all())
        return f"there are: {names}" if names else "there are none yet: booth operator add ID --name NAME"


def _operator(row: sqlite3.Row) -> Operator:
    return Operator(**dict(row))
