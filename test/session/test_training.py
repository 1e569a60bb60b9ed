# SPDX-License-Identifier: Apache-2.0
"""A training from the first exercise to the last: its order, its clock, and that better operators score better."""

import json

import numpy as np
import pytest
from training_people import BAD, LAGGING, PERFECT, STEP_NS, Trainee

from booth.session.errors import SessionError
from booth.session.training import RESULT_NS, Training
from booth.session.training_score import EXERCISES, PASS

ROBOTS = {"xl330_hand": EXERCISES, "op3": ("reach", "hold", "follow"), "ffw_sg2": EXERCISES}


@pytest.mark.parametrize("name", ROBOTS)
def test_a_perfect_follower_a_lagging_one_and_a_bad_one_score_in_this_order(name):
    perfect, lagging, bad = (Trainee(name, skills).do() for skills in (PERFECT, LAGGING, BAD))
    assert tuple(perfect) == tuple(lagging) == tuple(bad) == ROBOTS[name]
    assert min(perfect.values()) >= 95.0
    for exercise in ROBOTS[name]:
        assert perfect[exercise] >= lagging[exercise] >= bad[exercise]
    assert min(lagging[each] - bad[each] for each in ROBOTS[name]) > 20.0
    assert perfect["follow"] - lagging["follow"] > 10.0 and max(bad.values()) < PASS


def test_the_page_is_told_everything_in_json():
    trainee, seen = Trainee("xl330_hand"), {}
    while not trainee.training.done:
        trainee.step()
        view = trainee.training.view(trainee.now_ns)
        assert json.loads(json.dumps(view)) == view
        assert 0.0 <= view["progress"] <= 1.0 and view["seconds_left"] >= 0.0 and view["of"] == 4
        assert view["ghost"] == (trainee.training.ghost_rad is not None)
        seen.setdefault(view["exercise"], view["number"])
    assert seen == {"reach": 1, "pinch": 2, "hold": 3, "follow": 4}
    assert view["instruction"]["key"] == "training.done" and view["actions"] == []
    assert [each["exercise"] for each in view["scores"]] == list(EXERCISES)


def test_time_stands_still_while_the_robot_does_not_follow():
    trainee = Trainee("xl330_hand")
    for _ in range(60):
        trainee.step(engaged=False)
    view = trainee.training.view(trainee.now_ns)
    assert view["instruction"]["key"] == "training.engage" and view["seconds_left"] == 48.0 and view["targets"] == []
    for _ in range(30):
        trainee.step()
    left_s = trainee.training.view(trainee.now_ns)["seconds_left"]
    assert 46.9 < left_s < 47.2
    for _ in range(60):
        trainee.step(engaged=False)
    assert trainee.training.view(trainee.now_ns)["seconds_left"] == left_s
    scores = trainee.do()
    assert scores["reach"] == 100.0 and trainee.scores[0].details["breaks"] == 1


def until_scored(trainee):
    while not trainee.scores:
        trainee.step()
    return trainee.now_ns


def test_a_score_is_shown_for_a_while_and_then_the_next_exercise_begins():
    trainee = Trainee("xl330_hand")
    shown_ns = until_scored(trainee)
    view = trainee.training.view(trainee.now_ns)
    assert (view["exercise"], view["score"], view["instruction"]["key"]) == ("reach", 100, "training.passed")
    while trainee.training.view(trainee.now_ns)["exercise"] == "reach":
        trainee.step()
    assert 0 <= trainee.now_ns - shown_ns - RESULT_NS < 2 * STEP_NS


def test_an_exercise_that_was_not_passed_waits_and_may_be_done_again():
    trainee = Trainee("xl330_hand", BAD)
    until_scored(trainee)
    for _ in range(400):
        trainee.step()
    view = trainee.training.view(trainee.now_ns)
    assert (view["exercise"], view["score"], view["instruction"]["key"]) == ("reach", 0, "training.failed")
    trainee.training.act("redo", trainee.now_ns)
    assert trainee.training.view(trainee.now_ns)["score"] is None
    trainee.skill, trainee.scores = PERFECT["hand"], []
    until_scored(trainee)
    assert (trainee.scores[0].exercise, trainee.scores[0].score) == ("reach", 100.0)
    assert trainee.training.view(trainee.now_ns)["scores"] == [{"exercise": "reach", "score": 100}]


def test_next_passes_an_exercise_without_a_score_and_finish_ends_it_all():
    trainee = Trainee("xl330_hand")
    trainee.training.act("next", trainee.now_ns)
    assert trainee.training.view(trainee.now_ns)["exercise"] == "pinch"
    trainee.training.act("finish", trainee.now_ns)
    assert trainee.training.done and trainee.training.take_scores() == []
    with pytest.raises(SessionError, match="is over"):
        trainee.training.act("next", trainee.now_ns)


def test_an_unknown_action_is_answered_with_those_that_exist():
    with pytest.raises(SessionError, match=r"next, redo, finish.*'jump'"):
        Trainee("xl330_hand").training.act("jump", 0)


def test_scores_are_handed_out_once_and_name_robot_and_training():
    trainee = Trainee("xl330_hand")
    until_scored(trainee)
    assert trainee.training.take_scores() == []
    assert trainee.scores[0].details["robot"] == "xl330_hand"
    assert trainee.scores[0].details["round"] == trainee.training.round != Trainee("xl330_hand").training.round
    json.dumps(dict(trainee.scores[0].details), allow_nan=False)


def test_joints_that_are_not_known_keep_their_last_value_and_lost_hands_do_no_harm():
    trainee = Trainee("xl330_hand")
    broken = {"right": np.full((21, 2), np.nan)}
    for name in EXERCISES:
        assert trainee.training.view(trainee.now_ns)["exercise"] == name
        for hands in ({}, broken, {}):
            trainee.now_ns += STEP_NS
            trainee.training.see(hands, np.full(11, np.nan), True, trainee.now_ns)
        assert trainee.training.exercise.score == trainee.training.exercise.score
        trainee.training.act("next", trainee.now_ns)


def test_the_same_seed_gives_the_same_circles_and_another_training_others():
    def circles(seed, now_ns=0):
        trainee = Trainee("xl330_hand", seed=seed, start_ns=now_ns)
        until_scored(trainee)
        return [(each.u, each.v) for each in trainee.training.exercise.targets]

    assert circles(3) == circles(3) != circles(4)
    assert circles(None, 10**9) != circles(None, 2 * 10**9)


def test_ready_is_what_the_store_says():
    training = Training(Trainee("xl330_hand").robot, 0)
    assert training.view(0)["ready"] is False
    training.ready = True
    assert training.view(0)["ready"] is True
