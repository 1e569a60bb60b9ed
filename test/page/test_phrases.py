# SPDX-License-Identifier: Apache-2.0
"""The nodes' sentences as phrases: every one is known, nothing is lost, nothing breaks."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentences import Sentence, sentences

from booth.page.phrases import LANGUAGES_DIR, MOST_PARTS, NAMED, recognise
from booth.selfcheck_judge import judge_clock, judge_disk, judge_temperatures

LISTED = """
    teleop/imitation_session.py teleop/limb_clutch.py teleop/limb_group.py teleop/limbs.py teleop/limb_depth.py
    teleop/clutch.py teleop/hand_calibration.py teleop/identity.py teleop/plausible_hand.py teleop/camera_health.py
    teleop/arm_retarget.py teleop/body_geometry.py teleop/head_geometry.py teleop/hand_geometry.py
    teleop/tracker_camera.py teleop/teleop_node.py teleop/pedal_reader.py teleop/pedal_device.py teleop/link_source.py
    drivers/safety.py drivers/control_loop.py drivers/diagnosis.py drivers/joint_health.py drivers/robot_link.py
    drivers/servo_device.py drivers/hardware_error.py drivers/port.py
    recorder/session.py recorder/space.py recorder/take.py recorder/finalise.py recorder/background.py
    booth/session/workflow.py booth/session/hearing.py booth/session/resuming.py booth/session/training.py
    booth/page/booth_word.py booth/page/server.py booth/page/page_node.py
    booth/selfcheck.py booth/selfcheck_judge.py
"""
SOURCES = sorted(LISTED.split())

NOT_FOR_OPERATORS = (
    r"expected landmarks|expected .* lengths|connect\(\) comes first|_Wrists|Return Delay|Position Limit|Voltage Limit",
    r"parts should be|that copies the operator|parameter \w+ should|calibration in the servos|expected reverse|baud:",
    r"is not in this take|the page can't be served|browsers are looking|a training knows|connections without a key",
    r"released; a fresh open palm|^(resumed|held): |^no camera frame$|^palms of both hands$|^right hand by ",
)
"""Set-up and programming errors, and words for other nodes."""
PIECES = (
    r"^[,:;]? ?(and|by|kept|let|begin|move|that|whether|no time)\b.*|^1\.25 … 1\.25$",
    r"^input devices? in|^no input device",
    r"^[:;,] |^ports found|^no USB serial|^Resource temporarily|^something is something|^not within|^ (by|and) ",
)
"""Parts of sentences; the whole ones are tested by themselves."""


def spoken(path: str) -> list[Sentence]:
    skip = re.compile("|".join((*NOT_FOR_OPERATORS, *PIECES)))
    return [sentence for sentence in sentences(path) if not skip.search(sentence.text)]


@pytest.mark.parametrize("path", SOURCES)
def test_every_sentence_that_a_node_says_is_known(path: str) -> None:
    found = spoken(path)
    assert found, "the source says nothing: is the list of sources still right?"
    unknown = [f"{each.where}: {each.text}" for each in found if recognise(each.text)["key"] is None]
    assert not unknown, "add these to languages/*.json: " + "; ".join(unknown)


def test_a_reason_inside_a_reason_inside_a_reason_is_known() -> None:
    lost = "right hand lost, show the open right palm to go on (the camera does not see the right hand)"
    found = recognise(f"no fresh command for 100 ms ({lost})")
    assert found["key"] == "reason.stale_because"
    why = found["args"]["why"]
    assert why["key"] == "reason.limb_lost"
    assert why["args"]["limb"]["key"] == "limb.right_hand"
    assert why["args"]["how"]["key"] == "reason.palm_to_go_on"
    assert why["args"]["why"]["key"] == "reason.hand_unseen"


def test_several_reasons_are_known_one_by_one() -> None:
    right, left = (
        f"{side} hand lost, show the open {side} palm to go on (the camera does not see the {side} hand)"
        for side in ("right", "left")
    )
    found = recognise(f"{right}; {left}")
    assert found["key"] == "join"
    assert [part["args"]["limb"]["key"] for part in found["args"]["parts"]] == ["limb.right_hand", "limb.left_hand"]


def test_a_semicolon_inside_a_sentence_does_not_tear_it() -> None:
    text = (
        "right arm too far from the robot's: arm_r_joint4 by 1.21 rad, at most 0.90; "
        "bring the right arm nearer to the robot's posture"
    )
    assert recognise(text)["key"] == "reason.too_far"
    again = recognise(f"{text}; then show the open palms of both hands again")
    assert again["key"] == "reason.again"
    assert again["args"]["why"]["key"] == "reason.too_far"


def test_what_nobody_knows_stays_english_beside_what_is_known() -> None:
    found = recognise("a comet came by; the driver is not running")
    assert [part["key"] for part in found["args"]["parts"]] == [None, "reason.driver_off"]
    assert recognise("a comet came by") == {"key": None, "args": {}, "text": "a comet came by"}


@pytest.mark.parametrize(
    "text",
    [
        judge_disk(7.0, 4.2).text,
        judge_disk(None, 4.2).text,
        judge_disk(200.0, 80.0).text,
        judge_temperatures([{"name": "a", "temperature_c": 66, "limit_c": 70}]).text,
        judge_temperatures([{"name": "a", "temperature_c": 41, "limit_c": 70}]).text,
        judge_clock(0, {"driver": 400_000}, None).text,
        judge_clock(0, {"driver": 400_000}, False).text,
        judge_clock(0, {"driver": 400_000}, True).text,
        judge_clock(9_000_000_000, {"driver": 400_000}, True).text,
        "not within 20 s: no word from the driver: is it running?",
        "take_0003 is paused already: nothing to do",
        "bus right: /dev/ttyUSB0 was closed at the other end: was the adapter unplugged?",
    ],
)
def test_sentences_that_are_put_together_are_known(text: str) -> None:
    assert recognise(text)["key"] is not None, text


def templates() -> dict[str, str]:
    words: dict[str, str] = json.loads((LANGUAGES_DIR / "en.json").read_text(encoding="utf-8"))
    return {key: text for key, text in words.items() if key.startswith("reason.")}


def sample(name: str) -> str:
    if name in NAMED:
        return next(iter(NAMED[name]))
    return "joint_7" if name in ("joint", "who", "branch", "topic", "camera", "port", "file", "take", "bus") else "12"


@pytest.mark.parametrize("key", sorted(templates()))
def test_every_sentence_of_the_table_is_found_under_its_own_key(key: str) -> None:
    text = re.sub(r"\{(\w+)\}", lambda match: sample(match[1]), templates()[key])
    assert recognise(text)["key"] in (key, "join")


@given(st.text(max_size=300))
def test_any_text_is_kept_and_breaks_nothing(text: str) -> None:
    found = recognise(text)
    assert found["text"] == text
    assert set(found) == {"key", "args", "text"}
    json.dumps(found)


KNOWN = st.sampled_from(sorted(templates().values()))


@given(st.lists(KNOWN, min_size=1, max_size=MOST_PARTS + 4), st.text(max_size=20))
def test_any_mixture_of_sentences_is_kept_and_breaks_nothing(parts: list[str], rest: str) -> None:
    text = "; ".join([*parts, rest])
    found = recognise(text)
    assert found["text"] == text
    if found["key"] == "join":
        assert "; ".join(part["text"] for part in found["args"]["parts"]) == text
