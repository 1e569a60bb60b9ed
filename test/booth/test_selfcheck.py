# SPDX-License-Identifier: Apache-2.0
"""The check before a session: what passes, what fails and why, and that twenty seconds are enough."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booth.selfcheck import ESTOP, HAND_FRAMES, LATE, SILENT_NS, TIME_NS, SelfCheck, driving_hands
from booth.selfcheck_item import ItemState
from booth.selfcheck_judge import (
    judge_camera,
    judge_clock,
    judge_disk,
    judge_light,
    judge_pedal,
    judge_servo,
    judge_temperatures,
)
from robots import load_robot
from robots.schema import Imitation

MS, S = 1_000_000, 1_000_000_000
HAND, BODY = load_robot("hx5_d20_right"), load_robot("ffw_sh5")
START = 1000 * S
WAITING, OK, WARN, FAILED = ItemState.WAITING, ItemState.OK, ItemState.WARN, ItemState.FAILED


def servo(name: str, **more: object) -> dict[str, object]:
    """An entry of /driver/servos of a servo that is well."""
    return {"name": name, "id": 7, "fresh": True, "temperature_c": 31, "limit_c": 70, "fault": ""} | more


def everything(check: SelfCheck, now_ns: int, robot=HAND, **servos: dict[str, object]) -> None:
    """All facts of a booth that is well; ``servos`` are told differently."""
    check.saw_camera("TRACKING", 29.9, 120.0, "", now_ns)
    for frame in range(HAND_FRAMES):
        check.saw_hands({"right", "left"}, now_ns + frame * 33 * MS)
    check.saw_servos([servo(name, **servos.get(name, {})) for name in robot.joint_names], now_ns)
    check.saw_recorder({"minutes_left": "812.0", "free_gb": "120.5"}, now_ns)
    check.saw_clock(0, {"driver": MS, "tracker": 2 * MS}, True, now_ns)
    check.saw_pedal("PRESENT", "", now_ns)
    check.saw_pedal_pressed(now_ns)
    check.confirm(ESTOP, now_ns)


def found(check: SelfCheck, now_ns: int) -> dict[str, tuple[ItemState, str]]:
    return {item.name: (item.state, item.text) for item in check.items(now_ns)}


# ---- as a whole -------------------------------------------------------------------------------------------


def test_everything_that_a_session_needs_is_asked_for_by_name() -> None:
    names = [item.name for item in SelfCheck(HAND, START, wants_pedal=True).items(START)]
    assert names == [
        *("camera", "light", "right_hand", *HAND.joint_names),
        *("temperatures", "disk", "clock", "pedal", "estop"),
    ]


def test_nothing_is_known_at_the_start_and_each_item_says_what_it_waits_for() -> None:
    items = SelfCheck(HAND, START, wants_pedal=True).items(START)
    assert {item.state for item in items} == {WAITING}
    assert all(len(item.text) > 10 for item in items)


def test_a_booth_that_is_well_passes_at_once() -> None:
    check = SelfCheck(HAND, START, wants_pedal=True)
    assert not check.passed(START) and not check.failed(START)
    everything(check, START)
    assert {item.state for item in check.items(START)} == {OK}
    assert check.passed(START) and not check.failed(START)


def test_a_robot_of_two_hands_wants_both() -> None:
    check = SelfCheck(BODY, START)
    everything(check, START, BODY)
    assert check.passed(START)
    assert {"right_hand", "left_hand"} <= set(found(check, START))


def test_hands_that_drive_are_those_of_the_parts() -> None:
    assert driving_hands(BODY) == ("right", "left")
    assert driving_hands(BODY, "left_hand") == ("left",)
    assert driving_hands(HAND) == ("right",)
    assert driving_hands(HAND.model_copy(update={"imitation": Imitation()})) == ()


def test_what_is_still_waited_for_after_twenty_seconds_has_failed_with_its_reason() -> None:
    check = SelfCheck(HAND, START)
    assert not check.failed(START + TIME_NS - 1)
    late = found(check, START + TIME_NS)
    assert {state for state, _ in late.values()} == {FAILED}
    assert late["right_hand"][1] == f"{LATE}: show the right hand to the camera, palm to the front"


def test_what_came_too_late_still_counts() -> None:
    check = SelfCheck(HAND, START)
    everything(check, START + 2 * TIME_NS)
    assert check.passed(START + 2 * TIME_NS)


def test_devices_that_fall_silent_are_not_known_any_more_but_what_a_person_did_stays() -> None:
    check = SelfCheck(HAND, START, wants_pedal=True)
    everything(check, START)
    later = found(check, START + SILENT_NS + 1)
    for name in ("camera", "light", *HAND.joint_names, "temperatures"):
        assert later[name][0] is WAITING, name
    for name in ("right_hand", "pedal", "estop", "disk", "clock"):
        assert later[name][0] is OK, name


def test_what_is_not_wanted_is_not_asked_for() -> None:
    check = SelfCheck(HAND, START, wants_servos=False, wants_recorder=False, wants_estop=False, hands=())
    assert [item.name for item in check.items(START)] == ["clock"]


def test_an_item_whose_process_has_ended_fails_at_once_with_its_reason() -> None:
    check = SelfCheck(HAND, START)
    everything(check, START)
    check.cannot("camera", "no camera at /dev/video0")
    assert found(check, START)["camera"] == (FAILED, "no camera at /dev/video0")
    assert check.failed(START)


@given(st.sets(st.sampled_from(["camera", "hands", "servos", "recorder", "clock", "pedal", "estop"])))
def test_it_passes_only_with_every_fact(facts) -> None:
    check = SelfCheck(HAND, START, wants_pedal=True)
    if "camera" in facts:
        check.saw_camera("TRACKING", 30.0, 120.0, "", START)
    for frame in range(HAND_FRAMES if "hands" in facts else 0):
        check.saw_hands({"right"}, START + frame)
    if "servos" in facts:
        check.saw_servos([servo(name) for name in HAND.joint_names], START)
    if "recorder" in facts:
        check.saw_recorder({"minutes_left": "", "free_gb": "80"}, START)
    if "clock" in facts:
        check.saw_clock(0, {"driver": 0}, True, START)
    if "pedal" in facts:
        check.saw_pedal_pressed(START)
    if "estop" in facts:
        check.confirm(ESTOP, START)
    assert check.passed(START) == (len(facts) == 7)


# ---- one by one -------------------------------------------------------------------------------------------


def test_a_hand_that_was_seen_once_may_be_a_mistake() -> None:
    check = SelfCheck(HAND, START)
    for frame in range(HAND_FRAMES):
        assert found(check, START)["right_hand"][0] is WAITING
        check.saw_hands({"right"}, START + frame * S)
    assert found(check, START)["right_hand"][0] is WAITING, "too seldom"
    for frame in range(HAND_FRAMES):
        check.saw_hands({"left"}, START + 20 * S + frame * 33 * MS)
    assert found(check, START)["right_hand"][0] is WAITING, "the other hand"


def test_one_servo_that_is_ill_fails_alone_by_name() -> None:
    check, ill = SelfCheck(HAND, START), HAND.joint_names[3]
    everything(check, START, **{ill: {"fault": "overheated"}})
    assert [item.name for item in check.items(START) if item.state is FAILED] == [ill]
    assert found(check, START)[ill][1] == "ID 7: overheated"


def test_a_servo_of_another_robot_is_noticed() -> None:
    check = SelfCheck(HAND, START)
    check.saw_servos([servo("elbow")], START)
    assert "another robot" in found(check, START)[HAND.joint_names[0]][1]


def test_of_every_process_the_smallest_age_counts() -> None:
    check = SelfCheck(HAND, START)
    check.saw_clock(0, {"driver": 400 * MS}, True, START)
    assert found(check, START)["clock"][0] is WAITING
    assert found(check, START + TIME_NS)["clock"][0] is FAILED
    check.saw_clock(0, {"driver": 3 * MS}, True, START)
    assert found(check, START)["clock"][0] is OK


@pytest.mark.parametrize(
    ("word", "hz", "reason", "state", "words"),
    [
        ("TRACKING", 29.9, "", OK, "30 images a second"),
        ("TRACKING", 15.0, "", WARN, "15 images a second"),
        ("TRACKING", 8.0, "", WAITING, "at least 11 are needed"),
        ("STARTING", 0.0, "", WAITING, "check its cable"),
        ("NO_IMAGE", 30.0, "the camera's image is black", FAILED, "black"),
        ("ENDED", 30.0, "", FAILED, "video has ended"),
    ],
)
def test_the_camera(word, hz, reason, state, words) -> None:
    verdict = judge_camera(word, hz, reason)
    assert verdict.state is state and words in verdict.text


def test_the_light_of_an_operator_far_away_is_no_reason_to_wait() -> None:
    check = SelfCheck(HAND, 0)
    check.saw_camera("TRACKING", 30.0, None, "", 0)
    assert {item.name: item.state for item in check.items(0)}["light"] is ItemState.WARN


@pytest.mark.parametrize(
    ("brightness", "state"),
    [(None, WAITING), (5.0, FAILED), (45.0, WARN), (120.0, OK), (220.0, WARN), (250.0, FAILED)],
)
def test_the_light(brightness, state) -> None:
    verdict = judge_light(brightness)
    assert verdict.state is state
    assert brightness is None or f"brightness {brightness:.0f} of 255" in verdict.text


@pytest.mark.parametrize(
    ("more", "state", "words"),
    [
        ({}, OK, "ID 7 answers, 31 °C"),
        ({"temperature_c": None}, OK, "ID 7 answers"),
        ({"fresh": False}, WAITING, "does not answer"),
        ({"fault": "overloaded"}, FAILED, "overloaded"),
    ],
)
def test_a_servo(more, state, words) -> None:
    verdict = judge_servo(servo("a", **more))
    assert verdict.state is state and words in verdict.text


@pytest.mark.parametrize(
    ("degc", "state"), [(31, OK), (59, OK), (60, WARN), (66, WARN), (67, FAILED), (80, FAILED), (None, WAITING)]
)
def test_the_servo_that_is_nearest_to_its_limit_speaks_for_all(degc, state) -> None:
    verdict = judge_temperatures([servo("a"), servo("b", temperature_c=degc), servo("c", limit_c=None)])
    assert verdict.state is state
    assert degc is None or degc == 31 or f"b with {degc} of 70 °C" in verdict.text


@pytest.mark.parametrize(
    ("minutes", "free_gb", "state"),
    [
        (None, None, WAITING),
        (None, 80.0, OK),
        (None, 4.0, WARN),
        (None, 0.5, FAILED),
        (90.0, 4.0, OK),
        (12.0, 4.0, WARN),
        (2.0, 40.0, FAILED),
    ],
)
def test_the_disk(minutes, free_gb, state) -> None:
    assert judge_disk(minutes, free_gb).state is state


@pytest.mark.parametrize(
    ("drift_ns", "ages_ns", "synchronised", "state", "words"),
    [
        (0, {}, True, WAITING, "no stamp"),
        (0, {"driver": MS}, True, OK, "clocks of 2 processes within 1 ms"),
        (0, {"driver": MS}, False, WARN, "no time service"),
        (0, {"driver": MS}, None, WARN, "not known"),
        (3 * S, {"driver": MS}, True, WARN, "set by 3.0 s"),
        (0, {"driver": MS, "tracker": -200 * MS}, True, WAITING, "tracker has another clock, -200 ms apart"),
    ],
)
def test_the_clock(drift_ns, ages_ns, synchronised, state, words) -> None:
    verdict = judge_clock(drift_ns, ages_ns, synchronised)
    assert verdict.state is state and words in verdict.text


@pytest.mark.parametrize(
    ("word", "reason", "pressed", "state"),
    [
        ("", "", False, WAITING),
        ("PRESENT", "", False, WAITING),
        ("PRESENT", "", True, OK),
        ("", "", True, OK),
        ("UNPLUGGED", "no pedal at /dev/input/by-id/x", True, FAILED),
    ],
)
def test_the_pedal(word, reason, pressed, state) -> None:
    assert judge_pedal(word, reason, pressed).state is state
