# SPDX-License-Identifier: Apache-2.0
"""The `booth` command: one parser, one verb a module, errors as one clear message."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from booth.output import say
from graph.errors import EXIT_INTERRUPTED, BoothError

EPILOG = """exit codes: 0 done · 1 it did not succeed · 2 wrong input · 3 a device is missing or faulty
Ctrl-C on a verb that has a result to give ends with 130.
Results go to standard output (with --json as its last line), logs to standard error.
This software can only make a protective stop. The emergency stop is the robot's power switch."""

VERBS = (
    "demo",
    "up",
    "page",
    "doctor",
    "models",
    "robot",
    "servo",
    "virtual-robot",
    "fault",
    "track",
    "keys",
    "calibrate",
    "operator",
    "task",
    "training",
    "record",
    "episode",
    "export",
    "library",
    "studio",
    "bench",
)
"""In the order of `booth --help`; each is a module ``booth.verb_…`` with an ``add``."""


def build_parser(wanted: str = "") -> argparse.ArgumentParser:
    """The command line: with the verb that is wanted, or with all of them where that is no verb.

    A verb's module is imported only when it is needed: some bring a tracker or a plotting library with them.
    """
    parser = argparse.ArgumentParser(
        prog="booth",
        description="Teleoperate a ROBOTIS humanoid with a camera and record every second as data.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", dest="verb", metavar="VERB", required=True)
    for name in (wanted,) if wanted in VERBS else VERBS:
        import_module(f"booth.verb_{name.replace('-', '_')}").add(verbs)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    args = build_parser(words[0] if words else "").parse_args(words)
    try:
        return int(args.run(args))
    except BoothError as error:
        say(f"booth: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        say("booth: interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_INTERRUPTED
