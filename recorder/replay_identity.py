# SPDX-License-Identifier: Apache-2.0
"""Whether this is the robot that an episode was recorded with: its description, its servos, their calibration."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from recorder.episode import Episode
from recorder.errors import ReplayError
from robots.robot import Robot, RobotFileError, parse_robot

MOST_SHOWN = 4
"""So many differences are named, the others counted."""

FIXED = {"model": "model", "reverse": "reversed direction", "homing_offset_ticks": "homing offset in ticks"}
"""What gives a joint's positions their meaning, as the driver tells it of every device."""

ELSEWHERE = {"port", "title"}
"""Keys of a robot's file that change nothing about its motion."""


def refuse_other_joints(episode: Episode, robot: Robot) -> None:
    """No motion on other joints, whatever anybody asks for.

    Raises:
        ReplayError: another robot, or other joints.
    """
    recorded = str(episode.attribute("robot"))
    if recorded != robot.name:
        raise ReplayError(f"{episode.path.name} was recorded with robot {recorded!r}, this is {robot.name!r}")
    if episode.joint_names != robot.joint_names:
        raise ReplayError(
            f"the joints differ: the episode has {', '.join(episode.joint_names)},"
            f" the robot {', '.join(robot.joint_names)}. Replay with the robot file it was recorded with"
        )


def changed_description(episode: Episode, robot: Robot) -> list[str]:
    """What a robot's file says otherwise than at the recording: ``path: then, now`` each; comments don't count."""
    try:
        recorded = parse_robot(str(episode.attribute("robot_yaml")), "the episode's robot description")
    except RobotFileError as error:
        return [f"the recorded description can't be read any more ({str(error).splitlines()[0]})"]
    return list(_differences("", recorded.model_dump(mode="json"), robot.model_dump(mode="json")))


def changed_devices(recorded: Mapping[str, Any], running: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Compare what a driver told of its devices when the episode was recorded with what it tells now.

    Args:
        recorded: ``driver`` of the episode's provenance.
        running: the driver's facts.

    Returns:
        differences that change what a position means (another model, direction, homing offset), and other firmware.
    """
    then, now = _devices(recorded), _devices(running)
    moved, firmware = [], []
    for name in [name for name in then if name in now]:
        moved += [
            f"{name}: {words} {_short(then[name][key])} when recorded, {_short(now[name][key])} now"
            for key, words in FIXED.items()
            if key in then[name] and key in now[name] and then[name][key] != now[name][key]
        ]
        versions = then[name].get("firmware"), now[name].get("firmware")
        if None not in versions and versions[0] != versions[1]:
            firmware.append(f"{name}: firmware {versions[0]} when recorded, {versions[1]} now")
    moved += [f"{name}: was there when recorded, is not now" for name in then if now and name not in now]
    return moved, firmware


def refuse_other_robot(
    episode: Episode,
    robot: Robot,
    running: Mapping[str, Any] | None = None,
    simulated: bool = False,
    force: bool = False,
) -> list[str]:
    """Refuse a robot that is not the recorded one.

    Args:
        running: facts of the driver that is to move it; None: not told (yet).
        simulated: its servos are virtual ones.
        force: go on although the robot's file or its firmware has changed. Other joints and another calibration are
            refused all the same.

    Returns:
        what people should know.

    Raises:
        ReplayError: names the differences.
    """
    refuse_other_joints(episode, robot)
    notes = _weigh("the robot's file has changed since the recording", changed_description(episode, robot), force)
    recorded = json.loads(str(episode.attribute("provenance"))).get("driver", {})
    if running is None or not recorded:
        return notes
    if bool(episode.attribute("sim")) != simulated:
        kinds = ("virtual", "real") if not simulated else ("real", "virtual")
        return [*notes, f"recorded on {kinds[0]} servos, played on {kinds[1]} ones: their calibration is not compared"]
    moved, firmware = changed_devices(recorded, running)
    if moved:
        raise ReplayError(
            f"the calibration is not that of the recording, so that its positions mean other poses: {_listed(moved)}."
            " Put the recorded values back (robot file, booth servo) or record anew"
        )
    return notes + _weigh("the firmware has changed since the recording", firmware, force)


def _weigh(what: str, differences: list[str], force: bool) -> list[str]:
    if not differences:
        return []
    text = f"{what}: {_listed(differences)}"
    if not force:
        raise ReplayError(f"{text}. Replay with what it was recorded with, or look at the differences and use --force")
    return [text]


def _listed(differences: list[str]) -> str:
    more = len(differences) - MOST_SHOWN
    return "; ".join(differences[:MOST_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _devices(facts: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Devices by joint name, or by bus and ID where they move none."""
    return {
        str(device.get("joint") or f"{device.get('bus')} ID {device.get('id')}"): dict(device)
        for device in facts.get("devices", [])
    }


def _differences(path: str, then: Any, now: Any) -> Iterator[str]:
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted({*then, *now} - ELSEWHERE, key=str):
            yield from _differences(f"{path}.{key}" if path else str(key), then.get(key), now.get(key))
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for index, (first, second) in enumerate(zip(then, now, strict=True)):
            name = first.get("name", index) if isinstance(first, dict) else index
            yield from _differences(f"{path}[{name}]", first, second)
    elif then != now:
        yield f"{path}: {_short(then)} when recorded, {_short(now)} now"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}…"
