# SPDX-License-Identifier: Apache-2.0
"""Chains agree with the robot's whole tree, Jacobians with differences, and steps stay in their box."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from robots import load_robot
from robots.load_kinematics import load_kinematics
from teleop.arm_solver import Chain, Directions, Points, bounded_step, point_jacobian

CHAINS = [
    ("ffw_sh5", "arm_base_link", "hx5_d20_right_base"),
    ("ffw_sh5", "arm_base_link", "hx5_d20_left_base"),
    ("ffw_bg2", "arm_base_link", "gripper_l_rh_p12_rn_base"),
    ("op3", "body_link", "r_arm_end_link"),
    ("op3", "body_link", "head_tilt_link"),
]
TREES = {name: load_kinematics(load_robot(name)) for name in ("ffw_sh5", "ffw_bg2", "op3")}
EACH = pytest.mark.parametrize(("robot", "base", "tip"), CHAINS)

angles = st.floats(-3.2, 3.2)


def positions(draw, chain):
    return np.array([draw(angles) for _ in chain.joint_names])


@EACH
@given(st.data())
def test_a_chain_is_where_the_tree_says(robot, base, tip, data):
    tree = TREES[robot]
    chain = Chain(tree, base, tip)
    joints = positions(data.draw, chain)
    poses = tree.forward(dict(zip(chain.joint_names, joints, strict=True)))
    expected = np.linalg.inv(poses[base]) @ poses[tip]
    carrier, behind = chain.place(tip)
    pose = chain.forward(joints)
    assert np.allclose(Points([carrier], behind[None, :3, 3]).at(pose)[0], expected[:3, 3], atol=1e-9)
    assert np.allclose(pose.rotations[carrier] @ behind[:3, :3], expected[:3, :3], atol=1e-9)


@EACH
@given(st.data())
def test_jacobians_are_the_slopes_of_what_they_belong_to(robot, base, tip, data):
    chain = Chain(TREES[robot], base, tip)
    count = len(chain.joint_names)
    joints = positions(data.draw, chain)
    carriers = [data.draw(st.integers(0, count - 1)) for _ in range(2)]
    local = data.draw(arrays(np.float64, (2, 3), elements=st.floats(-1, 1)))
    directions, points = Directions(carriers, local, count), Points(carriers, local)
    pose = chain.forward(joints)
    step = 1e-6
    for k in range(count):
        moved = chain.forward(joints + step * (np.arange(count) == k))
        slope = (directions.at(moved) - directions.at(pose)) / step
        assert np.allclose(directions.jacobian(pose, directions.at(pose))[:, :, k], slope, atol=1e-5)
        for row, carrier in enumerate(carriers):
            slope = (points.at(moved)[row] - points.at(pose)[row]) / step
            assert np.allclose(point_jacobian(pose, carrier, points.at(pose)[row])[:, k], slope, atol=1e-5)


def test_what_the_base_carries_no_joint_moves():
    chain = Chain(TREES["op3"], "body_link", "head_tilt_link")
    assert not point_jacobian(chain.forward(np.zeros(2)), -1, np.ones(3)).any()


@pytest.mark.parametrize(
    ("base", "tip", "expected"),
    [
        ("arm_base_link", "arm_base_link", "no joint moves"),
        ("arm_r_link2", "arm_l_link7", "does not hang on"),
        ("base_link", "arm_r_link7", "slides"),
        ("arm_base_link", "gripper_r_rh_p12_rn_l1", "mimics"),
        ("nowhere", "arm_r_link7", "no link 'nowhere'"),
    ],
)
def test_what_is_no_plain_chain_is_refused(base, tip, expected):
    with pytest.raises(ValueError, match=expected):
        Chain(TREES["ffw_bg2"], base, tip)


numbers = st.floats(-3.0, 3.0)


@st.composite
def problems(draw):
    count = draw(st.integers(1, 7))
    rows = draw(arrays(np.float64, (draw(st.integers(0, 12)), count), elements=numbers))
    gradient = draw(arrays(np.float64, count, elements=numbers))
    lower = -draw(arrays(np.float64, count, elements=st.floats(0.0, 1.0)))
    upper = draw(arrays(np.float64, count, elements=st.floats(0.0, 1.0)))
    return rows.T @ rows + 0.05 * np.eye(count), gradient, lower, upper


def model(hessian, gradient, step):
    return float(0.5 * step @ hessian @ step + gradient @ step)


@given(problems())
def test_a_bounded_step_stays_in_its_box(problem):
    hessian, gradient, lower, upper = problem
    step = bounded_step(hessian, gradient, lower, upper)
    assert (step >= lower).all()
    assert (step <= upper).all()


@given(problems())
def test_a_step_that_no_bound_stops_is_newtons(problem):
    hessian, gradient, _, _ = problem
    wide = np.full(len(gradient), 1e3)
    assert np.allclose(hessian @ bounded_step(hessian, gradient, -wide, wide), -gradient, atol=1e-6)


@given(problems())
def test_a_bounded_step_is_no_worse_than_a_clipped_one_on_the_free_joints(problem):
    """Whatever is fixed on a face, the other joints make the best of it."""
    hessian, gradient, lower, upper = problem
    step = bounded_step(hessian, gradient, lower, upper)
    inside = (step > lower + 1e-9) & (step < upper - 1e-9)
    slope = hessian @ step + gradient
    assert np.allclose(slope[inside], 0.0, atol=1e-6)
