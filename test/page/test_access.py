# SPDX-License-Identifier: Apache-2.0
"""Who may come in: tokens, cookies, names of this machine, scripts of other sites."""

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booth.page.access import Access, Address, AddressError, load_token, new_token, parse_address, token_path
from graph.errors import InputError

HOME = Access("a-token-of-the-booth", Address("127.0.0.1", 8080))


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("0.0.0.0:9", "0.0.0.0", 9),
        (":9000", "127.0.0.1", 9000),
        ("robot.local", "robot.local", 8080),
        ("[::1]:81", "::1", 81),
    ],
)
def test_an_address_is_host_and_port(text: str, host: str, port: int) -> None:
    assert parse_address(text) == Address(host, port)


@pytest.mark.parametrize("text", ["a:b", "host:99999", "host:1/path", "a b:1", "user@host:1", "host:-1"])
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(AddressError, match="HOST:PORT"):
        parse_address(text)


@pytest.mark.parametrize(
    ("host", "local"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False)]
)
def test_only_loopback_is_local(host: str, local: bool) -> None:
    assert Address(host, 1).local is local


def test_only_the_token_opens_and_only_its_cookie_is_known() -> None:
    assert HOME.opens("a-token-of-the-booth")
    assert not HOME.opens("")
    assert not HOME.opens("ä")
    assert HOME.knows({"booth_page": HOME.cookie})
    assert not HOME.knows({"booth_page": HOME.token})
    assert not HOME.knows({})


@given(st.text(max_size=30).filter(lambda text: text != HOME.token))
def test_no_other_text_opens(text: str) -> None:
    assert not HOME.opens(text)


def test_a_name_that_leads_here_by_somebody_elses_dns_is_refused() -> None:
    for host in ("127.0.0.1:8080", "192.168.7.4:8080", "[::1]:8080", "localhost:8080", f"{socket.gethostname()}:8080"):
        assert HOME.host_allowed(host), host
    for host in ("evil.example:8080", "localhost.evil.example", "", "127.0.0.1.evil.example"):
        assert not HOME.host_allowed(host), host


def test_a_script_of_another_site_is_foreign() -> None:
    assert HOME.origin_allowed("http://127.0.0.1:8080", "127.0.0.1:8080")
    for origin in ("http://evil.example", "http://127.0.0.1:9999", "null", "", "http://"):
        assert not HOME.origin_allowed(origin, "127.0.0.1:8080"), origin


def test_a_token_is_kept_for_this_user_alone(tmp_path: Path) -> None:
    path = token_path({"XDG_DATA_HOME": str(tmp_path)})
    token = load_token(path)
    assert load_token(path) == token
    assert path.stat().st_mode & 0o077 == 0
    assert new_token(path) != token


def test_a_token_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.token"
    new_token(path)
    path.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        load_token(path)


def test_a_short_or_broken_token_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.token"
    for content in (b"short\n", b"\xff" * 40):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(InputError, match="delete"):
            load_token(path)
