# SPDX-License-Identifier: Apache-2.0
"""Ready is who passed every exercise lately and trains well as a habit."""

from hypothesis import given
from hypothesis import strategies as st

from booth.session.records import Operator, Score
from booth.session.store import Store
from booth.session.training_ready import DAY_NS, DAYS, MEAN, ROUNDS, ReadyOperators, readiness, whole_rounds
from booth.session.training_score import EXERCISES, PASS
from robots import load_robot

NOW_NS = 20_000 * DAY_NS
ROBOT = "hx5_d20_right"


def training(day, score=80.0, exercises=EXERCISES, robot=ROBOT, **others):
    """The scores of one training, so many days ago; by name those that differ."""
    return [
        Score(
            "ana", name, others.get(name, score), NOW_NS - day * DAY_NS + k, {"round": f"{day}-{robot}", "robot": robot}
        )
        for k, name in enumerate(exercises)
    ]


def test_three_good_trainings_make_ready():
    found = readiness(training(3) + training(2) + training(1), NOW_NS)
    assert found.ready and found.missing == () and found.means == (80.0, 80.0, 80.0)
    assert found.passed == dict.fromkeys(EXERCISES, 80.0)


def test_nobody_is_ready_without_scores():
    found = readiness([], NOW_NS)
    assert not found.ready and found.passed == dict.fromkeys(EXERCISES) and found.means == ()
    assert found.missing[0] == "reach was not done in the last 30 days"
    assert found.missing[-1] == "3 more whole trainings, 3 are needed"


def test_two_trainings_are_not_enough():
    found = readiness(training(2) + training(1), NOW_NS)
    assert not found.ready and found.missing == ("1 more whole training, 3 are needed",)


def test_every_exercise_must_have_been_passed():
    weak = [score for day in (3, 2, 1) for score in training(day, 95.0, pinch=PASS - 1)]
    found = readiness(weak, NOW_NS)
    assert not found.ready and found.missing == ("pinch has 59 at best in the last 30 days, 60 are needed",)
    assert readiness(weak + training(0, 95.0, pinch=PASS), NOW_NS).ready


def test_the_last_trainings_must_be_good_on_the_whole():
    falling = training(9, 100.0) + training(3, 65.0) + training(2, 65.0) + training(1, 65.0)
    found = readiness(falling, NOW_NS)
    assert not found.ready and "mean of 65, 70 are needed" in found.missing[0]
    assert readiness([*falling, *training(0, 85.0)], NOW_NS).ready


def test_readiness_is_lost_without_practice():
    done = training(DAYS + 3) + training(DAYS + 2) + training(DAYS + 1)
    assert not readiness(done, NOW_NS).ready and readiness(done, NOW_NS - 2 * DAY_NS).ready
    assert readiness(done + training(1), NOW_NS).ready


def test_a_training_that_was_broken_off_does_not_count_and_of_a_repeated_exercise_the_last_does():
    whole, broken = training(3, 80.0), training(2, 0.0, ("reach", "pinch"))
    again = [*training(1, 40.0), Score("ana", "follow", 100.0, NOW_NS, {"round": f"1-{ROBOT}", "robot": ROBOT})]
    assert whole_rounds(whole + broken + again) == [80.0, (3 * 40.0 + 100.0) / 4]


def test_scores_of_nobody_knows_which_training_make_none():
    loose = [Score("ana", name, 90.0, NOW_NS + k, {}) for k, name in enumerate(EXERCISES * 3)]
    assert whole_rounds(loose) == []


def test_a_robot_without_hands_asks_for_no_pinch():
    three = ("reach", "hold", "follow")
    done = [score for day in (3, 2, 1) for score in training(day, exercises=three, robot="op3")]
    assert readiness(done, NOW_NS, three).ready and not readiness(done, NOW_NS).ready


def test_what_was_done_on_another_robot_counts_only_where_that_is_wanted():
    done = training(3) + training(2) + training(1)
    assert readiness(done, NOW_NS, robot=ROBOT).ready and not readiness(done, NOW_NS, robot="ffw_sh5").ready


@given(st.lists(st.floats(0, 100), min_size=3, max_size=6), st.floats(0, 40))
def test_better_scores_never_take_readiness_away(scores, more):
    def ready(values):
        rounds = [each for day, value in enumerate(reversed(values)) for each in reversed(training(day, value))]
        return readiness(sorted(rounds, key=lambda each: each.wall_ns), NOW_NS).ready

    if ready(scores):
        assert min(max(scores), sum(scores[-ROUNDS:]) / ROUNDS) >= min(PASS, MEAN)
        assert ready([min(100.0, value + more) for value in scores])


def test_the_page_asks_the_store_again_only_when_something_has_changed(tmp_path):
    with Store(tmp_path / "booth.sqlite", lambda: NOW_NS) as store:
        store.operators.add(Operator(id="ana", name="Ana"), NOW_NS)
        ready = ReadyOperators(store, load_robot(ROBOT))
        assert ready("ana") is None
        for each in training(3) + training(2):
            store.add_score("ana", each.exercise, each.score, each.details, each.wall_ns)
        assert ready("ana") is False
        for each in training(1):
            store.add_score("ana", each.exercise, each.score, each.details, each.wall_ns)
        assert ready("ana") is True
        assert ReadyOperators(store, load_robot("xl330_hand"))("ana") is None


def test_a_score_that_is_no_number_passes_nothing():
    assert not readiness([each for day in (3, 2, 1) for each in training(day, float("nan"))], NOW_NS).ready
