# SPDX-License-Identifier: Apache-2.0
"""How further cameras and topics are written, and what is said when they are written wrong."""

import pytest

from graph.topics import CAMERA, Qos, Topic
from recorder.errors import TakeError
from recorder.inputs import Cameras, parse_camera_inputs, parse_topics
from recorder.settings import Settings


def test_raw_cameras_get_a_topic_for_their_jpegs():
    found = parse_camera_inputs(["", "wrist=raw:/wrist/image_raw", "chest=/chest/compressed"])
    assert found == Cameras(
        {"cam_wrist": "/wrist/image_raw/compressed", "cam_chest": "/chest/compressed"},
        {"/wrist/image_raw": "/wrist/image_raw/compressed"},
    )


@pytest.mark.parametrize(
    ("items", "words"),
    [
        (["wrist"], "a camera is written name=/topic"),
        (["wrist=raw:image"], "a camera is written name=/topic"),
        (["a=raw:/x", "b=raw:/x"], "used by two cameras"),
        (["a=raw:/x", "b=/x/compressed"], "two cameras have one topic"),
        ([f"a={CAMERA.name}"], "two cameras have one topic"),
        (["a=/x", "a=raw:/y"], "used twice"),
    ],
)
def test_wrong_cameras_are_refused_in_words(items, words):
    with pytest.raises(TakeError, match=words):
        parse_camera_inputs(items)


def test_further_topics_are_taken_as_they_are():
    assert parse_topics(["", "skin=/skin:std_msgs/msg/Float32MultiArray"]) == {
        "skin": Topic("/skin", "std_msgs/msg/Float32MultiArray", Qos.SENSOR)
    }


@pytest.mark.parametrize(
    ("items", "words"),
    [
        (["skin"], r"name=/topic:package/msg/Type.*found 'skin'"),
        (["skin=/skin"], "a topic is written"),
        (["skin=/skin:my_msgs/msg/Nothing"], "unknown message type 'my_msgs/msg/Nothing'"),
        (["a=/x:std_msgs/msg/String", "a=/y:std_msgs/msg/String"], "used already"),
        (["a=/joint_states:sensor_msgs/msg/JointState"], "recorded anyway"),
    ],
)
def test_wrong_topics_are_refused_in_words(items, words):
    with pytest.raises(TakeError, match=words):
        parse_topics(items, ["/joint_states"])


@pytest.mark.parametrize("seconds", [-1.0, 31.0])
def test_a_preroll_that_makes_no_sense_is_refused(tmp_path, seconds):
    with pytest.raises(TakeError, match=r"preroll_s should lie in 0 … 30"):
        Settings("hx5_d20_right", tmp_path, 30.0, "", "", "", True, {}, preroll_s=seconds)
