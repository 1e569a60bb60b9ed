# SPDX-License-Identifier: Apache-2.0
"""`booth library` commands that change: label, tag, note, success, delete, restore, trim, split, merge."""

import argparse
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

from booth.library_common import chosen, open_library, refresh, to_trash
from booth.output import result, result_json, say, table
from graph.errors import EXIT_OK
from recorder.episode import Episode
from recorder.library_cut import Cut, engaged_rows, marked_rows, merge, rows_between, split, trim
from recorder.library_errors import LibraryError
from recorder.library_files import group_of
from recorder.library_index import LibraryIndex
from recorder.library_labels import Labels, read_labels, undo_labels, write_labels
from recorder.library_query import find
from recorder.library_trash import find_trashed, list_trash, restore


def run_label(args: argparse.Namespace) -> int:
    """Set or clear NAME=TEXT labels."""
    wanted: dict[str, str] = {}
    for item in args.set:
        name, separator, text = item.partition("=")
        if not separator or not name.strip():
            raise LibraryError(f"a label is written name=text, or name= to clear it; found {item!r}")
        wanted[name.strip()] = text.strip()

    def change(said: Labels) -> Labels:
        merged = {**said.labels, **wanted}
        return replace(said, labels={name: text for name, text in merged.items() if text})

    return _say(args, change)


def run_tag(args: argparse.Namespace) -> int:
    """Add and remove tags."""
    for tag in (*args.add, *args.remove):
        if not tag.strip() or tag != tag.strip():
            raise LibraryError(f"a tag is a word, found {tag!r}")
    return _say(args, lambda said: replace(said, tags=tuple(sorted({*said.tags, *args.add} - {*args.remove}))))


def run_note(args: argparse.Namespace) -> int:
    """Set the note."""
    return _say(args, lambda said: replace(said, notes=args.text))


def run_success(args: argparse.Namespace) -> int:
    """Say whether the task was done."""
    answer = {"yes": True, "no": False, "unknown": None}[args.answer]
    return _say(args, lambda said: replace(said, success=answer))


def _say(args: argparse.Namespace, change: Callable[[Labels], Labels]) -> int:
    """Change what is said about the chosen episodes, or take the last change back."""
    given = [getattr(args, name, None) for name in ("set", "add", "remove", "answer", "text")]
    if not args.undo and all(value in (None, []) for value in given):
        raise LibraryError(f"nothing to say: booth library {args.action} --help shows how")
    told = {}
    with open_library(args) as index:
        for row in chosen(args, index):
            path = index.folder / row["path"]
            before = read_labels(path)
            after = undo_labels(path, apply=not args.dry_run) if args.undo else change(before)
            if not args.undo and not args.dry_run and after != before:
                write_labels(path, after)
            told[row["path"]] = after.to_json()
        if not args.dry_run:
            refresh(index, hashes=False)
    verb = "would say" if args.dry_run else "says"
    if args.json:
        result_json({"dry_run": args.dry_run, "episodes": told})
    else:
        for path, said in told.items():
            words = [f"{name} {value}" for name, value in said.items() if value not in ("", [], {}, None)]
            result(f"{path} {verb}: {', '.join(words) or 'nothing'}")
    return EXIT_OK


def run_delete(args: argparse.Namespace) -> int:
    """Move episodes to the trash; without --apply only say which."""
    with open_library(args) as index:
        rows = chosen(args, index)
        files = {row["path"]: [path.name for path in group_of(index.folder / row["path"])] for row in rows}
        if args.apply:
            to_trash(index, rows, args.reason)
            refresh(index, hashes=False)
    if args.json:
        result_json({"applied": args.apply, "deleted": files})
        return EXIT_OK
    verb = "moved to trash" if args.apply else "would move to trash"
    result("\n".join(f"{verb}: {path}  ({', '.join(names)})" for path, names in files.items()))
    say("booth: undo with booth library restore NAME" if args.apply else "booth: nothing was changed: add --apply")
    return EXIT_OK


def run_restore(args: argparse.Namespace) -> int:
    """Move deleted episodes back, or list the trash."""
    with open_library(args) as index:
        if args.list or not args.names:
            found = list_trash(index.folder)
            if args.json:
                result_json(
                    {"trash": [{"name": item.stem, "reason": item.reason, "when": item.when} for item in found]}
                )
            else:
                result(table([(item.stem, item.when[:19], item.reason) for item in found], ("name", "deleted", "why")))
            return EXIT_OK
        back = [path for name in args.names for path in restore(find_trashed(index.folder, name))]
        refresh(index, hashes=False)
    if args.json:
        result_json({"restored": [str(path) for path in back]})
    else:
        result("\n".join(f"restored {path}" for path in back))
    return EXIT_OK


def run_trim(args: argparse.Namespace) -> int:
    """A new episode of some of the rows."""
    with open_library(args) as index:
        path = _one(index, args.episode)
        with Episode.open(path) as episode:
            start, stop = _rows(args, episode)
        if args.dry_run:
            return _dry(args, [(start, stop)])
        return _made(args, index, [trim(path, start, stop)], [path], "trimmed")


def run_split(args: argparse.Namespace) -> int:
    """New episodes, cut at rows, seconds, or marks."""
    with open_library(args) as index:
        path = _one(index, args.episode)
        with Episode.open(path) as episode:
            at = list(args.rows or [])
            at += [rows_between(episode, second, None)[0] for second in args.seconds or []]
            if not at:
                at = marked_rows(episode, args.marks)
                if not at:
                    raise LibraryError(
                        f"no event of {path.name} fits {args.marks!r}: name rows with --rows, or a pattern with --marks"
                    )
            edges = [0, *sorted(set(at)), episode.rows]
        if args.dry_run:
            return _dry(args, list(pairwise(edges)))
        return _made(args, index, split(path, at), [path], "split")


def run_merge(args: argparse.Namespace) -> int:
    """One new episode of parts that follow one another."""
    with open_library(args) as index:
        paths = [index.folder / row["path"] for row in find(index, args.episodes)]
        if args.dry_run:
            return _dry(args, [])
        return _made(args, index, [merge(paths)], paths, "merged")


def _one(index: LibraryIndex, name: str) -> Path:
    (row,) = find(index, [name])
    return index.folder / str(row["path"])


def _rows(args: argparse.Namespace, episode: Episode) -> tuple[int, int]:
    if args.engaged:
        return engaged_rows(episode)
    if args.rows is not None:
        first, _, behind = args.rows.partition(":")
        try:
            return int(first or 0), int(behind or episode.rows)
        except ValueError as error:
            raise LibraryError(f"rows are written FIRST:BEHIND, such as 30:450; found {args.rows!r}") from error
    if args.from_s is None and args.to_s is None:
        raise LibraryError("which rows stay? Give --rows FIRST:BEHIND, --from and --to in seconds, or --engaged")
    return rows_between(episode, args.from_s, args.to_s)


def _dry(args: argparse.Namespace, pieces: list[tuple[int, int]]) -> int:
    if args.json:
        result_json({"dry_run": True, "rows": pieces})
    else:
        result("\n".join(f"would make rows {start}:{stop}" for start, stop in pieces) or "would merge them")
    return EXIT_OK


def _made(args: argparse.Namespace, index: LibraryIndex, cuts: list[Cut], sources: list[Path], verb: str) -> int:
    """Tell of the new episodes; move their sources to the trash where that was asked for."""
    refresh(index, hashes=False)
    if args.trash_source:
        rows = [{"path": str(path.relative_to(index.folder))} for path in sources]
        to_trash(index, rows, f"{verb} into {', '.join(cut.path.name for cut in cuts)}")
        refresh(index, hashes=False)
    if args.json:
        made = [{**asdict(cut), "path": str(cut.path)} for cut in cuts]
        result_json({"made": made, "sources": [str(path) for path in sources], "trashed": args.trash_source})
        return EXIT_OK
    for cut in cuts:
        result(f"{cut.path}: {cut.rows} rows, {cut.length_s:.1f} s, check: {cut.verdict}")
    where = "in the trash (booth library restore brings it back)" if args.trash_source else "as it was"
    say(f"booth: {', '.join(path.name for path in sources)} is {where}")
    return EXIT_OK
