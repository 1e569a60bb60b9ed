# SPDX-License-Identifier: Apache-2.0
"""Takes that have no episode get one, whether they ended a moment ago or in last week's power cut.

Also a program: ``python -m recorder.recover TAKE.mcap`` does this for one take at low priority and writes one line of
JSON to standard output, so that the recorder node leaves the work to another process. Without an argument it gets ready
and waits for the path, as a line of JSON on standard input.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from recorder.errors import EpisodeError, TakeError, TakeInUseError
from recorder.finalise import Finalised, episode_path, finalise
from recorder.messages import typestore

TAKE_SUFFIX = ".mcap"
BACKGROUND_NICENESS = 10
"""Behind all that moves and records; further back it would starve, and its verdict with it."""

UNUSABLE = "unusable"
TRASH = "trash"


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of one leftover take: an episode, or a reason why not."""

    take: Path
    episode: Finalised | None
    reason: str


def leftover_takes(directory: Path) -> list[Path]:
    """Takes without an episode, oldest first (names sort by time)."""
    return sorted(take for take in directory.glob(f"*{TAKE_SUFFIX}") if not episode_path(take).exists())


def recover(directory: Path) -> list[Recovery]:
    """Finalise every leftover take of a directory, oldest first."""
    return [recover_take(take) for take in leftover_takes(directory)]


def recover_take(take: Path) -> Recovery:
    """Finalise one take, whole or torn.

    A take that another recorder still writes is left alone. One that holds nothing usable moves to ``unusable/``, so
    that it is not tried again at every start; nothing is ever deleted.
    """
    try:
        return Recovery(take, finalise(take), "")
    except (TakeInUseError, EpisodeError) as error:  # to be tried again
        return Recovery(take, None, str(error))
    except TakeError as error:
        set_aside(take, UNUSABLE)
        return Recovery(take, None, str(error))


def set_aside(take: Path, folder: str) -> dict[Path, Path]:
    """Move a take, and its episode if there is one, to a folder beside it; returns from where to where."""
    target = take.parent / folder
    target.mkdir(exist_ok=True)
    moved = {path: _free_name(target / path.name) for path in (take, episode_path(take)) if path.exists()}
    for path, there in moved.items():
        path.rename(there)
    return moved


def _free_name(path: Path) -> Path:
    """The path, or the first of ``name-2``, ``name-3`` … that is free: a file in the trash is not overwritten."""
    number, free = 2, path
    while free.exists():
        free = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return free


def main(arguments: list[str]) -> int:
    """Finalise one take; exit code 0, or 1 with the reason in the JSON line."""
    os.nice(max(0, BACKGROUND_NICENESS - os.nice(0)))  # whoever started it may be nice already
    take = Path(arguments[0]) if arguments else _awaited_take()
    if take is None:
        return 0
    result = recover_take(take)
    facts: dict[str, object] = {"reason": result.reason}
    if result.episode is not None:
        facts = {
            "episode": str(result.episode.path),
            "rows": result.episode.rows,
            "dropped_rows": result.episode.dropped_rows,
            "verdict": result.episode.report.verdict.value,
            "findings": ", ".join(dict.fromkeys(found.code for found in result.episode.report.reasons)),
        }
    sys.stdout.write(json.dumps(facts) + "\n")
    return 1 if result.episode is None else 0


def _awaited_take() -> Path | None:
    """None when whoever would have named one is gone."""
    typestore()
    line = sys.stdin.readline()
    return Path(json.loads(line)) if line else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
