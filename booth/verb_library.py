# SPDX-License-Identifier: Apache-2.0
"""`booth library …`: thousands of episodes in a folder, found, labelled, cut, divided, counted, copied.

The parser. What the commands do is in `library_look`, `library_change` and `library_send`.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from booth.library_change import (
    run_delete,
    run_label,
    run_merge,
    run_note,
    run_restore,
    run_split,
    run_success,
    run_tag,
    run_trim,
)
from booth.library_look import (
    run_duplicates,
    run_index,
    run_query,
    run_show,
    run_stats,
    run_train_val,
    run_verify,
)
from booth.library_send import run_copy
from recorder.library_cut import MARKS
from recorder.library_stats import BY

DESCRIPTION = """A folder of episodes as a library. Its index only repeats what the files say and is made again at any
time. Episodes are never changed: labels stand beside them, cuts are new episodes, deleted ones go to trash/.
docs/library.md has the tasks step by step."""


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "library",
        help="index, find, label, cut, divide, count, copy and verify thousands of episodes",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_looking(actions)
    _add_saying(actions)
    _add_changing(actions)
    _add_copy(actions)


def _add_looking(actions: Any) -> None:
    one = _action(actions, "index", "read what is new, with its hashes", run_index)
    one.add_argument("--quick", action="store_true", help="leave the hashes for later")
    one.add_argument("--bad", action="store_true", help="list the files that are no episodes, and why")
    one = _filters(_action(actions, "query", "which episodes?", run_query))
    one.add_argument("--order", default="created_s", metavar="COLUMN", help="default: %(default)s")
    one.add_argument("--reverse", action="store_true", help="the largest first")
    one.add_argument("--limit", type=int, default=-1, metavar="N", help="at most so many")
    one.add_argument("--paths", action="store_true", help="paths only, one a line")
    one = _action(actions, "show", "everything about one episode", run_show)
    one.add_argument("episode", metavar="EPISODE")
    _action(actions, "duplicates", "episodes that hold the same data", run_duplicates)
    one = _filters(_action(actions, "stats", "good takes per hour, redo rate, idle time", run_stats))
    one.add_argument("--by", choices=BY, default="operator", help="default: %(default)s")
    one.add_argument("--plot", type=Path, metavar="FILE.png", help="draw it, too")
    one = _several(
        _action(actions, "verify", "read all again, compare with every noted hash; exit code 1: damage", run_verify)
    )
    one.add_argument("--copies", action="store_true", help="read the copies at other places, too")
    one = _filters(
        _action(actions, "train-val", "divide into training and validation, by whole sessions", run_train_val)
    )
    one.add_argument(
        "--val", type=float, default=0.2, metavar="SHARE", help="share of validation (default: %(default)g)"
    )
    one.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    one.add_argument("--out", type=Path, metavar="FILE.json", help="write the lists")
    one.add_argument("--bad-too", action="store_true", help="failed, torn and unsuccessful episodes as well")


def _add_saying(actions: Any) -> None:
    one = _saying(actions, "label", "set NAME=TEXT beside episodes", run_label)
    one.add_argument("--set", action="append", default=[], metavar="NAME=TEXT", help="name= clears it")
    one = _saying(actions, "tag", "add or remove tags", run_tag)
    one.add_argument("--add", action="append", default=[], metavar="TAG")
    one.add_argument("--remove", action="append", default=[], metavar="TAG")
    one = _saying(actions, "note", "write a note", run_note)
    one.add_argument("--text", help="empty: clear it")
    one = _saying(actions, "success", "say whether the task was done", run_success)
    one.add_argument("--answer", choices=("yes", "no", "unknown"), default="yes", help="default: %(default)s")


def _add_changing(actions: Any) -> None:
    one = _several(_action(actions, "delete", "move episodes to trash/; only says so without --apply", run_delete))
    one.add_argument("--apply", action="store_true", help="really do it")
    one.add_argument("--reason", default="deleted", help="kept with it")
    one = _action(actions, "restore", "undo a delete", run_restore)
    one.add_argument("names", nargs="*", metavar="NAME")
    one.add_argument("--list", action="store_true", help="what is in the trash")
    one = _cutting(actions, "trim", "a new episode of some of the rows", run_trim)
    one.add_argument("episode", metavar="EPISODE")
    one.add_argument("--rows", metavar="FIRST:BEHIND", help="rows to keep, the last one excluded")
    one.add_argument("--from", dest="from_s", type=float, metavar="S", help="keep from this second")
    one.add_argument("--to", dest="to_s", type=float, metavar="S", help="keep up to this second")
    one.add_argument("--engaged", action="store_true", help="keep from the first to the last engaged row")
    one = _cutting(actions, "split", "new episodes, cut at marks, rows or seconds", run_split)
    one.add_argument("episode", metavar="EPISODE")
    one.add_argument("--rows", type=int, nargs="+", metavar="ROW", help="cut before these rows")
    one.add_argument("--seconds", type=float, nargs="+", metavar="S", help="cut at these seconds")
    one.add_argument(
        "--marks", default=MARKS, metavar="PATTERN", help="cut at events 'stream: text' (default: %(default)s)"
    )
    one = _cutting(actions, "merge", "one new episode of parts that follow one another row by row", run_merge)
    one.add_argument("episodes", nargs="+", metavar="EPISODE")


def _add_copy(actions: Any) -> None:
    one = _action(actions, "copy", "to another place, read back and compared", run_copy)
    one.add_argument("destination", metavar="DEST", help="folder, sftp://…, s3://… or another fsspec URL")
    _several(one)
    one.add_argument("--takes", action="store_true", help="copy the takes (.mcap), too")
    one.add_argument(
        "--delete-source", action="store_true", help="move to trash/ what was read back there (implies --takes)"
    )
    one.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="for fsspec's file system")
    one.add_argument("--dry-run", action="store_true", help="only say how much it would be")


def _action(actions: Any, name: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
    parser.add_argument("-C", "--folder", type=Path, help="the library (default: $BOOTH_LIBRARY, else here)")
    parser.add_argument("--index", type=Path, metavar="FILE", help="index file (default: in the library)")
    parser.add_argument("--no-refresh", action="store_true", help="believe the index, don't look at the files")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)
    return parser


def _filters(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    group = parser.add_argument_group("filters (all must hold; texts take * and ?)")
    for name in ("task", "operator", "booth", "robot"):
        group.add_argument(f"--{name}", metavar="TEXT")
    group.add_argument("--verdict", action="append", default=[], metavar="WORD", help="ok, degraded, failed")
    group.add_argument("--since", metavar="TIME", help="2026-11-20 or 2026-11-20T14:30")
    group.add_argument("--until", metavar="TIME", help="a date means the end of that day")
    group.add_argument("--tag", action="append", default=[], metavar="TAG")
    group.add_argument("--success", choices=("yes", "no"))
    group.add_argument("--min-length", type=float, metavar="S")
    group.add_argument("--where", metavar="SQL", help='condition over the columns, such as "rows > 300 AND sim = 0"')
    return parser


def _several(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Episodes by name, or by filters."""
    parser.add_argument("episodes", nargs="*", metavar="EPISODE", help="path, file name or episode id; or filters")
    parser.add_argument("--all", action="store_true", help="all episodes")
    return _filters(parser)


def _saying(actions: Any, name: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser = _several(_action(actions, name, text, run))
    parser.add_argument("--undo", action="store_true", help="take the last change back, whatever it was")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be said")
    return parser


def _cutting(actions: Any, name: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser = _action(actions, name, text, run)
    parser.add_argument("--trash-source", action="store_true", help="move what was cut to trash/ afterwards")
    parser.add_argument("--dry-run", action="store_true", help="only say which rows")
    return parser
