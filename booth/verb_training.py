# SPDX-License-Identifier: Apache-2.0
"""`booth training`: who practised what on the virtual robot, how well, and who is ready."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from booth.output import result, result_json, say, table
from booth.session.records import Score
from booth.session.store import Store
from booth.session.training_ready import Readiness, Round, readiness, rounds_of
from booth.session.training_score import EXERCISES, exercises_of
from booth.training_plot import plot_standings
from graph.errors import EXIT_OK, InputError
from recorder.identity import wall_iso
from robots import load_robot

DESCRIPTION = """Scores of the training on the virtual robot, and who is ready for which robot.
docs/training.md says what each exercise asks, how it is scored and when somebody is ready."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One operator on one robot."""

    id: str
    name: str
    robot: str
    exercises: tuple[str, ...]
    rounds: tuple[Round, ...]
    readiness: Readiness


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("training", help="scores of operators in training, and who is ready")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _action(actions, "list", "every operator's trainings, on every robot", run_list)
    _action(actions, "show", "every training of one operator, and what there is to do", run_show).add_argument("id")
    _action(actions, "ready", "who is ready, and what the others have to do", run_ready)


def run_list(args: argparse.Namespace) -> int:
    """A table: a line for each operator and robot."""
    found = _standings(args)
    if args.json:
        result_json({"operators": [_values(one) for one in found]})
    elif found:
        header = ("operator", "robot", "trainings", "last", *EXERCISES, "mean", "ready")
        result(table([_row(one) for one in found], header))
    return EXIT_OK


def run_show(args: argparse.Namespace) -> int:
    """One operator: a line for each training."""
    found = _standings(args, args.id)
    if args.json:
        result_json({"id": args.id, "robots": [{**_values(one), "rounds": _rounds(one)} for one in found]})
        return EXIT_OK
    for one in found:
        rows = [
            (wall_iso(each.wall_ns)[:16], *_scores(each.scores), _mean(each.mean(one.exercises))) for each in one.rounds
        ]
        result(f"{one.id} ({one.name}) on {one.robot}:\n" + table(rows, ("ended", *EXERCISES, "mean")))
        result("ready" if one.readiness.ready else "not ready: " + "; ".join(one.readiness.missing))
    return EXIT_OK


def run_ready(args: argparse.Namespace) -> int:
    """Who may record, and why others not yet."""
    found = _standings(args)
    if args.json:
        told = [{"id": one.id, "robot": one.robot, **_judged(one.readiness)} for one in found]
        result_json(
            {"ready": [each for each in told if each["ready"]], "others": [each for each in told if not each["ready"]]}
        )
    elif found:
        first = sorted(found, key=lambda one: not one.readiness.ready)
        rows = [(one.id, one.name, one.robot, _yes(one), "; ".join(one.readiness.missing)) for one in first]
        result(table(rows, ("operator", "name", "robot", "ready", "to do")))
    return EXIT_OK


def _standings(args: argparse.Namespace, operator: str = "") -> list[Standing]:
    """What is asked for, and drawn where a picture is wanted.

    Raises:
        SessionError: no such operator; RobotFileError: no such robot; InputError: the picture can't be written.
    """
    robot = load_robot(args.robot) if args.robot else None
    with Store(args.store) as store:
        operators = [store.operators.get(operator)] if operator else store.operators.all()
        scores = {one.id: store.scores(one.id) for one in operators}
        now_ns = store.now_ns()
    found = []
    for one in operators:
        names = {str(each.details.get("robot", "")) for each in scores[one.id]} if robot is None else {robot.name}
        for name in sorted(names):
            exercises = _exercises(name) if robot is None else exercises_of(robot)
            found.append(_standing(one.id, one.name, name, exercises, scores[one.id], now_ns))
    if not found:
        say("booth: nobody has trained yet: booth up, choose an operator on the page, then Training")
    elif args.plot is not None:
        plot_standings([(f"{one.id} on {one.robot}", one.exercises, one.rounds) for one in found], args.plot)
    return found


def _standing(
    identity: str, name: str, robot: str, exercises: tuple[str, ...], scores: Sequence[Score], now_ns: int
) -> Standing:
    done = [each for each in scores if each.details.get("robot", "") == robot]
    return Standing(identity, name, robot, exercises, tuple(rounds_of(done)), readiness(done, now_ns, exercises))


def _exercises(robot: str) -> tuple[str, ...]:
    """Of a robot by its name; one that does not come with the package is taken for one with hands."""
    try:
        return exercises_of(load_robot(robot))
    except InputError:
        return EXERCISES


def _action(actions: Any, name: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=text, description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", type=Path, metavar="FILE", help="default: $BOOTH_STORE, else this user's own")
    parser.add_argument("--robot", default="", help="only this one: name or YAML file (default: all that were used)")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw how the scores went, too")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)
    return parser


def _row(one: Standing) -> tuple[object, ...]:
    last = wall_iso(one.rounds[-1].wall_ns)[:10] if one.rounds else ""
    best = _scores({name: score for name, score in one.readiness.passed.items() if score is not None})
    means = one.readiness.means
    return (
        one.id,
        one.robot,
        len(one.rounds),
        last,
        *best,
        _mean(sum(means) / len(means) if means else None),
        _yes(one),
    )


def _scores(scores: Any) -> tuple[str, ...]:
    return tuple(f"{scores[name]:.0f}" if name in scores else "-" for name in EXERCISES)


def _mean(mean: float | None) -> str:
    return "-" if mean is None else f"{mean:.0f}"


def _yes(one: Standing) -> str:
    return "yes" if one.readiness.ready else "no"


def _judged(found: Readiness) -> dict[str, object]:
    return {
        "ready": found.ready,
        "best": dict(found.passed),
        "means": [round(each, 1) for each in found.means],
        "missing": list(found.missing),
    }


def _values(one: Standing) -> dict[str, object]:
    return {"id": one.id, "name": one.name, "robot": one.robot, "trainings": len(one.rounds), **_judged(one.readiness)}


def _rounds(one: Standing) -> list[dict[str, object]]:
    return [{"ended": wall_iso(each.wall_ns), "scores": dict(each.scores)} for each in one.rounds]
