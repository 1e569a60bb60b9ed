# SPDX-License-Identifier: Apache-2.0
"""Start, stop, discard, save: a recorder's life without ROS."""

import shutil
from collections import namedtuple

import pytest
from takes import MS, T0, Script, make_take, script_messages

from graph.stamps import GraphClock
from recorder.episode import Episode
from recorder.errors import TakeError
from recorder.recover import TRASH
from recorder.session import RecordingSession, Settings

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
    made.close(20.0)


def play(session, clock):
    numbers = {}
    for stamp_ns, topic, data in script_messages(Script(seconds=1.0)):
        clock.now_ns = stamp_ns + MS - (T0 - 5_000_000_000)
        numbers[topic] = numbers.get(topic, 0) + 1
        session.message(topic, data, stamp_ns, numbers[topic])


def test_a_take_is_recorded_stopped_and_saved(session, clock, tmp_path):
    name = session.start()
    assert session.poll().message == "RECORDING"
    play(session, clock)
    assert session.stop("stopped") == name
    assert session.state.message == "SAVING"
    session.close(20.0)
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
    session.close(20.0)
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
    session.close(20.0)
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


def test_a_take_that_holds_nothing_fails_with_the_reason(session):
    session.start()
    session.stop("stopped")
    session.close(20.0)
    assert session.state.message == "FAILED"
    assert "no /joint_states" in session.state.reason


def test_leftovers_become_episodes_at_the_start(tmp_path, clock):
    directory = tmp_path / "takes"
    directory.mkdir()
    make_take(directory / "old.mcap", Script(close=False))
    session = RecordingSession(
        Settings("hx5_d20_right", directory, 30.0, "", "", "", True, {}), GraphClock(0, monotonic_ns=clock)
    )
    session.close(20.0)
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
    session.close(20.0)


def test_a_rate_that_makes_no_sense_is_refused_before_anything_is_recorded(tmp_path, clock):
    settings = Settings("hx5_d20_right", tmp_path / "takes", 0.0, "", "", "", True, {})
    with pytest.raises(TakeError, match="rate_hz should lie in"):
        RecordingSession(settings, GraphClock(T0, monotonic_ns=clock))
