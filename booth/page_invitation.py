# SPDX-License-Identifier: Apache-2.0
"""How a browser finds the operator's page: its address with the token, and the same as a QR code."""

import io
from importlib.util import find_spec

from booth.output import say
from booth.page.access import load_token, parse_address, token_path

DEFAULT_PAGE = "127.0.0.1:8080"
OFF = "off"
NEEDS = ("aiohttp", "segno")


def page_wanted(text: str) -> str:
    """The page's address as the graph takes it, empty for none: it was turned off, or its libraries are missing.

    Raises:
        AddressError: no address.
    """
    if text == OFF:
        return ""
    parse_address(text)
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        say(f"booth: no page for the operator: {', '.join(missing)} not found; pip install 'humanoid_booth[page]'")
        return ""
    return text


def page_url(text: str) -> str:
    """The address with the token: whoever has it may come in.

    Raises:
        InputError: no address, or the token's file can't be used.
    """
    return parse_address(text).url(f"/?token={load_token(token_path())}")


def qr_code(url: str) -> str:
    """A QR code in characters, for a terminal."""
    import segno

    drawn = io.StringIO()
    segno.make(url, error="l").terminal(out=drawn, compact=True, border=2)
    return drawn.getvalue().rstrip("\n")


def invite(text: str) -> None:
    """Tell where the page is; with a QR code where a tablet could reach it."""
    url = page_url(text)
    say(f"[booth] the operator's page: {url}")
    if not parse_address(text).local:
        say("[booth] whoever has this address can come in; for a tablet:")
        say(qr_code(url))
