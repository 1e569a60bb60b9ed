# SPDX-License-Identifier: Apache-2.0
"""`booth operator`: who operates, what the page calls them, and what they agreed to."""

import argparse
from collections.abc import Mapping
from typing import Any, get_args

from booth.output import result, result_json, say, table
from booth.session.consent import CONSENT_TEXT, CONSENT_VERSION
from booth.session.errors import SessionError
from booth.session.records import Decision, Handedness, Language, Operator, checked
from booth.session.store import Store
from booth.store_verbs import add_action, tell
from graph.errors import EXIT_OK
from recorder.identity import wall_iso
from teleop.operator_profile import profile_path

FIELDS = ("name", "badge", "language", "handedness", "profile")


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("operator", help="who operates: add, list, show, set, remove; their consent")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    one = add_action(actions, "add", "add an operator", run_add)
    one.add_argument("id", help="small letters, digits, _ and -; episodes name it, for good")
    _fields(one, needed=True)
    one = add_action(actions, "list", "all operators", run_list)
    one.add_argument("--all", action="store_true", help="those who were removed, too")
    add_action(actions, "show", "one operator, with sessions and scores", run_show).add_argument("id")
    one = add_action(actions, "set", "change what is known of an operator", run_set)
    one.add_argument("id")
    _fields(one, needed=False)
    one = add_action(actions, "remove", "take an operator off the page; episodes stay", run_remove)
    one.add_argument("id")
    how = one.add_mutually_exclusive_group()
    how.add_argument("--undo", action="store_true", help="put them back")
    how.add_argument("--forget", action="store_true", help="erase name, badge and scores for good, withdraw consent")
    one = add_action(actions, "consent", "show the text, or note the answer to it", run_consent)
    one.add_argument("id")
    how = one.add_mutually_exclusive_group()
    how.add_argument("--given", action="store_true", help="they have read it and agree")
    how.add_argument("--withdraw", action="store_true", help="they do not agree any longer")


def run_add(args: argparse.Namespace) -> int:
    """Somebody new."""
    operator = checked(Operator, {"id": args.id, **_given(args)})
    with Store(args.store) as store:
        store.operators.add(operator, store.now_ns())
        _say_profile(operator)
        added = store.operators.get(operator.id)
    return tell(args, added, _values(added), f"added: next, booth operator consent {added.id}")


def run_list(args: argparse.Namespace) -> int:
    """A table."""
    with Store(args.store) as store:
        found = store.operators.all(removed=args.all)
    if args.json:
        result_json({"operators": [_values(one) for one in found]})
    elif not found:
        say("booth: no operators yet: booth operator add ID --name NAME")
    else:
        rows = [
            (one.id, one.name, one.badge, one.language, one.handedness, one.profile, _consent(one), _removed(one))
            for one in found
        ]
        header = ("id", "name", "badge", "language", "hand", "profile", "consent", "removed")
        result(table(rows, header))
    return EXIT_OK


def run_show(args: argparse.Namespace) -> int:
    """Everything that is kept of one."""
    with Store(args.store) as store:
        found = store.operators.get(args.id, removed=True)
        sessions = [one for one in store.sessions.all() if one.operator == found.id]
        decided = store.sessions.decided(found.id, 0)
        scores = {score.exercise: round(score.score) for score in store.scores(found.id)}
    kept = decided.count(Decision.KEPT)
    more: dict[str, object] = {"sessions": len(sessions), "kept": kept, "takes": len(decided), "scores": scores}
    if args.json:
        result_json({**_values(found), **more})
    else:
        told = {**_values(found), "consent": _consent(found), "removed": _removed(found)}
        told |= {**more, "scores": ", ".join(f"{name} {score}" for name, score in scores.items())}
        result("\n".join(f"{name:<11} {value}" for name, value in told.items() if value not in ("", None)))
    return EXIT_OK


def run_set(args: argparse.Namespace) -> int:
    """Change some of it."""
    given = _given(args)
    if not given:
        raise SessionError(f"nothing to change: give some of {', '.join(f'--{name}' for name in FIELDS)}")
    with Store(args.store) as store:
        operator = checked(Operator, {**store.operators.get(args.id).model_dump(), **given})
        store.operators.put(operator)
        _say_profile(operator)
        return tell(args, operator, _values(operator), "changed")


def run_remove(args: argparse.Namespace) -> int:
    """Mark as gone, take that back, or forget the person."""
    with Store(args.store) as store:
        profile = store.operators.get(args.id, removed=True).profile
        if args.forget:
            store.operators.forget(args.id, store.now_ns())
            if profile:
                say(f"booth: their measures are in {profile_path(profile)}: remove that file, too")
            words = "forgotten; episodes and their pictures stay: booth library query --operator shows them"
        else:
            store.operators.remove(args.id, 0 if args.undo else store.now_ns())
            words = "is back" if args.undo else f"removed; undo: booth operator remove {args.id} --undo"
        found = store.operators.get(args.id, removed=True)
    return tell(args, found, _values(found), words)


def run_consent(args: argparse.Namespace) -> int:
    """Show the text, or note what the operator said to it."""
    with Store(args.store) as store:
        if args.given:
            store.operators.consent(args.id, store.now_ns())
        elif args.withdraw:
            store.operators.withdraw(args.id, store.now_ns())
        found = store.operators.get(args.id)
    if not (args.given or args.withdraw or args.json):
        result(f"{CONSENT_TEXT} (version {CONSENT_VERSION})\n")
    words = (
        f"agreed on {_consent(found)}" if found.consented else "has not agreed: --given when they have read it and do"
    )
    return tell(args, found, _values(found), words)


def _fields(parser: argparse.ArgumentParser, needed: bool) -> None:
    parser.add_argument("--name", required=needed, help="what the page calls them")
    parser.add_argument("--badge", help="number or text of a badge")
    parser.add_argument("--language", choices=get_args(Language), help="of their page (default: en)")
    parser.add_argument("--handedness", choices=get_args(Handedness), help="default: right")
    parser.add_argument("--profile", help="name of their calibration, see booth calibrate")


def _given(args: argparse.Namespace) -> dict[str, object]:
    return {name: getattr(args, name) for name in FIELDS if getattr(args, name) is not None}


def _say_profile(operator: Operator) -> None:
    if operator.profile and not profile_path(operator.profile).is_file():
        say(f"booth: {operator.profile} has no calibration yet: booth calibrate {operator.profile}")


def _consent(operator: Operator) -> str:
    if operator.consented:
        return wall_iso(operator.consent_ns)[:10]
    return "to an older text" if operator.consent_version else "no"


def _removed(operator: Operator) -> str:
    return wall_iso(operator.removed_ns)[:10] if operator.removed_ns else ""


def _values(operator: Operator) -> dict[str, object]:
    values: Mapping[str, object] = operator.model_dump(exclude={"consent_ns", "removed_ns"})
    consented = wall_iso(operator.consent_ns) if operator.consent_ns else None
    removed = wall_iso(operator.removed_ns) if operator.removed_ns else None
    return {**values, "consented": operator.consented, "consent": consented, "removed": removed}
