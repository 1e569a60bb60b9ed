# SPDX-License-Identifier: Apache-2.0
"""Who an episode is: a UUIDv7, so that names from many booths never meet and sort by time."""

from datetime import UTC, datetime
from uuid import UUID

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


def uuid7(wall_ns: int, random: bytes) -> UUID:
    """A UUIDv7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, version, 74 random bits.

    Args:
        wall_ns: wall time [ns since the epoch].
        random: 10 random bytes.

    Raises:
        ValueError: fewer or more than 10 bytes, or a time that does not fit in 48 bits of milliseconds.
    """
    if len(random) != 10:
        raise ValueError(f"a UUIDv7 takes 10 random bytes, got {len(random)}")
    milliseconds = wall_ns // NS_PER_MS
    if not 0 <= milliseconds < 1 << 48:
        raise ValueError(f"{wall_ns} ns is no wall time that a UUIDv7 can hold")
    tail = int.from_bytes(random, "big")
    rand_a = tail >> 68
    rand_b = tail & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b)


def wall_iso(wall_ns: int) -> str:
    """Wall time as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(wall_ns / NS_PER_S, UTC).isoformat(timespec="milliseconds")


def take_stem(wall_ns: int, robot: str, episode_id: UUID) -> str:
    """File name, without suffix, of a take and its episode; sorts by time, unique across booths."""
    stamp = datetime.fromtimestamp(wall_ns // NS_PER_S, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{stamp}_{robot}_{episode_id.hex[-8:]}"
