# SPDX-License-Identifier: Apache-2.0
"""Who may open the page: a token that is printed as an address, a cookie made of it, and checks of Host and Origin."""

import hmac
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from graph.errors import InputError

COOKIE = "booth_page"
LEAST_TOKEN = 16
DEFAULT_PORT = 8080
EVERYWHERE = {"0.0.0.0", "::", "*"}


class AddressError(InputError):
    """An address that the page can't be served at. Scenarios: a port that is no number, a missing host."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the page is served.

    Attributes:
        host: a name or an IP address of this machine; 0.0.0.0 is all of them.
        port: 1 to 65535; 0: any that is free.
    """

    host: str
    port: int

    @property
    def local(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def url(self, path: str = "/") -> str:
        """What to type into a browser; with all interfaces, by an address that other machines can reach."""
        host = reachable_address() if self.host in EVERYWHERE else self.host
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}{path}"


def parse_address(text: str) -> Address:
    """``HOST:PORT``, ``HOST`` or ``:PORT``; without a host this machine only.

    Raises:
        AddressError: anything else.
    """
    split = urlsplit(f"//{text}")
    try:
        port = split.port
    except ValueError as error:
        raise AddressError(f"the page's address should be HOST:PORT, such as 0.0.0.0:8080, found {text!r}") from error
    if split.path or split.query or split.username or any(character.isspace() for character in text):
        raise AddressError(f"the page's address should be HOST:PORT, such as 0.0.0.0:8080, found {text!r}")
    return Address(split.hostname or "127.0.0.1", DEFAULT_PORT if port is None else port)


@dataclass(frozen=True)
class Access:
    """What a request must show.

    Attributes:
        token: the secret in the printed address.
        address: where the page is served.
    """

    token: str
    address: Address

    @cached_property
    def cookie(self) -> str:
        """What the browser keeps instead of the token."""
        return sha256(b"humanoid_booth page\0" + self.token.encode()).hexdigest()

    def opens(self, token: str) -> bool:
        """Whether somebody knows the token."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def knows(self, cookies: Mapping[str, str]) -> bool:
        """Whether a browser was let in before."""
        return hmac.compare_digest(cookies.get(COOKIE, "").encode(), self.cookie.encode())

    def host_allowed(self, host: str) -> bool:
        """Whether a request was meant for this machine.

        A page of somebody else can let its own name lead here (DNS rebinding), but not an IP address or our names.
        """
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        try:
            ip_address(name)
        except ValueError:
            own = socket.gethostname().lower()
            return name in {"localhost", own, f"{own}.local", self.address.host.lower()}
        return True

    def origin_allowed(self, origin: str, host: str) -> bool:
        """Whether a script that asks was loaded from this server."""
        return urlsplit(origin).netloc.lower() == host.lower() and bool(host)


def token_path(environ: Mapping[str, str] | None = None) -> Path:
    """Where this user's token is kept, so that a bookmark on a tablet works tomorrow."""
    variables = os.environ if environ is None else environ
    home = variables.get("XDG_DATA_HOME") or str(Path(variables.get("HOME", "~")).expanduser() / ".local" / "share")
    return Path(home) / "humanoid_booth" / "page.token"


def load_token(path: Path) -> str:
    """The kept token; a new one where there is none.

    Raises:
        InputError: the file can't be read or written, or others may read it.
    """
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return new_token(path)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the page's token in {path} can't be read ({error}): delete that file") from error
    if len(text) < LEAST_TOKEN:
        raise InputError(f"{path} should hold a token of {LEAST_TOKEN} letters or more: delete it, a new one is made")
    if path.stat().st_mode & 0o077:
        raise InputError(f"others on this machine may read {path}: chmod 600 it, or delete it for a new token")
    return text


def new_token(path: Path) -> str:
    """Make a token that locks out everybody who knows the old one.

    Raises:
        InputError: the file can't be written.
    """
    token = secrets.token_urlsafe(18)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = path.with_suffix(".part")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token + "\n")
        partial.replace(path)
    except OSError as error:
        raise InputError(f"the page's token can't be kept in {path}: {error.strerror}") from error
    return token


def reachable_address() -> str:
    """An IP address of this machine that others can reach, as far as its routes tell; else the loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: RFC 5737's documentation network only picks a route
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
