# SPDX-License-Identifier: Apache-2.0
"""`booth library` commands that look: index, query, show, duplicates, stats, verify, train-val."""

import argparse
import json
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

from booth.library_common import byte_bar, chosen, filters_of, open_library, plain, refresh, warn_bad
from booth.library_plot import plot_shifts
from booth.output import result, result_json, say, table
from graph.errors import EXIT_FAILED, EXIT_OK
from recorder.library_errors import LibraryError
from recorder.library_query import discarded_takes, find, select
from recorder.library_scan import Row, is_good
from recorder.library_stats import attempts, shifts
from recorder.library_trainval import divide, manifest
from recorder.library_verify import DAMAGED, OK, UNKNOWN, verify_episode


def run_index(args: argparse.Namespace) -> int:
    """Read what is new, hash it, and say what was found."""
    args.no_refresh = True
    with open_library(args) as index:
        changes = refresh(index, hashes=not args.quick)
        bad = index.rows("SELECT path, problem FROM files WHERE problem != '' ORDER BY path")
        (counts,) = index.rows(
            "SELECT count(*) AS episodes, count(DISTINCT session) AS sessions, total(length_s) AS seconds FROM episodes"
        )
    if args.json:
        result_json({**asdict(changes), **counts, "index": str(index.path), "bad_files": bad})
        return EXIT_OK
    if args.bad:
        result("\n".join(f"{row['path']}: {row['problem']}" for row in bad) or "every file is an episode")
    else:
        warn_bad(changes)
    result(
        f"{counts['episodes']} episodes in {counts['sessions']} sessions, {counts['seconds'] / 3600:.2f} h;"
        f" read {changes.read}, forgot {changes.removed}, no episodes: {changes.bad}"
    )
    return EXIT_OK


def run_query(args: argparse.Namespace) -> int:
    """List the episodes that pass the filters."""
    with open_library(args) as index:
        rows = select(index, filters_of(args), "-" * args.reverse + args.order, args.limit)
    if args.json:
        result_json({"count": len(rows), "episodes": [_loaded(row) for row in rows]})
        return EXIT_OK
    if args.paths:
        result("\n".join(str(index.folder / row["path"]) for row in rows))
        return EXIT_OK
    lines = [
        (
            row["path"],
            row["created"][:16],
            row["task"],
            row["operator"],
            row["booth"],
            f"{row['length_s']:.1f}",
            row["verdict"] + "".join(f" {code}" for code in json.loads(row["findings"])),
            {None: "", 0: "no", 1: "yes"}[row["success"]],
            " ".join(json.loads(row["tags"])),
        )
        for row in rows
    ]
    header = ("episode", "created (UTC)", "task", "operator", "booth", "s", "verdict", "success", "tags")
    result(table(lines, header))
    result(f"{len(rows)} episodes, {sum(row['length_s'] for row in rows) / 60:.1f} min")
    return EXIT_OK


def run_show(args: argparse.Namespace) -> int:
    """Everything the library knows of one episode."""
    with open_library(args) as index:
        (row,) = find(index, [args.episode])
        cuts = index.rows("SELECT path FROM episodes WHERE derived_from LIKE ?", (f"%{row['episode_id']}%",))
    shown = {**_loaded(row), "cuts": [cut["path"] for cut in cuts]}
    if args.json:
        result_json(shown)
    else:
        result("\n".join(f"{name:16} {value}" for name, value in shown.items() if value not in (None, "", [], {})))
    return EXIT_OK


def run_duplicates(args: argparse.Namespace) -> int:
    """Episodes that hold the same data, oldest file first in each group."""
    groups: dict[str, list[Row]] = defaultdict(list)
    with open_library(args, hashes=True) as index:
        repeated = "SELECT content_sha256 FROM episodes GROUP BY content_sha256 HAVING count(*) > 1"
        sql = f"SELECT * FROM episodes WHERE content_sha256 IN ({repeated}) ORDER BY created_s, derived_from, mtime_ns"
        for row in index.rows(sql):
            groups[row["content_sha256"]].append(row)
    if args.json:
        listed = [{"content_sha256": key, "paths": [row["path"] for row in rows]} for key, rows in groups.items()]
        result_json({"groups": listed, "superfluous": sum(len(rows) - 1 for rows in groups.values())})
        return EXIT_OK
    for rows in groups.values():
        result("\n".join([rows[0]["path"], *(f"  again: {row['path']}" for row in rows[1:])]))
    result(f"{sum(len(rows) - 1 for rows in groups.values())} superfluous copies of {len(groups)} episodes")
    return EXIT_OK


def run_stats(args: argparse.Namespace) -> int:
    """Good takes per hour, redo rate, idle time."""
    with open_library(args) as index:
        rows = select(index, filters_of(args))
        thrown = discarded_takes(index, filters_of(args))
    found = shifts(attempts(rows, thrown), args.by)
    if args.plot:
        plot_shifts(found, args.by, args.plot)
        say(f"booth: drew {args.plot}")
    if args.json:
        picture = str(args.plot) if args.plot else None
        result_json({"by": args.by, "shifts": [asdict(shift) for shift in found], "picture": picture})
        return EXIT_OK
    lines = [
        (
            shift.name,
            shift.takes,
            shift.good,
            shift.discarded,
            f"{shift.recorded_s / 60:.1f}",
            f"{shift.worked_s / 60:.1f}",
            f"{shift.good_per_hour:.1f}",
            f"{shift.redo_share:.0%}",
            f"{shift.idle_share:.0%}",
        )
        for shift in found
    ]
    header = (args.by, "takes", "good", "discarded", "recorded min", "worked min", "good per hour", "redone", "idle")
    result(table(lines, header))
    return EXIT_OK


def run_verify(args: argparse.Namespace) -> int:
    """Read everything again; exit code 1 when anything does not fit its hash."""
    with open_library(args) as index:
        rows = chosen(args, index, everything=True)
        bad = index.rows("SELECT path, problem FROM files WHERE problem != ''") if not args.episodes else []
    advance, bar = byte_bar("verifying", sum(row["size"] for row in rows))
    checked = [verify_episode(index.folder, row, args.copies, advance) for row in rows]
    bar.done()
    counts = {state: sum(one.state == state for one in checked) for state in (OK, DAMAGED, UNKNOWN)}
    damaged = [one for one in checked if one.state == DAMAGED]
    if args.json:
        result_json({**counts, "bad_files": bad, "problems": {one.path: one.problems for one in damaged}})
    else:
        for one in damaged:
            result("\n".join(f"{one.path}: {problem}" for problem in one.problems))
        for row in bad:
            result(f"{row['path']}: no episode: {row['problem']}")
        result(f"{counts[OK]} as noted, {counts[DAMAGED]} damaged, {counts[UNKNOWN]} without a note to compare with")
        if counts[UNKNOWN]:
            say("booth: booth library index notes the hashes of all episodes")
    return EXIT_FAILED if damaged or bad else EXIT_OK


def run_train_val(args: argparse.Namespace) -> int:
    """Divide the good episodes into training and validation."""
    if args.out and args.out.exists():
        raise LibraryError(f"{args.out} is there already and is not replaced: name another file, or move it away")
    with open_library(args, hashes=True) as index:
        everything = index.rows()
        candidates = {row["path"] for row in select(index, filters_of(args))}
    rows = [row for row in everything if row["path"] in candidates and (args.bad_too or is_good(row))]
    division = divide(rows, everything, args.val, args.seed)
    values = manifest(division, args.val, args.seed)
    if args.out:
        _write_new(args.out, values)
    if args.json:
        result_json(values if not args.out else {**values, "file": str(args.out)})
        return EXIT_OK
    lines = [(task or "(none)", count["train"], count["val"]) for task, count in values["tasks"].items()]
    result(table([*lines, ("all", len(division.train), len(division.val))], ("task", "train", "val")))
    for warning in division.warnings:
        say(f"booth: {warning}")
    result(
        f"{division.groups} groups of sessions, none on both sides; {args.out or 'name a file with --out to keep this'}"
    )
    return EXIT_OK


def _write_new(path: Path, values: dict[str, Any]) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            json.dump(values, file, indent=1, ensure_ascii=False)
            file.write("\n")
    except OSError as error:
        raise LibraryError(f"can't write {path}: {error.strerror}") from error


def _loaded(row: Row) -> dict[str, Any]:
    """A row whose JSON columns are values."""
    columns = ("tags", "labels", "findings", "cameras", "derived_from")
    return {name: json.loads(value) if name in columns else value for name, value in plain(row).items()}
