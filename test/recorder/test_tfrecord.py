# SPDX-License-Identifier: Apache-2.0
"""TFRecord files say what was put into them, to a reader that knows only the specifications."""

from pathlib import Path

import numpy as np
import pytest
import read_tfrecord
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recorder.tfrecord import Value, example_size, floats, integers, masked, text, texts, varint, varints, write_record

INT64 = st.integers(-(2**63), 2**63 - 1)


def test_crc_is_castagnoli_s_and_masked() -> None:
    assert read_tfrecord.crc32c(b"123456789") == 0xE3069283  # RFC 3720's polynomial, the usual check value
    assert masked(0xE3069283) == read_tfrecord.masked(b"123456789")


@given(st.lists(INT64, max_size=40))
def test_integers_come_back(values: list[int]) -> None:
    packed = varints(np.array(values, np.int64))
    assert packed == b"".join(varint(value % 2**64) for value in values)
    back = []
    while packed:
        value, packed = read_tfrecord.varint(packed)
        back.append(value - 2**64 if value >= 2**63 else value)
    assert back == values


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=12),
        st.one_of(
            arrays(np.float32, st.tuples(st.integers(0, 9), st.integers(1, 40)), elements=st.floats(-9, 9, width=32)),
            arrays(np.int64, st.integers(0, 90), elements=INT64),
            st.lists(st.binary(max_size=300), max_size=9),
        ),
        max_size=6,
    )
)
def test_examples_come_back_with_the_size_that_was_told(
    tmp_path_factory: pytest.TempPathFactory, content: dict
) -> None:
    path = tmp_path_factory.mktemp("t") / "a.tfrecord"
    with path.open("wb") as file:
        for _ in range(2):
            assert write_record(file, values(content)) == example_size(values(content))
    for record in read_tfrecord.records(path):
        found = read_tfrecord.example(record) if content else {}
        assert set(found) == set(content)
        for name, value in content.items():
            if isinstance(value, list):
                assert found[name] == value
            else:
                np.testing.assert_array_equal(found[name], np.ravel(value))


def values(content: dict) -> dict[str, Value]:
    made = {}
    for name, value in content.items():
        if isinstance(value, list):
            made[name] = texts([len(item) for item in value], lambda value=value: iter(value))
        else:
            made[name] = floats(value) if value.dtype == np.float32 else integers(value)
    return made


def test_truth_is_zero_and_one_and_words_repeat(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    with path.open("wb") as file:
        write_record(file, {"flag": integers(np.array([True, False])), "say": text("컵", 3)})
    (record,) = read_tfrecord.records(path)
    found = read_tfrecord.example(record)
    assert found["flag"].tolist() == [1, 0]
    assert found["say"] == ["컵".encode()] * 3


def test_value_that_breaks_its_word_is_refused(tmp_path: Path) -> None:
    short = texts([5], lambda: iter([b"four"]))
    with (tmp_path / "a").open("wb") as file, pytest.raises(ValueError, match="was promised"):
        write_record(file, {"short": short})
