# SPDX-License-Identifier: Apache-2.0
"""The episode on disk: what other people's loaders find, and what ours refuses."""

import json
from hashlib import sha256

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from takes import MS, T0, Script, jpeg, make_take, metadata, robot, wave

from graph.topics import CAMERA, DRIVER_STATE, HANDS, JOINT_STATES
from recorder.assemble import action_rows
from recorder.episode import Episode, expected_datasets
from recorder.errors import EpisodeError, TakeError, TakeInUseError
from recorder.finalise import finalise
from recorder.schema import HARD_LINKS, SCHEMA_VERSION
from recorder.take import TakeWriter


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return finalise(make_take(tmp_path_factory.mktemp("episode") / "wave.mcap", Script(seconds=3.0))).path


@pytest.fixture
def episode(path):
    with Episode.open(path) as opened:
        yield opened


def episode_of(tmp_path, script):
    return Episode.open(finalise(make_take(tmp_path / "a.mcap", script)).path)


def test_plain_h5py_opens_an_episode_without_a_plugin(path):
    with h5py.File(path) as file:
        filters = []
        file.visititems(lambda _, item: filters.append(getattr(item, "compression", None)))
        assert set(filters) == {None}
        assert file.attrs["schema_version"] == SCHEMA_VERSION


def test_act_finds_its_tree(path):
    with h5py.File(path) as file:
        assert file.attrs["sim"] and file.attrs["compress"]
        rows = len(file["/action"])
        for name in ("/observations/qpos", "/observations/qvel", "/observations/effort", "/action"):
            assert (file[name].shape, file[name].dtype) == ((rows, 20), np.float32)
        images = file["/observations/images/cam_operator"]
        assert (images.dtype, images.chunks) == (np.uint8, (1, images.shape[1]))
        assert file["/compress_len"].shape == (1, rows)


def test_robomimic_finds_the_same_bytes_under_its_names(path):
    with h5py.File(path) as file:
        links = {**HARD_LINKS, "/data/demo_0/obs/cam_operator": "/observations/images/cam_operator"}
        for name, origin in links.items():
            assert h5py.h5o.get_info(file[name].id).addr == h5py.h5o.get_info(file[origin].id).addr
        assert file["/data"].attrs["total"] == file["/data/demo_0"].attrs["num_samples"] == len(file["/action"])
        assert {"env_name", "type", "env_kwargs"} == set(json.loads(file["/data"].attrs["env_args"]))


def test_every_row_holds_the_newest_sample_before_its_tick(episode):
    ticks = episode["/time/tick_ns"]
    stamps = episode["/time/joint_states/stamp_ns"]
    assert ((ticks - stamps >= 0) & (ticks - stamps < 10 * MS)).all()
    np.testing.assert_allclose(episode["/observations/qpos"], wave((stamps - T0) / 1e9 - 0.05), atol=1e-6)


def test_requested_is_what_was_in_force_and_action_what_was_answered(episode):
    requested, action, qpos = episode["/actions/requested"], episode["/action"], episode["/observations/qpos"]
    issued = episode["/time/requested/stamp_ns"]
    present = issued >= 0
    np.testing.assert_allclose(requested[present], wave((issued[present] - T0) / 1e9), atol=1e-9)
    engaged, sent = episode["/operator/engaged"], episode["/actions/sent"]
    told = np.where(engaged[:, None] & present[:, None], requested, sent)
    told = np.concatenate([told[1:], told[-1:]])
    known = np.isfinite(told).all(axis=1)
    assert engaged.any() and not engaged.all() and known.any() and not known.all()
    np.testing.assert_array_equal(action[known], told[known].astype(np.float32))
    np.testing.assert_array_equal(action[~known], qpos[~known])


def test_action_stands_still_with_the_robot_while_it_does_not_follow():
    requested, sent, qpos = (np.full((4, 1), value) for value in (1.0, 2.0, 3.0))
    action = action_rows(requested, sent, qpos, np.array([True, True, False, False]))
    np.testing.assert_array_equal(action[:, 0], [1.0, 2.0, 2.0, 2.0])


def test_each_command_knows_the_frame_that_caused_it(episode):
    present = episode["/time/sent/stamp_ns"] >= 0
    latency = episode["/time/sent/stamp_ns"] - episode["/time/sent/capture_ns"]
    assert set(latency[present].tolist()) == {25 * MS}
    assert set(episode["/time/sent/capture_ns"][~present].tolist()) == {-1}


def test_images_come_back_byte_for_byte(episode):
    frames = episode["/operator/frame"]
    for row in (0, 1, episode.rows - 1):
        assert episode.image("cam_operator", row) == jpeg(int(frames[row]), 600)


def test_engaged_follows_the_drivers_word(episode):
    ticks = episode["/time/tick_ns"]
    np.testing.assert_array_equal(episode["/operator/engaged"], ticks >= T0 + 500 * MS)


def test_events_are_told_in_order_with_their_source(episode):
    told = [(stream, text) for _, stream, text in episode.events()]
    assert ("teleop_event", "engaged") in told and ("driver_state", "ENGAGED") in told
    assert ("diagnostics", "driver: bus retries") in told
    stamps = [stamp for stamp, _, _ in episode.events()]
    assert stamps == sorted(stamps)


def test_an_episode_says_where_it_comes_from(episode):
    info = episode.info()
    assert json.loads(json.dumps(info)) == info
    assert (info["task"], info["operator"], info["booth"]) == ("wave", "ada", "booth-1")
    assert (info["complete"], info["dropped_rows"], info["verdict"]) == (True, 0, "ok")
    assert sha256(episode.attribute("robot_yaml").encode()).hexdigest() == info["robot_sha256"]
    assert info["engaged_share"] == pytest.approx(5 / 6, abs=0.02)


def test_monotonic_time_is_graph_time_less_the_offset(episode):
    offset = episode.attribute("wall_offset_ns")
    np.testing.assert_array_equal(episode["/time/tick_ns"] - episode["/time/monotonic_ns"], offset)


def test_lost_frames_are_dropped_rows_and_counted(tmp_path):
    lose = [(CAMERA.name, 40), (CAMERA.name, 41), (HANDS.name, 70)]
    with episode_of(tmp_path, Script(seconds=3.0, lose=lose)) as episode:
        assert episode.attribute("dropped_rows") == 3
        lost = json.loads(episode.attribute("lost_messages"))
        assert (lost["cam_operator"], lost["hands"], lost["joint_states"]) == (2, 1, 0)
        assert episode["/health/lost/cam_operator"].max() == 2


def test_a_lost_joint_state_is_counted_but_drops_no_row(tmp_path):
    with episode_of(tmp_path, Script(lose=[(JOINT_STATES.name, 100)])) as episode:
        assert episode.attribute("dropped_rows") == 0
        assert json.loads(episode.attribute("lost_messages"))["joint_states"] == 1


def test_a_take_without_hands_or_camera_still_becomes_an_episode(tmp_path):
    with episode_of(tmp_path, Script(hands=False, camera=False)) as episode:
        assert (episode.cameras, episode.attribute("dropped_rows")) == ((), 0)
        assert np.isnan(episode["/operator/landmarks"]).all()
        assert set(episode["/time/cam_operator/stamp_ns"].tolist()) == {-1}


def test_an_engaged_operator_who_requests_nothing_drops_rows_after_half_a_second(tmp_path):
    with episode_of(tmp_path, Script(seconds=2.0, engage_at_s=0.1, commands=False)) as episode:
        waited = episode["/time/tick_ns"] - (T0 + 100 * MS)
        dropped = episode["/health/dropped"]
        assert not dropped[waited < 500 * MS].any()
        assert dropped[waited > 540 * MS].all()


def test_diagnostics_that_repeat_every_second_are_told_once(episode):
    assert [text for _, stream, text in episode.events() if stream == "diagnostics"] == ["driver: bus retries"]


def test_rows_end_when_the_operators_stream_ends(tmp_path):
    frames = range(31, 200)
    lose = [(topic.name, number) for topic in (HANDS, CAMERA) for number in frames]
    with episode_of(tmp_path, Script(seconds=3.0, lose=lose)) as episode:
        last_hands = episode["/time/hands/stamp_ns"][-1]
        assert 0 <= last_hands + 200 * MS - episode["/time/tick_ns"][-1] < 34 * MS
        assert episode.attribute("stale_rows") == 0


def test_the_summary_lists_each_dataset_once_under_our_name(episode):
    names = [entry["name"] for entry in episode.summary()]
    assert "/observations/images/cam_operator" in names and "/events" in names
    assert len(names) == len(set(names)) and not any(name.startswith("/data") for name in names)


def test_without_a_driver_teleop_says_when_it_was_engaged(tmp_path):
    with episode_of(tmp_path, Script(lose=[(DRIVER_STATE.name, 1), (DRIVER_STATE.name, 2)])) as episode:
        assert episode.attribute("engaged_source") == "teleop_state"


def test_a_take_without_joint_states_is_refused_in_words(tmp_path):
    writer = TakeWriter(tmp_path / "empty.mcap", metadata().to_strings(), [JOINT_STATES])
    writer.close()
    with pytest.raises(TakeError, match=r"no /joint_states message.*Was the driver running"):
        finalise(writer.path)
    assert not list(tmp_path.glob("*.h5*"))


def test_a_take_that_is_being_written_is_left_alone(tmp_path):
    live = tmp_path / "live.mcap"
    with (
        TakeWriter(live, metadata().to_strings(), [JOINT_STATES]),
        pytest.raises(TakeInUseError, match="still in use"),
    ):
        finalise(live)


def test_a_finished_episode_is_never_overwritten(path):
    before = path.read_bytes()
    with pytest.raises(EpisodeError, match="exists already"):
        finalise(path.with_suffix(".mcap"))
    assert path.read_bytes() == before


def test_a_newer_schema_is_refused_with_what_to_do(path, tmp_path):
    newer = tmp_path / "newer.h5"
    newer.write_bytes(path.read_bytes())
    with h5py.File(newer, "r+") as file:
        file.attrs["schema_version"] = 2
    with pytest.raises(EpisodeError, match=r"newer version \(schema 2, this reads up to 1\): update humanoid_booth"):
        Episode.open(newer)


def test_a_missing_and_a_misshapen_dataset_are_both_named(path, tmp_path):
    broken = tmp_path / "broken.h5"
    broken.write_bytes(path.read_bytes())
    with h5py.File(broken, "r+") as file:
        del file["/operator/score"]
        del file["/time/tick_ns"]
        file["/time/tick_ns"] = np.zeros(3)
    with pytest.raises(EpisodeError, match=r"(?s)2 problem.*score is missing.*tick_ns: expected int64"):
        Episode.open(broken)


def test_files_of_other_tools_are_refused(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(EpisodeError, match="no episode of ours"):
        Episode.open(tmp_path / "other.h5")
    with pytest.raises(EpisodeError, match="can't be read as an episode"):
        Episode.open(tmp_path / "text.h5")
    with pytest.raises(EpisodeError, match="no episode at"):
        Episode.open(tmp_path / "absent.h5")


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0.0, 0.999))
def test_a_truncated_episode_is_one_clear_error(path, tmp_path_factory, share):
    data = path.read_bytes()
    cut = tmp_path_factory.mktemp("cut") / "cut.h5"
    cut.write_bytes(data[: int(share * len(data))])
    with pytest.raises(EpisodeError, match="copied completely"):
        Episode.open(cut)


def test_a_large_robot_description_fits(tmp_path):
    facts = metadata()
    long = facts.robot_yaml + "# " + "x" * 200_000 + "\n"
    take = make_take(tmp_path / "a.mcap", Script(seconds=0.5), metadata(robot_yaml=long))
    with Episode.open(finalise(take).path) as episode:
        assert episode.attribute("robot_yaml") == long


def test_every_dataset_in_the_file_is_in_the_schema(path, episode):
    known = {*expected_datasets(episode.cameras, episode.streams), "/compress_len", "/events"}
    found = []
    episode.file.visititems(lambda name, item: found.append(f"/{name}") if isinstance(item, h5py.Dataset) else None)
    assert {name for name in found if not name.startswith("/data/")} <= known
    assert tuple(episode.joint_names) == robot().joint_names
