# SPDX-License-Identifier: Apache-2.0
"""Hardware errors in words."""

import pytest

from drivers.hardware_error import BITS, WORDS, Y_ERRORS, Cause, causes, describe, is_overload

FAMILIES = ("x", "p", "y", "hx5")


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_is_said_of_a_healthy_servo(family):
    assert describe(family, 0) == ()


def test_bits_are_told_one_by_one():
    assert describe("x", 0x24) == ("overheated", "overloaded")
    assert causes("x", 0x24) == (Cause.OVERHEATING, Cause.OVERLOAD)


def test_a_hall_sensor_error_is_of_the_p_series_only():
    assert causes("p", 2) == (Cause.HALL_SENSOR,)
    assert describe("x", 2) == ("unknown error (bit 1)",)


def test_a_ys_register_is_a_code_and_not_bits():
    assert describe("y", 5) == ("overloaded",)
    assert causes("y", 0x12) == (Cause.BUS_WATCHDOG,)
    assert describe("y", 6) == ("unknown error (code 6)",)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("code", range(256))
def test_every_value_of_the_register_is_described(family, code):
    words = describe(family, code)
    assert len(words) == len(causes(family, code))
    assert bool(words) == bool(code)


def test_overload_is_known_in_every_family():
    assert [is_overload(family, code) for family, code in (("x", 0x20), ("p", 0x20), ("y", 5))] == [True] * 3
    assert not is_overload("y", 0x20)


def test_every_cause_has_words_and_every_key_is_used():
    assert set(WORDS) == set(Cause)
    used = {error.cause for error in Y_ERRORS.values()} | set(BITS.values()) | {Cause.UNKNOWN}
    assert used == set(Cause)


def test_errors_that_hold_keep_their_torque():
    assert {code for code, error in Y_ERRORS.items() if error.holds} == {17, 18, 19, 20}
    assert all(error.keeps_torque for error in Y_ERRORS.values() if error.holds)
