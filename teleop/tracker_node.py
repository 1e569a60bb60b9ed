# SPDX-License-Identifier: Apache-2.0
"""Tracker node: camera frames in, landmarks of hands and body and JPEG images out. The newest frame wins; no queue."""

import time
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from threading import Event, Thread

import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CompressedImage, PointCloud2, PointField

from graph import hands_cloud
from graph.errors import BoothError, DeviceError, InputError
from graph.faults import FaultCode
from graph.ros_node import WARN, BoothNode, from_msg_time, qos_profile, spin_node, to_msg_time
from graph.topics import BODY, CAMERA, HANDS, PREVIEW, TRACKER_FACTS, TRACKER_STATE, Qos
from teleop.camera import TOPIC_PREFIX, Frame, FrameSource, Webcam, decode_jpeg, encode_jpeg, open_source, unmirror
from teleop.camera_health import CameraHealth
from teleop.hand_geometry import Side
from teleop.identity import HandIdentity
from teleop.inference_thread import InferenceThread
from teleop.models import hand_model, pose_model
from teleop.operator_clouds import Origin, body_to_cloud, hands_to_cloud
from teleop.operator_view import BodyView, HandView
from teleop.rates import TrackerCounts
from teleop.tracker import HandTracker, self_test
from teleop.tracker_body import BodyTracker
from teleop.tracker_preview import draw

FRAME_ID = "operator_camera_optical_frame"
LATE_NS, GONE_NS = 200_000_000, 2_000_000_000
"""Without an image for so long that is told; after that a webcam is opened anew, by a new process."""


class TrackerNode(BoothNode):
    """One thread reads the camera, one runs each model, the executor only answers ROS."""

    def __init__(self) -> None:
        super().__init__("tracker", TRACKER_STATE)
        self._source_name = self.declare("source", "clip", "clip, camera number, /dev/video*, video file, topic:/name")
        loop = self.declare("loop", False, "play a video file over and over")
        self._mirrored = self.declare("mirrored", False, "the camera delivers mirror images")
        self._quality = self.declare("jpeg_quality", 90, "JPEG quality of the published images, 1 to 100")
        with_body = self.declare("body", False, "look for the operator's body, too: for arms and head")
        self._body_every = self.declare("body_every", 2, "look for the body in one of so many frames")
        if self._body_every < 1:
            raise InputError(f"parameter body_every should be 1 or more, found {self._body_every}")
        self._hands = self.create_publisher(PointCloud2, HANDS.name, qos_profile(HANDS.qos))
        self._body = self.create_publisher(PointCloud2, BODY.name, qos_profile(BODY.qos))
        self._camera = self.create_publisher(CompressedImage, CAMERA.name, qos_profile(CAMERA.qos))
        self._preview = self.create_publisher(CompressedImage, PREVIEW.name, qos_profile(PREVIEW.qos))
        self._stopping = Event()
        self._counts, self._body_counts = TrackerCounts(), TrackerCounts()
        self._camera_failure: BoothError | None = None
        self._source: FrameSource | None = None
        if not self._source_name.startswith(TOPIC_PREFIX):
            self._source = open_source(self._source_name, loop)
        self._hand_tracker = HandTracker(hand_model())
        self_test(self._hand_tracker)
        self._body_tracker = BodyTracker(pose_model()) if with_body else None
        self._health = CameraHealth()
        self._identity: HandIdentity | None = None
        self._image_problem = ""
        self._offered_ns = 0
        self._seen_body: BodyView | None = None
        self._models = [InferenceThread("hands", self._find_hands)]
        if self._body_tracker is not None:
            self._models.append(InferenceThread("body", self._find_body))
        for model in self._models:
            model.start()
        if self._source is None:
            self._from_topic(self._source_name.removeprefix(TOPIC_PREFIX))
        else:
            self._reader = Thread(target=self._read, name="camera", daemon=True)
            self._reader.start()
        self.create_timer(0.1, self._watch)
        self._tell_settings()
        self._report("STARTING")

    def _tell_settings(self) -> None:
        """Camera, models and versions, for provenance."""
        models = {path.name: sha256(path.read_bytes()).hexdigest() for path in self._model_files()}
        versions = {"mediapipe": version("mediapipe"), "models": models}
        source = {"source": self._source_name, "mirrored": self._mirrored, "body_every": self._body_every}
        self.tell_facts(TRACKER_FACTS, {**source, **versions})

    def _model_files(self) -> list[Path]:
        return [hand_model(), pose_model()] if self._body_tracker is not None else [hand_model()]

    def close(self) -> None:
        """Stop all threads and free camera and models."""
        self._stopping.set()
        for model in self._models:
            model.close()
        if self._source is not None:
            self._reader.join(timeout=2.0)
            self._source.close()
        self._hand_tracker.close()
        if self._body_tracker is not None:
            self._body_tracker.close()

    # --- frames ------------------------------------------------------------------------------------------------

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
                self._offer(Frame(number, capture_ns, image))
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
                self._offer(frame)
        except BoothError as error:
            self._camera_failure = error
        for model in self._models:
            model.finish()

    def _offer(self, frame: Frame) -> None:
        if self._mirrored:
            frame = replace(frame, image_bgr=unmirror(frame.image_bgr))
        self._offered_ns = time.monotonic_ns()
        self._image_problem = self._health.see(frame.image_bgr, frame.capture_ns)
        self._models[0].put(frame)
        if len(self._models) > 1 and frame.number % self._body_every == 0:
            self._models[1].put(frame)

    def _wait_for_listeners(self) -> None:
        """A file waits up to 10 s for somebody who listens, so that a demonstration misses nothing."""
        deadline = time.monotonic() + 10.0
        while not self._stopping.is_set() and time.monotonic() < deadline:
            if self._hands.get_subscription_count() > 0:
                return
            self._stopping.wait(0.05)

    # --- models ------------------------------------------------------------------------------------------------

    def _find_hands(self, frame: Frame) -> None:
        start_ns = time.monotonic_ns()
        found = self._hand_tracker.detect(frame.image_bgr, frame.capture_ns)
        if self._identity is None:
            self._identity = HandIdentity(_aspect(frame))
        hands: dict[Side, HandView] = {}
        if not self._image_problem:
            hands = self._identity.see(found, self._seen_body, frame.capture_ns)
        origin, stamp = self._origin(frame, start_ns), self._stamp(frame)
        self._hands.publish(_cloud_message(hands_to_cloud(hands, origin), stamp))
        self._counts.add(frame.capture_ns, bool(hands), origin.inference_ms)
        self._publish_images(frame.image_bgr, hands, stamp)

    def _find_body(self, frame: Frame) -> None:
        assert self._body_tracker is not None
        start_ns = time.monotonic_ns()
        body = self._body_tracker.detect(frame.image_bgr, frame.capture_ns)
        self._seen_body = None if self._image_problem else body
        origin = self._origin(frame, start_ns)
        self._body.publish(_cloud_message(body_to_cloud(self._seen_body, origin), self._stamp(frame)))
        self._body_counts.add(frame.capture_ns, body is not None, origin.inference_ms)

    def _origin(self, frame: Frame, start_ns: int) -> Origin:
        now_ns = time.monotonic_ns()
        return Origin(frame.number, _aspect(frame), (now_ns - start_ns) * 1e-6, (now_ns - frame.capture_ns) * 1e-6)

    def _stamp(self, frame: Frame) -> Time:
        return to_msg_time(frame.capture_ns + self.graph_clock.offset_ns)

    def _publish_images(self, image: np.ndarray, hands: dict[Side, HandView], stamp: Time) -> None:
        for publisher, drawn in ((self._camera, False), (self._preview, True)):
            if publisher.get_subscription_count() == 0:
                continue
            message = CompressedImage(format="jpeg")
            message.header.stamp, message.header.frame_id = stamp, FRAME_ID
            message.data = encode_jpeg(draw(image, hands, self._seen_body) if drawn else image, self._quality)
            publisher.publish(message)

    # --- state -------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        for model in self._models:
            model.check()
        if self._camera_failure is not None:
            raise self._camera_failure
        ended = all(model.ended for model in self._models)
        waited_ns = time.monotonic_ns() - self._offered_ns if self._offered_ns and not ended else 0
        if waited_ns > GONE_NS and isinstance(self._source, Webcam):
            raise DeviceError(f"no image from {self._source_name} for {waited_ns * 1e-9:.0f} s: was it unplugged?")
        late = f"no image from the camera for {waited_ns // 1_000_000} ms" if waited_ns > LATE_NS else ""
        problem = late or self._image_problem
        if ended:
            self._report("ENDED")
        elif problem:
            self._report("NO_IMAGE", problem)
        else:
            self._report("TRACKING" if self._counts.frames else "STARTING")

    def _report(self, message: str, reason: str = "") -> None:
        body = {} if self._body_tracker is None else self._body_counts.summary()
        hands = {} if self._identity is None else self._identity.status()
        self.set_state(
            message,
            WARN if reason else 0,
            reason=reason,
            source=self._source_name,
            skipped_frames=self._models[0].replaced,
            **self._counts.summary(),
            **{f"body_{key}": value for key, value in body.items()},
            code=_code(reason, hands),
            **hands,
        )


def _code(problem: str, hands: Mapping[str, object]) -> str:
    """What is wrong with the picture, by its name in docs/faults."""
    if problem:
        return FaultCode.CAMERA_FROZEN.value
    if hands.get("hands_held"):
        return FaultCode.HANDS_SWAPPED.value
    return FaultCode.BYSTANDER.value if hands.get("strangers") else ""


def _aspect(frame: Frame) -> float:
    return frame.image_bgr.shape[1] / frame.image_bgr.shape[0]


def _cloud_message(cloud: np.ndarray, stamp: Time) -> PointCloud2:
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
