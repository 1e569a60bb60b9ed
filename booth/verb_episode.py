# SPDX-License-Identifier: Apache-2.0
"""`booth episode info|check|report|plot`: look at an episode, judge it, draw it; `verb_episode_play` has the rest."""

import argparse
from pathlib import Path
from typing import Any

from booth import verb_episode_play
from booth.output import Progress, result, result_json, table
from booth.plot import plot_episode
from booth.report_page import write_report
from booth.report_text import finding_lines, summary
from graph.errors import EXIT_OK
from recorder.check import check_episode
from recorder.episode import Episode


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("episode", help="info, check, report, plot, replay, view or retarget a recorded episode")
    actions = parser.add_subparsers(dest="action", metavar="info|check|report|plot|replay|view|…", required=True)
    info = _action(actions, "info", "what is in it", run_info)
    check = actions.add_parser("check", help="is it fit to learn from? exit code 0: ok or degraded, 2: failed")
    check.add_argument("episodes", type=Path, nargs="+", metavar="episode", help=".h5 files; several make a table")
    check.set_defaults(run=run_check)
    report = _action(actions, "report", "one page: verdict, streams, skew, joints, pictures", run_report)
    report.add_argument(
        "--out", type=Path, help=".html or .png to write (default: NAME_report.html beside the episode)"
    )
    plot = _action(actions, "plot", "picture of commanded and measured joint angles", run_plot)
    plot.add_argument("--out", type=Path, help="PNG to write (default: beside the episode)")
    for action in (info, check, report, plot):
        action.add_argument("--json", action="store_true", help="print the result as JSON")
    verb_episode_play.add(actions)


def _action(actions: Any, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=text)
    parser.add_argument("episode", type=Path, help="the .h5 file")
    parser.set_defaults(run=run)
    return parser


def run_info(args: argparse.Namespace) -> int:
    """Print what the episode says about itself."""
    with Episode.open(args.episode) as episode:
        info = episode.info()
        info["datasets"] = episode.summary()
    if args.json:
        result_json(info)
        return EXIT_OK
    datasets = info.pop("datasets")
    joints = info.pop("joints")
    info.pop("findings", None)
    result("\n".join(f"{name:18} {value}" for name, value in info.items()))
    result(f"{'joints':18} {len(joints)} actuated: {', '.join(joints)}\n")
    result(table([(d["name"], d["dtype"], d["shape"]) for d in datasets], ("dataset", "type", "shape")))
    return EXIT_OK


def run_check(args: argparse.Namespace) -> int:
    """Print the findings of one episode, or the verdicts of several; the exit code is the worst of them."""
    progress = Progress("checking")
    reports = []
    for number, path in enumerate(args.episodes, 1):
        reports.append(check_episode(path))
        if len(args.episodes) > 1:
            progress.show(number / len(args.episodes), path.name)
    progress.done()
    single = reports[0] if len(reports) == 1 else None
    if args.json:
        result_json(single.to_json() if single else {"episodes": [report.to_json() for report in reports]})
    else:
        result(finding_lines(single) if single else summary(reports))
    return max(report.exit_code for report in reports)


def run_report(args: argparse.Namespace) -> int:
    """Draw the page."""
    out = args.out or args.episode.with_name(f"{args.episode.stem}_report.html")
    report = write_report(args.episode, out)
    if args.json:
        result_json({"page": str(out), "verdict": report.verdict.value})
    else:
        result(str(out))
    return EXIT_OK


def run_plot(args: argparse.Namespace) -> int:
    """Draw the joint angles over time."""
    out = args.out or args.episode.with_suffix(".png")
    with Episode.open(args.episode) as episode:
        plot_episode(episode, out)
    if args.json:
        result_json({"picture": str(out)})
    else:
        result(str(out))
    return EXIT_OK
