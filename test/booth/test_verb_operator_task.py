# SPDX-License-Identifier: Apache-2.0
"""`booth operator` and `booth task`: what they keep, and how they answer."""

from pathlib import Path

import pytest
from booth_cli import Ran, assert_answer, booth

from booth.session.records import Task
from booth.session.task_file import FIELDS, read_tasks

ROOT = Path(__file__).parents[2]
NUMBERS = {"target": 0, "warm_up_s": 0, "record_s": 1, "reset_s": 0, "review_s": 0}


@pytest.fixture
def run(tmp_path):
    def at_store(*arguments: object) -> Ran:
        return booth(*arguments, BOOTH_STORE=str(tmp_path / "booth.sqlite"), XDG_DATA_HOME=str(tmp_path))

    return at_store


def test_an_operator_is_added_agrees_is_changed_removed_and_back(run) -> None:
    assert "no operators yet: booth operator add" in run("operator", "list").err
    added = run("operator", "add", "ana", "--name", "Ana Kim", "--language", "ko", "--profile", "ana")
    assert added.code == 0 and "booth operator consent ana" in added.out
    assert "ana has no calibration yet: booth calibrate ana" in added.err
    shown = run("operator", "consent", "ana")
    assert "pictures of its cameras" in shown.out and "has not agreed" in shown.out
    assert run("operator", "consent", "ana", "--given", "--json").json["consented"] is True
    assert run("operator", "set", "ana", "--badge", "0042", "--json").json["badge"] == "0042"
    listed = run("operator", "list").out
    assert "Ana Kim" in listed and "0042" in listed
    removed = run("operator", "remove", "ana")
    assert "undo: booth operator remove ana --undo" in removed.out
    assert run("operator", "list", "--json").json == {"operators": []}
    assert run("operator", "list", "--all", "--json").json["operators"][0]["removed"] is not None
    run("operator", "remove", "ana", "--undo")
    one = run("operator", "show", "ana", "--json").json
    assert (one["language"], one["consented"], one["removed"], one["kept"]) == ("ko", True, None, 0)


def test_an_operator_is_forgotten_for_good(run) -> None:
    run("operator", "add", "ana", "--name", "Ana Kim", "--profile", "ana")
    told = run("operator", "remove", "ana", "--forget")
    assert told.code == 0 and "operators/ana.json: remove that file, too" in told.err
    assert "Ana Kim" not in run("operator", "list", "--all").out
    assert_answer(run("operator", "consent", "ana", "--given"), 2, "was removed")


def test_wrong_answers_are_one_sentence_with_what_there_is(run) -> None:
    assert_answer(run("operator", "show", "bo"), 2, "no operator 'bo'; there are none yet: booth operator add")
    assert_answer(run("task", "show", "x"), 2, "no task 'x'; there are none yet: booth task add")
    run("operator", "add", "ana", "--name", "Ana")
    assert_answer(run("operator", "set", "bo", "--name", "Bo"), 2, "no operator 'bo'; there are: ana")
    assert_answer(run("operator", "add", "ana", "--name", "Ana"), 2, "ana is there already")
    assert_answer(run("operator", "set", "ana"), 2, "nothing to change: give some of --name")
    assert_answer(run("operator", "add", "Bo!", "--name", "Bo"), 2, "small letters, digits, _ and -", "found 'Bo!'")
    wrong = run("task", "add", "x", "--name", "X", "--instruction", "Do it.", "--target", 0, "--reset-s", -1)
    assert_answer(wrong, 2, "task 'x' can't be used", "target:", "found 0", "reset_s:", "found -1")


def test_a_task_is_added_changed_removed_and_back(run) -> None:
    added = run("task", "add", "cups", "--name", "Cups", "--instruction", "Stack two cups.", "--target", 5, "--json")
    assert (added.json["target"], added.json["record_s"]) == (5, 60)
    assert run("task", "set", "cups", "--record-s", "7.5", "--json").json["record_s"] == 7.5
    assert "Stack two cups." in run("task", "list").out
    run("task", "remove", "cups")
    assert run("task", "list", "--json").json == {"tasks": []}
    assert_answer(run("task", "set", "cups", "--target", 3), 2, "cups was removed: booth task remove cups --undo")
    run("task", "remove", "cups", "--undo")
    assert "record_s    7.5" in run("task", "show", "cups").out


def test_the_examples_are_imported_and_a_second_time_change_nothing(run) -> None:
    example = ROOT / "config" / "tasks.yaml"
    first = run("task", "import", example, "--json").json
    assert first["added"] == ["grasp_ball", "stack_cups", "hand_over"]
    run("task", "set", "stack_cups", "--target", 3)
    second = run("task", "import", example, "--json").json
    assert (second["added"], second["changed"], second["same"]) == ([], ["stack_cups"], ["grasp_ball", "hand_over"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no tasks: expected `tasks:` and a list"),
        ("tasks: 3", "holds no tasks"),
        ("tasks: [", "can't be read: while parsing"),
        ("tasks: [3]", "entry 1 is no task"),
        ("tasks: [{id: a, name: A, instruction: X, colour: red}]", "entry 1 has colour: expected some of id, name"),
        ("tasks: [{id: a, name: A, instruction: X, removed_ns: 3}]", "entry 1 has removed_ns"),
        ("tasks: [{id: a, name: A, instruction: X}, {id: a, name: B, instruction: Y}]", "'a' is there more than once"),
        ("tasks: [{id: a, name: A}, {id: B, name: B, instruction: Y}]", "2 problem(s), nothing was imported"),
    ],
)
def test_a_file_that_can_not_be_used_says_every_problem_and_imports_nothing(run, tmp_path, text, words) -> None:
    path = tmp_path / "tasks.yaml"
    path.write_text(text)
    assert_answer(run("task", "import", path), 2, words)
    assert run("task", "list", "--json").json == {"tasks": []}


def test_a_file_that_is_not_there_is_named(run, tmp_path) -> None:
    assert_answer(run("task", "import", tmp_path / "none.yaml"), 2, "no file", "config/tasks.yaml")


def test_the_example_file_names_only_what_a_task_has() -> None:
    assert set(FIELDS) == {"id", "name", "instruction", *NUMBERS}
    tasks = read_tasks(ROOT / "config" / "tasks.yaml")
    assert all(isinstance(task, Task) and task.instruction.endswith(".") for task in tasks)


def test_a_damaged_store_is_named_and_left_alone(run, tmp_path) -> None:
    store = tmp_path / "booth.sqlite"
    store.write_bytes(b"this is no database, " * 100)
    assert_answer(run("operator", "list"), 2, "is damaged", "move it away")
    assert store.read_bytes() == b"this is no database, " * 100
