# SPDX-License-Identifier: Apache-2.0
"""From a camera to landmarks of the operator, without ROS: one thread reads the camera, one runs each model.

The newest frame wins; no queue. On a robot the tracker's node owns it, on a laptop far away `booth track --to`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.metadata import version
from threading import Event, Thread

from graph.errors import BoothError, DeviceError, InputError
from graph.faults import FaultCode
from teleop.camera import Frame, FrameSource, Webcam, unmirror
from teleop.camera_health import CameraHealth
from teleop.hand_geometry import Side
from teleop.identity import HandIdentity
from teleop.inference_thread import InferenceThread
from teleop.models import hand_model, pose_model
from teleop.operator_clouds import Cloud, Origin, body_to_cloud, hands_to_cloud
from teleop.operator_source import SourceState
from teleop.operator_view import BodyView, HandView
from teleop.rates import TrackerCounts
from teleop.tracker import HandTracker, self_test
from teleop.tracker_body import BodyTracker

LATE_NS, GONE_NS = 200_000_000, 2_000_000_000
"""Without an image for so long that is told; after that a webcam is opened anew, by a new process."""
LISTENERS_S = 10.0
"""So long a source waits for somebody who listens, so that a demonstration misses nothing of a file."""


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """How to look.

    Attributes:
        name: of the source, for people.
        mirrored: the camera delivers mirror images.
        body: look for the operator's body, too, in one of ``body_every`` frames.
    """

    name: str
    mirrored: bool = False
    body: bool = False
    body_every: int = 2


class CameraOperator:
    """Callbacks come from the models' threads: hands of every frame, the body of some.

    Attributes:
        body: as it was seen last.
    """

    def __init__(
        self,
        settings: CameraSettings,
        source: FrameSource | None,
        on_hands: Callable[[Cloud, Frame, Mapping[Side, HandView]], None],
        on_body: Callable[[Cloud, Frame], None],
        listening: Callable[[], bool] = lambda: True,
    ) -> None:
        """Frames come from ``source``, or by ``offer`` where that is None; it is read once somebody is ``listening``.

        Raises:
            InputError: a setting or a model can't be used.
        """
        if settings.body_every < 1:
            raise InputError(f"parameter body_every should be 1 or more, found {settings.body_every}")
        self._settings, self._source, self._listening = settings, source, listening
        self._on_hands, self._on_body = on_hands, on_body
        self._stopping = Event()
        self._counts, self._body_counts = TrackerCounts(), TrackerCounts()
        self._failure: BoothError | None = None
        self._hand_tracker = HandTracker(hand_model())
        self_test(self._hand_tracker)
        self._body_tracker = BodyTracker(pose_model()) if settings.body else None
        self._health = CameraHealth()
        self._identity: HandIdentity | None = None
        self._image_problem = ""
        self._offered_ns = 0
        self.body: BodyView | None = None
        self._models = [InferenceThread("hands", self._find_hands)]
        if self._body_tracker is not None:
            self._models.append(InferenceThread("body", self._find_body))
        self._reader = Thread(target=self._read, name="camera", daemon=True)

    def start(self) -> None:
        """Begin."""
        for model in self._models:
            model.start()
        if self._source is not None:
            self._reader.start()

    def close(self) -> None:
        """Stop all threads and free camera and models; may be called again."""
        self._stopping.set()
        for model in self._models:
            model.close()
        if self._source is not None:
            if self._reader.is_alive():
                self._reader.join(timeout=2.0)
            self._source.close()
        self._hand_tracker.close()
        if self._body_tracker is not None:
            self._body_tracker.close()

    def facts(self) -> Mapping[str, object]:
        """Camera, models and versions, for provenance."""
        paths = [hand_model(), pose_model()] if self._settings.body else [hand_model()]
        models = {path.name: sha256(path.read_bytes()).hexdigest() for path in paths}
        settings = self._settings
        source = {"source": settings.name, "mirrored": settings.mirrored, "body_every": settings.body_every}
        return {**source, "mediapipe": version("mediapipe"), "models": models}

    def offer(self, frame: Frame) -> None:
        """One more frame."""
        if self._settings.mirrored:
            frame = replace(frame, image_bgr=unmirror(frame.image_bgr))
        self._offered_ns = time.monotonic_ns()
        self._image_problem = self._health.see(frame.image_bgr, frame.capture_ns)
        self._models[0].put(frame)
        if len(self._models) > 1 and frame.number % self._settings.body_every == 0:
            self._models[1].put(frame)

    def state(self) -> SourceState:
        """How it goes.

        Raises:
            DeviceError: the camera is gone.
            BoothError: what else ended one of the threads.
        """
        for model in self._models:
            model.check()
        if self._failure is not None:
            raise self._failure
        ended = all(model.ended for model in self._models)
        waited_ns = time.monotonic_ns() - self._offered_ns if self._offered_ns and not ended else 0
        if waited_ns > GONE_NS and isinstance(self._source, Webcam):
            raise DeviceError(f"no image from {self._settings.name} for {waited_ns * 1e-9:.0f} s: was it unplugged?")
        late = f"no image from the camera for {waited_ns // 1_000_000} ms" if waited_ns > LATE_NS else ""
        problem = "" if ended else late or self._image_problem
        message = "ENDED" if ended else "NO_IMAGE" if problem else "TRACKING" if self._counts.frames else "STARTING"
        hands = {} if self._identity is None else self._identity.status()
        return SourceState(message, problem, _code(problem, hands), self._values() | hands)

    def _values(self) -> dict[str, object]:
        body = {} if self._body_tracker is None else self._body_counts.summary()
        return {
            "skipped_frames": self._models[0].replaced,
            "brightness": "" if self._health.brightness is None else f"{self._health.brightness:.0f}",
            **self._counts.summary(),
            **{f"body_{key}": value for key, value in body.items()},
        }

    # --- threads -----------------------------------------------------------------------------------------------

    def _read(self) -> None:
        assert self._source is not None
        try:
            deadline = time.monotonic() + LISTENERS_S
            while not self._listening() and not self._stopping.is_set() and time.monotonic() < deadline:
                self._stopping.wait(0.05)
            while not self._stopping.is_set():
                frame = self._source.read()
                if frame is None:
                    break
                self.offer(frame)
        except BoothError as error:
            self._failure = error
        for model in self._models:
            model.finish()

    def _find_hands(self, frame: Frame) -> None:
        start_ns = time.monotonic_ns()
        found = self._hand_tracker.detect(frame.image_bgr, frame.capture_ns)
        if self._identity is None:
            self._identity = HandIdentity(_aspect(frame))
        hands: dict[Side, HandView] = {}
        if not self._image_problem:
            hands = self._identity.see(found, self.body, frame.capture_ns)
        origin = _origin(frame, start_ns)
        self._counts.add(frame.capture_ns, bool(hands), origin.inference_ms)
        self._on_hands(hands_to_cloud(hands, origin), frame, hands)

    def _find_body(self, frame: Frame) -> None:
        assert self._body_tracker is not None
        start_ns = time.monotonic_ns()
        body = self._body_tracker.detect(frame.image_bgr, frame.capture_ns)
        self.body = None if self._image_problem else body
        origin = _origin(frame, start_ns)
        self._body_counts.add(frame.capture_ns, body is not None, origin.inference_ms)
        self._on_body(body_to_cloud(self.body, origin), frame)


def _code(problem: str, hands: Mapping[str, object]) -> str:
    """What is wrong with the picture, by its name in docs/faults."""
    if problem:
        return FaultCode.CAMERA_FROZEN.value
    if hands.get("hands_held"):
        return FaultCode.HANDS_SWAPPED.value
    return FaultCode.BYSTANDER.value if hands.get("strangers") else ""


def _aspect(frame: Frame) -> float:
    height, width = frame.image_bgr.shape[:2]
    return float(width / height)


def _origin(frame: Frame, start_ns: int) -> Origin:
    now_ns = time.monotonic_ns()
    return Origin(frame.number, _aspect(frame), (now_ns - start_ns) * 1e-6, (now_ns - frame.capture_ns) * 1e-6)
