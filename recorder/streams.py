# SPDX-License-Identifier: Apache-2.0
"""Recorded messages as typed arrays, one stream at a time, ordered by source stamp."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph import body_cloud, hands_cloud
from graph.stamps import join
from recorder.cloud_blocks import cloud_blocks
from recorder.messages import UNDECODABLE, deserialize
from recorder.sequences import lost_before
from recorder.take_reader import Take, TakeMessage

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Samples:
    """Stamps of N samples of one stream, sorted by ``stamp_ns``.

    Attributes:
        stamp_ns: (N,) graph time at the source.
        receive_ns: (N,) graph time of arrival at the recorder.
        sequence: (N,) the publisher's number.
        lost: (N,) messages of the same topic lost right before this one arrived.
        topic: (N,) which of the stream's topics it came on; 0 for a stream of one topic.
        undecodable: messages left out because they could not be decoded.
    """

    stamp_ns: Int64
    receive_ns: Int64
    sequence: Int64
    lost: Int64
    topic: Int64
    undecodable: int = 0

    def __len__(self) -> int:
        return len(self.stamp_ns)

    def by_topic(self) -> "tuple[Samples, ...]":
        """The samples of each topic by itself."""
        return tuple(self._where(self.topic == number) for number in range(int(self.topic.max(initial=0)) + 1))

    def _where(self, kept: NDArray[np.bool_]) -> "Samples":
        return Samples(
            self.stamp_ns[kept], self.receive_ns[kept], self.sequence[kept], self.lost[kept], self.topic[kept]
        )


@dataclass(frozen=True, slots=True)
class Hands:
    """Landmarks of the right (0) and left (1) hand, NaN where not seen: (N, 2, 21, 3) m in the wrist frame,
    (N, 2, 21, 2) share of the image; (N, 2) score; (N,) frame number and inference time."""

    samples: Samples
    landmarks: Float32
    landmarks_uv: Float32
    score: Float32
    frame: Int64
    inference_ms: Float32


@dataclass(frozen=True, slots=True)
class Bodies:
    """Landmarks of the operator's body, NaN where nobody was seen: (N, 33, 3) m from the middle of the hips, (N, 33, 2)
    share of the image, (N, 33) visibility."""

    samples: Samples
    landmarks: Float32
    landmarks_uv: Float32
    visibility: Float32


@dataclass(frozen=True, slots=True)
class Frames:
    """Camera frames as compressed bytes (views of the take)."""

    samples: Samples
    images: tuple[memoryview, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """A stream of short texts: states and events."""

    samples: Samples
    texts: tuple[str, ...]


def hand_samples(take: Take, topic: str) -> Hands:
    """Decode landmark clouds."""
    samples, clouds = _clouds(take, topic, len(hands_cloud.HANDS), hands_cloud.LANDMARKS)
    return Hands(
        samples,
        np.stack([clouds["x"], clouds["y"], clouds["z"]], axis=-1),
        np.stack([clouds["u"], clouds["v"]], axis=-1),
        clouds["score"][:, :, 0].copy(),
        clouds["frame"][:, 0, 0].astype(np.int64),
        clouds["inference_ms"][:, 0, 0].copy(),
    )


def body_samples(take: Take, topic: str) -> Bodies:
    """Decode clouds of the operator's body."""
    samples, clouds = _clouds(take, topic, 1, body_cloud.LANDMARKS)
    clouds = clouds[:, 0]
    return Bodies(
        samples,
        np.stack([clouds["x"], clouds["y"], clouds["z"]], axis=-1),
        np.stack([clouds["u"], clouds["v"]], axis=-1),
        clouds["score"].copy(),
    )


def frame_samples(take: Take, topic: str) -> Frames:
    """Find the compressed images of a camera."""
    samples, decoded = _decode(take, topic, _image)
    return Frames(samples, tuple(message[1] for message in decoded))


def state_samples(take: Take, topic: str) -> Words:
    """DiagnosticStatus: the texts are ``message`` and, where there is one, ``: reason``."""
    samples, decoded = _decode(take, topic, _status)
    return Words(samples, tuple(message[1] for message in decoded))


def event_samples(take: Take, topic: str) -> Words:
    """std_msgs/String."""
    samples, decoded = _decode(take, topic, _string)
    return Words(samples, tuple(message[1] for message in decoded))


def problem_samples(take: Take, topic: str) -> Words:
    """DiagnosticArray: what is not OK, ``name: message`` joined by ``; `` (empty text when all is well)."""
    samples, decoded = _decode(take, topic, _diagnostics)
    return Words(samples, tuple(message[1] for message in decoded))


def _clouds(take: Take, topic: str, rows: int, points: int) -> tuple[Samples, NDArray[np.void]]:
    """(N, rows, points) the landmark clouds of a topic, by stamp."""
    heard = take.messages.get(topic, ())
    clouds = np.zeros((len(heard), rows, points), hands_cloud.POINT)
    stamp_ns, kept = np.zeros(len(heard), np.int64), np.zeros(len(heard), np.bool_)
    for block in cloud_blocks([message.data for message in heard], rows, points):
        clouds[block.rows], stamp_ns[block.rows], kept[block.rows] = block.clouds, block.stamp_ns, True
    order = by_stamp(kept, stamp_ns)
    return samples_of(take, topic, order, stamp_ns[order]), clouds[order]


def by_stamp(kept: NDArray[np.bool_], stamp_ns: Int64) -> Int64:
    """(N,) which of the messages are kept, in the order of their stamps; equal stamps keep arrival order."""
    rows = np.flatnonzero(kept)
    return rows[np.argsort(stamp_ns[rows], kind="stable")]


def _decode(
    take: Take, topic: str, parse: Callable[[Any, TakeMessage], tuple[Any, ...]]
) -> tuple[Samples, list[tuple[Any, ...]]]:
    """Parse every message of a topic to (stamp, …) and order the result by stamp; equal stamps keep arrival order."""
    messages = take.messages.get(topic, ())
    kept: list[tuple[int, tuple[Any, ...]]] = []
    for row, message in enumerate(messages):
        try:
            kept.append((row, parse(deserialize(message.data, take.types[topic]), message)))
        except UNDECODABLE:
            continue
    kept.sort(key=lambda item: item[1][0])
    rows = np.array([row for row, _ in kept], np.int64)
    decoded = [values for _, values in kept]
    return samples_of(take, topic, rows, np.array([values[0] for values in decoded], np.int64)), decoded


def samples_of(take: Take, topic: str, rows: Int64, stamp_ns: Int64) -> Samples:
    """Stamps of a topic's messages in this order; those that are not in it are taken for undecodable.

    Args:
        rows: (N,) which messages. stamp_ns: (N,) their source stamps.
    """
    messages = take.messages.get(topic, ())
    sequence = np.array([message.sequence for message in messages], np.int64)
    receive_ns = np.array([message.receive_ns for message in messages], np.int64)
    none = np.zeros(len(rows), np.int64)
    return Samples(
        stamp_ns, receive_ns[rows], sequence[rows], lost_before(sequence)[rows], none, len(messages) - len(rows)
    )


def _header_ns(message: Any) -> int:
    return join(message.header.stamp.sec, message.header.stamp.nanosec)


def _image(message: Any, _: TakeMessage) -> tuple[Any, ...]:
    return _header_ns(message), memoryview(message.data)


def _status(message: Any, raw: TakeMessage) -> tuple[Any, ...]:
    reason = next((item.value for item in message.values if item.key == "reason"), "")
    return raw.publish_ns, f"{message.message}: {reason}" if reason else message.message


def _string(message: Any, raw: TakeMessage) -> tuple[Any, ...]:
    return raw.publish_ns, message.data


def _diagnostics(message: Any, raw: TakeMessage) -> tuple[Any, ...]:
    bad = [f"{status.name}: {status.message}" for status in message.status if int(status.level) > 0]
    return raw.publish_ns, "; ".join(bad)
