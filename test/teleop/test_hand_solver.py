# SPDX-License-Identifier: Apache-2.0
"""Laws of the hand's kinematics and of its solver."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from robots import load_robot
from robots.kinematics import KinematicTree
from robots.load_kinematics import load_kinematics
from robots.urdf import parse_urdf
from teleop.hand_model import HandModel
from teleop.hand_solver import HandSolver, HandTarget, SolverSettings

MIMIC = """<robot name="gripping_hand"><link name="palm"/><link name="a"/><link name="b"/><link name="c"/>
<link name="d"/><link name="ta"/><link name="tb"/>
<joint name="thumb" type="revolute"><parent link="palm"/><child link="a"/><origin xyz="0.01 0.03 0.03"/>
 <axis xyz="1 0 0"/><limit lower="-0.3" upper="1.4" velocity="2" effort="1"/></joint>
<joint name="tip_a" type="fixed"><parent link="a"/><child link="ta"/><origin xyz="0.03 0.05 0" rpy="0 0 0.3"/></joint>
<joint name="finger" type="revolute"><parent link="palm"/><child link="b"/><origin xyz="0 0.01 0.09" rpy="0.1 0 0"/>
 <axis xyz="0 1 0"/><limit lower="0" upper="1.5" velocity="2" effort="1"/></joint>
<joint name="middle" type="revolute"><parent link="b"/><child link="c"/><origin xyz="0 0 0.04"/>
 <axis xyz="0 1 0"/><limit lower="0" upper="1.5" velocity="2" effort="1"/></joint>
<joint name="follower" type="revolute"><parent link="c"/><child link="d"/><origin xyz="0 0 0.03"/>
 <axis xyz="0 1 0"/><limit lower="0" upper="1.5" velocity="2" effort="1"/>
 <mimic joint="middle" multiplier="0.7" offset="0.1"/></joint>
<joint name="tip_b" type="fixed"><parent link="d"/><child link="tb"/><origin xyz="0 0 0.02"/></joint></robot>"""


def model_of(name: str) -> HandModel:
    if name == "mimic":
        tree, names = KinematicTree(parse_urdf(MIMIC, "mimic")), ["thumb", "finger", "middle"]
        low, high = np.array([-0.3, 0.0, 0.0]), np.array([1.4, 1.5, 1.5])
        return HandModel(tree, "palm", {"thumb": "ta", "index": "tb"}, names, low, high)
    robot = load_robot(name)
    hand = robot.imitation.hands[0]
    low, high = (np.array([getattr(joint, end) for joint in robot.joints]) for end in ("min_rad", "max_rad"))
    return HandModel(load_kinematics(robot), hand.palm, dict(hand.tips), robot.joint_names, low, high)


MODELS = {name: model_of(name) for name in ("hx5_d20_right", "hx5_d20_left", "xl330_hand", "mimic")}
each_hand = pytest.mark.parametrize("name", MODELS)
shares = arrays(np.float64, 20, elements=st.floats(0.0, 1.0))


def between(model: HandModel, share: np.ndarray) -> np.ndarray:
    return model.lower_rad + share[: len(model.lower_rad)] * (model.upper_rad - model.lower_rad)


def target_of(model: HandModel, position: np.ndarray, pair_weight: float = 0.0) -> HandTarget:
    """What the hand itself shows at a position."""
    pose = model.place(position)
    chord = np.linalg.norm(pose.tip_m - pose.knuckle_m, axis=1)
    return HandTarget(
        tip=pose.tip_m / np.linalg.norm(pose.tip_m, axis=1, keepdims=True),
        distal=pose.distal,
        extension=chord / model.length_m,
        weight=np.ones(model.count),
        pair_m=pose.tip_m[0] - pose.tip_m[1:],
        pair_weight=np.full(model.count - 1, pair_weight),
        posture_rad=position,
        posture_weight=np.full(len(position), 0.01),
        shown=np.full(len(position), True),
    )


@each_hand
@given(share=shares)
def test_tips_are_where_the_kinematic_tree_has_them(name: str, share: np.ndarray) -> None:
    model = MODELS[name]
    position = between(model, share)
    if name == "mimic":
        tree, palm, tips = KinematicTree(parse_urdf(MIMIC, "mimic")), "palm", ["ta", "tb"]
    else:
        robot = load_robot(name)
        tree, hand = load_kinematics(robot), robot.imitation.hands[0]
        palm, tips = hand.palm, list(hand.tips.values())
    poses = tree.forward(dict(zip(model.joint_names, position, strict=True)))
    expected = [(np.linalg.inv(poses[palm]) @ poses[tip])[:3, 3] for tip in tips]
    np.testing.assert_allclose(model.place(position).tip_m, expected, atol=1e-12)


@each_hand
@given(share=shares)
def test_jacobians_are_the_finite_differences(name: str, share: np.ndarray) -> None:
    model, step = MODELS[name], 1e-6
    position = between(model, share)
    pose = model.place(position)
    flat = (model.count * model.depth, 3)
    select = model.select.reshape(model.count, model.depth, -1)
    for k in range(len(position)):
        ahead, behind = position.copy(), position.copy()
        ahead[k] += step
        behind[k] -= step
        after, before = model.place(ahead), model.place(behind)
        for jacobian, change in (
            (pose.tip_jacobian, after.tip_m - before.tip_m),
            (pose.distal_jacobian, after.distal - before.distal),
        ):
            assert jacobian.reshape(flat).shape == flat
            analytic = np.einsum("dnx,dn->dx", jacobian, select[:, :, k])
            np.testing.assert_allclose(analytic, change / (2 * step), atol=1e-7)


@each_hand
@given(share=shares, goal=shares)
def test_the_gradient_is_the_slope_of_the_cost(name: str, share: np.ndarray, goal: np.ndarray) -> None:
    model, step = MODELS[name], 1e-6
    solver, target = HandSolver(model), target_of(model, between(model, goal), pair_weight=0.7)
    position = between(model, share)
    _, gradient, _ = solver.linearise(target, position)
    for k in range(len(position)):
        ahead, behind = position.copy(), position.copy()
        ahead[k] += step
        behind[k] -= step
        slope = (solver.linearise(target, ahead)[2] - solver.linearise(target, behind)[2]) / (2 * step)
        assert gradient[k] == pytest.approx(slope, abs=1e-4, rel=1e-4)


@each_hand
@given(share=shares, goal=shares, pair_weight=st.floats(0.0, 2.0))
def test_a_solution_is_inside_the_limits_and_no_worse(
    name: str, share: np.ndarray, goal: np.ndarray, pair_weight: float
) -> None:
    model = MODELS[name]
    settings_ = SolverSettings(stay=0.0)
    solver, target, start = HandSolver(model, settings_), target_of(model, between(model, goal)), between(model, share)

    def cost(position: np.ndarray) -> float:
        away = position - target.posture_rad
        return solver.linearise(target, position)[2] + 0.5 * float(target.posture_weight @ (away * away))

    found = solver.solve(target, start)
    assert (found >= model.lower_rad).all()
    assert (found <= model.upper_rad).all()
    assert solver.evaluations <= settings_.iterations + 2
    assert cost(found) <= cost(start) + 1e-12


@each_hand
@settings(max_examples=30)
@given(share=shares, turn=arrays(np.float64, 20, elements=st.floats(-0.1, 0.1)))
def test_a_shape_that_the_hand_can_take_is_found(name: str, share: np.ndarray, turn: np.ndarray) -> None:
    model = MODELS[name]
    goal = between(model, share)
    target, position = target_of(model, goal), goal + turn[: len(goal)]
    position = np.clip(position, model.lower_rad, model.upper_rad)
    solver = HandSolver(model, time_cap())
    for _ in range(20):
        position = solver.solve(target, position)
    pose = model.place(position)
    reached = pose.tip_m / np.linalg.norm(pose.tip_m, axis=1, keepdims=True)
    assert np.degrees(np.arccos(np.clip((reached * target.tip).sum(1), -1, 1))).max() < 0.5
    assert np.degrees(np.arccos(np.clip((pose.distal * target.distal).sum(1), -1, 1))).max() < 1.0


def time_cap() -> SolverSettings:
    """No cap: laws hold on a slow machine too."""
    return SolverSettings(time_ns=10**12)


def test_a_call_ends_when_its_time_is_over() -> None:
    model = MODELS["hx5_d20_right"]
    ticks = iter(range(0, 10**12, 10**9))  # every look at the clock is a second later
    solver = HandSolver(model, SolverSettings(iterations=50), clock_ns=lambda: next(ticks))
    solver.solve(target_of(model, model.upper_rad), model.lower_rad)
    assert solver.evaluations == 3  # where it was, what the operator shows, and one step


def test_a_target_that_is_not_finite_leaves_the_hand_where_it_is() -> None:
    model = MODELS["hx5_d20_right"]
    middle = between(model, np.full(20, 0.5))
    target = target_of(model, middle)
    target.tip[1] = np.nan
    np.testing.assert_array_equal(HandSolver(model).solve(target, middle), middle)


def test_knuckles_and_spread_joints_are_found_in_the_urdf() -> None:
    hx5, small = MODELS["hx5_d20_right"], MODELS["xl330_hand"]
    assert hx5.knuckle.tolist() == [2, 1, 1, 1, 1]
    assert hx5.bones.tolist() == [2, 3, 3, 3, 3]
    assert hx5.spread.tolist() == [-1, 4, 8, 12, 16]
    np.testing.assert_allclose(hx5.length_m[1], 0.0355 + 0.0355 + 0.02425)
    assert small.bones.tolist() == [2, 2, 2, 2, 2]
    assert small.spread.tolist() == [-1] * 5


def test_a_hand_that_is_none_is_refused_with_every_reason() -> None:
    robot = load_robot("hx5_d20_right")
    tree, limits = load_kinematics(robot), np.zeros(20)
    with pytest.raises(ValueError, match=r"index has no joint between palm and tip"):
        HandModel(tree, "finger_r_link4", {"index": "finger_end_r_link2"}, robot.joint_names, limits, limits)
    with pytest.raises(ValueError, match="a hand needs a digit"):
        HandModel(tree, "hx5_d20_right_base", {}, robot.joint_names, limits, limits)
