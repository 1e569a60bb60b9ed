# SPDX-License-Identifier: Apache-2.0
"""A drawn operator passes the training on the real virtual robot, and one who is late has less."""

import pytest
from training_trial import Booth

from booth.session.training_score import EXERCISES, PASS

pytestmark = pytest.mark.slow


def test_a_drawn_operator_passes_every_exercise_and_a_late_one_follows_worse():
    quick = Booth("xl330_hand", reaction_s=0.2).do(200)
    assert tuple(quick) == EXERCISES and min(quick.values()) > 85.0
    late = Booth("xl330_hand", reaction_s=0.9, noise_m=0.002).do(200)
    assert late["follow"] < quick["follow"] - 20.0 and late["follow"] < PASS
    assert all(late[each] <= quick[each] for each in EXERCISES)
