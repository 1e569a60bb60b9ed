# SPDX-License-Identifier: Apache-2.0
"""Laws of the plan: everybody is asked once, and no slower than without a plan."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.group_read import GroupRead, Kind, Slot
from drivers.read_plan import plan_reads

SHAPES = st.sampled_from([(634, 10), (224, 10), (634, 165)])
SLOTS = st.dictionaries(st.integers(1, 252), SHAPES, max_size=60).map(
    lambda shapes: [Slot(servo, *shape) for servo, shape in shapes.items()]
)


def cost_ns(reads, baud: int, turnaround_ns: float) -> float:
    return sum(read.wire_ns(baud) + turnaround_ns for read in reads)


@given(SLOTS, st.sets(st.integers(1, 252)), st.sampled_from([57_600, 1_000_000, 4_000_000]), st.floats(0, 5e6))
def test_every_slot_is_read_once_fast_only_where_known_and_never_slower_than_plain(slots, fast, baud, pause) -> None:
    reads = plan_reads(slots, fast, baud, pause)
    assert sorted((s.id, s.address, s.length) for r in reads for s in r.slots) == sorted(
        (s.id, s.address, s.length) for s in slots
    )
    for read in reads:
        if read.kind.fast:
            assert set(read.ids) <= fast
        if read.kind in (Kind.SYNC, Kind.FAST_SYNC):
            assert len({(slot.address, slot.length) for slot in read.slots}) == 1
        assert sum(count for _, count, _ in read.runs) == len(read.slots)
    shapes = sorted({(slot.address, slot.length) for slot in slots})
    plain = [GroupRead([s for s in slots if (s.address, s.length) == shape], Kind.SYNC) for shape in shapes]
    assert cost_ns(reads, baud, pause) <= cost_ns(plain, baud, pause) + 1e-6


def test_twenty_equal_servos_that_know_it_are_read_in_one_joint_frame() -> None:
    (read,) = plan_reads([Slot(k, 634, 10) for k in range(1, 21)], set(range(1, 21)), 2_000_000, 1e6)
    assert read.kind is Kind.FAST_SYNC
