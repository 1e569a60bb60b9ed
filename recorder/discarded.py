# SPDX-License-Identifier: Apache-2.0
"""A take in the trash that can come back: where its files were, and what the recorder said of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from recorder.errors import TakeError
from recorder.recover import TAKE_SUFFIX, TRASH, set_aside
from recorder.settings import State


@dataclass(frozen=True, slots=True)
class Discarded:
    """One discarded take.

    Attributes:
        moved: where each of its files was, to where it is now.
        state: what the recorder said of it before.
        closed: whether its file is closed.
    """

    moved: Mapping[Path, Path]
    state: State
    closed: Callable[[], bool]

    @classmethod
    def throw(cls, take: Path, state: State, closed: Callable[[], bool] = lambda: True) -> "Discarded":
        """Move a take, and its episode if there is one, to the trash."""
        return cls(set_aside(take, TRASH), state, closed)

    @property
    def take(self) -> Path:
        """Where the take was."""
        return next(path for path in self.moved if path.suffix == TAKE_SUFFIX)

    def come_back(self) -> bool:
        """Move everything back; whether the take has its episode already. Nothing is ever overwritten.

        Raises:
            TakeError: the take is still being closed, is gone, or something has its name.
        """
        name = self.take.stem
        if not self.closed():
            raise TakeError(f"{name} is still being closed: ask again in a moment")
        gone = [path.name for path in self.moved.values() if not path.exists()]
        if gone:
            raise TakeError(f"{', '.join(gone)} is not in {TRASH}/ any longer: {name} can't come back")
        taken = [path.name for path in self.moved if path.exists()]
        if taken:
            raise TakeError(f"{', '.join(taken)} is there again: move it away, then {name} can come back")
        try:
            for home, there in self.moved.items():
                there.rename(home)
        except OSError as error:
            raise TakeError(f"{name} can't come back ({error.strerror}): is the directory writable?") from error
        return len(self.moved) > 1
