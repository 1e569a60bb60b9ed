# SPDX-License-Identifier: Apache-2.0
"""A camera that is a ROS topic: the tracker follows it, keeps its stamps, and draws a preview for people."""

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, PointCloud2

from booth.client_node import GraphClient
from booth.supervisor import graph_environment
from graph import hands_cloud
from graph.ros_node import from_msg_time, qos_profile, to_msg_time
from graph.stamps import ENV_OFFSET, GraphClock
from graph.topics import HANDS, PREVIEW, Qos
from teleop.camera import VideoFile, bundled_clip, decode_jpeg, encode_jpeg

TOPIC = "/test_camera/image/compressed"


def open_hand() -> np.ndarray:
    """A frame of the bundled clip in which an open right hand is in view."""
    video = VideoFile(bundled_clip(), sleep_s=lambda _: None)
    frames = [video.read() for _ in range(46)]
    return frames[-1].image_bgr


def told_and_drawn(
    seen: list[PointCloud2], previews: list[CompressedImage]
) -> tuple[PointCloud2, CompressedImage] | None:
    """A cloud with a right hand and the preview of the same image, as soon as both have come."""
    drawn = {from_msg_time(preview.header.stamp): preview for preview in previews}
    for cloud in seen:
        preview = drawn.get(from_msg_time(cloud.header.stamp))
        if preview is not None and np.isfinite(hands_cloud.from_bytes(bytes(cloud.data))["x"][0]).all():
            return cloud, preview
    return None


@pytest.mark.ros
@pytest.mark.slow
def test_hands_carry_the_stamp_of_the_image_they_were_seen_in() -> None:
    environ = graph_environment()
    clock = GraphClock(int(environ[ENV_OFFSET]))
    image = open_hand()
    seen: list[PointCloud2] = []
    previews: list[CompressedImage] = []
    sent_ns: list[int] = []
    command = [sys.executable, "-m", "teleop.tracker_node", "--ros-args", "-p", f"source:=topic:{TOPIC}"]
    tracker = subprocess.Popen(command, env=environ)
    try:
        with GraphClient(int(os.environ["ROS_DOMAIN_ID"]), "camera_test") as client:
            client.subscribe(HANDS, PointCloud2, seen.append)
            client.subscribe(PREVIEW, CompressedImage, previews.append)
            publisher = client.node.create_publisher(CompressedImage, TOPIC, qos_profile(Qos.SENSOR))
            rng = np.random.default_rng(1)
            for _ in range(1200):
                noise = rng.integers(
                    0, 4, image.shape, np.uint8
                )  # a picture that repeats byte for byte is a frozen camera
                message = CompressedImage(format="jpeg", data=encode_jpeg(cv2.add(image, noise)))
                sent_ns.append(clock.now_ns())
                message.header.stamp = to_msg_time(sent_ns[-1])
                publisher.publish(message)
                client.spin(0.05)
                if told_and_drawn(seen, previews):
                    break
    finally:
        tracker.terminate()
        assert tracker.wait(timeout=10) == 0
    found = told_and_drawn(seen, previews)
    assert found is not None, (len(seen), len(previews))
    told, preview = found
    cloud = hands_cloud.from_bytes(bytes(told.data))
    assert from_msg_time(told.header.stamp) in sent_ns
    assert np.isnan(cloud["x"][1]).all(), "left hand"
    drawn = decode_jpeg(bytes(preview.data))
    wrist = np.rint([cloud["u"][0, 0] * image.shape[1], cloud["v"][0, 0] * image.shape[0]]).astype(int)
    near = (slice(wrist[1] - 3, wrist[1] + 4), slice(wrist[0] - 3, wrist[0] + 4))
    assert cv2.absdiff(drawn[near], image[near]).max() > 60, "the skeleton is drawn at the wrist"
