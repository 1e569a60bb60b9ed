# SPDX-License-Identifier: Apache-2.0
"""Raw images become JPEGs of the same picture, and a slow encoder leaves gaps, never shifts."""

import sys
import threading

import numpy as np
import pytest
from takes import T0, TYPES, cdr, header

from graph.stamps import GraphClock
from recorder import encode
from recorder.encode import COLORS, JpegEncoder, compressed_image, jpeg_compressor
from recorder.errors import TakeError
from recorder.messages import deserialize
from recorder.session import RecordingSession, Settings
from recorder.take_reader import read_take
from recorder.take_thread import Message

simplejpeg = pytest.importorskip("simplejpeg")

HEIGHT, WIDTH = 24, 40
RGB = (200, 40, 90)


def raw(encoding="rgb8", pad=0, stamp_ns=T0):
    """A serialized sensor_msgs/Image of one colour; its lines end in rubbish."""
    pixel = {"rgb8": RGB, "bgr8": RGB[::-1], "rgba8": (*RGB, 255), "bgra8": (*RGB[::-1], 255), "mono8": (90,)}[encoding]
    lines = np.full((HEIGHT, WIDTH * len(pixel) + pad), 7, np.uint8)
    lines[:, : WIDTH * len(pixel)] = np.tile(np.array(pixel, np.uint8), WIDTH)
    return cdr(
        "sensor_msgs/msg/Image",
        header=header(stamp_ns),
        height=HEIGHT,
        width=WIDTH,
        encoding=encoding,
        is_bigendian=0,
        step=lines.shape[1],
        data=lines.ravel(),
    )


@pytest.mark.parametrize("pad", [0, 5])
@pytest.mark.parametrize("encoding", sorted(COLORS))
def test_the_jpeg_shows_what_the_image_showed(encoding, pad):
    data = compressed_image(raw(encoding, pad), jpeg_compressor(95))
    message = deserialize(memoryview(data), "sensor_msgs/msg/CompressedImage")
    assert (message.format, message.header) == ("jpeg", header(T0))
    pixels = simplejpeg.decode_jpeg(message.data.tobytes(), "RGB").astype(int)
    expected = (90, 90, 90) if encoding == "mono8" else RGB
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(pixels - expected).max() <= 4


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\1\0\0rubbish", "can't be read"),
        (raw("mono8")[:-100], "can't be read"),
        (raw().replace(b"rgb8", b"yuyv"), r"expected encoding rgb8.*found 'yuyv'"),
    ],
)
def test_what_is_no_image_is_told_in_words(data, words):
    with pytest.raises(TakeError, match=words):
        compressed_image(data, jpeg_compressor(90))


def test_a_step_that_is_too_short_is_told():
    image = cdr(
        "sensor_msgs/msg/Image",
        header=TYPES["std_msgs/msg/Header"](TYPES["builtin_interfaces/msg/Time"](0, 0), ""),
        height=4,
        width=4,
        encoding="rgb8",
        is_bigendian=0,
        step=11,
        data=np.zeros(44, np.uint8),
    )
    with pytest.raises(TakeError, match="4 x 4 pixels need more"):
        compressed_image(image, jpeg_compressor(90))


def test_two_frames_of_a_camera_wait_and_a_third_is_left_out(monkeypatch):
    gate, delivered = threading.Event(), []
    monkeypatch.setattr(encode, "jpeg_compressor", lambda _: lambda *_: (gate.wait(20.0), b"\xff\xd8\xff\xd9")[1])
    encoder = JpegEncoder({"/a": "/a/compressed", "/b": "/b/compressed"}, delivered.append)
    admitted = [encoder.put(Message(topic, raw(), T0, T0, k)) for k in range(4) for topic in ("/a", "/b")]
    gate.set()
    encoder.close()
    encoder.close()
    assert not all(admitted)
    kept = {topic: [m.sequence for m in delivered if m.topic == topic] for topic in ("/a/compressed", "/b/compressed")}
    assert kept["/b/compressed"] == [0, 1]
    assert kept["/a/compressed"] in ([0, 1], [0, 1, 2], [0, 1, 3])  # one may have left the queue at any moment
    assert sum(admitted) == len(delivered)


def test_a_bad_image_is_a_problem_and_the_next_one_is_taken():
    delivered = []
    encoder = JpegEncoder({"/a": "/a/compressed"}, delivered.append)
    encoder.put(Message("/a", b"rubbish", T0, T0, 1))
    encoder.put(Message("/a", raw(), T0, T0, 2))
    encoder.close()
    assert [message.sequence for message in delivered] == [2]
    assert encoder.problem.startswith("/a: an image can't be read")


def test_a_raw_camera_is_in_the_take_as_jpeg(tmp_path):
    settings = Settings(
        "hx5_d20_right", tmp_path, 30.0, "", "", "", True, {"cam_a": "/a/compressed"}, raw={"/a": "/a/compressed"}
    )
    session = RecordingSession(settings, GraphClock(0, monotonic_ns=lambda: T0))
    assert {topic.name for topic in session.sources} >= {"/a"}
    assert "/a/compressed" not in {topic.name for topic in session.sources}
    session.message("/a", raw(), T0, 1)
    session.start()
    session.message("/a", raw(stamp_ns=T0 + 5), T0 + 6, 2)
    session._encoder.close()
    session.stop("stopped")
    session._closing[0].thread.wait(20.0)
    (message,) = read_take(session._last_take).messages["/a/compressed"]
    assert (message.sequence, message.publish_ns) == (2, T0 + 6)
    assert deserialize(message.data, "sensor_msgs/msg/CompressedImage").header == header(T0 + 5)
    session.close(0.0)


@pytest.mark.parametrize("quality", [0, 101])
def test_a_quality_that_makes_no_sense_is_refused(quality):
    with pytest.raises(TakeError, match="jpeg_quality should lie in 1 … 100"):
        jpeg_compressor(quality)


def test_the_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "simplejpeg", None)
    with pytest.raises(TakeError, match=r"pip install 'humanoid_booth\[jpeg\]'"):
        jpeg_compressor(90)
