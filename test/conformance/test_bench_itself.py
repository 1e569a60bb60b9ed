# SPDX-License-Identifier: Apache-2.0
"""The bench: it leaves servos as it found them, also after a failure, and says what it did not test."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench_line import Line
from bench_servo import Permissions, Servo, borrowed
from bench_virtual import BAUD, identities, virtual_line

from drivers.port import SerialPort
from drivers.servo_tools import known_model

ROOT = Path(__file__).parents[2]
SOME = "test/conformance/test_reboot.py"


@pytest.fixture
def virtual_path() -> Iterator[str]:
    """A line of virtual servos, even where the other tests run on real ones."""
    with virtual_line() as (path, _):
        yield path


@pytest.fixture
def own_servo(virtual_path: str) -> Iterator[Servo]:
    """An X430 on it."""
    identity = identities()[1]
    known = known_model(identity.model_number, identity.firmware)
    assert known is not None
    with SerialPort(virtual_path, BAUD) as port:
        yield Servo(Line(port), 1, identity, known, Permissions(motion=True, eeprom=True))


def run(*options: str) -> subprocess.CompletedProcess[str]:
    """pytest as a technician calls it."""
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_a_servo_is_put_back_after_a_failure(own_servo: Servo) -> None:
    before = own_servo.take()
    with pytest.raises(ZeroDivisionError), borrowed([own_servo]):
        own_servo.set("Homing Offset", 77)
        own_servo.set("Profile Velocity", 33)
        own_servo.point()
        own_servo.hold()
        own_servo.set("Bus Watchdog", 2)
        own_servo.line.be_silent(0.1)
        own_servo.line.ask(own_servo.write_frame("Status Return Level", 0))
        raise ZeroDivisionError
    assert own_servo.take() == before
    assert (own_servo.get("Torque Enable"), own_servo.get("Bus Watchdog")) == (0, 0)


def test_a_servo_with_torque_on_is_not_touched(own_servo: Servo) -> None:
    own_servo.set("Torque Enable", 1)
    with pytest.raises(pytest.fail.Exception, match="Torque Enable is on"), borrowed([own_servo]):
        pass
    assert own_servo.get("Torque Enable") == 1


def test_a_real_line_is_asked_only_for_what_is_there_and_the_rest_is_named(virtual_path: str) -> None:
    ran = run(SOME, "--port", virtual_path, "--baud", str(BAUD), "--ids", "1,3")
    assert ran.returncode == 0, ran.stdout
    assert "conformance: NOT PRESENT and not tested: xl330-fw53, xm335, xh540, p, gripper, y, hx5" in ran.stdout
    assert " deselected" in ran.stdout


def test_a_real_line_is_neither_moved_nor_written_without_permission(virtual_path: str) -> None:
    files = ["test/conformance/test_motion.py", "test/conformance/test_offset_and_reverse.py"]
    ran = run(*files, "--port", virtual_path, "--baud", str(BAUD), "--ids", "1")
    assert " passed" not in ran.stdout
    assert "--allow-motion" in ran.stdout
    assert "--allow-eeprom" in ran.stdout


def test_an_id_that_does_not_answer_ends_the_run_at_once(virtual_path: str) -> None:
    ran = run(SOME, "--port", virtual_path, "--baud", str(BAUD), "--ids", "1,77")
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "ID 77 does not answer" in ran.stderr
