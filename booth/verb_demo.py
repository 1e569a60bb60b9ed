# SPDX-License-Identifier: Apache-2.0
"""`booth demo`: the whole loop once, on a filmed hand and a virtual robot, with a summary and a picture."""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from booth.films import demonstration_film
from booth.output import Progress, result, result_json, say
from booth.plot import plot_episode
from booth.supervisor import Outcome, StopRequest, Supervisor, choose_domain, graph_environment
from booth.truth import TruthComparison, compare_with_truth, load_truth
from booth.verb_episode_play import replay
from booth.verb_models import ensure_model
from booth.verb_record import wait_for_episode
from graph.errors import EXIT_FAILED, EXIT_OK, BoothError
from graph.nodes import GraphOptions, booth_processes, driver_processes
from graph.topics import SERVICE_READY, SERVICE_RECORD_STOP
from recorder.check import Report, check_episode
from recorder.episode import Episode
from robots import Robot, load_robot
from teleop.camera import CLIP, VideoFile

if TYPE_CHECKING:
    from booth.client_node import GraphClient

START_TIMEOUT_S = 60.0
QUIET_S = 1.0
LONGEST_UNKNOWN_S = 3600.0
"""For a video that does not say how long it is."""


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("demo", help="the whole loop on the bundled clip and a virtual robot")
    parser.add_argument(
        "--source",
        default=CLIP,
        help="video file (default: the bundled hand; for a robot with arms or two hands a drawn operator)",
    )
    parser.add_argument("--robot", default="hx5_d20_right", help="robot name or YAML file (default: %(default)s)")
    parser.add_argument("--parts", default="", help="what copies the operator (default: all but the lift)")
    parser.add_argument("--out", type=Path, default=Path("demo"), help="where results go (default: %(default)s)")
    parser.add_argument("--seconds", type=float, help="use only this much of the video")
    parser.add_argument("--no-replay", action="store_true", help="skip the replay")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class Recording:
    """What the live part left behind."""

    episode: Path
    tracker: dict[str, str]
    driver: dict[str, str]


def run(args: argparse.Namespace) -> int:
    """Record, check, replay, plot, sum up."""
    robot = load_robot(args.robot)
    ensure_model()
    clip = demonstration_film(robot, args.source)
    args.source = str(clip)
    video = VideoFile(clip)
    duration_s = min(video.duration_s or LONGEST_UNKNOWN_S, args.seconds or LONGEST_UNKNOWN_S)
    video.close()
    args.out.mkdir(parents=True, exist_ok=True)
    domain = choose_domain()
    environ = graph_environment(domain)
    say(f"[booth] 1/4 {clip.name}, {duration_s:.0f} s → tracker → teleop → driver → virtual {robot.name} → recorder")
    recording = record(robot, args, duration_s, environ, domain)
    say("[booth] 2/4 checking the episode")
    report = check_episode(recording.episode)
    replayed: dict[str, Any] | None = None
    if not args.no_replay:
        say("[booth] 3/4 replaying the episode on the virtual robot")
        replayed = replay(recording.episode, robot, args.robot, GraphOptions(), environ=environ)
    say("[booth] 4/4 drawing")
    picture = recording.episode.with_suffix(".png")
    truth = load_truth(clip, robot)
    with Episode.open(recording.episode) as episode:
        comparison = None if truth is None else compare_with_truth(episode, truth)
        plot_episode(episode, picture, None if comparison is None else comparison.truth_rad)
        figures = collect(recording, episode, comparison, replayed, report)
    figures["picture"] = str(picture)
    result(summary(figures, report))
    if args.json:
        result_json(figures)
    return EXIT_OK if report.exit_code == 0 and figures["rows"] else EXIT_FAILED


def record(
    robot: Robot, args: argparse.Namespace, duration_s: float, environ: dict[str, str], domain: int
) -> Recording:
    """Run the live graph over the video and wait for the finished episode."""
    from booth.client_node import GraphClient  # only now: most verbs work without ROS

    options = GraphOptions(
        source=args.source,
        record="engage",
        directory=str(args.out),
        task="demonstration",
        operator="filmed operator",
        parts=args.parts,
    )
    robot_side = driver_processes(robot, args.robot, options)
    others = [spec for spec in booth_processes(robot, args.robot, options) if spec not in robot_side]
    driving, watching = Supervisor(robot_side, environ, say), Supervisor(others, environ, say)
    with StopRequest() as stopping, GraphClient(domain, "booth_demo") as client:

        def look() -> None:
            _refuse(driving.poll() or watching.poll(), stopping())

        try:
            driving.start()
            _make_ready(client, look)
            watching.start()
            return _record(client, look, duration_s)
        finally:
            watching.stop()
            driving.stop()


def _record(client: "GraphClient", look: Callable[[], None], duration_s: float) -> Recording:
    progress = Progress("recording")
    deadline = time.monotonic() + START_TIMEOUT_S + 1.5 * duration_s
    started = None
    while client.state("tracker") != "ENDED":
        client.spin(0.1)
        look()
        if started is None and client.state("tracker") == "TRACKING":
            started = time.monotonic()
        elapsed_s = 0.0 if started is None else time.monotonic() - started
        note = f"{client.state('driver') or 'starting'}, {client.values('tracker').get('frames', 0)} frames"
        progress.show(elapsed_s / duration_s, note)
        if elapsed_s >= duration_s + QUIET_S or time.monotonic() > deadline:
            break
    progress.show(1.0, client.state("driver"))
    progress.done()
    client.spin(QUIET_S)
    tracker, driver = client.values("tracker"), client.values("driver")
    if client.state("recorder") not in {"RECORDING"}:
        raise BoothError(
            "nothing was recorded because the hand never engaged the robot: "
            f"teleop says {client.values('teleop').get('reason') or client.state('teleop')!r}, "
            f"driver says {client.state('driver')!r}. The video must show an open palm toward the camera for a second"
        )
    client.call(SERVICE_RECORD_STOP)
    client.spin(0.3)
    saved = wait_for_episode(client)
    if saved["state"] != "SAVED":
        raise BoothError(f"the recorder could not save the episode: {saved['reason'] or saved['state']}")
    return Recording(Path(str(saved["episode"])), tracker, driver)


def _make_ready(client: "GraphClient", look: Callable[[], None]) -> None:
    """Bring the robot from its home pose to the one in front of the operator."""
    _until_ready(client, look)
    done, why = client.call(SERVICE_READY)
    if not done:
        raise BoothError(f"the robot can't be brought to its ready pose: {why}")
    client.spin(QUIET_S)
    _until_ready(client, look)


def _until_ready(client: "GraphClient", look: Callable[[], None]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while client.state("driver") != "READY":
        client.spin(0.05)
        look()
        if time.monotonic() > deadline:
            reason = client.values("driver").get("reason") or client.state("driver")
            raise BoothError(f"the driver is not ready after {START_TIMEOUT_S:.0f} s: {reason}")


def _refuse(outcome: Outcome | None, interrupted: bool) -> None:
    if interrupted:
        raise KeyboardInterrupt
    if outcome is not None:
        error = BoothError(outcome.reason)
        error.exit_code = outcome.exit_code
        raise error


def collect(
    recording: Recording,
    episode: Episode,
    comparison: TruthComparison | None,
    replayed: dict[str, Any] | None,
    report: Report,
) -> dict[str, Any]:
    """All figures of one demonstration."""
    tracker, driver = recording.tracker, recording.driver
    frames = int(tracker.get("frames", 0))
    engaged = episode["/operator/engaged"].astype(bool)
    return {
        "frames": frames,
        "skipped_frames": int(tracker.get("skipped_frames", 0)),
        "hand_found_share": int(tracker.get("hand_found_frames", 0)) / max(frames, 1),
        "engaged_s": float(engaged.sum()) / float(episode.attribute("rate_hz")),
        "loop_rate_hz": float(driver.get("loop_rate_hz", "nan")),
        "loop_period_p50_ms": float(driver.get("loop_period_p50_ms", "nan")),
        "loop_period_p99_ms": float(driver.get("loop_period_p99_ms", "nan")),
        "rows": episode.rows,
        "dropped_rows": int(episode.attribute("dropped_rows")),
        "joint_error_mean_deg": None if comparison is None else comparison.requested_deg,
        "joint_error_measured_deg": None if comparison is None else comparison.measured_deg,
        "replay_rmse_deg": None if replayed is None else replayed["comparison"]["rmse_deg"],
        "verdict": report.verdict.value,
        "episode": str(recording.episode),
    }


def summary(figures: dict[str, Any], report: Report) -> str:
    """The figures for people."""

    def number(key: str, text: str) -> str:
        return "unknown (no truth for this video)" if figures[key] is None else text.format(figures[key])

    replay_text = "skipped" if figures["replay_rmse_deg"] is None else f"{figures['replay_rmse_deg']:.2f} degrees RMS"
    lines = [
        ("frames tracked", f"{figures['frames']} (+ {figures['skipped_frames']} skipped as newer ones were there)"),
        ("hand found", f"{figures['hand_found_share']:.1%} of the frames"),
        ("engaged", f"{figures['engaged_s']:.1f} s"),
        (
            "control loop",
            f"{figures['loop_rate_hz']:.1f} Hz, period p50 {figures['loop_period_p50_ms']:.2f} ms, "
            f"p99 {figures['loop_period_p99_ms']:.2f} ms",
        ),
        ("rows", f"{figures['rows']}, dropped {figures['dropped_rows']}"),
        ("joint error", number("joint_error_mean_deg", "{:.1f} degrees mean, command against the true hand")),
        ("robot error", number("joint_error_measured_deg", "{:.1f} degrees mean, measured, delay included")),
        ("replay error", replay_text),
        ("check", f"{report.verdict.value}"),
        ("episode", figures["episode"]),
        ("picture", figures["picture"]),
    ]
    return "\n".join(f"{name:15} {value}" for name, value in lines)
