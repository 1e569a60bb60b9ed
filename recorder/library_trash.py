# SPDX-License-Identifier: Apache-2.0
"""Delete is a move to ``trash/`` beside the episode, with a record of where everything was; restore moves it back."""

import json
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from recorder.library_errors import LibraryError
from recorder.library_files import TRASH_RECORD_SUFFIX, group_of, now_iso, stem_of, trash_folders, write_json
from recorder.publish import sync_directory
from recorder.recover import TRASH

SCHEMA = "humanoid_booth/trash"


@dataclass(frozen=True, slots=True)
class Trashed:
    """One episode in the trash.

    Attributes:
        record: the JSON file that tells of it.
        names: name in the trash to name before, of each file.
        reason: why, in words.
        when: ISO 8601.
    """

    record: Path
    names: dict[str, str]
    reason: str
    when: str

    @property
    def stem(self) -> str:
        """Its name in the trash."""
        return self.record.name.removesuffix(TRASH_RECORD_SUFFIX)

    @property
    def home(self) -> Path:
        """The folder it came from."""
        return self.record.parent.parent


def move_to_trash(episode: Path, reason: str) -> Trashed:
    """Move an episode and all that goes with it: its take, too, or the recorder would make the episode again.

    The record is written first, so that a move that was cut short can be taken back as well.

    Raises:
        LibraryError: there is no such episode, or the disk refuses.
    """
    files = group_of(episode)
    if episode not in files:
        raise LibraryError(f"no episode at {episode}: expected a .h5 file")
    folder = episode.parent / TRASH
    stem = stem_of(episode)
    try:
        folder.mkdir(exist_ok=True)
        free = _free_stem(folder, stem)
        names = {free + file.name.removeprefix(stem): file.name for file in files}
        record = folder / f"{free}{TRASH_RECORD_SUFFIX}"
        trashed = Trashed(record, names, reason, now_iso())
        write_json(record, {"schema": SCHEMA, "names": names, "reason": reason, "when": trashed.when})
        for there, here in names.items():
            (episode.parent / here).rename(folder / there)
        sync_directory(folder)
        sync_directory(episode.parent)
    except OSError as error:
        raise LibraryError(f"can't move {episode.name} to {folder}: {error}. Is the folder writable?") from error
    return trashed


def restore(trashed: Trashed) -> list[Path]:
    """Move everything of a deleted episode back; returns the paths.

    Raises:
        LibraryError: something of that name is there again, or the disk refuses. Nothing was moved then.
    """
    moves = [(trashed.record.parent / there, trashed.home / here) for there, here in trashed.names.items()]
    moves = [(there, here) for there, here in moves if there.exists()]
    taken = [here.name for _, here in moves if here.exists()]
    if taken:
        raise LibraryError(f"{', '.join(taken)} is in {trashed.home} again: move it away to restore the older one")
    try:
        for there, here in moves:
            there.rename(here)
        trashed.record.unlink()
        sync_directory(trashed.home)
    except OSError as error:
        raise LibraryError(f"can't restore {trashed.stem}: {error}") from error
    return [here for _, here in moves]


def list_trash(folder: Path) -> list[Trashed]:
    """Everything below a folder that was deleted with a record, by name; what the recorder discarded has none."""
    found = []
    for place in trash_folders(folder):
        for record in sorted(place.glob(f"*{TRASH_RECORD_SUFFIX}")):
            try:
                values = json.loads(record.read_text(encoding="utf-8"))
                names = {str(there): str(here) for there, here in values["names"].items()}
                found.append(Trashed(record, names, str(values["reason"]), str(values["when"])))
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                raise LibraryError(f"{record} is unusable ({error}): move its files back by hand") from error
    return found


def find_trashed(folder: Path, name: str) -> Trashed:
    """The deleted episode of a name; of several the one that was deleted last.

    Raises:
        LibraryError: there is none.
    """
    wanted = stem_of(Path(name))
    fits = [item for item in list_trash(folder) if wanted == item.stem or f"{wanted}.h5" in item.names.values()]
    if not fits:
        raise LibraryError(f"{name} is not in the trash of {folder}: booth library restore --list shows what is")
    return max(fits, key=lambda item: item.when)


def _free_stem(folder: Path, stem: str) -> str:
    """The stem, or the first of ``stem-2``, ``stem-3`` … none of whose files is there: nothing is overwritten."""
    number, free = 2, stem
    while any(folder.glob(f"{escape(free)}.*")):
        free = f"{stem}-{number}"
        number += 1
    return free
