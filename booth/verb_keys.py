# SPDX-License-Identifier: Apache-2.0
"""`booth keys`: key pairs of the link between an operator's laptop and a robot, and who is let in."""

import argparse
from typing import Any

from booth.output import result, result_json, table
from graph.errors import EXIT_OK
from teleop.link_allowed import allow, allowed_path, read_allowed, revoke
from teleop.link_keys import key_names, keys_directory, load_key, new_key, public_key

EPILOG = """on the robot:   booth keys new robot           then carry robot.pub to the laptop
on the laptop:  booth keys new ana             then carry ana.pub to the robot
on the robot:   booth keys allow ana.pub ana
Only .pub files are carried; a .key file never leaves its computer. See docs/remote.md."""


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "keys",
        help="keys of the link to an operator far away: make, show, allow, revoke",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    acts = parser.add_subparsers(dest="act", metavar="new|show|allow|list|revoke", required=True)
    texts = {
        "new": "make a key pair of this name on this computer",
        "show": "the public key of a pair of this computer",
        "allow": "let the owner of a public key operate this robot",
        "list": "key pairs of this computer, and who is allowed",
        "revoke": "let somebody in no more; a running robot notices within a second",
    }
    parsers = {name: acts.add_parser(name, help=text) for name, text in texts.items()}
    parsers["allow"].add_argument("key", metavar="FILE|KEY", help="a .pub file, or 64 hexadecimal digits")
    for name, each in parsers.items():
        if name != "list":
            each.add_argument("name", metavar="NAME", help="letters, digits, dots, dashes")
        each.add_argument("--json", action="store_true", help="print the result as JSON")
        each.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it and say what is so now."""
    values = {"new": _new, "show": _show, "allow": _allow, "list": _list, "revoke": _revoke}[args.act](args)
    if args.json:
        result_json(values)
    else:
        result(str(values["text"]))
    return EXIT_OK


def _new(args: argparse.Namespace) -> dict[str, object]:
    return _pair(args.name, new_key(args.name).public)


def _show(args: argparse.Namespace) -> dict[str, object]:
    return _pair(args.name, load_key(args.name).public)


def _pair(name: str, public: bytes) -> dict[str, object]:
    path = keys_directory() / f"{name}.pub"
    text = f"{name} {public.hex()}\nto be carried to the other side: {path}"
    return {"name": name, "public": public.hex(), "file": str(path), "text": text}


def _allow(args: argparse.Namespace) -> dict[str, object]:
    public = public_key(args.key)
    allow(public, args.name)
    return {"name": args.name, "public": public.hex(), "text": f"{args.name} may operate this robot"}


def _revoke(args: argparse.Namespace) -> dict[str, object]:
    revoke(args.name)
    return {"name": args.name, "text": f"{args.name} may not operate this robot any more"}


def _list(_args: argparse.Namespace) -> dict[str, object]:
    own = {name: load_key(name).public.hex() for name in key_names()}
    allowed = {name: key.hex() for key, name in read_allowed(allowed_path()).items()}
    rows = [("key of this computer", *item) for item in own.items()]
    rows += [("may operate it", *item) for item in allowed.items()]
    text = table(rows, ("what", "name", "public key")) if rows else "no keys yet: `booth keys new NAME` makes one"
    return {"keys": own, "allowed": allowed, "text": text}
