# SPDX-License-Identifier: Apache-2.0
"""What was heard, as the page shows it."""

import json

from booth.page.booth_word import NodeState, Standing, Word
from booth.page.snapshot import Heard, last_take, snapshot


def heard(**values: object) -> Heard:
    nodes = {name: NodeState() for name in ("driver", "teleop", "tracker", "recorder", "pedal")}
    return Heard(**{"robot": "op3", "virtual": True, "booth": "b1", **nodes, **values})  # type: ignore[arg-type]


def test_an_empty_graph_is_shown_too_and_is_json() -> None:
    shown = snapshot(heard(), Standing(Word.IDLE, "the robot's driver is starting"))
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown
    assert (shown["word"], shown["last"], shown["latency_ms"]) == ("IDLE", None, None)


def test_reasons_are_phrases_that_keep_their_words() -> None:
    shown = snapshot(heard(), Standing(Word.HOLD, "no fresh command for 100 ms", "a new sentence", "command_stale"))
    assert shown["reason"]["key"] == "reason.stale"
    assert shown["todo"] == {"key": None, "args": {}, "text": "a new sentence"}


def test_what_a_session_says_is_a_phrase_too() -> None:
    shown = snapshot(heard(session={"phase": "ready", "reason": "a sentence that nobody knows"}), Standing(Word.READY))
    assert shown["session"]["reason"] == {"key": None, "args": {}, "text": "a sentence that nobody knows"}
    assert snapshot(heard(session={"reason": ""}), Standing(Word.READY))["session"]["reason"] is None


def test_limbs_are_read_from_teleops_keys() -> None:
    values = {"reason": "", "right_hand": "held", "right_hand_reason": "right hand lost", "progress": "0.4"}
    shown = snapshot(heard(teleop=NodeState("ENGAGED", values)), Standing(Word.ENGAGED))
    assert [(limb["name"], limb["state"]) for limb in shown["limbs"]] == [("right_hand", "held")]
    assert shown["engage"]["progress"] == 0.4


def test_latency_is_shown_only_while_it_is_measured() -> None:
    values = {"glass_to_wire_ms": "31.4"}
    assert snapshot(heard(driver=NodeState("ENGAGED", values)), Standing(Word.ENGAGED))["latency_ms"] == 31
    assert snapshot(heard(driver=NodeState("HOLD", values)), Standing(Word.HOLD))["latency_ms"] is None


def test_an_operator_far_away_is_named_with_the_round_trip() -> None:
    tracker = NodeState("TRACKING", {"link_operator": "ana", "link_round_trip_ms": "4.2"})
    assert snapshot(heard(tracker=tracker), Standing(Word.READY))["far"] == {"operator": "ana", "round_trip_ms": 4.2}
    assert snapshot(heard(tracker=NodeState("TRACKING", {})), Standing(Word.READY))["far"] is None


def test_a_verdict_is_told_with_its_findings() -> None:
    saved = NodeState("SAVED", {"take": "t", "verdict": "degraded", "findings": "late,hands", "rows": "412"})
    assert last_take(saved) == {"take": "t", "verdict": "degraded", "findings": ["late", "hands"], "rows": 412}
    assert last_take(NodeState("READY", {})) is None
    failed = last_take(NodeState("FAILED", {"take": "t", "rows": "", "findings": ""}))
    assert failed == {"take": "t", "verdict": "failed", "findings": [], "rows": 0}


def test_a_recorder_warns_of_a_full_disk() -> None:
    values = {"reason": "only 0.9 GB free", "code": "disk_full", "minutes_left": "3.0", "free_gb": "0.9"}
    shown = snapshot(heard(recorder=NodeState("READY", values)), Standing(Word.READY))["recorder"]
    assert (shown["minutes_left"], shown["free_gb"]) == (3.0, 0.9)
    assert shown["warning"]["text"] == "only 0.9 GB free"
