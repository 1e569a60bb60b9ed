# SPDX-License-Identifier: Apache-2.0
"""Real processes under one roof: prefixed logs, restarts, and one Ctrl-C that ends all of them within five seconds."""

import ctypes
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Thread

from booth.stop_request import StopRequest as StopRequest
from graph.errors import EXIT_DEVICE, EXIT_FAILED, EXIT_INPUT, EXIT_OK, InputError
from graph.middleware import middleware
from graph.nodes import OnExit, ProcessSpec
from graph.stamps import ENV_OFFSET, measure_offset_ns

STOP_S, KILL_S = 3.6, 4.5
STEADY_S = 10.0
"""A process that ends sooner never got going: a busy computer needs seconds to load a tracker."""
GIVE_UP_AFTER = 4
FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 5.0
PR_SET_PDEATHSIG = 1
LAST_DOMAIN = 232

NATIVE_NOISE = re.compile(
    r"^(W0000 |I0000 |WARNING: (All log|Logging before|Read-only tensor)|INFO: Created TensorFlow|\[ WARN:)"
)
"""Chatter of the inference runtime that says nothing to anybody here."""

_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(slots=True)
class _Child:
    spec: ProcessSpec
    process: "subprocess.Popen[str] | None" = None
    started: float = 0.0
    restart_at: float | None = None
    delay_s: float = FIRST_DELAY_S
    restarts: int = 0
    early_ends: int = 0
    threads: list[Thread] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a graph ended: exit code for the shell, and why in a line."""

    exit_code: int
    reason: str


def graph_environment(domain: int | None = None) -> dict[str, str]:
    """Environment of every process of one graph: one wall offset, discovery on this machine unless chosen otherwise."""
    environ = dict(os.environ)
    environ[ENV_OFFSET] = str(measure_offset_ns())
    environ.update(middleware(environ))
    environ.setdefault("RCUTILS_CONSOLE_OUTPUT_FORMAT", "{severity}: {message}")
    environ["RCUTILS_COLORIZED_OUTPUT"] = "0"
    environ["PYTHONUNBUFFERED"] = "1"
    if domain is not None:
        environ["ROS_DOMAIN_ID"] = str(domain)
    return environ


def choose_domain() -> int:
    """The ROS domain of a graph of our own: the user's, else one of a hundred; kept in this process's environment.

    Raises:
        InputError: ROS_DOMAIN_ID is no domain.
    """
    text = os.environ.get("ROS_DOMAIN_ID") or str(1 + os.getpid() % 100)
    if not text.isdigit() or int(text) > LAST_DOMAIN:
        raise InputError(
            f"ROS_DOMAIN_ID should be a number from 0 to {LAST_DOMAIN}, found {text!r}: change or unset it"
        )
    os.environ["ROS_DOMAIN_ID"] = text
    return int(text)


class Supervisor:
    """Starts the processes of one graph and keeps them going until one ends that must not."""

    def __init__(self, specs: Sequence[ProcessSpec], environ: dict[str, str], say: Callable[[str], None]) -> None:
        self._children = [_Child(spec) for spec in specs]
        self._environ = environ
        self._say = say

    def start(self) -> None:
        """Start every process."""
        for child in self._children:
            self._spawn(child)

    def pid(self, name: str) -> int | None:
        """Process ID of a running process."""
        for child in self._children:
            if child.spec.name == name and child.process is not None and child.process.poll() is None:
                return child.process.pid
        return None

    def poll(self) -> Outcome | None:
        """Look after the processes; call it often. An outcome means that the graph has to stop."""
        now = time.monotonic()
        for child in self._children:
            if child.restart_at is not None and now >= child.restart_at:
                child.restart_at = None
                child.restarts += 1
                self._spawn(child)
            process = child.process
            if process is None or process.poll() is None:
                continue
            child.process = None
            outcome = self._ended(child, process.returncode, now)
            if outcome is not None:
                return outcome
        return None

    def run(self, stopping: Callable[[], bool]) -> Outcome:
        """Run until ``stopping()`` or an outcome, then stop everything."""
        try:
            while not stopping():
                outcome = self.poll()
                if outcome is not None:
                    return outcome
                time.sleep(0.02)
            return Outcome(EXIT_OK, "stopped")
        finally:
            self.stop()

    def stop(self) -> None:
        """End all processes: the nodes first, the virtual robot last, so that the driver can let go of it softly.

        SIGTERM, because it ends a process that is still importing without a traceback.
        """
        robots = [child for child in self._children if child.spec.executable is None]
        nodes = [child for child in self._children if child.spec.executable is not None]
        begin = time.monotonic()
        self._signal(nodes, signal.SIGTERM)
        self._wait(nodes, begin + STOP_S)
        self._signal(robots, signal.SIGTERM)
        self._wait(nodes + robots, begin + KILL_S)
        self._signal(nodes + robots, signal.SIGKILL)
        self._wait(nodes + robots, begin + KILL_S + 0.4)
        for child in self._children:
            for thread in child.threads:
                thread.join(timeout=0.2)

    def _spawn(self, child: _Child) -> None:
        process = subprocess.Popen(
            child.spec.command(),
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        child.process, child.started = process, time.monotonic()
        thread = Thread(target=self._relay, args=(child.spec.name, process), daemon=True)
        thread.start()
        child.threads = [thread]

    def _relay(self, name: str, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if not NATIVE_NOISE.match(line):
                self._say(f"[{name}] {line.rstrip()}")

    def _ended(self, child: _Child, code: int, now: float) -> Outcome | None:
        name, policy = child.spec.name, child.spec.on_exit
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        if policy is OnExit.FINISH:
            return Outcome(max(code, 0) if code >= 0 else EXIT_FAILED, f"{name} finished with {how}")
        if policy is OnExit.SHUTDOWN:
            return Outcome(code if code > 0 else EXIT_FAILED, f"{name} ended with {how}: the graph stops")
        early = now - child.started < STEADY_S
        if code == EXIT_INPUT or (code == EXIT_DEVICE and early and child.restarts == 0):
            return Outcome(code, f"{name} ended with {how}: starting it again would not help")
        child.early_ends = child.early_ends + 1 if early else 0
        if child.early_ends >= GIVE_UP_AFTER:
            return Outcome(EXIT_FAILED, f"{name} ended {GIVE_UP_AFTER} times soon after its start, last with {how}")
        child.delay_s = min(child.delay_s * 2, LONGEST_DELAY_S) if early else FIRST_DELAY_S
        child.restart_at = now + child.delay_s
        self._say(f"[booth] {name} ended with {how}; the robot holds; starting it again in {child.delay_s:.1f} s")
        return None

    @staticmethod
    def _signal(children: list[_Child], number: signal.Signals) -> None:
        for child in children:
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(number)

    @staticmethod
    def _wait(children: list[_Child], deadline: float) -> None:
        for child in children:
            if child.process is None:
                continue
            try:
                child.process.wait(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                return


def _die_with_parent() -> None:
    """In the child: it is asked to stop should the supervisor itself be killed, so that nothing is left moving."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
