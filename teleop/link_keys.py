# SPDX-License-Identifier: Apache-2.0
"""CURVE key pairs of robots and operators, as small text files under ``$XDG_CONFIG_HOME/humanoid_booth/keys``.

``NAME.key`` holds the pair and is readable by its owner only (0600); ``NAME.pub`` holds the public key, to be
carried to the other side. Keys are written as 64 hexadecimal digits: CURVE's own Z85 is full of characters that a shell
eats.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import zmq
from zmq.utils import z85

from graph.errors import InputError

NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
HEX_PATTERN = re.compile(r"[0-9a-f]{64}")
MOST_BYTES = 64 * 1024
ROBOT = "robot"
"""The key pair that the robot's end uses unless another is named."""


class KeyFileError(InputError):
    """A key that can't be used. Scenarios: no such key, a damaged file, one that others may read, a bad name."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """32 bytes each; the secret one never shows in a log."""

    name: str
    public: bytes
    secret: bytes = field(repr=False)


def keys_directory() -> Path:
    """Where keys live; made when the first is."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "humanoid_booth" / "keys"


def checked_name(name: str) -> str:
    """The name of a key.

    Raises:
        KeyFileError: it is none.
    """
    if not NAME_PATTERN.fullmatch(name):
        raise KeyFileError(f"{name!r} is no name for a key: expected up to 32 letters, digits, dots, dashes")
    return name


def new_key(name: str) -> KeyPair:
    """Draw a key pair and keep it.

    Raises:
        KeyFileError: there is one of this name.
    """
    directory = keys_directory()
    path = directory / f"{checked_name(name)}.key"
    public, secret = (z85.decode(part) for part in zmq.curve_keypair())
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise KeyFileError(
            f"there is a key {name} already, {path}: choose another name, or delete it on purpose"
        ) from error
    with os.fdopen(handle, "w", newline="\n") as file:
        file.write(f"humanoid_booth key 1\npublic {public.hex()}\nsecret {secret.hex()}\n")
    path.with_suffix(".pub").write_text(f"{name} {public.hex()}\n", newline="\n")
    return KeyPair(name, public, secret)


def load_key(name: str) -> KeyPair:
    """A key pair of this computer.

    Raises:
        KeyFileError: it is missing, damaged, or others may read it.
    """
    path = keys_directory() / f"{checked_name(name)}.key"
    if not path.is_file():
        known = ", ".join(key_names()) or "none"
        raise KeyFileError(f"no key {name} at {path}; keys found: {known}. Make one with `booth keys new {name}`")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise KeyFileError(f"others may read {path}: `chmod 600 {path}`; if somebody did, make a new key")
    found = re.fullmatch(
        r"humanoid_booth key 1\npublic ([0-9a-f]{64})\nsecret ([0-9a-f]{64})\n", small_text(path, "a key")
    )
    if found is None:
        raise KeyFileError(f"{path} is no key of this program: delete it and make a new one with `booth keys new`")
    public, secret = (bytes.fromhex(part) for part in found.groups())
    if z85.decode(zmq.curve_public(z85.encode(secret))) != public:
        raise KeyFileError(f"{path} holds a public key that is not its secret's: delete it and make a new one")
    return KeyPair(name, public, secret)


def key_names() -> list[str]:
    """Key pairs of this computer."""
    return sorted(path.stem for path in keys_directory().glob("*.key"))


def public_key(text: str) -> bytes:
    """A public key from 64 hexadecimal digits, or from the .pub file at that path.

    Raises:
        KeyFileError: it is neither.
    """
    if HEX_PATTERN.fullmatch(text):
        return bytes.fromhex(text)
    path = Path(text)
    if not path.is_file():
        raise KeyFileError(f"{text} is no public key: expected 64 hexadecimal digits, or the path of a .pub file")
    words = small_text(path, "a public key").split()
    if len(words) != 2 or not HEX_PATTERN.fullmatch(words[1]):
        raise KeyFileError(f"{path} is no public key: expected a name and 64 hexadecimal digits, as in NAME.pub")
    return bytes.fromhex(words[1])


def small_text(path: Path, what: str) -> str:
    """The text of a file that is small by nature.

    Raises:
        KeyFileError: it can't be read, is longer than one, or no text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise KeyFileError(f"{path} is too long for {what}")
        return data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path} can't be read as {what}: {error}") from error
