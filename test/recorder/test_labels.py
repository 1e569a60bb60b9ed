# SPDX-License-Identifier: Apache-2.0
"""What a session says of the next take: read with care, written into the take."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from takes import metadata

from recorder.errors import TakeError
from recorder.labels import MAX_BYTES, Labels, parse_labels
from recorder.metadata import TakeMetadata

ANA = Labels("ana", "Stack two cups.", "b1", "0193-7", 4)


def test_labels_are_read_and_what_is_for_others_is_left_out():
    told = {"operator": "ana", "task": "컵 쌓기", "booth": "b1", "session": "s", "number": 3, "profile": "ana-2"}
    assert parse_labels(json.dumps(told)) == Labels("ana", "컵 쌓기", "b1", "s", 3)
    assert parse_labels('{"training": true}') == Labels(training=True)
    assert parse_labels("{}") == Labels()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"operator": 3}',
        '{"task": null}',
        '{"number": "3"}',
        '{"number": -1}',
        '{"number": true}',
        '{"training": 1}',
        "[" * 9000,
        json.dumps({"task": "x" * 1001}),
        json.dumps({"other": "x" * MAX_BYTES}),
    ],
)
def test_what_is_no_label_is_refused_in_words(text):
    with pytest.raises(TakeError, match="ignored"):
        parse_labels(text)


@given(st.text())
def test_any_text_is_either_labels_or_refused(text):
    try:
        parse_labels(text)
    except TakeError:
        return


def test_a_take_of_before_sessions_has_none():
    old = {name: value for name, value in metadata().to_strings().items() if name not in ("session", "episode_number")}
    read = TakeMetadata.from_strings(old)
    assert (read.session, read.episode_number) == ("", 0)
