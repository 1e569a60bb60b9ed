# SPDX-License-Identifier: Apache-2.0
"""The `booth` command: one parser, one verb a module, errors as one clear message."""

import argparse
import sys
from collections.abc import Sequence

from booth import (
    verb_bench,
    verb_calibrate,
    verb_demo,
    verb_episode,
    verb_fault,
    verb_models,
    verb_record,
    verb_robot,
    verb_servo,
    verb_studio,
    verb_track,
    verb_up,
    verb_virtual_robot,
)
from booth.output import say
from graph.errors import EXIT_INTERRUPTED, BoothError

EPILOG = """exit codes: 0 done · 1 it did not succeed · 2 wrong input · 3 a device is missing or faulty
Ctrl-C on a verb that has a result to give ends with 130.
Results go to standard output (with --json as its last line), logs to standard error.
This software can only make a protective stop. The emergency stop is the robot's power switch."""

VERBS = (
    verb_demo,
    verb_up,
    verb_models,
    verb_robot,
    verb_servo,
    verb_virtual_robot,
    verb_fault,
    verb_track,
    verb_calibrate,
    verb_record,
    verb_episode,
    verb_studio,
    verb_bench,
)


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="booth",
        description="Teleoperate a ROBOTIS humanoid with a camera and record every second as data.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", dest="verb", metavar="VERB", required=True)
    for module in VERBS:
        module.add(verbs)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    args = build_parser().parse_args(argv)
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
