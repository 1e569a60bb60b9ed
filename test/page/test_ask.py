# SPDX-License-Identifier: Apache-2.0
"""What a browser sends is a message of a known form, or refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booth.page.ask import FORMS, MAX_CHARACTERS, AskError, parse

SAMPLES = {str: "a word", bool: True, float: 1.5}


@pytest.mark.parametrize("kind", FORMS)
def test_every_form_is_read(kind: str) -> None:
    fields = {name: SAMPLES[wanted] for name, wanted in FORMS[kind].items()}
    ask = parse(json.dumps({"type": kind, **fields, "something_else": 1}))
    assert (ask.kind, ask.values) == (kind, fields)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"type": 3}',
        '{"type": "fly"}',
        '{"type": "act"}',
        '{"type": "act", "action": 1}',
        '{"type": "lease", "take": 1}',
        json.dumps({"type": "act", "action": "x" * 129}),
        " " * (MAX_CHARACTERS + 1),
        "[" * MAX_CHARACTERS,
    ],
)
def test_what_no_page_sends_is_refused(text: str) -> None:
    with pytest.raises(AskError):
        parse(text)


@given(
    st.text(max_size=200)
    | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists).map(json.dumps)
)
def test_nonsense_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(AskError):
        parse(text)
