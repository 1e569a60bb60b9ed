# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st
from takes import metadata

from recorder.errors import TakeError
from recorder.identity import take_stem, uuid7, wall_iso
from recorder.metadata import TakeMetadata, parse_cameras, robot_description
from robots import load_robot
from robots.robot import parse_robot


@given(st.integers(0, 2**47), st.binary(min_size=10, max_size=10))
def test_a_uuid7_has_its_version_its_variant_and_its_time(milliseconds, random):
    made = uuid7(milliseconds * 1_000_000 + 999_999, random)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == milliseconds


@given(st.lists(st.integers(0, 2**47), min_size=2, max_size=10), st.binary(min_size=10, max_size=10))
def test_uuid7s_sort_by_time(milliseconds, random):
    made = [str(uuid7(ms * 1_000_000, random)) for ms in sorted(milliseconds)]
    assert made == sorted(made)


def test_a_take_is_named_by_time_robot_and_id():
    episode_id = uuid7(1_795_000_000_000_000_000, bytes(range(10)))
    assert take_stem(1_795_000_000_000_000_000, "op3", episode_id) == f"20261118T110640Z_op3_{episode_id.hex[-8:]}"
    assert wall_iso(1_795_000_000_123_000_000) == "2026-11-18T11:06:40.123+00:00"


@given(st.text(), st.text(), st.floats(1.0, 1000.0))
def test_metadata_survives_its_strings(task, operator, rate):
    facts = metadata(task=task, operator=operator, rate_hz=rate, cameras={"cam_wrist": "/wrist"})
    assert TakeMetadata.from_strings(facts.to_strings()) == facts


def test_metadata_that_misses_a_key_is_refused():
    strings = metadata().to_strings()
    del strings["robot_yaml"]
    with pytest.raises(TakeError, match="robot_yaml"):
        TakeMetadata.from_strings(strings)


def test_cameras_are_named_as_aloha_names_them():
    assert parse_cameras(["", "wrist=/a/compressed", "cam_high=/b"]) == {"cam_wrist": "/a/compressed", "cam_high": "/b"}


@pytest.mark.parametrize("items", [["wrist"], ["wrist=a"], ["a b=/x"], ["operator=/x"], ["a=/x", "cam_a=/y"]])
def test_a_camera_that_cannot_be_is_refused(items):
    with pytest.raises(TakeError, match="camera"):
        parse_cameras(items)


def test_a_take_describes_a_robot_that_is_based_on_another_completely():
    text = robot_description("ffw_bh5")
    assert "based_on" not in text
    assert parse_robot(text, "take") == load_robot("ffw_bh5")
