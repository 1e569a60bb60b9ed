# SPDX-License-Identifier: Apache-2.0
"""One browser presses buttons, whatever all of them do."""

from hypothesis import given
from hypothesis import strategies as st

from booth.page.lease import EXPIRY_NS, ControlLease

MS = 1_000_000


def test_the_first_browser_gets_it_and_the_second_looks_on_until_it_takes_it() -> None:
    lease = ControlLease()
    assert lease.join(1, 0)
    assert not lease.join(2, MS)
    assert lease.holder == 1
    assert lease.take(2, 2 * MS)
    assert (lease.holder, lease.epoch) == (2, 2)


def test_a_closed_browser_frees_it_at_once() -> None:
    lease = ControlLease()
    lease.join(1, 0)
    assert lease.leave(1)
    assert lease.join(2, MS)


def test_a_silent_browser_loses_it_within_a_second_and_gets_it_back_unless_taken() -> None:
    lease = ControlLease()
    lease.join(1, 0)
    assert not lease.expire(EXPIRY_NS)
    assert lease.expire(EXPIRY_NS + 1)
    assert lease.hear(1, EXPIRY_NS + MS)
    assert (lease.holder, lease.epoch) == (1, 2)
    assert lease.expire(3 * EXPIRY_NS)
    lease.take(2, 3 * EXPIRY_NS + 1)
    assert not lease.hear(1, 3 * EXPIRY_NS + 2)
    assert lease.holder == 2


def test_who_never_held_it_does_not_get_it_by_talking() -> None:
    lease = ControlLease()
    lease.join(1, 0)
    lease.hear(2, 2 * EXPIRY_NS)
    assert lease.holder is None


@given(
    st.lists(
        st.tuples(st.sampled_from(["join", "take", "hear", "leave", "expire"]), st.integers(0, 4), st.integers(0, 700)),
        max_size=60,
    )
)
def test_in_every_race_there_is_one_holder_and_the_epoch_tells_every_change(acts: list[tuple[str, int, int]]) -> None:
    lease, now_ns, epochs = ControlLease(), 0, {}
    for act, browser, wait_ms in acts:
        now_ns += wait_ms * MS
        before, epoch = lease.holder, lease.epoch
        if act == "expire":
            changed = lease.expire(now_ns)
        elif act == "leave":
            changed = lease.leave(browser)
        else:
            changed = getattr(lease, act)(browser, now_ns)
        assert lease.epoch >= epoch
        if lease.holder != before:
            assert changed
        if lease.holder is not None and lease.holder != before:
            assert lease.epoch > epoch
            assert lease.epoch not in epochs or epochs[lease.epoch] == lease.holder
            epochs[lease.epoch] = lease.holder
