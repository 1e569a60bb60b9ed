# SPDX-License-Identifier: Apache-2.0
"""Fault: the disk fills up in a take. What was acknowledged stays readable, and the reserve closes the file."""

import errno
import os
import random
import shutil
import subprocess
from collections import namedtuple

import pytest
from counted import counted
from takes import MS, T0, Script, metadata, robot, script_messages, status

from graph.faults import FaultCode
from graph.stamps import GraphClock
from graph.topics import DRIVER_STATE, JOINT_STATES
from recorder import space
from recorder.episode import Episode
from recorder.errors import TakeError
from recorder.metadata import recorded_topics
from recorder.recover import recover
from recorder.session import RecordingSession, Settings
from recorder.space import ByteRate, Reserve, Room, drop_stale_reserves
from recorder.take import TakeWriter
from recorder.take_reader import read_take
from recorder.take_thread import Message, TakeThread

TIMES = counted(20, 200)
Usage = namedtuple("Usage", "total used free")


class FakeDisk:
    """A reserve, and a file on a disk that takes so many bytes, and those of the reserve when it is given back."""

    def __init__(self, raw, room, reserve_bytes):
        self.raw, self.room, self.held_bytes = raw, room, reserve_bytes

    def write(self, data):
        taken = min(len(data), self.room)
        if not taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= taken
        return self.raw.write(data[:taken])

    def hold(self):
        return self.held_bytes

    def release(self):
        held, self.held_bytes = self.held_bytes, 0
        self.room += held
        return held > 0

    def __getattr__(self, name):
        return getattr(self.raw, name)


def take_on(path, room, reserve_bytes):
    writer = TakeWriter(path, metadata().to_strings(), recorded_topics(robot(), {}))
    disk = FakeDisk(writer._file.raw, room, reserve_bytes)
    writer._file.raw, writer._file._reserve = disk, disk
    return writer, disk


def play(writer):
    """Messages of two seconds; the sequence numbers of those that were on the disk when a slice was closed."""
    numbers, synced, pending = {}, {}, {}
    for stamp_ns, topic, data in script_messages(Script(seconds=2.0)):
        numbers[topic] = numbers.get(topic, 0) + 1
        before = writer.written_bytes
        writer.add(topic, data, stamp_ns + 2 * MS, stamp_ns, numbers[topic])
        pending.setdefault(topic, []).append(numbers[topic])
        if writer.written_bytes > before:
            for name, found in pending.items():
                synced.setdefault(name, []).extend(found)
            pending = {}
        yield {name: list(found) for name, found in synced.items()}


@pytest.mark.parametrize("seed", range(TIMES))
def test_everything_acknowledged_is_readable_without_a_reserve(tmp_path, seed):
    path = tmp_path / "a.mcap"
    writer, _ = take_on(path, random.Random(seed).randrange(1_000, 350_000), 0)
    acknowledged = [{}]
    with pytest.raises(TakeError, match=r"can't write a\.mcap: No space left.*can be recovered"):
        acknowledged.extend(play(writer))
        writer.close()
    writer.close()
    take = read_take(path)
    assert (take.complete, take.torn_bytes, take.damaged_chunks) == (False, 0, 0)
    read = {topic: [message.sequence for message in found] for topic, found in take.messages.items()}
    assert {topic: read[topic][: len(found)] for topic, found in acknowledged[-1].items()} == acknowledged[-1]


@pytest.mark.parametrize("seed", range(TIMES))
def test_with_a_reserve_the_take_is_closed_as_if_nothing_had_happened(tmp_path, seed):
    path = tmp_path / "a.mcap"
    writer, disk = take_on(path, random.Random(seed).randrange(1_000, 300_000), 4 << 20)
    thread = TakeThread(writer, lambda: T0, disk)
    sent = {}
    for stamp_ns, topic, data in script_messages(Script(seconds=2.0)):
        number = len(sent.setdefault(topic, [])) + 1
        sent[topic].append(number)
        assert thread.put(Message(topic, data, stamp_ns + 2 * MS, stamp_ns, number))
    thread.close({"reason": "the disk is full"})
    assert thread.disk_full and not thread.reserved_bytes
    take = read_take(path)
    assert take.complete
    assert {topic: [message.sequence for message in found] for topic, found in take.messages.items()} == sent


def test_a_session_ends_the_take_that_lives_on_its_reserve(tmp_path, monkeypatch):
    monkeypatch.setattr(space, "RESERVE_BYTES", 1 << 20)
    session = RecordingSession(Settings("hx5_d20_right", tmp_path, 30.0, "", "", "", True, {}), GraphClock(0))
    session.start()
    take = session._take
    take.thread._writer._file.reserve_used = True
    state = session.poll()
    assert (state.message, session.recording) == ("SAVING", False)
    assert "almost full" in state.reason
    assert state.code == FaultCode.DISK_FULL.value
    session.close(0.0)


def test_the_reserve_takes_room_and_gives_it_back(tmp_path):
    reserve = Reserve(tmp_path / ".a.reserve", 1 << 20)
    assert reserve.hold() == 1 << 20 == (tmp_path / ".a.reserve").stat().st_blocks * 512
    assert reserve.release() and not reserve.release()
    assert not list(tmp_path.iterdir())


def test_what_a_killed_recorder_held_is_given_back_and_what_a_living_one_holds_is_not(tmp_path):
    (tmp_path / ".dead.reserve").write_bytes(b"x")
    living = Reserve(tmp_path / ".living.reserve", 4096)
    living.hold()
    drop_stale_reserves(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".living.reserve"]
    living.release()


def test_a_take_ends_while_its_episode_still_finds_room():
    gib = 1 << 30
    assert not Room(gib, gib // 2, 0.0).exhausted
    assert Room(gib, gib - space.MIN_FREE_BYTES + 1, 0.0).exhausted


def test_minutes_left_count_the_take_and_its_episode():
    room = Room(space.MIN_FREE_BYTES + 2_400_000_000, 1_200_000_000, 10_000_000.0)
    assert room.minutes_left == pytest.approx(1.0)
    assert "1.0 more minutes" in room.warning
    assert Room(10**12, 0, 10_000_000.0).warning == ""
    assert Room(10**12, 0, 0.0).minutes_left is None
    assert Room(0, 10**9, 1.0).minutes_left == 0.0


def test_the_rate_is_that_of_the_last_seconds():
    rate = ByteRate()
    assert rate.bytes_per_s(0) == 0.0
    for second in range(1, 11):
        rate.add(1_000)
        assert rate.bytes_per_s(second * 10**9) == pytest.approx(1_000)
    assert rate.bytes_per_s(60 * 10**9) < 100


def test_the_state_warns_before_the_disk_is_full(tmp_path, monkeypatch):
    now = [0]
    session = RecordingSession(
        Settings("hx5_d20_right", tmp_path, 30.0, "", "", "", True, {}), GraphClock(0, monotonic_ns=lambda: now[0])
    )
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, space.MIN_FREE_BYTES + 1_200_000_000))
    session.poll()
    session.message(JOINT_STATES.name, bytes(10_000_000), 0, 1)
    now[0] = 10**9
    state = session.poll()
    assert state.values()["minutes_left"] == "1.0"
    assert state.values()["rate_mb_s"] == "10.0"
    assert "1.0 more minutes" in state.values()["reason"]
    assert state.values()["code"] == FaultCode.DISK_FULL.value
    session.close(0.0)


@pytest.fixture
def mount(tmp_path):
    """Mount a small tmpfs; only root may, and not in every container."""
    mounted = []

    def make(size):
        path = tmp_path / f"disk{len(mounted)}"
        path.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", path], capture_output=True)
        if done.returncode:
            pytest.skip("no right to mount a tmpfs here")
        mounted.append(path)
        return path

    yield make
    for path in mounted:
        subprocess.run(["umount", "-l", path], check=True)


def fill(path, keep_free):
    """Somebody else fills the disk."""
    size = shutil.disk_usage(path).free - keep_free
    with (path / "filler").open("wb") as file:
        file.write(bytes(size))


@pytest.mark.parametrize("seed", range(TIMES))
def test_a_full_small_disk_costs_no_acknowledged_message(mount, seed):
    """A real file system and a real reserve: the take is closed on it, and its episode made once there is room."""
    if os.geteuid():
        pytest.skip("only root may mount")
    path = mount("8m")
    reserve = Reserve(path / ".a.reserve", 4 << 20)
    writer = TakeWriter(path / "a.mcap", metadata().to_strings(), recorded_topics(robot(), {}), reserve)
    reserve.hold()
    assert reserve.held_bytes == 4 << 20
    thread = TakeThread(writer, lambda: T0)
    fill(path, random.Random(seed).randrange(1, 60) * 4096)
    sent = 0
    for stamp_ns, topic, data in script_messages(Script(seconds=2.0)):
        assert thread.put(Message(topic, data, stamp_ns + 2 * MS, stamp_ns, sent))
        sent += 1
    thread.close({"reason": "the disk is full"})
    assert thread.disk_full
    take = read_take(path / "a.mcap")
    assert take.complete
    assert sum(len(found) for found in take.messages.values()) == sent


def test_a_take_that_found_no_room_at_all_is_made_an_episode_when_there_is(mount):
    path = mount("8m")
    writer = TakeWriter(path / "a.mcap", metadata().to_strings(), recorded_topics(robot(), {}))
    fill(path, 200_000)
    with pytest.raises(TakeError, match="No space left"):
        list(play(writer))
    writer.abandon()
    (refused,) = recover(path)
    assert refused.episode is None and (path / "a.mcap").is_file()
    (path / "filler").unlink()
    (recovered,) = recover(path)
    with Episode.open(recovered.episode.path) as episode:
        assert not episode.attribute("complete")
        assert episode.rows > 10


def test_a_take_can_be_closed_after_a_failure_without_a_second_complaint(tmp_path):
    writer, _ = take_on(tmp_path / "a.mcap", 10, 0)
    with pytest.raises(TakeError):
        writer.add(DRIVER_STATE.name, status("x" * 5_000_000), T0, T0, 1)
    writer.close()
    writer.close()
