# SPDX-License-Identifier: Apache-2.0
"""The operator's side runs where there is no ROS, no HDF5, no servo and none of Linux's own modules."""

import subprocess
import sys

BLOCKED = (
    *("rclpy", "sensor_msgs", "std_msgs", "diagnostic_msgs"),
    *("fcntl", "termios", "tty", "pty", "pwd", "grp", "resource"),
    *("h5py", "mcap", "serial", "dynamixel_sdk", "ruckig", "rosbags", "fastcrc", "aiohttp"),
)

PROGRAM = """
import importlib.abc, signal, sys

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(name)
        return None

sys.meta_path.insert(0, Blocked())
for name in {blocked!r}:
    sys.modules.pop(name, None)
del signal.SIGHUP  # as on Windows
from booth.cli import main
try:
    main(["track", "--help"])
except SystemExit as ended:
    assert ended.code == 0
for name in ("booth.track_far", "teleop.tracker_camera", "teleop.link_sender", "booth.verb_keys"):
    __import__(name)
code = main(["track", "--to", "tcp://127.0.0.1:9", "--key", "ana", "--server-key", "{server}",
             "--source", "clip", "--seconds", "2", "--json"])
raise SystemExit(code)
"""


def test_everything_of_it_imports_and_runs_without_them(monkeypatch, tmp_path) -> None:
    from teleop.link_keys import new_key

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    new_key("ana")
    program = PROGRAM.format(blocked=BLOCKED, server=new_key("robot").public.hex())
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=100)
    assert ran.returncode == 0, ran.stderr
    assert '"robot": "LOST"' in ran.stdout.splitlines()[-1]
    assert '"sent": 0' in ran.stdout.splitlines()[-1]
