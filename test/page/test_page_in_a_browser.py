# SPDX-License-Identifier: Apache-2.0
"""The operator's page in a real browser, served by the real server."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from browsing import PATIENCE_S, Booth, serving, until
from overflow import overflowing
from PIL import Image
from playwright.sync_api import Browser, Page

from booth.browsers import chromium
from booth.page.camera_message import pack
from booth.page.scripted import Scene, scenes
from booth.page.words import LANGUAGES

SIZES = {"tablet": (1280, 800), "small": (1024, 768), "monitor": (1920, 1080), "upright": (800, 1280)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def booth() -> Iterator[Booth]:
    with serving() as made:
        yield made


def scene(name: str, language: str = "en") -> Scene:
    return next(each for each in scenes(language) if each.name == name)


def asked(booth: Booth, kind: str) -> dict[str, Any]:
    """The next request of a kind."""
    while True:
        ask = booth.asked.get(timeout=PATIENCE_S)
        if ask.kind == kind:
            return ask.values


def text(page: Page, selector: str) -> str:
    return page.inner_text(selector).strip()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_can_be_read_in_every_state_at_every_size(browser: Browser, booth: Booth, language: str) -> None:
    page = booth.open(browser)
    page.evaluate(f"localStorage.setItem('booth.language', '{language}')")
    page.reload()
    complaints = []
    for each in scenes(language):
        booth.show(page, each, language)
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate("() => new Promise(requestAnimationFrame)")
            complaints += [f"{each.name}, {size}: {found}" for found in overflowing(page)]
    page.context.close()
    assert not complaints


def test_the_page_keeps_the_rules_for_what_it_may_load(browser: Browser, booth: Booth) -> None:
    page = booth.open(browser)
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if booth.origin not in request.url else None)
    page.reload()
    for name in ("choose", "check", "review_failed", "stopped", "training_reach"):
        booth.show(page, scene(name), "en")
    page.context.close()
    assert not heard
    assert not [url for url in outside if not url.startswith("blob:")]


def test_what_the_page_shows_and_says_to_those_who_cannot_see(browser: Browser, booth: Booth) -> None:
    page = booth.open(browser)
    booth.show(page, scene("stopped_power"), "en")
    assert text(page, "#word") == "STOPPED"
    assert "is the robot's power on?" in text(page, "#reason")
    assert text(page, "#todo").startswith("Is the emergency stop pressed")
    assert page.inner_text("#say").startswith("STOPPED. None of the 57 devices answers")
    assert page.get_attribute("#shape-icon", "href") == "/static/icons.svg#stopped"
    assert "not an emergency stop" in text(page, "#stop")
    page.context.close()


def test_the_page_speaks_the_operators_language_and_then_the_one_that_is_chosen(browser: Browser, booth: Booth) -> None:
    page = booth.open(browser)
    booth.show(page, scene("ready", "ko"), "ko")
    assert text(page, "#word") == "준비됨"
    page.select_option("#language", "ru")
    until(page, "document.documentElement.lang === 'ru'")
    assert asked(booth, "language") == {"language": "ru"}
    booth.show(page, scene("ready", "ko"), "ru")
    assert text(page, "#word") == "ГОТОВ"
    page.reload()
    until(page, "__booth.alive")
    booth.show(page, scene("choose"), "ru")
    page.context.close()


def test_a_silent_booth_is_seen_at_once_and_found_again_by_itself(browser: Browser) -> None:
    with serving() as first:
        page = first.open(browser)
        first.show(page, scene("engaged"), "en")
        assert not page.is_visible("#lost")
        port = first.server.address.port
    until(page, "!__booth.alive")
    assert page.is_visible("#lost")
    assert page.get_attribute("body", "data-sign") == "LOST"
    with serving(port) as second:
        until(page, "__booth.alive", lambda: second.server.show_state(scene("ready").state))
        second.show(page, scene("ready"), "en")
        assert page.get_attribute("body", "data-sign") == "READY"
        assert not page.is_visible("#lost")
    page.context.close()


def test_a_server_that_answers_but_tells_no_state_counts_as_lost(browser: Browser, booth: Booth) -> None:
    page = booth.open(browser)
    booth.show(page, scene("engaged"), "en")
    until(page, "!__booth.alive", lambda: booth.server.say({"type": "pong", "t": 0.0}))
    assert page.is_visible("#lost")
    assert "emergency stop" in text(page, "#lost")
    page.click("#stop")
    assert asked(booth, "stop") == {}, "the line is there: the button still works"
    booth.show(page, scene("engaged"), "en")
    assert not page.is_visible("#lost")
    page.context.close()


def test_the_mirror_shows_the_newest_picture_mirrored(browser: Browser, booth: Booth) -> None:
    page = booth.open(browser)
    booth.show(page, scene("ready"), "en")
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, :32] = (255, 0, 0)
    out = io.BytesIO()
    Image.fromarray(image).save(out, "JPEG", quality=95)
    message = pack(out.getvalue(), {}, None, {"key": "hint.closer", "args": {}, "text": "closer"})
    until(page, "__booth.frames.drawn > 0", lambda: booth.server.show_picture(message))
    left, right = page.evaluate(
        """() => { const c = document.getElementById('mirror'), p = c.getContext('2d');
        return [0.2, 0.8].map((u) => [...p.getImageData(c.width * u, c.height / 2, 1, 1).data]); }"""
    )
    assert right[0] > 200 and left[0] < 60
    assert text(page, "#hint") == "Come closer"
    page.context.close()


def test_a_second_page_looks_on_and_may_still_stop_the_robot(browser: Browser, booth: Booth) -> None:
    first, second = booth.open(browser), booth.open(browser)
    booth.server.show_state(scene("review_ok").state)
    until(second, "__booth.state?.lease && !__booth.state.lease.mine && __booth.state.session")
    assert second.is_disabled("[data-id=keep]")
    second.click("#stop")
    assert asked(booth, "stop") == {}
    second.click("[data-id=take]")
    until(second, "__booth.state.lease.mine")
    second.click("[data-id=keep]")
    assert asked(booth, "act") == {"action": "keep"}
    until(first, "!__booth.state.lease.mine")
    for page in (first, second):
        page.context.close()


def test_finishing_is_asked_twice(browser: Browser, booth: Booth) -> None:
    page = booth.open(browser)
    booth.show(page, scene("ready"), "en")
    page.click("[data-id=finish]")
    page.click("[data-id=finish-no]")
    page.click("[data-id=finish]")
    page.click("[data-id=finish-yes]")
    assert asked(booth, "act") == {"action": "finish"}
    assert booth.asked.qsize() == 0
    page.context.close()


def test_who_has_not_agreed_is_asked_before_the_session_begins(browser: Browser, booth: Booth) -> None:
    page = booth.open(browser)
    choose = scene("choose")
    for operator in choose.state["session"]["operators"]:
        operator["consent"] = operator["id"] != "ivan"
    booth.show(page, choose, "en")
    assert page.is_disabled("[data-id=begin]")
    page.click("[data-id=operator-ivan]")
    page.click("[data-id=task-cubes]")
    page.click("[data-id=begin]")
    assert "withdraw this consent" in text(page, "#panel")
    page.click("[data-id=agree]")
    assert asked(booth, "consent") == {"operator": "ivan", "agree": True}
    assert asked(booth, "begin") == {"operator": "ivan", "task": "cubes", "training": False}
    page.context.close()


def test_the_emergency_stop_is_confirmed_on_the_page(browser: Browser, booth: Booth) -> None:
    page = booth.open(browser)
    booth.show(page, scene("check"), "en")
    page.click("[data-id=estop]")
    assert asked(booth, "confirm") == {"what": "estop"}
    page.context.close()


def test_a_button_survives_states_that_change_nothing_of_it(browser: Browser, booth: Booth) -> None:
    page = booth.open(browser)
    recording = scene("recording")
    booth.show(page, recording, "en")
    page.evaluate("document.querySelector('[data-id=stop]').marked = true")
    for left_s in (11.0, 10.0, 9.0):
        recording.state["session"]["countdown_s"] = left_s
        booth.show(page, recording, "en")
    assert page.evaluate("document.querySelector('[data-id=stop]').marked") is True
    until(page, "['8', '9'].includes(document.getElementById('countdown-number').textContent)")
    page.context.close()


def test_every_sound_is_played_once_and_the_reason_is_spoken(browser: Browser, booth: Booth) -> None:
    page = booth.open(browser, query="")
    booth.show(page, scene("ready"), "en")
    assert page.is_visible("#unlock")
    page.mouse.click(640, 400)
    until(page, "document.getElementById('unlock').hidden")
    for name in ("engage", "release", "record", "saved", "redo", "fault"):
        booth.server.say({"type": "sound", "name": name})
    until(page, "__booth.sounds.length === 6")
    booth.show(page, scene("hold_camera"), "en")
    until(page, "__booth.spoken.length === 1")
    booth.show(page, scene("hold_camera"), "en")
    assert page.evaluate("__booth.spoken.length") == 1
    assert "same image again" in page.evaluate("__booth.spoken[0].text")
    page.context.close()


def test_the_3d_view_loads_only_when_it_is_asked_for(browser: Browser, booth: Booth) -> None:
    page = booth.open(browser)
    booth.show(page, scene("ready"), "en")
    assert page.query_selector("iframe") is None
    page.click("#robot3d")
    assert page.get_attribute("iframe", "src") == "/robot3d/"
    page.click("#robot3d")
    assert page.query_selector("iframe") is None
    page.context.close()


def test_paints_tell_when_a_state_stood_on_the_screen(browser: Browser, booth: Booth) -> None:
    page = booth.open(browser)
    booth.show(page, scene("ready"), "en")
    booth.show(page, scene("engaged"), "en")
    paints = page.evaluate("__booth.paints")
    assert [paint["word"] for paint in paints][-1] == "ENGAGED"
    times = [paint["at_ms"] for paint in paints]
    assert times == sorted(times)
    assert abs(times[-1] - page.evaluate("Date.now()")) < 60_000
    page.context.close()
