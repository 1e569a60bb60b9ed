# SPDX-License-Identifier: Apache-2.0
"""The store's tables. A new version is one more entry of MIGRATIONS; what was published is never changed."""

APPLICATION_ID = 0x426F6F74
"""Marks the file as ours (SQLite's `application_id`): the letters Boot."""

VERSION_1 = (
    """CREATE TABLE operators (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, badge TEXT NOT NULL, language TEXT NOT NULL,
        handedness TEXT NOT NULL, profile TEXT NOT NULL, added_ns INTEGER NOT NULL,
        removed_ns INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE consents (
        operator TEXT NOT NULL REFERENCES operators (id), version TEXT NOT NULL, given_ns INTEGER NOT NULL,
        withdrawn_ns INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE tasks (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, instruction TEXT NOT NULL, target INTEGER NOT NULL,
        warm_up_s REAL NOT NULL, record_s REAL NOT NULL, reset_s REAL NOT NULL, review_s REAL NOT NULL,
        removed_ns INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE sessions (
        id TEXT PRIMARY KEY, operator TEXT NOT NULL REFERENCES operators (id),
        task TEXT NOT NULL REFERENCES tasks (id), plan TEXT NOT NULL, booth TEXT NOT NULL, robot TEXT NOT NULL,
        started_ns INTEGER NOT NULL, ended_ns INTEGER NOT NULL DEFAULT 0, end_reason TEXT NOT NULL DEFAULT '')""",
    "CREATE UNIQUE INDEX one_open_session ON sessions (booth, robot) WHERE ended_ns = 0",
    """CREATE TABLE episodes (
        session TEXT NOT NULL REFERENCES sessions (id), number INTEGER NOT NULL, attempt INTEGER NOT NULL,
        take TEXT NOT NULL, episode TEXT NOT NULL DEFAULT '', verdict TEXT NOT NULL DEFAULT '',
        findings TEXT NOT NULL DEFAULT '[]', rows INTEGER NOT NULL DEFAULT 0,
        decision TEXT NOT NULL DEFAULT 'undecided', source TEXT NOT NULL DEFAULT '',
        discard TEXT NOT NULL DEFAULT '', started_ns INTEGER NOT NULL, decided_ns INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (session, number, attempt))""",
    "CREATE UNIQUE INDEX one_take ON episodes (take) WHERE take != ''",
    """CREATE TABLE scores (
        operator TEXT NOT NULL REFERENCES operators (id), exercise TEXT NOT NULL,
        score REAL NOT NULL CHECK (score BETWEEN 0 AND 100), details TEXT NOT NULL, wall_ns INTEGER NOT NULL)""",
    "CREATE INDEX scores_by_operator ON scores (operator, wall_ns)",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (VERSION_1,)
"""Statements that lead from version n to n + 1; `user_version` of a file says how many it has seen."""
