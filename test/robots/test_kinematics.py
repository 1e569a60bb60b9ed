# SPDX-License-Identifier: Apache-2.0
"""Laws of forward kinematics, and that every robot's URDF is its robot file's geometry."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robots import load_robot, robot_names
from robots.kinematics import KinematicTree
from robots.load_kinematics import load_kinematics
from robots.urdf import UrdfError

TREES = {name: load_kinematics(load_robot(name)) for name in robot_names()}
ROBOTS = {name: load_robot(name) for name in robot_names()}
MIRROR = np.diag([1.0, -1.0, 1.0, 1.0])
names = st.sampled_from(robot_names())
seeds = st.integers(0, 2**32 - 1)


def anywhere(name, seed):
    """Positions inside the limits by joint name."""
    rng = np.random.default_rng(seed)
    return {joint.name: float(rng.uniform(joint.min_rad, joint.max_rad)) for joint in ROBOTS[name].joints}


def at(frame, link):
    return frame[link][:3, 3]


# ---- laws -------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(names, seeds)
def test_every_pose_is_a_rotation_and_a_place(name, seed):
    for pose in TREES[name].forward(anywhere(name, seed)).values():
        rotation = pose[:3, :3]
        assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-9)
        assert np.linalg.det(rotation) == pytest.approx(1.0)
        assert pose[3] == pytest.approx([0, 0, 0, 1])


@settings(max_examples=50)
@given(names, seeds)
def test_links_keep_their_lengths_in_every_pose(name, seed):
    """Only a prismatic joint changes the distance between its links."""
    tree = TREES[name]
    frame = tree.forward(anywhere(name, seed))
    for joint in tree.joints:
        if joint.kind != "prismatic":
            length = np.linalg.norm(joint.origin[:3, 3])
            assert np.linalg.norm(at(frame, joint.child) - at(frame, joint.parent)) == pytest.approx(length, abs=1e-9)


@settings(max_examples=50)
@given(names, seeds, st.floats(-0.3, 0.3))
def test_a_joint_moves_what_hangs_on_it_and_nothing_else(name, seed, by):
    tree, before = TREES[name], anywhere(name, seed)
    moved = tree.joint_names[seed % len(tree.joint_names)]
    frames = tree.forward(before), tree.forward(before | {moved: before[moved] + by})
    for link in tree.links:
        on_it = any(joint.name == moved or (joint.mimic and joint.mimic.joint == moved) for joint in tree.chain(link))
        if not on_it:
            assert frames[0][link] == pytest.approx(frames[1][link], abs=1e-12)


@settings(max_examples=50)
@given(names, seeds)
def test_the_chain_of_a_link_multiplies_to_its_pose(name, seed):
    tree, positions = TREES[name], anywhere(name, seed)
    link = tree.links[seed % len(tree.links)]
    pose = np.eye(4)
    for joint in tree.chain(link):
        position = positions.get(joint.name, 0.0)
        if joint.mimic:
            position = joint.mimic.multiplier * positions[joint.mimic.joint] + joint.mimic.offset
        pose = pose @ joint.parent_from_child(position)
    assert tree.forward(positions)[link] == pytest.approx(pose, abs=1e-12)


@settings(max_examples=40)
@given(st.sampled_from(["ffw_bg2", "ffw_sg2", "ffw_sh5", "op3"]), seeds)
def test_mirrored_positions_give_the_mirror_image(name, seed):
    """Hands, arms, legs: the left side for mirrored positions is the right side mirrored in the x-z plane."""
    tree = TREES[name]
    positions = {joint: angle for joint, angle in anywhere(name, seed).items() if side_of(joint) == "r"}
    mirrored = {twin_of(joint): turns_alike(tree, joint) * angle for joint, angle in positions.items()}
    frame = tree.forward(positions | mirrored)
    compared = 0
    for link in tree.links:
        if side_of(link) == "r" and "rh_p12" not in link and "camera" not in link:
            assert at(frame, twin_of(link)) == pytest.approx(MIRROR[:3, :3] @ at(frame, link), abs=1e-6), link
            compared += 1
    assert compared >= 7


@settings(max_examples=40)
@given(seeds)
def test_the_left_hand_alone_is_the_right_hand_mirrored(seed):
    right, left = TREES["hx5_d20_right"], TREES["hx5_d20_left"]
    positions = anywhere("hx5_d20_right", seed)
    mirrored = {
        twin_of(joint): mirror_sign(right.joint(joint), left.joint(twin_of(joint))) * q
        for joint, q in positions.items()
    }
    frames = right.forward(positions), left.forward(mirrored)
    for link in right.links[1:]:
        assert at(frames[1], twin_of(link)) == pytest.approx(MIRROR[:3, :3] @ at(frames[0], link), abs=1e-9)


@pytest.mark.parametrize("name", ["ffw_bg2", "ffw_sg2", "ffw_sh5", "op3"])
def test_limits_of_the_left_side_are_the_mirrored_limits_of_the_right(name):
    tree = TREES[name]
    for right in tree.joint_names:
        if side_of(right) == "r":
            sign, ours, theirs = turns_alike(tree, right), tree.joint(right), tree.joint(twin_of(right))
            expected = sorted((sign * ours.lower, sign * ours.upper))
            assert (theirs.lower, theirs.upper) == pytest.approx(tuple(expected))


def side_of(name):
    """Which side a joint or link of any of the robots belongs to: r, l or neither."""
    words = name.split("_")
    return next((word[0] for word in words if word in {"r", "l", "right", "left"}), "")


def twin_of(name):
    return "_".join({"r": "l", "right": "left"}.get(word, word) for word in name.split("_"))


def mirror_sign(right, left):
    """+1 when equal positions are mirror images, -1 when opposite ones are: an axis mirrors as a pseudovector."""
    return round(float(np.array([-1.0, 1.0, -1.0]) * right.axis @ left.axis))


def turns_alike(tree, joint):
    return mirror_sign(tree.joint(joint), tree.joint(twin_of(joint))) if not joint.startswith("gripper") else 1


# ---- numbers ----------------------------------------------------------------------------------------------


def test_home_pose_of_the_body_is_the_sum_of_its_links():
    """Arms hang straight down: lengths of the table add up."""
    frame = TREES["ffw_sg2"].forward({})
    shoulder = np.array([-0.0199, -0.1045 - 0.123, 1.4316])
    down = 0.165 + 0.135 + 0.1489 + 0.1041 + 0.0885
    assert at(frame, "arm_r_link7") == pytest.approx(shoulder - [0, 0, down], abs=1e-9)
    assert at(frame, "end_effector_r_link") == pytest.approx(shoulder - [0, 0, down + 0.215], abs=1e-9)


def test_arm_is_as_long_as_robotis_says():
    """641 mm to the wrist, from the first shoulder link."""
    frame = TREES["ffw_bg2"].forward({})
    assert np.linalg.norm(at(frame, "arm_r_link7") - at(frame, "arm_r_link2")) == pytest.approx(0.641, abs=0.001)


def test_lift_carries_the_whole_upper_body_down_in_metres():
    tree = TREES["ffw_sh5"]
    up, down = tree.forward({}), tree.forward({"lift_joint": -0.5})
    for link in tree.links[1:]:
        assert at(up, link) - at(down, link) == pytest.approx([0, 0, 0.5])


def test_straight_fingers_have_the_lengths_of_their_links():
    frame = TREES["hx5_d20_right"].forward({})
    assert at(frame, "finger_end_r_link2") == pytest.approx([0.015, 0.03608, 0.10275 + 0.0235 + 2 * 0.0355 + 0.02425])
    assert at(frame, "finger_end_r_link1") == pytest.approx([0.0265, 0.03493 + 0.028 + 0.0355 + 0.03975, 0.04475])


def test_a_fist_brings_the_fingertips_to_the_palm():
    for name in ("hx5_d20_right", "hx5_d20_left", "xl330_hand"):
        tree = TREES[name]
        side = "l" if name.endswith("left") else "r"
        bent = {joint.name: joint.max_rad for joint in ROBOTS[name].joints if "flexion" in joint.label}
        flat, fist = (
            tree.forward({}),
            tree.forward({joint: bent[joint] for joint in bent if "thumb" not in label(name, joint)}),
        )
        for digit in (2, 3, 4, 5):
            tip = f"finger_end_{side}_link{digit}"
            assert at(fist, tip)[2] < at(flat, tip)[2] - 0.05
            assert at(fist, tip)[0] > -0.02


def label(name, joint):
    return next(one.label for one in ROBOTS[name].joints if one.name == joint)


@pytest.mark.parametrize(("digit", "within_m"), [(2, 0.008), (3, 0.008), (4, 0.008), (5, 0.02)])
def test_thumb_of_the_classroom_hand_meets_the_fingertips(digit, within_m):
    tree, steps = TREES["xl330_hand"], np.linspace(0.0, 1.0, 12)
    thumb = [
        at(
            tree.forward({"finger_r_joint1": 2.2 * a, "finger_r_joint2": 1.57 * b, "finger_r_joint3": 1.57 * c}),
            "finger_end_r_link1",
        )
        for a in steps
        for b in steps
        for c in steps
    ]
    first = 2 * digit
    tips = [
        at(
            tree.forward({f"finger_r_joint{first}": 1.57 * a, f"finger_r_joint{first + 1}": 1.57 * b}),
            f"finger_end_r_link{digit}",
        )
        for a in steps
        for b in steps
    ]
    assert np.linalg.norm(np.array(thumb)[:, None] - np.array(tips)[None], axis=2).min() < within_m


def test_gripper_closes_when_its_one_joint_turns():
    tree, gaps = TREES["ffw_sg2"], []
    for opening in (0.0, 0.5, 1.1):
        frame = tree.forward({"gripper_r_joint1": opening})
        gaps.append(np.linalg.norm(at(frame, "gripper_r_rh_p12_rn_r2") - at(frame, "gripper_r_rh_p12_rn_l2")))
    assert gaps[0] == pytest.approx(2 * (0.008 + 0.0493634))
    assert gaps[0] > gaps[1] > gaps[2] and gaps[2] < 0.02


def test_gripper_fingers_stay_parallel():
    tree = TREES["ffw_bg2"]
    for opening in (0.0, 0.4, 1.1):
        frame = tree.forward({"gripper_l_joint1": opening})
        assert frame["gripper_l_rh_p12_rn_r2"][:3, :3] == pytest.approx(frame["gripper_l_rh_p12_rn_base"][:3, :3])


@pytest.mark.parametrize("name", ["ffw_bg2", "ffw_sg2", "ffw_sh5"])
def test_ready_holds_the_hands_apart_in_front_of_the_chest(name):
    robot, tree = ROBOTS[name], TREES[name]
    frame = tree.forward(dict(zip(robot.joint_names, robot.ready_rad, strict=True)))
    right = [at(frame, link) for link in tree.tips if side_of(link) == "r"]
    left = [at(frame, link) for link in tree.tips if side_of(link) == "l"]
    assert min(np.linalg.norm(a - b) for a in right for b in left) > 0.1
    for place in right + left:
        assert place[0] > 0.15 and 1.0 < place[2] < 1.35


def test_palms_of_the_body_look_at_each_other_at_home():
    frame = TREES["ffw_sh5"].forward({})
    assert frame["hx5_d20_right_base"][:3, 0] == pytest.approx([0, 1, 0], abs=1e-6)
    assert frame["hx5_d20_left_base"][:3, 0] == pytest.approx([0, -1, 0], abs=1e-6)


# ---- robot file and URDF ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", robot_names())
def test_urdf_and_robot_file_have_the_same_joints_and_limits(name):
    tree, robot = TREES[name], ROBOTS[name]
    assert set(tree.joint_names) == set(robot.joint_names)
    for joint in robot.joints:
        found = tree.joint(joint.name)
        assert (found.lower, found.upper) == (joint.min_rad, joint.max_rad), joint.name
        assert found.kind == ("prismatic" if joint.prismatic else "revolute")


@pytest.mark.parametrize("name", robot_names())
def test_parents_come_before_their_children(name):
    tree = TREES[name]
    assert len(tree.links) == len(tree.joints) + 1
    for index, joint in enumerate(tree.joints):
        assert tree.parents[index] <= index
        assert tree.links[tree.parents[index]] == joint.parent and tree.links[index + 1] == joint.child


@pytest.mark.parametrize("name", robot_names())
def test_arrays_of_a_tree_are_read_only_and_in_its_order(name):
    tree = TREES[name]
    assert tree.origins.shape == (len(tree.joints), 4, 4) and tree.axes.shape == (len(tree.joints), 3)
    assert np.linalg.norm(tree.axes, axis=1) == pytest.approx(1.0)
    for array in (tree.origins, tree.axes, tree.parents, tree.joints[0].origin, tree.joints[0].axis):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize("name", ["hx5_d20_right", "hx5_d20_left", "ffw_sh5"])
def test_every_finger_ends_in_a_tip(name):
    tips = [link for link in TREES[name].tips if link.startswith("finger_end")]
    assert len(tips) == (10 if name == "ffw_sh5" else 5)
    for tip in tips:
        chain = TREES[name].chain(tip)
        assert [joint.name.split("_")[0] for joint in chain[-5:]] == ["finger"] * 5
        assert all(above.child == below.parent for above, below in pairwise(chain))


def test_unknown_names_are_answered_with_the_known_ones():
    tree = TREES["hx5_d20_right"]
    with pytest.raises(ValueError, match=r"no moving joint elbow: expected finger_r_joint1, "):
        tree.forward({"elbow": 1.0})
    with pytest.raises(ValueError, match="no moving joint finger_end_r_joint1"):
        tree.forward({"finger_end_r_joint1": 0.0})
    with pytest.raises(ValueError, match=r"no link 'palm': expected one of hx5_d20_right_base"):
        tree.chain("palm")
    with pytest.raises(ValueError, match=r"no joint 'elbow'"):
        tree.joint("elbow")


def test_a_joint_that_is_driven_by_another_takes_no_position():
    with pytest.raises(ValueError, match="no moving joint gripper_r_joint2"):
        TREES["ffw_sg2"].forward({"gripper_r_joint2": 0.5})


def test_a_robot_without_a_urdf_says_what_to_add():
    with pytest.raises(UrdfError, match=r"op3 has no geometry: add urdf: FILE\.urdf"):
        load_kinematics(ROBOTS["op3"].model_copy(update={"urdf": None}))


def test_a_urdf_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UrdfError, match=r"the URDF of op3 can't be read.*nowhere\.urdf"):
        load_kinematics(ROBOTS["op3"].model_copy(update={"urdf": str(tmp_path / "nowhere.urdf")}))


def test_a_urdf_of_another_robot_is_refused_with_every_difference():
    with pytest.raises(UrdfError) as refusal:
        load_kinematics(ROBOTS["hx5_d20_left"].model_copy(update={"urdf": "hx5_d20_right.urdf"}))
    assert "finger_l_joint20 is in the robot file only" in str(refusal.value)
    assert "finger_r_joint1 moves in the URDF, but is not in the robot file" in str(refusal.value)


def test_a_joint_that_slides_in_one_file_only_is_refused(tmp_path):
    text = (Path(__file__).parents[2] / "robots" / "op3.urdf").read_text()
    path = tmp_path / "op3.urdf"
    path.write_text(text.replace('name="r_el" type="revolute"', 'name="r_el" type="prismatic"'))
    with pytest.raises(UrdfError, match="r_el is prismatic in the URDF, prismatic: False in the robot file"):
        load_kinematics(ROBOTS["op3"].model_copy(update={"urdf": str(path)}))


def test_what_copies_the_operator_must_be_in_the_urdf():
    hand = ROBOTS["hx5_d20_left"]
    copy = hand.imitation.hands[0].model_copy(update={"tips": {"thumb": "nail"}})
    wrong = hand.imitation.model_copy(update={"hands": (copy,), "lift": "elevator"})
    with pytest.raises(UrdfError) as refusal:
        load_kinematics(hand.model_copy(update={"imitation": wrong}))
    assert "imitation: nail is no link of the URDF" in str(refusal.value)
    assert "imitation: elevator is no moving joint" in str(refusal.value)


def test_no_joint_is_no_tree():
    with pytest.raises(ValueError, match="there is no joint"):
        KinematicTree([])
