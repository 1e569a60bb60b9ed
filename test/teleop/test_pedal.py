# SPDX-License-Identifier: Apache-2.0
"""What a foot does, from the bytes of an input device."""

from hypothesis import given
from hypothesis import strategies as st

from teleop.pedal import DOWN, EV_KEY, EV_SYN, EVENT, HOLD, HOLD_NS, REPEAT, SYN_DROPPED, TAP, UP, Pedal

MS = 1_000_000
KEY_A, KEY_B = 30, 48


def key(value: int, code: int = KEY_A) -> bytes:
    """One key event with the report that follows it, as the kernel writes them."""
    return EVENT.pack(7, 8, EV_KEY, code, value) + EVENT.pack(7, 8, EV_SYN, 0, 0)


def plugged_in(*held: int) -> Pedal:
    pedal = Pedal()
    pedal.plug_in(held)
    return pedal


def test_an_event_is_as_long_as_the_kernels() -> None:
    assert EVENT.size == 24


def test_pressed_is_pressed_until_it_is_let_go() -> None:
    pedal = plugged_in()
    assert not pedal.pressed
    pedal.feed(key(DOWN), 0)
    assert pedal.pressed
    pedal.feed(key(REPEAT), 300 * MS)
    assert pedal.pressed
    pedal.feed(key(UP), 500 * MS)
    assert not pedal.pressed


def test_a_short_press_is_a_tap_when_it_ends() -> None:
    pedal = plugged_in()
    pedal.feed(key(DOWN), 0)
    pedal.tick(HOLD_NS - 1)
    assert pedal.take_events() == []
    pedal.feed(key(UP), HOLD_NS - 1)
    assert pedal.take_events() == [TAP]
    assert pedal.take_events() == []


def test_a_long_press_is_a_hold_at_once_and_nothing_when_it_ends() -> None:
    pedal = plugged_in()
    pedal.feed(key(DOWN), 0)
    pedal.tick(HOLD_NS)
    assert pedal.take_events() == [HOLD]
    pedal.tick(2 * HOLD_NS)
    pedal.feed(key(UP), 3 * HOLD_NS)
    assert pedal.take_events() == []


def test_a_hold_that_nobody_looked_at_is_told_when_it_ends() -> None:
    pedal = plugged_in()
    pedal.feed(key(DOWN), 0)
    pedal.feed(key(UP), HOLD_NS)
    assert pedal.take_events() == [HOLD]


def test_taps_in_one_read_are_all_told() -> None:
    pedal = plugged_in()
    pedal.feed((key(DOWN) + key(UP)) * 3, 0)
    assert pedal.take_events() == [TAP] * 3


def test_two_keys_at_once_are_one_press() -> None:
    pedal = plugged_in()
    pedal.feed(key(DOWN) + key(DOWN, KEY_B) + key(UP), 0)
    assert pedal.pressed
    pedal.feed(key(UP, KEY_B), 100 * MS)
    assert not pedal.pressed and pedal.take_events() == [TAP]


def test_what_is_pressed_when_it_is_plugged_in_does_not_count_until_it_was_let_go() -> None:
    pedal = plugged_in(KEY_A)
    assert not pedal.pressed and pedal.to_let_go
    pedal.feed(key(REPEAT), 100 * MS)
    pedal.tick(2 * HOLD_NS)
    assert not pedal.pressed and pedal.take_events() == []
    pedal.feed(key(UP), 2 * HOLD_NS)
    assert not pedal.to_let_go and pedal.take_events() == []
    pedal.feed(key(DOWN), 3 * HOLD_NS)
    assert pedal.pressed


def test_a_key_that_repeats_without_having_been_pressed_was_pressed_before() -> None:
    pedal = plugged_in()
    pedal.feed(key(REPEAT), 0)
    assert not pedal.pressed and pedal.to_let_go


def test_a_foot_beside_one_that_must_be_let_go_does_not_count_either() -> None:
    pedal = plugged_in(KEY_A)
    pedal.feed(key(DOWN, KEY_B), 0)
    assert not pedal.pressed
    pedal.feed(key(UP, KEY_B) + key(UP), 10 * MS)
    pedal.feed(key(DOWN, KEY_B), 20 * MS)
    assert pedal.pressed


def test_unplugged_it_is_up_and_what_was_begun_is_no_tap() -> None:
    pedal = plugged_in()
    pedal.feed(key(DOWN), 0)
    pedal.unplug()
    assert not pedal.pressed
    pedal.plug_in(())
    pedal.tick(2 * HOLD_NS)
    pedal.feed(key(UP), 2 * HOLD_NS)
    assert pedal.take_events() == []


def test_events_that_the_kernel_left_out_let_it_go_and_the_keys_are_asked_anew() -> None:
    pedal = plugged_in()
    pedal.feed(key(DOWN), 0)
    pedal.feed(EVENT.pack(0, 0, EV_SYN, SYN_DROPPED, 0) + key(DOWN, KEY_B), 10 * MS)
    assert not pedal.pressed and pedal.lost_events
    pedal.plug_in([KEY_A])
    assert not pedal.lost_events and pedal.to_let_go and not pedal.pressed


def test_a_mouse_that_moves_is_no_foot() -> None:
    pedal = plugged_in()
    pedal.feed(EVENT.pack(0, 0, 2, 0, 5), 0)
    assert not pedal.pressed and pedal.take_events() == []


@given(st.lists(st.sampled_from([DOWN, UP, REPEAT]), max_size=8), st.lists(st.integers(1, 60), max_size=12))
def test_it_does_not_matter_where_the_bytes_are_cut(values, cuts) -> None:
    data = b"".join(map(key, values))
    whole, parts = plugged_in(), plugged_in()
    whole.feed(data, 0)
    rest = data
    for cut in cuts:
        parts.feed(rest[:cut], 0)
        rest = rest[cut:]
    parts.feed(rest, 0)
    assert (whole.pressed, whole.to_let_go, whole.take_events()) == (
        parts.pressed,
        parts.to_let_go,
        parts.take_events(),
    )


@given(st.lists(st.tuples(st.sampled_from([DOWN, UP, REPEAT]), st.sampled_from([KEY_A, KEY_B])), max_size=20))
def test_with_all_keys_up_nothing_is_pressed_and_nothing_must_be_let_go(keys) -> None:
    pedal = plugged_in()
    for value, code in keys:
        pedal.feed(key(value, code), 0)
    pedal.feed(key(UP, KEY_A) + key(UP, KEY_B), 0)
    assert not pedal.pressed and not pedal.to_let_go
