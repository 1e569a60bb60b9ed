# SPDX-License-Identifier: Apache-2.0
"""One sound for each change."""

from booth.page.booth_word import Word
from booth.page.sounds import Sounds


def heard(*steps: tuple[Word, bool, str]) -> list[list[str]]:
    sounds = Sounds()
    return [sounds.see(*step) for step in steps]


def test_nothing_sounds_when_the_page_is_opened() -> None:
    assert heard((Word.HOLD, False, "recording")) == [[]]


def test_engaging_and_letting_go_sound_once() -> None:
    steps = [(Word.READY, False, "ready"), (Word.ENGAGED, True, "ready"), (Word.ENGAGED, True, "ready")]
    assert heard(*steps, (Word.READY, False, "ready")) == [[], ["engage"], [], ["release"]]


def test_a_hold_sounds_as_a_fault_not_as_a_release() -> None:
    assert heard((Word.REC, True, "recording"), (Word.HOLD, False, "recording")) == [[], ["fault"]]


def test_an_episode_that_is_done_again_sounds_otherwise_than_one_that_is_kept() -> None:
    sounds = Sounds()
    sounds.see(Word.READY, False, "review", 0)
    assert sounds.see(Word.READY, False, "reset", 1) == ["redo"]
    assert sounds.see(Word.READY, False, "ready", 1) == []


def test_a_take_sounds_when_it_starts_and_when_it_is_judged() -> None:
    phases = ["ready", "recording", "saving", "review", "reset"]
    assert heard(*((Word.ENGAGED, True, phase) for phase in phases)) == [[], ["record"], [], ["saved"], []]
