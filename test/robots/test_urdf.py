# SPDX-License-Identifier: Apache-2.0
"""Whatever a URDF holds, the answer is its joints or one error that lists what is wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robots.kinematics import KinematicTree
from robots.urdf import MAX_URDF_BYTES, UrdfError, parse_urdf

ARM = """\
<robot name="arm">
  <link name="base"/><link name="upper"/><link name="fore"/><link name="hand"/>
  <joint name="shoulder" type="revolute"><parent link="base"/><child link="upper"/>
    <origin xyz="0 0 1" rpy="0 0 1.5707963"/><axis xyz="0 0 2"/><limit lower="-1" upper="1"/></joint>
  <joint name="elbow" type="revolute"><parent link="upper"/><child link="fore"/>
    <origin xyz="0.3 0 0"/><limit lower="-1" upper="1"/><mimic joint="shoulder" multiplier="-2" offset="0.1"/></joint>
  <joint name="hand" type="fixed"><parent link="fore"/><child link="hand"/><origin xyz="0.2 0 0"/></joint>
</robot>
"""


def tree(text):
    return KinematicTree(parse_urdf(text, "arm.urdf"))


def changed(old, new):
    assert old in ARM
    return ARM.replace(old, new, 1)


def test_joints_are_read_with_defaults_of_the_specification():
    shoulder, elbow, hand = parse_urdf(ARM, "arm.urdf")
    assert shoulder.axis == pytest.approx([0, 0, 1])
    assert elbow.axis == pytest.approx([1, 0, 0])
    assert (elbow.mimic.joint, elbow.mimic.multiplier, elbow.mimic.offset) == ("shoulder", -2.0, 0.1)
    assert (shoulder.lower, shoulder.upper, hand.kind) == (-1.0, 1.0, "fixed")
    assert hand.origin[:3, :3] == pytest.approx(np.eye(3))


def test_angles_of_an_origin_are_about_fixed_axes_roll_first():
    frame = tree(changed("0 0 1.5707963", "1.5707963 0 1.5707963")).forward({})
    assert frame["upper"][:3, :3] == pytest.approx(np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]]), abs=1e-6)


def test_a_driven_joint_follows_with_multiplier_and_offset():
    at_zero, turned = tree(ARM).forward({}), tree(ARM).forward({"shoulder": 0.5})
    angle = np.arctan2(*(at_zero["upper"].T @ at_zero["fore"])[[2, 1], 1])
    assert angle == pytest.approx(0.1)
    assert np.arctan2(*(turned["upper"].T @ turned["fore"])[[2, 1], 1]) == pytest.approx(-0.9)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('type="revolute"', 'type="ball"', "joint shoulder: type 'ball': expected one of fixed, revolute"),
        ('<axis xyz="0 0 2"/>', '<axis xyz="0 0 0"/>', "joint shoulder: its axis has no direction"),
        ('<axis xyz="0 0 2"/>', '<axis xyz="0 2"/>', "three finite numbers"),
        ('<axis xyz="0 0 2"/>', '<axis xyz="0 0 nan"/>', "three finite numbers"),
        ('<axis xyz="0 0 2"/>', '<axis xyz="0 0 up"/>', "joint shoulder: could not convert"),
        ('<limit lower="-1" upper="1"/>', "", "joint shoulder: needs <limit"),
        ('lower="-1" upper="1"', 'lower="1" upper="-1"', "joint shoulder: limits are the wrong way round"),
        ('lower="-1"', 'lower="-inf"', "lower must be a finite number"),
        ('<parent link="base"/>', "", "joint shoulder: no link"),
        ('<child link="upper"/>', "<child/>", "joint shoulder: no link in <child>"),
        ('name="shoulder" ', "", "joint 0: no name in <joint>"),
        ('<robot name="arm">', '<!DOCTYPE robot [<!ENTITY a "b">]><robot name="arm">', "entities are not allowed"),
        ("</robot>", "", "not valid XML"),
    ],
)
def test_a_mistake_is_named(old, new, words):
    with pytest.raises(UrdfError) as refusal:
        parse_urdf(changed(old, new), "arm.urdf")
    assert str(refusal.value).startswith("arm.urdf") and words in str(refusal.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('<child link="fore"/>', '<child link="upper"/>', "child link upper occurs 2 times"),
        ('joint name="elbow"', 'joint name="hand"', "joint hand occurs 2 times"),
        ('<parent link="fore"/>', '<parent link="other"/>', "expected one root link, found base, other"),
        ('<parent link="base"/>', '<parent link="hand"/>', "expected one root link, found a loop"),
        ('mimic joint="shoulder"', 'mimic joint="wrist"', "elbow mimics wrist, which is no joint that moves by itself"),
        ('mimic joint="shoulder"', 'mimic joint="elbow"', "elbow mimics elbow"),
    ],
)
def test_joints_that_are_no_tree_are_refused(old, new, words):
    with pytest.raises(ValueError, match=words):
        tree(changed(old, new))


def test_a_loop_beside_the_tree_is_found():
    loop = '<joint name="a" type="fixed"><parent link="p"/><child link="q"/></joint>'
    loop += '<joint name="b" type="fixed"><parent link="q"/><child link="p"/></joint>'
    with pytest.raises(ValueError, match="link p is in a loop; link q is in a loop"):
        tree(ARM.replace("</robot>", loop + "</robot>"))


def test_all_mistakes_are_listed_at_once():
    with pytest.raises(UrdfError, match="2 problem"):
        parse_urdf(changed('type="revolute"', 'type="ball"').replace('type="fixed"', 'type="glued"'), "arm.urdf")


@pytest.mark.parametrize("text", ["", "robot", "<robot>" * 3000, "<arm/>", "\x00", "<robot/>" * 2])
def test_text_that_is_no_urdf_is_refused(text):
    with pytest.raises(UrdfError, match=r"^arm\.urdf"):
        parse_urdf(text, "arm.urdf")


def test_a_urdf_that_is_too_long_is_refused():
    with pytest.raises(UrdfError, match="at most"):
        parse_urdf(ARM + " " * MAX_URDF_BYTES, "arm.urdf")


edits = st.lists(st.tuples(st.integers(0, len(ARM)), st.integers(0, 8), st.text(max_size=4)), min_size=1, max_size=4)


@settings(max_examples=300)
@given(edits)
def test_a_damaged_urdf_is_joints_or_an_error_in_words(changes):
    text = ARM
    for place, length, snippet in changes:
        text = text[:place] + snippet + text[place + length :]
    try:
        parse_urdf(text, "arm.urdf")
    except UrdfError as error:
        assert str(error).startswith("arm.urdf")
