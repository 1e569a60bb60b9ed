# SPDX-License-Identifier: Apache-2.0
"""The take log: serialized messages, as they come, into an MCAP file that survives a crash.

Chunks are closed and fsynced in time slices, so that SIGKILL or a power cut costs at most the open slice. No chunk is
written before the one before it is on the disk: whatever a power cut leaves of the last one, the file then holds the
first so many messages and none behind a hole. Chunks are not compressed: JPEG does not shrink, and the control loop
needs the processor more than the disk needs the room. While a take is written, its file is locked (flock), which a
crash releases: recovery never touches a living take.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, cast

from mcap.writer import CompressionType, Writer

from graph.topics import Topic
from recorder.errors import TakeError
from recorder.messages import definition
from recorder.publish import sync_directory
from recorder.sequences import MODULUS
from recorder.space import Reserve
from recorder.take_file import TakeFile

SLICE_NS = 400_000_000
"""A slice is closed this long after its first message [ns]; with the writer's own 0.1 s wait at most 0.5 s is open."""

MAX_CHUNK_BYTES = 4 * 1024 * 1024
"""About a slice of four cameras. Larger ones cost twice the processor: their memory is asked for anew each time."""

METADATA_START = "humanoid_booth.take"
METADATA_END = "humanoid_booth.take_end"


class TakeWriter:
    """Writes one take. ``close`` is idempotent; the file is complete only after it.

    Args:
        path: a file that must not exist yet.
        metadata: what ``TakeMetadata.to_strings`` gives; on disk before the first message.
        topics: every topic that ``add`` will be called with.
        reserve: room on the disk to give back when it is full; None for none.

    Raises:
        TakeError: the file exists or can't be made.
    """

    def __init__(
        self, path: Path, metadata: Mapping[str, str], topics: Iterable[Topic], reserve: Reserve | None = None
    ) -> None:
        self.path = path
        self.messages = 0
        self._slice_start_ns: int | None = None
        try:
            self._file = TakeFile(path, reserve)
        except OSError as error:
            raise TakeError(f"can't start a take at {path}: {error.strerror}") from error
        self._writer = Writer(cast(IO[bytes], self._file), MAX_CHUNK_BYTES, CompressionType.NONE, enable_crcs=True)
        try:
            self._begin(metadata, topics)
        except OSError as error:
            self._file.close()
            raise self._failed(error) from error

    @property
    def written_bytes(self) -> int:
        """Size of the file so far."""
        return self._file.size

    @property
    def disk_full(self) -> bool:
        """Whether the disk was full and the reserve was given back: time to close."""
        return self._file.reserve_used

    def add(self, topic: str, data: bytes, receive_ns: int, publish_ns: int, sequence: int) -> None:
        """Append one message.

        Args:
            topic: a name registered at the start.
            data: CDR with its encapsulation header, as a raw subscription delivers it.
            receive_ns: graph time of arrival (MCAP log_time).
            publish_ns: graph time at which the publisher sent it, else of arrival (MCAP publish_time).
            sequence: the publisher's number of the message; kept modulo 2**32.

        Raises:
            TakeError: unknown topic, closed take, or the disk refuses (full, gone).
        """
        if topic not in self._channels:
            raise TakeError(f"topic {topic!r} is not in this take: expected one of {', '.join(self._channels)}")
        if self._file.closed:
            raise TakeError(f"{self.path.name} is closed: start a new take")
        if self._slice_start_ns is None:
            self._slice_start_ns = receive_ns
        before = self._file.size
        try:
            self._writer.add_message(self._channels[topic], receive_ns, data, publish_ns, sequence % MODULUS)
        except OSError as error:
            raise self._failed(error) from error
        self.messages += 1
        if self._file.size > before:  # the chunk was full
            self._sync()
        self.tick(receive_ns)

    def tick(self, now_ns: int) -> None:
        """Close the slice when it is due; to be called at least every 0.1 s, also when nothing arrives."""
        if self._slice_start_ns is None or now_ns - self._slice_start_ns < SLICE_NS:
            return
        self._sync()

    def close(self, end: Mapping[str, str] | None = None) -> None:
        """Finish the file: the last slice, ``end`` as metadata, index and footer, on disk when this returns.

        Raises:
            TakeError: the disk refuses; what was synced before stays readable.
        """
        if self._file.closed:
            return
        try:
            if not self._file.broken:
                self._writer.flush()
                self._writer.add_metadata(METADATA_END, dict(end or {}))
                self._file.sync()  # a footer on the disk says that all before it is there
                self._writer.finish()
                self._file.sync()
        except OSError as error:
            raise self._failed(error) from error
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Let go of the file as it is; nothing happens when it is closed already."""
        self._file.close()

    def __enter__(self) -> "TakeWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self, metadata: Mapping[str, str], topics: Iterable[Topic]) -> None:
        self._writer.start(profile="ros2", library="humanoid_booth")
        self._writer.add_metadata(METADATA_START, dict(metadata))
        self._channels = {topic.name: self._register(topic) for topic in topics}
        self._writer.flush()
        self._file.sync()
        sync_directory(self.path.parent)

    def _register(self, topic: Topic) -> int:
        schema = self._writer.register_schema(topic.type, "ros2msg", definition(topic.type))
        return int(self._writer.register_channel(topic.name, "cdr", schema, {"qos": topic.qos.value}))

    def _sync(self) -> None:
        self._slice_start_ns = None
        try:
            self._writer.flush()
            self._file.sync()
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> TakeError:
        return TakeError(
            f"can't write {self.path.name}: {error.strerror}; what was recorded so far can be recovered."
            " Free some space, then record again"
        )
