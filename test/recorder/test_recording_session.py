# SPDX-License-Identifier: Apache-2.0
"""Start, stop, discard, save: a recorder's life without ROS."""

import json
import shutil
import threading
from collections import namedtuple

import pytest
from takes import MS, T0, Script, make_take, script_messages

from graph.stamps import GraphClock
from graph.topics import JOINT_STATES, RECORDER_EVENT, RECORDER_MARKER
from recorder import take_thread
from recorder.episode import Episode
from recorder.errors import TakeError
from recorder.events import string_message
from recorder.labels import Labels
from recorder.recover import TRASH, leftover_takes
from recorder.session import RecordingSession, Settings
from recorder.take_reader import read_take

Usage = namedtuple("Usage", "total used free")


class Clock:
    """A monotonic clock that the test moves."""

    def __init__(self):
        self.now_ns = 5_000_000_000

    def __call__(self):
        return self.now_ns


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def session(tmp_path, clock):
    settings = Settings("hx5_d20_right", tmp_path / "takes", 30.0, "wave", "ada", "b1", True, {})
    made = RecordingSession(settings, GraphClock(T0 - 5_000_000_000, monotonic_ns=clock))
    yield made
    made.close(100.0)


@pytest.fixture
def words(session, monkeypatch):
    """What the session says of its own acts."""
    said = []
    monkeypatch.setattr(session, "_told", said.append)
    return said


def play(session, clock, begin_s=0.0, end_s=1.0):
    """Everything that is published between two moments of the script."""
    numbers = {}
    for stamp_ns, topic, data in script_messages(Script(seconds=max(end_s, 1.0))):
        numbers[topic] = numbers.get(topic, 0) + 1
        if begin_s * 1e9 <= stamp_ns - T0 < end_s * 1e9 or (begin_s == 0.0 and stamp_ns < T0):
            clock.now_ns = stamp_ns + MS - (T0 - 5_000_000_000)
            session.message(topic, data, stamp_ns, numbers[topic])


def test_a_take_is_recorded_stopped_and_saved(session, clock, tmp_path):
    name = session.start()
    assert session.poll().message == "RECORDING"
    play(session, clock)
    assert session.stop("stopped") == name
    assert session.state.message == "SAVING"
    session.close(100.0)
    assert (session.state.message, session.state.dropped_rows) == ("SAVED", 0)
    with Episode.open(session.state.episode) as episode:
        assert episode.path.stem == name
        assert (episode.attribute("task"), episode.attribute("end_reason")) == ("wave", "stopped")
        assert episode.attribute("complete")


def test_a_state_told_before_the_take_began_is_in_the_take(session, clock):
    script = Script(seconds=1.0, engage_at_s=0.1)
    early = [item for item in script_messages(script) if item[1] == "/driver/state"]
    for number, (stamp_ns, topic, data) in enumerate(early):
        session.message(topic, data, stamp_ns, number + 1)
    session.start()
    for stamp_ns, topic, data in script_messages(script):
        if topic != "/driver/state":
            session.message(topic, data, stamp_ns, 1)
    session.stop("stopped")
    session.close(100.0)
    with Episode.open(session.state.episode) as episode:
        assert episode["/operator/engaged"][-1]


def test_the_next_take_may_start_while_the_last_is_saved(session, clock):
    session.start()
    play(session, clock)
    session.stop("stopped")
    session.start()
    assert session.poll().message == "RECORDING"


def test_starting_twice_and_stopping_nothing_are_refused_in_words(session):
    with pytest.raises(TakeError, match="nothing is being recorded"):
        session.stop("stopped")
    session.start()
    with pytest.raises(TakeError, match="is being recorded already"):
        session.start()


def test_a_running_take_is_discarded_into_the_trash(session, clock, tmp_path):
    name = session.start()
    play(session, clock)
    assert session.discard() == name
    assert (tmp_path / "takes" / TRASH / f"{name}.mcap").is_file()
    assert not session.recording


def test_the_last_saved_take_is_discarded_with_its_episode(session, clock, tmp_path):
    name = session.start()
    play(session, clock)
    session.stop("stopped")
    session.close(100.0)
    session.discard()
    kept = sorted(path.name for path in (tmp_path / "takes" / TRASH).iterdir())
    assert kept == [f"{name}.h5", f"{name}.mcap"]
    with pytest.raises(TakeError, match="no take to discard"):
        session.discard()


def test_too_little_disk_refuses_a_start_with_the_reason(session, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, 5 * 10**8))
    with pytest.raises(TakeError, match=r"only 0\.50 GB free.*needs at least 1\.07 GB"):
        session.start()


def test_a_disk_that_fills_up_ends_the_take_while_it_can_be_saved(session, clock, monkeypatch):
    session.start()
    play(session, clock)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, 10**8))
    state = session.poll()
    assert (state.message, session.recording) == ("SAVING", False)
    assert "almost full" in state.reason


def told(session, topic):
    """Texts of a topic of the last take."""
    return [(m.publish_ns - T0, m.data.tobytes()[8:-1].decode()) for m in read_take(session._last_take).messages[topic]]


def test_a_pause_is_marked_and_recorded_all_the_same(session, clock, words):
    session.start()
    play(session, clock, 0.0, 1.0)
    assert session.set_paused(True) == "paused"
    assert session.poll().values()["paused"] == "true"
    with pytest.raises(TakeError, match="paused already"):
        session.set_paused(True)
    play(session, clock, 1.0, 2.0)
    session.set_paused(False)
    with pytest.raises(TakeError, match="not paused"):
        session.set_paused(False)
    session.stop("stopped")
    session.close(100.0)
    assert words == ["record_started", "paused", "resumed"]
    paused, resumed = (stamp_ns for stamp_ns, text in told(session, RECORDER_EVENT.name) if text != "record_started")
    assert 1.9e9 < resumed - (paused - 1e9) < 2.1e9
    with Episode.open(session.state.episode) as episode:
        events = [(stream, text) for _, stream, text in episode.events() if stream == "recorder_event"]
        assert events == [("recorder_event", word) for word in words]
        assert episode.rows >= 55


def test_markers_are_numbered_and_texts_of_others_are_kept_with_their_time(session, clock):
    with pytest.raises(TakeError, match="nothing is being recorded"):
        session.mark()
    session.start()
    play(session, clock, 0.0, 0.5)
    assert session.mark() == "mark 1"
    session.message(RECORDER_MARKER.name, string_message("lift the cup"), T0 + 600 * MS, 1)
    session.message(RECORDER_MARKER.name, string_message("lift the cup"), T0 + 700 * MS, 2)
    play(session, clock, 0.5, 1.0)
    assert session.mark() == "mark 2"
    session.stop("stopped")
    session.close(100.0)
    with Episode.open(session.state.episode) as episode:
        found = [text for _, stream, text in episode.events() if stream == "marker"]
    assert found == ["mark 1", "lift the cup", "lift the cup", "mark 2"]


def test_rows_begin_with_the_preroll_and_the_moment_of_the_start_is_marked(tmp_path, clock):
    settings = Settings("hx5_d20_right", tmp_path, 30.0, "", "", "", True, {}, preroll_s=1.0)
    session = RecordingSession(settings, GraphClock(T0 - 5_000_000_000, monotonic_ns=clock))
    play(session, clock, 0.0, 2.0)
    session.start()
    play(session, clock, 2.0, 2.5)
    session.stop("stopped")
    session.close(100.0)
    take = read_take(session._last_take)
    first_ns = min(message.receive_ns for message in take.messages[JOINT_STATES.name])
    assert 0.95e9 < take.metadata.started_ns - first_ns < 1.05e9
    assert [text for _, text in told(session, RECORDER_EVENT.name)] == ["record_started"]
    with Episode.open(session.state.episode) as episode:
        assert 42 <= episode.rows <= 46
        assert int(episode.attribute("dropped_rows")) == 0
        assert episode["/operator/engaged"][0]


def test_a_stalled_disk_does_not_delay_the_next_take(session, clock, monkeypatch):
    """The first take can't be closed while the second is recorded; it is closed when the disk is back."""
    disk = threading.Event()
    session.start()
    stalled = session._take.thread
    sync = stalled._writer._file.sync
    monkeypatch.setattr(stalled._writer._file, "sync", lambda: disk.wait(20.0) and sync())
    play(session, clock)
    first = session.stop("stopped")
    assert not stalled.done
    second = session.start()
    assert session.poll().message == "RECORDING"
    play(session, clock)
    session.stop("stopped")
    disk.set()
    session.close(100.0)
    session.close(100.0)
    assert first != second
    assert read_take(session._settings.directory / f"{first}.mcap").complete


def test_a_take_is_discarded_while_it_is_still_being_closed(session, clock, tmp_path):
    disk = threading.Event()
    session.start()
    writer = session._take.thread._writer
    sync, writer._file.sync = writer._file.sync, lambda: disk.wait(20.0) and sync()
    play(session, clock)
    name = session.discard()
    disk.set()
    session.close(100.0)
    assert read_take(tmp_path / "takes" / TRASH / f"{name}.mcap").complete
    assert not list((tmp_path / "takes").glob("*.mcap"))


def test_what_was_left_out_is_told_and_lost_in_the_episode(session, clock, monkeypatch):
    session.start()
    play(session, clock, 0.0, 0.4)
    monkeypatch.setattr(take_thread, "MAX_QUEUED_BYTES", 0)
    play(session, clock, 0.4, 0.5)
    monkeypatch.undo()
    play(session, clock, 0.5, 1.0)
    state = session.poll()
    assert state.left_out > 10 and "messages were left out" in state.warning
    session.stop("stopped")
    session.close(100.0)
    with Episode.open(session.state.episode) as episode:
        lost = json.loads(episode.attribute("lost_messages"))
        assert lost["joint_states"] == 10
        assert int(episode.attribute("dropped_rows")) > 0
    assert json.loads(read_take(session._last_take).end["left_out"])[JOINT_STATES.name] == 10


def test_a_take_that_holds_nothing_fails_with_the_reason(session):
    session.start()
    session.stop("stopped")
    session.close(100.0)
    assert session.state.message == "FAILED"
    assert "no /joint_states" in session.state.reason


def test_leftovers_become_episodes_at_the_start(tmp_path, clock):
    directory = tmp_path / "takes"
    directory.mkdir()
    make_take(directory / "old.mcap", Script(close=False))
    session = RecordingSession(
        Settings("hx5_d20_right", directory, 30.0, "", "", "", True, {}), GraphClock(0, monotonic_ns=clock)
    )
    session.close(100.0)
    assert (session.state.message, session.state.reason) == ("READY", f"recovered {directory / 'old.h5'}")


def test_a_recovery_is_never_told_as_the_episode_of_the_last_take(tmp_path, clock):
    directory = tmp_path / "takes"
    directory.mkdir()
    make_take(directory / "old.mcap", Script(close=False))
    session = RecordingSession(
        Settings("hx5_d20_right", directory, 30.0, "", "", "", True, {}),
        GraphClock(T0 - 5_000_000_000, monotonic_ns=clock),
    )
    name = session.start()
    play(session, clock)
    session.stop("stopped")
    while session.poll().message == "SAVING":
        pass
    assert (session.state.message, session.state.take) == ("SAVED", name)
    session.close(100.0)


def test_a_saved_take_is_discarded_and_restored_while_older_ones_are_still_being_recovered(tmp_path, clock):
    directory = tmp_path / "takes"
    directory.mkdir()
    for name in ("old", "older"):
        make_take(directory / f"{name}.mcap", Script(close=False))
    session = RecordingSession(
        Settings("hx5_d20_right", directory, 30.0, "", "", "", True, {}),
        GraphClock(T0 - 5_000_000_000, monotonic_ns=clock),
    )
    name = session.start()
    play(session, clock)
    session.stop("stopped")
    with pytest.raises(TakeError, match="still being saved"):
        session.discard()
    while session.poll().message == "SAVING":
        pass
    assert session.discard() == name
    assert len(leftover_takes(directory)) >= 1
    assert session.restore() == name
    assert (directory / f"{name}.h5").is_file()
    session.close(100.0)


def test_a_rate_that_makes_no_sense_is_refused_before_anything_is_recorded(tmp_path, clock):
    settings = Settings("hx5_d20_right", tmp_path / "takes", 0.0, "", "", "", True, {})
    with pytest.raises(TakeError, match="rate_hz should lie in"):
        RecordingSession(settings, GraphClock(T0, monotonic_ns=clock))


def test_the_next_take_carries_what_the_session_says_and_the_settings_where_it_says_nothing(session, clock):
    session.label(Labels("ana", "", "", "0193-7", 4))
    session.start()
    session.label(Labels())
    play(session, clock)
    session.stop("stopped")
    session.close(100.0)
    facts = read_take(session._last_take).metadata
    assert (facts.operator, facts.task, facts.booth) == ("ana", "wave", "b1")
    assert (facts.session, facts.episode_number) == ("0193-7", 4)


def test_in_training_a_start_is_refused_in_words(session):
    session.label(Labels("ana", training=True))
    with pytest.raises(TakeError, match="training: nothing is recorded"):
        session.start()
    session.label(Labels("ana"))
    assert session.start()


def test_a_discarded_take_comes_back_with_its_episode_and_its_verdict(session, clock, tmp_path):
    name = session.start()
    play(session, clock)
    session.stop("stopped")
    session.close(100.0)
    before = session.state
    session.discard()
    assert session.restore() == name
    assert sorted(path.name for path in (tmp_path / "takes").glob("2*")) == [f"{name}.h5", f"{name}.mcap"]
    assert list((tmp_path / "takes" / TRASH).iterdir()) == []
    assert session.state == before
    assert session.discard() == name


def test_a_running_take_that_was_discarded_comes_back_and_gets_its_episode(session, clock, tmp_path):
    name = session.start()
    play(session, clock)
    session.discard()
    assert session._closing[0].thread.wait(20.0)
    assert session.restore() == name
    assert session.state.message == "SAVING"
    session.close(100.0)
    assert (session.state.message, session.state.take) == ("SAVED", name)
    assert (tmp_path / "takes" / f"{name}.h5").is_file()


def test_a_take_that_is_still_being_closed_comes_back_later(session, clock):
    disk = threading.Event()
    session.start()
    writer = session._take.thread._writer
    sync, writer._file.sync = writer._file.sync, lambda: disk.wait(20.0) and sync()
    play(session, clock)
    name = session.discard()
    with pytest.raises(TakeError, match="still being closed"):
        session.restore()
    disk.set()
    assert session._closing[0].thread.wait(20.0)
    assert session.restore() == name


def test_what_can_not_come_back_says_why_and_nothing_is_overwritten(session, clock, tmp_path):
    with pytest.raises(TakeError, match="no take to restore"):
        session.restore()
    name = session.start()
    play(session, clock)
    session.stop("stopped")
    session.close(100.0)
    session.discard()
    other = tmp_path / "takes" / f"{name}.h5"
    other.write_bytes(b"another")
    with pytest.raises(TakeError, match=f"{name}.h5 is there again"):
        session.restore()
    assert other.read_bytes() == b"another"
    other.unlink()
    running = session.start()
    with pytest.raises(TakeError, match="being recorded or saved"):
        session.restore()
    session.discard()
    assert session._closing[0].thread.wait(20.0)
    (tmp_path / "takes" / TRASH / f"{running}.mcap").unlink()
    with pytest.raises(TakeError, match=f"{running}.mcap is not in trash/ any longer"):
        session.restore()


def test_a_take_whose_name_in_the_trash_was_taken_comes_back_under_its_own(session, clock, tmp_path):
    name = session.start()
    play(session, clock)
    session.stop("stopped")
    session.close(100.0)
    (tmp_path / "takes" / TRASH).mkdir()
    (tmp_path / "takes" / TRASH / f"{name}.h5").write_bytes(b"older")
    session.discard()
    session.restore()
    with Episode.open(tmp_path / "takes" / f"{name}.h5") as episode:
        assert episode.rows > 0
