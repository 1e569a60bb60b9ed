# SPDX-License-Identifier: Apache-2.0
"""The page's words: complete in every language, and neither missing nor superfluous."""

import ast
import json
import re
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from booth.page.booth_word import Word
from booth.page.phrases import FAMILIES, LANGUAGES_DIR
from booth.page.words import LANGUAGES
from booth.session.consent import CONSENT_TEXT
from booth.session.phases import ACTIONS, Phase
from booth.session.training_exercise import TEXTS
from booth.session.training_score import EXERCISES
from drivers.hardware_error import Cause
from graph.faults import FaultCode
from recorder.check import Verdict
from teleop.clutch_table import LimbState
from teleop.limbs import LimbName
from teleop.operator_signs import BOTH_HANDS_SIGNS, FREE_HAND_SIGNS
from teleop.pedal import Role

ROOT = Path(__file__).parents[2]
STATIC = LANGUAGES_DIR.parent / "static"
PLACE = re.compile(r"\{(\w+)\}")
CYRILLIC, HANGUL = re.compile(r"[а-яё]", re.IGNORECASE), re.compile(r"[가-힣]")


@cache
def words(language: str) -> dict[str, str]:
    loaded: dict[str, str] = json.loads((LANGUAGES_DIR / f"{language}.json").read_text(encoding="utf-8"))
    return loaded


def page() -> str:
    sources = sorted([*STATIC.glob("*.js"), *STATIC.glob("*.html")])
    return "\n".join(path.read_text(encoding="utf-8") for path in sources)


def family(key: str) -> str:
    return key.split(".")[0]


def named_on_the_page() -> set[str]:
    """Keys that stand in the page's sources as they are."""
    families = {family(key) for key in words("en")}
    literals = set(re.findall(r'"([a-z_0-9]+\.[A-Za-z_0-9]+)"', page()))
    return {key for key in literals if family(key) in families}


def findings() -> set[str]:
    """Codes of everything that a check can find."""
    codes = set()
    for path in sorted((ROOT / "recorder").glob("check*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("ok", "warn", "fail", "graded"):
                assert isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno}"
                codes.add(str(node.args[0].value))
    return codes


def hints() -> set[str]:
    """Words of `booth.page.hints`."""
    tree = ast.parse((ROOT / "booth/page/hints.py").read_text())
    returned = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value]
    return {
        str(part.value)
        for value in returned
        for part in ast.walk(value)
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value
    }


SIGNS = {*FREE_HAND_SIGNS.values(), *BOTH_HANDS_SIGNS.values(), "yes", "no"}
PHASES = {phase.value for phase in Phase}
VOCABULARIES: dict[str, set[str]] = {
    "word": {word.value for word in Word} | {"LOST"},
    "phase": PHASES,
    "how": PHASES,
    "action": set(ACTIONS) | {"recheck"},
    "limb": set(get_args(LimbName)) | {"body"},
    "limb_state": {state.value for state in LimbState},
    "fault": {f"{code.value}.{part}" for code in FaultCode for part in ("title", "todo")},
    "finding": findings(),
    "verdict": {verdict.value for verdict in Verdict},
    "exercise": set(EXERCISES),
    "sign": SIGNS,
    "hint": hints(),
    "servo_error": {cause.name.lower() for cause in Cause},
    "pedal_role": {role.value for role in Role},
    "pedal_state": {"STARTING", "UNPLUGGED"},
    "stream_health": {"OK", "SLOW", "STALLED"},
    "check_state": {"ok", "warn", "failed", "waiting"},
    "side": {"right", "left"},
    "palm": {"right", "left", "both"},
    "pedal": {"tap", "press"},
}
"""Families whose keys are made from words of the program: exactly these."""
OPEN = {"check", "stream"}
"""Families with words for what has some; anything else there is shown by its name."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word(language: str) -> None:
    assert set(words(language)) == set(words("en"))
    assert not [key for key, text in words(language).items() if not text.strip()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_places(language: str) -> None:
    wrong = [
        key for key, text in words(language).items() if set(PLACE.findall(text)) != set(PLACE.findall(words("en")[key]))
    ]
    assert not wrong


@pytest.mark.parametrize(("language", "letters"), [("ko", HANGUL), ("ru", CYRILLIC)])
def test_every_word_is_written_in_the_languages_own_letters(language: str, letters: re.Pattern[str]) -> None:
    foreign = {key for key, text in words(language).items() if not letters.search(text)}
    only_places = {key for key, text in words("en").items() if not re.search(r"[a-z]{3}", PLACE.sub("", text))}
    assert foreign <= only_places


def test_uzbek_is_written_in_latin_letters_with_its_own_apostrophes() -> None:
    assert not [key for key, text in words("uz").items() if CYRILLIC.search(text)]
    assert not [key for key, text in words("uz").items() if re.search(r"\b\w*[oOgG]['`´]", text)]


def test_every_word_that_the_page_names_exists() -> None:
    assert not named_on_the_page() - set(words("en"))
    asked = set(re.findall(r'data-(?:word|label)="([^"]+)"', page()))
    assert asked <= set(words("en"))


def test_no_word_is_superfluous() -> None:
    used = named_on_the_page() | set(re.findall(r'data-(?:word|label)="([^"]+)"', page())) | set(TEXTS)
    dynamic = set(VOCABULARIES) | OPEN | set(FAMILIES)
    assert sorted(key for key in words("en") if key not in used and family(key) not in dynamic | {"countdown"}) == []


@pytest.mark.parametrize("name", sorted(VOCABULARIES))
def test_every_word_of_the_program_has_words_for_people(name: str) -> None:
    assert {key.split(".", 1)[1] for key in words("en") if family(key) == name} == VOCABULARIES[name]


def test_the_training_says_in_english_what_its_module_says() -> None:
    assert {key: words("en")[key] for key in TEXTS} == dict(TEXTS)


def test_the_page_asks_for_the_consent_that_is_kept() -> None:
    assert words("en")["consent.text"] == " ".join(CONSENT_TEXT.split())


def test_a_protective_stop_is_never_called_an_emergency_stop() -> None:
    emergency = {"en": "emergency stop", "ko": "비상 정지", "uz": "avqulodda", "ru": "варийн"}
    protective = {"en": "rotective stop", "ko": "보호 정지", "uz": "imoya to‘xtat", "ru": "ащитн"}
    for language in LANGUAGES:
        kind = words(language)["ui.stop_kind"]
        assert protective[language] in kind and emergency[language] in kind, "says what it is, and what it isn't"
        for key in ("fault.stop_requested.title", "reason.stop_requested"):
            text = words(language)[key]
            assert protective[language] in text and emergency[language] not in text, (language, key)
        for key in ("estop.seen", "fault.emergency_stop.title", "ui.lost_stop"):
            text = words(language)[key]
            assert emergency[language] in text and protective[language] not in text, (language, key)
