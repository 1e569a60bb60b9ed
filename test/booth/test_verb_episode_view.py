# SPDX-License-Identifier: Apache-2.0
"""`booth episode view`: a film with as many frames as rows, whose cursor, state and pictures are those of the row."""

import io
import sys

import h5py
import numpy as np
import pytest
from booth_cli import assert_answer, booth
from PIL import Image
from takes import T0, Script, make_take, status, text

from booth.view_film import film_frames, write_film
from booth.view_page import PALE, chosen_joints, draw_page, state_words
from booth.view_rerun import write_rerun
from graph.errors import InputError
from graph.topics import DRIVER_STATE, RECORDER_MARKER
from recorder.episode import Episode
from recorder.finalise import finalise

av = pytest.importorskip("av")

SECONDS, HOLD_S, MARK_S = 1.6, 1.2, 0.8
RED = (210, 30, 40)


def plain_jpeg(colour):
    buffer = io.BytesIO()
    Image.new("RGB", (96, 72), colour).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """An episode that engages, is marked and holds; its camera shows red."""
    more = [
        (T0 + round(HOLD_S * 1e9), DRIVER_STATE.name, status("HOLD", "hand lost")),
        (T0 + round(MARK_S * 1e9), RECORDER_MARKER.name, text("pour")),
    ]
    take = make_take(tmp_path_factory.mktemp("view") / "a.mcap", Script(seconds=SECONDS, engage_at_s=0.4, more=more))
    path = finalise(take).path
    with h5py.File(path, "r+") as file:
        image = plain_jpeg(RED)
        rows = len(file["/time/tick_ns"])
        del file["/observations/images/cam_operator"], file["/data/demo_0/obs/cam_operator"]
        pixels = np.tile(np.frombuffer(image, np.uint8), (rows, 1))
        file.create_dataset("/observations/images/cam_operator", data=pixels, chunks=(1, len(image)))
        file["/compress_len"][:] = len(image)
    return path


@pytest.fixture(scope="module")
def episode(path):
    with Episode.open(path) as opened:
        yield opened


def test_a_film_has_a_frame_for_every_row_at_the_rows_rate(episode, tmp_path):
    told = write_film(episode, tmp_path / "a.mp4")
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        frames = [frame.time for frame in container.decode(stream)]
    assert len(frames) == told["frames"] == episode.rows
    np.testing.assert_allclose(frames, np.arange(episode.rows) / 30.0, atol=1e-3)
    assert not list(tmp_path.glob("*.part"))


def test_what_has_been_is_bright_and_what_is_to_come_is_pale(episode):
    page = draw_page(episode)
    box = page.charts[0].box
    middle = (box.left + box.right) // 2
    bright = page.bright[box.top : box.bottom, middle].astype(float)
    pale = page.pale[box.top : box.bottom, middle].astype(float)
    np.testing.assert_allclose(255 - pale, (255 - bright) * (1 - PALE), atol=1.0)
    for row, frame in enumerate(film_frames(episode, page)):
        shown = frame[box.top : box.bottom, middle]
        at = box.left + round(page.columns[row] * (box.right - box.left - 2))
        if abs(at - middle) > 3:
            expected = page.bright if at > middle else page.pale
            np.testing.assert_array_equal(shown, expected[box.top : box.bottom, middle])
            assert (frame[box.top, at] == (32, 38, 43)).all() or row == 0


def test_the_dot_stands_where_the_joint_was_measured(episode):
    page = draw_page(episode, "finger_r_joint4")
    (chart,) = page.charts
    measured = np.degrees(episode["/observations/qpos"][:, 3])
    correlation = np.corrcoef(measured, -chart.measured)[0, 1]
    assert correlation > 0.999
    assert (chart.measured >= chart.box.top).all() and (chart.measured < chart.box.bottom).all()


def test_the_camera_is_shown_in_its_colours(episode):
    frame = next(iter(film_frames(episode, draw_page(episode))))
    np.testing.assert_allclose(frame[300, 250], RED, atol=6)


def test_every_row_has_the_state_in_force(episode):
    words = state_words(episode)
    ticks = (episode["/time/tick_ns"] - T0) / 1e9
    assert words[0] == "READY" and words[-1] == "HOLD: hand lost"
    for seconds, word in zip(ticks, words, strict=True):
        expected = "READY" if seconds < 0.4 else "ENGAGED" if seconds < HOLD_S else "HOLD: hand lost"
        if abs(seconds - 0.4) > 0.01 and abs(seconds - HOLD_S) > 0.01:
            assert word == expected, seconds


def test_joints_are_chosen_by_pattern_and_a_wrong_name_lists_them(episode):
    assert chosen_joints(episode, "finger_r_joint1?, finger_r_joint2") == [1, *range(9, 19)]
    with pytest.raises(InputError, match="no joint is called 'elbow'"):
        chosen_joints(episode, "elbow")
    assert len(chosen_joints(episode, "")) == 20


def test_a_film_that_is_there_is_not_overwritten(path, tmp_path):
    out = tmp_path / "a.mp4"
    out.write_text("mine")
    assert_answer(booth("episode", "view", path, "--out", out), 2, "exists already")
    assert out.read_text() == "mine"


def test_without_rerun_the_answer_says_what_to_install(episode, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(InputError, match=r"pip install 'humanoid_booth\[view\]'"):
        write_rerun(episode, tmp_path / "a.rrd")


def test_a_rerun_recording_is_written_without_a_window(path, tmp_path):
    pytest.importorskip("rerun")
    ran = booth("episode", "view", path, "--rerun", "--out", tmp_path / "a.rrd", "--json")
    assert ran.code == 0, ran.err
    assert (tmp_path / "a.rrd").read_bytes()[:4] == b"RRF2"
    assert ran.json["rows"] > 20 and not list(tmp_path.glob("*.part"))
