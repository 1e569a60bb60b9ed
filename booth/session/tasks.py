# SPDX-License-Identifier: Apache-2.0
"""Tasks in the store. None is deleted: sessions refer to them."""

from booth.session.database import Database
from booth.session.errors import SessionError
from booth.session.records import Task

COLUMNS = ("id", "name", "instruction", "target", "warm_up_s", "record_s", "reset_s", "review_s", "removed_ns")


class Tasks:
    """The tasks of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, removed: bool = False) -> list[Task]:
        """By id; those that were removed only on request."""
        rows = self._database.rows(f"SELECT {', '.join(COLUMNS)} FROM tasks ORDER BY id")
        found = [Task(**dict(row)) for row in rows]
        return [one for one in found if removed or not one.removed_ns]

    def get(self, identity: str, removed: bool = False) -> Task:
        """One task.

        Raises:
            SessionError: there is none of that id, or it was removed; the message lists those there are.
        """
        for one in self.all(removed=True):
            if one.id == identity and one.removed_ns and not removed:
                raise SessionError(f"task {identity} was removed: booth task remove {identity} --undo; {self._known()}")
            if one.id == identity:
                return one
        raise SessionError(f"no task {identity!r}; {self._known()}")

    def add(self, task: Task) -> None:
        """A new task.

        Raises:
            SessionError: the id is taken.
        """
        with self._database.transaction():
            if self._database.rows("SELECT 1 FROM tasks WHERE id = ?", (task.id,)):
                raise SessionError(
                    f"task {task.id} is there already: booth task set {task.id} changes it; another needs another id"
                )
            self._write(task)

    def put(self, task: Task) -> None:
        """A new task, or another version of one; sessions that go on keep the one they began with."""
        self._write(task)

    def remove(self, identity: str, wall_ns: int) -> None:
        """Mark a task as gone; ``wall_ns`` 0 takes that back.

        Raises:
            SessionError: there is none of that id.
        """
        self._write(self.get(identity, removed=True).model_copy(update={"removed_ns": wall_ns}))

    def _write(self, task: Task) -> None:
        changed = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
        self._database.change(
            f"INSERT INTO tasks ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
            f" ON CONFLICT (id) DO UPDATE SET {changed}",
            [getattr(task, name) for name in COLUMNS],
        )

    def _known(self) -> str:
        names = ", ".join(one.id for one in self.all())
        return (
            f"there are: {names}" if names else "there are none yet: booth task add ID --name NAME --instruction TEXT"
        )
