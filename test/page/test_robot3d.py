# SPDX-License-Identifier: Apache-2.0
"""The robot in 3D: its parts are where the kinematics say, it is drawn only when it moved and somebody looks."""

import numpy as np
import pytest

from booth.page import robot3d_layers
from booth.page.robot3d import MOVED_RAD, PERIOD_NS, Robot3D, available
from booth.page.robot3d_parts import SERVO_M, parts_of
from booth.page.robot3d_pose import LinkPoses, quaternions
from booth.page.robot3d_scene import FIELD_OF_VIEW_RAD, RobotScene, linear
from booth.page.robot3d_shapes import Mesh, box, drum
from robots import Robot, load_robot, robot_names
from robots.frames import Array, turned
from robots.load_kinematics import load_kinematics
from robots.schema import Joint


def anywhere(robot: Robot, poses: int) -> Array:
    """(poses, n) joint positions within the limits, the same every time."""
    low, high = np.array([(joint.min_rad, joint.max_rad) for joint in robot.joints]).T
    return np.random.default_rng(7).uniform(low, high, (poses, len(low)))


@pytest.mark.parametrize("name", robot_names())
def test_poses_of_all_links_are_those_of_the_kinematics(name: str) -> None:
    robot = load_robot(name)
    tree = load_kinematics(robot)
    links = LinkPoses(robot, tree)
    positions = anywhere(robot, 3)
    for position, poses in zip(positions, links(positions), strict=True):
        expected = tree.forward(dict(zip(robot.joint_names, position.tolist(), strict=True)))
        assert set(links.links) == set(expected)
        for link, pose in zip(links.links, poses, strict=True):
            np.testing.assert_allclose(pose, expected[link], atol=1e-12)


@pytest.mark.parametrize("angle_rad", [0.0, 0.3, np.pi / 2, np.pi - 1e-9, np.pi])
def test_quaternions_turn_points_as_their_matrices_do(angle_rad: float) -> None:
    axes = np.concatenate([np.eye(3), -np.eye(3), [[0.6, 0.0, 0.8], [-0.6, 0.64, -0.48]]])
    rotations = np.array([turned(axis, angle_rad)[:3, :3] for axis in axes])
    for rotation, (w, *vector) in zip(rotations, quaternions(rotations), strict=True):
        point = np.array([0.3, -0.5, 0.7])
        turned_point = point + 2 * np.cross(vector, np.cross(vector, point) + w * point)
        np.testing.assert_allclose(turned_point, rotation @ point, atol=1e-7)


@pytest.mark.parametrize("name", robot_names())
def test_parts_are_placed_on_their_links_mirrored(name: str) -> None:
    robot = load_robot(name)
    tree = load_kinematics(robot)
    scene = RobotScene(robot, tree)
    position = anywhere(robot, 1)
    boxes, drums = scene.place(position)
    links = tree.forward(dict(zip(robot.joint_names, position[0].tolist(), strict=True)))
    parts = parts_of(robot, tree)
    for shape, placed in (("box", boxes), ("drum", drums)):
        poses = [links[part.link] @ part.pose for part in parts if part.shape == shape]
        mirror = np.diag([1.0, -1.0, 1.0])
        np.testing.assert_allclose(placed.centres_m[0], [mirror @ pose[:3, 3] for pose in poses], atol=1e-12)
        mirrored = quaternions(np.array([mirror @ pose[:3, :3] @ mirror for pose in poses]))
        same = np.abs(np.sum(mirrored * placed.turns[0], axis=1))  # q and -q are one rotation
        np.testing.assert_allclose(same, 1.0, atol=1e-9)


@pytest.mark.parametrize("name", robot_names())
def test_every_moving_joint_has_a_motor_and_every_finger_a_tip(name: str) -> None:
    robot = load_robot(name)
    tree = load_kinematics(robot)
    parts = parts_of(robot, tree)
    motors = [part.link for part in parts if part.shape == "drum"]
    assert sorted(motors) == sorted(joint.child for joint in tree.joints if joint.kind == "revolute")
    drawn = {part.link for part in parts}
    last = {tree.chain(tip)[-1].parent for hand in robot.imitation.hands for tip in hand.tips.values()}
    assert last <= drawn
    assert all(0.004 < size < 1.7 for part in parts for size in part.size_m)


def test_every_servo_model_has_a_width() -> None:
    assert set(SERVO_M) == set(Joint.model_fields["model"].annotation.__args__)


@pytest.mark.parametrize("mesh", [box(), drum()])
def test_bodies_are_closed_and_have_size_one_and_their_faces_look_outwards(mesh: Mesh) -> None:
    np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0), 1.0, atol=0.02)
    edges = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]])
    assert {tuple(edge) for edge in edges.tolist()} == {(b, a) for a, b in edges.tolist()}
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    assert (np.sum(np.cross(b - a, c - a) * (a + b + c), axis=1) > 0).all()


@pytest.mark.parametrize("name", robot_names())
def test_camera_has_all_that_moves_in_view_from_the_front(name: str) -> None:
    robot = load_robot(name)
    tree = load_kinematics(robot)
    scene = RobotScene(robot, tree)
    eye, target, _ = scene.framing()
    ahead = (target - eye) / np.linalg.norm(target - eye)
    assert ahead[0] < -0.9
    centres = scene.place(np.array([robot.ready_rad]))[1].centres_m[0]
    right = np.cross(ahead, [0.0, 0.0, 1.0])
    up = np.cross(right, ahead)
    away = (centres - eye) @ ahead
    assert (
        np.abs((centres - eye) @ np.stack([right, up], axis=-1)) / away[:, None] < np.tan(FIELD_OF_VIEW_RAD / 2)
    ).all()


def test_a_robot_on_legs_or_wheels_stands_on_the_floor_and_a_hand_does_not() -> None:
    floors = {
        name: RobotScene(load_robot(name), load_kinematics(load_robot(name))).framing().floor_m
        for name in ("ffw_sh5", "op3", "hx5_d20_left")
    }
    assert floors["hx5_d20_left"] is None
    assert floors["ffw_sh5"] == pytest.approx(0.0, abs=0.03)
    assert floors["op3"] == pytest.approx(-0.285, abs=0.03)


def test_colours_become_amounts_of_light() -> None:
    assert linear(np.array([0, 255, 128])).tolist() == [0, 255, 55]


class FakeLayers:
    """Instead of viser: remembers what it was asked to draw."""

    def __init__(self, scene: RobotScene, ready_rad: Array) -> None:
        self.port = 1234
        self.watched = True
        self.drawn: list[tuple[list[Array | None], list[bool]]] = []
        self.closed = 0

    def draw(self, poses_rad: list[Array | None], changed: list[bool]) -> None:
        self.drawn.append((poses_rad, changed))

    def close(self) -> None:
        self.closed += 1


class View:
    """A Robot3D with its clock and what it draws."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(robot3d_layers, "Layers", FakeLayers)
        self.now_ns = 0
        self.robot = load_robot("ffw_sh5")
        self.ready = np.array(self.robot.ready_rad)
        self.robot3d = Robot3D(self.robot, lambda: self.now_ns)
        layers = self.robot3d._layers
        assert isinstance(layers, FakeLayers)
        self.layers = layers

    def show(self, *poses: Array | None) -> list[bool] | None:
        """Which layers were drawn again for these poses, a period later; None: nothing was."""
        self.now_ns += PERIOD_NS
        before = len(self.layers.drawn)
        self.robot3d.show(*poses)
        return self.layers.drawn[-1][1] if len(self.layers.drawn) > before else None


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> View:
    return View(monkeypatch)


def test_only_what_moved_enough_to_be_seen_is_drawn(view: View) -> None:
    lift = view.robot.joint_names.index("lift_joint")
    little, lifted = view.ready + 0.9 * MOVED_RAD, view.ready.copy()
    little[lift] = view.ready[lift]
    lifted[lift] -= 0.0011
    assert view.show(view.ready, None) is None
    assert view.show(little, None) is None
    assert view.show(lifted, None) == [True, False, False]
    assert view.show(view.ready + 1.1 * MOVED_RAD, None) == [True, False, False]


def test_small_steps_add_up_until_they_are_drawn(view: View) -> None:
    finger = np.eye(len(view.ready))[view.robot.joint_names.index("finger_r_joint6")]
    poses = [view.ready + step * 0.4 * MOVED_RAD * finger for step in range(1, 7)]
    assert [view.show(pose, None) is not None for pose in poses] == [False, False, True, False, False, True]


def test_goal_and_training_come_and_go(view: View) -> None:
    assert view.show(view.ready, view.ready) == [False, True, False]
    assert view.show(view.ready, view.ready, view.ready) == [False, False, True]
    assert view.show(view.ready, None, None) == [False, True, True]
    assert [pose is None for pose in view.layers.drawn[-1][0]] == [False, True, True]


def test_measured_robot_stays_where_it_was_when_nothing_is_measured(view: View) -> None:
    view.show(view.ready + 0.1, None)
    assert view.show(None, view.ready) == [False, True, False]


def test_joint_that_tells_nothing_stays_where_it_was(view: View) -> None:
    view.show(view.ready + 0.1, None)
    silent = view.ready + 0.2
    silent[5] = np.nan
    view.show(silent, None)
    pose = view.layers.drawn[-1][0][0]
    assert pose is not None
    assert pose[5] == view.ready[5] + 0.1
    assert np.isfinite(pose).all()


def test_joint_without_a_goal_has_none_that_differs_from_where_it_is(view: View) -> None:
    measured = view.ready + 0.1
    goal = np.full(len(measured), np.nan)
    goal[3] = 0.5
    view.show(measured, goal)
    _, asked, _ = view.layers.drawn[-1][0]
    assert asked is not None
    assert asked[3] == 0.5
    np.testing.assert_array_equal(np.delete(asked, 3), np.delete(measured, 3))


def test_no_more_than_ten_pictures_a_second(view: View) -> None:
    for step in range(1, 101):
        view.now_ns = step * 10_000_000
        assert view.robot3d.due == (step % 10 == 1)
        view.robot3d.show(view.ready + 0.01 * step, None)
    assert len(view.layers.drawn) == 10


def test_nothing_is_drawn_while_nobody_looks(view: View) -> None:
    view.layers.watched = False
    assert not view.robot3d.due
    assert view.show(view.ready + 0.1, None) is None
    view.layers.watched = True
    assert view.show(view.ready + 0.1, None) == [True, False, False]


def test_pose_of_another_robot_is_refused(view: View) -> None:
    with pytest.raises(ValueError, match="57 joints"):
        view.show(np.zeros(20), None)


def test_closed_view_draws_nothing_and_closes_once(view: View) -> None:
    view.robot3d.close()
    view.robot3d.close()
    assert view.show(view.ready + 0.1, None) is None
    assert (view.layers.closed, view.robot3d.due) == (1, False)


def test_only_a_robot_with_geometry_can_be_shown() -> None:
    robot = load_robot("op3")
    assert available(robot)
    assert not available(robot.model_copy(update={"urdf": None}))
