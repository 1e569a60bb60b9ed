# SPDX-License-Identifier: Apache-2.0
"""Fault: the robot's file is malformed or contradicts itself. Nothing is opened."""

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from booth_cli import assert_answer, booth

from robots import RobotFileError, load_robot, robot_names

ROBOTS = Path(__file__).parents[2] / "robots"
WHOLE = [name for name in robot_names() if "based_on" not in (ROBOTS / f"{name}.yaml").read_text()]
MUTANTS_OF_EACH_KIND = 30
NUMBERS = ("min_rad", "max_rad", "id")
REQUIRED = ("name", "id", "model", "min_rad", "max_rad")

Mutation = Callable[[dict[str, Any], random.Random], str]


def test_every_problem_is_listed_at_once(tmp_path: Path) -> None:
    text = (ROBOTS / "op3.yaml").read_text()
    text = text.replace("id: 2,", "id: 1,", 1).replace("baud: 2000000", "bauds: 2000000")
    text = text.replace("max_rad: 1.5707,", "max_rad: -9,", 1)
    bad = tmp_path / "bad.yaml"
    bad.write_text(text)
    ran = booth("up", "--robot", bad, "--source", "clip")
    problems = (
        "buses.0.baud: Field required",
        "buses.0.bauds: unknown key",
        "max_rad -9.0",
        "servo ID 1 is used 2 times",
    )
    assert_answer(ran, 2, *problems, "[line ")


def test_yaml_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: [unclosed\n")
    assert_answer(booth("robot", "show", bad), 2, "is not valid YAML", "line")


def test_an_unknown_robot_is_answered_with_the_known_ones() -> None:
    assert_answer(booth("virtual-robot", "op4"), 2, "unknown robot 'op4'", *robot_names())


# ---- 300 mutants: 30 of each kind, every one refused with its key and line ----------------------------------


def wrong_type(data: dict[str, Any], rng: random.Random) -> str:
    index, key = rng.randrange(len(data["joints"])), rng.choice(NUMBERS)
    data["joints"][index][key] = rng.choice(["fast", [1], {"a": 1}, None, "0x", ""])
    return f"joints.{index}.{key}: "


def out_of_range(data: dict[str, Any], rng: random.Random) -> str:
    section, key, value = rng.choice(
        [
            ("motion", "velocity_rad_s", -rng.random()),
            ("motion", "jerk_rad_s3", 0),
            ("buses", "baud", rng.randrange(9600)),
            ("joints", "id", rng.randrange(253, 1000)),
            ("", "rate_hz", rng.randrange(501, 9999)),
            ("", "bus_watchdog_ms", 2 * rng.randrange(1, 9)),
        ]
    )
    if section in ("buses", "joints"):
        index = rng.randrange(len(data[section]))
        data[section][index][key] = value
        return f"{section}.{index}.{key}: "
    (data[section] if section else data)[key] = value
    return f"{section}.{key}: " if section else f"{key}: "


def not_a_number(data: dict[str, Any], rng: random.Random) -> str:
    index, key = rng.randrange(len(data["joints"])), rng.choice(["min_rad", "max_rad", "home_rad", "velocity_rad_s"])
    data["joints"][index][key] = rng.choice([float("nan"), float("inf"), float("-inf")])
    return f"joints.{index}.{key}: "


def doubled_id(data: dict[str, Any], rng: random.Random) -> str:
    first, second = sorted(rng.sample(range(len(data["joints"])), 2))
    data["joints"][second]["id"] = data["joints"][first]["id"]
    return f"joints.{second}.id: servo ID {data['joints'][first]['id']} is used 2 times"


def unknown_joint(data: dict[str, Any], rng: random.Random) -> str:
    index = rng.randrange(len(data["commands"]))
    data["commands"][index]["joints"] = [f"joint_{rng.randrange(1000, 9999)}"]
    return f"commands.{index}.joints: "


def limits_crossed(data: dict[str, Any], rng: random.Random) -> str:
    index = rng.randrange(len(data["joints"]))
    joint = data["joints"][index]
    joint["min_rad"] = joint["max_rad"] + rng.random()
    return f"joints.{index}.min_rad: {joint['name']}: min_rad"


def missing(data: dict[str, Any], rng: random.Random) -> str:
    if rng.random() < 0.3:
        key = rng.choice(["name", "title", "sources", "buses", "commands", "motion", "joints"])
        del data[key]
        return f"{key}: Field required"
    index, key = rng.randrange(len(data["joints"])), rng.choice(REQUIRED)
    del data["joints"][index][key]
    return f"joints.{index}.{key}: Field required"


FIELDS: tuple[Mutation, ...] = (
    wrong_type,
    out_of_range,
    not_a_number,
    doubled_id,
    unknown_joint,
    limits_crossed,
    missing,
)


def refused(path: Path) -> str:
    with pytest.raises(RobotFileError) as refusal:
        load_robot(str(path))
    assert refusal.value.exit_code == 2
    return str(refusal.value)


@pytest.mark.parametrize("mutate", FIELDS, ids=lambda mutate: mutate.__name__)
def test_mutants_are_refused_with_their_key_and_line(mutate: Mutation, tmp_path: Path) -> None:
    rng, bad = random.Random(17), tmp_path / "bad.yaml"
    for mutant in range(MUTANTS_OF_EACH_KIND):
        data = yaml.safe_load((ROBOTS / f"{rng.choice(WHOLE)}.yaml").read_text())
        named = mutate(data, rng)
        bad.write_text(yaml.safe_dump(data, sort_keys=False))
        message = refused(bad)
        told = [line for line in message.splitlines() if line.startswith(f"  - {named}")]
        assert told, (mutant, named, message)
        if not re.fullmatch(r"\w+: Field required", named):
            number = int(re.search(r"\[line (\d+)\]$", told[0])[1])  # type: ignore[index]
            assert 1 <= number <= len(bad.read_text().splitlines())


@pytest.mark.parametrize("mutant", range(MUTANTS_OF_EACH_KIND))
def test_a_tab_is_refused_with_its_line(mutant: int, tmp_path: Path) -> None:
    rng, bad = random.Random(mutant), tmp_path / "bad.yaml"
    lines = (ROBOTS / f"{rng.choice(WHOLE)}.yaml").read_text().splitlines()
    indented = [k for k, line in enumerate(lines) if line.startswith("  ") and not line.lstrip().startswith(("#", "-"))]
    index = rng.choice(indented)
    lines[index] = "\t" + lines[index].lstrip()
    bad.write_text("\n".join(lines))
    message = refused(bad)
    assert re.search(r"line \d+", message) and "not valid YAML" in message, message


@pytest.mark.parametrize("mutant", range(MUTANTS_OF_EACH_KIND))
def test_ten_megabytes_are_refused_unread(mutant: int, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    with bad.open("wb") as file:
        file.truncate(10_000_000 + mutant)
    assert f"has {10_000_000 + mutant} bytes: a robot file has at most" in refused(bad)


@pytest.mark.parametrize("mutant", range(MUTANTS_OF_EACH_KIND))
def test_an_alias_bomb_is_refused_with_its_line(mutant: int, tmp_path: Path) -> None:
    bad, depth = tmp_path / "bad.yaml", 5 + mutant
    layers = ["a0: &a0 [x, x]"]
    layers += [f"a{k + 1}: &a{k + 1} [{', '.join([f'*a{k}'] * 9)}]" for k in range(depth)]
    bad.write_text((ROBOTS / "op3.yaml").read_text() + "\n".join(layers))
    message = refused(bad)
    assert "aliases (*name) are not allowed" in message and "line" in message


def test_a_mutant_opens_no_port_and_shows_no_traceback(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text((ROBOTS / "ffw_sh5.yaml").read_text().replace("min_rad: -2.9361", "min_rad: .nan", 1))
    ran = booth("up", "--robot", bad, "--source", "clip")
    assert_answer(ran, 2, "joints.3.min_rad: Must be a finite number (found nan) [line ")
    assert "/dev/follower" not in ran.err
