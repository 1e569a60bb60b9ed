# SPDX-License-Identifier: Apache-2.0
"""`booth episode retarget`: the recorded operator once more, through the same limbs."""

import json

import h5py
import numpy as np
import pytest
from booth_cli import assert_answer, booth
from takes import LAG_NS, T0, Script, make_take, point_cloud, robot

from booth.retarget import retarget
from booth.retarget_operator import engaged_intervals, recorded_operator
from clips.choreography import POSES_RAD, REST_ROTATION
from clips.hand_model import landmarks_m
from graph import hands_cloud
from graph.errors import BoothError, InputError
from graph.topics import HANDS
from recorder.check import check_episode
from recorder.episode import Episode
from recorder.errors import EpisodeError
from recorder.finalise import finalise

SECONDS, FRAME_NS = 5.0, 33_333_333


def hand(seconds):
    """A right hand that opens and closes every two seconds: (21, 3) m."""
    share = 0.5 - 0.5 * np.cos(np.pi * seconds)
    angles = (1 - share) * POSES_RAD["open"] + share * POSES_RAD["fist"]
    return landmarks_m(angles) @ REST_ROTATION.T


def hands_message(stamp_ns, number):
    cloud = hands_cloud.empty()
    points = hand((stamp_ns - T0) / 1e9).astype(np.float32)
    row = cloud[0]
    row["x"], row["y"], row["z"] = points.T
    row["u"], row["v"], row["score"] = 0.5 + points[:, 0], 0.5 + points[:, 1], 0.9
    cloud["frame"] = number
    return point_cloud(stamp_ns, cloud)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """An episode with a real hand's landmarks, engaged from 0.5 s on. Its take stays elsewhere."""
    stamps = [T0 + 3_000_000 + n * FRAME_NS for n in range(int((SECONDS * 1e9 - 3e6) // FRAME_NS) + 1)]
    more = [(stamp, HANDS.name, hands_message(stamp, n)) for n, stamp in enumerate(stamps)]
    take = make_take(tmp_path_factory.mktemp("take") / "a.mcap", Script(seconds=SECONDS, hands=False, more=more))
    path = finalise(take, tmp_path_factory.mktemp("episode") / "a.h5").path
    with h5py.File(path, "r+") as file:
        file.attrs["provenance"] = json.dumps({"teleop": {"parts": "hands", "prediction_ms": 0.0, "calibration": {}}})
    return path


@pytest.fixture(scope="module")
def again(path, tmp_path_factory):
    """Retargeted once with the recorded parameters."""
    out = tmp_path_factory.mktemp("again") / "b.h5"
    with Episode.open(path) as episode:
        facts = retarget(episode, out)
    return out, facts


def test_the_new_episode_is_whole_and_says_what_it_is(path, again):
    out, facts = again
    report = check_episode(out)
    assert report.exit_code == 0, [str(finding) for finding in report.findings if finding.level.value == "fail"]
    with Episode.open(path) as old, Episode.open(out) as new:
        assert new.rows == old.rows and new.joint_names == old.joint_names
        assert new.attribute("episode_id") != old.attribute("episode_id")
        (source,) = json.loads(new.file.attrs["derived_from"])
        assert source["episode_id"] == old.attribute("episode_id")
        told = json.loads(new.file.attrs["retargeted"])
        assert (told["robot"], told["parts"], told["prediction_ms"]) == (robot().name, "hands", 0.0)
        assert new.attribute("sim") and facts["verdict"] == new.attribute("verdict")
        for name in ("/operator/landmarks", "/time/tick_ns", "/time/hands/stamp_ns", "/operator/frame"):
            np.testing.assert_array_equal(new[name], old[name])
        assert new.image("cam_operator", 40) == old.image("cam_operator", 40)
        for name in ("/observations/qpos", "/actions/sent", "/action"):
            assert np.isfinite(new[name]).all(), name


def test_the_robot_follows_while_the_recorded_one_did(path, again):
    with Episode.open(path) as old, Episode.open(again[0]) as new:
        assert (old["/operator/engaged"] == new["/operator/engaged"]).mean() > 0.98
        still = ~new["/operator/engaged"]
        assert np.ptp(new["/actions/sent"][still], axis=0).max() < 1e-9


def test_fingers_close_and_open_as_the_operators_do(again):
    with Episode.open(again[0]) as new:
        seconds = (new["/time/tick_ns"] - T0) / 1e9
        joint = new.joint_names.index("finger_r_joint7")
        settled = seconds > 2.0
        shown = 0.5 - 0.5 * np.cos(np.pi * seconds[settled])
        for name in ("/actions/requested", "/observations/qpos"):
            made = new[name][settled, joint]
            late = [np.corrcoef(shown[: len(shown) - rows], made[rows:])[0, 1] for rows in range(10)]
            assert max(late) > 0.93, name


def test_the_same_parameters_again_make_the_same_motion(again, tmp_path):
    with Episode.open(again[0]) as first:
        facts = retarget(first, tmp_path / "c.h5")
    assert facts["difference_rms_deg"] < 0.5
    with Episode.open(again[0]) as first:
        ahead = retarget(first, tmp_path / "d.h5", prediction_ms=80.0)
    assert ahead["difference_rms_deg"] > 3 * facts["difference_rms_deg"]


def test_another_robot_gets_its_own_joints(path, tmp_path):
    with Episode.open(path) as episode:
        retarget(episode, tmp_path / "x.h5", robot_argument="xl330_hand")
    assert check_episode(tmp_path / "x.h5").exit_code == 0
    with Episode.open(tmp_path / "x.h5") as new:
        assert new.attribute("robot") == "xl330_hand" and len(new.joint_names) == 11
        assert np.ptp(new["/observations/qpos"], axis=0).max() > 0.5


def test_what_shows_nothing_to_copy_is_refused(path, tmp_path):
    with Episode.open(path) as episode:
        with pytest.raises(BoothError, match="shows nothing that ffw_sg2 could copy"):
            retarget(episode, tmp_path / "x.h5", robot_argument="ffw_sg2", parts="left_hand")
        with pytest.raises(InputError, match="parts should be one of"):
            retarget(episode, tmp_path / "x.h5", parts="feet")
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(path, tmp_path):
    out = tmp_path / "x.h5"
    out.write_text("mine")
    assert_answer(booth("episode", "retarget", path, "--out", out), 2, "exists already")
    assert out.read_text() == "mine"
    with Episode.open(path) as episode, pytest.raises((EpisodeError, InputError)):
        retarget(episode, out)


def test_frames_come_from_the_take_where_it_lies_beside(path, tmp_path):
    from takes import metadata

    stamps = [T0 + 3_000_000 + n * FRAME_NS // 2 for n in range(120)]
    more = [(stamp, HANDS.name, hands_message(stamp, n)) for n, stamp in enumerate(stamps)]
    take = make_take(tmp_path / "a.mcap", Script(seconds=2.0, hands=False, more=more), metadata())
    episode_path = finalise(take).path
    with Episode.open(episode_path) as episode:
        whole = recorded_operator(episode)
        ends = engaged_intervals(episode)
    assert whole.source == "take" and len(whole.frames) == 120
    assert ends[0][0] == pytest.approx(T0 + 500_000_000, abs=2 * LAG_NS)
    take.unlink()
    with Episode.open(episode_path) as episode:
        rows = recorded_operator(episode)
    assert rows.source == "rows" and 55 <= len(rows.frames) <= 62
