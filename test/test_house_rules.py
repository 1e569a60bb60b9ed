# SPDX-License-Identifier: Apache-2.0
"""Who may import whom, what is banned, and that the package installs what it needs."""

import ast
import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("teleop", "drivers", "recorder")
MESSAGES = {
    "builtin_interfaces",
    "diagnostic_msgs",
    "rcl_interfaces",
    "sensor_msgs",
    "std_msgs",
    "std_srvs",
    "trajectory_msgs",
}
ONLY = {
    "rclpy": lambda path: path.stem.endswith("_node"),
    "launch": lambda path: path.parent.name == "launch" or path.name == "launching.py",
    "launch_ros": lambda path: path.name == "launching.py",
    "serial": lambda path: path == Path("drivers/port.py"),
    "dynamixel_sdk": lambda path: path in (Path("drivers/port.py"), Path("bench/bus_rig.py")),  # there as the peer
    "h5py": lambda path: path.parts[0] == "recorder",
    "mcap": lambda path: path.parts[0] == "recorder",
    "rosbags": lambda path: path.parts[0] == "recorder",
    "cv2": lambda path: path.parts[0] in ("clips", "studio") or re.match(r"teleop/(tracker|camera)", str(path)),
    "mediapipe": lambda path: str(path).startswith("teleop/tracker"),
    "zmq": lambda path: re.match(r"(teleop|bench)/link_", str(path)),
}
MAY_IMPORT = {
    "graph": {"graph", "robots"},
    "robots": {"robots", "graph"},
    "teleop": {"teleop", "robots", "graph"},
    "drivers": {"drivers", "robots", "graph"},
    "recorder": {"recorder", "robots", "graph"},
    "booth": {"booth", "bench", "studio", "teleop", "drivers", "recorder", "robots", "graph"},
    "bench": {"bench", "booth", "studio", "teleop", "drivers", "recorder", "robots", "graph"},
    "clips": {"clips"},
    "studio": {"studio", "clips", "robots", "graph"},
    "launch": {"graph", "robots"},
}
OURS = set(MAY_IMPORT)


SOURCES = [path.relative_to(ROOT) for room in MAY_IMPORT for path in sorted((ROOT / room).glob("**/*.py"))]


def imported(path: Path) -> set[str]:
    heads = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            heads |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            heads.add((node.module or "").split(".")[0])
    return heads


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_rooms_import_only_what_they_may(path: Path) -> None:
    heads = imported(path)
    room = path.parts[0]
    ours = (heads & OURS) - ({"launch"} if room in {"launch", "graph"} else set())
    assert ours <= MAY_IMPORT[room], ours - MAY_IMPORT[room]
    for library, allowed in ONLY.items():
        if library in heads and not (library == "launch" and room == "launch"):
            assert allowed(path), f"{path} imports {library}"
    if heads & MESSAGES:
        assert path.stem.endswith("_node") or room == "bench", f"{path} imports ROS messages"


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_nothing_unpickles_evaluates_or_reads_the_wall_clock(path: Path) -> None:
    text = (ROOT / path).read_text()
    for banned in (r"\bpickle\b", r"\beval\(", r"\bexec\(", r"time\.time\(\)", r"allow_pickle=True", r"yaml\.unsafe"):
        assert not re.search(banned, text), banned


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_every_source_file_states_its_licence(path: Path) -> None:
    assert (ROOT / path).read_text().startswith("# SPDX-License-Identifier: Apache-2.0\n")


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    for path in subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split():
        file = ROOT / path
        if file.suffix in {".py", ".md", ".yaml", ".toml", ".cfg", ".xml", ".sh", ".txt", ""} and file.is_file():
            assert not re.search(r"(?<![\w.~])/(home|Users|work)/\w", file.read_text(errors="ignore")), path


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, installed from its sources into a directory of its own."""
    target = tmp_path_factory.mktemp("prefix")
    source = tmp_path_factory.mktemp("source") / "humanoid_booth"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.split("\n"):
        if name and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    command += ["--disable-pip-version-check", "--prefix", str(target), "--ignore-installed", str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return target


def test_the_installed_prefix_holds_what_ros_2_looks_for(prefix: Path) -> None:
    share = prefix / "share"
    assert (share / "ament_index/resource_index/packages/humanoid_booth").is_file()
    package = share / "humanoid_booth"
    expected = ["package.xml", "launch/booth.launch.py", "launch/robot.launch.py", "launch/replay.launch.py"]
    expected += ["config/booth.yaml"]
    expected += ["robots/hx5_d20_right.yaml", "robots/op3.yaml"]
    assert [name for name in expected if not (package / name).is_file()] == []
    scripts = {path.name for path in (prefix / "bin").iterdir()}
    assert {"booth", "driver", "recorder", "replay", "teleop", "tracker"} <= scripts


def test_colcon_puts_the_executables_where_ros2_run_looks() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    assert settings["develop"]["script_dir"] == "$base/lib/humanoid_booth"
    assert settings["install"]["install_scripts"] == "$base/lib/humanoid_booth"


def test_generic_import_names_are_ours_when_imported_from_the_prefix(prefix: Path) -> None:
    (site,) = prefix.glob("lib/python*/site-packages")
    code = "import teleop, drivers, recorder, robots, graph, booth, clips, bench, studio\n"
    code += "for m in (teleop, drivers, recorder, robots, graph, booth, clips, bench, studio): print(m.__file__)\n"
    code += "from robots import load_robot, robot_names\n[load_robot(n) for n in robot_names()]\n"
    code += "from teleop.camera import bundled_clip\nassert bundled_clip().is_file()\n"
    result = subprocess.run(
        [sys.executable, "-c", "import sys; sys.path.insert(0, sys.argv[1])\n" + code, str(site)],
        capture_output=True,
        text=True,
        check=True,
        cwd=prefix,
    )
    places = result.stdout.split()
    assert len(places) == 9
    assert all(place.startswith(str(site)) for place in places), places
