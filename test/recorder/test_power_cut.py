# SPDX-License-Identifier: Apache-2.0
"""Fault: the power goes. Every take is there up to its last fsync, nothing behind a hole; no episode is ever half."""

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from counted import counted
from cut_disk import CutDisk, torn
from takes import MS, T0, Script, make_take, metadata, robot, script_messages, wave

from graph.topics import JOINT_STATES
from recorder.episode import Episode
from recorder.errors import TakeError
from recorder.finalise import finalise
from recorder.manifest import changed_datasets
from recorder.metadata import recorded_topics
from recorder.recover import recover
from recorder.take import TakeWriter
from recorder.take_file import TakeFile
from recorder.take_reader import read_take

CUTS = counted(60, 200)
SECONDS = 3.0
ENOUGH_S = 1.0
"""A take of which so much is safe can always be made an episode."""

END = {"reason": "stopped"}
Numbers = list[tuple[str, int]]


@dataclass
class Recorded:
    """A take that was written while the disk was watched: its messages in order, and what the disk was asked for."""

    disk: CutDisk
    messages: Numbers


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    directory = tmp_path_factory.mktemp("recorded")
    with pytest.MonkeyPatch.context() as monkeypatch:
        disk = CutDisk(directory, monkeypatch)
        yield Recorded(disk, record(disk, monkeypatch))


def record(disk: CutDisk, monkeypatch: pytest.MonkeyPatch) -> Numbers:
    """Write a take; what its writer says is safe is a promise."""
    path, written = disk.directory / "a.mcap", TakeFile.write

    def write(self: TakeFile, data: bytes) -> int:
        done = written(self, data)
        disk.wrote(path)
        return done

    monkeypatch.setattr(TakeFile, "write", write)
    writer = TakeWriter(path, metadata().to_strings(), recorded_topics(robot(), {}))
    disk.promised(0)
    messages: Numbers = []
    counts: dict[str, int] = {}
    for stamp_ns, topic, data in script_messages(Script(seconds=SECONDS, jpeg_bytes=3_000)):
        counts[topic] = counts.get(topic, 0) + 1
        messages.append((topic, counts[topic]))
        before = disk.kinds().count("sync")
        writer.add(topic, data, stamp_ns + 2 * MS, stamp_ns, counts[topic])
        if disk.kinds().count("sync") > before:
            disk.promised(len(messages))
    writer.close(END)
    disk.promised(len(messages))
    return messages


def moments(acts: int) -> Iterator[tuple[int, random.Random]]:
    """After how many acts the power goes: after each of them in turn, with different luck each time."""
    for number in range(CUTS):
        yield 1 + number * max(1, acts // CUTS | 1) % acts, random.Random(number)


def numbers(path: Path) -> dict[str, list[int]]:
    return {topic: [item.sequence for item in found] for topic, found in read_take(path).messages.items()}


def by_topic(messages: Numbers) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for topic, number in messages:
        found.setdefault(topic, []).append(number)
    return found


def safe_s(messages: Numbers) -> float:
    return sum(topic == JOINT_STATES.name for topic, _ in messages) / 100


def test_a_take_is_its_first_messages_up_to_the_last_fsync_or_further(recorded: Recorded, tmp_path: Path) -> None:
    lengths = set()
    for count, chance in moments(len(recorded.disk.acts)):
        left = tmp_path / f"{count}-{chance.random()}"
        left.mkdir()
        promised = recorded.disk.after(count, chance, left)
        if promised < 0:
            continue  # the take had not begun
        found = numbers(left / "a.mcap")
        length = sum(len(of_topic) for of_topic in found.values())
        assert length >= promised
        assert found == by_topic(recorded.messages[:length])
        if read_take(left / "a.mcap").complete:
            assert length == len(recorded.messages)
            assert read_take(left / "a.mcap").end == END
        lengths.add(length)
    assert len(lengths) > 5, "the power went at the same moment again and again"


def test_what_is_left_becomes_an_episode_of_true_rows(recorded: Recorded, tmp_path: Path) -> None:
    made = 0
    for count, chance in moments(len(recorded.disk.acts)):
        left = tmp_path / f"{count}-{chance.random()}"
        left.mkdir()
        promised = recorded.disk.after(count, chance, left)
        (recovery, *_) = recover(left) or [None]
        if recovery is None or recovery.episode is None:
            assert safe_s(recorded.messages[: max(0, promised)]) < ENOUGH_S
            continue
        made += 1
        with Episode.open(recovery.episode.path) as episode:
            assert changed_datasets(episode.file) == []
            stamps_s = (episode["/time/joint_states/stamp_ns"] - T0) / 1e9
            assert np.abs(episode["/observations/qpos"] - wave(stamps_s - 0.05)).max() < 1e-5
        shutil.rmtree(left)
    assert made > CUTS / 3


def test_an_episode_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "work"
    work.mkdir()
    take = make_take(work / "a.mcap", Script(seconds=1.0))
    with monkeypatch.context() as patch:
        disk = CutDisk(work, patch)
        reference = finalise(take).path
    with Episode.open(reference) as episode:
        manifest = episode.attribute("manifest")
    seen = set()
    for number in range(CUTS):
        count, chance = number % (len(disk.acts) + 1), random.Random(number)
        left = tmp_path / f"left{number}"
        left.mkdir()
        disk.after(count, chance, left)
        shutil.copyfile(take, left / take.name)
        seen |= {path.name for path in left.iterdir()}
        if not (left / "a.h5").exists():
            assert [item.reason for item in recover(left)] == [""]
        with Episode.open(left / "a.h5") as episode:
            assert changed_datasets(episode.file) == []
            assert episode.attribute("manifest") == manifest
        assert not list(left.glob("*.part"))
        shutil.rmtree(left)
    assert seen == {"a.mcap", "a.h5", "a.h5.part"}


def test_an_episode_gets_its_name_after_its_bytes_and_then_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = make_take(tmp_path / "a.mcap", Script(seconds=1.0))
    disk = CutDisk(tmp_path, monkeypatch)
    finalise(take)
    assert disk.kinds()[-3:] == ["sync", "name", "sync_names"]
    *_, synced, renamed = [act.content for act in disk.acts if act.kind == "write"]
    assert synced == renamed, "it was written to after its last fsync"


@pytest.mark.parametrize("seed", range(5))
def test_a_sector_that_was_fsynced_is_never_lost(seed: int) -> None:
    chance = random.Random(seed)
    kept = chance.randbytes(5000)
    left = torn(kept, kept + chance.randbytes(9000), chance)
    assert left[:5000] == kept


def test_a_chunk_that_is_full_early_is_fsynced_before_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.take.MAX_CHUNK_BYTES", 20_000)
    disk = CutDisk(tmp_path, monkeypatch)
    full = 0
    with TakeWriter(tmp_path / "a.mcap", metadata().to_strings(), recorded_topics(robot(), {})) as writer:
        for number in range(10):
            size, synced = writer.written_bytes, disk.kinds().count("sync")
            writer.add(JOINT_STATES.name, bytes(15_000), T0 + number, T0 + number, number + 1)
            assert (disk.kinds().count("sync") > synced) == (writer.written_bytes > size)
            full += writer.written_bytes > size
    assert full > 3


def test_a_take_that_can_not_begin_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.mcap").write_bytes(b"")
    with pytest.raises(TakeError, match="can't start a take"):
        TakeWriter(tmp_path / "a.mcap", metadata().to_strings(), recorded_topics(robot(), {}))
