# SPDX-License-Identifier: Apache-2.0
"""A published cloud gives back the hands and the body that went into it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from graph import body_cloud, hands_cloud
from teleop.operator_clouds import Origin, body_of, body_to_cloud, hands_of, hands_to_cloud
from teleop.operator_view import BodyView, HandView

share = st.floats(0, 1, width=32)
metres = st.floats(-0.25, 0.25, width=32)
hands = st.builds(
    HandView,
    world_m=arrays(np.float64, (21, 3), elements=metres),
    image=arrays(np.float64, (21, 2), elements=share),
    score=share,
)
bodies = st.builds(
    BodyView,
    world_m=arrays(np.float64, (33, 3), elements=metres),
    image=arrays(np.float64, (33, 2), elements=share),
    visibility=arrays(np.float64, 33, elements=share),
    stamp_ns=st.integers(0, 2**62),
    aspect=st.floats(0.5, 2, width=32),
)
origins = st.builds(
    Origin, frame=st.integers(0, 2**32 - 1), aspect=st.floats(0.5, 2, width=32), inference_ms=share, tracked_ms=share
)


@given(st.dictionaries(st.sampled_from(hands_cloud.HANDS), hands), origins)
def test_hands_there_and_back(seen, origin):
    cloud = hands_cloud.from_bytes(hands_to_cloud(seen, origin).tobytes())
    found = hands_of(cloud)
    assert found.keys() == seen.keys()
    for side, hand in seen.items():
        assert (found[side].world_m == hand.world_m).all()
        assert (found[side].image == hand.image).all()
        assert found[side].score == hand.score
    for name in ("frame", "aspect", "inference_ms", "tracked_ms"):
        assert (cloud[name] == getattr(origin, name)).all()


@given(bodies, origins)
def test_a_body_there_and_back(body, origin):
    cloud = body_cloud.from_bytes(body_to_cloud(body, origin).tobytes())
    found = body_of(cloud, body.stamp_ns)
    assert found is not None
    assert (found.world_m == body.world_m).all() and (found.image == body.image).all()
    assert (found.visibility == body.visibility).all()
    assert (found.stamp_ns, found.aspect) == (body.stamp_ns, origin.aspect)


@given(origins)
def test_nobody_there_and_back(origin):
    assert hands_of(hands_to_cloud({}, origin)) == {}
    assert body_of(body_to_cloud(None, origin), 0) is None
