# SPDX-License-Identifier: Apache-2.0
"""`booth episode retarget`: a recorded operator once more, with other parameters or another robot, as an episode."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from booth.retarget_operator import RecordedOperator, calibrate, recorded_operator
from booth.retarget_run import Run, follow_recorded
from booth.view_film import refuse_existing
from drivers.safety import State as DriverState
from graph.errors import BoothError
from graph.nodes import ALL_PARTS
from recorder.align import newest_at
from recorder.derived_episode import Motion, MotionSamples, derived_tables, write_derived
from recorder.episode import Episode
from recorder.events import Event
from recorder.metadata import platform_facts, robot_description
from robots import Robot, load_robot
from robots.robot import RobotFileError, parse_robot
from teleop.limbs import build_limbs
from teleop.operator_profile import load, profile_path

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]

SETTLED_S = 2.0
"""After an engagement the blend from the robot's pose is over."""


def retarget(
    episode: Episode,
    out: Path,
    robot_argument: str = "",
    parts: str = "",
    profile: str = "",
    prediction_ms: float | None = None,
    each: Callable[[float], None] = lambda _: None,
) -> dict[str, Any]:
    """Write a new episode in which a virtual robot copies the recorded operator.

    Args:
        out: the new file.
        robot_argument: robot name or YAML file; empty: the robot as it was when recorded.
        parts, profile, prediction_ms: empty and None: as recorded.
        each: told again and again how much is done, 0 … 1.

    Returns:
        JSON-able: parameters, verdict, and how near the new actions are to the recorded ones where both exist.

    Raises:
        InputError: nothing to retarget, or something unknown was asked for.
        BoothError: the virtual robot never followed.
        EpisodeError: the target exists, or can't be written.
    """
    refuse_existing(out)
    operator = recorded_operator(episode)
    robot, yaml_text = _robot(episode, robot_argument)
    parts = parts or str(operator.settings.get("parts") or ALL_PARTS)
    ahead_ms = float(operator.settings.get("prediction_ms", 0.0)) if prediction_ms is None else prediction_ms
    limbs = build_limbs(robot, parts)
    notes = calibrate(limbs, operator, load(profile_path(profile)) if profile else None)
    same = episode.joint_names == robot.joint_names
    ticks = episode["/time/tick_ns"]
    pose = _first_pose(episode, robot) if same else None
    run = follow_recorded(robot, limbs, operator, (int(ticks[0]), int(ticks[-1])), ahead_ms, pose, each)
    motion = _motion(robot, yaml_text, run, ticks)
    if not any(run.seen.values()):
        raise BoothError(
            f"{episode.path.name} shows nothing that {robot.name} could copy with {parts}: no frame has a usable"
            f" {' or '.join(run.seen)}. Choose other parts, or another robot"
        )
    if not motion.engaged.any():
        said = next((text for _, _, text in reversed(run.events)), "nothing")
        raise BoothError(f"the virtual {robot.name} never followed the recorded operator: {said}")
    settings = {
        "parts": parts,
        "profile": profile or str(operator.settings.get("profile", "")),
        "prediction_ms": ahead_ms,
    }
    facts: dict[str, Any] = {"robot": robot.name, **settings, "notes": notes, "frames": len(operator.frames)}
    facts |= {"frames_from": operator.source, "limbs_seen": run.seen}
    tables = derived_tables(episode, motion, "retarget", _provenance(operator, settings), facts)
    report = write_derived(tables, out)
    told = {"episode": str(out), "from": episode.path.name, **facts, "rows": episode.rows}
    told |= {"verdict": report.verdict.value, "engaged_share": float(motion.engaged.mean())}
    return told | (_nearness(episode, tables.datasets, operator) if same else {})


def describe_retargeting(facts: dict[str, Any]) -> str:
    """What was made, for people."""
    lines = [
        f"{facts['episode']}: {facts['rows']} rows, {facts['robot']}, parts {facts['parts']}, prediction "
        f"{facts['prediction_ms']:g} ms, engaged {facts['engaged_share']:.0%}, check {facts['verdict']}",
        "positions, velocities and currents are those of a virtual robot (attribute sim): nothing was measured",
        f"{facts['frames']} camera frames, all of the take's"
        if facts["frames_from"] == "take"
        else f"{facts['frames']} camera frames: those that rows hold (the take with all of them is not beside it)",
        "seen: " + ", ".join(f"{name} {share:.0%}" for name, share in facts["limbs_seen"].items()) + " of the frames",
        *(f"note: {note}" for note in facts["notes"]),
    ]
    if "difference_rms_deg" in facts:
        lines.append(
            f"against the recorded requests: {facts['difference_rms_deg']:.2f}° RMS, {facts['difference_p95_deg']:.2f}°"
            f" in 95 % of the values, {facts['difference_max_deg']:.1f}° at most, blends left out"
        )
    return "\n".join(lines)


def _robot(episode: Episode, argument: str) -> tuple[Robot, str]:
    """The robot and its description."""
    if argument:
        return load_robot(argument), robot_description(argument)
    text = str(episode.attribute("robot_yaml"))
    try:
        return parse_robot(text, f"robot description in {episode.path.name}"), text
    except RobotFileError as error:
        raise BoothError(f"the recorded description can't be read any more: {error}. Name a --robot") from error


def _first_pose(episode: Episode, robot: Robot) -> Array:
    """Where the recorded robot stood, within its limits."""
    first = episode["/observations/qpos"][0].astype(np.float64)
    pose = np.where(np.isfinite(first), first, np.array(robot.ready_rad))
    return np.clip(pose, [joint.min_rad for joint in robot.joints], [joint.max_rad for joint in robot.joints])


def _motion(robot: Robot, yaml_text: str, run: Run, ticks: NDArray[np.int64]) -> Motion:
    """A run in graph time."""
    cycles, asked = run.driver.cycles, run.requests
    read_ns = np.array([cycle.read_ns for cycle in cycles], np.int64) - run.later_ns
    caused = [-1 if cycle.capture_ns is None else cycle.capture_ns - run.later_ns for cycle in cycles]
    follows = np.array([cycle.status.state is DriverState.ENGAGED for cycle in cycles] + [False])
    written_ns = np.array([cycle.written_ns for cycle in cycles], np.int64) - run.later_ns
    return Motion(
        robot,
        yaml_text,
        MotionSamples(
            read_ns,
            np.full(len(read_ns), -1, np.int64),
            {
                "position": np.array([cycle.reading.position_rad for cycle in cycles]),
                "velocity": np.array([cycle.reading.velocity_rad_s for cycle in cycles]),
                "effort": np.array([cycle.reading.current_ma for cycle in cycles]),
            },
        ),
        MotionSamples(
            np.array(asked.issued_ns, np.int64) - run.later_ns,
            np.array(asked.capture_ns, np.int64) - run.later_ns,
            {"position": np.array(asked.position_rad).reshape(-1, len(robot.joints))},
        ),
        MotionSamples(
            written_ns,
            np.array(caused, np.int64),
            {
                "position": np.array([cycle.sent_rad for cycle in cycles]),
                "limited": np.array([cycle.goal_rad for cycle in cycles]),
            },
        ),
        follows[newest_at(written_ns, ticks).index],
        tuple(Event(stamp - run.later_ns, stream, text) for stamp, stream, text in run.events),
    )


def _provenance(operator: RecordedOperator, settings: dict[str, Any]) -> dict[str, object]:
    return {
        "recorder": platform_facts(),
        "driver": {"simulated": "virtual servos in virtual time; no device answered"},
        "teleop": {**operator.settings, **settings, "calibration": operator.calibration},
    }


def _nearness(episode: Episode, made: dict[str, NDArray[Any]], operator: RecordedOperator) -> dict[str, float]:
    """How far the new requested actions are from the recorded ones while both robots followed, blends left out."""
    ticks, before = episode["/time/tick_ns"], episode["/actions/requested"]
    settled = np.zeros(len(ticks), np.bool_)
    for start, end in operator.engaged:
        settled |= (ticks >= start + SETTLED_S * 1e9) & (ticks < end)
    difference = np.degrees(made["/actions/requested"] - before)[settled]
    difference = np.abs(difference[np.isfinite(difference)])
    if not len(difference):
        return {}
    return {
        "difference_rms_deg": float(np.sqrt(np.mean(difference**2))),
        "difference_p95_deg": float(np.percentile(difference, 95)),
        "difference_max_deg": float(difference.max()),
    }
