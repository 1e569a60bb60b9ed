# SPDX-License-Identifier: Apache-2.0
"""`booth episode check`: verdict and reasons of one episode, a table of many, and the worst exit code."""

import shutil
from pathlib import Path

import h5py
import pytest
from booth_cli import booth
from takes import Script, make_take

from recorder.finalise import finalise
from recorder.manifest import note_manifest


@pytest.fixture(scope="module")
def episodes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One of each verdict."""
    folder = tmp_path_factory.mktemp("episodes")
    good = finalise(make_take(folder / "good.mcap", Script(seconds=3.0))).path
    paths = {"ok": good}
    for verdict in ("degraded", "failed"):
        paths[verdict] = Path(shutil.copy(good, folder / f"{verdict}.h5"))
        with h5py.File(paths[verdict], "r+") as file:
            file["/health/late"][:] = True
            if verdict == "failed":
                file["/observations/qpos"][7, 0] = float("nan")
            note_manifest(file)
    return paths


@pytest.mark.parametrize(("verdict", "code"), [("ok", 0), ("degraded", 0), ("failed", 2)])
def test_one_episode_tells_every_finding(episodes: dict[str, Path], verdict: str, code: int) -> None:
    ran = booth("episode", "check", episodes[verdict])
    assert ran.code == code
    assert ran.out.splitlines()[-1].startswith(f"{episodes[verdict].name}: {verdict}")
    assert "drift" in ran.out


def test_json_of_one_names_the_reasons(episodes: dict[str, Path]) -> None:
    values = booth("episode", "check", episodes["failed"], "--json").json
    assert (values["verdict"], values["reasons"]) == ("failed", ["finite", "late"])
    assert {"level", "code", "text"} == set(values["findings"][0])


def test_many_make_a_table_and_the_worst_decides(episodes: dict[str, Path]) -> None:
    ran = booth("episode", "check", *episodes.values())
    assert ran.code == 2
    assert "3 episodes: 1 ok, 1 degraded, 1 failed" in ran.out
    assert "checking" in ran.err
    listed = booth("episode", "check", episodes["ok"], episodes["degraded"], "--json")
    assert listed.code == 0
    assert [item["verdict"] for item in listed.json["episodes"]] == ["ok", "degraded"]
