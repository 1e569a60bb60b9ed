# SPDX-License-Identifier: Apache-2.0
"""Fault: the camera delivers images that show nothing new, nothing at all, or too few of them."""

import numpy as np
import pytest
from counted import counted

from teleop.camera_health import CameraHealth

FRAME_NS = 33_333_333
TIMES = counted(10, 50)


def film(rng, frames, mean=120.0):
    """Images of a room with a camera's noise."""
    room = rng.normal(mean, 25.0, (60, 80, 3))
    return [np.clip(room + rng.normal(0, 2.0, room.shape), 0, 255).astype(np.uint8) for _ in range(frames)]


@pytest.mark.parametrize("seed", range(TIMES))
def test_a_healthy_camera_is_believed(seed):
    rng = np.random.default_rng(seed)
    health = CameraHealth()
    jitter_ns = rng.integers(-8_000_000, 8_000_000, 60)
    for number, image in enumerate(film(rng, 60, mean=rng.uniform(40, 220))):
        assert health.see(image, number * FRAME_NS + int(jitter_ns[number])) == ""


@pytest.mark.parametrize("seed", range(TIMES))
def test_a_frozen_camera_is_named_within_200_ms_and_believed_again_at_once(seed):
    rng = np.random.default_rng(seed)
    health = CameraHealth()
    images = film(rng, 20 + seed)
    for number, image in enumerate(images):
        assert health.see(image, number * FRAME_NS) == ""
    last_ns = (len(images) - 1) * FRAME_NS
    told = [health.see(images[-1], last_ns + k * FRAME_NS) for k in range(1, 20)]
    first = next(k for k, reason in enumerate(told, 1) if reason)
    assert first * FRAME_NS <= 200_000_000
    assert all("same image" in reason for reason in told[first - 1 :])
    assert health.see(film(rng, 1)[0], last_ns + 20 * FRAME_NS) == ""


@pytest.mark.parametrize("seed", range(TIMES))
def test_a_covered_lens_is_named_with_its_first_image(seed):
    rng = np.random.default_rng(seed)
    health = CameraHealth()
    for number, image in enumerate(film(rng, 10)):
        health.see(image, number * FRAME_NS)
    black = np.clip(rng.normal(6, 2, (60, 80, 3)), 0, 255).astype(np.uint8)
    assert "black" in health.see(black, 10 * FRAME_NS)


@pytest.mark.parametrize("rate_hz", [1, 5, 8])
def test_a_slow_camera_is_named_with_its_rate_and_what_to_do(rate_hz):
    health = CameraHealth()
    images = film(np.random.default_rng(rate_hz), 10)
    told = [health.see(image, k * 1_000_000_000 // rate_hz) for k, image in enumerate(images)]
    assert f"delivers {rate_hz} images a second" in told[-1]


def test_fifteen_images_a_second_are_enough():
    health = CameraHealth()
    for k, image in enumerate(film(np.random.default_rng(1), 30)):
        assert health.see(image, k * 1_000_000_000 // 15) == ""
