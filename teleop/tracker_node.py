# SPDX-License-Identifier: Apache-2.0
"""Tracker node: camera frames in, hand landmarks and JPEG images out. Newest frame wins; no queue grows."""

import time
from threading import Event, Thread

import numpy as np
from sensor_msgs.msg import CompressedImage, PointCloud2, PointField

from graph import hands_cloud
from graph.errors import BoothError
from graph.ros_node import BoothNode, from_msg_time, qos_profile, spin_node, to_msg_time
from graph.topics import CAMERA, HANDS, PREVIEW, TRACKER_STATE, Qos
from teleop.camera import TOPIC_PREFIX, Frame, FrameSource, decode_jpeg, encode_jpeg, open_source, unmirror
from teleop.mailbox import Closed, NewestMailbox
from teleop.models import hand_model
from teleop.rates import TrackerCounts
from teleop.tracker import Hand, HandTracker, self_test, to_cloud
from teleop.tracker_preview import draw

FRAME_ID = "operator_camera_optical_frame"


class TrackerNode(BoothNode):
    """One thread reads the camera, one runs the model, the executor only answers ROS."""

    def __init__(self) -> None:
        super().__init__("tracker", TRACKER_STATE)
        self._source_name = self.declare("source", "clip", "clip, camera number, /dev/video*, video file, topic:/name")
        loop = self.declare("loop", False, "play a video file over and over")
        self._mirrored = self.declare("mirrored", False, "the camera delivers mirror images")
        self._quality = self.declare("jpeg_quality", 90, "JPEG quality of the published images, 1 to 100")
        self._hands = self.create_publisher(PointCloud2, HANDS.name, qos_profile(HANDS.qos))
        self._camera = self.create_publisher(CompressedImage, CAMERA.name, qos_profile(CAMERA.qos))
        self._preview = self.create_publisher(CompressedImage, PREVIEW.name, qos_profile(PREVIEW.qos))
        self._mailbox: NewestMailbox[Frame] = NewestMailbox()
        self._stopping = Event()
        self._counts = TrackerCounts()
        self._failure: BoothError | None = None
        self._ended = False
        self._source: FrameSource | None = None
        if self._source_name.startswith(TOPIC_PREFIX):
            self._from_topic(self._source_name.removeprefix(TOPIC_PREFIX))
        else:
            self._source = open_source(self._source_name, loop)
        self._tracker = HandTracker(hand_model())
        self_test(self._tracker)
        self.create_timer(0.1, self._watch)
        self._report("STARTING")
        self._threads = [Thread(target=self._infer, name="inference", daemon=True)]
        if self._source is not None:
            self._threads.append(Thread(target=self._read, name="camera", daemon=True))
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop both threads and free camera and model."""
        self._stopping.set()
        self._mailbox.close()
        for thread in self._threads:
            thread.join(timeout=2.0)
        if self._source is not None:
            self._source.close()
        self._tracker.close()

    def _from_topic(self, name: str) -> None:
        number = 0

        def receive(message: CompressedImage) -> None:
            nonlocal number
            image = decode_jpeg(bytes(message.data))
            if image is not None:
                stamp_ns = from_msg_time(message.header.stamp)
                unstamped = stamp_ns == 0
                now_ns = self.graph_clock.monotonic_ns()
                capture_ns = now_ns if unstamped else stamp_ns - self.graph_clock.offset_ns
                self._mailbox.put(Frame(number, capture_ns, image))
                number += 1

        self.create_subscription(CompressedImage, name, receive, qos_profile(Qos.SENSOR))

    def _read(self) -> None:
        assert self._source is not None
        try:
            self._wait_for_listeners()
            while not self._stopping.is_set():
                frame = self._source.read()
                if frame is None:
                    break
                self._mailbox.put(frame)
        except BoothError as error:
            self._failure = error
        self._mailbox.close()

    def _wait_for_listeners(self) -> None:
        """A file waits up to 10 s for somebody who listens, so that a demonstration misses nothing."""
        deadline = time.monotonic() + 10.0
        while not self._stopping.is_set() and time.monotonic() < deadline:
            if self._hands.get_subscription_count() > 0:
                return
            self._stopping.wait(0.05)

    def _infer(self) -> None:
        try:
            while not self._stopping.is_set():
                frame = self._mailbox.take(timeout_s=0.5)
                if frame is not None:
                    self._track(frame)
        except Closed:
            self._ended = True

    def _track(self, frame: Frame) -> None:
        image = unmirror(frame.image_bgr) if self._mirrored else frame.image_bgr
        start_ns = time.monotonic_ns()
        hands = self._tracker.detect(image, frame.capture_ns)
        inference_ms = (time.monotonic_ns() - start_ns) * 1e-6
        stamp = to_msg_time(frame.capture_ns + self.graph_clock.offset_ns)
        self._hands.publish(_cloud_message(to_cloud(hands, frame.number, inference_ms), stamp))
        self._counts.add(frame.capture_ns, bool(hands), inference_ms)
        self._publish_images(image, hands, stamp)

    def _publish_images(self, image: np.ndarray, hands: tuple[Hand, ...], stamp: object) -> None:
        for publisher, drawn in ((self._camera, False), (self._preview, True)):
            if publisher.get_subscription_count() == 0:
                continue
            message = CompressedImage(format="jpeg")
            message.header.stamp, message.header.frame_id = stamp, FRAME_ID
            message.data = encode_jpeg(draw(image, hands) if drawn else image, self._quality)
            publisher.publish(message)

    def _watch(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._report("ENDED" if self._ended else "TRACKING" if self._counts.frames else "STARTING")

    def _report(self, message: str) -> None:
        self.set_state(
            message, source=self._source_name, skipped_frames=self._mailbox.replaced, **self._counts.summary()
        )


def _cloud_message(cloud: np.ndarray, stamp: object) -> PointCloud2:
    message = PointCloud2(height=cloud.shape[0], width=cloud.shape[1], is_bigendian=False, is_dense=False)
    message.header.stamp, message.header.frame_id = stamp, FRAME_ID
    message.fields = [
        PointField(name=field.name, offset=field.offset, datatype=field.datatype, count=1)
        for field in hands_cloud.FIELDS
    ]
    message.point_step = cloud.dtype.itemsize
    message.row_step = cloud.dtype.itemsize * cloud.shape[1]
    message.data = cloud.tobytes()
    return message


def main() -> None:
    """Entry point of the tracker process."""
    spin_node(TrackerNode)


if __name__ == "__main__":
    main()
