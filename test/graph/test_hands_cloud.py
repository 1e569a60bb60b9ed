# SPDX-License-Identifier: Apache-2.0
"""The NumPy dtype and the PointCloud2 fields are two spellings of one layout."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from graph import hands_cloud
from graph.hands_cloud import FIELDS, HANDS, LANDMARKS, POINT, from_bytes

POINTFIELD = {1: "<i1", 2: "<u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 8: "<f8"}
"""sensor_msgs/msg/PointField: INT8, UINT8, INT16, UINT16, INT32, UINT32, FLOAT32, FLOAT64."""

SIZE = len(HANDS) * LANDMARKS * POINT.itemsize

clouds = arrays(np.uint8, SIZE).map(lambda data: data.view(POINT).reshape(len(HANDS), LANDMARKS))


def test_fields_as_ros_reads_them_are_the_dtype():
    as_ros_reads_them = np.dtype(
        {
            "names": [field.name for field in FIELDS],
            "formats": [POINTFIELD[field.datatype] for field in FIELDS],
            "offsets": [field.offset for field in FIELDS],
            "itemsize": POINT.itemsize,
        }
    )
    assert as_ros_reads_them == POINT


def test_points_are_packed_and_begin_with_xyz_as_viewers_expect():
    assert [(field.name, field.offset) for field in FIELDS[:3]] == [("x", 0), ("y", 4), ("z", 8)]
    assert POINT.itemsize == 4 * len(FIELDS)


@given(clouds)
def test_from_bytes_undoes_tobytes(cloud):
    assert from_bytes(cloud.tobytes()).tobytes() == cloud.tobytes()
    assert from_bytes(cloud.tobytes()).shape == (2, 21)


def test_rows_keep_their_hand_and_points_their_place():
    cloud = hands_cloud.empty()
    cloud[HANDS.index("left")]["x"] = np.arange(21)
    decoded = from_bytes(cloud.tobytes())
    assert decoded["x"][1].tolist() == list(range(21))
    assert np.isnan(decoded["x"][0]).all()


@given(st.binary(max_size=2 * SIZE).filter(lambda data: len(data) != SIZE))
def test_a_cloud_of_another_length_is_refused_with_both_lengths(data):
    with pytest.raises(ValueError, match=rf"has {SIZE} bytes, this one has {len(data)}"):
        from_bytes(data)


@pytest.mark.parametrize("length", [0, SIZE - 1, SIZE + 1, SIZE // 2, 2 * SIZE])
def test_a_nearly_right_length_is_refused(length):
    with pytest.raises(ValueError, match=str(length)):
        from_bytes(bytes(length))


def test_an_empty_cloud_shows_no_hand():
    cloud = hands_cloud.empty()
    for name in ("x", "y", "z", "u", "v", "score"):
        assert np.isnan(cloud[name]).all()
    assert (cloud["frame"] == 0).all() and (cloud["inference_ms"] == 0).all()
