# SPDX-License-Identifier: Apache-2.0
"""The scenes: all states and phases are among them, and each is a message as the page's server sends it."""

import json
import struct

import pytest

from booth.page.booth_word import NodeState, Standing, Word
from booth.page.scripted import Scene, scenes
from booth.page.scripted_picture import picture_message
from booth.page.snapshot import Heard, snapshot
from booth.page.words import LANGUAGES
from booth.session.phases import Phase

BY_THE_SERVER = {"type", "lease"}


def test_every_word_and_every_phase_has_a_scene() -> None:
    states = [scene.state for scene in scenes()]
    assert {state["word"] for state in states} == {word.value for word in Word}
    assert {state["session"]["phase"] for state in states} == {phase.value for phase in Phase}
    assert {exercise["exercise"] for state in states if (exercise := state["training"])} >= {"reach", "pinch", "hold"}


def test_scenes_have_names_of_their_own() -> None:
    names = [scene.name for scene in scenes()]
    assert len(names) == len(set(names)) >= 24


def test_a_scene_has_the_parts_of_a_real_state() -> None:
    nobody = NodeState()
    real = snapshot(Heard("robot", True, "", nobody, nobody, nobody, nobody, nobody), Standing(Word.READY))
    for scene in scenes():
        assert set(scene.state) - BY_THE_SERVER == set(real), scene.name
        json.dumps(scene.state)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_of_a_scene_has_words_in_all_languages(language: str) -> None:
    for scene in scenes(language):
        for part in ("reason", "todo"):
            told = scene.state[part]
            assert told is None or told["key"] is not None, (scene.name, told["text"])
        operator = scene.state["session"]["operator"]
        assert operator is None or operator["language"] == language


def test_a_picture_is_a_header_and_a_jpeg() -> None:
    message = picture_message("", (), "closer")
    (length,) = struct.unpack("<I", message[:4])
    header = json.loads(message[4 : 4 + length])
    assert header["hint"]["key"] == "hint.closer"
    assert message[4 + length :].startswith(b"\xff\xd8")


def test_the_drawn_operators_landmarks_lie_on_the_picture() -> None:
    message = Scene("any", {}, "open").picture
    (length,) = struct.unpack("<I", message[:4])
    header = json.loads(message[4 : 4 + length])
    assert set(header["hands"]) == {"right", "left"}
    right, left = (header["hands"][side]["points"] for side in ("right", "left"))
    assert all(0.0 < u < 0.5 < 1.0 - u and 0.0 < v < 1.0 for u, v in right), "not mirrored: right is on the left"
    assert all(u > 0.5 for u, _ in left)
    assert len(header["body"]) == 33
