# SPDX-License-Identifier: Apache-2.0
"""The one list of processes agrees with the files, the package's executables and the nodes' own parameters."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from graph.errors import InputError
from graph.nodes import (
    ALL_PARTS,
    DRIVERS,
    PEDAL_ROLES,
    RECORD_MODES,
    GraphOptions,
    OnExit,
    ProcessSpec,
    booth_processes,
    driver_processes,
    recorder_process,
    replay_processes,
    run_directory,
    virtual_port,
)
from robots import load_robot
from robots.schema import Imitation

ROOT = Path(__file__).parents[2]
HAND, OP3, BODY = (load_robot(name) for name in ("hx5_d20_right", "op3", "ffw_sh5"))


def processes(driver="virtual", **more):
    """Every process that any graph with this driver can have, by name."""
    options = GraphOptions(
        driver=driver, **{"prediction_ms": 20.0, "pedal_device": "auto", "page": "127.0.0.1:8080"} | more
    )
    booth = booth_processes(HAND, "hx5_d20_right", options)
    replay = replay_processes(HAND, "hx5_d20_right", options, "/a/episode.h5", "report.json", 0.5)
    return {spec.name: spec for spec in [*booth, *replay]}


def source_file(module):
    """Where `python -m module` starts."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__main__.py" if path.is_dir() else path.with_suffix(".py")


def names(specs):
    return [spec.name for spec in specs]


def declared(module):
    """Parameters that a node's source declares, with their default values."""
    calls = [node for node in ast.walk(ast.parse(source_file(module).read_text())) if isinstance(node, ast.Call)]
    found = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "declare"]
    return {ast.literal_eval(call.args[0]): ast.literal_eval(call.args[1]) for call in found}


def console_scripts():
    """The executables that setup.py installs: name -> module."""
    for node in ast.walk(ast.parse((ROOT / "setup.py").read_text())):
        if isinstance(node, ast.keyword) and node.arg == "entry_points":
            lines = ast.literal_eval(node.value)["console_scripts"]
            return {line.split(" = ")[0]: line.split(" = ")[1] for line in lines}
    raise AssertionError("setup.py has no entry_points")


def given_parameters(argv):
    """What rcl would parse from a command line: the values are YAML."""
    pairs = [argv[i + 1].split(":=", 1) for i, word in enumerate(argv) if word == "-p"]
    return {key: yaml.safe_load(value) for key, value in pairs}


# ---- who takes part ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("driver", "side"), [("virtual", ["robot", "driver"]), ("dynamixel", ["driver"]), ("external", [])]
)
def test_robots_side_of_each_kind_of_driver(driver, side):
    assert driver in DRIVERS
    options = GraphOptions(driver=driver)
    assert names(driver_processes(HAND, "h", options)) == side
    assert sorted(names(booth_processes(HAND, "h", options))) == sorted([*side, "teleop", "tracker", "recorder"])
    assert names(replay_processes(HAND, "h", options, "e.h5", "")) == [*side, "replay"]


def test_every_kind_of_driver_was_listed_above():
    assert set(DRIVERS) == {"virtual", "dynamixel", "external"}


def test_a_robot_of_which_nothing_copies_an_operator_has_neither_tracker_nor_teleop():
    still = OP3.model_copy(update={"imitation": Imitation()})
    assert names(booth_processes(still, "still", GraphOptions())) == ["robot", "driver", "recorder"]


@pytest.mark.parametrize(
    ("robot", "parts", "body"),
    [(HAND, "", False), (OP3, "", True), (OP3, "hands", False), (BODY, "hands", False), (BODY, "hands+arms", True)],
)
def test_the_body_is_looked_for_where_something_copies_it(robot, parts, body):
    specs = {spec.name: spec for spec in booth_processes(robot, robot.name, GraphOptions(parts=parts))}
    assert specs["tracker"].parameters["body"] is body
    assert specs["teleop"].parameters["parts"] == (parts or ALL_PARTS)


@pytest.mark.parametrize("mode", RECORD_MODES)
def test_a_recorder_runs_in_every_mode_but_off(mode):
    specs = {spec.name: spec for spec in booth_processes(HAND, "h", GraphOptions(record=mode))}
    assert ("recorder" in specs) == (mode != "off")
    if mode != "off":
        assert specs["recorder"].parameters["record_on"] == mode


def test_with_a_page_its_session_hears_the_signs_and_no_longer_the_recorder():
    with_page = {spec.name: spec for spec in booth_processes(HAND, "h", GraphOptions(page="127.0.0.1:8080"))}
    without = {spec.name: spec for spec in booth_processes(HAND, "h", GraphOptions())}
    assert with_page["recorder"].parameters["gestures"] is False
    assert "gestures" not in without["recorder"].parameters
    assert "page" not in without


def test_a_recorder_of_its_own_waits_to_be_told():
    assert recorder_process("h", GraphOptions(record="off")).parameters["record_on"] == "manual"


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_graph_ends_with_its_driver_but_survives_everybody_else(driver):
    wanted = {
        "robot": OnExit.SHUTDOWN,
        "driver": OnExit.SHUTDOWN,
        "tracker": OnExit.RESPAWN,
        "teleop": OnExit.RESPAWN,
        "recorder": OnExit.RESPAWN,
        "pedal": OnExit.RESPAWN,
        "page": OnExit.RESPAWN,
        "replay": OnExit.FINISH,
    }
    specs = processes(driver, source="0") | {
        spec.name: spec for spec in booth_processes(HAND, "h", GraphOptions(source="0", driver=driver))
    }
    for name, spec in specs.items():
        assert spec.on_exit is wanted[name], name


@pytest.mark.parametrize("source", ["clip", "hand.mp4"])
@pytest.mark.parametrize("driver", ["dynamixel", "external"])
def test_a_video_engages_a_real_robot_at_most_once(source, driver):
    options = GraphOptions(source=source, driver=driver)
    (tracker,) = [spec for spec in booth_processes(HAND, "h", options) if spec.name == "tracker"]
    assert tracker.on_exit is OnExit.SHUTDOWN
    with pytest.raises(InputError, match="a looping video must not drive a real robot"):
        booth_processes(HAND, "h", replace(options, loop=True))


# ---- the list agrees with the files -----------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(processes()))
def test_process_has_a_module_with_a_main(name):
    spec = processes()[name]
    tree = ast.parse(source_file(spec.module).read_text())
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    imported = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert "main" in defined | imported


def test_executables_are_those_that_setup_py_installs():
    wanted = {spec.executable: f"{spec.module}:main" for spec in processes().values() if spec.executable}
    installed = console_scripts()
    assert installed.pop("booth") == "booth.cli:main"
    assert installed == wanted


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("name", sorted(spec.name for spec in processes().values() if spec.executable))
def test_parameters_are_declared_by_the_node_with_the_same_type(name, driver):
    spec = processes(driver, cameras=("wrist=/wrist/image",)).get(name)
    if spec is None:
        assert driver == "external" and name == "driver"
        return
    defaults = declared(spec.module)
    assert set(spec.parameters) <= set(defaults)
    for key, value in spec.parameters.items():
        assert type(value) is type(defaults[key]), key


def test_parsing_the_sources_finds_what_a_node_declares():
    assert declared("drivers.driver_node")["port_wait_s"] == 0.0
    assert {"source", "loop", "mirrored"} <= set(declared("teleop.tracker_node"))


# ---- options reach their process --------------------------------------------------------------------------


def test_options_reach_the_process_that_needs_them():
    specs = processes(
        "dynamixel",
        source="topic:/camera",
        record="engage",
        port="/dev/ttyACM7",
        directory="/data",
        task="pour tea",
        operator="Ada",
        rate_hz=50.0,
        loop=True,
        mirrored=True,
        baud=1_000_000,
        booth="lab 3",
        cameras=("wrist=/wrist/image",),
        parts="right_hand",
        profile="ada",
        pedal=True,
        pedal_device="/dev/input/by-id/usb-PCsensor_FootSwitch-event-kbd",
        pedal_role="record",
        prediction_ms=40.0,
    )
    assert specs["pedal"].parameters == {
        "device": "/dev/input/by-id/usb-PCsensor_FootSwitch-event-kbd",
        "role": "record",
    }
    assert specs["driver"].parameters == {
        "robot": "hx5_d20_right",
        "port": "/dev/ttyACM7",
        "baud": 1_000_000,
        "port_wait_s": 0.0,
    }
    assert specs["tracker"].parameters == {"source": "topic:/camera", "loop": True, "mirrored": True, "body": False}
    assert specs["teleop"].parameters == {
        "robot": "hx5_d20_right",
        "driver": "dynamixel",
        "parts": "right_hand",
        "profile": "ada",
        "pedal": True,
        "prediction_ms": 40.0,
    }
    assert specs["recorder"].parameters == {
        "robot": "hx5_d20_right",
        "directory": "/data",
        "rate_hz": 50.0,
        "task": "pour tea",
        "operator": "Ada",
        "virtual": False,
        "record_on": "engage",
        "booth": "lab 3",
        "cameras": ["wrist=/wrist/image"],
        "gestures": False,
    }
    assert specs["page"].parameters == {
        "robot": "hx5_d20_right",
        "address": "127.0.0.1:8080",
        "booth": "lab 3",
        "driver": "dynamixel",
        "store": "",
        "virtual": False,
        "pedal": True,
        "recorder": True,
        "parts": "right_hand",
    }
    assert specs["replay"].parameters == {
        "robot": "hx5_d20_right",
        "episode": "/a/episode.h5",
        "report": "report.json",
        "speed": 0.5,
        "force": False,
        "virtual": False,
    }


def test_a_pedal_runs_only_where_one_is_named():
    assert "pedal" not in processes(pedal_device="")


@pytest.mark.parametrize("role", PEDAL_ROLES)
def test_the_robot_waits_for_the_foot_only_where_the_pedal_is_held_to_run(role):
    assert processes(pedal_role=role)["teleop"].parameters["pedal"] is (role == "run")
    assert processes(pedal_role=role, pedal=True)["teleop"].parameters["pedal"] is True
    assert processes(pedal_role=role, pedal_device="")["teleop"].parameters["pedal"] is False


@pytest.mark.parametrize("driver", ["virtual", "dynamixel"])
def test_commands_of_a_far_operator_may_be_a_little_older(driver):
    assert "command_ttl_ms" not in processes(driver, source="0")["driver"].parameters
    specs = processes(driver, source="tcp://*:5555")
    assert specs["driver"].parameters["command_ttl_ms"] == 130
    assert specs["tracker"].on_exit is OnExit.RESPAWN, "an operator is no recording"


def test_what_is_predicted_is_left_to_the_parameter_file_unless_it_is_chosen():
    assert "prediction_ms" not in processes(prediction_ms=0.0)["teleop"].parameters


def test_real_servos_are_at_the_robots_own_port_unless_told_otherwise():
    assert processes("dynamixel")["driver"].parameters["port"] == ""  # the robot's own, of each of its buses


def test_driver_waits_at_the_link_that_the_virtual_robot_makes():
    specs = processes("virtual")
    assert specs["robot"].arguments == ("virtual-robot", "hx5_d20_right", "--link", virtual_port(HAND))
    assert specs["driver"].parameters["port"] == virtual_port(HAND)
    assert specs["driver"].parameters["port_wait_s"] > 0


def test_only_simulated_servos_are_recorded_as_such():
    assert [processes(driver)["recorder"].parameters["virtual"] for driver in DRIVERS] == [True, False, False]


def test_virtual_robots_of_two_domains_or_two_robots_do_not_meet(monkeypatch):
    monkeypatch.setenv("ROS_DOMAIN_ID", "7")
    seven = virtual_port(HAND)
    monkeypatch.setenv("ROS_DOMAIN_ID", "8")
    assert len({seven, virtual_port(HAND), virtual_port(OP3)}) == 3


def test_links_live_in_the_users_own_run_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert run_directory().parent == tmp_path
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert run_directory().parent == Path("/tmp")


# ---- the command line -------------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"]))
parameters = st.one_of(
    texts, st.booleans(), st.integers(-(2**62), 2**62), st.floats(1e-3, 1e6), st.lists(texts, min_size=1)
)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z_]{0,9}", fullmatch=True), parameters))
def test_every_parameter_arrives_as_it_was_given(values):
    argv = ProcessSpec("n", "m", "e", parameters=values).command()
    arrived = given_parameters(argv)
    assert arrived == values
    assert all(type(arrived[key]) is type(value) for key, value in values.items())


@pytest.mark.parametrize("text", ["0", "1.5", "true", "no", "~", "", "a: b", "it's", "[1]", "# x", "two\nlines", "\\n"])
def test_text_that_looks_like_something_else_stays_text(text):
    argv = ProcessSpec("n", "m", "e", parameters={"source": text}).command()
    assert given_parameters(argv) == {"source": text}


def test_a_node_is_started_under_its_own_name_by_the_given_python():
    spec = ProcessSpec("tracker", "teleop.tracker_node", "tracker", parameters={"source": "0"})
    assert spec.command("/usr/bin/python3") == [
        *("/usr/bin/python3", "-m", "teleop.tracker_node"),
        *("--ros-args", "-r", "__node:=tracker", "-p", "source:='0'"),
    ]


def test_a_program_without_ros_gets_no_ros_arguments():
    assert processes()["robot"].command("py")[:4] == ["py", "-m", "booth", "virtual-robot"]
    assert "--ros-args" not in processes()["robot"].command()
