# SPDX-License-Identifier: Apache-2.0
"""`booth export`: episodes as LeRobot, ACT/ALOHA, robomimic, RLDS or MCAP data sets."""

import argparse
from pathlib import Path
from typing import Any

from booth.output import Progress, result, result_json, say
from graph.errors import EXIT_OK
from recorder.export_errors import ExportInputError
from recorder.export_formats import FORMATS
from recorder.export_plan import Plan, Settings, make_plan, read_split
from recorder.export_run import exported_ids, run_plan
from recorder.export_source import episode_files, select
from recorder.export_video import CODECS

LEROBOT = ("lerobot", "lerobot-v2.1")
ONLY_FOR = {
    "landmarks": (*LEROBOT, "rlds"),
    "codec": LEROBOT,
    "crf": LEROBOT,
    "preset": LEROBOT,
    "gop": LEROBOT,
    "pad_to": ("act",),
    "crop_to": ("act",),
    "normalise": ("robomimic",),
    "next_obs": ("robomimic",),
    "split": (*LEROBOT, "robomimic", "rlds"),
}
"""Options that only these formats have."""

EPILOG = "formats:\n" + "\n".join(f"  {name:13} {form.about}" for name, form in FORMATS.items())
EPILOG += """

The same command again goes on where it was cut short, and adds episodes that have come since. docs/export.md tells
what is in each format. Needs: pip install 'humanoid_booth[export]'"""


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "export",
        help="episodes as a LeRobot, ACT, robomimic, RLDS or MCAP data set",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "episodes", nargs="+", type=Path, metavar="EPISODE|FOLDER", help=".h5 files, or folders of them"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="new, empty, or of an earlier run")
    parser.add_argument("--format", choices=FORMATS, default="lerobot", help="default: %(default)s")
    _add_choice(parser)
    _add_content(parser)
    run_group = parser.add_argument_group("how")
    run_group.add_argument(
        "--workers", type=int, default=0, metavar="N", help="Dask workers to start here (default: none)"
    )
    run_group.add_argument("--scheduler", default="", metavar="tcp://…", help="a running Dask scheduler, instead")
    run_group.add_argument("--dry-run", action="store_true", help="only say what would be exported")
    run_group.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)


def _add_choice(parser: argparse.ArgumentParser) -> None:
    which = parser.add_argument_group("which episodes")
    which.add_argument("--robot", metavar="NAME", help="only this robot's")
    which.add_argument("--all", action="store_true", help="those that failed their check, too")
    which.add_argument("--except", dest="left_out", nargs="+", default=[], metavar="FILE", help="not these")
    which.add_argument("--split", type=Path, metavar="JSON", help='{"train": [episode id, …], "val": […]}')


def _add_content(parser: argparse.ArgumentParser) -> None:
    what = parser.add_argument_group("what of them")
    what.add_argument("--cameras", nargs="+", metavar="NAME", help="default: all")
    what.add_argument("--no-images", action="store_true", help="no pictures at all")
    what.add_argument("--action", choices=("learner", "requested", "limited", "sent"), help="default: learner")
    what.add_argument("--task", help="instead of what the episodes say")
    what.add_argument("--landmarks", action="store_true", default=None, help="LeRobot, RLDS: the operator's hands, too")
    what.add_argument("--codec", choices=CODECS, help="LeRobot: default h264; copy keeps the camera's own JPEGs")
    what.add_argument("--crf", type=int, help="LeRobot: quality of h264, less is better (default: 23)")
    what.add_argument("--preset", help="LeRobot: speed of h264, as x264 names it (default: ultrafast)")
    what.add_argument("--gop", type=int, help="LeRobot: a key frame every so many (default: 2)")
    what.add_argument("--pad-to", type=int, metavar="ROWS", help="act: repeat the last row of shorter episodes")
    what.add_argument("--crop-to", type=int, metavar="ROWS", help="act: cut longer episodes")
    what.add_argument(
        "--normalise", action="store_true", default=None, help="robomimic: actions -1 … 1 by joint limits"
    )
    what.add_argument(
        "--next-obs", action="store_true", default=None, help="robomimic: observations one row later, too"
    )


def run(args: argparse.Namespace) -> int:
    """Plan, export and say what came of it."""
    settings = settings_of(args)
    plan = _plan(args, settings)
    for name, reason in plan.left_out:
        say(f"left out: {name}: {reason}")
    if args.dry_run:
        text, written, kept = f"would export to {args.out}", 0, 0
    else:
        progress = Progress("exporting")
        try:
            outcome = run_plan(plan, args.out, progress.show, args.workers, args.scheduler)
        except KeyboardInterrupt:
            say(f"\nstopped; finished episodes are kept in {args.out}: the same command goes on from there")
            raise
        finally:
            progress.done()
        plan, text, written, kept = outcome.plan, outcome.text, outcome.written, outcome.kept
    if args.json:
        result_json(_as_json(args, plan, written, kept))
    else:
        result(text)
        result(f"{len(plan.items)} episodes, {plan.rows} rows, {plan.seconds:.0f} s; {len(plan.left_out)} left out")
    return EXIT_OK


def settings_of(args: argparse.Namespace) -> Settings:
    """What was asked for.

    Raises:
        ExportInputError: an option that the format does not have, or a number that makes no sense.
    """
    for name, formats in ONLY_FOR.items():
        if getattr(args, name) is not None and args.format not in formats:
            option = "--" + name.replace("_", "-")
            raise ExportInputError(f"{option} is for --format {' or '.join(formats)}, not for {args.format}")
    for name in ("workers", "crf", "gop", "pad_to", "crop_to"):
        if (getattr(args, name) or 0) < 0:
            raise ExportInputError(f"--{name.replace('_', '-')} can't be negative, found {getattr(args, name)}")
    if args.workers and args.scheduler:
        raise ExportInputError("--workers starts a cluster and --scheduler uses another one: expected one of them")
    names = (
        "action",
        "task",
        "landmarks",
        "codec",
        "crf",
        "preset",
        "gop",
        "pad_to",
        "crop_to",
        "normalise",
        "next_obs",
    )
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    cameras = () if args.no_images else tuple(args.cameras) if args.cameras else None
    return Settings(args.format, cameras=cameras, **given)


def _plan(args: argparse.Namespace, settings: Settings) -> Plan:
    files = episode_files(args.episodes)
    unwanted = {Path(name).name for name in args.left_out}
    unknown = unwanted - {file.name for file in files}
    if unknown:
        raise ExportInputError(f"--except {', '.join(sorted(unknown))}: no such file among the {len(files)} episodes")
    files = [file for file in files if file.name not in unwanted]
    split = read_split(args.split) if args.split else None
    progress = Progress("looking at the episodes")
    selection = select(files, args.robot, args.all, settings.format != "mcap", progress.show)
    progress.done()
    return make_plan(selection, settings, split, exported_ids(args.out))


def _as_json(args: argparse.Namespace, plan: Plan, written: int, kept: int) -> dict[str, object]:
    return {
        "out": str(args.out),
        "format": plan.settings.format,
        "episodes": len(plan.items),
        "rows": plan.rows,
        "seconds": plan.seconds,
        "written": written,
        "kept": kept,
        "dry_run": args.dry_run,
        "left_out": [{"file": name, "reason": reason} for name, reason in plan.left_out],
    }
