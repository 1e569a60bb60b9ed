# SPDX-License-Identifier: Apache-2.0
"""Whatever a robot file holds, the answer is a robot or one error that lists everything that is wrong."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.errors import EXIT_INPUT, InputError
from robots import Robot, RobotFileError, load_robot, robot_names
from robots.robot import MAX_FILE_BYTES, MAX_PROBLEMS, parse_robot

ARM = """\
name: arm
title: Two joints
sources: [a bench]
buses:
  - port: /dev/ttyUSB0
    baud: 57600
commands:
  - topic: /leader/arm/joint_trajectory
    joints: ["*"]
motion:
  velocity_rad_s: 3.0
  acceleration_rad_s2: 20.0
  jerk_rad_s3: 400.0
  engage_distance_rad: 0.35
joints:
  - {name: shoulder, id: 1, model: xm430_w350, min_rad: -1.5, max_rad: 1.5}
  - {name: elbow, id: 2, model: xm430_w350, min_rad: 0, max_rad: 2.0, home_rad: 1.0}
"""


def refusal(text):
    """The message with which a text is refused."""
    with pytest.raises(RobotFileError) as caught:
        parse_robot(text, "arm.yaml")
    assert isinstance(caught.value, InputError) and caught.value.exit_code == EXIT_INPUT
    message = str(caught.value)
    assert message.startswith("arm.yaml")
    return message


def changed(old, new):
    assert old in ARM
    return ARM.replace(old, new, 1)


def test_a_good_file_becomes_a_robot():
    arm = parse_robot(ARM, "arm.yaml")
    assert arm.joint_names == ("shoulder", "elbow")
    assert arm.rate_hz == 100
    assert (arm.joints[0].home_rad, arm.joints[1].home_rad) == (0.0, 1.0)


def test_a_robot_written_out_and_read_again_is_the_same():
    for name in robot_names():
        robot = load_robot(name)
        again = parse_robot(yaml.safe_dump(robot.model_dump(mode="json")), name)
        assert again == robot


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("id: 2", "id: 1", ["servo ID 1 is used 2 times"]),
        ("name: elbow", "name: shoulder", ["joint name shoulder is used 2 times"]),
        ("min_rad: -1.5", "min_rad: 1.5", ["joints.0", "shoulder", "min_rad 1.5 must be below max_rad 1.5"]),
        ("max_rad: 1.5", "max_rad: -2", ["joints.0", "min_rad -1.5 must be below max_rad -2"]),
        ("home_rad: 1.0", "home_rad: 2.5", ["joints.1", "elbow", "home_rad 2.5 lies outside"]),
        ("min_rad: -1.5", "min_rad: .nan", ["joints.0.min_rad", "finite"]),
        ("max_rad: 2.0", "max_rad: .inf", ["joints.1.max_rad", "finite"]),
        ("velocity_rad_s: 3.0", "velocity_rad_s: .nan", ["motion.velocity_rad_s"]),
        ("velocity_rad_s: 3.0", "velocity_rad_s: .inf", ["motion.velocity_rad_s", "finite"]),
        ("jerk_rad_s3: 400.0", "jerk_rad_s3: 0", ["motion.jerk_rad_s3", "greater than 0"]),
        ("jerk_rad_s3: 400.0", "jerk_rad_s3: -1", ["motion.jerk_rad_s3", "found -1"]),
        ("title: Two", "tittle: Two", ["tittle: unknown key", "title: Field required"]),
        ("model: xm430_w350", "modell: xm430_w350", ["joints.0.modell: unknown key", "joints.0.model"]),
        ("    baud: 57600\n", "", ["buses.0.baud: Field required [line 5]"]),
        ("baud: 57600", "baud: fast", ["buses.0.baud", "integer", "found 'fast'", "[line 6]"]),
        ("baud: 57600", "baud: 1200", ["buses.0.baud", "9600", "found 1200"]),
        ("baud: 57600", "bauds: 57600", ["buses.0.bauds: unknown key", "expected one of name, port, baud"]),
        ("  - port: /dev/ttyUSB0\n    baud: 57600", "  []", ["buses: a robot has at least one bus"]),
        ("    baud: 57600", "    baud: 57600\n  - {port: b, baud: 57600}", ["buses.1", "bus name bus is used 2 times"]),
        ("id: 2", "id: 253", ["joints.1.id", "252", "found 253"]),
        ("id: 2", "id: -1", ["joints.1.id", "found -1"]),
        ("id: 2", "id: 1.5", ["joints.1.id", "found 1.5"]),
        ("id: 2", "id: [2]", ["joints.1.id", "found [2]"]),
        ("name: arm", "name: My Arm", ["name", "found 'My Arm'", "[line 1]"]),
        ("topic: /leader", "topic: leader", ["commands.0.topic", "found 'leader/arm"]),
        ('["*"]', "[]", ["commands.0.joints", "no joint matches", "shoulder is on no command topic"]),
        ('["*"]', "[shoulder]", ["joints.1.name", "elbow is on no command topic"]),
        ('["*"]', '["*"]\n  - {topic: /b, joints: [el*]}', ["elbow is commanded on 2 topics"]),
        ('["*"]', '["*"]\n  - {topic: /b, joints: [knee]}', ["commands.1.joints", "/b: no joint matches knee"]),
        ('["*"]', "[shoulder]\n  - {topic: /leader/arm/joint_trajectory, joints: [elbow]}", ["is used 2 times"]),
        ("id: 2,", "id: 2, bus: left,", ["joints.1.bus", "elbow: no bus 'left'", "expected one of bus"]),
        ("id: 2,", "id: 2, controller: 110,", ["joints.1.controller", "no controller 110"]),
        ("id: 2,", "id: 2, ready_rad: -1,", ["joints.1.ready_rad", "ready_rad -1.0 lies outside"]),
        ("id: 2,", "id: 2, velocity_rad_s: 0,", ["joints.1.velocity_rad_s", "greater than 0"]),
        ("id: 2,", "id: 2, metres_per_rad: 0.8,", ["joints.1.metres_per_rad", "prismatic: true"]),
        ("id: 2,", "id: 2, prismatic: perhaps,", ["joints.1.prismatic", "found 'perhaps'"]),
        (
            "title: Two",
            "imitation: {hands: [{side: up, palm: p, tips: {}}]}\ntitle: Two",
            ["imitation.hands.0.side", "found 'up'"],
        ),
        (
            "title: Two",
            "imitation: {legs: []}\ntitle: Two",
            ["unknown key", "one of hands, grippers, arms, head, lift"],
        ),
    ],
)
def test_a_mistake_is_named_with_its_key_and_what_was_found(old, new, words):
    message = refusal(changed(old, new))
    for word in words:
        assert word in message


def test_a_robot_needs_a_joint():
    assert "at least one joint" in refusal(ARM[: ARM.index("\njoints:") + 1] + "joints: []\n")


CONTROLLER = "controllers:\n  - {id: 2, model: hx5_d20_right, goal_current_ma: 300}\n"


def test_a_hand_has_twenty_joints_within_one_turn_on_its_controllers_line():
    text = changed("id: 2,", "id: 3, controller: 2, bus: bus,").replace("max_rad: 2.0", "max_rad: 4.0")
    message = refusal(text.replace("commands:", f"{CONTROLLER}commands:"))
    assert "controller 2 has 20 joints behind it, here 1" in message
    assert "joints.1.max_rad: elbow: limits must lie within one turn" in message
    assert "joints.1.bus: elbow: its bus is its controller's" in message


def test_every_controller_has_an_id_of_its_own():
    double = CONTROLLER + CONTROLLER.splitlines()[1] + "\n"
    assert "controller ID 2 is used 2 times" in refusal(changed("commands:", f"{double}commands:"))


def test_a_hand_controller_has_a_known_model_and_a_strength():
    message = refusal(changed("commands:", "controllers: [{id: 9, model: hx6}]\ncommands:"))
    assert "controllers.0.model: Input should be 'hx5_d20_right' or 'hx5_d20_left' (found 'hx6') [line 7]" in message
    assert "controllers.0.goal_current_ma: Field required [line 7]" in message


def test_an_unknown_servo_is_answered_with_the_known_ones():
    message = refusal(changed("xm430_w350, min_rad: 0", "ax12, min_rad: 0"))
    assert "joints.1.model" in message and "found 'ax12'" in message
    assert "'xl330_m288'" in message and "'ym080_230_r099'" in message


def test_controllers_id_is_an_id_like_the_servos():
    message = refusal(changed("commands:", f"{CONTROLLER}commands:"))
    assert "joints.1.id: servo ID 2 is used by a controller and by elbow [line 19]" in message
    assert "controllers.0.id: controller 2 has 20 joints behind it, here 0 [line 8]" in message


def test_all_problems_are_listed_at_once():
    text = ARM
    for old, new in [
        ("title: Two joints\n", ""),
        ("baud: 57600", "baud: fast\n    bauds: 1"),
        ("velocity_rad_s: 3.0", "velocity_rad_s: -3"),
        ("id: 1,", "id: 300,"),
        ("max_rad: 2.0", "max_rad: .nan"),
    ]:
        assert old in text
        text = text.replace(old, new)
    message = refusal(text)
    assert "6 problem(s)" in message
    lines = message.splitlines()[1:]
    keys = ["title", "buses.0.baud", "buses.0.bauds", "motion.velocity_rad_s", "joints.0.id", "joints.1.max_rad"]
    assert sorted(line.removeprefix("  - ").split(":")[0] for line in lines) == sorted(keys)


def test_wrong_fields_and_contradictions_are_told_in_one_answer():
    text = changed("id: 2", "id: 1").replace("baud: 57600", "baud: fast").replace("min_rad: -1.5", "min_rad: 9")
    text = text.replace("name: elbow", "name: elbow, home: 1, bus: left").replace('["*"]', "[shoulder]")
    lines = refusal(text).splitlines()
    assert lines[0] == "arm.yaml: 6 problem(s)"
    assert sorted(line.removeprefix("  - ").split(":")[0] for line in lines[1:]) == sorted(
        ["buses.0.baud", "joints.0.min_rad", "joints.1.home", "joints.1.bus", "joints.1.id", "joints.1.name"]
    )
    assert "servo ID 1 is used 2 times [line 17]" in "\n".join(lines)


def test_one_mistake_adds_none_that_is_not_there():
    assert refusal(changed("id: 2", "id: 999")).count("\n") == 1
    assert refusal(changed("min_rad: -1.5", "min_rad: low")).count("\n") == 1
    assert refusal(changed("name: elbow", "name: 5")).count("\n") == 1
    assert refusal(changed("joints:\n  - {name: sh", "joints:\n  - 5\n  - {name: sh")).count("\n") == 1


def test_every_problem_tells_its_line():
    for line in refusal(changed("title: Two joints", "titel: Two")).splitlines()[1:]:
        assert line.endswith("[line 2]") or line == "  - title: Field required"


def test_a_file_with_hundreds_of_problems_tells_the_first_ones():
    text = ARM[: ARM.index("\njoints:") + 1] + "joints:\n" + "".join(f"  - {{name: j{k}}}\n" for k in range(200))
    message = refusal(text)
    assert "800 problem(s)" in message and message.splitlines()[-1] == f"  - … and {800 - MAX_PROBLEMS} more"


def test_a_long_wrong_value_is_shown_in_part():
    assert len(refusal(changed("Two joints", "[" + "x, " * 5000 + "]"))) < 300


def test_doubled_names_and_doubled_ids_are_both_told():
    message = refusal(changed("name: elbow, id: 2", "name: shoulder, id: 1"))
    assert "joint name shoulder is used 2 times" in message
    assert "servo ID 1 is used 2 times" in message


BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, ["aliases", "not allowed"]),
        ("name: arm\nname: leg\n", ["key 'name' appears twice"]),
        (changed("id: 1,", "id: 1, id: 5,"), ["key 'id' appears twice"]),
        (ARM.replace("    baud", "\tbaud"), ["not valid YAML", "\\t"]),
        ("name: [arm\n", ["not valid YAML", "line 2"]),
        ("name: 'arm\n", ["not valid YAML"]),
        ("- name: arm\n", ["should hold a mapping", "found list"]),
        ("arm\n", ["should hold a mapping", "found str"]),
        ("", ["should hold a mapping", "found NoneType"]),
        ("---\nname: arm\n---\nname: leg\n", ["not valid YAML", "single document"]),
        ("name: \x00", ["not valid YAML"]),
        ("[" * 20_000, ["not valid YAML", "nested too deep"]),
        ("{" * 20_000, ["not valid YAML", "nested too deep"]),
        ("? [a]\n: 1\n", ["not valid YAML"]),
        ("? {a: b}\n: 1\n", ["not valid YAML"]),
        ("name: 2024-99-99\n", ["not valid YAML", "month"]),
        ("name: 0b_\n", ["not valid YAML"]),
        ("name: " + "9" * 5000, ["not valid YAML"]),
        ("name: !!int foo\n", ["not valid YAML"]),
        ("name: !!bool b\n", ["not valid YAML"]),
        ("name: !!timestamp b\n", ["not valid YAML"]),
        ("name: !!set [a]\n", ["not valid YAML"]),
        ("name: !!python/object/apply:os.getcwd []\n", ["not valid YAML", "python/object"]),
        ("1: 2\n", ["should be strings"]),
    ],
    ids=range(24),
)
def test_text_that_is_no_mapping_of_plain_values_is_refused(text, words):
    message = refusal(text)
    for word in words:
        assert word in message


# ---- files ------------------------------------------------------------------------------------------------


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", ["arm.yaml", "arm.yml"])
def test_a_file_of_your_own_loads_by_its_path(tmp_path, name):
    assert load_robot(write(tmp_path / name, ARM)) == parse_robot(ARM, "arm")


def test_a_urdf_is_looked_for_beside_the_file_that_names_it(tmp_path):
    robot = load_robot(write(tmp_path / "arm.yaml", changed("name: arm", "urdf: arm.urdf\nname: arm")))
    assert robot.urdf == str(tmp_path / "arm.urdf")


def test_errors_name_the_file(tmp_path):
    path = write(tmp_path / "arm.yaml", "")
    with pytest.raises(RobotFileError, match=f"^{path}"):
        load_robot(path)


def test_a_file_that_is_too_large_is_refused_without_reading_it(tmp_path):
    path = write(tmp_path / "huge.yaml", ARM + "#" * MAX_FILE_BYTES)
    with pytest.raises(RobotFileError, match=f"at most {MAX_FILE_BYTES}"):
        load_robot(path)


def test_a_file_as_large_as_allowed_loads(tmp_path):
    text = ARM + "#" * (MAX_FILE_BYTES - len(ARM))
    assert load_robot(write(tmp_path / "large.yaml", text)).name == "arm"


def test_a_file_that_is_not_there_is_refused_with_where_it_was_looked_for(tmp_path):
    with pytest.raises(RobotFileError, match=rf"no robot file at {tmp_path}/arm\.yaml"):
        load_robot(str(tmp_path / "arm.yaml"))


def test_a_directory_is_no_robot_file(tmp_path):
    (tmp_path / "arm.yaml").mkdir()
    with pytest.raises(RobotFileError, match="no robot file"):
        load_robot(str(tmp_path / "arm.yaml"))


def test_a_path_that_the_system_refuses_is_refused_in_words():
    with pytest.raises(RobotFileError, match="can't be read: File name too long"):
        load_robot("a" * 5000 + ".yaml")


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "arm.yaml"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(RobotFileError, match="not valid YAML"):
        load_robot(str(path))


# ---- fuzz -------------------------------------------------------------------------------------------------

SNIPPETS = (
    *(
        "[",
        "]",
        "{",
        "}",
        ": ",
        "- ",
        "? ",
        "\n",
        "\t",
        "  ",
        "#",
        "'",
        '"',
        "|",
        ">",
        "%",
        "@",
        "`",
        "!",
        "!!int ",
        "&a ",
    ),
    *(
        "*a",
        "<<: ",
        "~",
        ".nan",
        "-.inf",
        "1e999",
        "0b_",
        "0x",
        "2024-99-99",
        "1:99",
        "true",
        "=",
        "\x00",
        "\x85",
        "é",
        "---",
    ),
    *("!!set ", "!!binary ", "!!timestamp ", "!!omap ", "!!float ", "!!null ", "!!python/name:os.system "),
)

edits = st.lists(
    st.tuples(st.integers(0, len(ARM)), st.integers(0, 12), st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=4))),
    min_size=1,
    max_size=4,
)


@settings(max_examples=200)
@given(edits)
def test_a_damaged_file_is_a_robot_or_a_robot_file_error(changes):
    text = ARM
    for place, length, snippet in changes:
        text = text[:place] + snippet + text[place + length :]
    try:
        assert isinstance(parse_robot(text, "arm.yaml"), Robot)
    except RobotFileError as error:
        assert str(error).startswith("arm.yaml")


tags = (
    "",
    "",
    "",
    "!!int ",
    "!!float ",
    "!!bool ",
    "!!null ",
    "!!timestamp ",
    "!!set ",
    "!!omap ",
    "!!pairs ",
    "!!binary ",
)
scalars = st.builds(
    "{}{}".format, st.sampled_from(tags), st.sampled_from(["a", "1", ".nan", "2024-99-99", "[]", "{}", "[a]", "{a: 1}"])
)
paths = st.sampled_from(
    ["57600", "/dev/ttyUSB0", '["*"]', "arm", "xm430_w350", "-1.5", "3.0", "[a bench]", "shoulder", "title", "id"]
)


@settings(max_examples=200)
@given(paths, scalars)
def test_a_wrong_value_anywhere_is_a_robot_or_a_robot_file_error(old, new):
    try:
        assert isinstance(parse_robot(changed(old, new), "arm.yaml"), Robot)
    except RobotFileError as error:
        assert str(error).startswith("arm.yaml")


@given(st.text(max_size=300))
def test_any_text_is_a_robot_file_error(text):
    refusal(text)


@given(st.text(max_size=60).map(lambda text: text + ".yaml") | st.text(max_size=20))
def test_any_name_is_a_robot_file_error(name):
    with pytest.raises(RobotFileError):
        load_robot(name)
