# SPDX-License-Identifier: Apache-2.0
"""Frames come with honest numbers and stamps, and a source that can't be opened says why."""

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from synthetic_hands import NS_PER_S

from graph.errors import EXIT_DEVICE, EXIT_INPUT, DeviceError, InputError
from teleop import camera
from teleop.camera import (
    VideoFile,
    Webcam,
    bundled_clip,
    decode_jpeg,
    encode_jpeg,
    open_source,
    unmirror,
)


class Clock:
    """Time that passes only in sleep, and as much as a test says while an image is decoded."""

    def __init__(self):
        self.now_ns = 1_000 * NS_PER_S
        self.slept_s = []

    def sleep(self, seconds):
        self.slept_s.append(seconds)
        self.now_ns += round(seconds * NS_PER_S)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(camera, "time", SimpleNamespace(monotonic_ns=lambda: clock.now_ns))
    return clock


@pytest.fixture
def short_film(tmp_path):
    """Five grey frames at 25 Hz, each brighter than the one before."""
    path = tmp_path / "short.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    assert writer.isOpened()
    for k in range(5):
        writer.write(np.full((48, 64, 3), 40 * k + 20, np.uint8))
    writer.release()
    return path


# ---- video files ------------------------------------------------------------------------------------------


def test_frames_of_the_clip_are_due_one_after_the_other_and_delivered_then(clock):
    film = VideoFile(bundled_clip(), sleep_s=clock.sleep)
    assert film.fps == 30.0
    start_ns = clock.now_ns
    for k in range(12):
        frame = film.read()
        assert (frame.number, frame.capture_ns) == (k, start_ns + round(k * NS_PER_S / 30))
        assert clock.now_ns == pytest.approx(frame.capture_ns, abs=2)
        assert frame.image_bgr.shape == (480, 640, 3)
    assert len(clock.slept_s) == 11
    film.close()


def test_a_reader_that_is_late_gets_the_stamp_at_which_the_frame_was_due(clock, short_film):
    film = VideoFile(short_film, sleep_s=clock.sleep)
    start_ns = film.read().capture_ns
    clock.now_ns += NS_PER_S
    assert film.read().capture_ns == start_ns + NS_PER_S // 25
    assert clock.slept_s == []


def test_a_film_starts_when_it_is_first_read(clock, short_film):
    film = VideoFile(short_film, sleep_s=clock.sleep)
    clock.now_ns += 7 * NS_PER_S
    assert film.read().capture_ns == clock.now_ns


def test_a_film_ends_once(clock, short_film):
    film = VideoFile(short_film, sleep_s=clock.sleep)
    brightness = [int(film.read().image_bgr.mean()) for _ in range(5)]
    assert brightness == pytest.approx([20, 60, 100, 140, 180], abs=3)
    assert film.read() is None
    assert film.read() is None
    assert film.duration_s == pytest.approx(5 / 25)


def test_a_looped_film_begins_anew_with_its_numbers_while_time_goes_on(clock, short_film):
    film = VideoFile(short_film, loop=True, sleep_s=clock.sleep)
    frames = [film.read() for _ in range(12)]
    assert [frame.number for frame in frames] == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]
    assert [int(frame.image_bgr.mean()) for frame in frames[5:10]] == pytest.approx([20, 60, 100, 140, 180], abs=3)
    stamps = [frame.capture_ns for frame in frames]
    assert stamps == sorted(stamps)


def test_a_source_may_be_closed_twice(short_film):
    film = VideoFile(short_film)
    film.close()
    film.close()


# ---- what is no source ------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_is_refused_with_what_was_expected(tmp_path):
    with pytest.raises(InputError, match=rf"no video file at {tmp_path}/a\.mp4: expected .*camera number.*clip") as e:
        open_source(str(tmp_path / "a.mp4"))
    assert e.value.exit_code == EXIT_INPUT


@pytest.mark.parametrize("text", ["this is not a video", "", "\0" * 1000])
def test_a_text_that_calls_itself_a_video_is_refused(tmp_path, text):
    path = tmp_path / "text.mp4"
    path.write_text(text)
    with pytest.raises(InputError, match="can't be read as a video: expected MP4, WebM or AVI") as refusal:
        open_source(str(path))
    assert refusal.value.exit_code == EXIT_INPUT


@pytest.mark.parametrize("source", ["", ".", "~", "camera", "-1", "1.5", "²", "9" * 30, "topic", "a\0b"])
def test_a_word_that_names_nothing_is_refused_as_a_file(source):
    with pytest.raises(InputError, match="no video file"):
        open_source(source)


def test_a_directory_is_no_video(tmp_path):
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(InputError, match="no video file"):
        open_source(str(tmp_path / "folder.mp4"))


def test_a_camera_that_is_not_there_is_answered_with_what_to_do():
    with pytest.raises(
        DeviceError, match=r"no camera at /dev/video-that-is-not-there.*Plug one in.*--source FILE"
    ) as e:
        open_source("/dev/video-that-is-not-there")
    assert e.value.exit_code == EXIT_DEVICE


# ---- cameras ----------------------------------------------------------------------------------------------


class FakeCapture:
    """A camera that delivers two images and is then unplugged."""

    opened = True

    def __init__(self, device):
        self.device, self.left = device, 2

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return self.opened

    def set(self, *_):
        return True

    def read(self):
        self.left -= 1
        return (True, np.zeros((4, 4, 3), np.uint8)) if self.left >= 0 else (False, None)

    def release(self):
        pass


def test_a_number_or_a_device_is_a_camera_and_anything_else_a_file(monkeypatch):
    monkeypatch.setattr(camera.cv2, "VideoCapture", FakeCapture)
    devices = {text: open_source(text)._capture.device for text in ("0", "12", "/dev/video3")}
    assert devices == {"0": 0, "12": 12, "/dev/video3": "/dev/video3"}


def test_the_word_clip_is_the_bundled_clip():
    assert open_source("clip").name == "operator_hand.mp4"


def test_camera_frames_are_counted_and_stamped_when_they_arrive(monkeypatch, clock):
    monkeypatch.setattr(camera.cv2, "VideoCapture", FakeCapture)
    webcam = Webcam(0)
    first = webcam.read()
    clock.now_ns += 33
    second = webcam.read()
    assert (first.number, second.number) == (0, 1)
    assert second.capture_ns - first.capture_ns == 33


def test_an_unplugged_camera_is_told_as_such(monkeypatch):
    monkeypatch.setattr(camera.cv2, "VideoCapture", FakeCapture)
    webcam = Webcam("/dev/video3")
    webcam.read()
    webcam.read()
    with pytest.raises(DeviceError, match=r"camera /dev/video3 stopped delivering images: was it unplugged\?"):
        webcam.read()


def test_cameras_that_are_there_are_named_when_the_wanted_one_is_not(monkeypatch):
    monkeypatch.setattr(camera.cv2, "VideoCapture", FakeCapture)
    monkeypatch.setattr(FakeCapture, "opened", False)
    monkeypatch.setattr(Path, "glob", lambda self, _: [self / "video2", self / "video0"])
    with pytest.raises(DeviceError, match="cameras found: /dev/video0, /dev/video2"):
        Webcam(1)


# ---- images -----------------------------------------------------------------------------------------------

images = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=12).map(lambda shape: (*shape, 3)))


@given(images)
def test_unmirroring_twice_changes_nothing(image):
    once = unmirror(image)
    assert (unmirror(once) == image).all()
    assert (once[:, 0] == image[:, -1]).all() and once.flags.c_contiguous


@given(arrays(np.uint8, (4, 4, 3)), st.integers(90, 100))
def test_a_jpeg_is_nearly_the_image(coarse, quality):
    image = cv2.resize(coarse, (64, 48), interpolation=cv2.INTER_CUBIC)
    back = decode_jpeg(encode_jpeg(image, quality))
    assert back.shape == image.shape and back.dtype == np.uint8
    assert cv2.PSNR(image, back) > 28.0


def test_a_better_jpeg_is_larger():
    image = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    assert len(encode_jpeg(image, 30)) < len(encode_jpeg(image)) < len(encode_jpeg(image, 100))


@pytest.mark.parametrize("data", [b"", b"x", b"\xff\xd8\xff", b"\xff\xd8" + bytes(100)])
def test_damaged_image_bytes_are_no_image(data):
    assert decode_jpeg(data) is None


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_an_image_or_none(data):
    image = decode_jpeg(data)
    assert image is None or image.ndim == 3


def test_a_png_is_an_image_too():
    image = np.random.default_rng(0).integers(0, 255, (5, 7, 3), np.uint8)
    _, data = cv2.imencode(".png", image)
    assert (decode_jpeg(bytes(data)) == image).all()
