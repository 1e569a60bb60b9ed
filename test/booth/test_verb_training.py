# SPDX-License-Identifier: Apache-2.0
"""`booth training` tells a supervisor who is ready, who is not and why."""

import json

import matplotlib.image
import pytest

from booth.cli import main
from booth.session.records import Operator
from booth.session.store import Store
from booth.session.training_ready import DAY_NS
from booth.session.training_score import EXERCISES
from graph.errors import EXIT_INPUT, EXIT_OK

ROBOT = "hx5_d20_right"


@pytest.fixture
def store(tmp_path):
    """Ana has trained well three times, Ben once, on two robots; Cem never."""
    path = tmp_path / "booth.sqlite"
    with Store(path) as store:
        now_ns = store.now_ns()
        for name in ("ana", "ben", "cem"):
            store.operators.add(Operator(id=name, name=name.title()), now_ns)

        def train(operator, day, score, robot=ROBOT, exercises=EXERCISES):
            for k, exercise in enumerate(exercises):
                details = {"round": f"{operator}{day}{robot}", "robot": robot}
                store.add_score(operator, exercise, score + k, details, now_ns - day * DAY_NS + k)

        for day in (3, 2, 1):
            train("ana", day, 80.0)
        train("ben", 4, 50.0)
        for day in (3, 2, 1):
            train("ben", day, 90.0, "op3", ("reach", "hold", "follow"))
    return path


def run(capsys, *words):
    code = main(["training", *map(str, words)])
    return code, capsys.readouterr()


def told(capsys, *words):
    code, said = run(capsys, *words, "--json")
    assert code == EXIT_OK
    return json.loads(said.out.splitlines()[-1])


def test_the_list_has_a_line_for_each_operator_and_robot(capsys, store):
    code, said = run(capsys, "list", "--store", store)
    assert code == EXIT_OK
    lines = [line.split() for line in said.out.splitlines()[2:]]
    assert [(line[0], line[1], line[2], *line[4:]) for line in lines] == [
        ("ana", ROBOT, "3", "80", "81", "82", "83", "82", "yes"),
        ("ben", ROBOT, "1", "50", "51", "52", "53", "52", "no"),
        ("ben", "op3", "3", "90", "-", "91", "92", "91", "yes"),
    ]


def test_ready_names_those_who_are_first_and_tells_the_others_what_to_do(capsys, store):
    code, said = run(capsys, "ready", "--store", store)
    assert code == EXIT_OK
    lines = said.out.splitlines()[2:]
    assert [line.split()[0] for line in lines] == ["ana", "ben", "ben"] and lines[-1].split()[3] == "no"
    assert "reach has 50 at best in the last 30 days, 60 are needed" in lines[-1]
    found = told(capsys, "ready", "--store", store, "--robot", ROBOT)
    assert [each["id"] for each in found["ready"]] == ["ana"]
    assert [(each["id"], each["missing"][-1]) for each in found["others"]] == [
        ("ben", "2 more whole trainings, 3 are needed"),
        ("cem", "3 more whole trainings, 3 are needed"),
    ]


def test_show_has_every_training_of_one_operator(capsys, store):
    code, said = run(capsys, "show", "ben", "--store", store)
    assert code == EXIT_OK and said.out.count("ben (Ben) on") == 2
    assert "not ready: reach has 50" in said.out and "\nready" in said.out
    found = told(capsys, "show", "ben", "--store", store)
    rounds = {each["robot"]: each["rounds"] for each in found["robots"]}
    assert [each["scores"] for each in rounds[ROBOT]] == [{"reach": 50.0, "pinch": 51.0, "hold": 52.0, "follow": 53.0}]
    assert len(rounds["op3"]) == 3


@pytest.mark.parametrize("action", [("list",), ("show", "ana"), ("ready", "--robot", "op3")])
def test_a_picture_is_drawn(capsys, store, tmp_path, action):
    out = tmp_path / "scores.png"
    code, _ = run(capsys, *action, "--store", store, "--plot", out)
    assert code == EXIT_OK
    picture = matplotlib.image.imread(out)
    assert picture.shape[0] > 200 and picture.std() > 0.02


def test_bad_input_is_answered(capsys, store, tmp_path):
    for words, answer in (
        (("show", "dora"), "dora"),
        (("list", "--robot", "robbie"), "unknown robot"),
        (("list", "--plot", tmp_path / "scores.jpg"), "ends in .png"),
        (("list", "--plot", tmp_path / "no" / "scores.png"), "can't write"),
    ):
        code, said = run(capsys, *words, "--store", store)
        assert code == EXIT_INPUT and answer in said.err, words


def test_an_empty_store_says_what_to_do(capsys, tmp_path):
    code, said = run(capsys, "list", "--store", tmp_path / "new.sqlite")
    assert code == EXIT_OK and said.out == "" and "nobody has trained yet" in said.err
