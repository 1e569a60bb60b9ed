# SPDX-License-Identifier: Apache-2.0
"""The process supervisor, on small programs of its own."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from booth.supervisor import Outcome, Supervisor, graph_environment
from graph.middleware import PROFILE
from graph.nodes import OnExit, ProcessSpec
from graph.stamps import ENV_OFFSET

PROGRAMS = {
    "sleeper": "import time\nprint('up', flush=True)\ntime.sleep(60)\n",
    "stubborn": (
        "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('up', flush=True)\ntime.sleep(60)\n"
    ),
    "crasher": "import sys\nprint('crashing', flush=True)\nsys.exit(1)\n",
    "mistaken": "import sys\nsys.exit(2)\n",
    "unplugged": "import sys\nsys.exit(3)\n",
    "finisher": "print('work', flush=True)\n",
}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in PROGRAMS.items():
        (tmp_path / f"{name}_program.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def spec(name: str, policy: OnExit = OnExit.RESPAWN, ros: bool = True) -> ProcessSpec:
    return ProcessSpec(name, f"{name}_program", "program" if ros else None, on_exit=policy)


def run_until(
    supervisor: Supervisor, done: Callable[[Outcome | None], bool], timeout_s: float = 20.0
) -> Outcome | None:
    deadline = time.monotonic() + timeout_s
    while True:
        outcome = supervisor.poll()
        if done(outcome):
            return outcome
        assert time.monotonic() < deadline
        time.sleep(0.01)


def start(log: list[str], *specs: ProcessSpec) -> Supervisor:
    supervisor = Supervisor(specs, graph_environment(), log.append)
    supervisor.start()
    return supervisor


@pytest.mark.usefixtures("programs")
def test_logs_carry_the_name_of_their_process() -> None:
    log: list[str] = []
    supervisor = start(log, spec("sleeper"))
    run_until(supervisor, lambda _: "[sleeper] up" in log)
    supervisor.stop()
    assert supervisor.pid("sleeper") is None


@pytest.mark.usefixtures("programs")
def test_a_process_that_ignores_signals_is_killed_with_the_rest() -> None:
    log: list[str] = []
    supervisor = start(log, spec("stubborn"), spec("sleeper"))
    run_until(supervisor, lambda _: {"[stubborn] up", "[sleeper] up"} <= set(log))
    supervisor.stop()
    assert supervisor.pid("stubborn") is None
    assert supervisor.pid("sleeper") is None


@pytest.mark.usefixtures("programs")
def test_a_crashed_process_is_started_again() -> None:
    log: list[str] = []
    supervisor = start(log, spec("crasher"))
    outcome = run_until(supervisor, lambda _: log.count("[crasher] crashing") >= 2)
    supervisor.stop()
    assert outcome is None
    assert any("the robot holds; starting it again" in line for line in log)


@pytest.mark.usefixtures("programs")
def test_a_process_that_never_gets_going_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("booth.supervisor.LONGEST_DELAY_S", 0.01)
    monkeypatch.setattr("booth.supervisor.FIRST_DELAY_S", 0.01)
    supervisor = start([], spec("crasher"), spec("sleeper"))
    outcome = run_until(supervisor, lambda outcome: outcome is not None)
    supervisor.stop()
    assert outcome == Outcome(1, "crasher ended 4 times soon after its start, last with exit code 1")


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize(("name", "code"), [("mistaken", 2), ("unplugged", 3)])
def test_a_process_that_can_not_work_stops_the_graph_with_its_exit_code(name: str, code: int) -> None:
    supervisor = start([], spec(name), spec("sleeper"))
    outcome = run_until(supervisor, lambda outcome: outcome is not None)
    supervisor.stop()
    assert outcome is not None
    assert outcome.exit_code == code
    assert name in outcome.reason


@pytest.mark.usefixtures("programs")
def test_the_end_of_an_essential_process_stops_the_graph_as_a_failure() -> None:
    supervisor = start([], spec("finisher", OnExit.SHUTDOWN), spec("sleeper"))
    outcome = run_until(supervisor, lambda outcome: outcome is not None)
    supervisor.stop()
    assert outcome is not None
    assert outcome.exit_code == 1


@pytest.mark.usefixtures("programs")
def test_a_finished_piece_of_work_ends_the_graph_in_success() -> None:
    supervisor = start([], spec("finisher", OnExit.FINISH), spec("sleeper"))
    outcome = run_until(supervisor, lambda outcome: outcome is not None)
    supervisor.stop()
    assert outcome == Outcome(0, "finisher finished with exit code 0")


def test_all_processes_of_a_graph_share_one_clock_offset_and_stay_on_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ROS_AUTOMATIC_DISCOVERY_RANGE", raising=False)
    monkeypatch.delenv("FASTRTPS_DEFAULT_PROFILES_FILE", raising=False)
    environ = graph_environment(7)
    assert int(environ[ENV_OFFSET]) > 0
    assert environ["FASTRTPS_DEFAULT_PROFILES_FILE"] == PROFILE
    assert environ["ROS_DOMAIN_ID"] == "7"
    assert sys.executable in spec("sleeper").command()[0]
