# SPDX-License-Identifier: Apache-2.0
"""Laws of the session's machine, whatever happens in whatever order; and of the workflow with crashes anywhere."""

from collections import Counter
from pathlib import Path
from random import Random
from tempfile import mkdtemp

import pytest
from fake_recorder import FakeRecorder
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from booth.session.errors import SessionError
from booth.session.machine import Happened, State, move_for, step
from booth.session.phases import ACTIONS, BACK, FORWARD, Event, Order, Phase
from booth.session.records import Decision, Discard, Operator, Task
from booth.session.store import Store
from booth.session.transitions import ANYWHERE, TABLE
from booth.session.view import possible
from booth.session.workflow import Workflow

S = 1_000_000_000
TASK = Task(id="t", name="T", instruction="Do.", target=3, warm_up_s=5, record_s=10, reset_s=5, review_s=5)
AT_WORK = (Phase.RECORDING, Phase.SAVING)
COUNTS = ("episode", "kept", "redone", "skipped", "target")
VERDICTS = ("ok", "ok", "degraded", "failed")
STEPS = settings(
    max_examples=200, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # 10^4 steps


class AnythingHappens(RuleBasedStateMachine):
    """The pure function under every sequence of events, possible or not."""

    def __init__(self):
        super().__init__()
        self.state = State()
        self.now_ns = 0
        self.takes = 0

    @rule(
        event=st.sampled_from(Event), verdict=st.sampled_from(["ok", "degraded", "failed"]), wait_s=st.integers(0, 20)
    )
    def happens(self, event, verdict, wait_s):
        self.now_ns += wait_s * S
        before = self.state
        self.takes += 1
        task = TASK if event in (Event.BEGIN, Event.TRAIN) else None
        taken = step(before, Happened(event, task, f"take-{self.takes}", verdict), self.now_ns)
        self.check(before, event, taken)
        self.state = taken.state

    def check(self, before, event, taken):
        after = taken.state
        if event in (Event.BEGIN, Event.TRAIN) and after is not before:
            assert after.number == 1
            return
        assert after.number - before.number in (-1, 0, 1)
        if after.number > before.number:
            assert taken.decision in (Decision.KEPT, Decision.SKIPPED)
        if after.number < before.number:
            assert event is Event.RESTORED
        if taken.order is Order.START:
            assert (before.phase, after.phase) == (Phase.READY, Phase.RECORDING)
        if taken.order is Order.STOP:
            assert before.phase is Phase.RECORDING
        if taken.order is Order.DISCARD:
            assert taken.take and after.thrown.take == taken.take
        if taken.order is not None:
            assert before.asked in (None, Order.STOP) or before.asked is taken.order is Order.DISCARD
            assert before.doing is not Phase.TRAINING
        if after.phase is Phase.DONE and before.phase is not Phase.DONE:
            assert event is Event.FINISH or after.kept >= TASK.target
        if taken.decision is Decision.REDONE and taken.order is None:
            assert after.unwanted is Decision.REDONE or event is Event.TRASHED

    @invariant()
    def a_pause_never_records(self):
        if self.state.phase is Phase.PAUSED:
            assert self.state.back_to not in (Phase.RECORDING, Phase.PAUSED)
            assert self.state.deadline_ns is None
            assert self.state.asked is not Order.START

    @invariant()
    def a_take_is_at_hand_only_while_it_is_made_or_judged(self):
        if self.state.take:
            assert self.state.doing in (*AT_WORK, Phase.REVIEW)
        if self.state.unwanted:
            assert self.state.doing in AT_WORK

    @invariant()
    def only_phases_that_end_by_themselves_count_down(self):
        if self.state.deadline_ns is not None:
            assert (self.state.phase, Event.OVER) in TABLE
        if self.state.phase is Phase.REVIEW and self.state.verdict != "ok":
            assert self.state.deadline_ns is None


TestAnythingHappens = AnythingHappens.TestCase
TestAnythingHappens.settings = STEPS


class Shift(RuleBasedStateMachine):
    """People, a recorder that has its troubles, and a program that may crash after every step."""

    def __init__(self):
        super().__init__()
        self.now_ns = 0
        self.wall_ns = 1_795_000_000 * S
        self.path = Path(mkdtemp()) / "booth.sqlite"
        self.recorder = FakeRecorder()
        self.store = Store(self.path, now_ns=lambda: self.wall_ns)
        self.store.operators.add(Operator(id="ana", name="Ana"), 1)
        self.store.operators.consent("ana", 1)
        self.store.tasks.add(TASK)
        self.flow = Workflow(self.store, "b", "op3", 0)
        self.training = False
        self.foreign: set[str] = set()

    def teardown(self):
        self.store.close()
        for path in self.path.parent.iterdir():
            path.unlink()
        self.path.parent.rmdir()

    def carry_out(self, orders, answer=True):
        for order in orders:
            assert not self.training, "an order in training"
            running = self.recorder.running
            if order is Order.DISCARD:
                assert not running, "a discard while a take runs"
                assert self.recorder.last in {one.take for one in self.attempts() if one.discard is Discard.ASKED}
            ok, message = self.recorder.obey(order)
            if answer:
                self.carry_out(self.flow.answered(order, ok, message, self.now_ns))

    def attempts(self):
        return self.store.sessions.attempts()

    @property
    def session(self):
        return self.store.sessions.unfinished("b", "op3")

    @rule(training=st.sampled_from([False, False, True]), ready=st.booleans())
    @precondition(lambda self: self.flow.phase in (Phase.CHOOSE, Phase.DONE, Phase.TRAINING))
    def begin(self, training, ready):
        try:
            self.flow.begin("ana", "t", self.now_ns, training)
        except SessionError:
            return
        self.training = training
        if ready and not training:
            self.flow.saw_check(True, self.now_ns)
            self.act("next", True, True)

    @rule(choice=st.integers(0, 9), answered=st.sampled_from([True, True, False]), heard=st.booleans())
    def do_something_possible(self, choice, answered, heard):
        can = [action for action in self.flow.view(self.now_ns)["actions"] if action != "finish"]
        if can:
            self.act(can[choice % len(can)], answered, heard)

    @rule(action=st.sampled_from([*ACTIONS, "forward", "back"]), sure=st.integers(0, 3))
    def ask_for_anything(self, action, sure):
        if action != "finish" or sure == 0:
            self.act(action, True, True)

    @rule(verdict=st.sampled_from(VERDICTS))
    def make_a_take(self, verdict):
        if self.flow.phase is Phase.RESET:
            self.act("next", True, True)
        if self.flow.phase is Phase.READY:
            self.act("record", True, True)
        if self.flow.phase is Phase.RECORDING:
            self.act("stop", True, True)
            self.recorder.save(verdict)
            self.recorder_tells()

    def act(self, action, answered, heard):
        try:
            orders = self.flow.act(action, self.now_ns)
        except SessionError:
            return
        self.training = self.flow.phase is Phase.TRAINING or (self.training and self.flow.phase is Phase.PAUSED)
        self.carry_out(orders, answered)
        if heard:
            self.recorder_tells()

    @rule(passed=st.booleans())
    def check(self, passed):
        self.flow.saw_check(passed, self.now_ns)

    @rule(seconds=st.integers(1, 15))
    def time_passes(self, seconds):
        self.now_ns += seconds * S
        self.wall_ns += seconds * S
        self.carry_out(self.flow.tick(self.now_ns))

    @rule()
    def recorder_tells(self):
        self.carry_out(self.flow.saw_recorder(*self.recorder.state(), self.now_ns))

    @rule(verdict=st.sampled_from(VERDICTS))
    def recorder_saves(self, verdict):
        self.recorder.save(verdict)

    @rule(really=st.integers(0, 2))
    def recorder_dies(self, really):
        if really:
            return
        self.recorder.die()
        self.carry_out(self.flow.saw_recorder("GONE", {}, self.now_ns))

    @rule(full=st.booleans())
    def disk(self, full):
        self.recorder.full = full
        if full and self.recorder.running:
            self.recorder.stop("the disk is almost full")

    @rule(act=st.sampled_from(["start", "stop", "discard"]))
    def somebody_else(self, act):
        """The recorder tells at once: who asks it within that moment can't know."""
        getattr(self.recorder, act)()
        self.recorder_tells()

    @rule()
    @precondition(lambda self: self.session is not None)
    def crash(self):
        labels, counts = self.flow.labels(), self.counts()
        self.store.close()
        self.now_ns = 7 * S
        self.store = Store(self.path, now_ns=lambda: self.wall_ns)
        self.flow = Workflow(self.store, "b", "op3", self.now_ns)
        assert self.flow.phase is Phase.PAUSED
        assert (self.flow.labels(), self.counts()) == (labels, counts)

    def counts(self):
        view = self.flow.view(self.now_ns)
        return tuple(view[name] for name in COUNTS)

    @invariant()
    def the_store_says_what_the_session_says(self):
        session = self.session
        if session is None:
            assert self.flow.phase in (Phase.CHOOSE, Phase.DONE, Phase.TRAINING) or self.training
            return
        count = Counter(one.decision for one in self.store.sessions.attempts(session.id))
        kept, redone, skipped = count[Decision.KEPT], count[Decision.REDONE], count[Decision.SKIPPED]
        assert self.counts() == (kept + skipped + 1, kept, redone, skipped, 3)
        assert kept < 3

    @invariant()
    def a_new_program_would_find_it_again(self):
        """Killed at this very point."""
        if self.session is not None:
            found = Workflow(self.store, "b", "op3", 0)
            assert found.phase is Phase.PAUSED
            assert found.labels() == self.flow.labels()
            view = found.view(0)
            assert tuple(view[name] for name in COUNTS) == self.counts()

    @invariant()
    def numbers_are_kept_once_and_never_left_out_silently(self):
        for session in self.store.sessions.all():
            decided = [
                one.number
                for one in self.store.sessions.attempts(session.id)
                if one.decision in (Decision.KEPT, Decision.SKIPPED)
            ]
            assert sorted(decided) == list(range(1, len(decided) + 1))

    @invariant()
    def what_was_kept_is_there(self):
        for one in self.attempts():
            if one.decision is Decision.KEPT and one.decided_ns and one.verdict:
                assert one.take in self.recorder.takes or one.take in self.recorder.trash

    @invariant()
    def what_was_discarded_is_in_the_trash(self):
        told = self.flow._told  # what nobody has told of can't be known
        for one in self.attempts() if told == (self.recorder.message, self.recorder.values["take"]) else ():
            if one.discard is Discard.DONE:
                assert one.take in self.recorder.trash

    @invariant()
    def what_is_not_possible_is_refused(self):
        view = self.flow.view(self.now_ns)
        assert set(view["actions"]) <= set(ACTIONS)
        assert (view["phase"] == "paused") == ("resume" in view["actions"])


TestShift = Shift.TestCase
TestShift.settings = settings(STEPS, max_examples=60)


def one_step(shift, random):
    """A step that a working day is likely to have; trouble is rarer than work."""
    kind = random.choices(
        ("do", "take", "time", "tell", "save", "ask", "begin", "crash", "die", "disk", "else", "check"),
        (12, 8, 6, 6, 6, 3, 2, 2, 1, 1, 2, 4),
    )[0]
    verdict = random.choice(VERDICTS)
    idle = shift.flow.phase in (Phase.CHOOSE, Phase.DONE, Phase.TRAINING)
    {
        "do": lambda: shift.do_something_possible(random.randrange(10), random.random() < 0.8, random.random() < 0.7),
        "take": lambda: shift.make_a_take(verdict),
        "time": lambda: shift.time_passes(random.choice((1, 5, 15, 301))),
        "tell": shift.recorder_tells,
        "save": lambda: shift.recorder_saves(verdict),
        "ask": lambda: shift.ask_for_anything(random.choice([*ACTIONS, "forward", "back"]), random.randrange(4)),
        "begin": lambda: idle and shift.begin(random.random() < 0.2, True),
        "crash": lambda: shift.session and shift.crash(),
        "die": lambda: shift.recorder_dies(0),
        "disk": lambda: shift.disk(random.random() < 0.3),
        "else": lambda: shift.somebody_else(random.choice(("start", "stop", "discard"))),
        "check": lambda: shift.check(True),
    }[kind]()


INVARIANTS = (
    Shift.the_store_says_what_the_session_says,
    Shift.a_new_program_would_find_it_again,
    Shift.numbers_are_kept_once_and_never_left_out_silently,
    Shift.what_was_kept_is_there,
    Shift.what_was_discarded_is_in_the_trash,
    Shift.what_is_not_possible_is_refused,
)


@pytest.mark.parametrize("seed", range(10))
def test_a_thousand_steps_of_work_and_trouble_keep_the_laws(seed):
    random, shift = Random(seed), Shift()
    for _ in range(1000):
        one_step(shift, random)
        for law in INVARIANTS:
            law(shift)
    assert len(shift.attempts()) > 15 and shift.store.sessions.kept() > 2
    shift.teardown()


def test_every_phase_can_be_left_and_reached():
    into = {move.to for move in TABLE.values()} | {Phase.CHOOSE}
    assert into >= set(Phase)
    assert {phase for phase, _ in TABLE} == set(Phase)


def test_every_event_leads_somewhere():
    assert {event for _, event in TABLE} | set(ANYWHERE) == set(Event)


@pytest.mark.parametrize("shortcut", [FORWARD, BACK])
def test_shortcuts_are_actions_that_their_phase_has(shortcut):
    for phase, action in shortcut.items():
        assert move_for(State(phase=phase, task=TASK), ACTIONS[action]) is not None


def test_what_is_possible_is_what_the_table_has():
    state = State(phase=Phase.READY, task=TASK)
    assert possible(state) == ["record", "skip", "pause", "finish"]
    assert possible(State(phase=Phase.SAVING, task=TASK, unwanted=Decision.REDONE)) == []
