# SPDX-License-Identifier: Apache-2.0
"""Laws of the lease, in any order of commands and silences."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.lease import LEASE_NS, Lease

EVENTS = st.lists(st.tuples(st.sampled_from(["/a", "/b", ""]), st.integers(0, 800)), max_size=60)


@given(EVENTS)
def test_there_is_one_holder_it_changes_only_after_its_silence_and_everybody_else_is_named(events) -> None:
    lease, now_ns, holder = Lease(), 10**12, None
    heard: dict[str, int] = {}
    for who, wait_ms in events:
        now_ns += wait_ms * 1_000_000
        free = holder is None or now_ns - heard[holder] >= LEASE_NS
        epoch = lease.epoch
        granted = lease.ask(who, now_ns)
        assert granted == (free or who == holder)
        if free and who != holder:
            assert lease.epoch == epoch + 1
        elif not free:
            assert lease.epoch == epoch
        heard[who] = now_ns
        holder = who if granted else holder
        assert lease.holder(now_ns) == holder
        recent = {one for one, at_ns in heard.items() if now_ns - at_ns < LEASE_NS and one != holder}
        assert set(lease.strangers(now_ns)) == {one or "somebody without frame_id" for one in recent}


@given(st.integers(LEASE_NS, 10**12))
def test_after_silence_nobody_holds_it_and_nobody_is_a_stranger(wait_ns: int) -> None:
    lease = Lease()
    lease.ask("/a", 0)
    lease.ask("/b", 0)
    assert lease.holder(wait_ns) is None
    assert lease.strangers(wait_ns) == ()
