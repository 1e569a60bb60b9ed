# SPDX-License-Identifier: Apache-2.0
"""Commands of a robot that listens on several topics, as one stream of whole poses."""

from collections.abc import Sequence

import numpy as np

from recorder.joint_streams import Commands, command_samples
from recorder.streams import Samples
from recorder.take_reader import Take


def merged_commands(take: Take, groups: Sequence[tuple[str, Sequence[int]]], names: Sequence[str]) -> Commands:
    """One sample for each message of any of the topics, by stamp; of equal stamps the one that arrived last is last.

    A sample holds what its message asks of its own joints, and of all others what their topics asked last: NaN before
    their first message. Stamps, number and cause are the message's. Losses are counted on each topic by itself.

    Args:
        groups: topics, each with the indices of its joints, as ``Robot.groups``.
        names: (J,) all joints.

    Raises:
        TakeError: a topic has messages, but none names one of its joints.
    """
    parts = [command_samples(take, topic, [names[k] for k in members]) for topic, members in groups]
    stamp, receive, sequence, lost = (
        np.concatenate([getattr(part.samples, field) for part in parts])
        for field in ("stamp_ns", "receive_ns", "sequence", "lost")
    )
    source = np.repeat(np.arange(len(parts)), [len(part.samples) for part in parts])
    order = np.lexsort((receive, stamp))
    source = source[order]
    position = np.full((len(order), len(names)), np.nan)
    for number, (part, (_, members)) in enumerate(zip(parts, groups, strict=True)):
        newest = np.cumsum(source == number) - 1
        heard = newest >= 0
        position[np.ix_(heard, np.array(members))] = part.position[newest[heard]]
    undecodable = sum(part.samples.undecodable for part in parts)
    samples = Samples(stamp[order], receive[order], sequence[order], lost[order], source, undecodable)
    capture = np.concatenate([part.capture_ns for part in parts])[order]
    return Commands(samples, position, np.full_like(position, np.nan), capture, sum(part.incomplete for part in parts))
