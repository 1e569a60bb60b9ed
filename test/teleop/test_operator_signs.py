# SPDX-License-Identifier: Apache-2.0
"""A sign counts when it has been held, at any camera rate, through flickers, and once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_hands import FRAME_NS, NS_PER_S

from teleop.clutch import MS, ClutchSettings
from teleop.frame_pace import SILENCE_NS, WINDOW, FramePace
from teleop.gestures import Gesture
from teleop.operator_signs import BOTH_HANDS_SIGNS, FREE_HAND_SIGNS, SignHold, SignReader

START = 1_000 * NS_PER_S
DWELL, FLICKER = 600 * MS, 100 * MS


def hold(shown, frame_ns=FRAME_NS, fewest=1):
    """A hold after these frames, and the stamp of the last one."""
    sign, stamp = SignHold(DWELL, FLICKER, fewest), START
    for each in shown:
        stamp += frame_ns
        sign.see(each, stamp)
    return sign, stamp


@given(st.integers(1, 60), st.sampled_from([8, 16, 33, 66, 125, 200]))
def test_progress_is_the_share_of_the_time_at_any_rate(frames, wait_ms):
    sign, stamp = hold([True] * frames, wait_ms * MS)
    assert sign.progress(stamp) == pytest.approx(min(1.0, (frames - 1) * wait_ms / 600))
    assert sign.held(stamp) == ((frames - 1) * wait_ms >= 600)


def test_a_slow_camera_must_see_it_often_enough_all_the_same():
    sign, stamp = hold([True] * 5, 200 * MS, fewest=8)
    assert sign.progress(stamp) == pytest.approx(5 / 8) and not sign.held(stamp)
    sign, stamp = hold([True] * 8, 200 * MS, fewest=8)
    assert sign.held(stamp)


@given(st.lists(st.booleans(), max_size=60))
def test_only_pauses_longer_than_a_flicker_start_anew(shown):
    sign, stamp = hold(shown)
    last = max((k for k, each in enumerate(shown) if each), default=None)
    if last is None or len(shown) - 1 - last > 3:
        assert sign.since_ns is None and sign.progress(stamp) == 0.0
        return
    begin = last
    for k in range(last, -1, -1):
        if shown[k]:
            if begin - k > 3:
                break
            begin = k
    assert sign.since_ns == START + (begin + 1) * FRAME_NS


def test_a_sign_is_held_only_while_it_is_shown():
    sign, stamp = hold([True] * 30 + [False])
    assert sign.progress(stamp) == 1.0 and not sign.held(stamp)


def test_what_was_forgotten_counts_anew():
    sign, stamp = hold([True] * 30)
    sign.forget()
    assert sign.progress(stamp) == 0.0
    sign.see(True, stamp + FRAME_NS)
    assert sign.since_ns == stamp + FRAME_NS and not sign.to_let_go


@given(st.integers(1, 200), st.integers(0, 12))
def test_what_is_shown_on_and_on_must_be_let_go_first(frames, pause):
    sign, stamp = hold([True] * 30)
    sign.forget(until_let_go=True)
    for shown in [True] * frames + [False] * pause + [True]:
        stamp += FRAME_NS
        sign.see(shown, stamp)
    assert (sign.since_ns is None) == (pause <= 2) == sign.to_let_go


SIGNS = [*BOTH_HANDS_SIGNS, *FREE_HAND_SIGNS, Gesture.NONE, Gesture.OPEN_PALM]


@given(st.lists(st.tuples(st.sampled_from(SIGNS), st.integers(5, 60)), max_size=12), st.booleans())
def test_events_are_the_signs_that_lasted_a_second(stretches, both):
    meaning, settings = BOTH_HANDS_SIGNS if both else FREE_HAND_SIGNS, ClutchSettings()
    reader, events, wanted, stamp, runs = SignReader(meaning, settings), [], [], START, []
    for sign, frames in stretches:
        if runs and runs[-1][0] is sign:
            runs[-1][1] += frames
        else:
            runs.append([sign, frames])
    for sign, frames in runs:
        for _ in range(frames):
            stamp += FRAME_NS
            events += [event] if (event := reader.see(sign, stamp)) else []
        if sign in meaning and (frames - 1) * FRAME_NS >= settings.sign_ns:
            wanted.append(meaning[sign])
    assert events == wanted


def test_no_ordinary_grasp_is_a_sign_of_both_hands():
    assert not {Gesture.FIST, Gesture.PINCH, Gesture.POINTING, Gesture.OPEN_PALM} & set(BOTH_HANDS_SIGNS)


# ---- camera frames ----------------------------------------------------------------------------------------


@given(st.lists(st.integers(-300, 300), max_size=40))
def test_only_newer_frames_count(steps_ms):
    pace, stamp, newest = FramePace(), START, None
    for step in steps_ms:
        stamp += step * MS
        assert pace.see(stamp) == (newest is None or stamp > newest)
        newest = stamp if newest is None else max(newest, stamp)
        assert pace.last_ns == newest
        assert not pace.silent(newest + SILENCE_NS) and pace.silent(newest + SILENCE_NS + 1)


@given(st.integers(5, 200), st.integers(2, 30))
def test_the_rate_is_that_of_the_last_frames(wait_ms, frames):
    pace = FramePace()
    assert pace.rate_hz == 0.0 and pace.last_ns == 0 and not pace.silent(START)
    for stamp in START + np.cumsum([10_000 * MS, *[wait_ms * MS] * frames]):
        pace.see(int(stamp))
    assert pace.rate_hz == pytest.approx(1000 / wait_ms)
    assert WINDOW >= 2


def test_a_gap_does_not_lower_the_rate_afterwards():
    pace = FramePace()
    for stamp in (0, 33, 66, 5000, 5033, 5066):
        pace.see(START + stamp * MS)
    assert pace.rate_hz == pytest.approx(1000 / 33, rel=0.01)
