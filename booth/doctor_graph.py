# SPDX-License-Identifier: Apache-2.0
"""What `booth doctor` looks at on a graph: one that runs, or the few processes that it starts for itself.

Nothing of its own graph copies an operator: teleop is not started, so nothing can engage.
"""

import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from select import select
from typing import TYPE_CHECKING

from booth.selfcheck import ESTOP, TIME_NS, SelfCheck
from booth.selfcheck_item import Item
from booth.supervisor import Supervisor
from graph.nodes import GraphOptions, ProcessSpec, booth_processes
from graph.stamps import graph_clock
from robots import Robot

if TYPE_CHECKING:
    from booth.client_node import GraphClient

LISTEN_S, SPEAK_S = 4.0, 10.0
"""Somebody on this domain is noticed within the first, and has said how driver or tracker are within the second."""
START_S = 120.0
"""Processes that are started have said their first word by then; usually within ten seconds, not on a busy computer."""
STEP_S = 0.1
LOG_LINES = 40
ANSWER = re.compile(r"^\[\w+\] (?:ERROR: )?booth: (.+)$")
"""How a node that ends with an error says it."""


@dataclass(slots=True)
class Part:
    """One part of a graph of our own, which may end without taking the others with it.

    Attributes:
        node: whose first word is waited for.
        items: what can't be known without it.
        log: its newest lines.
        ended: why it ended; empty while it runs.
    """

    node: str
    items: tuple[str, ...]
    specs: Sequence[ProcessSpec]
    log: list[str] = field(default_factory=list)
    ended: str = ""
    supervisor: Supervisor | None = None

    def start(self, environ: dict[str, str]) -> None:
        """Start its processes."""
        self.supervisor = Supervisor(self.specs, environ, self._note)
        self.supervisor.start()

    def poll(self) -> None:
        """Notice its end."""
        if self.supervisor is None or self.ended:
            return
        outcome = self.supervisor.poll()
        if outcome is not None:
            answers = [found[1] for line in self.log if (found := ANSWER.match(line))]
            self.ended = answers[-1] if answers else outcome.reason
            self.supervisor.stop()

    def stop(self) -> None:
        """End its processes."""
        if self.supervisor is not None and not self.ended:
            self.supervisor.stop()

    def _note(self, line: str) -> None:
        self.log.append(line)
        del self.log[:-LOG_LINES]


def parts_of(robot: Robot, argument: str, options: GraphOptions) -> list[Part]:
    """What the doctor starts: everything of a booth but teleop and page."""
    specs = {spec.name: spec for spec in booth_processes(robot, argument, options)}
    servos = (*robot.joint_names, "temperatures")
    wanted = (
        ("driver", servos, ("robot", "driver")),
        ("tracker", ("camera",), ("tracker",)),
        ("recorder", ("disk",), ("recorder",)),
        ("pedal", ("pedal",), ("pedal",)),
    )
    parts = [Part(node, items, [specs[name] for name in names if name in specs]) for node, items, names in wanted]
    return [part for part in parts if part.specs]


def is_running(client: "GraphClient") -> bool:
    """Whether somebody's driver or tracker is heard on this domain."""
    begin = time.monotonic()
    while (waited_s := time.monotonic() - begin) < SPEAK_S:
        client.spin(STEP_S)
        if client.state("driver") or client.state("tracker"):
            return True
        if waited_s > LISTEN_S and len(client.node.get_node_names()) < 2:
            return False
    return False


@contextmanager
def started(client: "GraphClient", parts: Sequence[Part], environ: dict[str, str]) -> Iterator[None]:
    """A graph of our own: every part has said its first word, or has ended."""
    try:
        for part in parts:
            part.start(environ)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and not all(part.ended or _spoke(client, part) for part in parts):
            client.spin(STEP_S)
            for part in parts:
                part.poll()
        yield
    finally:
        for part in reversed(parts):
            part.stop()


def examine(
    client: "GraphClient",
    check: SelfCheck,
    parts: Sequence[Part],
    show: Callable[[Sequence[Item]], None],
    stopping: Callable[[], bool],
) -> list[Item]:
    """Feed a check until nothing is waited for any more, or its time is up; ``show`` gets the items as they change."""
    from booth.selfcheck_node import SelfCheckFeed

    feed = SelfCheckFeed(client.node, graph_clock())
    deadline_ns = time.monotonic_ns() + TIME_NS
    asks = sys.stdin.isatty()
    while True:
        client.spin(STEP_S)
        now_ns = time.monotonic_ns()
        for part in parts:
            part.poll()
            for name in part.items if part.ended else ():
                check.cannot(name, part.ended)
        if asks and select([sys.stdin], [], [], 0)[0]:
            asks = bool(sys.stdin.readline())
            check.confirm(ESTOP, now_ns)
        feed.look(check)
        items = check.items(now_ns)
        show(items)
        if check.settled(now_ns) or now_ns > deadline_ns or stopping():
            return items


def _spoke(client: "GraphClient", part: Part) -> bool:
    return part.node == "pedal" or client.state(part.node) not in ("", "STARTING")
