# SPDX-License-Identifier: Apache-2.0
"""What the page of an episode shows: streams, the joints that moved most, pictures at even moments."""

import json

import h5py
import numpy as np
import pytest
from spoiled_takes import picture
from takes import Script, make_take, robot

from recorder.episode import Episode
from recorder.finalise import finalise
from recorder.messages import deserialize
from recorder.report import MOST_JOINTS, joint_units, page_data, thumbnail


@pytest.fixture
def episode(tmp_path):
    return finalise(make_take(tmp_path / "a.mcap", Script(seconds=3.0))).path


def test_every_stream_has_its_lane(episode):
    page = page_data(episode)
    lanes = {lane.name: lane for lane in page.lanes}
    assert {"joint_states", "requested", "sent", "hands", "cam_operator"} <= set(lanes)
    assert lanes["joint_states"].rate_hz == pytest.approx(100, abs=1)
    assert lanes["hands"].delay_ms == pytest.approx(2.0)
    assert np.isnan(lanes["requested"].age_ms[0])  # nobody asked before engaging
    assert page.usual_ms == pytest.approx(33.3, abs=0.1)


def test_losses_stand_where_they_were_noticed(episode):
    with h5py.File(episode, "r+") as file:
        file["/health/lost/hands"][60] = 2
        file.attrs["lost_messages"] = json.dumps({"hands": 2})
    lane = next(lane for lane in page_data(episode).lanes if lane.name == "hands")
    assert (lane.lost, lane.lost_s.tolist()) == (2, [pytest.approx(2.0)])


def test_the_joint_that_moves_most_comes_first(episode):
    with h5py.File(episode, "r+") as file:
        file["/observations/qpos"][:, 13] = np.linspace(-3, 3, file.attrs["rows"])
    page = page_data(episode)
    assert (page.courses[0].name, page.courses[0].unit) == (robot().joint_names[13], "°")
    assert page.courses[0].measured[-1] == pytest.approx(np.degrees(3.0))
    assert (len(page.courses), page.joints) == (MOST_JOINTS, len(robot().joints))


def test_what_slides_is_shown_in_millimetres(episode):
    with h5py.File(episode, "r+") as file:
        file.attrs["joint_units"] = f"rad; m: {robot().joint_names[2]}"
    with Episode.open(episode) as opened:
        scale, units = joint_units(opened)
    assert (units[1], units[2]) == ("°", "mm")
    assert (scale[1], scale[2]) == (pytest.approx(57.29578), 1000.0)


def test_pictures_are_taken_at_even_moments(episode):
    page = page_data(episode)
    moments = [item.time_s for item in page.pictures]
    assert len(moments) == 8
    assert np.diff(moments) == pytest.approx(page.time_s[-1] / 7, abs=0.04)


def test_a_thumbnail_keeps_the_picture():
    jpeg = deserialize(picture(0.0, 120.0), "sensor_msgs/msg/CompressedImage").data.tobytes()
    pixels = thumbnail(jpeg)
    assert pixels is not None
    assert pixels.shape == (48, 64, 3)
    assert pixels.mean() == pytest.approx(120, abs=2)
    assert thumbnail(b"\xff\xd8\xffno picture\xff\xd9") is None
