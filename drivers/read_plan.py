# SPDX-License-Identifier: Apache-2.0
"""Which group reads fetch everything in the least time."""

from collections.abc import Sequence, Set
from itertools import groupby

from drivers.group_read import GroupRead, Kind, Slot


def plan_reads(slots: Sequence[Slot], fast_ids: Set[int], baud: int, turnaround_ns: float) -> tuple[GroupRead, ...]:
    """The cheapest group reads that cover all slots.

    Candidates: one sync read for each (address, length), or one bulk read for everything; fast where all of its
    devices know fast reads. The time of a candidate is its bytes on the wire plus one turnaround for each answer.

    Args:
        slots: what to read, each ID once.
        fast_ids: devices that answer fast reads.
        baud: bits per second.
        turnaround_ns: usual pause between an instruction and its answer beyond the wire time: adapter, scheduling.
    """
    if not slots:
        return ()
    ordered = sorted(slots, key=lambda slot: (slot.id not in fast_ids, slot.length, slot.address))
    candidates = [_sync(ordered, fast_ids), _sync(ordered, set()), *_bulk(ordered, fast_ids)]
    return min(candidates, key=lambda reads: sum(read.wire_ns(baud) + turnaround_ns for read in reads))


def _sync(slots: Sequence[Slot], fast_ids: Set[int]) -> tuple[GroupRead, ...]:
    key = lambda slot: (slot.id not in fast_ids, slot.length, slot.address)  # noqa: E731
    groups = groupby(sorted(slots, key=key), key=key)
    return tuple(GroupRead(list(group), Kind.SYNC if key[0] else Kind.FAST_SYNC) for key, group in groups)


def _bulk(slots: Sequence[Slot], fast_ids: Set[int]) -> list[tuple[GroupRead, ...]]:
    fast = [slot for slot in slots if slot.id in fast_ids]
    plain = [slot for slot in slots if slot.id not in fast_ids]
    by_length = sorted(slots, key=lambda slot: slot.length)
    split = [GroupRead(part, kind) for part, kind in ((fast, Kind.FAST_BULK), (plain, Kind.BULK)) if part]
    return [tuple(split), (GroupRead(by_length, Kind.BULK),)]
