# SPDX-License-Identifier: Apache-2.0
"""The same tests on virtual servos of every family and, with --port, on real ones: docs/technician.md.

Tests ask for ``servo`` (each servo in turn), ``device`` (the hand's controller, too), ``hand`` or ``everybody``. A kind
that does not answer on a real line is deselected and named at the end. Everything is left as it was found.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import pytest
from bench_line import Line
from bench_servo import KINDS, Permissions, Servo, borrowed, kind_of
from bench_virtual import BAUD, identities, virtual_line

from drivers.bus import Bus, Identity
from drivers.port import SerialPort
from drivers.servo_tools import known_model
from drivers.servo_tools_line import ping_everybody
from graph.errors import BoothError

MARKS = {"moves": "moves a real shaft by 3 degrees: --allow-motion", "writes_eeprom": "--allow-eeprom"}


@dataclass(frozen=True, slots=True)
class Target:
    """A device that a test is about; ``id`` None: no such device on this line."""

    kind: str
    id: int | None

    def __str__(self) -> str:
        return f"{self.kind}-id{self.id}" if self.id is not None else f"{self.kind}-not-present"


@dataclass(frozen=True, slots=True)
class Bench:
    """What the tests run on; ``port`` is empty for virtual servos."""

    port: str
    baud: int
    may: Permissions
    found: dict[int, Identity]

    def targets(self, kinds: tuple[str, ...]) -> list[Target]:
        """Every device of these kinds, and a mark for every kind that isn't there."""
        here = [Target(_kind(identity), servo_id) for servo_id, identity in self.found.items()]
        return [
            target for kind in kinds for target in ([one for one in here if one.kind == kind] or [Target(kind, None)])
        ]


BENCH = pytest.StashKey[Bench]()


# --- pytest ---------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance", "servo conformance tests on real servos (default: on virtual ones)")
    group.addoption("--port", default="", help="serial port of real servos, alone on a bench")
    group.addoption("--baud", type=int, default=57_600, help="their speed (default: %(default)s)")
    group.addoption("--ids", default="", help="such as 1,2 (default: everybody who answers)")
    group.addoption("--allow-motion", action="store_true", help="move each shaft by 3 degrees and back")
    group.addoption("--allow-eeprom", action="store_true", help="write settings; they are put back")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "kinds(*names): what a servo must be for this test, see bench_servo.KINDS")
    for name, text in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {text}")
    port = config.getoption("port", default="")
    if not port:
        config.stash[BENCH] = Bench("", BAUD, Permissions(motion=True, eeprom=True), identities())
        return
    may = Permissions(config.getoption("allow_motion"), config.getoption("allow_eeprom"))
    baud = config.getoption("baud")
    config.stash[BENCH] = Bench(port, baud, may, _who_is_there(port, baud, config.getoption("ids")))


def pytest_report_header(config: pytest.Config) -> str:
    bench = config.stash[BENCH]
    names = ", ".join(f"{servo_id} {_kind(one)} (firmware {one.firmware})" for servo_id, one in bench.found.items())
    return f"conformance: {bench.port or 'virtual servos'} at {bench.baud} baud: ID {names}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    bench = metafunc.config.stash[BENCH]
    only = metafunc.definition.get_closest_marker("kinds")
    for fixture, kinds in {"servo": KINDS[:-1], "device": KINDS, "hand": ("hx5",)}.items():
        if fixture in metafunc.fixturenames:
            wanted = only.args if only is not None else kinds
            metafunc.parametrize(fixture, bench.targets(wanted), ids=str, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out, and have pytest count, what is not on the line."""
    absent = [item for item in items if _is_absent(item)]
    if absent:
        config.hook.pytest_deselected(items=absent)
        items[:] = [item for item in items if not _is_absent(item)]


def pytest_runtest_setup(item: pytest.Item) -> None:
    may = item.config.stash[BENCH].may
    for name, allowed in (("moves", may.motion), ("writes_eeprom", may.eeprom)):
        if item.get_closest_marker(name) and not allowed:
            pytest.skip(MARKS[name])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    absent = [target.kind for target in config.stash[BENCH].targets(KINDS) if target.id is None]
    if absent:
        terminalreporter.write_line(f"conformance: NOT PRESENT and not tested: {', '.join(absent)}")


def _is_absent(item: pytest.Item) -> bool:
    values = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return any(isinstance(value, Target) and value.id is None for value in values)


# --- the line ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def servos(pytestconfig: pytest.Config) -> Iterator[dict[int, Servo]]:
    """Every device on the line by its ID."""
    bench = pytestconfig.stash[BENCH]
    with ExitStack() as stack:
        path, break_it = (bench.port, None) if bench.port else stack.enter_context(virtual_line())
        line = Line(stack.enter_context(SerialPort(path, bench.baud)))
        out = {}
        for servo_id, identity in bench.found.items():
            known = known_model(identity.model_number, identity.firmware)
            assert known is not None
            breaker = partial(break_it, servo_id) if break_it is not None else None
            out[servo_id] = Servo(line, servo_id, identity, known, bench.may, breaker)
        yield out


@pytest.fixture
def line(servos: dict[int, Servo]) -> Line:
    """The line itself."""
    return next(iter(servos.values())).line


@pytest.fixture
def device(request: pytest.FixtureRequest, servos: dict[int, Servo]) -> Iterator[Servo]:
    """One device, left as it was found."""
    one = servos[request.param.id]
    with borrowed([one]):
        yield one


@pytest.fixture
def servo(request: pytest.FixtureRequest, servos: dict[int, Servo]) -> Iterator[Servo]:
    """One servo, left as it was found."""
    one = servos[request.param.id]
    with borrowed([one]):
        yield one


@pytest.fixture
def hand(request: pytest.FixtureRequest, servos: dict[int, Servo]) -> Iterator[Servo]:
    """A hand's controller, left as it was found."""
    one = servos[request.param.id]
    with borrowed([one]):
        yield one


@pytest.fixture
def everybody(servos: dict[int, Servo]) -> Iterator[list[Servo]]:
    """All devices of the line, in the order of their IDs, left as they were found."""
    group = [servos[servo_id] for servo_id in sorted(servos)]
    with borrowed(group):
        yield group


def _who_is_there(port: str, baud: int, ids: str) -> dict[int, Identity]:
    """Ping; a wish that isn't fulfilled ends the run before anything else happens."""
    try:
        with SerialPort(port, baud) as serial:
            bus = Bus(serial)
            if not ids:
                heard = ping_everybody(serial).sightings
                found = {one.id: Identity(one.model_number, one.firmware) for one in heard}
            else:
                found = {}
                for word in ids.split(","):
                    found[int(word)] = bus.ping(int(word))
    except (BoothError, ValueError) as error:
        raise pytest.UsageError(
            f"{port} at {baud} baud: {error}; who is there? booth servo scan --port {port}"
        ) from error
    if not found:
        raise pytest.UsageError(f"nobody answers on {port} at {baud} baud: booth servo scan --port {port} --baud all")
    strange = {one: who.model_number for one, who in found.items() if known_model(who.model_number) is None}
    if strange:
        raise pytest.UsageError(f"no control table for ID -> model number {strange}: leave them out with --ids")
    return found


def _kind(identity: Identity) -> str:
    known = known_model(identity.model_number, identity.firmware)
    assert known is not None
    return kind_of(known.name, identity.firmware)
