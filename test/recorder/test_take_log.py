# SPDX-License-Identifier: Apache-2.0
"""The take on disk: readable by anybody, and readable up to its last complete chunk wherever it is cut."""

import json
import mmap
import resource
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader
from takes import MS, ROBOT, T0, Script, make_take, metadata, robot, status

from graph.topics import DRIVER_STATE, HANDS, JOINT_STATES
from recorder import take_thread
from recorder.errors import TakeError
from recorder.metadata import recorded_topics
from recorder.sequences import lost_before
from recorder.take import SLICE_NS, TakeWriter
from recorder.take_reader import read_take
from recorder.take_thread import Message, TakeThread


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return make_take(tmp_path_factory.mktemp("take") / "whole.mcap", Script(seconds=3.0))


def messages(take):
    return {topic: [(m.sequence, bytes(m.data)) for m in found] for topic, found in take.messages.items()}


def open_writer(path):
    return TakeWriter(path, metadata().to_strings(), recorded_topics(robot(), {}))


def test_a_closed_take_is_complete_and_keeps_every_message(whole):
    take = read_take(whole)
    assert take.complete and not take.torn_bytes and not take.damaged_chunks
    assert len(take.messages[JOINT_STATES.name]) == 301
    assert take.metadata == metadata()
    assert take.end["reason"] == "stopped"


def test_the_mcap_library_reads_a_take_as_any_ros_tool_would(whole):
    with whole.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        assert reader.get_header().profile == "ros2"
        schema, channel, message = next(iter(reader.iter_messages(topics=[JOINT_STATES.name])))
        chunks = reader.get_summary().chunk_indexes
    assert (schema.name, schema.encoding) == ("sensor_msgs/msg/JointState", "ros2msg")
    assert b"builtin_interfaces/Time stamp" in schema.data and b"float64[] position" in schema.data
    assert channel.message_encoding == "cdr"
    assert (message.sequence, message.publish_time, message.log_time) == (1, T0, T0 + 2 * MS)
    assert max(chunk.message_end_time - chunk.message_start_time for chunk in chunks) <= SLICE_NS + 50 * MS


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0.0, 1.0))
def test_a_take_cut_anywhere_yields_a_prefix_of_its_messages(whole, tmp_path_factory, share):
    data = whole.read_bytes()
    cut = tmp_path_factory.mktemp("cut") / "cut.mcap"
    cut.write_bytes(data[: int(share * (len(data) - 1))])
    try:
        take = read_take(cut)
    except TakeError as error:
        assert share < 0.1, error
        return
    assert not take.complete
    all_messages = messages(read_take(whole))
    assert all(all_messages[topic][: len(found)] == found for topic, found in messages(take).items())


def test_at_most_half_a_second_is_lost_when_a_recorder_is_killed(tmp_path):
    take = read_take(make_take(tmp_path / "killed.mcap", Script(seconds=3.0, close=False)))
    last_ns = max(message.receive_ns for found in take.messages.values() for message in found)
    assert not take.complete
    assert T0 + 3_000 * MS - last_ns <= 500 * MS


def test_zeros_behind_the_last_chunk_are_ignored(whole, tmp_path):
    torn = tmp_path / "power_cut.mcap"
    torn.write_bytes(whole.read_bytes()[:200_000] + bytes(mmap.PAGESIZE))
    assert not read_take(torn).complete


def test_a_flipped_bit_costs_one_chunk_and_is_told(whole, tmp_path):
    data = bytearray(whole.read_bytes())
    data[len(data) // 2] ^= 1
    flipped = tmp_path / "flipped.mcap"
    flipped.write_bytes(data)
    take = read_take(flipped)
    assert (take.complete, take.damaged_chunks) == (False, 1)
    found = lost_before(message.sequence for message in take.messages[JOINT_STATES.name])
    assert 0 < found.sum() < 60


def test_a_slice_is_closed_even_when_nothing_arrives(tmp_path):
    writer = open_writer(tmp_path / "quiet.mcap")
    writer.add(DRIVER_STATE.name, status("READY"), T0, T0, 1)
    writer.tick(T0 + SLICE_NS)
    assert len(read_take(writer.path).messages[DRIVER_STATE.name]) == 1
    writer.close()


def test_closing_twice_is_harmless_and_adding_afterwards_is_refused(tmp_path):
    writer = open_writer(tmp_path / "closed.mcap")
    writer.close()
    writer.close()
    with pytest.raises(TakeError, match="is closed"):
        writer.add(HANDS.name, b"", T0, T0, 1)


def test_an_existing_take_is_never_overwritten(whole):
    before = whole.read_bytes()
    with pytest.raises(TakeError, match="can't start a take"):
        open_writer(whole)
    assert whole.read_bytes() == before


def test_a_topic_nobody_registered_is_refused(tmp_path):
    with open_writer(tmp_path / "a.mcap") as writer, pytest.raises(TakeError, match=r"'/nobody'.*expected one of"):
        writer.add("/nobody", b"", T0, T0, 1)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89MCAP0\r\n"])
def test_what_is_no_take_is_refused_in_words(tmp_path, content):
    path = tmp_path / "other.mcap"
    path.write_bytes(content)
    with pytest.raises(TakeError, match=r"other\.mcap"):
        read_take(path)


@pytest.fixture
def small_disk():
    """Files may not grow beyond 200 kB, as on a disk that fills up."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_and_what_was_written_stays_readable(tmp_path, small_disk):
    with pytest.raises(TakeError, match=r"can't write a\.mcap: .*can be recovered"):
        make_take(tmp_path / "a.mcap", Script(seconds=3.0))
    take = read_take(tmp_path / "a.mcap")
    assert not take.complete
    assert len(take.messages[JOINT_STATES.name]) > 50


def test_the_thread_keeps_the_reason_why_it_stopped_writing(tmp_path, small_disk):
    thread = TakeThread(open_writer(tmp_path / "a.mcap"), lambda: T0)
    big = status("x" * 300_000)
    for number in range(3):
        thread.put(Message(DRIVER_STATE.name, big, T0 + number * SLICE_NS, T0, number))
    with pytest.raises(TakeError, match="can't write"):
        thread.close({})
    assert thread.error is not None
    assert not thread.put(Message(DRIVER_STATE.name, big, T0, T0, 9))


def test_what_does_not_fit_into_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(take_thread, "MAX_QUEUED_BYTES", 100)
    thread = TakeThread(open_writer(tmp_path / "a.mcap"), lambda: T0)
    assert not thread.put(Message(DRIVER_STATE.name, bytes(101), T0, T0, 1))
    assert thread.left_out == 1
    thread.close({})
    thread.close({})
    assert json.loads(read_take(tmp_path / "a.mcap").end["left_out"]) == {DRIVER_STATE.name: 1}


def test_what_did_not_fit_is_a_gap_in_the_numbers_of_its_topic(tmp_path, monkeypatch):
    """A disk that stalls: the thread can't write while the queue fills up."""
    monkeypatch.setattr(take_thread, "MAX_QUEUED_BYTES", 5_000)
    monkeypatch.setattr(take_thread, "WAIT_S", 3600.0)
    thread = TakeThread(open_writer(tmp_path / "a.mcap"), lambda: T0)
    data = status("READY", "x" * 900)
    took = [thread.put(Message(DRIVER_STATE.name, data, T0 + k, T0 + k, k)) for k in range(7)]
    thread._write_queued()
    took += [thread.put(Message(DRIVER_STATE.name, data, T0 + k, T0 + k, k)) for k in range(7, 10)]
    thread.close({})
    kept = [message.sequence for message in read_take(tmp_path / "a.mcap").messages[DRIVER_STATE.name]]
    assert kept == [k for k in range(10) if took[k]]
    assert 0 < thread.left_out == lost_before(kept).sum() < 6


def test_closing_is_handed_over_and_waits_for_nobody(tmp_path):
    writer = open_writer(tmp_path / "a.mcap")
    slow = threading.Event()
    original, writer._file.sync = writer._file.sync, lambda: slow.wait(20.0) and original()
    thread = TakeThread(writer, lambda: T0)
    thread.put(Message(DRIVER_STATE.name, status("READY"), T0, T0, 1))
    thread.finish({"reason": "stopped"})
    assert not thread.done
    slow.set()
    assert thread.wait(20.0)
    assert read_take(tmp_path / "a.mcap").complete


def test_metadata_survives_the_file(whole):
    assert read_take(whole).metadata.description().name == ROBOT
