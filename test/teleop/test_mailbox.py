# SPDX-License-Identifier: Apache-2.0
"""The newest item wins, and nothing is lost without being counted."""

from threading import Event, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleop.mailbox import Closed, NewestMailbox

NOW = 0.0
LONG_S = 60.0


@given(st.lists(st.one_of(st.integers(), st.just("take"))))
def test_newest_wins_and_every_item_is_taken_or_counted(acts):
    mailbox, put, taken = NewestMailbox(), [], []
    newest = None
    for act in acts:
        if act == "take":
            item = mailbox.take(NOW)
            assert item == newest
            taken += [] if item is None else [item]
            newest = None
        else:
            mailbox.put(act)
            put.append(act)
            newest = act
    waiting = 0 if newest is None else 1
    assert len(put) == len(taken) + mailbox.replaced + waiting


def test_an_empty_mailbox_gives_nothing_after_the_timeout():
    assert NewestMailbox().take(NOW) is None


@pytest.mark.parametrize("item", [0, "", (), False])
def test_an_item_that_looks_like_nothing_is_an_item(item):
    mailbox = NewestMailbox()
    mailbox.put(item)
    assert mailbox.take(NOW) == item
    mailbox.put(item)
    mailbox.put(item)
    assert mailbox.replaced == 1


def test_a_closed_mailbox_gives_its_last_item_and_then_says_so():
    mailbox = NewestMailbox()
    mailbox.put(1)
    mailbox.put(2)
    mailbox.close()
    assert mailbox.take(NOW) == 2
    for _ in range(2):
        with pytest.raises(Closed):
            mailbox.take(LONG_S)


def waiting_taker(mailbox):
    """A thread that waits for one item; what it got, or the exception, is appended."""
    result, started = [], Event()

    def take():
        started.set()
        try:
            result.append(mailbox.take(LONG_S))
        except Closed as closed:
            result.append(closed)

    thread = Thread(target=take)
    thread.start()
    assert started.wait(LONG_S)
    return thread, result


def test_one_who_waits_is_woken_by_an_item():
    mailbox = NewestMailbox()
    thread, result = waiting_taker(mailbox)
    mailbox.put("frame")
    thread.join(LONG_S / 2)
    assert result == ["frame"] and mailbox.replaced == 0


def test_one_who_waits_is_woken_by_the_end():
    mailbox = NewestMailbox()
    thread, result = waiting_taker(mailbox)
    mailbox.close()
    thread.join(LONG_S / 2)
    assert [type(item) for item in result] == [Closed]
