# SPDX-License-Identifier: Apache-2.0
from hypothesis import given
from hypothesis import strategies as st

from recorder.sequences import MODULUS, lost_before


def test_an_unbroken_run_has_lost_nothing():
    assert lost_before(range(5, 50)).sum() == 0


def test_the_first_message_never_counts_as_a_loss():
    assert lost_before([812]).tolist() == [0]


def test_a_gap_counts_the_numbers_in_between():
    assert lost_before([1, 2, 6, 7]).tolist() == [0, 0, 3, 0]


def test_a_restarted_publisher_is_not_a_loss():
    assert lost_before([500, 501, 1, 2, 3]).sum() == 0


def test_two_publishers_on_one_topic_are_kept_apart():
    assert lost_before([100, 7, 101, 8, 102, 9]).sum() == 0


def test_numbers_wrap_without_a_loss():
    assert lost_before([MODULUS - 2, MODULUS - 1, 0, 1]).sum() == 0


@given(st.integers(0, MODULUS - 1), st.sets(st.integers(1, 200), max_size=60))
def test_lost_messages_of_one_publisher_are_counted_exactly(start, missing):
    last = max(missing, default=0) + 1
    arrived = [n for n in range(last + 1) if n not in missing]
    assert lost_before((start + n) % MODULUS for n in arrived).sum() == len(missing)
