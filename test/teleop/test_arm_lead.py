# SPDX-License-Identifier: Apache-2.0
"""A leading filter keeps up with steady motion, is soon right where it ends, and stays calm at rest."""

import numpy as np
import pytest

from teleop.arm_lead import LeadingFilter
from teleop.filters import OneEuroFilter, OneEuroSettings

SETTINGS = OneEuroSettings(1.5, 1.5, 2.0)
FRAME_NS = 33_333_333
FRAME_S = FRAME_NS * 1e-9


def filtered(values, age_s=0.0):
    lead = LeadingFilter(SETTINGS)
    return np.array([lead(np.array([value]), k * FRAME_NS, age_s)[0] for k, value in enumerate(values)])


@pytest.mark.parametrize("speed", [1.0, 2.0])
@pytest.mark.parametrize("age_s", [0.0, 0.05])
def test_steady_motion_is_met_where_it_is_now(speed, age_s) -> None:
    now = speed * FRAME_S * np.arange(60)
    late = now - speed * age_s
    plain = OneEuroFilter(SETTINGS)
    behind = now[-1] - [plain(np.array([value]), k * FRAME_NS)[0] for k, value in enumerate(late)][-1]
    assert abs(now[-1] - filtered(late, age_s)[-1]) < 0.3 * behind


def test_motion_that_stops_is_overshot_by_little_and_not_for_long() -> None:
    values = np.clip(1.5 * FRAME_S * np.arange(80), 0.0, 1.0)
    found = filtered(values)
    assert found.max() < 1.05
    assert abs(found[-1] - 1.0) < 1e-3


def test_noise_at_rest_grows_by_little() -> None:
    noise = np.random.default_rng(3).normal(0.0, 0.01, 600)
    plain = OneEuroFilter(SETTINGS)
    calm = np.array([plain(np.array([value]), k * FRAME_NS)[0] for k, value in enumerate(noise)])
    assert filtered(noise)[30:].std() < 1.25 * calm[30:].std()


def test_after_a_pause_or_a_reset_the_next_value_passes_unchanged() -> None:
    lead = LeadingFilter(SETTINGS)
    for k in range(10):
        lead(np.array([0.1 * k]), k * FRAME_NS)
    assert lead(np.array([5.0]), 10 * FRAME_NS + 300_000_000, 0.05) == 5.0
    lead.reset()
    assert lead(np.array([-2.0]), 20 * FRAME_NS + 300_000_000, 0.05) == -2.0


def test_an_age_out_of_all_reason_does_not_throw_the_value_far() -> None:
    found = filtered(FRAME_S * np.arange(60), age_s=1e6)
    assert found[-1] < FRAME_S * 59 + 0.15
