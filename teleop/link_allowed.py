# SPDX-License-Identifier: Apache-2.0
"""The list of operators whose keys the robot lets in: ``NAME PUBLIC-KEY``, one a line, in the file ``allowed`` beside
the keys."""

import os
import tempfile
from pathlib import Path

from teleop.link_keys import HEX_PATTERN, KeyFileError, checked_name, keys_directory, small_text


def allowed_path() -> Path:
    """Where the list is."""
    return keys_directory() / "allowed"


def read_allowed(path: Path) -> dict[bytes, str]:
    """Public keys and their names; empty where there is no list.

    Raises:
        KeyFileError: a line is none of it, named by its number.
    """
    if not path.is_file():
        return {}
    allowed: dict[bytes, str] = {}
    for number, line in enumerate(small_text(path, "the list of allowed keys").splitlines(), 1):
        words = line.split()
        if not words:
            continue
        if len(words) != 2 or not HEX_PATTERN.fullmatch(words[1]):
            raise KeyFileError(f"{path}, line {number}: expected NAME and 64 hexadecimal digits, found {line!r}")
        allowed[bytes.fromhex(words[1])] = checked_name(words[0])
    return allowed


def allow(public: bytes, name: str) -> None:
    """Let an operator in; the newest name of a key counts.

    Raises:
        KeyFileError: the name is that of another key.
    """
    allowed = read_allowed(allowed_path())
    if any(known == checked_name(name) and key != public for key, known in allowed.items()):
        raise KeyFileError(f"{name} is allowed with another key: `booth keys revoke {name}` first")
    _write(allowed | {public: name})


def revoke(name: str) -> None:
    """Let an operator in no more; a running robot notices within a second.

    Raises:
        KeyFileError: nobody of this name is allowed.
    """
    allowed = read_allowed(allowed_path())
    if name not in allowed.values():
        raise KeyFileError(f"{name} is not allowed; allowed are: {', '.join(sorted(allowed.values())) or 'nobody'}")
    _write({key: known for key, known in allowed.items() if known != name})


def _write(allowed: dict[bytes, str]) -> None:
    path = allowed_path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, part = tempfile.mkstemp(dir=path.parent)  # 0600
    with os.fdopen(handle, "w") as file:
        file.writelines(f"{name} {key.hex()}\n" for key, name in sorted(allowed.items(), key=lambda item: item[1]))
    Path(part).replace(path)


class AllowedKeys:
    """The list as a running robot sees it: read again when the file has changed."""

    def __init__(self, path: Path) -> None:
        self._path, self._seen = path, (-1, -1)
        self._allowed: dict[bytes, str] = {}
        self.problem = ""

    def name(self, public: bytes) -> str:
        """Whose key this is; empty: nobody's who is allowed."""
        return self._allowed.get(public, "")

    def require(self) -> None:
        """Make sure that somebody is allowed.

        Raises:
            KeyFileError: nobody is, so a link would be of no use; or the list can't be read.
        """
        if not self.refresh():
            problem = self.problem or "no operator's key is allowed, so nobody could connect"
            raise KeyFileError(f"{problem}: allow one with `booth keys allow FILE NAME`")

    def refresh(self) -> int:
        """Look at the file; returns how many are allowed. A list that can't be read allows nobody, see ``problem``."""
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
        except FileNotFoundError:
            stamp = (0, 0)
        if stamp != self._seen:
            self._seen, self.problem = stamp, ""
            try:
                self._allowed = read_allowed(self._path)
            except KeyFileError as error:
                self._allowed, self.problem = {}, str(error)
        return len(self._allowed)
