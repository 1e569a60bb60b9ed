# SPDX-License-Identifier: Apache-2.0
"""One word for how things stand."""

import pytest

from booth.page.booth_word import SILENT_NS, NodeState, Word, standing

NOW = 100_000_000_000


def node(message: str, age_ns: int = 0, **values: str) -> NodeState:
    return NodeState(message, values, NOW - age_ns)


TRACKING, WAITING = node("TRACKING"), node("WAITING", reason="show the open right palm")
FOLLOWS, QUIET, TAKES = node("ENGAGED"), node("READY"), node("RECORDING")


def test_ready_means_that_an_open_palm_engages() -> None:
    how = standing(node("READY"), WAITING, TRACKING, QUIET, NOW)
    assert (how.word, how.reason, how.todo) == (Word.READY, "", "show the open right palm")
    assert standing(node("IDLE"), WAITING, TRACKING, QUIET, NOW).word is Word.READY


@pytest.mark.parametrize(
    ("driver", "teleop", "tracker"),
    [
        (NodeState(), WAITING, TRACKING),
        (node("IDLE"), NodeState(), TRACKING),
        (node("IDLE"), WAITING, NodeState()),
        (node("READY"), WAITING, node("NO_IMAGE", reason="the image is black: is the lens covered?")),
    ],
)
def test_idle_means_that_something_is_still_missing_and_says_what(
    driver: NodeState, teleop: NodeState, tracker: NodeState
) -> None:
    how = standing(driver, teleop, tracker, QUIET, NOW)
    assert how.word is Word.IDLE
    assert how.reason


def test_a_moving_robot_is_engaged_and_with_a_take_it_is_recorded() -> None:
    assert standing(node("ENGAGED"), FOLLOWS, TRACKING, QUIET, NOW).word is Word.ENGAGED
    assert standing(node("ENGAGED"), FOLLOWS, TRACKING, TAKES, NOW).word is Word.REC


def test_a_hold_is_told_also_while_a_take_runs() -> None:
    how = standing(node("HOLD", reason="no fresh command", code="command_stale"), WAITING, TRACKING, TAKES, NOW)
    assert (how.word, how.reason, how.fault) == (Word.HOLD, "no fresh command", "command_stale")
    assert how.todo == "show the open right palm"


def test_a_stop_says_why() -> None:
    how = standing(node("STOPPED", reason="thumb is too hot", code="hardware_error"), WAITING, TRACKING, QUIET, NOW)
    assert (how.word, how.reason, how.fault) == (Word.STOPPED, "thumb is too hot", "hardware_error")


def test_a_driver_that_says_nothing_any_more_is_gone() -> None:
    how = standing(node("ENGAGED", SILENT_NS + 1), FOLLOWS, TRACKING, TAKES, NOW)
    assert (how.word, how.fault) == (Word.STOPPED, "driver_killed")
    assert how.reason


def test_a_dead_recorder_does_not_record() -> None:
    assert standing(node("ENGAGED"), FOLLOWS, TRACKING, node("RECORDING", SILENT_NS + 1), NOW).word is Word.ENGAGED


def test_with_somebody_elses_driver_teleops_word_counts() -> None:
    assert standing(NodeState(), WAITING, TRACKING, QUIET, NOW, external=True).word is Word.READY
    assert standing(NodeState(), FOLLOWS, TRACKING, TAKES, NOW, external=True).word is Word.REC
