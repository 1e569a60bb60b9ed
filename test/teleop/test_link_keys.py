# SPDX-License-Identifier: Apache-2.0
"""Keys: private, whole, and refused with an answer where they are not; and the list of who is allowed."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleop.link_allowed import AllowedKeys, allow, allowed_path, read_allowed, revoke
from teleop.link_keys import KeyFileError, key_names, keys_directory, load_key, new_key, public_key


@pytest.fixture(autouse=True)
def own_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def test_a_key_is_kept_for_its_owner_only_and_comes_back() -> None:
    pair = new_key("ana")
    path = keys_directory() / "ana.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys_directory().stat().st_mode) == 0o700
    assert load_key("ana") == pair
    assert key_names() == ["ana"]
    assert pair.secret.hex() not in (keys_directory() / "ana.pub").read_text()
    assert pair.secret.hex() not in repr(pair)
    assert str(pair.secret) not in repr(pair)


def test_a_key_is_never_overwritten() -> None:
    pair = new_key("ana")
    with pytest.raises(KeyFileError, match="there is a key ana already"):
        new_key("ana")
    assert load_key("ana") == pair


def test_a_key_that_others_may_read_is_refused() -> None:
    new_key("ana")
    (keys_directory() / "ana.key").chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_key("ana")


def test_a_missing_key_names_those_that_are_there() -> None:
    new_key("robot")
    with pytest.raises(KeyFileError, match=r"keys found: robot.*booth keys new ana"):
        load_key("ana")


def of_another_secret(text: str) -> str:
    first, public, secret = text.splitlines()
    return f"{first}\npublic {secret.split()[1]}\n{secret}\n" if public else ""


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-2], lambda text: text.replace("1", "2", 1), lambda _text: "", of_another_secret]
)
def test_a_damaged_key_is_refused(damage: Callable[[str], str]) -> None:
    new_key("ana")
    path = keys_directory() / "ana.key"
    path.write_text(damage(path.read_text()))
    with pytest.raises(KeyFileError):
        load_key("ana")


@given(st.text())
def test_names_are_names(name: str) -> None:
    good = name.isascii() and 0 < len(name) <= 32 and name[0].isalnum() and all(c.isalnum() or c in "_.-" for c in name)
    if not good:
        with pytest.raises(KeyFileError, match="no name"):
            load_key(name)


@given(st.binary(max_size=300))
def test_a_public_key_is_64_digits_or_a_file_with_them(data: bytes) -> None:
    path = Path(os.environ["XDG_CONFIG_HOME"]) / "some.pub"
    path.write_bytes(data)
    with pytest.raises(KeyFileError):
        public_key(str(path))


def test_a_public_key_comes_from_its_file_or_its_digits() -> None:
    pair = new_key("ana")
    assert public_key(str(keys_directory() / "ana.pub")) == pair.public
    assert public_key(pair.public.hex()) == pair.public


def test_allowed_keys_have_one_name_each_and_can_be_revoked() -> None:
    ana, ben = new_key("ana"), new_key("ben")
    allow(ana.public, "ana")
    allow(ben.public, "ben")
    assert read_allowed(allowed_path()) == {ana.public: "ana", ben.public: "ben"}
    assert stat.S_IMODE(allowed_path().stat().st_mode) == 0o600
    with pytest.raises(KeyFileError, match="revoke ana"):
        allow(ben.public, "ana")
    revoke("ana")
    assert read_allowed(allowed_path()) == {ben.public: "ben"}
    with pytest.raises(KeyFileError, match="allowed are: ben"):
        revoke("ana")


def test_a_running_robot_sees_the_list_change_and_allows_nobody_when_it_is_damaged() -> None:
    ana = new_key("ana")
    allow(ana.public, "ana")
    allowed = AllowedKeys(allowed_path())
    assert (allowed.refresh(), allowed.name(ana.public)) == (1, "ana")
    revoke("ana")
    assert (allowed.refresh(), allowed.name(ana.public)) == (0, "")
    allow(ana.public, "ana")
    assert allowed.refresh() == 1
    allowed_path().write_text("ana not-a-key\n")
    assert (allowed.refresh(), allowed.name(ana.public)) == (0, "")
    assert "line 1" in allowed.problem
    with pytest.raises(KeyFileError, match="line 1"):
        allowed.require()


def test_a_list_of_nobody_is_told_before_anything_listens() -> None:
    with pytest.raises(KeyFileError, match="booth keys allow"):
        AllowedKeys(allowed_path()).require()
