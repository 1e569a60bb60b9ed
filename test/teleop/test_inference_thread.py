# SPDX-License-Identifier: Apache-2.0
"""One model, one thread, the newest frame."""

import time
from threading import Event

import numpy as np
import pytest

from teleop.camera import Frame
from teleop.inference_thread import InferenceThread


def frame(number: int) -> Frame:
    return Frame(number, number, np.zeros((1, 1, 3), np.uint8))


def test_while_it_is_busy_only_the_newest_frame_waits():
    seen, busy, go = [], Event(), Event()

    def work(one: Frame) -> None:
        seen.append(one.number)
        busy.set()
        go.wait(10)

    thread = InferenceThread("t", work)
    thread.start()
    thread.put(frame(0))
    assert busy.wait(10)
    for number in (1, 2, 3):
        thread.put(frame(number))
    thread.finish()
    go.set()
    until = time.monotonic() + 10
    while not thread.ended and time.monotonic() < until:
        time.sleep(0.01)
    thread.close()
    assert seen == [0, 3]
    assert (thread.replaced, thread.ended) == (2, True)


def test_what_the_model_raises_is_raised_to_whoever_watches():
    def work(_: Frame) -> None:
        raise ValueError("model")

    thread = InferenceThread("t", work)
    thread.check()
    thread.start()
    thread.put(frame(0))
    thread.close()
    with pytest.raises(ValueError, match="model"):
        thread.check()
    assert not thread.ended
