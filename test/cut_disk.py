# SPDX-License-Identifier: Apache-2.0
"""A disk whose power is cut: remembers every write, fsync and rename, and shows what may be left after any of them.

What was fsynced is there. Of all else each page may be new, old, lost (zeros, or what lay there before), or torn at a
sector; the file may have any length in between; names that were made or changed since the last fsync of the directory
may be those of any moment since. Sectors of 512 bytes are written whole or not at all.
"""

import os
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

SECTOR, PAGE = 512, 4096


@dataclass(frozen=True)
class Act:
    """Something that was done.

    Attributes:
        kind: ``write`` (``content`` is the whole file then), ``sync``, ``name`` (the file is called so from now on),
            ``sync_names``, ``told`` (somebody was promised something).
        file: its inode.
    """

    kind: str
    file: int = 0
    content: bytes = b""
    name: str = ""
    promise: int = 0


class CutDisk:
    """Watches one directory. Files are numbered by inode."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        self.acts: list[Act] = []
        self._fsync, self._rename = os.fsync, Path.rename
        monkeypatch.setattr(os, "fsync", self._on_fsync)
        monkeypatch.setattr(Path, "rename", lambda old, new: self._on_rename(old, Path(new)))

    def wrote(self, path: Path) -> None:
        """A file was written to, or made."""
        file = path.stat().st_ino
        if all(act.file != file for act in self.acts):
            self.acts.append(Act("name", file, name=path.name))
        self.acts.append(Act("write", file, path.read_bytes()))

    def promised(self, promise: int) -> None:
        """So much was said to be safe."""
        self.acts.append(Act("told", promise=promise))

    def kinds(self) -> list[str]:
        """What was done, in order, without the writes."""
        return [act.kind for act in self.acts if act.kind not in ("write", "told")]

    def after(self, count: int, chance: random.Random, target: Path) -> int:
        """Write what is left when the power goes after so many acts; the greatest promise until then."""
        acts = self.acts[:count]
        names: dict[str, int] = {}
        pending: list[Act] = []
        kept: dict[int, bytes] = {}
        latest: dict[int, bytes] = {}
        for act in acts:
            if act.kind == "write":
                latest[act.file] = act.content
            elif act.kind == "sync":
                kept[act.file] = latest.get(act.file, b"")
            elif act.kind == "name":
                pending.append(act)
            elif act.kind == "sync_names":
                _rename_all(names, pending)
                pending = []
        _rename_all(names, pending[: chance.randint(0, len(pending))])
        for name, file in names.items():
            (target / name).write_bytes(torn(kept.get(file, b""), latest.get(file, b""), chance))
        return max((act.promise for act in acts if act.kind == "told"), default=-1)

    def _on_fsync(self, descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if path == self.directory:
            self.acts.append(Act("sync_names"))
        elif path.parent == self.directory:
            self.wrote(path)
            self.acts.append(Act("sync", path.stat().st_ino))
        self._fsync(descriptor)

    def _on_rename(self, old: Path, new: Path) -> Path:
        if old.parent == self.directory:
            self.wrote(old)
            self.acts.append(Act("name", old.stat().st_ino, name=new.name))
        return self._rename(old, new)


def _rename_all(names: dict[str, int], acts: list[Act]) -> None:
    for act in acts:
        for name in [name for name, file in names.items() if file == act.file]:
            del names[name]
        names[act.name] = act.file


def torn(kept: bytes, latest: bytes, chance: random.Random) -> bytes:
    """What may be left of a file that held ``kept`` when it was last fsynced and ``latest`` when the power went."""
    size = chance.choice([len(kept), len(latest), chance.randint(*sorted((len(kept), len(latest))))])
    left = bytearray()
    for page in range(0, size, PAGE):
        fate = chance.choice(["new", "new", "old", "zeros", "garbage", "torn"])
        for sector in range(page, min(page + PAGE, size), SECTOR):
            mine = chance.choice(["new", "old"]) if fate == "torn" else fate
            left += _sector(kept[sector : sector + SECTOR], latest[sector : sector + SECTOR], mine, chance)
    return bytes(left[:size])


def _sector(kept: bytes, latest: bytes, fate: str, chance: random.Random) -> bytes:
    """A sector that holds what was fsynced is never lost: it is as it was, or as it was to be."""
    if kept == latest:
        return latest.ljust(SECTOR, b"\0")
    if fate == "new":
        return latest.ljust(SECTOR, b"\0")
    if kept or fate == "old":
        return kept.ljust(SECTOR, b"\0")
    return bytes(SECTOR) if fate == "zeros" else chance.randbytes(SECTOR)
