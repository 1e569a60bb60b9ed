# SPDX-License-Identifier: Apache-2.0
"""How bright the last image was, for the check before a session."""

import numpy as np
import pytest

from teleop.camera_health import CameraHealth


def test_before_the_first_image_nobody_knows() -> None:
    assert CameraHealth().brightness is None


@pytest.mark.parametrize("grey", [0, 90, 255])
def test_it_is_the_mean_of_the_last_image(grey: int) -> None:
    health = CameraHealth()
    health.see(np.full((48, 64, 3), 17, np.uint8), 0)
    health.see(np.full((48, 64, 3), grey, np.uint8), 33_000_000)
    assert health.brightness == grey
