# SPDX-License-Identifier: Apache-2.0
"""The safety table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from drivers import safety
from drivers.safety import MS, Facts, State, Status
from graph.faults import Fault, FaultCode

FRESH = Facts(command_age_ns=10 * MS)
SILENT = Fault(FaultCode.SERVO_SILENT, "r_el (ID 5) does not answer")
NO_POWER = Fault(FaultCode.BRANCH_POWER_LOST, "arm_r has no power", stops=True)
ANY_STATUS = st.builds(Status, st.sampled_from(State), st.sampled_from(["", "why"]))
ANY_FACTS = st.builds(
    Facts,
    command_age_ns=st.one_of(st.none(), st.integers(0, 10_000 * MS)),
    faults=st.sampled_from([(), (SILENT,), (NO_POWER, SILENT)]),
    pause_ns=st.sampled_from([0, 40 * MS, 100 * MS, 10_000 * MS]),
    strangers=st.sampled_from([(), ("rogue",)]),
)


@given(ANY_STATUS, ANY_FACTS)
def test_watching_never_starts_motion(status: Status, facts: Facts) -> None:
    after = safety.watch(status, facts)
    assert after.state is not State.ENGAGED or status.state is State.ENGAGED


@given(ANY_STATUS, ANY_FACTS)
def test_watching_never_leaves_a_fault(status: Status, facts: Facts) -> None:
    after = safety.watch(status, facts).state
    if status.state in (State.STOPPED, State.IDLE):
        assert after is status.state
    if status.state is State.HOLD:
        assert after in (State.HOLD, State.STOPPED)


@pytest.mark.parametrize(
    ("facts", "state", "word", "code"),
    [
        (Facts(command_age_ns=101 * MS), State.HOLD, "no fresh command for 100 ms", FaultCode.COMMAND_STALE),
        (Facts(command_age_ns=None), State.HOLD, "no command", FaultCode.COMMAND_STALE),
        (Facts(10 * MS, faults=(SILENT,)), State.HOLD, "ID 5", FaultCode.SERVO_SILENT),
        (Facts(10 * MS, strangers=("rogue",)), State.HOLD, "rogue sends commands", FaultCode.SECOND_COMMANDER),
        (Facts(10 * MS, faults=(NO_POWER,)), State.STOPPED, "arm_r", FaultCode.BRANCH_POWER_LOST),
        (Facts(command_age_ns=100 * MS), State.ENGAGED, "", None),
        (Facts(command_age_ns=190 * MS, pause_ns=100 * MS), State.ENGAGED, "", None),
        (Facts(command_age_ns=260 * MS, pause_ns=9_000 * MS), State.HOLD, "no fresh command", FaultCode.COMMAND_STALE),
    ],
)
def test_each_fault_ends_engagement_with_its_reason(facts: Facts, state: State, word: str, code: FaultCode) -> None:
    after = safety.watch(Status(State.ENGAGED), facts)
    assert (after.state, after.code) == (state, code)
    assert word in after.reason


def test_homing_needs_no_commands_but_a_healthy_robot() -> None:
    assert safety.home(Status(State.HOLD, "why"), Facts()) == (Status(State.HOMING), "")
    assert safety.home(Status(State.ENGAGED), FRESH)[1] == "the operator is engaged: release first"
    assert "ID 5" in safety.home(Status(State.READY), Facts(faults=(SILENT,)))[1]
    assert safety.watch(Status(State.HOMING), Facts(faults=(SILENT,))).state is State.HOLD
    assert safety.arrived(Status(State.HOMING)).state is State.READY


@given(ANY_FACTS, st.floats(0, 3))
def test_engage_needs_a_fresh_command_a_healthy_bus_and_nearness(facts: Facts, distance: float) -> None:
    after, refusal = safety.engage(Status(State.READY), facts, distance, "joint", 1.0)
    healthy = (
        facts.command_age_ns is not None
        and facts.command_age_ns <= 100 * MS
        and not facts.faults
        and not facts.strangers
        and distance <= 1.0
    )
    assert (after.state is State.ENGAGED) == healthy
    assert bool(refusal) == (not healthy)


def test_a_refusal_names_the_joint_and_both_distances() -> None:
    _, refusal = safety.engage(Status(State.READY), FRESH, 1.25, "l_el", 0.35)
    assert "l_el" in refusal
    assert "1.25" in refusal
    assert "0.35" in refusal


def test_an_unconnected_driver_refuses_to_engage() -> None:
    after, refusal = safety.engage(Status(State.IDLE, "not connected"), FRESH, 0.0, "", 1.0)
    assert after.state is State.IDLE
    assert "not connected" in refusal


class SafetyMachine(RuleBasedStateMachine):
    """Whatever happens in whatever order: ENGAGED only ever follows an engage, and stays out after a fault."""

    def __init__(self) -> None:
        super().__init__()
        self.status = Status(State.READY)
        self.allowed = False

    @rule(facts=ANY_FACTS)
    def cycle(self, facts: Facts) -> None:
        self.status = safety.watch(self.status, facts)
        self.allowed = self.allowed and self.status.state is State.ENGAGED

    @rule(facts=ANY_FACTS, distance=st.floats(0, 2))
    def engage(self, facts: Facts, distance: float) -> None:
        self.status, refusal = safety.engage(self.status, facts, distance, "joint", 1.0)
        self.allowed = not refusal

    @rule(facts=ANY_FACTS)
    def home(self, facts: Facts) -> None:
        self.status, _ = safety.home(self.status, facts)
        self.allowed = self.allowed and self.status.state is State.ENGAGED

    @rule()
    def release(self) -> None:
        self.status = safety.release(self.status)
        self.allowed = False

    @rule()
    def stop(self) -> None:
        self.status = safety.stop(self.status, "asked")
        self.allowed = False

    @invariant()
    def engaged_only_after_an_accepted_request(self) -> None:
        assert (self.status.state is State.ENGAGED) == self.allowed or self.status.state is not State.ENGAGED


TestSafetyMachine = SafetyMachine.TestCase
