# SPDX-License-Identifier: Apache-2.0
"""Finalisers in processes of their own: one that waits, one that works, and none that is left behind."""

import os
import signal
import time

import pytest
from takes import Script, make_take

from recorder.background import Background
from recorder.episode import Episode

PATIENCE_S = 60.0


@pytest.fixture
def background():
    made = Background()
    yield made
    made.wait(0.0)


def outcome(background):
    deadline = time.monotonic() + PATIENCE_S
    while not background.has_news:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (found,) = background.poll()
    return found


def take(directory, name="a.mcap"):
    return make_take(directory / name, Script(seconds=0.5))


def ended(pid):
    deadline = time.monotonic() + PATIENCE_S
    while os.path.exists(f"/proc/{pid}"):  # noqa: PTH110
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return True


@pytest.mark.parametrize("prepared", [True, False])
def test_a_take_becomes_an_episode_whether_somebody_waited_for_it_or_not(tmp_path, background, prepared):
    if prepared:
        background.prepare()
    background.add(take(tmp_path))
    found = outcome(background)
    with Episode.open(found.episode) as episode:
        assert episode.rows == found.rows
    assert not background.busy


def test_one_waits_at_most_and_takes_the_next_take(tmp_path, background):
    background.prepare()
    waiting = background._ready
    background.prepare()
    assert background._ready is waiting
    background.add(take(tmp_path))
    assert background._running[1] is waiting
    assert background._ready is None
    assert outcome(background).episode


def test_one_that_died_while_it_waited_is_replaced(tmp_path, background):
    background.prepare()
    background._ready.kill()
    background._ready.wait()
    background.add(take(tmp_path))
    assert outcome(background).episode


def test_one_that_is_killed_at_work_costs_no_take(tmp_path, background):
    background.prepare()
    background._ready.send_signal(signal.SIGSTOP)
    background.add(take(tmp_path))
    background._running[1].kill()
    found = outcome(background)
    assert (found.episode, found.reason) == ("", "the finaliser ended with code -9; the take is kept")
    assert found.take.exists()
    background.add(found.take)
    assert outcome(background).episode


def test_nobody_is_left_waiting(tmp_path, background):
    background.prepare()
    pid = background._ready.pid
    background.wait(0.0)
    assert ended(pid)


def test_whoever_waits_ends_with_its_recorder(background):
    background.prepare()
    pid = background._ready.pid
    background._ready.stdin.close()  # as the kernel does when the recorder is killed
    background._ready.wait(PATIENCE_S)
    assert ended(pid)


def test_the_newest_take_comes_first_and_all_are_done(tmp_path, background):
    first, second, third = (take(tmp_path, f"{name}.mcap") for name in "abc")
    for path in (first, second, third):
        background.add(path)
    assert set(background.takes) == {first, second, third}
    assert [outcome(background).take.name for _ in range(3)] == ["a.mcap", "c.mcap", "b.mcap"]
