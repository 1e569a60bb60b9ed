# SPDX-License-Identifier: Apache-2.0
"""Recorded messages as typed arrays, one stream at a time, ordered by source stamp."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph import body_cloud, hands_cloud
from graph.stamps import join
from recorder.errors import TakeError
from recorder.messages import SerdeError, deserialize
from recorder.sequences import lost_before
from recorder.take_reader import Take, TakeMessage

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]


BRIDGE_NS = 50_000_000
"""So long a joint that did not answer keeps its last measured value."""


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
class Joints:
    """Measured joints: (N, J) position [rad], velocity [rad/s], effort [mA]; NaN where a message left a joint out."""

    samples: Samples
    position: Float64
    velocity: Float64
    effort: Float64
    incomplete: int


@dataclass(frozen=True, slots=True)
class Commands:
    """Commanded joints: (N, J) position [rad] and what the motion limiter asked for before rounding, NaN where nobody
    told; ``capture_ns`` (N,) is the stamp of the causing camera frame, -1 when
    there was none; ``samples.stamp_ns`` is the moment of issue (requested) or of writing (sent)."""

    samples: Samples
    position: Float64
    limited: Float64
    capture_ns: Int64
    incomplete: int


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


def joint_samples(take: Take, topic: str, names: Sequence[str]) -> Joints:
    """Decode JointStates in any joint order into the order of ``names``.

    Raises:
        TakeError: none of the joints is in any message.
    """
    samples, decoded = _decode(take, topic, _joint_state)
    columns = _Columns(topic, names)
    position, velocity, effort = (
        columns.gather([(message[1], message[field]) for message in decoded]) for field in (2, 3, 4)
    )
    columns.refuse_strangers([message[1] for message in decoded])
    incomplete = _incomplete_rows(position)
    position, velocity, effort = (bridged(values, samples.stamp_ns) for values in (position, velocity, effort))
    return Joints(samples, position, velocity, effort, incomplete)


def bridged(values: Float64, stamp_ns: Int64) -> Float64:
    """A joint that was not heard for a moment keeps its newest value; longer than BRIDGE_NS it is NaN.

    Args:
        values: (N, J). stamp_ns: (N,), not falling.
    """
    known = np.isfinite(values)
    if known.all():
        return values
    newest = np.maximum.accumulate(np.where(known, np.arange(len(values))[:, None], -1), axis=0)
    old_ns = stamp_ns[:, None] - stamp_ns[np.maximum(newest, 0)]
    keep = (newest >= 0) & (old_ns <= BRIDGE_NS)
    return np.where(keep, np.take_along_axis(values, np.maximum(newest, 0), axis=0), np.nan)


def command_samples(take: Take, topic: str, names: Sequence[str]) -> Commands:
    """Decode the JointTrajectories of one topic.

    The stamp is the moment of issue: header.stamp + time_from_start of the first point. A header without a stamp means
    "now": then it is the moment of publishing, and no frame is known as its cause.

    Raises:
        TakeError: none of the joints is in any message.
    """
    samples, decoded = _decode(take, topic, _trajectory)
    columns = _Columns(topic, names)
    position = columns.gather([(message[1], message[2]) for message in decoded])
    columns.refuse_strangers([message[1] for message in decoded])
    limited = columns.gather([(message[1], message[4]) for message in decoded])
    capture = np.array([message[3] for message in decoded], np.int64)
    return Commands(samples, position, limited, capture, _incomplete_rows(position))


def hand_samples(take: Take, topic: str) -> Hands:
    """Decode landmark clouds."""
    samples, decoded = _decode(take, topic, _hands)
    clouds = np.stack([message[1] for message in decoded]) if decoded else np.zeros((0, 2, 21), hands_cloud.POINT)
    score = clouds["score"]
    return Hands(
        samples,
        np.stack([clouds["x"], clouds["y"], clouds["z"]], axis=-1),
        np.stack([clouds["u"], clouds["v"]], axis=-1),
        score[:, :, 0].copy(),
        clouds["frame"][:, 0, 0].astype(np.int64),
        clouds["inference_ms"][:, 0, 0].copy(),
    )


def body_samples(take: Take, topic: str) -> Bodies:
    """Decode clouds of the operator's body."""
    samples, decoded = _decode(take, topic, _body)
    empty = np.zeros((0, body_cloud.LANDMARKS), body_cloud.POINT)
    clouds = np.stack([message[1][0] for message in decoded]) if decoded else empty
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


def _decode(
    take: Take, topic: str, parse: Callable[[Any, TakeMessage], tuple[Any, ...]]
) -> tuple[Samples, list[tuple[Any, ...]]]:
    """Parse every message of a topic to (stamp, …) and order the result by stamp; equal stamps keep arrival order."""
    messages = take.messages.get(topic, ())
    lost = lost_before(message.sequence for message in messages)
    kept: list[tuple[int, tuple[Any, ...]]] = []
    for row, message in enumerate(messages):
        try:
            kept.append((row, parse(deserialize(message.data, take.types[topic]), message)))
        except (SerdeError, ValueError, IndexError, UnicodeDecodeError):
            continue
    kept.sort(key=lambda item: item[1][0])
    rows = [row for row, _ in kept]
    decoded = [values for _, values in kept]
    samples = Samples(
        np.array([values[0] for values in decoded], np.int64),
        np.array([messages[row].receive_ns for row in rows], np.int64),
        np.array([messages[row].sequence for row in rows], np.int64),
        lost[rows] if rows else np.zeros(0, np.int64),
        np.zeros(len(rows), np.int64),
        len(messages) - len(kept),
    )
    return samples, decoded


def _header_ns(message: Any) -> int:
    return join(message.header.stamp.sec, message.header.stamp.nanosec)


def _joint_state(message: Any, _: TakeMessage) -> tuple[Any, ...]:
    if len(message.position) != len(message.name):
        raise ValueError("a JointState names as many joints as it has positions")
    return _header_ns(message), tuple(message.name), message.position, message.velocity, message.effort


def _trajectory(message: Any, raw: TakeMessage) -> tuple[Any, ...]:
    point = message.points[0]
    if len(point.positions) != len(message.joint_names):
        raise ValueError("a JointTrajectory names as many joints as its points have positions")
    capture = _header_ns(message)
    if capture == 0:  # "now" in ros2_control; time_from_start is then a horizon, not a delay
        return raw.publish_ns, tuple(message.joint_names), point.positions, -1, ()
    issue = capture + join(point.time_from_start.sec, point.time_from_start.nanosec)
    limited = message.points[1].positions if len(message.points) == 2 else ()
    return issue, tuple(message.joint_names), point.positions, capture if issue > capture else -1, limited


def _hands(message: Any, _: TakeMessage) -> tuple[Any, ...]:
    return _header_ns(message), hands_cloud.from_bytes(message.data.tobytes())


def _body(message: Any, _: TakeMessage) -> tuple[Any, ...]:
    return _header_ns(message), body_cloud.from_bytes(message.data.tobytes())


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


class _Columns:
    """Puts named values into a fixed joint order."""

    def __init__(self, topic: str, names: Sequence[str]) -> None:
        self._topic = topic
        self._names = tuple(names)
        self._order: dict[tuple[str, ...], tuple[list[int], list[int]]] = {}

    def gather(self, rows: list[tuple[tuple[str, ...], Float64]]) -> Float64:
        """(N, J) from N pairs of names and values; NaN for a joint that is not among the names or has no value."""
        table = np.full((len(rows), len(self._names)), np.nan)
        for row, (found, values) in enumerate(rows):
            if len(values) == len(found):
                to, origin = self._columns(found)
                table[row, to] = values[origin]
        return table

    def refuse_strangers(self, found: list[tuple[str, ...]]) -> None:
        """A dead servo may be absent from every message; a robot of which nothing is there is another robot."""
        seen = {name for names in set(found) for name in names}
        if found and not seen.intersection(self._names):
            raise TakeError(
                f"{self._topic} is of another robot: expected {', '.join(self._names)},"
                f" found {', '.join(sorted(seen))}. Give the recorder the robot that is there"
            )

    def _columns(self, found: tuple[str, ...]) -> tuple[list[int], list[int]]:
        if found not in self._order:
            pairs = [(k, found.index(name)) for k, name in enumerate(self._names) if name in found]
            self._order[found] = [to for to, _ in pairs], [origin for _, origin in pairs]
        return self._order[found]


def _incomplete_rows(position: Float64) -> int:
    return int(np.isnan(position).any(axis=1).sum()) if position.size else 0
